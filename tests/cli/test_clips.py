# SPDX-License-Identifier: MIT
"""Clips: FFmpeg's numbers to the digits that it prints, formats, and damaged files."""

from __future__ import annotations

import csv
import json
import math
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import DATA, PATIENCE, Program
from numpy.typing import NDArray
from PIL import Image

# FFmpeg computes SSIM in single precision and prints six digits; PSNR has two digits in its files.
SSIM_STEP = 0.5e-6 + 1.5e-7
PSNR_STEP = 0.005 + 1e-6

Frame = list[NDArray[Any]]


def ffmpeg(*arguments: object) -> str:
    """Runs FFmpeg and returns its messages."""
    done = subprocess.run(
        ["ffmpeg", "-hide_banner", "-nostdin", "-y", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def make_y4m(path: Path, source: str, pixels: str, change: str = "null", frames: int = 4) -> Path:
    """A clip of one of FFmpeg's own sources."""
    # Filters work on 4:4:4 of the depth that is wanted; the last step halves the chroma.
    depth = re.search(r"\d+(?=le$)", pixels)
    full = f"yuv444p{depth[0]}le" if depth else "yuv444p"
    chain = f"format={full},{change},format={pixels}"
    arguments = ["-f", "lavfi", "-i", source, "-frames:v", frames, "-vf", chain, "-strict", -1]
    ffmpeg("-bitexact", *arguments, path)
    return path


def write_y4m(path: Path, frames: list[Frame], tag: str, parameters: str = "") -> Path:
    """A clip of frames of planes."""
    height, width = frames[0][0].shape
    content = f"YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C{tag}\n".encode()
    for frame in frames:
        content += f"FRAME{parameters}\n".encode() + b"".join(plane.tobytes() for plane in frame)
    path.write_bytes(content)
    return path


def raw_bytes(frames: list[Frame]) -> bytes:
    """The same without headers."""
    return b"".join(plane.tobytes() for frame in frames for plane in frame)


def pan(bits: int, frames: int, height: int, width: int, noise: float, seed: int) -> list[Frame]:
    """A camera that moves over a photograph, 4:2:0, with noise of its own in every frame."""
    photograph = np.asarray(Image.open(DATA / "reference" / "chelsea.png")).astype(np.float64)
    random = np.random.default_rng(seed)
    dtype = "u1" if bits == 8 else "<u2"
    peak = 2**bits - 1
    clip = []
    for frame in range(frames):
        part = photograph[20 + 2 * frame :, 30 + 3 * frame :][:height, :width]
        planes = [part[..., 1], part[::2, ::2, 2], part[::2, ::2, 0]]
        clip.append(
            [
                np.clip(
                    np.rint(
                        plane * peak / 255 + noise * peak * random.standard_normal(plane.shape)
                    ),
                    0,
                    peak,
                ).astype(dtype)
                for plane in planes
            ]
        )
    return clip


# The filter's C code. Its x86 assembly (seen in 5.1) gives another number where a row of a plane
# has 4 n + 1 blocks: the chroma of 176 x 144 and 720 x 480, or 1 instead of 0.95 for a width of 8.
PORTABLE = ("-cpuflags", 0)


def ffmpeg_values(
    folder: Path, reference: Path, test: Path, flags: tuple[object, ...]
) -> tuple[list[dict[str, float]], dict[str, float]]:
    """What the filters ssim and psnr write: for every frame, and at the end."""
    rows: list[dict[str, float]] = []
    total = {}
    number = r"([-\w]+):(\S+)"
    for name in ("ssim", "psnr"):
        file = folder / f"{name}.txt"
        graph = ("-lavfi", f"[0:v][1:v]{name}=stats_file={file}", "-f", "null", "-")
        said = ffmpeg(*flags, "-i", test, "-i", reference, *graph)
        for index, line in enumerate(file.read_text().splitlines()):
            if index == len(rows):
                rows.append({})
            rows[index] |= {f"{name} {k.lower()}": float(v) for k, v in re.findall(number, line)}
        (summary,) = re.findall(rf"{name.upper()} (.*)", said)
        total |= {f"{name} {k.lower()}": float(v) for k, v in re.findall(number, summary)}
        total |= {
            f"{name} {k.lower()} db": float(v)
            for k, v in re.findall(r"(\w+):\S+ \((\S+)\)", summary)
        }
    return rows, total


def close(own: float, other: float, step: float) -> bool:
    """Equal to the printed digits."""
    return own == other if math.isinf(own) or math.isinf(other) else abs(own - other) <= step


def check_against_ffmpeg(
    iqa: Program, folder: Path, reference: Path, test: Path, flags: tuple[object, ...] = PORTABLE
) -> list[dict[str, str]]:
    """Every number of every frame, and the summary."""
    rows, total = ffmpeg_values(folder, reference, test, flags)
    table = folder / "frames.csv"
    found = iqa.compare("--preset", "ffmpeg", "--csv", table, reference, test)
    own_rows = list(csv.DictReader(table.open()))
    assert len(own_rows) == len(rows) == found["frames"] > 0
    planes = "yuv" if "ssim u" in total else "y"
    for own, other in zip(own_rows, rows, strict=True):
        assert int(own["frame"]) == other["ssim n"]
        for plane in planes:
            assert close(float(own[f"ssim_{plane}"]), other[f"ssim {plane}"], SSIM_STEP)
            assert close(float(own[f"psnr_{plane}"]), other[f"psnr psnr_{plane}"], PSNR_STEP)
            assert close(float(own[f"mse_{plane}"]), other[f"psnr mse_{plane}"], PSNR_STEP)
        assert close(float(own["ssim"]), other["ssim all"], SSIM_STEP)
        assert close(float(own["psnr"]), other["psnr psnr_avg"], PSNR_STEP)
        assert close(float(own["mse"]), other["psnr mse_avg"], PSNR_STEP)
    names = [*planes, "all"]
    for name, own in zip(names, [*found["planes"], found], strict=True):
        assert close(own["ssim"], total[f"ssim {name}"], SSIM_STEP)
        # The single precision of an SSIM near 1 is a larger step in decibels.
        step = 0.5e-6 + 4.4 * 1.5e-7 / (1 - own["ssim"]) if own["ssim"] < 1 else 0
        assert close(float(own["ssim_db"]), total[f"ssim {name} db"], step)
        printed = total[f"psnr {'average' if name == 'all' else name}"]
        assert close(float(own["psnr"]), printed, 0.5e-6 + 1e-9)
    for key, printed in (("worst", total["psnr min"]), ("best", total["psnr max"])):
        assert close(float(found[key]["psnr"]["value"]), printed, 0.5e-6 + 1e-9)
    worst = min(range(len(own_rows)), key=lambda row: float(own_rows[row]["ssim"]))
    assert found["worst"]["ssim"]["frame"] == worst + 1
    assert found["worst"]["ssim"]["value"] == float(own_rows[worst]["ssim"])
    return own_rows


# FFmpeg's own writer of YUV4MPEG2 loses a byte of every row of chroma of odd clips with more than
# 8 bits.
MANDELBROT = "mandelbrot=size=173x131:rate=25"
EVEN_MANDELBROT = "mandelbrot=size=172x138:rate=25"
TESTSRC = "testsrc2=size=176x144:rate=25"


@pytest.mark.parametrize(
    "source, pixels, change",
    [
        (TESTSRC, "yuv420p", "noise=alls=12:allf=t+u:all_seed=5"),
        (MANDELBROT, "yuv420p", "noise=alls=30:allf=t:all_seed=7"),
        (MANDELBROT, "yuv422p", "gblur=sigma=0.7"),
        (MANDELBROT, "yuv444p", "noise=alls=5:allf=t:all_seed=9"),
        (MANDELBROT, "yuv411p", "gblur=sigma=2"),
        (MANDELBROT, "gray", "gblur=sigma=0.7"),
        (TESTSRC, "yuv420p10le", "gblur=sigma=0.5"),
        (EVEN_MANDELBROT, "yuv420p10le", "gblur=sigma=1.5"),
        (EVEN_MANDELBROT, "yuv420p12le", "gblur=sigma=0.9"),
        (EVEN_MANDELBROT, "yuv422p12le", "gblur=sigma=0.9"),
        (MANDELBROT, "yuv444p10le", "gblur=sigma=0.3"),
        (MANDELBROT, "yuv444p16le", "gblur=sigma=0.6"),
        (MANDELBROT, "gray10le", "gblur=sigma=0.7"),
    ],
)
def test_ffmpegs_numbers_on_its_own_sources(
    iqa: Program, tmp_path: Path, source: str, pixels: str, change: str
) -> None:
    reference = make_y4m(tmp_path / "reference.y4m", source, pixels)
    test = make_y4m(tmp_path / "test.y4m", source, pixels, change)
    rows = check_against_ffmpeg(iqa, tmp_path, reference, test)
    assert all(float(row["ssim"]) < 0.9999 for row in rows)


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv420p10le"])
def test_ffmpegs_numbers_by_its_assembly(iqa: Program, tmp_path: Path, pixels: str) -> None:
    source = "testsrc2=size=1280x720:rate=25"
    reference = make_y4m(tmp_path / "reference.y4m", source, pixels)
    test = make_y4m(tmp_path / "test.y4m", source, pixels, "gblur=sigma=0.6")
    check_against_ffmpeg(iqa, tmp_path, reference, test, flags=())


@pytest.mark.parametrize("width", [8, 9, 11, 12, 16, 20, 24, 27, 28])
def test_ffmpegs_numbers_for_few_blocks(iqa: Program, tmp_path: Path, width: int) -> None:
    random = np.random.default_rng(width)
    planes = random.integers(0, 256, (2, 3, 13, width), np.uint8)
    clips = [
        write_y4m(tmp_path / name, [[plane] for plane in clip], "mono")
        for name, clip in (("x.y4m", planes[0]), ("y.y4m", planes[0] // 4 * 3 + planes[1] // 4))
    ]
    check_against_ffmpeg(iqa, tmp_path, *clips)


@pytest.mark.parametrize("bits, tag", [(8, "420mpeg2"), (10, "420p10"), (12, "420p12")])
@pytest.mark.parametrize("height, width", [(64, 96), (65, 93)])
def test_ffmpegs_numbers_on_photographs(
    iqa: Program, tmp_path: Path, bits: int, tag: str, height: int, width: int
) -> None:
    reference = write_y4m(tmp_path / "r.y4m", pan(bits, 5, height, width, 0, 1), tag)
    test = write_y4m(tmp_path / "t.y4m", pan(bits, 5, height, width, 0.03, 2), tag)
    check_against_ffmpeg(iqa, tmp_path, reference, test)


def test_ffmpegs_numbers_where_frames_are_equal(iqa: Program, tmp_path: Path) -> None:
    clips = DATA / "clips"
    rows = check_against_ffmpeg(iqa, tmp_path, clips / "reference.y4m", clips / "blur.y4m")
    assert (rows[0]["ssim"], rows[0]["psnr"], rows[0]["mse"]) == ("1", "inf", "0")
    check_against_ffmpeg(iqa, tmp_path, clips / "blur.y4m", clips / "blur.y4m")


@pytest.mark.parametrize("size, value", [(64, 0.987655), (512, 0.987636)])
def test_the_formula_pair(iqa: Program, tmp_path: Path, size: int, value: float) -> None:
    i, j = np.mgrid[:size, :size]
    x = (37 * i + 101 * j + 17 * ((i * j) % 13)) % 256
    y = np.clip(x + ((7 * i + 3 * j + ((i * j) % 5)) % 41) - 20, 0, 255)
    reference = write_y4m(tmp_path / "x.y4m", [[x.astype(np.uint8)]], "mono")
    test = write_y4m(tmp_path / "y.y4m", [[y.astype(np.uint8)]], "mono")
    (row,) = check_against_ffmpeg(iqa, tmp_path, reference, test)
    assert abs(float(row["ssim"]) - value) <= 0.5e-6
    for name, picture in (("x.png", x), ("y.png", y)):
        Image.fromarray(picture.astype(np.uint8)).save(tmp_path / name)
    picture = iqa.compare("--preset", "ffmpeg", tmp_path / "x.png", tmp_path / "y.png")
    assert picture["ssim"] == float(row["ssim"])


def small(frames: int = 3, bits: int = 8, noise: float = 0.0, seed: int = 0) -> list[Frame]:
    """A small clip."""
    return pan(bits, frames, 24, 32, noise, seed)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Two small clips."""
    return (
        write_y4m(tmp_path / "r.y4m", small(), "420jpeg"),
        write_y4m(tmp_path / "t.y4m", small(noise=0.05, seed=3), "420paldv", " Ip Xcomment"),
    )


def test_the_headers_parameters_do_not_matter(
    iqa: Program, tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    expected = iqa.fine("compare", *pair)
    content = pair[0].read_bytes()
    path = tmp_path / "other.y4m"
    header = content[: content.index(b"\n")]
    for other in (
        b"YUV4MPEG2 H24 W32",
        b"YUV4MPEG2 W32 H24 C420 It XYSCSS=420JPEG XINTERLACED",
        b"YUV4MPEG2 W32 H24 F30000:1001 Im A0:0 C420mpeg2",
    ):
        path.write_bytes(content.replace(header, other))
        assert iqa.fine("compare", path, pair[1]) == expected


@pytest.mark.parametrize("bits, suffix", [(8, ""), (10, "p10"), (12, "p12")])
def test_raw_yuv_is_the_same_clip(iqa: Program, tmp_path: Path, bits: int, suffix: str) -> None:
    clips = {"r": small(bits=bits), "t": small(bits=bits, noise=0.05, seed=3)}
    for name, frames in clips.items():
        write_y4m(tmp_path / f"{name}.y4m", frames, f"420{suffix}")
        (tmp_path / f"{name}.yuv").write_bytes(raw_bytes(frames))
    expected = iqa.fine("compare", tmp_path / "r.y4m", tmp_path / "t.y4m")
    option = ("--yuv", f"32x24:420{suffix}")
    for r, t in (("r.yuv", "t.yuv"), ("r.y4m", "t.yuv"), ("r.yuv", "t.y4m")):
        assert iqa.fine("compare", *option, tmp_path / r, tmp_path / t) == expected
    with (tmp_path / "r.yuv").open("rb") as stream:
        assert iqa.fine("compare", *option, "-", tmp_path / "t.yuv", stdin=stream) == expected


def test_raw_yuv_may_begin_like_a_header(iqa: Program, tmp_path: Path) -> None:
    plane = np.full((8, 9), ord("Y"), np.uint8)
    path = tmp_path / "clip.yuv"
    path.write_bytes(plane.tobytes() * 2)
    found = iqa.compare("--yuv", "9x8:mono", "--preset", "ffmpeg", path, path)
    assert (found["frames"], found["ssim"], found["psnr"]) == (2, 1, "inf")


def test_streams(iqa: Program, pair: tuple[Path, Path]) -> None:
    expected = iqa.fine("compare", *pair)
    for arguments, file in ((("-", pair[1]), pair[0]), ((pair[0], "-"), pair[1])):
        with file.open("rb") as stream:
            assert iqa.fine("compare", *arguments, stdin=stream) == expected
    command = f"'{iqa.path}' compare <(cat '{pair[0]}') <(cat '{pair[1]}')"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout == expected


def test_any_window_may_be_used(iqa: Program, pair: tuple[Path, Path], tmp_path: Path) -> None:
    names = ["y", "u", "v"]
    reference, test = small(), small(noise=0.05, seed=3)
    table = tmp_path / "frames.csv"
    options = ("--window", "uniform", "--size", 7, "--covariance", "sample")
    iqa.fine("compare", "--csv", table, *options, *pair)
    for row, x, y in zip(csv.DictReader(table.open()), reference, test, strict=True):
        for name, own, other in zip(names, x, y, strict=True):
            for file, plane in (("x.png", own), ("y.png", other)):
                Image.fromarray(plane).save(tmp_path / file)
            picture = iqa.compare(*options, tmp_path / "x.png", tmp_path / "y.png")
            assert float(row[f"ssim_{name}"]) == picture["ssim"]
            assert float(row[f"psnr_{name}"]) == picture["psnr"]
            assert float(row[f"mse_{name}"]) == picture["mse"]


def test_threads_and_instruction_sets_print_the_same(iqa: Program, pair: tuple[Path, Path]) -> None:
    options = ("--preset", "ffmpeg", "--csv", "-")
    expected = iqa("compare", *options, *pair).stdout
    assert expected.count("\n") == 4
    for change in (("--threads", 1), ("--threads", 5), ("--instruction-set", "baseline")):
        assert iqa("compare", *options, *change, *pair).stdout == expected


def test_outputs(iqa: Program, pair: tuple[Path, Path]) -> None:
    done = iqa("compare", "--csv", "-", "-v", *pair)
    assert done.returncode == 0
    assert done.stdout.startswith("frame,ssim_y,ssim_u,ssim_v,ssim,psnr_y,")
    assert "worst" in done.stderr and "YUV4MPEG2" in done.stderr
    text = iqa.fine("compare", *pair)
    found = iqa.compare(*pair)
    assert f"{found['ssim']:.6f}" in text and f"{found['psnr']:.4f}" in text
    assert found["reference"] == {
        "file": str(pair[0]),
        "format": "YUV4MPEG2",
        "height": 24,
        "width": 32,
        "sampling": "420",
        "bits": 8,
    }
    mean = iqa.compare("--aggregate", "mean-of-psnr", *pair)["psnr"]
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert math.isclose(mean, sum(float(row["psnr"]) for row in rows) / 3, rel_tol=1e-12)
    assert "--csv" in iqa.error("compare", "--csv", "-", "--json", *pair)


def test_thresholds(iqa: Program, pair: tuple[Path, Path]) -> None:
    found = iqa.compare(*pair)
    assert iqa("compare", "--fail-under", f"ssim={found['ssim']}", *pair).returncode == 0
    done = iqa("compare", "--fail-under", f"psnr={found['psnr'] + 1e-9}", *pair)
    assert done.returncode == 1
    assert done.stderr.startswith(f"iqa: {pair[1]}: psnr ")


def test_samples_beyond_the_bits_are_counted(iqa: Program, tmp_path: Path) -> None:
    frames = small(bits=10)
    reference = write_y4m(tmp_path / "r.y4m", frames, "420p10")
    frames[1][0][3, 4] = 1024
    frames[2][2][0, 0] = 65535
    test = write_y4m(tmp_path / "t.y4m", frames, "420p10")
    assert iqa.compare("--preset", "ffmpeg", reference, test)["out_of_range"] == 2


def test_clips_of_different_lengths(iqa: Program, tmp_path: Path, pair: tuple[Path, Path]) -> None:
    longer = write_y4m(tmp_path / "longer.y4m", small(5), "420jpeg")
    message = iqa.error("compare", longer, pair[1])
    assert message == (
        f"iqa: {pair[1]}: ends after 3 frames, but {longer} goes on; "
        "--shortest compares what both have"
    )
    assert f"{pair[0]}: ends after 3 frames" in iqa.error("compare", pair[0], longer)
    expected = iqa.compare(*pair)
    for clips in ((longer, pair[1]), pair):
        found = iqa.compare("--shortest", *clips)
        assert (found["frames"], found["ssim"]) == (3, expected["ssim"])


def test_clips_of_different_formats(iqa: Program, tmp_path: Path, pair: tuple[Path, Path]) -> None:
    wide = [[plane[:, : plane.shape[1] // 2] for plane in frame] for frame in small()]
    others = {
        "width 16": write_y4m(tmp_path / "wide.y4m", wide, "420jpeg"),
        "10 bits": write_y4m(tmp_path / "deep.y4m", small(bits=10), "420p10"),
        "4:4:4": write_y4m(tmp_path / "full.y4m", [[frame[0]] * 3 for frame in small()], "444"),
        "mono": write_y4m(tmp_path / "mono.y4m", [[frame[0]] for frame in small()], "mono"),
    }
    for what, other in others.items():
        message = iqa.error("compare", pair[0], other)
        assert message.startswith(f"iqa: {other}: has frames of ")
        assert what in message and "width 32, height 24, 4:2:0, 8 bits" in message


def test_pictures_and_clips_are_not_mixed(iqa: Program, pair: tuple[Path, Path]) -> None:
    picture = DATA / "reference" / "camera.png"
    assert "does not begin with YUV4MPEG2" in iqa.error("compare", pair[0], picture)
    assert "is not a PNG" in iqa.error("compare", picture, pair[0])
    assert "is no clip" in iqa.error("compare", "--csv", "-", picture, picture)
    assert "is no clip" in iqa.error("compare", "--shortest", picture, picture)
    for option in (
        ("--map", "x.png"),
        ("--side-by-side", "x.png"),
        ("--all-presets",),
        ("--roi", "0,0,8x8"),
        ("--mask", picture),
    ):
        assert f"is a clip; {option[0]} is for" in iqa.error("compare", *option, *pair)
    message = iqa.error("compare", "--preset", "ffmpeg", "--map", "x.png", picture, picture)
    assert message == "iqa: SSIM over blocks has no map to draw"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "32x24",
        "32x24:",
        "0x24:420",
        "32x-1:420",
        "32:420",
        "32x24:420p7",
        "32x24:421",
        "9x9:420p17",
    ],
)
def test_bad_raw_formats(iqa: Program, pair: tuple[Path, Path], text: str) -> None:
    assert "--yuv" in iqa.error("compare", "--yuv", text, *pair)


@pytest.mark.parametrize(
    "header, what",
    [
        (b"YUV4MPEG2\n", "states no width or no height"),
        (b"YUV4MPEG2 W32\n", "states no width or no height"),
        (b"YUV4MPEG2 W0 H24\n", "no width or height"),
        (b"YUV4MPEG2 W-5 H24\n", "no width or height"),
        (b"YUV4MPEG2 W3x H24\n", "no width or height"),
        (b"YUV4MPEG2 W99999999999999999999 H24\n", "no width or height"),
        (b"YUV4MPEG2 W2000000000 H2000000000\n", "--max-pixels"),
        (b"YUV4MPEG2 W16384 H16384 C444p16\n", "holds no frame"),
        (b"YUV4MPEG2 W16384 H16384 C444p16\nFRAME\nxyz", "ends within frame 1"),
        (b"YUV4MPEG2 W32 H24 C444alpha\n", "444alpha"),
        (b"YUV4MPEG2 W32 H24 C420p7\n", "420p7"),
        (b"YUV4MPEG2 W32 H24 C\n", "which is not read"),
        (b"YUV4MPEG3 W32 H24\n", "does not begin with YUV4MPEG2"),
        (b"YUV4MPEG2x W32 H24\n", "YUV4MPEG2 and a space"),
        (b"YUV4MPEG2 W32 H24", "ends within the header"),
        (b"YUV4MPEG2 W32 H24 X" + b"a" * 10000, "has no end"),
        (b"YUV4MPEG2 W32 H24\nFRAM\n" + bytes(2000), "does not begin with FRAME"),
        (b"YUV4MPEG2 W32 H24\nFRAMES\n" + bytes(2000), "does not begin with FRAME"),
        (b"YUV4MPEG2 W32 H24\nFRAME " + b"I" * 2000, "has no end"),
        (b"YUV4MPEG2 W32 H24\nFRAME\n" + bytes(1152) + b"\x00\x01\n", "header of frame 2"),
        (b"Y", "does not begin with YUV4MPEG2"),
    ],
)
def test_damaged_headers(iqa: Program, tmp_path: Path, header: bytes, what: str) -> None:
    path = tmp_path / "clip.y4m"
    path.write_bytes(header)
    message = iqa.error("compare", path, path, preexec_fn=iqa.limit_memory)
    assert message.startswith(f"iqa: {path}: ") and what in message


def test_truncated_at_every_length(iqa: Program, tmp_path: Path, pair: tuple[Path, Path]) -> None:
    whole = pair[0].read_bytes()
    path = tmp_path / "cut.y4m"
    start = whole.index(b"\n") + 1
    frame = (len(whole) - start) // 3
    fine = {start + count * frame for count in (1, 2)}
    for length in sorted({*range(0, len(whole), 61), *fine, start, start + 6, len(whole) - 1}):
        path.write_bytes(whole[:length])
        done = iqa("compare", "--shortest", path, pair[1])
        assert done.returncode == (0 if length in fine else 2), (length, done)
        if length not in fine:
            assert done.stderr.startswith(f"iqa: {path}: ") and done.stderr.count("\n") == 1


def test_random_damage(iqa: Program, tmp_path: Path, pair: tuple[Path, Path]) -> None:
    whole = bytearray(pair[0].read_bytes())
    random = np.random.default_rng(4)
    path = tmp_path / "damaged.y4m"
    for _ in range(40):
        damaged = whole.copy()
        for position in random.integers(0, 120, 3):
            damaged[position] = int(random.integers(0, 256))
        path.write_bytes(damaged)
        done = iqa("compare", path, pair[1], preexec_fn=iqa.limit_memory)
        assert done.returncode in (0, 2), done
        assert done.stderr.count("\n") == (done.returncode == 2)


def test_interrupt_writes_what_is_done(iqa: Program, tmp_path: Path) -> None:
    clip, table = tmp_path / "long.yuv", tmp_path / "frames.csv"
    frames = 100_000
    with clip.open("wb") as file:
        file.truncate(frames * 320 * 240)
    command = [iqa.path, "compare", "--csv", table, "--yuv", "320x240:mono", clip, clip]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        until = time.monotonic() + PATIENCE
        while not any(part.stat().st_size > 0 for part in tmp_path.glob("frames.csv.part*")):
            assert time.monotonic() < until
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        output, errors = running.communicate(timeout=PATIENCE)
    assert (running.returncode, errors) == (130, "iqa: interrupted\n")
    done = len(table.read_text().splitlines()) - 1
    assert 0 < done < frames
    assert output.startswith(f"frames        {done}: ")


def test_memory_does_not_grow_with_the_clip(iqa: Program, tmp_path: Path) -> None:
    path = tmp_path / "long.yuv"
    with path.open("wb") as file:
        file.truncate(400 * 1920 * 1080 * 3 // 2)  # 1.2 GB of black frames that take no room
    found = json.loads(
        iqa.fine(
            *("compare", "--json", "--preset", "ffmpeg", "--yuv", "1920x1080:420", path, path),
            preexec_fn=iqa.limit_memory,
        )
    )
    assert (found["frames"], found["ssim"]) == (400, 1)
