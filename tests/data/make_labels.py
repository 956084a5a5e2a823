# SPDX-License-Identifier: MIT
"""Makes the label maps of labels/ from the photographs of this folder.

    python tests/data/make_labels.py [FOLDER]

The labels are five bands of brightness: of the blurred photograph for the reference, and of its
noisy copy, less blurred and half a band's width off in places, for the prediction. Between two
bands the reference is 255, unlabelled, as annotated data sets have it. NumPy 2.4.6, SciPy 1.17.1
and Pillow 13.0.0 made the files in the repository.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

NAMES = ("shadow", "dark", "middle", "bright", "light")
PALETTE = ((38, 42, 66), (92, 74, 114), (178, 98, 104), (233, 164, 96), (250, 232, 168))
LIMITS = (40, 90, 140, 190)  # between two bands, of 255
UNLABELLED = 255
FOLDER = Path(__file__).resolve().parent


def brightness(name: str, sigma: float) -> NDArray[np.float64]:
    """The blurred photograph without its colours."""
    picture = np.asarray(Image.open(FOLDER / name).convert("RGB"), np.float64)
    grey = picture @ (0.299, 0.587, 0.114)
    return ndimage.gaussian_filter(grey, sigma, mode="nearest")


def bands(grey: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Numbers from 0 to 4."""
    return np.digitize(grey, LIMITS).astype(np.uint8)


def reference(name: str) -> NDArray[np.uint8]:
    """Smooth bands with an unlabelled border of three pixels."""
    labels = bands(brightness(name, 3.0))
    same = ndimage.minimum_filter(labels, 3) == ndimage.maximum_filter(labels, 3)
    labels[~same] = UNLABELLED
    return labels


def prediction(name: str) -> NDArray[np.uint8]:
    """Rougher bands, whose limits drift from the left to the right."""
    grey = brightness(name, 1.5)
    return bands(grey + np.linspace(-12, 12, grey.shape[1]))


def save_palette(path: Path, labels: NDArray[np.uint8]) -> None:
    """A PNG whose palette indices are the labels; 255 is white."""
    picture = Image.fromarray(labels)
    picture = picture.convert("P") if picture.mode != "P" else picture
    picture.putdata(labels.ravel().tolist())
    colours = [*PALETTE, *[(255, 255, 255)] * (256 - len(PALETTE))]
    picture.putpalette([level for colour in colours for level in colour])
    picture.save(path, optimize=True)


def save_16bit(path: Path, labels: NDArray[np.uint8]) -> None:
    """A grey PNG of 16 bits."""
    Image.fromarray(labels.astype(np.uint16)).save(path, optimize=True)


def main() -> None:
    """Writes every label map."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER / "labels"
    for side in ("reference", "prediction"):
        (folder / side).mkdir(parents=True, exist_ok=True)
    for name in ("camera", "chelsea"):
        save_palette(folder / "reference" / f"{name}.png", reference(f"reference/{name}.png"))
        save_palette(folder / "prediction" / f"{name}.png", prediction(f"noise/{name}.png"))
    save_16bit(folder / "reference" / "coffee.png", reference("reference_16bit/coffee.png"))
    coffee = Image.fromarray(prediction("noise_16bit/coffee.png"))
    coffee.save(folder / "prediction" / "coffee.png", optimize=True)
    lines = [f"{label},{name}\n" for label, name in enumerate(NAMES)]
    (folder / "names.csv").write_text("id,name\n" + "".join(lines) + f"{UNLABELLED},unlabelled\n")


if __name__ == "__main__":
    main()
