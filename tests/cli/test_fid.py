# SPDX-License-Identifier: MIT
"""iqa fid: values beside NumPy and SciPy, every kind of file, memory, and what is said of bad ones.

One file, past 400 lines: all of it builds on the same two sets."""

from __future__ import annotations

import io
import json
import resource
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import DATA, Program
from numpy.typing import NDArray
from test_batch import run_on_terminal

FEATURES = 24
DIGITS = DATA / "features"


def make_set(seed: int, rows: int = 300, count: int = FEATURES) -> NDArray[np.float64]:
    """Correlated rows on a coarse grid, which float16 and every grid of the tool hold exactly."""
    random = np.random.default_rng(seed)
    values = random.standard_normal((rows, count)) * np.linspace(0.2, 2, count)
    values += 0.5 * np.roll(values, 1, axis=1) + 0.1 * seed
    return np.round(values * 2**6) / 2**6


X, Y = make_set(1), make_set(2, 250)


def moments(rows: NDArray) -> tuple[NDArray, NDArray]:
    return rows.mean(axis=0), np.cov(rows, rowvar=False)


def expected_fid(x: NDArray, y: NDArray) -> float:
    """FID with the trace term from the rows, which is accurate at any rank."""
    a, b = ((r - r.mean(axis=0)) / np.sqrt(len(r) - 1) for r in (x, y))
    trace_term = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + (a * a).sum() + (b * b).sum() - 2 * trace_term


def fid(iqa: Program, *arguments: object) -> dict[str, Any]:
    return json.loads(iqa.fine("fid", "--json", *arguments))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Two plain sets."""
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    return tmp_path / "x.npy", tmp_path / "y.npy"


def test_values_and_parts(iqa: Program, files: tuple[Path, Path]) -> None:
    linalg = pytest.importorskip("scipy.linalg")
    found = fid(iqa, *files)
    (mean_1, sigma_1), (mean_2, sigma_2) = moments(X), moments(Y)
    trace_term = np.trace(linalg.sqrtm(sigma_1 @ sigma_2)).real
    assert found["fid"] == pytest.approx(expected_fid(X, Y), rel=1e-12)
    assert found["trace_term"] == pytest.approx(trace_term, rel=1e-10)
    assert found["mean_term"] == pytest.approx(((mean_1 - mean_2) ** 2).sum(), rel=1e-12)
    assert found["raw"] == found["fid"] and found["features"] == FEATURES
    for side, rows, sigma in (("reference", 300, sigma_1), ("candidate", 250, sigma_2)):
        assert found[side]["rows"] == rows and found[side]["rank"] == FEATURES
        assert found[side]["trace"] == pytest.approx(np.trace(sigma), rel=1e-12)
        assert found[side]["files"][0]["format"] == "npy"
    assert found["options"] == {"fraction_bits": 24, "word_bits": 32}
    assert found["warnings"] == []


def write_all_kinds(folder: Path, rows: NDArray) -> dict[str, tuple[object, ...]]:
    """The same rows in every kind of file; what to give the program for each."""
    kinds: dict[str, tuple[object, ...]] = {}
    arrays = {
        "float16": rows.astype("<f2"),
        "float32": rows.astype("<f4"),
        "float64": rows,
        "other order of bytes": rows.astype(">f4"),
        "Fortran order": np.asfortranarray(rows.astype("<f4")),
        "Fortran order, other bytes": np.asfortranarray(rows.astype(">f8")),
    }
    for name, array in arrays.items():
        for kind, write in (("npy", None), ("npz", np.savez), ("deflated", np.savez_compressed)):
            path = folder / f"{name} {kind}.{'npy' if write is None else 'npz'}"
            if write is None:
                np.save(path, array)
            else:
                write(path, array)
            kinds[path.stem] = (path,)
    rows.astype("<f4").tofile(folder / "rows.raw")
    kinds["raw"] = (folder / "rows.raw", "--dims", FEATURES)
    np.savez(folder / "two.npz", first=rows[:70], second=np.asfortranarray(rows[70:]))
    kinds["two arrays"] = (folder / "two.npz",)
    np.savez(folder / "more.npz", labels=np.arange(9), rows=rows)
    kinds["one of two arrays"] = (folder / "more.npz", "--array", "rows")
    return kinds


def test_every_kind_of_file_gives_the_same_bits(
    iqa: Program, tmp_path: Path, files: tuple[Path, Path]
) -> None:
    expected = fid(iqa, *files)["fid"]
    kinds = write_all_kinds(tmp_path, Y)
    assert len(kinds) == 21
    for kind, arguments in kinds.items():
        assert fid(iqa, files[0], *arguments)["fid"] == expected, kind


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", ">u2"])
def test_integers_are_numbers_too(iqa: Program, tmp_path: Path, dtype: str) -> None:
    x, y = (np.abs(np.round(rows * 8)) for rows in (X, Y))
    for name, rows in (("x", x), ("y", y)):
        np.save(tmp_path / f"{name}.npy", rows.astype(dtype))
    assert fid(iqa, tmp_path / "x.npy", tmp_path / "y.npy")["fid"] == pytest.approx(
        expected_fid(x, y), rel=1e-12
    )


def test_files_folders_and_states_add_up_to_the_same_bits(
    iqa: Program, tmp_path: Path, files: tuple[Path, Path]
) -> None:
    expected = fid(iqa, *files)["fid"]
    parts = tmp_path / "parts"
    parts.mkdir()
    np.save(parts / "b.npy", Y[:1].astype("f4"))
    np.savez_compressed(parts / "a.npz", Y[1:100])
    np.save(tmp_path / "rest.npy", Y[100:])
    iqa.fine("fid", tmp_path / "rest.npy", "--stats-out", parts / "c.iqa")
    (parts / "notes.txt").write_text("not looked at")
    (parts / ".hidden.npy").write_text("nor this")
    assert fid(iqa, files[0], parts)["fid"] == expected
    shards = [parts / name for name in ("c.iqa", "b.npy", "a.npz")]
    found = fid(iqa, "--reference", files[0], "--candidate", *shards)
    assert found["fid"] == expected
    assert [entry["format"] for entry in found["candidate"]["files"]] == ["state", "npy", "npz"]
    for threads in (1, 2, 3):
        assert fid(iqa, files[0], parts, "--threads", threads)["fid"] == expected
    # The other way round: a state of a reference set as the candidate, and the sides swapped.
    iqa.fine("fid", parts, "--stats-out", tmp_path / "y.iqa")
    assert fid(iqa, files[0], tmp_path / "y.iqa")["fid"] == expected
    assert fid(iqa, tmp_path / "y.iqa", files[0])["fid"] == expected


def test_a_state_of_both_sides_gives_each_its_own(
    iqa: Program, tmp_path: Path, files: tuple[Path, Path]
) -> None:
    reference, candidate = tmp_path / "x.iqa", tmp_path / "y.iqa"
    iqa.fine("fid", files[0], "--stats-out", reference)
    iqa.fine("fid", files[1], "--stats-out", candidate)
    first, second = reference.read_bytes(), candidate.read_bytes()
    options_end = 16 + 12
    half = (len(first) - options_end - 4) // 2
    both = first[: options_end + half] + second[options_end : options_end + half]
    both += struct.pack("<I", zlib.crc32(both))
    (tmp_path / "both.iqa").write_bytes(both)
    found = fid(iqa, tmp_path / "both.iqa", tmp_path / "both.iqa")
    assert found["fid"] == fid(iqa, *files)["fid"]
    assert (found["reference"]["rows"], found["candidate"]["rows"]) == (300, 250)


def test_statistics_of_other_programs(
    iqa: Program, tmp_path: Path, files: tuple[Path, Path]
) -> None:
    exact = fid(iqa, *files)["fid"]
    paths = []
    for name, rows, write in (("a", X, np.savez), ("b", Y, np.savez_compressed)):
        mu, sigma = moments(rows)
        paths.append(tmp_path / f"{name}.npz")
        write(paths[-1], mu=mu, sigma=sigma, other=np.arange(3))
    found = fid(iqa, *paths)
    assert found["fid"] == pytest.approx(exact, rel=1e-10)
    assert found["reference"]["rows"] is None
    assert "rows          unknown         unknown" in iqa.fine("fid", *paths)
    for pair in ((paths[0], files[1]), (files[0], paths[1])):
        assert fid(iqa, *pair)["fid"] == pytest.approx(exact, rel=1e-10)


def test_statistics_that_others_can_read(
    iqa: Program, tmp_path: Path, files: tuple[Path, Path]
) -> None:
    out = tmp_path / "x.npz"
    said = iqa.fine("fid", files[0], "--stats-out", out)
    assert "rows          300" in said and "FID" not in said
    mu, sigma = moments(X)
    with np.load(out) as found:
        assert sorted(found.files) == ["mu", "sigma"]
        assert found["mu"].dtype == found["sigma"].dtype == np.float64
        np.testing.assert_allclose(found["mu"], mu, rtol=1e-15)
        np.testing.assert_allclose(found["sigma"], sigma, rtol=1e-12, atol=1e-14)
        np.testing.assert_array_equal(found["sigma"], found["sigma"].T)
    first = out.read_bytes()
    iqa.fine("fid", *files, "--stats-out", out)
    assert out.read_bytes() == first  # the same at any time, and the candidate is not in it
    assert fid(iqa, out, files[1])["fid"] == pytest.approx(expected_fid(X, Y), rel=1e-12)


def test_equal_sets_and_small_ones(iqa: Program, tmp_path: Path, files: tuple[Path, Path]) -> None:
    assert fid(iqa, files[0], files[0])["fid"] == 0
    few = tmp_path / "few.npy"
    np.save(few, Y[:10])
    found = fid(iqa, files[0], few)
    assert found["fid"] == pytest.approx(expected_fid(X, Y[:10]), rel=1e-12)
    assert found["candidate"]["rank"] == 9
    assert len(found["warnings"]) == 1
    said = iqa.fine("fid", files[0], few)
    assert "warning: the candidate set has 10 rows for 24 features" in said
    assert "rank          24 of 24        9 of 24" in said
    np.savez(tmp_path / "few.npz", mu=Y[:10].mean(0), sigma=np.cov(Y[:10], rowvar=False))
    assert "has rank 9 for 24" in fid(iqa, files[0], tmp_path / "few.npz")["warnings"][0]


def test_grids(iqa: Program, tmp_path: Path, files: tuple[Path, Path]) -> None:
    expected = fid(iqa, *files)["fid"]
    assert fid(iqa, *files, "--fraction-bits", 10)["fid"] == expected  # still on the grid
    found = fid(iqa, *files, "--word-bits", 24)
    assert found["fid"] == expected
    assert found["options"] == {"fraction_bits": 16, "word_bits": 24}
    message = iqa.error("fid", *files, "--fraction-bits", 2)
    assert message.startswith("iqa: --fraction-bits is 2, too few for these features")
    np.save(tmp_path / "large.npy", Y * 1000)
    message = iqa.error("fid", files[0], tmp_path / "large.npy")
    assert "expected a number from -127 to 127" in message
    iqa.fine("fid", files[0], tmp_path / "large.npy", "--fraction-bits", 12)
    # States bring their grid; another one cannot be joined with it.
    iqa.fine("fid", files[0], "--stats-out", tmp_path / "x.iqa", "--fraction-bits", 20)
    assert fid(iqa, tmp_path / "x.iqa", files[1])["options"]["fraction_bits"] == 20
    message = iqa.error("fid", tmp_path / "x.iqa", files[1], "--fraction-bits", 22)
    assert "x.iqa: has the grid 2^-20 and words of 32 bits; expected the grid 2^-22" in message
    iqa.fine("fid", files[1], "--stats-out", tmp_path / "y.iqa")
    message = iqa.error("fid", tmp_path / "x.iqa", tmp_path / "y.iqa")
    assert "y.iqa: has the grid 2^-24" in message and "x.iqa has" in message
    assert "--word-bits: expects 24|32" in iqa.error("fid", *files, "--word-bits", 16)


def test_features_below_the_grid(iqa: Program, tmp_path: Path) -> None:
    """Right, or refused with what to do about it, and never a distance of 0 for what is not 0."""
    for scale in (1e-3, 1e-7, 1e-9, 1e-20):
        files = [tmp_path / "x.npy", tmp_path / "y.npy"]
        for file, rows in zip(files, (X, Y)):
            np.save(file, rows * scale)
        if scale == 1e-3:
            assert fid(iqa, *files)["fid"] / scale**2 == pytest.approx(expected_fid(X, Y), rel=1e-6)
            continue
        message = iqa.error("fid", *files)
        assert message.startswith("iqa: --fraction-bits is 24, too few for these features")
        found = 24
        while "would suit them" in message:
            found = int(message.split("about ")[1].split(" ")[0])
            done = iqa("fid", *files, "--fraction-bits", found)
            message = done.stderr
        assert done.returncode == 0 and 40 <= found <= 100
        expected = expected_fid(X, Y) * scale**2
        assert fid(iqa, *files, "--fraction-bits", found)["fid"] == pytest.approx(expected, rel=1e-4)
        first = done.stdout.splitlines()[0]
        assert float(first.removeprefix("FID  ")) == pytest.approx(expected, rel=1e-4)
        # Mean and covariance would be files of zeros.
        message = iqa.error("fid", files[0], "--stats-out", tmp_path / "x.npz")
        assert "--fraction-bits is 24" in message
        iqa.fine("fid", files[0], "--stats-out", tmp_path / "x.npz", "--fraction-bits", found)
    zeros = tmp_path / "zeros.npy"
    np.save(zeros, np.zeros((10, 4)))
    assert fid(iqa, zeros, zeros)["fid"] == 0


def test_states_of_older_versions(iqa: Program) -> None:
    """Both golden states have the same rows; the older one lacks what rounding left of them."""
    older, newer = (DATA.parent / "golden" / f"state_v1_fid{name}.bin" for name in ("", "_rests"))
    for reference in (older, newer):
        for candidate in (older, newer):
            assert fid(iqa, reference, candidate)["fid"] == 0.010117576409070805


def test_shipped_digits(iqa: Program, tmp_path: Path) -> None:
    """Real features against 60-digit arithmetic."""
    expected = json.loads((DIGITS / "reference_values.json").read_text())
    halves = [DIGITS / "first_half.npz", DIGITS / "second_half.npz"]
    pixels = np.concatenate([np.load(path)["pixels"] for path in halves])
    labels = np.load(DIGITS / "labels.npy")
    assert pixels.shape == (1797, 64) and pixels.dtype == np.uint8
    cases = {
        "halves": (pixels[:899], pixels[899:]),
        "alternate rows": (pixels[::2], pixels[1::2]),
        "threes and eights": (pixels[labels == 3], pixels[labels == 8]),
        "few rows": (pixels[:899], pixels[899:939]),
    }
    assert cases.keys() == expected.keys()
    for name, sets in cases.items():
        for number, rows in enumerate(sets):
            np.save(tmp_path / f"{number}.npy", rows)
        found = fid(iqa, tmp_path / "0.npy", tmp_path / "1.npy")
        total = found["reference"]["trace"] + found["candidate"]["trace"]
        assert abs(found["fid"] - float(expected[name])) <= 1e-13 * total, name
    assert fid(iqa, *halves)["fid"] == pytest.approx(float(expected["halves"]), rel=1e-13)


def npy_bytes(array: NDArray) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def npy_with(header: str, content: bytes = bytes(64)) -> bytes:
    """A version 1 file with this header."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content


def npy_shape(shape: str, descr: str = "<f8", content: bytes = bytes(64)) -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    return npy_with(header, content)


def zip_with(**members: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return content.getvalue()


def statistics(mu: NDArray, sigma: NDArray) -> bytes:
    return zip_with(mu=npy_bytes(mu), sigma=npy_bytes(sigma))


EYE = np.eye(FEATURES)
NOT_FINITE = Y.astype("f4")
NOT_FINITE[117, 5] = np.nan
BAD: dict[str, tuple[str, bytes, str]] = {
    "empty": ("a.npy", b"", "is empty"),
    "text": ("a.txt", b"1, 2, 3\n4, 5, 6\n", "neither a .npy nor a .npz file nor a state"),
    "wrong name": ("a.npy", b"1, 2, 3\n4, 5, 6\n", "does not begin as a .npy file does"),
    "one axis": ("a.npy", npy_bytes(Y[0]), r"has 1 axes: [24] of float64; expected two"),
    "three axes": ("a.npy", npy_bytes(Y.reshape(25, 10, 24)), "has 3 axes: [25 x 10 x 24]"),
    "wrong width": ("a.npy", npy_bytes(Y[:, 1:]), "has 23 features in a row, but"),
    "complex": ("a.npy", npy_bytes(Y + 1j), "elements of type <c16"),
    "objects": ("a.npy", npy_shape("(2, 24)", "|O"), "elements of type |O"),
    "cut off": ("a.npy", npy_bytes(Y)[:-5], "ends too early: its header says [250 x 24]"),
    "too long": ("a.npy", npy_bytes(Y) + b"x", "goes on behind its last element"),
    "one row": ("a.npy", npy_bytes(Y[:1]), "the candidate set has 1 row; a covariance needs two"),
    "no rows": ("a.npy", npy_bytes(Y[:0]), "the candidate set has 0 rows"),
    "no columns": ("a.npy", npy_bytes(Y[:, :0]), "expected rows of 1 to 16384 features"),
    "a NaN": ("a.npy", npy_bytes(NOT_FINITE), "candidate[117, 5] is nan; expected a number"),
    "huge": ("a.npy", npy_shape(f"({10**18}, {10**18})"), "expected rows of 1 to 16384"),
    "many rows": ("a.npy", npy_shape(f"({2**39}, 24)"), "ends too early"),
    "overflow": ("a.npy", npy_shape(f"({2**61}, 24)"), "expected rows of 1 to 16384"),
    "negative": ("a.npy", npy_shape("(-2, 24)"), "the .npy header is damaged"),
    "long header": (
        "a.npy",
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(99),
        "the .npy header is damaged",
    ),
    "header alone": ("a.npy", b"\x93NUMPY", "the .npy header is damaged"),
    "version 9": ("a.npy", b"\x93NUMPY\x09\x00" + bytes(99), "version 9; 1 to 3 are read"),
    "zip cut off": ("a.npz", zip_with(a=npy_bytes(Y))[:-30], "is no readable .npz file"),
    "zip without arrays": ("a.npz", zip_with(), "holds no arrays"),
    "array of one axis": ("a.npz", zip_with(a=npy_bytes(Y[0])), 'array "a" has 1 axes'),
    "array too large": (
        "a.npz",
        zip_with(a=npy_shape(f"({2**33}, 24)")),
        'array "a" ends too early: its header says',
    ),
    "arrays that differ": (
        "a.npz",
        zip_with(a=npy_bytes(Y), b=npy_bytes(Y[:, 1:])),
        "a [250 x 24] of float64, b [250 x 23] of float64; --array chooses one",
    ),
    "a covariance that is none": ("a.npz", statistics(EYE[0], -EYE), "not positive semi-definite"),
    "skew covariance": ("a.npz", statistics(EYE[0], EYE + np.tri(FEATURES)), "is not symmetric"),
    "infinite mean": (
        "a.npz",
        statistics(np.full(FEATURES, np.inf), EYE),
        "the means are not finite",
    ),
    "covariance of another size": (
        "a.npz",
        statistics(EYE[0], EYE[1:, 1:]),
        "has mu of shape [24] of float64 but sigma of shape [23 x 23]",
    ),
    "covariance not square": (
        "a.npz",
        statistics(EYE[0], EYE[1:]),
        'array "sigma" has shape [23 x 24] of float64; expected the covariance, [D x D]',
    ),
    "huge covariance": (
        "a.npz",
        zip_with(mu=npy_bytes(EYE[0]), sigma=npy_shape("(16384, 16384)")),
        'array "sigma" ends too early',
    ),
    "state cut off": ("a.iqa", b"IQAS\x01\x00\x10\x00", "is a state that ends too early"),
    "state of SSIM": ("a.iqa", b"IQAS\x01\x00\x01\x00" + bytes(80), "state of another metric"),
    "state of 0 features": ("a.iqa", b"IQAS\x01\x00\x10\x00" + bytes(80), "says 0 features"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files(iqa: Program, tmp_path: Path, files: tuple[Path, Path], case: str) -> None:
    name, content, words = BAD[case]
    path = tmp_path / "bad" / name
    path.parent.mkdir()
    path.write_bytes(content)
    for threads in ((), ("--threads", 1)):
        message = iqa.error("fid", files[0], path, *threads, preexec_fn=iqa.limit_memory)
        assert message.startswith(f"iqa: {path}: ") and words in message, message
        assert "out of memory" not in message


def test_the_row_of_a_bad_number_is_that_of_the_file(iqa: Program, tmp_path: Path) -> None:
    """Rows are read in blocks; a file of 2 MB has several."""
    rows = np.zeros((9000, 64), "f4")
    rows[8765, 43] = np.inf
    for name, array in (("c.npy", rows), ("f.npy", np.asfortranarray(rows))):
        np.save(tmp_path / name, np.tile(array, (8, 1)))
        assert "reference[8765, 43] is inf" in iqa.error("fid", tmp_path / name, tmp_path / name)
    np.savez(tmp_path / "a.npz", a=rows[:8000] * 0, b=rows)
    assert "reference[16765, 43] is inf" in iqa.error("fid", tmp_path / "a.npz", tmp_path / "a.npz")


def test_damage_anywhere_is_seen(iqa: Program, tmp_path: Path, files: tuple[Path, Path]) -> None:
    """Archives and states have checksums; a .npy file has only its size."""
    iqa.fine("fid", files[1], "--stats-out", tmp_path / "y.iqa")
    np.savez(tmp_path / "stored.npz", Y)
    np.savez_compressed(tmp_path / "deflated.npz", np.asfortranarray(Y))
    np.savez_compressed(tmp_path / "statistics.npz", mu=EYE[0], sigma=EYE)
    random = np.random.default_rng(5)
    for name in ("y.iqa", "stored.npz", "deflated.npz", "statistics.npz"):
        whole = (tmp_path / name).read_bytes()
        expected = iqa.fine("fid", *files[:1], tmp_path / name)
        bad = tmp_path / f"bad{Path(name).suffix}"
        for length in {0, 1, 3, 7, len(whole) // 2, len(whole) - 1} | {
            int(n) for n in random.integers(8, len(whole), 12)
        }:
            bad.write_bytes(whole[:length])
            message = iqa.error("fid", files[0], bad, preexec_fn=iqa.limit_memory)
            assert message.startswith(f"iqa: {bad}: "), message
        refused = 0
        for position in random.integers(0, len(whole), 40):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << random.integers(8)
            bad.write_bytes(damaged)
            done = iqa("fid", files[0], bad, preexec_fn=iqa.limit_memory)
            # A bit of a zip file's dates and other fields that nobody reads may change.
            assert done.returncode == 2 or done.stdout == expected, (name, position)
            refused += done.returncode == 2
        assert refused >= 20, name


def test_a_large_file_is_streamed(iqa: Program, tmp_path: Path) -> None:
    """Files of 160 MB go through a process that may have far less memory than one of them."""
    if iqa.is_sanitized:
        pytest.skip("AddressSanitizer reserves terabytes")
    rows, count = 320_000, 128
    random = np.random.default_rng(3)
    block = random.random((rows // 64, count), dtype=np.float32)
    array = np.tile(block, (64, 1))
    paths = [tmp_path / name for name in ("c.npy", "f.npy", "d.npz")]
    np.save(paths[0], array)
    np.save(paths[1], np.asfortranarray(array))
    np.savez_compressed(paths[2], array[: rows // 4])
    del array
    np.save(tmp_path / "small.npy", block)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (100 << 20, 100 << 20))

    values = []
    for path in paths:
        # One thread: the stack of each further one takes address space.
        text = iqa.fine(
            "fid", "--json", tmp_path / "small.npy", path, "--threads", 1, preexec_fn=limit
        )
        values.append(json.loads(text)["fid"])
    assert values[0] == values[1] > 0


def test_progress_on_a_terminal_only(
    iqa: Program, tmp_path: Path, files: tuple[Path, Path]
) -> None:
    rows = np.tile(make_set(4, 500, 512).astype("f4"), (40, 1))
    np.save(tmp_path / "many.npy", rows)
    arguments = [iqa.path, "fid", str(tmp_path / "many.npy"), str(tmp_path / "many.npy")]
    code, output, shown = run_on_terminal(arguments)
    assert code == 0 and "\x1b" not in output and "FID  0.000000" in output
    frames = shown.split("\r")[1:]
    assert frames[-1] == "\x1b[K", "the bar is removed at the end"
    assert any("/40000 " in frame and "rows/s" in frame for frame in frames)
    done = iqa(*arguments[1:])
    assert done.stderr == "" and done.stdout == output


def test_what_the_command_line_refuses(
    iqa: Program, tmp_path: Path, files: tuple[Path, Path]
) -> None:
    assert "state two sets" in iqa.error("fid")
    assert "state a second set" in iqa.error("fid", files[0])
    assert "--stats-out needs a file" in iqa.error("fid", files[0], "--stats-out", "-")
    assert "excludes" in iqa.error("fid", *files, "--reference", files[0])
    assert "must be 1 or more" in iqa.error("fid", *files, "--dims", 0)
    assert "--dims says 23" in iqa.error("fid", *files, "--dims", 23)
    assert "No such file" in iqa.error("fid", files[0], tmp_path / "missing.npy")
    assert "is no regular file" in iqa.error("fid", files[0], "/dev/zero")
    (tmp_path / "empty").mkdir()
    assert "holds no file that ends in" in iqa.error("fid", files[0], tmp_path / "empty")
    np.savez(tmp_path / "a.npz", mu=EYE[0], sigma=EYE)
    message = iqa.error("fid", "--reference", files[0], "--candidate", files[1], tmp_path / "a.npz")
    assert "a.npz: holds mean and covariance, which cannot be added" in message
    message = iqa.error("fid", files[0], tmp_path / "a.npz", "--array", "rows")
    assert 'has no array "rows", but mu, sigma' in message
    message = iqa.error("fid", tmp_path / "a.npz", "--stats-out", tmp_path / "b.iqa")
    assert message.startswith(f"iqa: {tmp_path / 'b.iqa'}: a state needs the features")
    for name in ("missing/b.iqa", "missing/b.npz"):
        message = iqa.error("fid", files[0], "--stats-out", tmp_path / name)
        assert "cannot be written" in message
    (tmp_path / "full.iqa").symlink_to("/dev/full")
    assert "cannot be written" in iqa.error("fid", files[0], "--stats-out", tmp_path / "full.iqa")
    (tmp_path / "odd.raw").write_bytes(bytes(1000))
    message = iqa.error("fid", tmp_path / "odd.raw", files[0], "--dims", FEATURES)
    assert "has 1000 bytes, which are no whole rows of 24 float32 numbers" in message
