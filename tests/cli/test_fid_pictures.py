# SPDX-License-Identifier: MIT
"""iqa fid of folders of pictures: the Python package's number, and what is said of bad files."""

from __future__ import annotations

import json
import re
import signal
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import DATA, PATIENCE, Program
from PIL import Image
from safetensors.numpy import save_file

import iqa as package
from iqa import weights


@pytest.fixture(scope="module")
def tensors() -> dict[str, np.ndarray]:
    return weights.random(5)


@pytest.fixture(scope="module")
def file(tensors: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    save_file(tensors, path)
    return path


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Crops of photographs of two sizes, and copies through JPEG; a grey one and one in a folder."""
    root = tmp_path_factory.mktemp("pictures")
    real, generated = root / "real", root / "generated"
    (real / "more").mkdir(parents=True)
    generated.mkdir()
    photo = Image.open(DATA / "reference" / "chelsea.png")
    for i in range(5):
        crop = photo.crop((20 * i, 10 * i, 20 * i + 90 + i % 2, 10 * i + 80))
        crop.save(real / f"{i}.png")
        crop.save(generated / f"{i}.jpg", quality=20)
    photo.convert("L").crop((0, 0, 60, 60)).save(generated / "grey.png")
    photo.crop((0, 0, 70, 60)).save(real / "more" / "inside.png")
    return real, generated


def fid(iqa: Program, *arguments: object) -> dict:
    return json.loads(iqa.fine("fid", "--json", *arguments))


@pytest.mark.parametrize("resize", ["tensorflow", "clean"])
def test_the_value_is_the_packages(
    iqa: Program, file: Path, folders: tuple[Path, Path], resize: str
) -> None:
    network = package.Inception(file, resize=resize)
    sets = [[path] for folder in folders for path in [sorted(folder.glob("*.*"))]]
    expected = package.fid_of_images(*sets, network)
    options = ("--weights", file, "--resize", resize)
    for threads in (1, 3):
        report = fid(iqa, *folders, *options, "--threads", threads)
        assert report["fid"] == expected
    assert report["network"] == {"weights": network.digest, "layer": "2048", "resize": resize}
    assert (report["reference"]["pictures"], report["candidate"]["pictures"]) == (5, 6)
    assert (report["reference"]["rows"], report["candidate"]["rows"]) == (5, 6)
    assert fid(iqa, *folders, *options, "-r")["reference"]["rows"] == 6


def test_statistics_stand_for_pictures(
    iqa: Program, file: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    state = tmp_path / "real.iqa"
    expected = fid(iqa, *folders, "--weights", file, "--stats-out", state)["fid"]
    assert fid(iqa, state, folders[1], "--weights", file)["fid"] == expected
    other = tmp_path / "generated.iqa"
    iqa.fine("fid", folders[1], "--weights", file, "--stats-out", other)
    report = fid(iqa, state, other)
    assert report["fid"] == expected
    assert report["network"]["layer"] == "2048"
    assert package.FID.from_bytes(state.read_bytes()).origin == report["network"]


def test_statistics_file_as_other_programs_have_it(
    iqa: Program, file: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    path = tmp_path / "real.npz"
    report = fid(iqa, *folders, "--weights", file, "--layer", 64, "--stats-out", path)
    with np.load(path) as arrays:
        assert arrays["mu"].shape == (64,) and arrays["sigma"].shape == (64, 64)
        assert json.loads(arrays["origin"].tobytes()) == report["network"]
    again = fid(iqa, path, folders[1], "--weights", file, "--layer", 64)
    assert again["fid"] == pytest.approx(report["fid"], rel=1e-9)
    assert again["reference"]["rows"] is None
    assert again["network"] == report["network"]
    assert all("state where" not in warning for warning in again["warnings"])


def test_features_of_two_origins_are_not_compared(
    iqa: Program, file: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    states = {}
    for resize in ("clean", "pytorch"):
        for ending in ("iqa", "npz"):
            path = states[resize, ending] = tmp_path / f"{resize}.{ending}"
            options = ("--weights", file, "--resize", resize, "--layer", 64, "--stats-out", path)
            iqa.fine("fid", folders[0], *options)
    for ending in ("iqa", "npz"):
        pair = states["clean", ending], states["pytorch", ending]
        text = iqa.error("fid", *pair)
        assert re.search(r"the candidate features come from weights \w{16}, layer 64, resize pyt", text)
        assert re.search(r"the reference features of .*clean.* come from .*, resize clean$", text)
        text = iqa.error("fid", pair[0], folders[1], "--weights", file, "--layer", 64)
        assert "layer 64, resize tensorflow; the reference" in text
    assert "has 64 features in a row" in iqa.error(
        "fid", folders[1], states["clean", "npz"], "--weights", file
    )


def test_an_origin_that_is_not_stated_is_warned_of(
    iqa: Program, file: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    rows, state = tmp_path / "real.npy", tmp_path / "real.iqa"
    options = ("--weights", file, "--layer", 64)
    report = fid(iqa, *folders, *options, "--features-out", rows)
    network = package.Inception(file)
    paths = sorted(folders[0].glob("*.png"))
    assert np.array_equal(np.load(rows), network([str(path) for path in paths], 64))
    iqa.fine("fid", rows, "--stats-out", state)
    assert package.FID.from_bytes(state.read_bytes()).origin is None
    generated = tmp_path / "generated.iqa"
    iqa.fine("fid", folders[1], *options, "--stats-out", generated)
    for path in (rows, state):
        found = fid(iqa, path, generated)
        assert found["fid"] == report["fid"]
        assert any(f"{path} does not state where" in warning for warning in found["warnings"])


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"{", "no JSON object with weights, layer and resize"),
        (b'{"weights": "x", "layer": "64", "resize": "clean"}', "no hexadecimal number"),
        (b'{"weights": "1", "layer": "65", "resize": "clean"}', "says layer 65"),
        (b'{"weights": "1", "layer": "768", "resize": "clean"}', "which has 768"),
    ],
)
def test_damaged_origins(iqa: Program, tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "real.npz"
    origin = np.frombuffer(content, np.uint8)
    np.savez(path, mu=np.zeros(64), sigma=np.eye(64), origin=origin)
    assert text in iqa.error("fid", path, path)


METRICS = ("--metrics", "fid,kid,prdc,is", "--k", 2, "--subsets", 3, "--subset-size", 4, "--splits", 2, "--seed", 9)


def test_other_metrics_from_the_same_pass(
    iqa: Program, file: Path, folders: tuple[Path, Path]
) -> None:
    report = fid(iqa, *folders, "--weights", file, *METRICS)
    network = package.Inception(file)
    sets = [[str(path) for path in sorted(folder.glob("*.*"))] for folder in folders]
    rows, scores = zip(*(network(paths, ["2048", "logits_unbiased"]) for paths in sets))
    kid = package.kid(*rows, subsets=3, subset_size=4, seed=9)
    score = package.inception_score(scores[1], splits=2, seed=9)
    prdc = package.prdc(*rows, k=2)
    assert report["kid"] == {"mean": kid.mean, "standard_deviation": kid.std}
    assert report["prdc"] == {name: getattr(prdc, name) for name in report["prdc"]}
    assert list(report["prdc"]) == ["precision", "recall", "density", "coverage"]
    assert report["is"] == {"mean": score.mean, "standard_deviation": score.std}
    assert {"subsets": 3, "subset_size": 4, "splits": 2, "seed": 9}.items() <= report[
        "options"
    ].items()
    assert report["fid"] == fid(iqa, *folders, "--weights", file)["fid"]
    alone = fid(iqa, folders[1], "--weights", file, "--metrics", "is", "--splits", 2, "--seed", 9)
    assert alone["is"] == report["is"] and "fid" not in alone
    text = iqa.fine("fid", *folders, "--weights", file, *METRICS)
    assert f"Inception Score mean  {score.mean:.6f}" in text and "layer         2048" in text


def test_words_about_metrics(iqa: Program, file: Path, folders: tuple[Path, Path]) -> None:
    assert "needs --weights" in iqa.error("fid", *folders, "--metrics", "kid").replace("need ", "needs ")
    assert "fid|kid|prdc|is" in iqa.error("fid", *folders, "--metrics", "fid,kit", "--weights", file)
    text = iqa.error("fid", *folders, "--metrics", "kid", "--weights", file)
    assert "has 5 rows, fewer than --subset-size, 1000" in text


def interrupted_run(iqa: Program, arguments: list[object], state: Path) -> None:
    """A run that is interrupted while it measures."""
    process = subprocess.Popen(
        [iqa.path, "fid", *map(str, arguments)], stderr=subprocess.PIPE, text=True
    )
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode in (130, 0), error
    if process.returncode:
        assert "the same command goes on with" in error
    assert state.exists()
    assert not list(state.parent.glob("*.part*"))


def test_an_interrupted_run_goes_on(
    iqa: Program, file: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    many = tmp_path / "many"
    many.mkdir()
    photo = np.asarray(Image.open(DATA / "reference" / "chelsea.png"))
    for i in range(60):
        Image.fromarray(photo[i : i + 50, 2 * i : 2 * i + 50]).save(many / f"{i:02}.png")
    state = tmp_path / "state"
    arguments = [many, folders[1], "--weights", file, "--at-once", 2, "--threads", 1, *METRICS]
    whole, rows = tmp_path / "whole.npy", tmp_path / "rows.npy"
    expected = fid(iqa, *arguments, "--features-out", whole)
    resumed = [*arguments, "--resume", state, "--features-out", rows]
    interrupted_run(iqa, resumed, state)
    about = json.loads(np.load(state)["about"].tobytes())
    assert 0 <= len(about["reference"]) < 60
    assert not rows.exists()
    assert fid(iqa, *resumed) == expected
    assert rows.read_bytes() == whole.read_bytes()
    (many / "more.png").write_bytes((many / "07.png").read_bytes())  # one more to measure
    more = fid(iqa, *arguments, "--resume", state)
    assert more == fid(iqa, *arguments)
    assert more["reference"]["rows"] == 61

    text = iqa.error("fid", *arguments, "--resume", state, "--resize", "clean")
    assert re.search(r"state: .*resize clean; those of the other from .* resize tensorflow", text)
    (many / "05.png").write_bytes((many / "06.png").read_bytes())
    assert "05.png as it was before it changed" in iqa.error("fid", *arguments, "--resume", state)
    (many / "05.png").unlink()
    assert "which is not in the reference set" in iqa.error("fid", *arguments, "--resume", state)


def test_features_from_a_file_to_go_on_with(
    iqa: Program, file: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    arguments = [*folders, "--weights", file, "--layer", 64]
    whole, rows, state = (tmp_path / name for name in ("whole.npy", "rows.npy", "state"))
    fid(iqa, *arguments, "--features-out", whole)
    for _ in range(2):  # the second run measures nothing
        fid(iqa, *arguments, "--features-out", rows, "--resume", state)
        assert rows.read_bytes() == whole.read_bytes()
        rows.unlink()
    state.unlink()
    fid(iqa, *arguments, "--resume", state)
    text = iqa.error("fid", *arguments, "--features-out", rows, "--resume", state)
    assert "lacks the rows that --metrics or --features-out needs" in text
    assert not rows.exists()


def test_what_is_wrong_with_a_file_to_go_on_with(
    iqa: Program, file: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    state = tmp_path / "state.npz"
    arguments = [*folders, "--weights", file, "--layer", 64, "--resume", state]
    expected = fid(iqa, *arguments)
    arrays = dict(np.load(state))
    text = iqa.error("fid", *arguments, *METRICS)
    assert "begun without" in text
    about = json.loads(arrays["about"].tobytes())

    def changed(**others: object) -> str:
        np.savez(state, **{**arrays, **others})
        return iqa.error("fid", *arguments)

    def bytes_of(value: object) -> np.ndarray:
        return np.frombuffer(json.dumps(value).encode(), np.uint8)

    assert "not as --resume writes it" in changed(about=bytes_of([]))
    assert "of a version" in changed(about=bytes_of({**about, "version": 2}))
    assert "impossible number of rows" in changed(
        about=bytes_of({**about, "reference": [[*about["reference"][0][:3], -1]]})
    )
    assert "lists other rows" in changed(about=bytes_of({**about, "reference": about["reference"][1:]}))
    moments = arrays["moments"].copy()
    moments[-99] ^= 1
    assert "checksum" in changed(moments=moments)
    assert "does not fit" in changed(moments=arrays["moments"].astype("f4"))
    np.savez(state, moments=arrays["moments"])
    assert "no file that --resume has written" in iqa.error("fid", *arguments)
    state.unlink()
    assert fid(iqa, *arguments) == expected


def test_bad_pictures_are_listed(
    iqa: Program, file: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    for path in folders[1].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "2.jpg").write_bytes(b"no picture")
    Image.new("RGBA", (30, 30), (1, 2, 3, 4)).save(tmp_path / "alpha.png")
    done = iqa("fid", folders[0], tmp_path, "--weights", file, "--json")
    assert done.returncode == 2
    report = json.loads(done.stdout)
    assert report["candidate"]["rows"] == 5
    assert len(report["refused"]) == 2
    assert "2.jpg" in done.stderr and "alpha.png" in done.stderr
    assert "iqa: 2 pictures were left out" in done.stderr


def test_words_where_something_is_missing(
    iqa: Program, file: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    text = iqa.error("fid", *folders)
    assert "--weights FILE makes them of pictures" in text
    assert "python -m iqa.weights convert" in text
    assert "--recursive is of folders of pictures" in iqa.error("fid", *folders, "-r")
    (tmp_path / "a.webp").touch()
    text = iqa.error("fid", tmp_path, folders[1], "--weights", file)
    assert "holds no picture, but 1 .webp file" in text
    options = ("--features-out", tmp_path / "f.npy")
    assert "--features-out is of folders of pictures" in iqa.error("fid", *folders, *options)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda data: b"short", "has 5 bytes"),
        (lambda data: data[:-1], "at an impossible place"),
        (lambda data: struct.pack("<Q", 1 << 40) + data[8:], "its header would have"),
        (lambda data: struct.pack("<Q", 2) + b"[]" + data, "is not as that format has it"),
        (lambda data: data.replace(b'"F32"', b'"F8_"', 1), "of type F8_"),
        (lambda data: data.replace(b"Mixed_5b.branch1x1.conv", b"Mixed_5b.branch1x2.conv", 1), "Inception v3"),
    ],
)
def test_wrong_weights(
    iqa: Program,
    file: Path,
    folders: tuple[Path, Path],
    tmp_path: Path,
    change: Callable[[bytes], bytes],
    text: str,
) -> None:
    path = tmp_path / "wrong.safetensors"
    path.write_bytes(change(file.read_bytes()))
    assert re.search(text, iqa.error("fid", *folders, "--weights", path))
