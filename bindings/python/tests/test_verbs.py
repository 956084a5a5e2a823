# SPDX-License-Identifier: MIT
"""Metrics as Python's users try them first: called, added, summed, merged; a range for each update.

What is right is what one metric says of all images, bit for bit.
"""

import functools
import operator

import numpy as np
import pytest
from pictures import batch

import iqa

X, Y = batch(6)
LABELS = np.random.default_rng(5).integers(0, 4, (2, 6, 40, 50))
ROWS = np.random.default_rng(6).standard_normal((2, 60, 8)).astype(np.float32)


def image_metrics():
    small = {"scale_weights": (0.5, 0.5), "size": 5}
    return [
        iqa.SSIM(1.0, "NCHW", parts=True),
        iqa.MS_SSIM(1.0, "NCHW", **small),
        iqa.PSNR(1.0, "NCHW", aggregate="mean_of_psnr"),
        iqa.MeanErrors(layout="NCHW", measure="nrmse_euclidean"),
    ]


def cases():
    """A metric, two batches, and both as one."""
    for metric in image_metrics():
        yield metric, (X[:2], Y[:2]), (X[2:], Y[2:]), (X, Y)
    for options in ({"score": "iou", "average": "macro"}, {}):
        metric = iqa.ConfusionMatrix(4, batched=True, **options)
        yield metric, LABELS[:, :2], LABELS[:, 2:], LABELS
    yield iqa.FID(8), ROWS[:, :30], ROWS[:, 30:], ROWS


CASES = pytest.mark.parametrize(
    ("metric", "first", "second", "both"), list(cases()), ids=lambda given: type(given).__name__
)


def alone(metric, pair):
    """A metric with one batch."""
    fresh = metric.copy()
    fresh.update(*pair)
    return fresh


@CASES
def test_a_call_gives_the_batch_and_adds_it(metric, first, second, both):
    called = metric.copy()
    for pair in (first, second):
        assert np.array_equal(called(*pair), alone(metric, pair).compute())
    assert called.to_bytes() == alone(metric, both).to_bytes()


def test_a_call_gives_what_an_update_can():
    metric = iqa.SSIM(1.0, "NCHW")
    found = metric(X, Y, per_image=True, map=True)
    expected = iqa.ssim(X, Y, 1.0, "NCHW", per_image=True, map=True)
    assert found.value == expected.value
    assert (found.per_image == expected.per_image).all()
    assert (found.map == expected.map).all()
    weights = np.random.default_rng(1).integers(0, 3, LABELS[0].shape).astype(float)
    matrix = iqa.ConfusionMatrix(4, weighted=True, score="kappa")
    expected = iqa.kappa(*LABELS, 4, weights=weights)
    assert matrix(*LABELS, weights=weights) == expected == matrix.compute()


def test_a_call_measures_once():
    calls = []
    context = iqa.Context(threads=1, progress=lambda done, total: calls.append(done))
    iqa.PSNR(1.0, "NCHW", context=context).update(X, Y)
    once = len(calls)
    iqa.PSNR(1.0, "NCHW", context=context)(X, Y)
    assert len(calls) == 2 * once > 0


@CASES
def test_a_call_that_fails_adds_nothing(metric, first, second, both):
    empty, metric = metric, alone(metric, first)
    before = metric.to_bytes()
    wrong = np.zeros((3,) * 7), np.zeros((2,) * 3)
    for _ in range(2):
        with pytest.raises(iqa.Error):
            metric(*wrong)
        assert metric.to_bytes() == before
    metric(*second)
    assert metric.to_bytes() == alone(empty, both).to_bytes()


@CASES
def test_sums(metric, first, second, both):
    parts = [alone(metric, first), alone(metric, second)]
    states = [part.to_bytes() for part in parts]
    whole = alone(metric, both).to_bytes()
    assert (parts[0] + parts[1]).to_bytes() == whole
    assert sum(parts).to_bytes() == whole
    assert sum(parts, metric).to_bytes() == whole
    assert functools.reduce(operator.add, parts).to_bytes() == whole
    assert iqa.merge(iter(reversed(parts))).to_bytes() == whole
    assert iqa.merge(parts[:1]).to_bytes() == states[0]
    assert [part.to_bytes() for part in parts] == states
    same = parts[0]
    same += parts[1]
    assert same is parts[0]
    assert same.to_bytes() == whole


def test_sums_that_are_none():
    ssim, psnr = iqa.SSIM(1.0), iqa.PSNR(1.0)
    for call in (lambda: ssim + 1, lambda: 1 + ssim, lambda: ssim + "1"):
        with pytest.raises(TypeError, match="unsupported operand"):
            call()
    with pytest.raises(iqa.IncompatibleError):
        ssim + psnr
    with pytest.raises(iqa.IncompatibleError):
        ssim += iqa.SSIM(1.0, sigma=2)
    with pytest.raises(iqa.InvalidArgumentError, match="metrics is empty"):
        iqa.merge([])
    with pytest.raises(iqa.ArgumentTypeError, match=r"metrics\[1\] is int, expected a metric"):
        iqa.merge([ssim, 3])


class TestRangeOfAnUpdate:
    """Volumes whose range is known when they are read: fastMRI's evaluation."""

    PEAKS = (1.0, 3.5, 0.01, 40000.0, 255.0, 2.0)

    def volumes(self):
        for peak, x, y in zip(self.PEAKS, X, Y):
            yield peak, np.float32(peak) * x, np.float32(peak) * y

    @pytest.mark.parametrize("metric", image_metrics(), ids=lambda metric: type(metric).__name__)
    def test_each_has_its_own(self, metric):
        def new(data_range=None):
            options = {"layout": "CHW"}
            if isinstance(metric, iqa.MS_SSIM):
                options |= {"scale_weights": (0.5, 0.5), "size": 5}
            if isinstance(metric, iqa.PSNR):
                options["aggregate"] = "mean_of_psnr"
            return type(metric)(data_range, **options)

        together, values = new(), []
        for peak, x, y in self.volumes():
            given = together.update(x, y, data_range=peak, per_image=True).per_image[0]
            stated = new(peak)
            assert stated(x, y, per_image=True).per_image[0] == given
            values.append(stated.compute())
        assert together.images == len(values)
        if not isinstance(metric, iqa.MeanErrors):
            assert together.compute() == pytest.approx(np.mean(values), rel=1e-14)
        # Any grouping has the same state: ranges are no part of it.
        parts = [new(), new()]
        for number, (peak, x, y) in enumerate(self.volumes()):
            parts[number % 2](x, y, data_range=peak)
        assert parts[0].fingerprint == together.fingerprint
        assert sum(parts).to_bytes() == together.to_bytes()

    def test_the_evaluation_of_fastmri(self):
        """Means over slices by scikit-image's functions, each volume over its maximum."""
        skimage = pytest.importorskip("skimage.metrics")
        ssim = iqa.SSIM(layout="CHW", preset="skimage_default")
        psnr = iqa.PSNR(layout="CHW", aggregate="mean_of_psnr")
        expected = []
        for peak, *pair in self.volumes():
            x, y = (np.float64(volume[: 2 if peak > 3 else 3]) for volume in pair)
            most = x.max()
            slices = [skimage.structural_similarity(*one, data_range=most) for one in zip(x, y)]
            decibels = skimage.peak_signal_noise_ratio(x, y, data_range=most)
            expected.append((np.mean(slices), decibels))
            for metric in (ssim, psnr):
                metric.update(x, y, data_range=most)
        assert (ssim.compute(), psnr.compute()) == pytest.approx(np.mean(expected, 0), rel=1e-9)

    def test_pairs_scalars_and_copies(self):
        metric = iqa.SSIM(layout="CHW")
        expected = iqa.ssim(X[0], Y[0], (-1, 2), "CHW")
        assert metric(X[0], Y[0], data_range=(-1, 2)) == expected
        assert metric(X[0], Y[0], data_range=np.float32(0.5)) == iqa.ssim(X[0], Y[0], 0.5, "CHW")
        integers = (1000 * X[0]).astype(np.int64), (1000 * Y[0]).astype(np.int64)
        expected = iqa.ssim(*integers, 1000, "CHW")
        assert metric(*integers, data_range=1000) == expected

    def test_psnr_of_the_mean_error_has_none(self):
        metric = iqa.PSNR(layout="CHW")
        metric.update(X[0], Y[0], data_range=2.0)
        with pytest.raises(iqa.IncompatibleError, match="aggregate='mean_of_psnr'"):
            metric.compute()
        assert metric.mean_psnr == pytest.approx(iqa.psnr(X[0], Y[0], 2.0, "CHW"), abs=1e-12)

    @pytest.mark.parametrize("wrong", [0, -1, (1, 1), (2, 1), "wide", float("nan"), (0, 1, 2)])
    def test_what_is_no_range(self, wrong):
        metric = iqa.SSIM(layout="CHW")
        with pytest.raises(iqa.InvalidArgumentError, match=r"data_range is|the data range"):
            metric.update(X[0], Y[0], data_range=wrong)
        assert metric.images == 0

    def test_in_one_place(self):
        with pytest.raises(iqa.InvalidArgumentError, match="state it in one place"):
            iqa.PSNR(1.0, "CHW").update(X[0], Y[0], data_range=1.0)
        with pytest.raises(iqa.ArgumentTypeError, match="data_range"):
            iqa.FID(8).update(ROWS[0], ROWS[1], data_range=1.0)


class TestOneCall:
    """Of labels: what the matrix says."""

    MATRIX = iqa.ConfusionMatrix(4)
    MATRIX.update(*LABELS)

    def test_scores(self):
        assert iqa.fbeta(*LABELS, 4, beta=2, average="macro") == self.MATRIX.f(
            beta=2, average="macro"
        )
        assert iqa.fbeta(*LABELS, 4, beta=1, average="micro") == iqa.f1(*LABELS, 4, average="micro")
        found = iqa.specificity(*LABELS, 4, average=None)
        assert (found == self.MATRIX.specificity(average=None)).all()
        assert iqa.balanced_accuracy(*LABELS, 4) == self.MATRIX.balanced_accuracy()
        assert iqa.generalized_dice(*LABELS, 4) == self.MATRIX.generalized_dice()

    def test_the_matrix(self):
        expected = np.zeros((4, 4), np.int64)
        np.add.at(expected, tuple(LABELS.reshape(2, -1)), 1)
        assert (iqa.confusion_matrix(*LABELS, 4) == expected).all()
        assert (self.MATRIX.compute() == expected).all()
        rows = iqa.confusion_matrix(*LABELS, 4, normalized="row")
        assert np.allclose(rows, expected / expected.sum(1, keepdims=True), rtol=1e-15)
        weights = np.full(LABELS[0].shape, 0.5)
        assert (iqa.confusion_matrix(*LABELS, 4, weights=weights) == expected / 2).all()
        ignored = iqa.confusion_matrix(*LABELS, 4, ignore=2)
        assert (ignored[2] == 0).all()

    def test_beta_has_to_be_said(self):
        with pytest.raises(TypeError, match="beta"):
            iqa.fbeta(*LABELS, 4, average="macro")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: iqa.ssim(X, Y, kernel_size=7), "here it is size;"),
        (lambda: iqa.SSIM(1.0, channel_axis=1), "here it is layout, such as"),
        (lambda: iqa.f1(*LABELS, num_classes=4), "here it is classes"),
        (lambda: iqa.f1(*LABELS, 4, ignore_index=255), "here it is ignore;"),
        (lambda: iqa.PSNR(crop_border=4), "here it is shave;"),
        (lambda: iqa.SSIM(padding="reflect"), "here it is border;"),
        (lambda: iqa.ssim(X, Y, test_y_channel=True), "here it is luma='bt601_studio'"),
        (lambda: iqa.ssim(im1=X, im2=Y), "here it is reference"),
        (lambda: iqa.SSIM(1.0, normalize="relu"), "here it is negative='relu'"),
        (
            lambda: iqa.confusion_matrix(*LABELS, 4, normalize="true"),
            "here it is normalized='row'",
        ),
        (
            lambda: iqa.f1(*LABELS, 4, input_format="one-hot"),
            "here it is reference_labels='one_hot'",
        ),
        (
            lambda: iqa.ConfusionMatrix(4, input_format="one-hot"),
            "here it is reference='one_hot'",
        ),
        (lambda: iqa.ConfusionMatrix(4, pos_label=1), "here it is average='binary'"),
        (lambda: iqa.ssim(X, Y, full=True), "here it is map=True"),
    ],
)
def test_the_words_of_other_libraries(call, said):
    with pytest.raises(iqa.ArgumentTypeError) as caught:
        call()
    assert said in str(caught.value)
