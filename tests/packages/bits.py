# SPDX-License-Identifier: MIT
"""Prints values of each family in hexadecimal digits, with nothing but Python and the package."""

import array
import random

import iqa

RANDOM = random.Random(1)


def image(kind: str, *shape: int) -> memoryview:
    count = 1
    for extent in shape:
        count *= extent
    make = (lambda: RANDOM.randrange(256)) if kind == "B" else RANDOM.random
    return memoryview(array.array(kind, (make() for _ in range(count)))).cast("B").cast(kind, shape)


def show(name: str, value: object) -> None:
    print(f"{name:24}", float(value).hex())


for instruction_set in ("baseline", "avx2", "avx512"):
    try:
        context = iqa.Context(instruction_set=instruction_set)
    except iqa.Error:
        continue  # not of this machine
    for kind in "Bfd":
        RANDOM.seed(2)
        pair = [image(kind, 181, 203) for _ in range(2)]
        options = {"context": context, **({} if kind == "B" else {"data_range": 1.0})}
        show(f"ssim {kind} {instruction_set}", iqa.ssim(*pair, **options))
        show(f"ms_ssim {kind} {instruction_set}", iqa.ms_ssim(*pair, **options))
        show(f"psnr {kind} {instruction_set}", iqa.psnr(*pair, **options))
    features = [image("f", 60, 24) for _ in range(2)]
    show(f"fid {instruction_set}", iqa.fid(*features, context=context))
    show(f"kid {instruction_set}", iqa.kid(*features, subsets=0, context=context).mean)
