# SPDX-License-Identifier: MIT
"""Presets against the libraries that they are named after.

scikit-image, OpenCV and FFmpeg run live where they are installed; of libraries on PyTorch there are
the values that make_ssim_values.py wrote; what cannot be run here (MATLAB, TensorFlow, fused-ssim)
is written afresh from its rule: docs/guide/presets.md has the sources.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import correlate1d, uniform_filter1d
from skimage.metrics import structural_similarity
from ssim_pairs import pairs

import iqa

PAIRS = pairs()
IMAGES = {name: pair for name, pair in PAIRS.items() if pair.layout != "DHW"}
GREY = [name for name, pair in IMAGES.items() if pair.layout == "HW"]
WANG_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
VALUES = json.loads(Path(__file__).with_name("ssim_values.json").read_text())
COMMITTED = [
    pytest.param(entry, id=f"{entry['preset']}-{entry['pair']}-{entry['options']}")
    for peer in VALUES.values()
    for entry in peer["values"]
]

IN_DOUBLE = 1e-12
IN_SINGLE = 3e-5  # the variances of peers with windows in float32 are off by L^2 times their error


def ours(pair, preset, **options):
    return iqa.ssim(pair.x, pair.y, pair.data_range, pair.layout, preset=preset, **options)


def test_the_committed_values():
    assert sorted(name.rsplit(" ", 1)[0] for name in VALUES) == [
        "monai",
        "piq",
        "pyiqa",
        "pytorch-msssim",
        "torchmetrics",
        "torchmetrics",
    ]
    assert len(COMMITTED) > 150


@pytest.mark.parametrize("entry", COMMITTED)
def test_libraries_on_pytorch(entry):
    options = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in entry["options"].items()
    }
    value = ours(PAIRS[entry["pair"]], entry["preset"], **options)
    assert value == pytest.approx(entry["in_float64"], abs=IN_DOUBLE, rel=0)
    assert value == pytest.approx(entry["value"], abs=IN_SINGLE, rel=0)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize(
    ("preset", "options"),
    [
        ("skimage_default", {}),
        ("skimage_gaussian", {"gaussian_weights": True, "use_sample_covariance": False}),
        ("skimage_gaussian_sample", {"gaussian_weights": True}),
    ],
)
def test_scikit_image(name, preset, options):
    pair = PAIRS[name]
    axis = -1 if pair.layout == "HWC" else None
    peak = pair.data_range
    expected = structural_similarity(pair.x, pair.y, data_range=peak, channel_axis=axis, **options)
    assert ours(pair, preset) == pytest.approx(expected, abs=IN_DOUBLE, rel=0)


@pytest.mark.parametrize("name", IMAGES)
def test_opencv(name):
    cv2 = pytest.importorskip("cv2")
    if not hasattr(cv2, "quality"):
        pytest.skip("cv2 without the quality module")
    x, y = (np.round(image).astype(np.uint8) for image in IMAGES[name][:2])
    channels = 1 if x.ndim == 2 else x.shape[2]
    expected = np.mean(cv2.quality.QualitySSIM_compute(x, y)[0][:channels])
    value = iqa.ssim(x, y, layout=IMAGES[name].layout, preset="opencv")
    assert value == pytest.approx(expected, abs=1e-5, rel=0)  # OpenCV computes in float32


# Its C code: the assembly for x86 is wrong where the width mod 16 is 8 to 11.
@pytest.mark.parametrize("width", [None, 24, 42])
@pytest.mark.parametrize("name", GREY)
def test_ffmpeg(name, width, tmp_path):
    if shutil.which("ffmpeg") is None:
        pytest.skip("there is no ffmpeg")
    x, y = (image[:, :width].astype(np.uint8) for image in IMAGES[name][:2])
    for stem, image in (("x", x), ("y", y)):
        Image.fromarray(image).save(tmp_path / f"{stem}.png")
    images = ["-i", "y.png", "-i", "x.png"]
    done = subprocess.run(
        ["ffmpeg", "-cpuflags", "0", *images, "-lavfi", "ssim", "-f", "null", "-"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    (printed,) = re.findall(r"SSIM Y:([0-9.]+)", done.stderr)
    assert iqa.ssim(x, y, preset="ffmpeg") == pytest.approx(float(printed), abs=6e-7, rel=0)


# ---- Rules written afresh, in float64 and in the plain form E[x y] - E[x] E[y]


def gaussian(radius, sigma=1.5):
    taps = np.exp(-(np.arange(-radius, radius + 1.0) ** 2) / (2 * sigma**2))
    return taps / taps.sum()


def planes(pair):
    if pair.layout == "HW":
        return [(pair.x, pair.y)]
    return [(pair.x[..., c], pair.y[..., c]) for c in range(pair.x.shape[2])]


def maps(x, y, peak, radius=5, mode=None):
    """SSIM and contrast-structure at each pixel; no mode: of windows inside the image."""

    def mean(image):
        for axis in range(image.ndim):
            image = correlate1d(image, gaussian(radius), axis, mode=mode or "constant")
        return image if mode else image[(slice(radius, -radius),) * image.ndim]

    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    mean_x, mean_y = mean(x), mean(y)
    xx, yy = mean(x * x) - mean_x**2, mean(y * y) - mean_y**2
    contrast = (2 * (mean(x * y) - mean_x * mean_y) + c2) / (xx + yy + c2)
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return luminance * contrast, contrast


def shrunk(image, factor):
    """ssim.m and msssim.m: imfilter with ones(f)/f^2, 'symmetric', then every f-th pixel.

    The centre of MATLAB's even filters is their upper left of the middle four, so that pixel k is
    the mean of k - (f - 1) // 2 ... k + f // 2.
    """
    for axis in range(image.ndim):
        origin = -1 if factor % 2 == 0 else 0
        image = uniform_filter1d(image, factor, axis, mode="reflect", origin=origin)
    return image[::factor, ::factor]


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize(
    ("preset", "mode"),
    [
        ("wang2004", None),
        ("tensorflow", None),
        ("matlab", "nearest"),
        ("fused_ssim", "constant"),
        ("opencv", "mirror"),
    ],
)
def test_single_scale_rules(name, preset, mode):
    pair = PAIRS[name]
    if pair.layout == "DHW":
        expected = maps(pair.x, pair.y, 255, mode=mode)[0].mean()
    else:
        expected = np.mean([maps(x, y, 255, mode=mode)[0].mean() for x, y in planes(pair)])
    assert ours(pair, preset) == pytest.approx(expected, abs=IN_DOUBLE, rel=0)


def test_the_window_of_matlab_has_radius_ceil_3_sigma():
    pair = PAIRS["formula 64"]
    for sigma, size in ((0.5, 5), (1.0, 7), (1.5, 11), (2.0, 13)):
        assert ours(pair, "matlab", sigma=sigma) == ours(pair, "matlab", sigma=sigma, size=size)
    assert ours(pair, "matlab", sigma=2.0) != ours(pair, "torchmetrics", sigma=2.0)


@pytest.mark.parametrize("name", IMAGES)
def test_the_later_ssim_of_wang(name):
    pair = IMAGES[name]
    factor = max(1, int(np.floor(min(pair.x.shape[:2]) / 256 + 0.5)))
    values = [maps(shrunk(x, factor), shrunk(y, factor), 255)[0].mean() for x, y in planes(pair)]
    assert ours(pair, "wang_auto") == pytest.approx(np.mean(values), abs=IN_DOUBLE, rel=0)


@pytest.mark.parametrize("size", [640, 641, 900, 1300])
def test_automatic_downsampling_of_larger_images(size):
    random = np.random.default_rng(size)
    x = random.random((size, size + 13))
    y = np.clip(x + 0.2 * random.standard_normal(x.shape), 0, 1)
    factor = int(np.floor(size / 256 + 0.5))
    expected = maps(shrunk(x, factor), shrunk(y, factor), 1)[0].mean()
    assert iqa.ssim(x, y, 1.0, preset="wang_auto") == pytest.approx(expected, abs=IN_DOUBLE)


@pytest.mark.parametrize("name", [n for n, p in IMAGES.items() if min(p.x.shape[:2]) >= 161])
@pytest.mark.parametrize("preset", ["ms_ssim_wang2003", "ms_ssim_tensorflow"])
def test_several_scales_of_wang_and_tensorflow(name, preset):
    values = []
    for pair in planes(IMAGES[name]):
        (x, y), product = pair, 1.0
        for scale, weight in enumerate(WANG_WEIGHTS):
            ssim, contrast = maps(x, y, 255)
            mean = (ssim if scale == len(WANG_WEIGHTS) - 1 else contrast).mean()
            product *= max(mean, 0.0) ** weight
            x, y = shrunk(x, 2), shrunk(y, 2)
        values.append(product)
    assert ours(IMAGES[name], preset) == pytest.approx(np.mean(values), abs=IN_DOUBLE, rel=0)
    assert iqa.ms_ssim(*IMAGES[name], preset=preset) == ours(IMAGES[name], preset)


# ---- The table


def test_the_table_of_all():
    x, y, _, layout = PAIRS["chelsea"]
    x, y = x.astype(np.uint8), y.astype(np.uint8)
    table = iqa.ssim_all(x, y, layout=layout)
    assert tuple(table) == iqa.SSIM_PRESETS
    for preset, value in table.items():
        assert value == iqa.ssim(x, y, layout=layout, preset=preset)
    lines = repr(table).splitlines()
    assert len(lines) == len(table)
    assert lines[0] == f"{'wang2004':23}  {table['wang2004']:.6f}"


def test_the_table_says_what_does_not_apply():
    pair = PAIRS["formula 64"]
    table = iqa.ssim_all(*pair)
    assert table["ms_ssim_wang2003"].startswith("height 64")
    assert "161" in table["ms_ssim_wang2003"]
    assert isinstance(table["wang2004"], float)
    assert "uint8 or uint16" in table["ffmpeg"]
    assert iqa.ssim_all(pair.x / 255, pair.y / 255, 1.0)["opencv"] > 0.999  # L stays 255
    with pytest.raises(TypeError, match="no option 'windw'"):
        iqa.ssim_all(*pair, windw=3)
