# SPDX-License-Identifier: MIT
"""Errors speak the language of the command line, also where they are the library's."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from conftest import DATA, Program
from numpy.typing import NDArray

PAIR = ("compare", DATA / "reference" / "camera.png", DATA / "noise" / "camera.png")
FEATURES = DATA / "features" / "first_half.npz"

# What is refused, and the words that say so.
REFUSED = {
    ("--size", "4"): "--size-y is 4; expected an odd number from 1 to 4095, or auto",
    ("--size-x", "0"): "--size-x is 0",
    ("--size", "-1"): 'expects INTEGER|auto|auto-ceiling, not "-1"',
    ("--threads", "0"): "--threads is 0; expected 1 or more, or all",
    ("--threads", "-1"): 'expects INTEGER|all, not "-1"',
    ("--window", "uniform"): "--size-y is auto",
    ("--window", "uniform", "--size", "auto-ceiling"): "--size-y is auto-ceiling",
    ("--sigma", "-1"): "--sigma-y is -1",
    ("--sigma", "1e9"): "--sigma-y is 1e+09",
    ("--truncate", "0"): "--truncate is 0",
    ("--k1", "-1"): "--k1 is -1",
    ("--k2", "nan"): "--k2 is nan",
    ("--coverage", "2"): "--coverage is 2",
    ("--shave", "-1"): "--shave is -1",
    ("--downsample", "0"): "--downsample is 0; expected",
    (
        "--downsample",
        "2",
        "--shrink",
        "zero",
    ): "--downsample needs --shrink to be symmetric or floor",
    (
        "--nonfinite",
        "mask",
        "--mask-mode",
        "map",
    ): "--nonfinite mask needs --mask-mode to be convolution",
    ("--window", "blocks", "--scales", "5"): "--window is blocks, which has no",
    ("--scale-weights", "1,1"): "--scale-weights sum to 2",
    ("--scale-weights", "2,-1"): "--scale-weights[1] is -1",
    ("--log-base", "0"): "--log-base is 0",
    ("--cap", "-1"): "--cap is -1; expected a finite number of at least 0, or none",
    ("--window", "uniform", "--size", "1", "--covariance", "sample"): "the sample covariance",
}


@pytest.mark.parametrize("options", REFUSED, ids=" ".join)
def test_options_that_the_library_refuses(iqa: Program, options: tuple[str, ...]) -> None:
    message = iqa.error(*PAIR, *options)
    assert REFUSED[options] in message
    assert "IQA_" not in message and not re.search(r"[a-z]_[a-z]", message.split(": ", 1)[1])


def test_samples_that_the_library_refuses(
    iqa: Program, tmp_path: Path, camera: NDArray[np.uint8]
) -> None:
    """In one pair, in a table of presets and in a batch."""
    samples = (camera[:64, :64] / 255).astype(np.float32)
    for folder in "ab":
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "x.npy", samples)
    pair = (tmp_path / "a" / "x.npy", tmp_path / "b" / "x.npy", "--data-range", 1)
    samples[3, 4] = np.nan
    np.save(pair[1], samples)
    words = "set --nonfinite propagate to let them through, or mask to leave them out"
    assert words in iqa.error("compare", *pair)
    done = iqa("batch", tmp_path / "a", tmp_path / "b", "--data-range", 1)
    assert done.returncode == 2 and words in done.stderr
    blocks = ("--window", "blocks")
    message = iqa.error("compare", *pair, *blocks)
    assert "--window is blocks, whose sums are of uint8 or uint16 samples only" in message
    message = iqa("compare", *pair, "--all-presets", "--nonfinite", "propagate").stdout
    assert "--window is blocks" in message and "IQA_" not in message
    np.save(pair[0], np.full((20, 20), 1e200))
    np.save(pair[1], np.full((20, 20), -1e200))
    message = iqa.error("compare", *pair)
    assert "that their squares overflow; correct the range" in message
    np.save(pair[0], np.tile(np.float32([[0, 1], [1, 0]]), (100, 100)))
    np.save(pair[1], np.tile(np.float32([[1, 0], [0, 1]]), (100, 100)))
    message = iqa.error("compare", *pair, "--scales", 5)
    assert "set --negative relu or simple" in message


def test_features_that_the_library_refuses(iqa: Program) -> None:
    for options, words in (
        (("--fraction-bits", 121), "--fraction-bits is 121"),
        (("--word-bits", 16), '--word-bits: expects 24|32, not "16"'),
    ):
        message = iqa.error("fid", FEATURES, FEATURES, *options)
        assert words in message and "IQA_" not in message


def test_words_are_read_however_they_are_spelt(iqa: Program) -> None:
    options = [
        iqa.compare(*PAIR[1:], *spelt)["options"]["ssim"]
        for spelt in (
            ("--negative", "relu-map", "--size", "auto-ceiling"),
            ("--negative", "Relu_Map", "--size", "AUTO_CEILING"),
        )
    ]
    assert options[0] == options[1]
    assert (options[0]["negative"], options[0]["size_y"]) == ("relu-map", "auto-ceiling")


SUGGESTED = {
    ("compar", "a", "b"): "compare",
    ("bacth", "a", "b"): "batch",
    ("compare", "a", "b", "--presett", "ffmpeg"): "--preset",
    ("compare", "a", "b", "--sigam=2"): "--sigma",
    ("segment", "a", "b", "--clases", "3"): "--classes",
    ("compare", "a", "b", "--preset", "torchmetric"): "torchmetrics",
    ("compare", "a", "b", "--border", "reflct"): "reflect",
    ("segment", "a", "b", "--classes", "2", "--preset", "scikitlearn"): "scikit-learn",
}


@pytest.mark.parametrize("arguments", SUGGESTED, ids=" ".join)
def test_mistyped_words(iqa: Program, arguments: tuple[str, ...]) -> None:
    assert iqa.error(*arguments).endswith(f'; did you mean "{SUGGESTED[arguments]}"?')


def test_words_that_are_like_none(iqa: Program) -> None:
    for arguments in (
        ("help",),
        ("compare", "a", "b", "--frobnicate"),
        ("compare", "a", "b", "--preset", "x" * 100),
    ):
        assert "did you mean" not in iqa.error(*arguments)


def test_version(iqa: Program) -> None:
    assert iqa.fine("-V") == iqa.fine("--version")
