# SPDX-License-Identifier: MIT
"""Several metrics in a collection beside the same metrics one by one.

    python bench/python/collection.py

One thread, timed by the time that the process ran; the best of some rounds, in milliseconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from compare import processor
from PIL import Image

import iqa

DATA = Path(__file__).resolve().parents[2] / "tests" / "data"
ROUNDS = 20
CONTEXT = iqa.Context(threads=1)


def best(update: Callable[[], object]) -> float:
    """Milliseconds of the quickest round."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        update()
        times.append(time.process_time() - start)
    return 1e3 * min(times)


def compare(name: str, make: Callable[[], dict[str, iqa.Metric]], pair: Any) -> None:
    """Prints a row of the table."""
    metrics, collection = make(), iqa.MetricCollection(make())
    apart = best(lambda: [metric.update(*pair) for metric in metrics.values()])
    together = best(lambda: collection.update(*pair))
    print(f"| {name} | {apart:.2f} | {together:.2f} |")


def images(peak: float | None, layout: str | None) -> dict[str, iqa.Metric]:
    """Three metrics without sums in common."""
    return {
        "ssim": iqa.SSIM(peak, layout, context=CONTEXT),
        "psnr": iqa.PSNR(peak, layout, context=CONTEXT),
        "mae": iqa.MeanErrors(peak, layout, context=CONTEXT),
    }


def errors() -> dict[str, iqa.Metric]:
    """Three metrics with all sums in common."""
    measures = ("mean_absolute_error", "root_mean_squared_error", "nrmse_mean")
    return {name: iqa.MeanErrors(1, "NCHW", measure=name, context=CONTEXT) for name in measures}


def scores() -> dict[str, iqa.Metric]:
    """Four scores of one set of counts."""
    read = (("iou", "macro"), ("dice", "macro"), ("accuracy", "micro"), ("kappa", None))
    return {
        score: iqa.ConfusionMatrix(19, score=score, average=average, context=CONTEXT)
        for score, average in read
    }


def main() -> None:
    """Measures and prints."""
    random = np.random.default_rng(0)
    x = random.random((8, 3, 512, 512))
    y = np.clip(x + 0.05 * random.standard_normal(x.shape), 0, 1)
    bytes_of_both = tuple(np.uint8(255 * image) for image in (x, y))
    floats = (np.float32(x), np.float32(y))
    integers = tuple(image[:1].astype(np.int64) for image in bytes_of_both)
    files = tuple(DATA / side / "chelsea.png" for side in ("reference", "blur"))
    pictures = tuple(Image.open(file) for file in files)
    for picture in pictures:
        picture.load()
    print(f"{processor()}\n\n| | apart | together |\n|---|--:|--:|")
    shape = "8 x 3 x 512 x 512"
    compare(f"SSIM, PSNR, MAE of {shape}, uint8", lambda: images(None, "NCHW"), bytes_of_both)
    compare("the same, float32", lambda: images(1.0, "NCHW"), floats)
    compare("the same of one image, int64", lambda: images(255, "NCHW"), integers)
    compare("the same of two PNG files, 451 x 300", lambda: images(None, None), files)
    compare("the same of two Pillow pictures", lambda: images(None, None), pictures)
    compare(f"3 mean errors of {shape}, float32", errors, floats)
    labels = random.integers(0, 19, (2, 8, 512, 1024), np.uint8)
    compare("4 scores of 8 x 512 x 1024 labels, uint8", scores, labels)


if __name__ == "__main__":
    main()
