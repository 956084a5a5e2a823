# SPDX-License-Identifier: MIT
"""The pictures of the pages are what the program draws."""

import os
import pathlib
import re
import subprocess

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_pictures_are_up_to_date(tmp_path: pathlib.Path) -> None:
    subprocess.run([ROOT / "scripts" / "pictures.sh", tmp_path], check=True, env=os.environ)
    drawn = sorted(tmp_path.glob("*.png"))
    assert len(drawn) == 5
    for picture in drawn:
        kept = np.asarray(Image.open(ROOT / "docs" / "images" / picture.name))
        np.testing.assert_array_equal(np.asarray(Image.open(picture)), kept)


def test_the_gallery_has_every_picture() -> None:
    text = (ROOT / "docs" / "guide" / "gallery.md").read_text()
    named = set(re.findall(r"\.\./images/(\S+)\)", text))
    assert named == {path.name for path in (ROOT / "docs" / "images").iterdir()}
