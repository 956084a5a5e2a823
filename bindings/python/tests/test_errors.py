# SPDX-License-Identifier: MIT
"""Which exception each mistake gives, and what it says."""

import pickle

import numpy as np
import pytest
from pictures import batch

import iqa

GREY = np.zeros((32, 40))
COLOUR = np.zeros((32, 40, 3))


@pytest.mark.parametrize(
    ("call", "kind", "builtin", "text"),
    [
        (lambda: iqa.ssim(GREY, GREY), iqa.InvalidArgumentError, ValueError, "data_range=1.0"),
        (
            lambda: iqa.ssim(COLOUR, COLOUR, 1.0),
            iqa.ShapeError,
            ValueError,
            r"shape \(32, 40, 3\) .* layout='HWC' or layout='CHW' or layout='NHW'",
        ),
        (
            lambda: iqa.psnr(COLOUR[None], COLOUR[None], 1.0),
            iqa.ShapeError,
            ValueError,
            "layout='NHWC' or layout='NCHW'",
        ),
        (
            lambda: iqa.ssim(COLOUR, COLOUR, 1.0, "NCHW", map=True),
            iqa.ShapeError,
            ValueError,
            "reference has 3 axes, but the layout 'NCHW' has 4",
        ),
        (
            lambda: iqa.ssim(GREY, GREY[:, 1:], 1.0),
            iqa.ShapeError,
            ValueError,
            r"candidate has shape \[32, 39\] but reference has \[32, 40\]",
        ),
        (
            lambda: iqa.ssim(GREY[:7], GREY[:7], 1.0),
            iqa.ShapeError,
            ValueError,
            "height 7 is smaller than the 11-pixel window",
        ),
        (
            lambda: iqa.ssim(GREY[:7], GREY[:7], 1.0, map=True),
            iqa.ShapeError,
            ValueError,
            "height 7 is smaller than the 11-pixel window",
        ),
        (
            lambda: iqa.ssim(GREY, GREY.astype("f4"), 1.0),
            iqa.DtypeError,
            TypeError,
            "candidate has element type float32 but reference has float64",
        ),
        (lambda: iqa.SSIM().compute(), iqa.NoDataError, RuntimeError, "no image"),
        (lambda: iqa.PSNR().mse, iqa.NoDataError, RuntimeError, "no image"),
        (
            lambda: iqa.ssim(GREY + np.nan, GREY, 1.0),
            iqa.NumericError,
            ValueError,
            r"1280 .*\[0, 0\]",
        ),
        (
            lambda: iqa.SSIM(1.0).merge(iqa.SSIM(2.0)),
            iqa.IncompatibleError,
            ValueError,
            "different options",
        ),
        (lambda: iqa.SSIM(1.0).merge(iqa.PSNR(1.0)), iqa.IncompatibleError, ValueError, "kinds"),
        (lambda: iqa.SSIM.from_bytes(b"no state"), iqa.CorruptError, ValueError, "bytes"),
        (lambda: iqa.SSIM().add_lanes([1]), iqa.IncompatibleError, ValueError, "1 lanes"),
        (lambda: iqa.Context(0), iqa.InvalidArgumentError, ValueError, "threads is 0"),
        (lambda: iqa.Context(2**32 + 1), iqa.InvalidArgumentError, ValueError, "threads is 4294"),
        (
            lambda: iqa.Context(instruction_set="sse"),
            iqa.InvalidArgumentError,
            ValueError,
            "instruction_set is 'sse', expected one of 'baseline', 'avx2', 'avx512', 'best'",
        ),
    ],
)
def test_mistakes(call, kind, builtin, text):
    with pytest.raises(kind, match=text) as caught:
        call()
    assert isinstance(caught.value, builtin)
    assert caught.value.status == kind.status
    assert str(caught.value)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"data_range": 0}, "data_range is 0, expected a number above 0"),
        ({"data_range": -1.0}, "data_range is -1.0"),
        ({"data_range": (1, 0)}, r"data_range is \(1, 0\)"),
        ({"data_range": (0, 1, 2)}, "data_range is"),
        ({"data_range": "255"}, "data_range is '255', expected a number above 0"),
        ({"data_range": float("nan")}, "data_range is nan"),
        ({"data_range": float("inf")}, "data range is 0 ... inf"),
        ({"data_range": np.zeros(3)}, "data_range is"),
        ({"layout": "WH"}, "layout is 'WH', expected one of 'HW', 'HWC'"),
        ({"layout": 3}, "layout is 3"),
        ({"window": "box"}, "window is 'box', expected one of 'gaussian', 'uniform'"),
        ({"border": None, "window": "uniform"}, "size"),
        ({"border": "mirror"}, "border is 'mirror'"),
        ({"size": 8}, "size_y is 8; expected an odd number"),
        ({"size": 2**32 + 11}, "size is 4294967307, expected an odd number"),
        ({"size": 11.0}, "size is 11.0, expected an odd number"),
        ({"size": (11, 0)}, "size is 0, expected an odd number"),
        ({"size": (3, 5, 7)}, r"size has 3 values, expected a pair \(down, across\)"),
        ({"sigma": 0}, "sigma_y is 0"),
        ({"sigma": (1, -1)}, "sigma_x is -1"),
        ({"size": "large"}, "size is 'large', expected one of 'auto', 'auto_ceiling'"),
        ({"size": (3, 5), "layout": "DHW"}, r"size has 2 values, expected three \(depth, down"),
        ({"spacing": 0}, "spacing_y is 0"),
        ({"preset": "Matlab"}, "preset is 'Matlab', expected one of 'wang2004'"),
        ({"scales": 3}, "scales is 3, expected scale_weights too: 3 numbers whose sum is 1"),
        ({"scales": 0}, "scales is 0, expected the number of scales"),
        ({"scales": 3, "scale_weights": (0.5, 0.5)}, "scales is 3, but scale_weights has 2"),
        ({"scale_weights": (0.5, 0.7)}, "the scale_weights sum to 1.2; expected 1"),
        ({"scale_weights": (1 / 13,) * 13}, "scale_weights is .*, expected 1 to 12 numbers"),
        ({"scale_weights": 0.5}, "scale_weights is 0.5, expected 1 to 12 numbers"),
        ({"scale_weights": ("1",)}, "scale_weights is '1', expected a number"),
        ({"luma": "yiq"}, "luma is 'yiq', expected one of 'none', 'bt601_full'"),
        ({"luma_rounded": 2}, "luma_rounded is 2, expected True or False"),
        ({"parts": "yes"}, "parts is 'yes', expected True or False"),
        ({"shave": -1}, "shave is -1, expected a number of pixels"),
        ({"shave": 1.5}, "shave is 1.5, expected a number of pixels"),
        ({"downsample": 0}, "downsample is 0, expected a factor of at least 1, or 'auto'"),
        ({"downsample": "half"}, "downsample is 'half', expected one of 'auto'"),
        ({"downsample": 2, "shrink": "zero"}, "downsample needs shrink"),
        ({"shrink": "ceil"}, "shrink is 'ceil', expected one of 'symmetric', 'floor'"),
        ({"product": "batch"}, "product is 'batch', expected one of 'channel', 'image'"),
        ({"negative": "abs"}, "negative is 'abs', expected one of 'keep', 'relu'"),
        ({"contrast_border": "none"}, "contrast_border is 'none'"),
        ({"mask_mode": "zero"}, "mask_mode is 'zero', expected one of 'convolution', 'map'"),
        ({"coverage": 1.5}, "coverage is 1.5; expected 0 to 1"),
        ({"window": "blocks", "parts": True}, "window is IQA_WINDOW_BLOCKS, which has no"),
        ({"sigma": "1.5"}, "sigma is '1.5', expected a number"),
        ({"truncate": (1, 2)}, r"truncate is \(1, 2\), expected a number"),
        ({"k1": -0.1}, "k1 is -0.1"),
        ({"k2": float("nan")}, "k2 is nan"),
        ({"covariance": "unbiased"}, "covariance is 'unbiased'"),
        ({"arithmetic": "float32"}, "arithmetic is 'float32'"),
        ({"nonfinite": "ignore"}, "nonfinite is 'ignore', expected one of 'error', 'propagate'"),
    ],
)
def test_options_out_of_their_domain(options, text):
    with pytest.raises(iqa.InvalidArgumentError, match=text):
        iqa.SSIM(**options)
    with pytest.raises(ValueError, match=text):
        iqa.ssim(GREY, GREY, **{"data_range": 1.0, **options})


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"aggregate": "mean"}, "aggregate is 'mean', expected one of 'psnr_of_mean_mse', 'mean_"),
        ({"log_base": 1}, "log_base is 1"),
        ({"cap": float("nan")}, "cap is nan"),
        ({"gradient": "db"}, "gradient is 'db', expected one of 'psnr', 'mse'"),
    ],
)
def test_options_of_psnr_out_of_their_domain(options, text):
    with pytest.raises(iqa.InvalidArgumentError, match=text):
        iqa.PSNR(1.0, **options)


@pytest.mark.parametrize("call", [iqa.SSIM, lambda **options: iqa.ssim(GREY, GREY, **options)])
def test_unknown_options(call):
    with pytest.raises(TypeError, match=r"no option 'windw'; the options are .*window"):
        call(windw="gaussian")


def test_nonfinite_samples():
    x, y = batch(1, dtype=np.float32)
    y[0, 1, 2, 3] = np.inf
    y[0, 1, 2, 4] = np.nan
    for kind in (iqa.SSIM, iqa.PSNR):
        strict = kind(1.0, "NCHW")
        with pytest.raises(iqa.NumericError, match=r"2 .*\[0, 1, 2, 3\]"):
            strict.update(x, y)
        assert strict.images == 0
        lenient = kind(1.0, "NCHW", nonfinite="propagate")
        lenient.update(x, y)
        assert lenient.nonfinite == 2
        assert lenient.out_of_range == 2
        assert np.isnan(lenient.compute())


def test_samples_out_of_range_are_counted():
    metric = iqa.SSIM(data_range=(10, 20))
    x = np.full((16, 16), 15.0)
    y = x.copy()
    y[3, 4], x[5, 6] = 20.5, 9.5
    metric.update(x, y)
    assert metric.out_of_range == 2
    assert metric.nonfinite == 0


@pytest.mark.parametrize("mistake", ["shape", "numeric", "layout"])
def test_a_failed_update_changes_nothing(mistake):
    x, y = batch(3, dtype=np.float64)
    metric = iqa.SSIM(1.0, "NCHW")
    metric.update(x, y)
    before = metric.to_bytes()
    bad = {"shape": y[:, :, 1:], "numeric": y + np.inf, "layout": y[0]}[mistake]
    with pytest.raises(iqa.Error):
        metric.update(x, bad)
    assert metric.to_bytes() == before
    metric.update(x, y)
    assert metric.images == 6


@pytest.mark.parametrize("kind", iqa.Error.__subclasses__())
def test_exceptions_travel_between_processes(kind):
    twin = pickle.loads(pickle.dumps(kind("what was wrong")))
    assert type(twin) is kind
    assert (str(twin), twin.status) == ("what was wrong", kind.status)


def test_statuses_of_later_versions():
    unknown = iqa._errors.error(99, "text")
    assert type(unknown) is iqa.Error
    assert unknown.status == 99


def test_a_closed_metric_says_so():
    with iqa.SSIM(1.0) as metric:
        metric.update(GREY, GREY)
    metric.close()
    assert repr(metric) == "<iqa.SSIM, closed>"
    for call in (
        metric.compute,
        metric.reset,
        metric.lanes,
        metric.to_bytes,
        lambda: metric.images,
        lambda: metric.add_lanes([1]),
        lambda: metric.update(GREY, GREY),
        lambda: metric.merge(iqa.SSIM(1.0)),
        lambda: iqa.SSIM(1.0).merge(metric),
    ):
        with pytest.raises(iqa.InvalidArgumentError, match="the metric is closed"):
            call()


def test_merging_what_is_no_metric():
    with pytest.raises(TypeError, match="other is int, expected a metric"):
        iqa.SSIM().merge(3)


def test_mixed_integer_types_have_no_common_peak():
    metric = iqa.PSNR()
    metric.update(np.zeros((8, 8), np.uint8), np.ones((8, 8), np.uint8))
    metric.update(np.zeros((8, 8), np.uint16), np.ones((8, 8), np.uint16))
    assert metric.mse == 1.0
    with pytest.raises(iqa.IncompatibleError, match="8-bit and 16-bit"):
        metric.compute()
