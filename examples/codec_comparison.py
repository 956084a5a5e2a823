# SPDX-License-Identifier: MIT
"""Two codecs compared: rate and distortion of JPEG and WebP over their qualities, on photographs.

Shows iqa.SSIM, iqa.MS_SSIM and iqa.PSNR as means of several pictures, and how much rate a codec saves at equal SSIM.
Needs NumPy and Pillow; with --plot also matplotlib.

    python examples/codec_comparison.py
    python examples/codec_comparison.py --plot curves.png PICTURE.png ...
"""

import argparse
import io
import pathlib

import numpy as np
from PIL import Image

import iqa

SHIPPED = pathlib.Path(__file__).resolve().parents[1] / "tests" / "data" / "reference"
QUALITIES = (10, 20, 35, 50, 65, 80, 90)


def measure(pictures, codec, quality):
    """Bits per pixel, SSIM, MS-SSIM and PSNR of the pictures' luma, each a mean over the pictures."""
    metrics = [
        iqa.SSIM(layout="HWC", luma="bt601_full"),
        iqa.MS_SSIM(layout="HWC", luma="bt601_full"),
        iqa.PSNR(layout="HWC", luma="bt601_full", aggregate="mean_of_psnr"),
    ]
    rate = 0.0
    for picture in pictures:
        file = io.BytesIO()
        picture.save(file, codec, quality=quality)
        rate += 8 * file.tell() / (picture.width * picture.height) / len(pictures)
        decoded = np.asarray(Image.open(file).convert("RGB"))
        for metric in metrics:
            metric.update(np.asarray(picture), decoded)
    return [rate, *(metric.compute() for metric in metrics)]


def rate_at(curve, ssim):
    """The rate at which a codec reaches an SSIM, along straight lines between the logarithms of its rates."""
    return np.exp(np.interp(ssim, curve[:, 1], np.log(curve[:, 0])))


def plot(curves, path):
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(12, 4), layout="constrained")
    axes = figure.subplots(1, 3)
    for column, (axis, name) in enumerate(zip(axes, ("SSIM", "MS-SSIM", "PSNR (dB)")), 1):
        for codec, curve in curves.items():
            axis.plot(curve[:, 0], curve[:, column], marker="o", label=codec)
        axis.set(xlabel="bits per pixel", ylabel=name)
        axis.grid(alpha=0.3)
    axes[0].legend()
    figure.savefig(path, dpi=100)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pictures", nargs="*", type=pathlib.Path, help="by default the shipped photographs")
    parser.add_argument("--plot", metavar="FILE", help="draw the curves")
    arguments = parser.parse_args()
    paths = arguments.pictures or sorted(SHIPPED.glob("*.png"))
    pictures = [Image.open(path).convert("RGB") for path in paths]

    curves = {}
    rows = []
    for codec in ("JPEG", "WebP"):
        curves[codec] = np.array([measure(pictures, codec, quality) for quality in QUALITIES])
        rows += [(f"{codec} {quality}", *curve) for quality, curve in zip(QUALITIES, curves[codec])]
    print(iqa.ScoreTable(("quality", "bits/pixel", "SSIM", "MS-SSIM", "PSNR (dB)"), rows))

    lowest = max(curve[0, 1] for curve in curves.values())
    highest = min(curve[-1, 1] for curve in curves.values())
    levels = np.linspace(lowest, highest, 50)
    saved = 1 - np.mean(rate_at(curves["WebP"], levels) / rate_at(curves["JPEG"], levels))
    print(f"\nAt equal SSIM, from {lowest:.3f} to {highest:.3f}, WebP needs {100 * saved:.0f} % less than JPEG.")
    if arguments.plot:
        plot(curves, arguments.plot)


if __name__ == "__main__":
    main()
