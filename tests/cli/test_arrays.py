# SPDX-License-Identifier: MIT
"""Arrays of every rank, size, type and order, wherever the program reads one: a value or a line."""

from __future__ import annotations

import io
import itertools
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import DATA, Program
from numpy.typing import NDArray

SHAPES: tuple[tuple[int, ...], ...] = (
    (),
    (0,),
    (1,),
    (2,),
    (3,),
    (0, 0),
    (0, 2),
    (2, 0),
    (1, 1),
    (1, 2),
    (2, 1),
    (2, 2),
    (3, 2),
    (16385, 1),
    (1, 16385),
    (0, 2, 2),
    (2, 2, 0),
    (1, 2, 2),
    (2, 2, 2),
    (2, 2, 1),
    (1, 1, 1, 1),
    (2, 2, 2, 2),
    (0, 0, 0, 0),
    (2, 2, 2, 2, 2),
)
TYPES = (
    "<f8",
    ">f8",
    "f4",
    "f2",
    "u1",
    "u2",
    "i2",
    "i8",
    "?",
    "c16",
    "U3",
    "S5",
    "M8[s]",
    "O",
    "rec",
)


def make(shape: tuple[int, ...], kind: str, order: Any = "C") -> NDArray[Any]:
    """Small numbers; where it is square with two axes, a covariance."""
    values = np.arange(np.prod(shape, dtype=int), dtype=float).reshape(shape) % 7
    if len(shape) == 2 and shape[0] == shape[1]:
        values = np.eye(shape[0])
    if kind == "rec":
        return np.zeros(shape, [("a", "f4"), ("b", "i2")])
    return np.asarray(values, order=order).astype(kind, order=order)


CASES = [
    *((shape, "<f8", order) for shape, order in itertools.product(SHAPES, "CF")),
    *((shape, kind, "C") for shape in ((), (2,), (2, 2)) for kind in TYPES),
]


def save(path: Path, **arrays: NDArray[Any]) -> Path:
    """An archive with arrays of any type."""
    np.savez(path, **arrays)
    return path


def expect_value_or_line(iqa: Program, is_right: bool, *arguments: object) -> str:
    """What is right has a value and nothing else has one."""
    done = iqa(*arguments, preexec_fn=iqa.limit_memory)
    assert done.returncode == (0 if is_right else 2), (arguments, done)
    if not is_right:
        assert done.stderr.startswith("iqa: ") and done.stderr.count("\n") == 1, done
        assert done.stdout == "" and "decoded" not in done.stderr or "damaged" in done.stderr, done
    return done.stderr


FLOATS = {"<f8", ">f8", "f4", "f2"}
NUMBERS = FLOATS | {"u1", "u2", "i2"}


def test_statistics(iqa: Program, tmp_path: Path) -> None:
    """`mu` and `sigma`, alone and together."""
    good = save(tmp_path / "good.npz", mu=np.zeros(2), sigma=np.eye(2))
    for shape, kind, order in CASES:
        array = make(shape, kind, order)
        mean = save(tmp_path / "mean.npz", mu=array, sigma=np.eye(2))
        expect_value_or_line(iqa, shape == (2,) and kind in FLOATS, "fid", mean, good)
        covariance = save(tmp_path / "covariance.npz", mu=np.zeros(2), sigma=array)
        is_right = shape == (2, 2) and kind in FLOATS
        expect_value_or_line(iqa, is_right, "fid", good, covariance)
        both = save(tmp_path / "both.npz", mu=array, sigma=array)
        expect_value_or_line(iqa, False, "fid", both, good)


@pytest.mark.parametrize("kind", ["npy", "npz", "array"])
def test_rows(iqa: Program, tmp_path: Path, kind: str) -> None:
    """A table of features as a file, as a member, and as a member by name."""
    np.save(tmp_path / "good.npy", np.arange(6.0).reshape(3, 2))
    for shape, element, order in CASES:
        array = make(shape, element, order)
        path = tmp_path / f"a.{'npy' if kind == 'npy' else 'npz'}"
        if kind == "npy":
            np.save(path, array)
        else:
            save(path, mu=array)
        is_right = len(shape) == 2 and shape[1] == 2 and shape[0] >= 2 and element in NUMBERS
        options = ("--array", "mu") if kind == "array" else ()
        expect_value_or_line(iqa, is_right, "fid", path, tmp_path / "good.npy", *options)


LAYOUTS = {"hw": 2, "hwc": 3, "chw": 3, "nhw": 3, "nhwc": 4, "nchw": 4}


def test_pictures_and_masks(iqa: Program, tmp_path: Path) -> None:
    """As pictures, under every layout, and as masks of a picture."""
    np.save(tmp_path / "picture.npy", np.ones((2, 2)))
    common = ("--data-range", 1, "--size", 1)
    for shape, element, order in CASES:
        if element == "<f8" and len(shape) > 4:
            continue
        array = make(shape, element, order)
        np.save(tmp_path / "a.npy", array)
        for layout, axes in LAYOUTS.items():
            is_right = len(shape) == axes and array.size > 0 and element in NUMBERS
            pair = (
                "compare",
                tmp_path / "a.npy",
                tmp_path / "a.npy",
                "--layout",
                layout,
            )
            if element not in NUMBERS and layout not in ("hw", "nchw"):
                continue
            expect_value_or_line(iqa, is_right, *pair, *common)
        is_right = shape == (2, 2) and element in NUMBERS - {"f2"}
        pair = ("compare", tmp_path / "picture.npy", tmp_path / "picture.npy")
        expect_value_or_line(iqa, is_right, *pair, "--mask", tmp_path / "a.npy", *common)


def test_packed_columns_have_a_bound(iqa: Program, tmp_path: Path) -> None:
    """What has to be unpacked into a file first is not when it is more than 4 GiB."""

    class Stream(io.RawIOBase):
        """One that is only written to: sizes stand behind the member, not before it."""

        def __init__(self) -> None:
            self.content = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, part: Any) -> int:
            self.content += part
            return len(part)

    rows = 2**22
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": True, "shape": (rows, 257)}
    )
    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("a.npy", "w") as member:
            member.write(header.getvalue() + bytes(1000))
        archive.infolist()[0].file_size = len(header.getvalue()) + rows * 257 * 4
    (tmp_path / "a.npz").write_bytes(bytes(stream.content))
    message = iqa.error("fid", tmp_path / "a.npz", tmp_path / "a.npz")
    assert "4294967296" in message and "C order" in message


def test_state_of_another_size(iqa: Program, tmp_path: Path) -> None:
    """Its size follows from its options: no memory is taken for a sparse file of a terabyte."""
    rows = DATA / "features" / "first_half.npz"
    iqa.fine("fid", rows, "--stats-out", tmp_path / "a.iqa")
    whole = (tmp_path / "a.iqa").read_bytes()
    most = len(whole) + 16  # with where the features come from
    for size in (2**40, most + 1, len(whole) + 1, len(whole) - 1, 30):
        with (tmp_path / "a.iqa").open("r+b") as file:
            file.truncate(size)
        message = iqa.error("fid", tmp_path / "a.iqa", rows, preexec_fn=iqa.limit_memory)
        assert message.startswith(f"iqa: {tmp_path}/a.iqa: ") and "out of memory" not in message
        if size > most:
            assert f"has {size} bytes" in message and f"at most {most}" in message
