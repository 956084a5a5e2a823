# SPDX-License-Identifier: MIT
"""Pictures that the tests share."""

from pathlib import Path

import numpy as np
import pytest
from pictures import formula_pair

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def pair():
    """The 64 x 64 pair of the reference values, as float64."""
    return formula_pair(64)


@pytest.fixture
def pair8(pair):
    """The same as uint8."""
    return tuple(image.astype(np.uint8) for image in pair)


@pytest.fixture(scope="session")
def header_directory():
    """Where iqa_c.h is."""
    directory = REPOSITORY / "include"
    assert (directory / "iqa_c.h").exists()
    return directory
