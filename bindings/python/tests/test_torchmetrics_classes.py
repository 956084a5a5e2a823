# SPDX-License-Identifier: MIT
"""iqa.torchmetrics beside TorchMetrics, live: signatures, values, types and shapes."""

from __future__ import annotations

import importlib
import inspect

import pytest

torch = pytest.importorskip("torch")
torchmetrics = pytest.importorskip("torchmetrics")

import iqa.torchmetrics as ours  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

OWN = {"ExactMetric", "Features", "InceptionFeatures"}
NAMES = [name for name in ours.__all__ if name not in OWN]
TASKS = [name for name in NAMES if hasattr(getattr(ours, name), "classes")]
TOLERANCE = 2e-5  # theirs divide and filter in float32


def theirs_of(name):
    for where in (
        *("torchmetrics.image", "torchmetrics.image.fid", "torchmetrics.image.kid"),
        *("torchmetrics.image.inception", "torchmetrics.segmentation"),
        *("torchmetrics.classification", "torchmetrics"),
    ):
        module = importlib.import_module(where)
        if hasattr(module, name):
            return getattr(module, name)
    raise LookupError(name)


def test_all_of_them():
    assert len(NAMES) >= 47
    for name in NAMES:
        assert issubclass(getattr(ours, name), torchmetrics.Metric)


@pytest.mark.parametrize("name", NAMES)
def test_signature(name):
    """Names, order, defaults; what ours takes besides has to be named."""
    which = "__new__" if name in TASKS else "__init__"
    mine, theirs = (
        [
            (p.name, p.default)
            for p in inspect.signature(getattr(one, which)).parameters.values()
            if p.kind != p.KEYWORD_ONLY
        ]
        for one in (getattr(ours, name), theirs_of(name))
    )
    assert mine == theirs


@pytest.mark.parametrize("name", [name for name in NAMES if name not in TASKS])
def test_attributes(name):
    for attribute in (
        *("higher_is_better", "full_state_update"),
        *("plot_lower_bound", "plot_upper_bound", "plot_legend_name"),
    ):
        mine, theirs = (getattr(one, attribute) for one in (getattr(ours, name), theirs_of(name)))
        assert mine == theirs, attribute


def same(name, options, batches, tolerance=TOLERANCE):
    """Value after updates, and of forward, beside theirs."""
    mine, theirs = getattr(ours, name)(**options), theirs_of(name)(**options)
    for batch in batches:
        equal(mine(*batch), theirs(*batch), tolerance)
    equal(mine.compute(), theirs.compute(), tolerance)
    updated = getattr(ours, name)(**options)
    for batch in batches:
        updated.update(*batch)
    equal(updated.compute(), mine.compute(), 0)


def equal(mine, theirs, tolerance):
    if isinstance(theirs, tuple):
        for pair in zip(mine, theirs):
            equal(*pair, tolerance)
        return
    assert (mine.shape, mine.dtype, mine.device) == (theirs.shape, theirs.dtype, theirs.device)
    assert not mine.requires_grad
    torch.testing.assert_close(
        mine.double(), theirs.double(), rtol=1e-6, atol=tolerance, equal_nan=True
    )


def images(shape, count=2, dtype=torch.float32):
    generator = torch.Generator().manual_seed(len(shape))
    pairs = []
    for _ in range(count):
        target = torch.rand(*shape, generator=generator)
        noise = torch.rand(*shape, generator=generator)
        pairs.append(((target + 0.2 * noise - 0.1).to(dtype), target.to(dtype)))
    return pairs


SSIM = "StructuralSimilarityIndexMeasure"
MS_SSIM = "MultiScaleStructuralSimilarityIndexMeasure"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("reduction", ["elementwise_mean", "sum", "none", None])
@pytest.mark.parametrize(
    "options",
    [
        {"data_range": 1.0},
        {"data_range": 2.0, "sigma": 0.8},
        {"data_range": (0.2, 0.7), "sigma": (1.0, 1.5)},
        {"data_range": 1.0, "gaussian_kernel": False, "kernel_size": (3, 5)},
        {"data_range": 1.0, "k1": 0.02, "k2": 0.05, "return_full_image": True},
        {"data_range": None},
    ],
)
def test_ssim(options, reduction, dtype):
    batches = images((3, 2, 24, 30), dtype=dtype)
    same(SSIM, {**options, "reduction": reduction}, batches)


@pytest.mark.parametrize("options", [{}, {"gaussian_kernel": False, "kernel_size": 5}])
def test_ssim_of_volumes(options):
    same(SSIM, {"data_range": 1.0, **options}, images((2, 1, 12, 14, 13)))


def test_ssim_of_images_and_volumes():
    same(SSIM, {"data_range": 1.0}, images((2, 1, 12, 14, 13), 1) + images((2, 1, 16, 14)))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"normalize": "simple"},
        {"normalize": None},
        {"betas": (0.5, 0.5)},
        {"gaussian_kernel": False, "kernel_size": 7},
        {"reduction": "none"},
        {"reduction": "sum", "data_range": 0.9},
    ],
)
def test_ms_ssim(options):
    same(MS_SSIM, {"data_range": 1.0, **options}, images((2, 1, 182, 190)))


@pytest.mark.parametrize("dim", [None, 0, -1, (1, 2), (1, 2, 3), (0, 1, 2, 3)])
@pytest.mark.parametrize("reduction", ["elementwise_mean", "sum", "none"])
@pytest.mark.parametrize("options", [{"data_range": 1.0}, {"data_range": (0.1, 0.8), "base": 2.0}])
def test_psnr(options, reduction, dim):
    options = {**options, "reduction": reduction, "dim": dim}
    same(
        "PeakSignalNoiseRatio", options, images((3, 2, 6, 5)), 1e-3 if reduction == "sum" else 1e-4
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("MeanSquaredError", {}),
        ("MeanSquaredError", {"squared": False}),
        ("MeanSquaredError", {"squared": False, "num_outputs": 4}),
        ("MeanAbsoluteError", {}),
        ("MeanAbsoluteError", {"num_outputs": 4}),
    ],
)
@pytest.mark.parametrize("shape", [(9, 4), (50,), (2, 3, 300, 4)])
def test_mean_errors(name, options, shape):
    if "num_outputs" not in options or shape == (9, 4):
        same(name, options, images(shape, 3))


@pytest.mark.parametrize(
    ("preds", "target"),
    [
        (torch.float16, torch.float16),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.bfloat16),
        (torch.float16, torch.bfloat16),
        (torch.float64, torch.float32),
    ],
)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        (SSIM, {"data_range": 1.0}),
        ("PeakSignalNoiseRatio", {"data_range": 1.0}),
        ("MeanSquaredError", {}),
        ("MeanAbsoluteError", {}),
    ],
)
def test_mixed_element_types(name, options, preds, target):
    """Those of autocast; the value is that of the numbers as they are, in float64."""
    (x, y), *_ = images((2, 3, 32, 32))
    x, y = x.to(preds), y.to(target)
    mine = getattr(ours, name)(**options)
    value = mine(x, y)
    assert value.dtype == torch.float32
    theirs = theirs_of(name)(**options).set_dtype(torch.float64)
    if name == SSIM:  # TorchMetrics measures in the type of preds, and so the target is rounded
        y = y.to(preds)
    torch.testing.assert_close(value.double(), theirs(x.double(), y.double()), atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
def test_integers_do_not_wrap(dtype):
    x = torch.tensor([[0, 250], [3, 200]], dtype=dtype)
    y = torch.tensor([[255, 5], [9, 100]], dtype=dtype)
    error = (x.double() - y.double()).square().mean()
    assert ours.MeanSquaredError()(x, y) == error.float()
    peak = 10 * torch.log10(255.0**2 / error)
    assert ours.PeakSignalNoiseRatio(255.0)(x, y) == pytest.approx(peak.item())


def test_set_dtype_gives_the_whole_value():
    (x, y), *_ = images((1, 1, 20, 20))
    whole = ours.MeanSquaredError().set_dtype(torch.float64)
    value = whole(x, y)
    assert value.dtype == torch.float64
    assert value.float() == ours.MeanSquaredError()(x, y)
    assert value.item() == pytest.approx((x - y).double().square().mean().item(), rel=1e-7)


GLOBAL_OR_NOT = [((), "global"), ((4, 3), "global"), ((4, 3), "samplewise")]
AVERAGES = ["micro", "macro", "weighted", "none", None]
COUNTS = ["Accuracy", "Precision", "Recall", "Specificity", "F1Score"]


def scores(kind, shape, generator):
    if kind == "labels":
        return torch.randint(0, 2, shape, generator=generator)
    values = torch.rand(shape, generator=generator)
    return values if kind == "probabilities" else 4 * values - 2


def truth(classes, shape, ignore_index, generator):
    target = torch.randint(0, classes, shape, generator=generator)
    if ignore_index is not None and ignore_index < 0:
        target[torch.rand(shape, generator=generator) < 0.2] = ignore_index
    return target


def matrix_metrics(prefix):
    for normalize in (None, "true", "pred", "all"):
        yield f"{prefix}ConfusionMatrix", {"normalize": normalize}
    yield f"{prefix}JaccardIndex", {}
    if prefix != "Multilabel":
        for weights in (None, "linear", "quadratic"):
            yield f"{prefix}CohenKappa", {"weights": weights}


@pytest.mark.parametrize("kind", ["labels", "probabilities", "logits"])
@pytest.mark.parametrize("ignore_index", [None, -1])
@pytest.mark.parametrize(("tail", "multidim_average"), GLOBAL_OR_NOT)
def test_binary(kind, ignore_index, tail, multidim_average):
    generator = torch.Generator().manual_seed(1)
    shape = (12, *tail)
    batches = [
        (scores(kind, shape, generator), truth(2, shape, ignore_index, generator)) for _ in range(2)
    ]
    options = {"threshold": 0.3, "ignore_index": ignore_index}
    for name in COUNTS:
        same(f"Binary{name}", {**options, "multidim_average": multidim_average}, batches)
    for zero_division in (0, 1):
        more = {"multidim_average": multidim_average, "zero_division": zero_division}
        same("BinaryFBetaScore", {"beta": 2.0, **options, **more}, batches)
    for name, more in (*matrix_metrics("Binary"), ("BinaryMatthewsCorrCoef", {})):
        same(name, {**options, **more}, batches)


@pytest.mark.parametrize("kind", ["labels", "scores"])
@pytest.mark.parametrize("ignore_index", [None, -1, 1])
@pytest.mark.parametrize(("tail", "multidim_average"), GLOBAL_OR_NOT)
@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("classes", [4, 300])
def test_multiclass(kind, ignore_index, tail, multidim_average, average, classes):
    if classes > 4 and (tail or average is None):
        return
    generator = torch.Generator().manual_seed(2)
    shape = (12, *tail)
    predicted = (12, classes, *tail)
    batches = [
        (
            torch.randint(0, classes, shape, generator=generator)
            if kind == "labels"
            else torch.rand(predicted, generator=generator),
            truth(classes, shape, ignore_index, generator),
        )
        for _ in range(2)
    ]
    options = {"num_classes": classes, "ignore_index": ignore_index}
    more = {"average": average, "multidim_average": multidim_average}
    for name in COUNTS:
        for top_k in (1, 2) if kind == "scores" else (1,):
            same(f"Multiclass{name}", {**options, **more, "top_k": top_k}, batches)
    same("MulticlassFBetaScore", {"beta": 0.5, **options, **more, "zero_division": 1}, batches)
    same("MulticlassJaccardIndex", {**options, "average": average}, batches)
    if average == "micro":
        for name, other in (*matrix_metrics("Multiclass"), ("MulticlassMatthewsCorrCoef", {})):
            same(name, {**options, **other}, batches)


def test_multiclass_without_their_number():
    generator = torch.Generator().manual_seed(3)
    target = torch.randint(0, 3, (20,), generator=generator)
    for preds in (torch.rand(20, 3, generator=generator), target.roll(1)):
        for ignore_index in (None, 1):
            options = {"average": "micro", "ignore_index": ignore_index}
            same("MulticlassAccuracy", options, [(preds, target)] * 2)


@pytest.mark.parametrize("kind", ["labels", "probabilities", "logits"])
@pytest.mark.parametrize("ignore_index", [None, -1])
@pytest.mark.parametrize(("tail", "multidim_average"), GLOBAL_OR_NOT)
@pytest.mark.parametrize("average", AVERAGES)
def test_multilabel(kind, ignore_index, tail, multidim_average, average):
    generator = torch.Generator().manual_seed(4)
    shape = (12, 4, *tail)
    batches = [
        (scores(kind, shape, generator), truth(2, shape, ignore_index, generator)) for _ in range(2)
    ]
    options = {"num_labels": 4, "threshold": 0.3, "ignore_index": ignore_index}
    more = {"average": average, "multidim_average": multidim_average}
    for name in COUNTS:
        same(f"Multilabel{name}", {**options, **more}, batches)
    same("MultilabelFBetaScore", {"beta": 0.5, **options, **more, "zero_division": 1}, batches)
    same("MultilabelJaccardIndex", {**options, "average": average}, batches)
    if average == "micro":
        for name, other in (*matrix_metrics("Multilabel"), ("MultilabelMatthewsCorrCoef", {})):
            same(name, {**options, **other}, batches)


def maps(input_format, generator):
    """A batch of label maps of 4 classes, of which the last is rare and some samples lack some."""
    indices = [torch.randint(0, 3, (3, 6, 5), generator=generator) for _ in range(2)]
    indices[0][0, 0, 0] = indices[1][1, 2, 2] = 3
    masks = torch.randint(0, 2, (3, 4, 6, 5), generator=generator)
    logits = torch.rand(3, 4, 6, 5, generator=generator)
    return {
        "index": tuple(indices),
        "one-hot": (masks, torch.randint(0, 2, (3, 4, 6, 5), generator=generator)),
        "logits": (logits, torch.rand(3, 4, 6, 5, generator=generator)),
        "mixed": (masks, indices[0]),
        "mixed, the other way": (indices[0], logits),
    }[input_format]


FORMATS = ["index", "one-hot", "logits", "mixed", "mixed, the other way"]


@pytest.mark.parametrize("input_format", FORMATS)
@pytest.mark.parametrize("include_background", [True, False])
def test_segmentation(input_format, include_background):
    generator = torch.Generator().manual_seed(5)
    batches = [maps(input_format, generator) for _ in range(2)]
    words = {"logits": "one-hot", "mixed, the other way": "mixed"}
    options = {
        "num_classes": 4,
        "include_background": include_background,
        "input_format": words.get(input_format, input_format),
    }
    for average in AVERAGES:
        for level in ("samplewise", "global"):
            more = {"average": average, "aggregation_level": level}
            same("DiceScore", {**options, **more}, batches)
    for per_class in (True, False):
        same("MeanIoU", {**options, "per_class": per_class}, batches)
    if input_format != "index":
        same("MeanIoU", {**options, "num_classes": None}, batches)
    same("GeneralizedDiceScore", {**options, "per_class": True}, batches)
    for weight_type in ("square", "simple", "linear"):
        # Of one sample with all classes: TorchMetrics' weights depend on the rest of the batch.
        one = [torch.arange(120).reshape(1, 4, 30) % 4 for _ in range(2)]
        if options["input_format"] == "index":
            options_of_one = {**options, "weight_type": weight_type}
            same("GeneralizedDiceScore", options_of_one, [(one[0].roll(3), one[1])])


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_task(name, task):
    if (name, task) == ("CohenKappa", "multilabel"):
        return
    generator = torch.Generator().manual_seed(6)
    options = {"task": task, "num_classes": 3, "num_labels": 3}
    if name == "CohenKappa":
        del options["num_labels"]
    shape = {"binary": (30,), "multiclass": (30, 3), "multilabel": (30, 3)}[task]
    preds = torch.rand(shape, generator=generator)
    target = torch.randint(0, 3, (30,), generator=generator)
    if task != "multiclass":
        target = torch.randint(0, 2, shape, generator=generator)
    same(name, options, [(preds, target)] * 2)
    assert type(getattr(ours, name)(**options)) is getattr(ours, f"{task.capitalize()}{name}")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: ours.StructuralSimilarityIndexMeasure(return_contrast_sensitivity=True),
            "return_contrast_sensitivity is True",
        ),
        (ours.MultiScaleStructuralSimilarityIndexMeasure, "data_range is None"),
        (lambda: ours.StructuralSimilarityIndexMeasure(reduction="max"), "reduction is 'max'"),
        (lambda: ours.StructuralSimilarityIndexMeasure(kernel_size=4), "kernel_size is 4"),
        (lambda: ours.StructuralSimilarityIndexMeasure(sigma=-1.0), "sigma"),
        (lambda: ours.F1Score(task="regression"), "task is 'regression'"),
        (lambda: ours.F1Score(task="multiclass"), "num_classes is None"),
        (lambda: ours.MulticlassRecall(3, average="mean"), "average is 'mean'"),
        (ours.MulticlassRecall, "num_classes is None"),
        (lambda: ours.MulticlassRecall(3, top_k=4), "top_k is 4"),
        (lambda: ours.MulticlassRecall(1), "num_classes is 1"),
        (lambda: ours.BinaryRecall(threshold=2.0), "threshold is 2.0"),
        (lambda: ours.BinaryFBetaScore(beta=0), "beta is 0"),
        (lambda: ours.BinaryF1Score(zero_division=2), "zero_division is 2"),
        (lambda: ours.BinaryF1Score(ignore_index=0.5), "ignore_index is 0.5"),
        (lambda: ours.DiceScore(3, input_format="maps"), "input_format is 'maps'"),
        (lambda: ours.MeanIoU(input_format="index"), "num_classes is None"),
        (lambda: ours.MeanSquaredError(num_outputs=0), "num_outputs is 0"),
        (lambda: ours.MeanSquaredError(unknown=0), "unknown"),
    ],
)
def test_refused_options(make, text):
    with pytest.raises(ValueError, match=text):
        make()


@pytest.mark.parametrize(
    ("metric", "preds", "target", "text"),
    [
        (ours.MeanSquaredError, torch.zeros(3), torch.zeros(4), r"preds has shape \[3\]"),
        (
            lambda: ours.StructuralSimilarityIndexMeasure(data_range=1.0),
            torch.zeros(1, 4, 40),
            torch.zeros(1, 4, 40),
            r"expected \[N, C, H, W\]",
        ),
        (
            ours.StructuralSimilarityIndexMeasure,
            torch.ones(1, 1, 20, 20),
            torch.ones(1, 1, 20, 20),
            "data_range is None",
        ),
        (
            lambda: ours.MulticlassRecall(3),
            torch.tensor([0, 3]),
            torch.tensor([0, 1]),
            "1 element has a label outside 0 ... 2, the first in the preds",
        ),
        (
            lambda: ours.MulticlassRecall(3),
            torch.rand(4, 2),
            torch.zeros(4, dtype=torch.int64),
            "expected 3 scores",
        ),
        (
            lambda: ours.MultilabelRecall(3),
            torch.rand(4, 2),
            torch.zeros(4, 2, dtype=torch.int64),
            r"expected \[N, 3",
        ),
    ],
)
def test_refused_tensors(metric, preds, target, text):
    """The metric stays as it was, in update and in forward."""
    metric = metric()
    lanes = metric.lanes
    for use in (metric.update, metric):
        with pytest.raises(ValueError, match=text):
            use(preds, target)
        assert torch.equal(metric.lanes, lanes)
