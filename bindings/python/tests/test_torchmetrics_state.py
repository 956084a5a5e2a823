# SPDX-License-Identifier: MIT
"""iqa.torchmetrics as TorchMetrics uses a metric: states, copies, collections, wrappers."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")
torchmetrics = pytest.importorskip("torchmetrics")

from torchmetrics import MetricCollection, MetricTracker  # noqa: E402
from torchmetrics.image.fid import FrechetInceptionDistance as TheirFID  # noqa: E402
from torchmetrics.image.kid import KernelInceptionDistance as TheirKID  # noqa: E402
from torchmetrics.wrappers import BootStrapper, ClasswiseWrapper, MinMaxMetric, Running  # noqa: E402

import iqa  # noqa: E402
import iqa.torchmetrics as ours  # noqa: E402
import iqa.weights  # noqa: E402

pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning"
)

FEATURES = 16


def batches(seed, kind):
    generator = torch.Generator().manual_seed(seed)

    def rand(*shape):
        return torch.rand(*shape, generator=generator)

    for size in (3, 1, 4):
        if kind == "images":
            x = rand(size, 2, 24, 20)
            yield (x + 0.1 * rand(*x.shape)).clamp(0, 1), x
        elif kind == "labels of 5":
            yield tuple(torch.randint(0, 5, (2, 20 * size), generator=generator))
        elif kind == "labels":
            yield rand(20 * size, 5), torch.randint(0, 5, (20 * size,), generator=generator)
        elif kind == "maps":
            shape = (size, 8, 9)
            yield tuple(torch.randint(0, 4, shape, generator=generator) for _ in range(2))
        else:
            yield rand(30 * size, FEATURES), True
            yield rand(30 * size, FEATURES) * 1.1, False


CASES = {
    "ssim": (lambda: ours.StructuralSimilarityIndexMeasure(data_range=1.0), "images"),
    "ssim of each": (
        lambda: ours.StructuralSimilarityIndexMeasure(data_range=1.0, reduction="none"),
        "images",
    ),
    "psnr": (lambda: ours.PeakSignalNoiseRatio(1.0, dim=(1, 2, 3)), "images"),
    "mse": (ours.MeanSquaredError, "images"),
    "f1": (lambda: ours.MulticlassF1Score(5), "labels"),
    "f1 of classes": (
        lambda: ours.MulticlassF1Score(7, average="none"),  # two of which occur nowhere
        "labels of 5",
    ),
    "f1 of samples": (
        lambda: ours.MulticlassF1Score(5, multidim_average="samplewise", ignore_index=0),
        "maps",
    ),
    "kappa": (lambda: ours.CohenKappa(task="multiclass", num_classes=5), "labels"),
    "dice": (lambda: ours.DiceScore(4, input_format="index"), "maps"),
    "fid": (lambda: ours.FrechetInceptionDistance(ours.Features(FEATURES)), "features"),
    "kid": (
        lambda: ours.KernelInceptionDistance(ours.Features(FEATURES), subset_size=50),
        "features",
    ),
}


@pytest.fixture(params=CASES)
def case(request):
    make, kind = CASES[request.param]
    return make, list(batches(7, kind))


def filled(make, data):
    metric = make()
    for batch in data:
        metric.update(*batch)
    return metric


def same_value(one, other):
    ours_, theirs = (m.compute() if isinstance(m, torchmetrics.Metric) else m for m in (one, other))
    if not isinstance(ours_, tuple):
        ours_, theirs = (ours_,), (theirs,)
    return all(torch.equal(x, y) for x, y in zip(ours_, theirs))


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda m: m.clone(), "pickle"])
def test_copies_are_independent(case, way):
    make, data = case
    metric = filled(make, data[:-1])
    copied = pickle.loads(pickle.dumps(metric)) if way == "pickle" else way(metric)
    if way is copy.copy:  # shares what it refers to, as ever
        assert same_value(copied, metric)
        return
    copied.update(*data[-1])
    assert same_value(copied, filled(make, data))
    assert same_value(metric, filled(make, data[:-1]))


def test_reset(case):
    make, data = case
    metric = filled(make, data)
    metric.reset()
    assert metric.update_count == 0
    for batch in data:
        metric.update(*batch)
    assert same_value(metric, filled(make, data))


def test_forward_gives_the_batch_and_adds_it(case):
    make, data = case
    if len(data) > 3:  # features: no batch has both sides
        return
    metric = make()
    for batch in data:
        assert same_value(metric(*batch), filled(make, [batch]))
    assert metric.update_count == len(data)
    assert same_value(metric, filled(make, data))


def test_merge_state(case):
    make, data = case
    whole = filled(make, data)
    merged, other = filled(make, data[:2]), filled(make, data[2:])
    merged.merge_state(other)
    if "values" in merged.metric_state:  # theirs come first, as in TorchMetrics
        assert torch.equal(merged.compute().sort().values, whole.compute().sort().values)
        return
    assert same_value(merged, whole)
    by_state = filled(make, data[:2])
    by_state.merge_state(other.metric_state)
    assert same_value(by_state, whole)


def test_state_dict(case):
    make, data = case
    metric = filled(make, data)
    assert not [key for key in metric.state_dict() if "inception" not in key]
    metric.persistent(True)
    saved = metric.state_dict()
    loaded = make()
    loaded.persistent(True)
    loaded.load_state_dict(saved)
    loaded._update_count = 1
    assert same_value(loaded, metric)


def test_element_types_and_devices(case):
    make, data = case
    metric = filled(make, data[:-1])
    lanes = getattr(metric, "lanes", None)
    for change in ("half", "double", "float", "cpu"):
        metric = getattr(metric, change)()
    if lanes is not None and not metric._lists:  # lists become what .to() says, as in TorchMetrics
        metric = metric.to("cpu").to(torch.float16)
        assert torch.equal(metric.lanes, lanes)
        assert metric.lanes.dtype == torch.int64
    metric.update(*data[-1])
    assert same_value(metric.set_dtype(torch.float32), filled(make, data))


def test_the_only_state_is_one_tensor():
    for name in ("ssim", "psnr", "mse", "f1", "kappa", "dice", "fid"):
        metric = CASES[name][0]()
        assert set(metric.metric_state) == {"fingerprint", "lanes"}
        assert metric._reductions["lanes"] is torchmetrics.utilities.data.dim_zero_sum


OTHERS = [
    (
        lambda: ours.StructuralSimilarityIndexMeasure(data_range=1.0),
        lambda: ours.StructuralSimilarityIndexMeasure(data_range=1.0, sigma=2.0),
    ),
    (lambda: ours.BinaryF1Score(threshold=0.5), lambda: ours.BinaryF1Score(threshold=0.4)),
    (lambda: ours.MulticlassRecall(3), lambda: ours.MulticlassRecall(4)),
    (lambda: ours.MulticlassRecall(3), lambda: ours.MulticlassRecall(3, ignore_index=0)),
    (lambda: ours.PeakSignalNoiseRatio(1.0), lambda: ours.PeakSignalNoiseRatio((0.0, 1.0))),
    (lambda: ours.PeakSignalNoiseRatio(1.0), lambda: ours.PeakSignalNoiseRatio(1.0, dim=0)),
]


@pytest.mark.parametrize(("make", "other"), OTHERS)
def test_lanes_of_other_options_are_refused(make, other):
    metric, alien = make(), other()
    with pytest.raises(iqa.IncompatibleError, match="of other options"):
        metric.merge_state(alien)
    alien.persistent(True)
    metric.persistent(True)
    with pytest.raises(iqa.IncompatibleError, match="of other options"):
        metric.load_state_dict(alien.state_dict())
    with pytest.raises(iqa.IncompatibleError, match=r"lanes is torch\.float32"):
        metric.lanes = metric.lanes.float()
    with pytest.raises(ValueError, match="lacks 'lanes'"):
        metric.merge_state({"fingerprint": metric.fingerprint})


@pytest.mark.parametrize(("make", "other"), OTHERS)
def test_a_gather_of_other_options_is_refused(make, other):
    """Another way to gather than the default one: what a caller gives as dist_sync_fn."""
    metric, alien = make(), other()
    gathered = {"fingerprint": alien.fingerprint, "lanes": alien.lanes}

    def gather(tensor, group=None):
        return [tensor, gathered["fingerprint" if tensor.numel() == 4 else "lanes"]]

    with pytest.raises(iqa.IncompatibleError, match="different options"):
        metric.sync(dist_sync_fn=gather, distributed_available=lambda: True)


def test_sync_and_unsync():
    make, kind = CASES["ssim"]
    data = list(batches(7, kind))
    metric = filled(make, data[:1])
    other = filled(make, data[1:])
    states = {4: other.fingerprint, len(other.lanes): other.lanes}
    with metric.sync_context(
        dist_sync_fn=lambda tensor, group=None: [tensor, states[tensor.numel()]],
        distributed_available=lambda: True,
    ):
        assert torch.equal(metric.lanes, filled(make, data).lanes)
        with pytest.raises(torchmetrics.utilities.exceptions.TorchMetricsUserError):
            metric(*data[0])
    assert torch.equal(metric.lanes, filled(make, data[:1]).lanes)


def test_a_failed_update_leaves_all_as_it_was():
    metric = filled(*[CASES["f1"][0], list(batches(7, "labels"))])
    before, count = metric.lanes, metric.update_count
    for _ in range(2):
        with pytest.raises(ValueError, match="the first in the target"):
            metric(torch.rand(4, 5), torch.tensor([0, 1, 2, 9]))
        assert torch.equal(metric.lanes, before)
        assert metric.update_count == count


def test_collection_counts_once(monkeypatch):
    names = ("F1Score", "Precision", "Recall", "Accuracy", "JaccardIndex", "CohenKappa")
    several = MetricCollection([getattr(ours, f"Multiclass{name}")(5) for name in names])
    data = list(batches(3, "labels"))
    several.update(*data[0])
    assert len(several.compute_groups) == 1
    counted = []
    update = iqa.ConfusionMatrix.update
    monkeypatch.setattr(
        iqa.ConfusionMatrix,
        "update",
        lambda *args, **kwargs: counted.append(1) or update(*args, **kwargs),
    )
    for batch in data[1:]:
        several.update(*batch)
    assert len(counted) == len(data) - 1
    values = several.compute()
    for name in names:
        alone = filled(lambda name=name: getattr(ours, f"Multiclass{name}")(5), data)
        assert torch.equal(values[f"Multiclass{name}"], alone.compute())
    several.reset()
    assert torch.equal(several(*data[0])["MulticlassRecall"], several.compute()["MulticlassRecall"])


def test_collection_keeps_others_apart():
    """Equal images give both SSIMs the same lanes; only the options differ."""
    make = ours.StructuralSimilarityIndexMeasure
    both = MetricCollection({"a": make(data_range=1.0), "b": make(data_range=1.0, sigma=2.5)})
    (x, y), *_ = batches(3, "images")
    both.update(y, y)
    assert len(both.compute_groups) == 2
    both.update(x, y)
    alone = make(data_range=1.0, sigma=2.5)
    for preds in (y, x):
        alone.update(preds, y)
    assert torch.equal(both.compute()["b"], alone.compute())


def test_wrappers():
    data = list(batches(3, "labels"))
    tracker = MetricTracker(MetricCollection([ours.MulticlassF1Score(5)]), maximize=[True])
    for batch in data:
        tracker.increment()
        tracker.update(*batch)
    best = tracker.best_metric()["MulticlassF1Score"]
    assert best == max(filled(CASES["f1"][0], [batch]).compute().item() for batch in data)

    sampled = BootStrapper(ours.MulticlassF1Score(5), num_bootstraps=4)
    for batch in data:
        sampled.update(*batch)
    assert set(sampled.compute()) == {"mean", "std"}

    named = ClasswiseWrapper(ours.MulticlassF1Score(5, average="none"))
    assert len(named(*data[0])) == 5

    extremes = MinMaxMetric(ours.MulticlassF1Score(5))
    values = [extremes(*batch)["raw"].item() for batch in data]
    assert extremes.compute()["max"] >= max(values) - 1e-6

    last = Running(ours.MeanSquaredError(), window=2)
    for batch in batches(3, "images"):
        last.update(*batch)
    expected = filled(ours.MeanSquaredError, list(batches(3, "images"))[1:])
    assert torch.equal(last.compute(), expected.compute())

    both = ours.MeanSquaredError() + 2 * ours.MeanAbsoluteError()
    assert both(*next(iter(batches(3, "images")))) > 0


@pytest.mark.parametrize("make", [make for make, _ in CASES.values()] + [ours.MeanIoU])
def test_torch_jit_takes_it(make):
    """TorchMetrics' own are tested for it: all but forward, update and compute is compiled."""
    torch.jit.script(make())


def test_classes_that_the_first_tensors_tell():
    metric = ours.MeanIoU()
    assert metric.compute().isnan()
    metric.reset()
    generator = torch.Generator().manual_seed(1)
    data = [tuple(torch.randint(0, 2, (2, 3, 5, 8), generator=generator)) for _ in range(2)]
    copied = pickle.loads(pickle.dumps(metric))
    for batch in data:
        metric(*batch)
        copied.update(*batch)
    assert same_value(metric, copied)
    assert same_value(metric, filled(lambda: ours.MeanIoU(5), data))


def test_plot():
    pytest.importorskip("matplotlib").use("Agg")
    metric = filled(*[CASES["f1"][0], list(batches(7, "labels"))])
    figure, axes = metric.plot()
    assert figure is axes.figure
    matrix = ours.MulticlassConfusionMatrix(5)
    matrix.update(*next(iter(batches(7, "labels"))))
    assert matrix.plot(labels=list("abcde"))[0] is not None


def test_gradients_are_left_out():
    (x, y), *_ = batches(3, "images")
    x.requires_grad_()
    metric = ours.StructuralSimilarityIndexMeasure(data_range=1.0)
    value = metric(x, y)
    assert not value.requires_grad
    assert not metric.is_differentiable
    with pytest.raises(RuntimeError, match="const"):
        metric.is_differentiable = True


def test_an_update_makes_no_metric_and_no_lanes(monkeypatch):
    """FID's lanes take 67 MB: nobody wants them with each batch."""
    for name in ("ssim", "f1", "dice", "fid"):
        make, kind = CASES[name]
        data = list(batches(7, kind))
        metric = make()
        if kind != "features":
            metric(*data[0])  # makes what forward keeps
        with monkeypatch.context() as patch:
            for method in ("__init__", "from_bytes", "to_bytes", "lanes", "add_lanes"):
                patch.setattr(type(metric._metric), method, None)
            for batch in data:
                metric.update(*batch)
                hash(metric)
                if kind != "features":
                    metric(*batch)
            metric.reset()


def test_fid_beside_theirs():
    pytest.importorskip("scipy")
    data = list(batches(7, "features"))
    mine = filled(CASES["fid"][0], data)
    theirs = filled(lambda: TheirFID(ours.Features(FEATURES)), data)
    torch.testing.assert_close(mine.compute(), theirs.compute(), rtol=1e-5, atol=1e-5)
    mine.reset_real_features = False
    mine.reset()
    assert mine._metric.rows == (sum(len(x) for x, real in data if real), 0)
    with pytest.raises(RuntimeError, match="expected more than one sample"):
        mine.compute()


def test_kid_keeps_the_real_side():
    data = list(batches(7, "features"))
    metrics = [
        kind(ours.Features(FEATURES), subset_size=30, reset_real_features=False)
        for kind in (ours.KernelInceptionDistance, TheirKID)
    ]
    for metric in metrics:
        for rows, real in data:
            metric.update(rows, real=real)
        metric.reset()
        assert metric.fake_features == []
        kept = [rows for rows, real in data if real]
        assert all(map(torch.equal, metric.real_features, kept))
        assert len(metric.real_features) == len(kept)


def test_fid_measures_the_network():
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    )
    metric = ours.FrechetInceptionDistance(network, normalize=True, input_img_size=(3, 16, 16))
    pictures = torch.rand(40, 3, 16, 16)
    metric.update(pictures, real=True)
    metric.update(pictures.flip(0), real=False)
    assert metric.compute() == 0  # equal sets in another order
    direct = ours.FrechetInceptionDistance(ours.Features(8))
    direct.update(network(pictures), real=True)
    direct.update(network(pictures / 2), real=False)
    metric.reset()
    metric.update(pictures, real=True)
    metric.update(pictures / 2, real=False)
    assert torch.equal(metric.compute(), direct.compute())


SCORES_OF_NOTHING = [
    (task + score, sizes, average, zero_division)
    for task, sizes in {
        "Binary": {},
        "Multiclass": {"num_classes": 3},
        "Multilabel": {"num_labels": 3},
    }.items()
    for score, averages, divisions in [
        *((name, True, (0, 1)) for name in ("Precision", "Recall", "F1Score", "JaccardIndex")),
        *((name, True, (None,)) for name in ("Accuracy", "Specificity")),
        *((name, False, (None,)) for name in ("MatthewsCorrCoef", "CohenKappa")),
    ]
    for average in (
        ("micro", "macro", "weighted", None) if averages and task != "Binary" else ("",)
    )
    for zero_division in divisions
    if hasattr(ours, task + score)
]


@pytest.mark.parametrize(("name", "sizes", "average", "zero_division"), SCORES_OF_NOTHING)
def test_scores_of_nothing_are_torchmetrics(name, sizes, average, zero_division):
    options = dict(sizes)
    if average != "":
        options["average"] = average
    if zero_division is not None:
        options["zero_division"] = zero_division
    mine, theirs = (
        getattr(module, name)(**options).compute() for module in (ours, torchmetrics.classification)
    )
    assert mine.dtype == theirs.dtype
    assert torch.equal(mine.nan_to_num(-1), theirs.nan_to_num(-1)), (mine, theirs)


@pytest.mark.parametrize(
    "make",
    [
        ours.FrechetInceptionDistance,
        lambda: ours.KernelInceptionDistance(64),
        ours.InceptionScore,
    ],
)
def test_inception_by_number_is_refused_without_weights(make, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(iqa.UnavailableError, match=r"feature is .*nor has .*: pass InceptionFeat"):
        make()


def test_inception_by_number_finds_the_weights_of_torch_fidelity(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    tensors = {name: torch.from_numpy(t) for name, t in iqa.weights.random(2).items()}
    training = {"Conv2d_1a_3x3.bn.num_batches_tracked": torch.tensor(3)}
    torch.save({**tensors, **training}, folder / "weights-inception-2015-12-05-6726825d.pth")

    metric = ours.FrechetInceptionDistance(64)
    pictures = torch.full((2, 3, 40, 50), 7, dtype=torch.uint8)
    pictures[1] += 90
    expected = iqa.Inception(tensors, resize="torchmetrics")(pictures, 64)
    for network in (
        metric.inception,
        ours.KernelInceptionDistance(64).inception,
        ours.InceptionScore("64").inception,
        pickle.loads(pickle.dumps(metric)).inception,
    ):
        assert torch.equal(network(pictures), torch.from_numpy(expected))
        assert not network.training
        assert not network.train().training
    with pytest.raises(iqa.InvalidArgumentError, match="feature is '65', expected"):
        ours.FrechetInceptionDistance(65)
    torch.save({"fc.bias": tensors["fc.bias"]}, tmp_path / "other.pth")
    with pytest.raises(iqa.InvalidArgumentError, match="has no Conv2d_1a_3x3"):
        ours.InceptionFeatures(tmp_path / "other.pth")


def test_inception_by_number_has_weights():
    weights = iqa.weights.random(2)
    generator = torch.Generator().manual_seed(3)
    pictures = torch.randint(0, 256, (6, 3, 40, 50), generator=generator, dtype=torch.uint8)
    options = {"feature": 64, "feature_extractor_weights_path": weights}
    metric = ours.FrechetInceptionDistance(**options)
    scaled = ours.FrechetInceptionDistance(**options, normalize=True)
    for real, some in ((True, pictures), (False, pictures.flip(3))):
        metric.update(some, real)
        scaled.update((some + 0.5) / 255, real)
    assert torch.equal(metric.compute(), scaled.compute())
    network = ours.InceptionFeatures(weights, 64)
    expected = iqa.Inception(weights, resize="torchmetrics")(pictures, 64)
    assert torch.equal(network(pictures), torch.from_numpy(expected))
    assert metric.clone().inception is metric.inception
    for other in (pictures.float(), pictures[0]):
        with pytest.raises((iqa.DtypeError, iqa.ShapeError)):
            metric.update(other, True)
    with pytest.raises(iqa.InvalidArgumentError, match="feature_extractor_weights_path is"):
        ours.FrechetInceptionDistance(network, feature_extractor_weights_path=weights)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(metric)


@pytest.mark.parametrize("size", [(40, 50), (299, 310), (700, 512)])
def test_resizing_is_torchmetrics(size):
    weights = iqa.weights.random(2)
    generator = torch.Generator().manual_seed(4)
    pictures = torch.randint(0, 256, (1, 3, *size), generator=generator, dtype=torch.uint8)
    resized = torch.nn.functional.interpolate(
        pictures.float(), size=(299, 299), mode="bilinear", align_corners=False, antialias=True
    )
    mine = iqa.Inception(weights, resize="torchmetrics")(pictures, 64)
    theirs = iqa.Inception(weights, resize="none", data_range=255.0)(resized, 64)
    assert abs(mine - theirs).max() <= 1e-5 * abs(theirs).max()


def test_kid_beside_theirs():
    """All rows in each subset: then the choice of rows plays no part."""
    data = list(batches(7, "features"))
    count = sum(len(x) for x, real in data if real)
    values = []
    for kind in (ours.KernelInceptionDistance, TheirKID):
        metric = filled(
            lambda kind=kind: kind(ours.Features(FEATURES), subset_size=count, subsets=2), data
        )
        values.append(metric.compute()[0])
    torch.testing.assert_close(*values, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", ["kid", "inception score"])
def test_rows_may_come_in_any_order(name):
    generator = torch.Generator().manual_seed(1)
    rows = torch.rand(200, FEATURES, generator=generator)

    def value(order):
        if name == "kid":
            metric = CASES["kid"][0]()
            metric.update(rows[order] * 2, real=False)
            metric.update(rows[order], real=True)
        else:
            metric = ours.InceptionScore(ours.Features(FEATURES))
            metric.update(rows[order])
        return metric.compute()

    orders = (torch.arange(200), torch.randperm(200, generator=generator))
    first, second = (torch.stack(value(order)) for order in orders)
    assert torch.equal(first, second)
    assert first[1] > 0


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.float16, torch.float64])
def test_networks_may_give_numbers_of_any_type(dtype):
    rows = torch.randint(0, 9, (60, 8), generator=torch.Generator().manual_seed(1))

    def values(rows):
        scores = ours.InceptionScore(torch.nn.Identity(), splits=4)
        scores.update(rows)
        distance = ours.KernelInceptionDistance(torch.nn.Identity(), subsets=3, subset_size=20)
        distance.update(rows[:30], real=True)
        distance.update(rows[30:], real=False)
        return torch.stack([*scores.compute(), *distance.compute()])

    assert torch.equal(values(rows.to(dtype)), values(rows.float()))


def test_inception_score_has_the_deviation_of_a_sample():
    logits = 3 * torch.rand(100, 10, generator=torch.Generator().manual_seed(1))
    metric = ours.InceptionScore(ours.Features(10), splits=4)
    metric.update(logits)
    mean, std = metric.compute()
    assert 1 < mean < 10
    assert std > 0
    one = ours.InceptionScore(ours.Features(10), splits=1)
    one.update(logits)
    assert one.compute()[1].isnan()


def test_import_iqa_imports_no_torch():
    code = "import sys, iqa; assert not {'torch', 'torchmetrics'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], env=os.environ, check=True, timeout=60)
