# SPDX-License-Identifier: MIT
"""Which exception each mistake gives, and what it says."""

import gc
import pickle
import re
import sys

import numpy as np
import pytest
from conftest import REPOSITORY
from pictures import batch

import iqa
from iqa import _words
from iqa._words import in_python

GREY = np.zeros((32, 40))
COLOUR = np.zeros((32, 40, 3))
LABELS = np.arange(20).reshape(4, 5) % 2
SAMPLES = iqa.ConfusionMatrix(2, batched=True, keep_samples=True, average="macro")
SAMPLES.update(LABELS, LABELS)


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
            lambda: iqa.ssim(GREY, GREY.astype("u1"), 1.0),
            iqa.DtypeError,
            TypeError,
            "candidate has element type uint8 but reference has float64",
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
        ({"window": "blocks", "parts": True}, "window is 'blocks', which has no"),
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
    with pytest.raises(
        TypeError, match=r"'windw' \(did you mean 'window'\?\); the options are .*window"
    ):
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


class TestWords:
    """Errors speak of "propagate", not of IQA_NONFINITE_PROPAGATE."""

    def test_every_message_of_the_library(self):
        """The literals of the library's sources, as they stand there."""
        found = 0
        for source in sorted((REPOSITORY / "src").rglob("*pp")):
            text = re.sub(r'"\s*\n\s*"', "", source.read_text())
            for literal in re.findall(r'"((?:[^"\\\n]|\\.)*)"', text):
                if "IQA_" not in literal or re.fullmatch(r"IQA_[A-Z0-9_]*", literal):
                    continue  # a name alone, of a status, a layout or a family, is no message
                if "environment variable" in literal:
                    continue  # those have the same names for everybody
                found += 1
                said = in_python(literal)
                assert "IQA_" not in said, said
                assert "`" not in said, said
        assert found >= 20

    @pytest.mark.parametrize("family", sorted(_words._FAMILIES))
    def test_every_constant_of_the_header(self, family, header_directory):
        header = (header_directory / "iqa_c.h").read_text()
        for word in _words._FAMILIES[family]:
            constant = f"IQA_{family}_{word.upper()}"
            assert re.search(rf"\b{constant}\b", header), constant
            assert in_python(f"x is {constant}") == f"x is {word!r}"

    @pytest.mark.parametrize(
        ("call", "said"),
        [
            (
                lambda: iqa.ssim(GREY + np.nan, GREY, 1.0),
                "set nonfinite='propagate' to let them through, or to 'mask' to leave them out",
            ),
            (
                lambda: iqa.iou(LABELS, LABELS, 2),
                "set average='none', 'micro', 'macro', 'weighted', 'binary' or 'pairs'",
            ),
            (
                lambda: iqa.iou(LABELS, LABELS, 3, average="binary"),
                "'binary' is the score of class 1 of 2",
            ),
            (
                lambda: SAMPLES.iou(over="samples", empty="skip_unreferenced"),
                "empty is 'skip_unreferenced', but the samples were summed with the options' empty"
                " 'skip'",
            ),
            (
                lambda: SAMPLES.iou(over="samples", zero_division="nan"),
                "zero_division is 'nan', but the samples were summed with the options'"
                " zero_division 'zero'",
            ),
            (
                lambda: SAMPLES.mcc(over="samples"),
                "score is 'mcc', which samples do not have; expected one of 'accuracy',",
            ),
            (
                lambda: iqa.ConfusionMatrix(2, score="mcc", batched=True, average="macro").update(
                    LABELS, LABELS, per_sample=True
                ),
                "per_sample is given, but score is 'mcc', which samples do not have",
            ),
            (
                lambda: iqa.ConfusionMatrix(2, score="iou").compute(),
                "the average is not stated: set average=",
            ),
            (
                lambda: iqa.ConfusionMatrix(2, weighted=True).update(LABELS, LABELS),
                "weights is None, but the metric was created with weighted",
            ),
            (
                lambda: iqa.SSIM(1.0, nonfinite="mask", mask_mode="map"),
                "'mask' needs mask_mode to be 'convolution': with 'map' every sample",
            ),
            (lambda: iqa.FID(8, word_bits=16), "expected 24 or 32"),
        ],
    )
    def test_what_is_said(self, call, said):
        with pytest.raises(iqa.Error) as caught:
            call()
        assert said in str(caught.value)

    @pytest.mark.parametrize(
        ("call", "hint"),
        [
            (lambda: iqa.SSIM(kernel_size=7), "'kernel_size': here it is size;"),
            (lambda: iqa.SSIM(gaussian_kernel=False), "here it is window='gaussian' or window="),
            (lambda: iqa.SSIM(data_rang=1.0), r"did you mean 'data_range'\?"),
            (lambda: iqa.ssim(GREY, GREY, 1.0, kernel_size=7), "here it is size;"),
            (lambda: iqa.ssim(preds=GREY, target=GREY), "'preds': here it is candidate;"),
            (lambda: iqa.ssim(GREY, y_pred=GREY), "'y_pred': here it is candidate;"),
            (lambda: iqa.SSIM(1.0).update(preds=GREY, target=GREY), "here it is candidate;"),
            (lambda: iqa.SSIM(1.0).update(GREY, GREY, per_imag=True), "did you mean 'per_image'"),
            (lambda: iqa.psnr(GREY, GREY, 1.0, base=2), "'base': here it is log_base;"),
            (lambda: iqa.psnr(GREY, GREY, 1.0, reduction="none"), "here it is per_image=True"),
            (lambda: iqa.MS_SSIM(1.0, betas=(1,)), "'betas': here it is scale_weights;"),
            (lambda: iqa.ConfusionMatrix(num_classes=5), "'num_classes': here it is classes;"),
            (lambda: iqa.ConfusionMatrix(5, ignore_index=1), "here it is ignore;"),
            (lambda: iqa.ConfusionMatrix(5, class_axes=1), "did you mean 'class_axis'"),
            (lambda: iqa.iou(LABELS, LABELS, num_classes=2), "here it is classes;"),
            (lambda: iqa.f1(LABELS, LABELS, 2, ignore_index=2), "here it is ignore;"),
            (lambda: iqa.f1(y_true=LABELS, y_pred=LABELS), "'y_true': here it is reference;"),
            (lambda: SAMPLES.iou(averag="macro"), "did you mean 'average'"),
            (lambda: iqa.FID(feature=64), "'feature': here it is features;"),
            (lambda: iqa.KID(coef=1.0), "'coef': here it is coef0;"),
            (lambda: iqa.KID().update(real=GREY), "'real': here it is reference;"),
            (lambda: iqa.fid(GREY, GREY, fraction_bit=3), "did you mean 'fraction_bits'"),
            (lambda: iqa.inception_score(GREY, split=3), "did you mean 'splits'"),
            (lambda: iqa.Context(thread=3), "did you mean 'threads'"),
        ],
    )
    def test_keywords_of_others_and_typing_mistakes(self, call, hint):
        with pytest.raises(iqa.ArgumentTypeError, match=hint) as caught:
            call()
        assert isinstance(caught.value, TypeError)
        assert isinstance(caught.value, iqa.InvalidArgumentError)

    def test_what_python_says_stays(self):
        with pytest.raises(TypeError, match="missing 1 required positional argument"):
            iqa.ssim(GREY)

        def progress(done, total):
            raise TypeError("mine")

        with pytest.raises(TypeError, match="mine"):
            iqa.ssim(
                np.zeros((2000, 2000)),
                np.zeros((2000, 2000)),
                1.0,
                context=iqa.Context(1, progress=progress),
            )


def test_no_average():
    """None is "none", as in scikit-learn and TorchMetrics; elsewhere it is "not stated"."""
    expected = iqa.iou(LABELS, LABELS, 2, average="none").tolist()
    assert iqa.iou(LABELS, LABELS, 2, average=None).tolist() == expected == [1, 1]
    metric = iqa.ConfusionMatrix(2, average=None)
    metric.update(LABELS, LABELS)
    assert metric.f1().tolist() == [1, 1]
    assert metric.f1(average="macro") == 1
    assert iqa.iou(LABELS, LABELS, 2, average="micro", empty=None) == 1


@pytest.mark.parametrize("kind", [np.asarray, tuple, list])
def test_scale_weights(kind):
    x, y = batch(1, dtype=np.float64)
    weights = (0.25, 0.75)
    expected = iqa.ms_ssim(x, y, 1.0, "NCHW", scale_weights=weights)
    assert iqa.ms_ssim(x, y, 1.0, "NCHW", scale_weights=kind(weights)) == expected
    assert iqa.MS_SSIM(1.0, "NCHW", scales=2, scale_weights=kind(weights)) is not None


def test_options_are_read_when_they_are_given():
    """An array whose content changes is another option the next time."""
    x, y = batch(1, dtype=np.float64)
    weights, peak = np.array([0.25, 0.75]), np.array(1.0)
    first = iqa.ms_ssim(x, y, peak, "NCHW", scale_weights=weights)
    weights[:] = 0.5
    peak[...] = 2.0
    second = iqa.ms_ssim(x, y, peak, "NCHW", scale_weights=weights)
    assert second == iqa.ms_ssim(x, y, 2.0, "NCHW", scale_weights=(0.5, 0.5)) != first


@pytest.mark.parametrize(
    "make",
    [
        lambda: iqa.SSIM(bogus=1),
        lambda: iqa.SSIM(1.0, "HW", 3),
        lambda: iqa.MS_SSIM(bogus=1),
        lambda: iqa.PSNR(bogus=1),
        lambda: iqa.PSNR(data_range=-1),
        lambda: iqa.ConfusionMatrix(3, bogus=1),
        iqa.ConfusionMatrix,
        lambda: iqa.ConfusionMatrix("three"),
        lambda: iqa.ConfusionMatrix(3, ignore=[0, 255]),
        lambda: iqa.FID(bogus=1),
        lambda: iqa.FID(0),
        lambda: iqa.KID(bogus=1),
        lambda: iqa.KID(degree="x"),
        lambda: iqa.Context(bogus=1),
        lambda: iqa.Context(threads="many"),
        lambda: iqa.SSIM(context=3),
    ],
)
def test_refused_arguments_leave_nothing_to_complain_of(make, monkeypatch):
    """No exception in a finalizer, which Python could only print."""
    unraisable = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    with pytest.raises((iqa.Error, TypeError)):
        make()
    gc.collect()
    assert not unraisable


def test_every_refusal_is_an_error_of_iqa():
    for call in (
        lambda: iqa.ConfusionMatrix("three"),
        lambda: iqa.ConfusionMatrix(3, ignore=[0, 255]),
        lambda: iqa.ConfusionMatrix(3, threshold="x"),
        lambda: iqa.ConfusionMatrix(3, excluded=1),
        lambda: iqa.ConfusionMatrix(3, excluded=["a"]),
        lambda: iqa.ConfusionMatrix(3, beta="x"),
        lambda: iqa.Context("x"),
        lambda: iqa.SSIM(context=3),
        lambda: iqa.SSIM(1.0).add_lanes(["x"]),
        lambda: iqa.SSIM(1.0).merge(3),
        lambda: iqa.SSIM.from_bytes(3),
        lambda: iqa.SSIM.from_bytes("text"),
        lambda: iqa.fid_extrapolate([3]),
        lambda: iqa.fid_jackknife(3),
        lambda: iqa.fid_from_statistics(__file__, __file__),
        lambda: iqa.fid_from_statistics(3, 4),
        lambda: iqa.ssim(__file__, __file__),
        lambda: iqa.ssim(GREY, GREY, 1.0, weights="x"),
        lambda: iqa.ssim(GREY, GREY, 1.0, map="x"),
    ):
        with pytest.raises(iqa.Error):
            call()
