# SPDX-License-Identifier: MIT
"""What is given as a file and is none, has no end, or is not read: a line, and no waiting."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from conftest import DATA, PATIENCE, Program
from numpy.typing import NDArray
from writers import write_png

REFERENCE = DATA / "reference" / "camera.png"
NOISE = DATA / "noise" / "camera.png"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders with a pair of pictures each."""
    for folder, picture in (("a", REFERENCE), ("b", NOISE)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "camera.png").write_bytes(picture.read_bytes())
    return tmp_path / "a", tmp_path / "b"


def make_odd(path: Path, kind: str) -> str:
    """Something at a path that is no regular file; returns what is said of it."""
    if kind == "pipe":
        os.mkfifo(path)
        return "is a pipe"
    if kind == "loop":
        path.symlink_to(path.with_name("loop"))
        path.with_name("loop").symlink_to(path)
        return "Too many levels of symbolic links"
    if kind == "dangling":
        path.symlink_to(path.with_name("missing"))
        return "No such file"
    path.symlink_to({"zero": "/dev/zero", "null": "/dev/null"}[kind])
    return "no regular file"


KINDS = ("pipe", "loop", "dangling", "zero", "null")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", [0, 1])
def test_folder_with_what_is_no_file(
    iqa: Program, folders: tuple[Path, Path], kind: str, side: int
) -> None:
    """That pair fails and no other one."""
    words = make_odd(folders[side] / "odd.png", kind)
    (folders[1 - side] / "odd.png").write_bytes(REFERENCE.read_bytes())
    done = iqa("batch", *folders)
    assert done.returncode == 2 and "1 pairs measured, 1 failed" in done.stdout
    assert done.stderr.startswith(f"iqa: {folders[side]}/odd.png: ") and words in done.stderr
    assert done.stderr.count("\n") == 1
    done = iqa("segment", *folders, "--classes", 256)
    assert done.returncode == 2 and "1 pairs measured, 1 failed" in done.stdout
    assert words in done.stderr and done.stderr.count("\n") == 1
    done = iqa("batch", "-r", *folders)
    assert words in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_named_files_that_are_none(iqa: Program, tmp_path: Path, kind: str) -> None:
    words = make_odd(tmp_path / "odd", kind)
    odd = tmp_path / "odd"
    labels = DATA / "labels" / "reference"
    one = next(labels.glob("*.png"))
    features = DATA / "features" / "first_half.npz"
    commands: list[tuple[object, ...]] = [
        ("fid", odd, odd),
        ("fid", features, odd),
        ("fid", "--dims", 4, odd, features),
        ("segment", odd, one, "--classes", 256),
    ]
    if kind != "pipe":  # for those that the user names, pipes are waited for
        commands += [
            ("compare", odd, REFERENCE),
            ("compare", REFERENCE, odd),
            ("compare", REFERENCE, NOISE, "--mask", odd),
            ("compare", odd, odd, "--yuv", "4x4:420"),
            ("segment", one, one, "--names", odd),
        ]
    for command in commands:
        message = iqa.error(*command, preexec_fn=iqa.limit_memory)
        assert message.startswith(f"iqa: {odd}: ") and words in message


def test_pipes_that_are_named(iqa: Program, tmp_path: Path) -> None:
    """Clips, pictures, masks and names come from process substitution and from named pipes."""
    clips = [DATA / "clips" / f"{name}.y4m" for name in ("reference", "blur")]
    wanted = iqa.fine("compare", *clips)

    def shell(command: str) -> str:
        return subprocess.run(
            ["bash", "-c", command],
            env={**os.environ, "IQA": iqa.path},
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE,
        ).stdout

    assert shell(f'"$IQA" compare <(cat {clips[0]}) <(sleep 0.3; cat {clips[1]})') == wanted
    assert shell(f'cat {clips[1]} | "$IQA" compare {clips[0]} /dev/stdin') == wanted
    assert shell(f'cat {clips[1]} | "$IQA" compare {clips[0]} -') == wanted
    assert shell(
        f'"$IQA" compare <(cat {REFERENCE}) {NOISE} --mask <(cat {REFERENCE})'
    ) == iqa.fine("compare", REFERENCE, NOISE, "--mask", REFERENCE)
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Timer(0.3, lambda: (tmp_path / "pipe").write_bytes(clips[1].read_bytes()))
    writer.start()  # later than the program opens the pipe
    assert iqa.fine("compare", clips[0], tmp_path / "pipe") == wanted
    writer.join()


def test_names_have_limits(iqa: Program, tmp_path: Path) -> None:
    labels = DATA / "labels" / "reference"
    command = (
        "segment",
        labels,
        labels,
        "--names",
        tmp_path / "names",
        "--ignore",
        255,
    )
    for content, words in (
        (b"x" * 4097, "line 1 is longer than 4096 bytes"),
        (b"a\n" + b"x" * 10**6, "line 2 is longer than 4096 bytes"),
        (b"\n" * (2**22 + 1), "more than 4194304 bytes"),
    ):
        (tmp_path / "names").write_bytes(content)
        message = iqa.error(*command, preexec_fn=iqa.limit_memory)
        assert message.startswith(f"iqa: {tmp_path}/names: ") and words in message
    (tmp_path / "names").write_bytes(b"x" * 4096 + b"\na\nb\nc\r\nd")
    assert "4 d" in iqa.fine(*command)


def test_files_that_are_not_looked_at(iqa: Program, folders: tuple[Path, Path]) -> None:
    for name in ("a.webp", "b.WEBP", "c.txt", ".hidden.webp", "noending"):
        (folders[0] / name).write_bytes(b"")
    (folders[1] / "a.webp").write_bytes(b"")
    (folders[1] / "folder.webp").mkdir()
    words = "1 extensionless file, 1 .txt file, 3 .webp files not looked at"
    assert words in iqa.fine("batch", *folders)
    assert words in iqa.fine("segment", *folders, "--classes", 256)
    (folders[0] / "camera.png").unlink()
    (folders[1] / "camera.png").unlink()
    for command in (("batch", *folders), ("segment", *folders, "--classes", 2)):
        done = iqa(*command)
        assert done.returncode == 2 and "3 .webp files" in done.stderr


def test_fid_of_pictures(iqa: Program, folders: tuple[Path, Path]) -> None:
    message = iqa.error("fid", *folders)
    assert "1 .png file" in message and "--weights FILE" in message and "docs/guide/fid.md" in message


ENCODED = {
    "clip.mp4": b"\0\0\0\x18ftypisom",
    "clip.mov": b"\0\0\0\x14ftypqt  ",
    "clip.mkv": b"\x1a\x45\xdf\xa3",
    "clip.avi": b"RIFF\0\0\0\0AVI LIST",
    "clip.ts": b"\x47\x40" + bytes(186) + b"\x47\x40",
    "clip.h264": b"\0\0\0\x01\x67",
    "clip.ivf": b"DKIF\0\0",
}
PICTURES = {
    "WebP": b"RIFF\x24\0\0\0WEBPVP8 ",
    "AVIF": b"\0\0\0\x1cftypavif",
    "HEIF": b"\0\0\0\x1cftypheic",
    "JPEG XL": b"\xff\x0a\0",
    "GIF": b"GIF89a",
    "BMP": b"BM\0\0\0\0\0\0\0\0",
    "OpenEXR": b"\x76\x2f\x31\x01",
}


@pytest.mark.parametrize("name", ENCODED)
def test_encoded_clips(iqa: Program, tmp_path: Path, name: str) -> None:
    """The line of FFmpeg that makes them readable, for pictures and for clips."""
    (tmp_path / name).write_bytes(ENCODED[name] + bytes(100))
    clip = DATA / "clips" / "reference.y4m"
    for pair in (
        (tmp_path / name, clip),
        (clip, tmp_path / name),
        (tmp_path / name,) * 2,
    ):
        message = iqa.error("compare", *pair)
        assert "ffmpeg -v error -i FILE -strict -1 -f yuv4mpegpipe - | iqa compare REF -" in message
        assert message.startswith(f"iqa: {tmp_path / name}: ")


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_that_are_not_read(iqa: Program, tmp_path: Path, name: str) -> None:
    (tmp_path / "a").write_bytes(PICTURES[name] + bytes(100))
    message = iqa.error("compare", tmp_path / "a", REFERENCE)
    assert f"is {name}, which is not read: convert it to PNG first" in message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without threads")
def test_no_thread_to_be_had(iqa: Program, camera: NDArray[np.uint8]) -> None:
    """The calling thread does the work."""
    import resource
    import tempfile

    def become_lonely() -> None:
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        os.setgid(65534)
        os.setuid(65534)

    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / side for side in "ab"]
        for folder, samples in zip(folders, (camera, camera // 2), strict=True):
            folder.mkdir()
            for number in range(3):
                write_png(folder / f"{number}.png", samples[number * 20 : 200 + number * 20])
        for path in (Path(name), *folders):
            path.chmod(0o755)
        wanted = iqa.fine("batch", *folders)
        assert iqa.fine("batch", *folders, preexec_fn=become_lonely) == wanted
