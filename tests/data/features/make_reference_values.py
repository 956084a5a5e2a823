# SPDX-License-Identifier: MIT
"""Makes reference_values.json: FID of the digits in 60-digit arithmetic, from exact covariances.

    python tests/data/features/make_reference_values.py

The pixels are integers, so that means and covariances are exact fractions; fid_cases.py has the
formulas. Made with mpmath 1.4.1. It takes a few minutes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import mpmath
import numpy as np

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1] / "metrics" / "features"))
from fid_cases import frechet_distance  # noqa: E402 it is not in a package

UNIT = 2**18  # fid_cases.py counts in these


def cases() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Pairs of sets of rows."""
    halves = [np.load(FOLDER / f"{name}_half.npz")["pixels"] for name in ("first", "second")]
    rows, labels = np.concatenate(halves), np.load(FOLDER / "labels.npy")
    return {
        "halves": (halves[0], halves[1]),
        "alternate rows": (rows[::2], rows[1::2]),
        "threes and eights": (rows[labels == 3], rows[labels == 8]),
        "few rows": (halves[0], halves[1][:40]),
    }


def main() -> None:
    """Computes all cases."""
    mpmath.mp.dps = 60
    values = {}
    for name, sets in cases().items():
        scaled = [[[int(pixel) * UNIT for pixel in row] for row in rows] for rows in sets]
        values[name] = mpmath.nstr(frechet_distance(*scaled), 25)
        print(name, values[name], flush=True)
    (FOLDER / "reference_values.json").write_text(json.dumps(values, indent=4) + "\n")


if __name__ == "__main__":
    main()
