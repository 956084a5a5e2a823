# SPDX-License-Identifier: MIT
"""scikit-image, run live on photographs."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
import skimage.io
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import iqa

TOLERANCE = 1e-10
OF_A_PIXEL = 1e-9  # the peer's variances are differences of large numbers

SHIPPED = Path(__file__).resolve().parents[3] / "tests" / "data"
SHIPPED_PAIRS = [
    (reference, distorted)
    for folder, others in (
        (
            "reference",
            ("jpeg_q10", "jpeg_q30", "jpeg_q50", "jpeg_q75", "jpeg_q90", "blur", "noise"),
        ),
        ("reference_16bit", ("blur_16bit", "noise_16bit")),
    )
    for reference in sorted((SHIPPED / folder).glob("*.png"))
    for other in others
    for distorted in sorted((SHIPPED / other).glob(reference.stem + ".*"))
]


def peer(x, y, data_range, channel_axis=None, **options):
    """structural_similarity with the options of iqa."""
    names = {"sigma": "sigma", "k1": "K1", "k2": "K2", "size": "win_size"}
    named = {names[name]: value for name, value in options.items() if name in names}
    return structural_similarity(
        x,
        y,
        data_range=data_range,
        channel_axis=channel_axis,
        gaussian_weights=options.get("window", "gaussian") == "gaussian",
        use_sample_covariance=options.get("covariance") == "sample",
        full=True,
        **named,
    )


def photographs():
    """A grey one, and noisy copy, in 0 ... 1 with odd sizes."""
    random = np.random.default_rng(7)
    x = skimage.data.camera()[100:351, 60:363].astype(np.float64) / 255
    return x, np.clip(x + 0.08 * random.standard_normal(x.shape), 0, 1)


OPTIONS = [
    {},
    {"sigma": 0.7},
    {"sigma": 2.3},
    {"covariance": "sample"},
    {"window": "uniform", "size": 7},
    {"window": "uniform", "size": 7, "covariance": "sample"},
    {"window": "uniform", "size": 3, "covariance": "sample"},
    {"window": "uniform", "size": 21},
    {"k1": 0.05, "k2": 0.001},
]


def single_precision(options):
    """What float32 arithmetic keeps of a photograph's mean, as measured on the shipped ones."""
    if options.get("k2", 0.03) < 0.03:  # C2 hides less of the variances' rounding
        return 1e-6
    return 5e-7 if options.get("window") == "uniform" else 2e-7


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("data_range", [1.0, 255.0, 65535.0])
def test_value_and_map(options, data_range):
    x, y = (image * data_range for image in photographs())
    expected, expected_map = peer(x, y, data_range, **options)
    assert iqa.ssim(x, y, data_range, **options) == pytest.approx(expected, abs=TOLERANCE, rel=0)
    # Its map is that of the symmetric border, of which only the inside counts for its mean.
    ours = iqa.ssim(x, y, data_range, border="symmetric", map=True, **options).map
    np.testing.assert_allclose(ours, expected_map, rtol=0, atol=OF_A_PIXEL)


@pytest.mark.parametrize("shape", [(11, 11), (11, 400), (13, 17), (12, 31), (251, 11), (64, 65)])
def test_odd_sizes(shape):
    x, y = (np.resize(image, shape) for image in photographs())
    expected, _ = peer(x, y, 1.0)
    assert iqa.ssim(x, y, 1.0) == pytest.approx(expected, abs=TOLERANCE, rel=0)


@pytest.mark.parametrize("layout", ["HWC", "CHW"])
@pytest.mark.parametrize("options", OPTIONS[:7])
def test_colour(layout, options):
    random = np.random.default_rng(3)
    x = skimage.data.astronaut()[:201, :199] / 255
    y = np.clip(x + 0.05 * random.standard_normal(x.shape), 0, 1)
    expected, expected_map = peer(x, y, 1.0, channel_axis=-1, **options)
    if layout == "CHW":
        x, y, expected_map = (np.moveaxis(image, -1, 0) for image in (x, y, expected_map))
    assert iqa.ssim(x, y, 1.0, layout, **options) == pytest.approx(expected, abs=TOLERANCE, rel=0)
    ours = iqa.ssim(x, y, 1.0, layout, border="symmetric", map=True, **options).map
    np.testing.assert_allclose(ours, expected_map, rtol=0, atol=OF_A_PIXEL)


def test_per_channel():
    x = skimage.data.astronaut()[:64, :64] / 255
    y = x**1.2
    ours = iqa.ssim(x, y, 1.0, "HWC", per_channel=True).per_channel
    for channel in range(3):
        expected, _ = peer(x[..., channel], y[..., channel], 1.0)
        assert ours[0, channel] == pytest.approx(expected, abs=TOLERANCE, rel=0)


def test_noisy_camera():
    """The pair of scikit-image's own tests, and the values that they state."""
    camera = skimage.data.camera()
    random = np.random.RandomState(5)
    noisy = np.clip(camera + 20.0 * random.randn(*camera.shape), 0, 255).astype(camera.dtype)
    assert iqa.ssim(camera, noisy) == pytest.approx(0.357959, abs=5e-4)
    assert iqa.psnr(camera, noisy) == pytest.approx(22.40935, abs=1e-5)
    value = iqa.ssim(
        camera, noisy, window="uniform", size=7, covariance="sample", arithmetic="float64"
    )
    assert value == pytest.approx(0.3674518327910367, abs=TOLERANCE, rel=0)


@pytest.mark.parametrize(
    ("reference", "distorted"),
    SHIPPED_PAIRS,
    ids=[f"{other.parent.name}-{other.stem}" for _, other in SHIPPED_PAIRS],
)
def test_shipped_pictures(reference, distorted):
    x, y = skimage.io.imread(reference), skimage.io.imread(distorted)
    layout, channel_axis = ("HW", None) if x.ndim == 2 else ("HWC", -1)
    span = float(np.iinfo(x.dtype).max)
    wide_x, wide_y = x.astype(np.float64), y.astype(np.float64)
    for options in OPTIONS:
        expected, expected_map = peer(wide_x, wide_y, span, channel_axis, **options)
        value = iqa.ssim(wide_x, wide_y, span, layout, **options)
        assert value == pytest.approx(expected, abs=TOLERANCE, rel=0)
        ours = iqa.ssim(wide_x, wide_y, span, layout, border="symmetric", map=True, **options)
        np.testing.assert_allclose(ours.map, expected_map, rtol=0, atol=OF_A_PIXEL)
        single = iqa.ssim(x, y, layout=layout, **options)
        assert single == pytest.approx(expected, abs=single_precision(options), rel=0)
    expected = peak_signal_noise_ratio(x, y)
    assert iqa.psnr(x, y, layout=layout) == pytest.approx(expected, abs=1e-10, rel=0)


def test_pictures_are_shipped():
    assert len(SHIPPED_PAIRS) >= 16


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
def test_psnr(dtype):
    x, y = photographs()
    scale = 1.0 if np.issubdtype(dtype, np.floating) else float(np.iinfo(dtype).max)
    x, y = (x * scale).astype(dtype), (y * scale).astype(dtype)
    wide = peak_signal_noise_ratio(x.astype(np.float64), y.astype(np.float64), data_range=scale)
    assert iqa.psnr(x, y, scale) == pytest.approx(wide, abs=1e-10, rel=0)
