# SPDX-License-Identifier: MIT
"""Tables, dictionaries, plots and progress bars: the numbers are those that the metrics give."""

import csv
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from pictures import batch

import iqa

TRUTH = np.array([0, 0, 0, 1, 1, 2])
GUESS = np.array([0, 0, 1, 1, 2, 2])
NAMES = ["sky", "a|b & c_d", "<50% $x$>"]


@pytest.fixture
def matrix():
    metric = iqa.ConfusionMatrix(3)
    metric.update(TRUTH, GUESS)
    return metric


class Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.rows = []

    def handle_starttag(self, tag, _):
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        self.rows[-1][-1] += data


# Worked out by hand: precision 1, 1/2, 1/2; recall 2/3, 1/2, 1; IoU 2/3, 1/3, 1/2.
EXPECTED = [
    ["class", "precision", "recall", "iou", "support"],
    ["sky", "1.000", "0.667", "0.667", "3"],
    ["a|b & c_d", "0.500", "0.500", "0.333", "2"],
    ["<50% $x$>", "0.500", "1.000", "0.500", "1"],
    ["macro", "0.667", "0.722", "0.500", "6"],
]
HOW = {
    "names": NAMES,
    "scores": ("precision", "recall", "iou"),
    "averages": ("macro",),
    "digits": 3,
}


class TestTableOfClasses:
    def test_text(self, matrix):
        lines = str(matrix.table(**HOW)).splitlines()
        assert [re.split(r"  +", line.strip()) for line in lines] == EXPECTED
        assert len(set(map(len, lines))) == 1

    def test_html(self, matrix):
        cells = Cells()
        cells.feed(matrix.table(**HOW)._repr_html_())
        assert cells.rows == EXPECTED
        cells = Cells()
        cells.feed(matrix._repr_html_())
        assert [row[0] for row in cells.rows[1:]] == ["0", "1", "2", "micro", "macro", "weighted"]

    def test_markdown(self, matrix):
        lines = matrix.to_markdown(**HOW).splitlines()
        assert lines[1] == "| :-- | --: | --: | --: | --: |"
        cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in (lines[0], *lines[2:])]
        assert [[cell.strip().replace(r"\|", "|") for cell in row] for row in cells] == EXPECTED

    def test_latex(self, matrix):
        lines = matrix.to_latex(**HOW).splitlines()
        assert lines[:2] == [r"\begin{tabular}{lrrrr}", r"\toprule"]
        assert lines[3] == r"\midrule"
        assert lines[4] == r"sky & 1.000 & 0.667 & 0.667 & 3 \\"
        assert lines[5].startswith(r"a|b \& c\_d & 0.500")
        assert lines[6].startswith(r"<50\% \$x\$> & 0.500")
        assert lines[-2:] == [r"\bottomrule", r"\end{tabular}"]
        odd = iqa.ScoreTable(("~^{}#\\", "x"), []).to_latex().splitlines()[2]
        assert odd == (r"\textasciitilde{}\textasciicircum{}\{\}\#\textbackslash{} & x \\")

    def test_csv(self, matrix):
        rows = list(csv.reader(io.StringIO(matrix.table(**HOW).to_csv())))
        assert rows[0] == EXPECTED[0]
        assert rows[1] == ["sky", "1.0", "0.6666666666666666", "0.6666666666666666", "3"]
        assert [row[0] for row in rows[1:4]] == NAMES

    def test_averages_and_scores_are_those_of_the_metric(self, matrix):
        table = matrix.table(scores=("f1", "specificity")).to_dict()
        for average in ("micro", "macro", "weighted"):
            assert table[average]["f1"] == matrix.f1(average=average)
            assert table[average]["specificity"] == matrix.specificity(average=average)
        assert [table[str(k)]["f1"] for k in range(3)] == matrix.f1(average="none").tolist()

    def test_rules_of_a_tool(self):
        metric = iqa.ConfusionMatrix(4, convention="scikit_learn", excluded=[3])
        metric.update(TRUTH, GUESS)
        table = metric.table().to_dict()
        assert table["macro"]["iou"] == metric.iou(average="macro")
        assert table["3"]["support"] == 0

    def test_weights_and_labels_in_plenty(self):
        metric = iqa.ConfusionMatrix(3, weighted=True)
        metric.update(TRUTH, GUESS, weights=np.full(6, 0.25))
        assert metric.table().to_dict()["0"]["support"] == 0.75
        labels = np.array([[1, 0], [0, 1], [1, 1]])
        metric = iqa.ConfusionMatrix(2, task="multilabel")
        metric.update(labels, labels)
        assert metric.table().to_dict()["micro"]["iou"] == 1.0

    def test_wrong_names(self, matrix):
        for call in (matrix.table, matrix.to_dict, matrix.to_markdown, matrix.plot):
            with pytest.raises(iqa.ShapeError, match="names has 2 entries, expected 3"):
                call(names=["a", "b"])
            with pytest.raises(iqa.InvalidArgumentError, match="names is 'abc', expected 3 names"):
                call(names="abc")
        with pytest.raises(iqa.InvalidArgumentError, match="score is 'kappas'"):
            matrix.table(scores=("kappas",))

    def test_nothing_yet(self):
        empty = iqa.ConfusionMatrix(3)
        assert empty._repr_html_() is None
        with pytest.raises(iqa.NoDataError):
            empty.table()
        assert empty.to_dict()["scores"] is None
        empty.close()
        assert empty._repr_html_() is None


class TestDictionaries:
    def test_of_labels(self, matrix):
        found = json.loads(json.dumps(matrix.to_dict(names=NAMES)))
        assert found["classes"] == NAMES
        assert found["matrix"] == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]
        assert found["elements"] == 6
        assert found["scores"]["sky"]["recall"] == 2 / 3
        assert found["accuracy"] == matrix.accuracy(average="micro")
        assert found["kappa"] == matrix.kappa()

    def test_without_a_matrix(self):
        metric = iqa.ConfusionMatrix(3, counts="per_class")
        metric.update(TRUTH, GUESS)
        found = metric.to_dict()
        assert found["matrix"] is None
        assert found["kappa"] == metric.kappa()
        assert found["scores"]["0"]["recall"] == 2 / 3

    def test_of_images(self):
        x, y = batch(2)
        psnr = iqa.PSNR(1.0, "NCHW")
        psnr.update(x, y)
        found = json.loads(json.dumps(psnr.to_dict()))
        assert found["value"] == psnr.compute()
        assert found["mean_psnr"] == psnr.mean_psnr
        assert found["images"] == 2
        errors = iqa.MeanErrors(layout="NCHW")
        errors.update(x, y)
        assert errors.to_dict()["nrmse_mean"] == errors.nrmse_mean
        assert f"| mae | {errors.mae:.6f} |" in errors.to_markdown(digits=6)
        assert iqa.SSIM().to_dict() == {
            "value": None,
            "images": 0,
            "out_of_range": 0,
            "nonfinite": 0,
        }
        rows = [row[0] for row in iqa.SSIM().table().rows]
        assert rows == ["images", "out_of_range", "nonfinite"]
        assert "<td" in psnr._repr_html_()
        psnr.close()
        assert psnr._repr_html_() is None

    def test_of_features(self):
        rows = np.random.default_rng(0).standard_normal((2, 50, 4))
        metric = iqa.FID(4)
        assert metric.to_dict()["value"] is None
        metric.update(*rows)
        found = json.loads(json.dumps(metric.to_dict()))
        assert found["value"] == metric.compute()
        assert found["rows_candidate"] == 50
        assert "trace_term" in metric.to_markdown()
        assert metric._repr_html_() is None


class TestPlots:
    @pytest.fixture(autouse=True)
    def _matplotlib(self):
        matplotlib = pytest.importorskip("matplotlib")
        matplotlib.use("Agg")
        self.pyplot = pytest.importorskip("matplotlib.pyplot")
        yield
        self.pyplot.close("all")

    def test_the_matrix(self, matrix):
        ax = matrix.plot(names=NAMES)
        assert [text.get_text() for text in ax.texts] == list("210011001")
        assert [label.get_text() for label in ax.get_yticklabels()] == NAMES
        assert (ax.images[0].get_array() == matrix.matrix).all()
        ax.figure.canvas.draw()
        mine = self.pyplot.subplots()[1]
        assert matrix.plot(mine, normalized="row") is mine
        assert [text.get_text() for text in mine.texts[:3]] == ["0.67", "0.33", "0.00"]
        large = iqa.ConfusionMatrix(30)
        large.update(TRUTH, GUESS)
        assert not large.plot().texts
        with pytest.raises(iqa.InvalidArgumentError, match="by is 'rows'"):
            matrix.plot(normalized="rows")
        many = iqa.ConfusionMatrix(2, task="multilabel")
        many.update([[1, 0]], [[1, 1]])
        with pytest.raises(iqa.ShapeError, match="multilabel"):
            many.plot()

    def test_the_map(self):
        x, y = batch(1)
        for layout, images in (("CHW", (x[0], y[0])), ("HW", (x[0, 0], y[0, 0]))):
            found = iqa.ssim(*images, 1.0, layout, map=True).map
            ax = iqa.plot_map(found)
            mean = found.mean(axis=0) if layout == "CHW" else found
            assert (ax.images[0].get_array() == mean).all()
            assert ax.images[0].get_clim() == (mean.min(), 1.0)
        last = np.moveaxis(found[None].repeat(3, 0), 0, 2)
        assert np.allclose(iqa.plot_map(last).images[0].get_array(), found)
        with pytest.raises(iqa.ShapeError, match=r"map has shape \(1, 3, 4, 5\)"):
            iqa.plot_map(np.zeros((1, 3, 4, 5)))

    def test_values(self):
        metric = iqa.SSIM(1.0, "NCHW")
        metric.update(*batch(1))
        (bar,) = metric.plot().patches
        assert bar.get_height() == metric.compute()
        (line,) = metric.plot([0.5, 0.75]).lines
        assert line.get_ydata().tolist() == [0.5, 0.75]
        lines = iqa.plot_values([{"a": 1, "b": 2}, {"a": 3, "b": 4}]).lines
        assert [line.get_ydata().tolist() for line in lines] == [[1, 3], [2, 4]]
        assert iqa.plot_values(np.array([1.0, 2.0])).lines[0].get_ydata().tolist() == [1.0, 2.0]
        with pytest.raises(iqa.InvalidArgumentError, match="values is empty"):
            iqa.plot_values([])


def test_without_matplotlib():
    code = (
        "import sys; sys.modules['matplotlib'] = None\nimport iqa\n"
        "try: iqa.plot_values([1.0])\n"
        "except iqa.UnavailableError as problem: print(problem)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert "drawn by matplotlib, which is not installed" in done.stdout


class TestProgress:
    IMAGES = batch(8, height=200, width=200)

    def test_a_bar_of_the_callers(self):
        tqdm = pytest.importorskip("tqdm")
        text = io.StringIO()
        with tqdm.tqdm(file=text, mininterval=0) as bar:
            context = iqa.Context(threads=1, progress=bar)
            value = iqa.ssim(*self.IMAGES, 1.0, "NCHW", context=context)
            assert bar.n == bar.total > 1
            iqa.psnr(*self.IMAGES, 1.0, "NCHW", context=context)
            assert bar.n == bar.total
        assert "100%" in text.getvalue()
        assert value == iqa.ssim(*self.IMAGES, 1.0, "NCHW")

    @pytest.mark.parametrize("name", ["tqdm", "rich"])
    def test_by_name(self, name, capfd):
        pytest.importorskip(name)
        context = iqa.Context(threads=1, progress=name)
        for _ in range(2):
            metric = iqa.PSNR(1.0, "NCHW", context=context)
            metric.update(*self.IMAGES)
        assert metric.compute() == iqa.psnr(*self.IMAGES, 1.0, "NCHW")
        if name == "tqdm":
            assert "%|" in capfd.readouterr().err

    def test_rich_of_the_callers(self):
        progress = pytest.importorskip("rich.progress")
        console = pytest.importorskip("rich.console").Console(file=io.StringIO())
        with progress.Progress(console=console) as bars:
            context = iqa.Context(threads=1, progress=bars)
            iqa.ssim(*self.IMAGES, 1.0, "NCHW", context=context)
            (task,) = bars.tasks
            assert task.finished

    def test_a_cancelled_call(self):
        """The bar of one that raises is left where it was."""
        tqdm = pytest.importorskip("tqdm")

        class Stubborn(tqdm.tqdm):
            def update(self, n=1):
                if self.n + n > 3:
                    raise iqa.CancelledError("enough")
                return super().update(n)

        with Stubborn(file=io.StringIO()) as bar:
            metric = iqa.PSNR(1.0, "NCHW", context=iqa.Context(threads=1, progress=bar))
            with pytest.raises(iqa.CancelledError, match="enough"):
                metric.update(*self.IMAGES)
            assert bar.n <= 3
            assert metric.images == 0

    @pytest.mark.parametrize("wrong", ["bar", 3, object()])
    def test_what_is_no_progress(self, wrong):
        with pytest.raises(iqa.InvalidArgumentError, match=r"progress is .*expected a function"):
            iqa.Context(progress=wrong)
