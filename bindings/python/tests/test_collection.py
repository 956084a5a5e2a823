# SPDX-License-Identifier: MIT
"""Collections: each metric has the state that it would have alone, after any update or refusal."""

import copy
import json
import pickle

import numpy as np
import pytest
from pictures import batch
from PIL import Image

import iqa
from iqa import _collection

X, Y = batch(4)
LABELS = np.random.default_rng(3).integers(0, 5, (2, 4, 30, 40))
WEIGHTS = np.random.default_rng(4).random((4, 1, *X.shape[2:]))


def of_images(data_range=1.0, layout="NCHW", **options):
    return {
        "ssim": iqa.SSIM(data_range, layout, **options),
        "psnr": iqa.PSNR(data_range, layout, **options),
        "mean psnr": iqa.PSNR(data_range, layout, aggregate="mean_of_psnr", **options),
        "mae": iqa.MeanErrors(data_range, layout, **options),
        "rmse": iqa.MeanErrors(data_range, layout, measure="root_mean_squared_error", **options),
    }


def of_labels(**options):
    scores = {
        "iou": {"score": "iou", "average": "macro"},
        "f1": {"score": "dice", "average": "micro"},
        "kappa": {"score": "kappa"},
        "matrix": {},
    }
    return {name: iqa.ConfusionMatrix(5, **one, **options) for name, one in scores.items()}


def states(metrics):
    return {name: metric.to_bytes() for name, metric in metrics.items()}


def updated(metrics, *updates, **arguments):
    for metric in metrics.values():
        for pair in updates:
            metric.update(*pair, **arguments)
    return metrics


class TestSums:
    def test_images(self):
        metrics = iqa.MetricCollection(of_images())
        for half in (slice(2), slice(2, 4)):
            metrics.update(X[half], Y[half])
        expected = updated(of_images(), (X, Y))
        assert states(metrics) == states(expected)
        assert metrics.compute() == {name: one.compute() for name, one in expected.items()}

    def test_labels(self):
        metrics = iqa.MetricCollection(of_labels(batched=True))
        metrics.update(*LABELS[:, :1])
        metrics.update(*LABELS[:, 1:])
        expected = updated(of_labels(batched=True), LABELS)
        assert states(metrics) == states(expected)
        assert metrics.compute()["kappa"] == expected["kappa"].compute()

    @pytest.mark.parametrize("make", [of_images, of_labels])
    def test_a_call_gives_the_batch(self, make):
        first, second = ((X[:1], Y[:1]), (X[1:], Y[1:]))
        if make is of_labels:
            first, second = LABELS[:, :1], LABELS[:, 1:]
        metrics = iqa.MetricCollection(make())
        for pair in (first, second):
            values = metrics(*pair)
            for name, metric in updated(make(), pair).items():
                assert np.array_equal(values[name], metric.compute()), name
        assert states(metrics) == states(updated(make(), first, second))

    def test_equal_sums_are_made_once(self):
        """Progress counts the pieces of work: five metrics take those of three."""
        pieces = []

        def made(only=None):
            context = iqa.Context(threads=1, progress=lambda done, total: pieces.append(done))
            members = of_images(context=context)
            return {name: members[name] for name in only or members}

        def work(metrics):
            pieces.clear()
            iqa.MetricCollection(metrics).update(X, Y)
            return len(pieces)

        alone = {name: work(made([name])) for name in made()}
        assert work(made()) == alone["ssim"] + alone["psnr"] + alone["mae"]
        labels = np.zeros((2, 2000, 2000), np.uint8)
        for count in (1, 4):
            context = iqa.Context(threads=1, progress=lambda done, total: pieces.append(done))
            metrics = dict(list(of_labels(context=context).items())[:count])
            pieces.clear()
            iqa.MetricCollection(metrics).update(*labels)
            alone[count] = len(pieces)
        assert alone[1] == alone[4] > 1

    def test_other_options_have_sums_of_their_own(self):
        metrics = {
            "plain": iqa.ConfusionMatrix(5),
            "ignoring": iqa.ConfusionMatrix(5, ignore=0),
            "samples": iqa.ConfusionMatrix(5, keep_samples=True, average="macro", score="iou"),
            "others": iqa.ConfusionMatrix(5, keep_samples=True, average="macro", empty="one"),
        }
        collection = iqa.MetricCollection(copy.deepcopy(metrics))
        collection.update(*LABELS)
        assert states(collection) == states(updated(metrics, LABELS))

    def test_members_may_be_updated_alone(self):
        metrics = iqa.MetricCollection(of_labels())
        metrics.update(*LABELS[:, :2])
        metrics["f1"].update(*LABELS[:, 2:])
        metrics.update(*LABELS[:, 1:2])
        expected = updated(of_labels(), LABELS[:, :2])
        expected["f1"].update(*LABELS[:, 2:])
        updated(expected, LABELS[:, 1:2])
        assert states(metrics) == states(expected)

    def test_features(self):
        rows = np.random.default_rng(0).standard_normal((2, 40, 6))
        metrics = iqa.MetricCollection([iqa.FID(6)])
        metrics.update(*rows)
        assert metrics.compute() == {"FID": iqa.fid(*rows)}


class TestArguments:
    def test_weights(self):
        metrics = iqa.MetricCollection(of_images())
        metrics.update(X, Y, weights=WEIGHTS)
        assert states(metrics) == states(updated(of_images(), (X, Y), weights=WEIGHTS))

    def test_a_range_of_the_updates_own(self):
        members = {"open": iqa.SSIM(layout="NCHW"), "stated": iqa.SSIM(1.0, "NCHW")}
        metrics = iqa.MetricCollection(members)
        metrics.update(X, Y, data_range=2.0)
        assert metrics.compute() == {
            "open": iqa.ssim(X, Y, 2.0, "NCHW"),
            "stated": iqa.ssim(X, Y, 1.0, "NCHW"),
        }
        for none in ([iqa.SSIM(1.0, "NCHW")], of_labels()):
            with pytest.raises(iqa.InvalidArgumentError, match="no metric is of images and was"):
                iqa.MetricCollection(none).update(X, Y, data_range=2.0)

    @pytest.mark.parametrize("kind", ["list", "int64", "int8", "mixed", "big-endian", "float16"])
    def test_what_has_to_be_converted(self, kind):
        x, y = (np.round(100 * images).astype(np.int64) for images in (X[:2], Y[:2]))
        pair = {
            "list": (x.tolist(), y.tolist()),
            "int64": (x, y),
            "int8": (x.astype(np.int8), y.astype(np.int8)),
            "mixed": (x.astype(np.float32), y.astype(np.float64)),
            "big-endian": (x.astype(">f4"), y.astype(">f4")),
            "float16": (x.astype(np.float16), y.astype(np.float16)),
        }[kind]
        metrics = iqa.MetricCollection(of_images(100.0))
        metrics.update(*pair)
        assert states(metrics) == states(updated(of_images(100.0), pair))

    def test_ranges_are_not_made_up_by_a_conversion(self):
        x = np.zeros((20, 20), np.int8)
        metrics = iqa.MetricCollection({"stated": iqa.PSNR(100), "open": iqa.PSNR()})
        with pytest.raises(iqa.InvalidArgumentError, match="data_range is not stated, and that of"):
            metrics.update(x, x)
        assert metrics["stated"].images == 0

    def test_what_is_large_is_converted_in_pieces(self, monkeypatch):
        pair = [np.round(100 * images).astype(np.int64) for images in (X, Y)]
        expected = states(updated(of_images(100.0), pair))
        made = []
        convert = _collection.as_images
        monkeypatch.setattr(
            _collection, "as_images", lambda *given: made.append(1) or convert(*given)
        )
        metrics = iqa.MetricCollection(of_images(100.0))
        metrics.update(*pair)
        assert made == [1]
        assert states(metrics) == expected
        monkeypatch.setattr(_collection, "MOST", 1000)
        metrics = iqa.MetricCollection(of_images(100.0))
        metrics.update(*pair)
        assert made == [1]
        assert states(metrics) == expected

    def test_pictures_and_files(self, tmp_path, monkeypatch):
        images = [np.round(255 * image[0].transpose(1, 2, 0)).astype(np.uint8) for image in (X, Y)]
        paths = [tmp_path / "x.png", tmp_path / "y.png"]
        for path, image in zip(paths, images):
            Image.fromarray(image).save(path)
        expected = states(updated(of_images(None, "HWC"), images))
        opened = []
        read = Image.open
        monkeypatch.setattr(Image, "open", lambda file: opened.append(1) or read(file))
        metrics = iqa.MetricCollection(of_images(None, None))
        metrics.update(*paths)
        assert states(metrics) == expected
        assert len(opened) == 2
        metrics = iqa.MetricCollection(of_images(None, None))
        metrics.update(*map(Image.fromarray, images))
        assert states(metrics) == expected
        for path, image in zip(paths, images):
            Image.fromarray(image[..., 0] % 5).save(path)
        labels = iqa.MetricCollection(of_labels())
        labels.update(*paths)
        assert states(labels) == states(updated(of_labels(), [i[..., 0] % 5 for i in images]))
        labels.update(*(image[..., 0].astype(float) % 5 for image in images))
        assert labels["iou"].elements == 2 * images[0][..., 0].size

    def test_tensors(self):
        torch = pytest.importorskip("torch")
        x, y = torch.from_numpy(X), torch.from_numpy(Y).requires_grad_()
        metrics = iqa.MetricCollection(of_images(1.0, None))
        metrics.update(x, y)
        assert states(metrics) == states(updated(of_images(), (X, Y)))


class TestRefusals:
    """None of the metrics has anything of an update that one of them refuses."""

    def made(self):
        metrics = iqa.MetricCollection({**of_images(), "ms": iqa.MS_SSIM(1.0, "NCHW")})
        small = (X[..., :40, :40], Y[..., :40, :40])  # too small for five scales
        for name in of_images():
            metrics[name].update(X, Y)
        return metrics, small

    @pytest.mark.parametrize("verb", ["update", "__call__"])
    def test_all_or_none(self, verb):
        metrics, small = self.made()
        before = states(metrics)
        for _ in range(2):
            with pytest.raises(iqa.ShapeError):
                getattr(metrics, verb)(*small)
            assert states(metrics) == before

    def test_what_is_queued_is_undone(self, monkeypatch):
        """On a CUDA device metrics are updated in turn; here with arrays that only say so."""
        monkeypatch.setattr(_collection, "owner_of", lambda array: array is small[0] or array is X)
        metrics, small = self.made()
        before = states(metrics)
        with pytest.raises(iqa.ShapeError):
            metrics.update(*small)
        assert states(metrics) == before
        shared = iqa.MetricCollection(of_images())
        shared.update(X, Y)
        assert states(shared) == states(updated(of_images(), (X, Y)))

    def test_a_value_that_a_batch_lacks(self):
        metrics = iqa.MetricCollection([iqa.SSIM(layout="NCHW"), iqa.PSNR(layout="NCHW")])
        with pytest.raises(iqa.IncompatibleError, match="aggregate='mean_of_psnr'"):
            metrics(X, Y, data_range=1.0)
        assert [metric.images for metric in metrics.values()] == [0, 0]
        metrics.update(X, Y, data_range=1.0)
        assert [metric.images for metric in metrics.values()] == [4, 4]

    def test_an_interrupt(self):
        def stop(done, total):
            raise KeyboardInterrupt

        metrics = iqa.MetricCollection(
            {
                "psnr": iqa.PSNR(1.0, "NCHW"),
                "ssim": iqa.SSIM(1.0, "NCHW", context=iqa.Context(threads=1, progress=stop)),
            }
        )
        with pytest.raises(KeyboardInterrupt):
            metrics.update(X, Y)
        assert metrics["psnr"].images == 0

    @pytest.mark.parametrize(
        ("metrics", "said"),
        [
            ([], "metrics is empty"),
            ({}, "metrics is empty"),
            (iqa.SSIM(), "metrics is SSIM, expected a list of metrics, or a dictionary"),
            (3, "metrics is int, expected a list of metrics"),
            ([iqa.SSIM(), iqa.SSIM()], "metrics has SSIM twice, expected a dictionary"),
            ({"kid": iqa.KID()}, r"metrics\['kid'\] is KID, expected a metric that merges"),
        ],
    )
    def test_what_is_no_collection(self, metrics, said):
        with pytest.raises(iqa.InvalidArgumentError, match=said):
            iqa.MetricCollection(metrics)

    def test_one_metric_twice(self):
        metric = iqa.SSIM()
        with pytest.raises(iqa.InvalidArgumentError, match="the same metric twice"):
            iqa.MetricCollection({"a": metric, "b": metric})


class TestOneThing:
    """What a metric can, a collection can."""

    def parts(self, make=of_images):
        pairs = ((X[:1], Y[:1]), (X[1:], Y[1:])) if make is of_images else (LABELS, LABELS)
        return [iqa.MetricCollection(updated(make(), pair)) for pair in pairs]

    @pytest.mark.parametrize("make", [of_images, of_labels])
    def test_sums(self, make):
        first, second = self.parts(make)
        before = states(first)
        whole = {name: (first[name] + second[name]).to_bytes() for name in first}
        assert states(first + second) == whole
        assert states(sum([first, second])) == whole
        assert states(iqa.merge([first, second])) == whole
        assert states(first) == before
        first.merge(second)
        assert states(first) == whole
        first.reset()
        assert all(
            part.to_dict()["elements" if make is of_labels else "images"] == 0
            for part in first.values()
        )

    def test_sums_of_others(self):
        first, _ = self.parts()
        before = states(first)
        with pytest.raises(iqa.IncompatibleError, match="other has the metrics SSIM, but this"):
            first.merge(iqa.MetricCollection([iqa.SSIM()]))
        other = {**of_images(), "rmse": iqa.MeanErrors(layout="NCHW", shave=1)}
        with pytest.raises(iqa.IncompatibleError):
            first.merge(iqa.MetricCollection(other))
        assert states(first) == before
        with pytest.raises(iqa.ArgumentTypeError, match="other is SSIM, expected a collection"):
            first.merge(iqa.SSIM())
        with pytest.raises(TypeError):
            first + iqa.SSIM()

    @pytest.mark.parametrize("make", [of_images, of_labels])
    def test_copies(self, make):
        first, _ = self.parts(make)
        for made in (
            first.copy(),
            copy.copy(first),
            copy.deepcopy(first),
            pickle.loads(pickle.dumps(first)),
        ):
            assert states(made) == states(first)
            made.reset()
        assert first.compute().keys() == make().keys()

    def test_a_mapping(self):
        metrics = iqa.MetricCollection([iqa.SSIM(1.0), iqa.PSNR(1.0)])
        assert list(metrics) == ["SSIM", "PSNR"]
        assert len(metrics) == 2
        assert "PSNR" in metrics
        assert isinstance(metrics["PSNR"], iqa.PSNR)
        assert repr(metrics) == "<iqa.MetricCollection, SSIM, PSNR>"
        with pytest.raises(KeyError):
            metrics["MSE"]

    def test_reports(self):
        metrics = iqa.MetricCollection({**of_images(), "none yet": iqa.SSIM()})
        assert json.loads(json.dumps(metrics.to_dict()))["ssim"] is None
        for name in of_images():
            metrics[name].update(X, Y)
        value = metrics["psnr"].compute()
        assert f"| psnr | {value:.2f} |" in metrics.to_markdown(digits=2)
        assert "none yet" not in metrics.to_latex()
        assert f"{value:.4f}</td>" in metrics._repr_html_()
        labels = iqa.MetricCollection(of_labels())
        labels.update(*LABELS)
        assert labels.to_dict()["matrix"] == labels["matrix"].matrix.tolist()
        assert [row[0] for row in labels.table().rows] == ["iou", "f1", "kappa"]

    def test_plot(self):
        matplotlib = pytest.importorskip("matplotlib")
        matplotlib.use("Agg")
        metrics = iqa.MetricCollection(updated(of_images(), (X, Y)))
        assert [bar.get_height() for bar in metrics.plot().patches] == list(
            metrics.compute().values()
        )
        assert len(metrics.plot([metrics.compute(), metrics.compute()]).lines) == 5
        pytest.importorskip("matplotlib.pyplot").close("all")
