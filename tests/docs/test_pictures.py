# SPDX-License-Identifier: MIT
"""The pictures of the pages are what the program and the examples draw."""

import os
import pathlib
import re
import subprocess
import sys

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_pictures_are_up_to_date(tmp_path: pathlib.Path) -> None:
    script = ROOT / "scripts" / "pictures.sh"
    subprocess.run([script, tmp_path], check=True, env={**os.environ, "PYTHON": sys.executable})
    drawn = {path.name: np.asarray(Image.open(path)) for path in tmp_path.glob("*.png")}
    kept = {path.name: np.asarray(Image.open(path)) for path in (ROOT / "docs" / "images").iterdir()}
    assert drawn.keys() == kept.keys()
    plot = "rate_distortion.png"  # letters depend on matplotlib's release
    assert np.abs(np.int32(drawn.pop(plot)) - kept.pop(plot)).mean() < 2
    for name, pixels in drawn.items():
        np.testing.assert_array_equal(pixels, kept[name], name)


def test_the_gallery_has_every_picture() -> None:
    text = (ROOT / "docs" / "guide" / "gallery.md").read_text()
    named = set(re.findall(r"\.\./images/(\S+)\)", text))
    assert named == {path.name for path in (ROOT / "docs" / "images").iterdir()}
