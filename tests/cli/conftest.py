# SPDX-License-Identifier: MIT
"""What the tests of the program share: the program, the pictures, and a way to run it."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

DATA = Path(__file__).resolve().parent.parent / "data"

# Seconds for what would hang, however busy the machine.
PATIENCE = 120


class Program:
    """Runs the program whose path is in the environment variable IQA_CLI."""

    def __init__(self, path: str) -> None:
        self.path = path
        listing = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
        self.is_sanitized = "libasan" in listing

    def limit_memory(self) -> None:
        """Allows 1 GiB of address space; for preexec_fn. AddressSanitizer reserves far more."""
        if not self.is_sanitized:
            resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))

    def __call__(self, *arguments: object, **keywords: Any) -> subprocess.CompletedProcess[str]:
        keywords.setdefault("timeout", PATIENCE)
        return subprocess.run(
            [self.path, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            **keywords,
        )

    def fine(self, *arguments: object, **keywords: Any) -> str:
        """Runs it, expects success and returns what it printed."""
        done = self(*arguments, **keywords)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def compare(self, *arguments: object) -> dict[str, Any]:
        """The JSON of a comparison."""
        return json.loads(self.fine("compare", "--json", *arguments))

    def error(self, *arguments: object, **keywords: Any) -> str:
        """Runs it, expects one line on stderr and exit code 2, and returns the line."""
        done = self(*arguments, **keywords)
        assert done.returncode == 2, done
        assert done.stdout == ""
        assert done.stderr.startswith("iqa: ") and done.stderr.count("\n") == 1, done.stderr
        assert done.stderr.endswith("\n")
        return done.stderr[:-1]


@pytest.fixture(scope="session")
def iqa() -> Program:
    """The program under test."""
    return Program(os.environ["IQA_CLI"])


@pytest.fixture(scope="session")
def camera() -> NDArray[np.uint8]:
    """A grey photograph."""
    return np.asarray(Image.open(DATA / "reference" / "camera.png"))


@pytest.fixture(scope="session")
def chelsea() -> NDArray[np.uint8]:
    """A colour photograph."""
    return np.asarray(Image.open(DATA / "reference" / "chelsea.png"))


@pytest.fixture(scope="session")
def noisy_camera() -> NDArray[np.uint8]:
    """The grey photograph with noise."""
    return np.asarray(Image.open(DATA / "noise" / "camera.png"))


@pytest.fixture(scope="session")
def noisy_chelsea() -> NDArray[np.uint8]:
    """The colour photograph with noise."""
    return np.asarray(Image.open(DATA / "noise" / "chelsea.png"))
