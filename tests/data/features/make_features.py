# SPDX-License-Identifier: MIT
"""Makes the features of this folder from the handwritten digits that scikit-learn bundles.

    python tests/data/features/make_features.py [FOLDER]

README.md states where the digits come from and their licence. The files in the repository were
made with scikit-learn 1.9.1 and NumPy 2.4.6.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

FIRST_HALF = 899


def main() -> None:
    """Writes the two halves and the digits' names."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    pixels, labels = load_digits(return_X_y=True)
    for name, rows in (("first_half", pixels[:FIRST_HALF]), ("second_half", pixels[FIRST_HALF:])):
        np.savez_compressed(folder / f"{name}.npz", pixels=rows.astype(np.uint8))
    np.save(folder / "labels.npy", labels.astype(np.uint8))


if __name__ == "__main__":
    main()
