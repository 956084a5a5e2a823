# SPDX-License-Identifier: MIT
"""What the tests of label maps share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from conftest import DATA, Program
from numpy.typing import NDArray
from PIL import Image
from writers import write_png

LABELS = DATA / "labels"
SHIPPED = (LABELS / "prediction", LABELS / "reference", "--names", LABELS / "names.csv")


def read(path: Path) -> NDArray[np.int64]:
    """The labels of a file, by Pillow."""
    return np.asarray(Image.open(path)).astype(np.int64)


def report(iqa: Program, *arguments: object) -> dict[str, Any]:
    """The JSON of a comparison."""
    done = iqa("segment", *arguments, "--json", "-")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def close(ours: Any, theirs: Any) -> bool:
    """Equal but for the last bits; a NaN of ours is a string."""
    ours = np.array([float(value) for value in np.ravel(ours)])
    return bool(np.allclose(ours, np.ravel(theirs), rtol=1e-14, atol=0, equal_nan=True))


def write_maps(folder: Path, pairs: list[tuple[NDArray, NDArray]]) -> tuple[Path, Path]:
    """Folders of grey label maps: predictions and references."""
    folders = folder / "prediction", folder / "reference"
    for side, maps in zip(folders, zip(*pairs, strict=True), strict=True):
        side.mkdir()
        for index, labels in enumerate(maps):
            write_png(side / f"{index:03}.png", labels)
    return folders


def random_pairs(
    seed: int, classes: int, count: int, dtype: type = np.uint8
) -> list[tuple[NDArray, NDArray]]:
    """Predictions and references that agree in two pixels of three; some classes never occur."""
    random = np.random.default_rng(seed)
    known = random.choice(classes, max(2, classes * 3 // 4), replace=False)
    pairs = []
    for _ in range(count):
        shape = tuple(random.integers(1, 60, 2))
        truth = random.choice(known, shape)
        other = random.choice(known, shape)
        pairs.append((np.where(random.random(shape) < 0.67, truth, other).astype(dtype), truth))
    return [(prediction, truth.astype(dtype)) for prediction, truth in pairs]
