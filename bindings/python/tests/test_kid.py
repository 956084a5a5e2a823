# SPDX-License-Identifier: MIT
"""KID and Inception Score against the formulas of other programs, and as Python people use them."""

import array
import re

import numpy as np
import pytest
from conftest import REPOSITORY

import iqa


def features(seed, rows=400, count=48):
    random = np.random.default_rng(seed)
    values = random.standard_normal((rows, count)) * np.linspace(0.2, 2, count)
    return np.abs(values + 0.5 * np.roll(values, 1, axis=1) + 0.1 * seed)


def rule():
    """The rule of docs/guide/fid.md, by the code that stands there."""
    page = (REPOSITORY / "docs" / "guide" / "fid.md").read_text()
    names = {}
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    exec(next(block for block in blocks if "def draw(" in block), names)
    return names


def draw(seed, number, rows, count):
    return rule()["draw"](seed, number, np.arange(rows), count)


def kernel(a, b, degree=3, gamma=None, coef0=1.0):
    gamma = 1 / a.shape[1] if gamma is None else gamma
    return (a @ b.T * gamma + coef0) ** degree


def by_torch_fidelity(x, y, **options):
    """Its mmd2 with mmd_est='unbiased': sums over rows without the diagonals."""
    k_xx, k_yy, k_xy = (kernel(*pair, **options) for pair in ((x, x), (y, y), (x, y)))
    m = len(x)
    sum_xx = (k_xx.sum(axis=1) - np.diagonal(k_xx)).sum()
    sum_yy = (k_yy.sum(axis=1) - np.diagonal(k_yy)).sum()
    return (sum_xx + sum_yy) / (m * (m - 1)) - 2 * k_xy.sum() / (m * m)


def by_clean_fid(subsets, x, y):
    """Its kernel_distance: one total over all subsets, divided at the end."""
    count, m = len(subsets), len(subsets[0][0])
    total = 0
    for rows_x, rows_y in subsets:
        a, b = x[rows_x], y[rows_y]
        within = kernel(a, a) + kernel(b, b)
        total += (within.sum() - np.diag(within).sum()) / (m - 1) - kernel(a, b).sum() * 2 / m
    return total / count / m


def by_definition(x, y, estimator="unbiased", **options):
    """With any numbers of rows, in long double where x and y are."""
    m, n = len(x), len(y)
    k_xx, k_yy, k_xy = (kernel(*pair, **options) for pair in ((x, x), (y, y), (x, y)))
    if estimator == "biased":
        return k_xx.mean() + k_yy.mean() - 2 * k_xy.mean()
    within_x = (k_xx.sum() - np.trace(k_xx)) / (m * (m - 1))
    within_y = (k_yy.sum() - np.trace(k_yy)) / (n * (n - 1))
    return within_x + within_y - 2 * k_xy.mean()


def test_agrees_with_torch_fidelity_and_clean_fid():
    x, y = features(1), features(2, 330)
    subsets = [(draw(5, 2 * s, 400, 100), draw(5, 2 * s + 1, 330, 100)) for s in range(12)]
    values = [by_torch_fidelity(x[of_x], y[of_y]) for of_x, of_y in subsets]
    ours = iqa.kid(x, y, subsets=12, subset_size=100, seed=5)
    assert ours.mean == pytest.approx(np.mean(values), rel=1e-11)
    assert ours.std == pytest.approx(np.std(values), rel=1e-10)
    assert ours.mean == pytest.approx(by_clean_fid(subsets, x, y), rel=1e-11)


@pytest.mark.parametrize("estimator", ["unbiased", "biased"])
@pytest.mark.parametrize(
    "options", [{}, {"degree": 1, "coef0": 0}, {"degree": 5, "gamma": 0.01, "coef0": 2.5}]
)
def test_agrees_with_long_double(estimator, options):
    x, y = features(1, 90, 33), features(2, 60, 33)
    expected = by_definition(*(a.astype(np.longdouble) for a in (x, y)), estimator, **options)
    scale = max(kernel(x, x, **options).max(), kernel(y, y, **options).max())
    ours = iqa.kid(x, y, subsets=0, estimator=estimator, **options)
    assert abs(ours.mean - expected) <= 1e-15 * scale
    assert ours.std == 0


def test_agrees_with_mpmath():
    mpmath = pytest.importorskip("mpmath")
    x, y = features(3, 7, 5), features(4, 9, 5)
    with mpmath.workdps(60):
        a, b = ([[mpmath.mpf(v) for v in row] for row in t.tolist()] for t in (x, y))

        def total(s, t, apart):
            return mpmath.fsum(
                (mpmath.fdot(u, v) / 5 + 1) ** 3
                for i, u in enumerate(s)
                for j, v in enumerate(t)
                if not (apart and i == j)
            )

        exact = total(a, a, True) / 42 + total(b, b, True) / 72 - 2 * total(a, b, False) / 63
        scale = kernel(x, x).max() + kernel(y, y).max()
        assert abs(iqa.kid(x, y, subsets=0).mean - exact) <= 1e-15 * scale


def test_subsets_of_all_rows_are_all_rows():
    x, y = features(1, 60), features(2, 60)
    whole = iqa.kid(x, y, subsets=0)
    drawn = iqa.kid(x, y, subsets=3, subset_size=60)
    assert drawn.mean == whole.mean
    assert drawn.std == 0
    assert iqa.kid(x, x, subsets=0, estimator="biased").mean == 0
    assert iqa.kid(x, x, subsets=0).mean < 0


@pytest.mark.parametrize("count", [47, 48])
def test_rows_are_drawn_by_their_content(count):
    x, y = (np.float32(features(seed, count=count)) for seed in (1, 2))
    x[5, 7] = -0.0
    few = {"subsets": 3, "subset_size": 50, "seed": 9, "draw_by": "content"}
    found = iqa.kid(x, y, **few)
    names = rule()
    values = [
        iqa.kid(
            x[names["draw"](9, 2 * s, names["contents"](x), 50)],
            y[names["draw"](9, 2 * s + 1, names["contents"](y), 50)],
            subsets=0,
        ).mean
        for s in range(3)
    ]
    assert found.mean == pytest.approx(np.mean(values), rel=1e-13)
    assert found.std == pytest.approx(np.std(values), rel=1e-11)
    order = np.random.default_rng(3).permutation(400)
    others = np.float64(x)[order], np.asfortranarray(y[::-1])
    others[0][order == 5, 7] = 0.0
    assert iqa.kid(*others, **few) == found
    assert iqa.kid(x, y, **{**few, "draw_by": "index"}) != found
    metric = iqa.KID(**few)
    for part in (others[0][150:], others[0][:150]):
        metric.update(reference=part, candidate=np.empty((0, count)))
    metric.update(reference=np.empty((0, count)), candidate=np.float64(y))
    assert metric.compute() == found

    splits = {"splits": 4, "seed": 2, "draw_by": "content"}
    scores = iqa.inception_score(x, **splits)
    assert iqa.inception_score(others[0], **splits) == scores
    rows = names["draw"](2, 0, names["contents"](x), 400)
    assert iqa.inception_score(x[rows], splits=4, shuffle=False) == scores


def test_the_seed_decides():
    x, y = features(1), features(2)
    few = {"subsets": 5, "subset_size": 50}
    first = iqa.kid(x, y, seed=1, **few)
    assert first == iqa.kid(x, y, seed=1, **few, context=iqa.Context(3, "baseline"))
    assert first != iqa.kid(x, y, seed=2, **few)
    largest = 2**64 - 1
    rows = draw(largest, 0, 400, 50), draw(largest, 1, 400, 50)
    alone = iqa.kid(x, y, seed=largest, subsets=1, subset_size=50)
    assert alone.mean == pytest.approx(by_definition(x[rows[0]], y[rows[1]]), rel=1e-11)


def test_batches_are_kept():
    x, y = features(1, 301).astype("float32"), features(2, 200).astype("float32")
    few = {"subsets": 4, "subset_size": 150, "seed": 3}
    expected = iqa.kid(x, y, **few)
    metric = iqa.KID(**few)
    metric.update(x[:100], y[:0])
    metric.update(reference=np.asfortranarray(x[100:200]))
    metric.update(reference=x[:199:-1][::-1])
    wide = np.zeros((200, 96), "float32")
    wide[:, 1::2] = y
    metric.update(candidate=wide[:50, 1::2])
    metric.update(candidate=wide[50:, ::-1][:, ::-2][:, ::-1][:, ::-1])
    assert metric.rows == (301, 200)
    assert metric.compute() != expected  # the last batch was back to front
    metric.reset("candidate")
    assert metric.rows == (301, 0)
    metric.update(candidate=wide[:50, 1::2])
    metric.update(candidate=wide[50:, 1::2])
    assert metric.compute() == expected
    assert metric.compute() == expected
    assert repr(metric) == "<iqa.KID, 301 reference rows, 200 candidate rows>"
    metric.reset()
    assert metric.rows == (0, 0)


def test_batches_of_any_kind():
    rows = np.arange(12.0).reshape(4, 3) / 8
    expected = iqa.kid(rows, rows[::-1] + 1, subsets=0)
    metric = iqa.KID(subsets=0)
    metric.update(memoryview(array.array("d", rows.ravel())).cast("B").cast("d", (4, 3)))
    metric.update(candidate=rows[::-1] + 1)
    assert metric.compute() == expected
    halves = iqa.KID(subsets=0)
    halves.update(rows.astype("float16"), (rows + 1).astype("float16")[:, :])
    assert halves.compute().mean == pytest.approx(expected.mean, rel=1e-12)
    constant = iqa.KID(subsets=0)
    constant.update(np.broadcast_to(np.float32(0.5), (4, 3)), rows)
    assert constant.compute() == iqa.kid(np.full((4, 3), 0.5), rows, subsets=0)


def test_what_kid_refuses():
    x, y = features(1, 50), features(2, 40)
    with pytest.raises(iqa.NoDataError, match="reference set has 50 rows, fewer than subset_size"):
        iqa.kid(x, y)
    for bad, said in [
        ({"degree": 0}, "degree is 0; expected 1 to 16"),
        ({"degree": 2.5}, r"degree is 2\.5, expected an integer"),
        ({"gamma": -1}, "gamma is -1, expected a number above 0, or None"),
        ({"gamma": "x"}, "gamma is 'x', expected a number"),
        ({"coef0": -0.5}, r"coef0 is -0\.5; expected 0 or more"),
        ({"coef0": None}, "coef0 is None, expected a number"),
        ({"estimator": "u"}, "estimator is 'u', expected one of 'unbiased', 'biased'"),
        ({"subsets": -1}, "subsets is -1; expected 0"),
        ({"subset_size": 2**63}, "subset_size is 9223372036854775808, which is far out"),
        ({"seed": -1}, "seed is -1, which is far out of its range"),
    ]:
        with pytest.raises(iqa.InvalidArgumentError, match=said):
            iqa.kid(x, y, **bad)
    with pytest.raises(iqa.ShapeError, match=r"candidate has shape \[40, 47\]; expected \[N, 48\]"):
        iqa.kid(x, y[:, 1:], subsets=0)
    x[17, 5] = np.nan
    with pytest.raises(iqa.NumericError, match=r"reference\[17, 5\] is nan"):
        iqa.kid(x, y, subsets=0)

    metric = iqa.KID(subsets=0)
    with pytest.raises(iqa.NoDataError, match="the reference set has 0 rows"):
        metric.compute()
    with pytest.raises(iqa.InvalidArgumentError, match="both None"):
        metric.update()
    metric.update(y, y)
    for bad, error, said in [
        (y[:, 1:], iqa.ShapeError, r"candidate has shape \[40, 47\]; expected \[N, 48\]"),
        (y[0], iqa.ShapeError, r"candidate has shape \[48\]; expected \[N, 48\]"),
        (y.astype("float32"), iqa.DtypeError, "another element type than the element type of"),
        (y.astype("uint8"), iqa.DtypeError, "candidate has another element type"),
    ]:
        with pytest.raises(error, match=said):
            metric.update(y, bad)
        assert metric.rows == (40, 40)
    with pytest.raises(iqa.DtypeError, match="complex128"):
        iqa.KID().update(y.astype("complex128"))
    with pytest.raises(iqa.InvalidArgumentError, match="side is 'real'"):
        metric.reset("real")


def test_kid_can_be_cancelled():
    def stop(done, total):
        assert total == 60
        if done > 5:
            raise KeyboardInterrupt

    x = features(1)
    with pytest.raises(KeyboardInterrupt):
        iqa.kid(x, x, subsets=20, subset_size=80, context=iqa.Context(2, progress=stop))


def logits(seed, rows, classes, spread=4.0):
    return np.random.default_rng(seed).standard_normal((rows, classes)) * spread


def score_of(p):
    """As torch-fidelity: mean over rows of sum p (log p - log mean p), exponentiated."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = p * (np.log(p) - np.log(p.mean(axis=0, keepdims=True)))
    return np.exp(np.where(p > 0, terms, 0).sum(axis=1).mean())


def softmax(z):
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def splits_of_torch_fidelity(p, splits):
    n = len(p)
    return [score_of(p[i * n // splits : (i + 1) * n // splits]) for i in range(splits)]


@pytest.mark.parametrize("rows, splits", [(10, 10), (13, 10), (1007, 10), (300, 1), (7, 3)])
def test_inception_score_agrees_with_torch_fidelity(rows, splits):
    z = logits(rows, rows, 100)
    expected = splits_of_torch_fidelity(softmax(z.astype(np.longdouble)), splits)
    ours = iqa.inception_score(z, splits=splits, shuffle=False)
    assert ours.mean == pytest.approx(float(np.mean(expected)), rel=1e-14)
    assert ours.std == pytest.approx(float(np.std(expected)), rel=1e-10, abs=1e-14)
    order = draw(11, 0, rows, rows)
    expected = splits_of_torch_fidelity(softmax(z[order].astype(np.longdouble)), splits)
    ours = iqa.inception_score(z, splits=splits, seed=11)
    assert ours.mean == pytest.approx(float(np.mean(expected)), rel=1e-14)


def test_inception_score_agrees_with_mpmath():
    mpmath = pytest.importorskip("mpmath")
    z = logits(8, 6, 4)
    with mpmath.workdps(60):
        p = [[mpmath.exp(v) for v in row] for row in z.tolist()]
        p = [[v / mpmath.fsum(row) for v in row] for row in p]
        mean = [mpmath.fsum(column) / 6 for column in zip(*p)]
        divergences = [v * mpmath.log(v / m) for row in p for v, m in zip(row, mean)]
        exact = mpmath.exp(mpmath.fsum(divergences) / 6)
        assert abs(iqa.inception_score(z, splits=1).mean / exact - 1) <= 3e-16


def test_extreme_logits():
    z = np.where(np.eye(12, dtype=bool), 1e4, -1e4)
    assert iqa.inception_score(z, splits=1).mean == pytest.approx(12, rel=1e-15)
    assert iqa.inception_score(z, splits=12).mean == pytest.approx(1, rel=1e-15)
    assert iqa.inception_score(z[:1], splits=1) == pytest.approx((1, 0))
    assert iqa.inception_score(-z, splits=1).mean == pytest.approx(12 / 11, rel=1e-14)


def test_probabilities_and_types():
    z = logits(9, 200, 30)
    expected = iqa.inception_score(z)
    p = softmax(z)
    assert iqa.inception_score(p, kind="probabilities").mean == pytest.approx(expected.mean, 1e-14)
    narrow = p.astype("float16")
    assert iqa.inception_score(narrow, kind="probabilities").mean == pytest.approx(
        expected.mean, 1e-3
    )
    single = z.astype("float32")
    same = iqa.inception_score(single.astype("float64"), context=iqa.Context(1, "baseline"))
    assert iqa.inception_score(np.asfortranarray(single)) == same
    certain = np.eye(5)
    assert iqa.inception_score(certain, kind="probabilities", splits=1).mean == pytest.approx(5)


def test_what_the_inception_score_refuses():
    z = logits(1, 5, 4)
    with pytest.raises(iqa.NoDataError, match="scores has 5 rows; at least 10 are needed"):
        iqa.inception_score(z)
    with pytest.raises(iqa.InvalidArgumentError, match="splits is 0; expected 1 or more"):
        iqa.inception_score(z, splits=0)
    with pytest.raises(iqa.InvalidArgumentError, match="kind is 'softmax', expected one of"):
        iqa.inception_score(z, kind="softmax")
    with pytest.raises(iqa.NumericError, match=r"scores\[0, 1\] is .*; expected a probability"):
        iqa.inception_score([[0.5, -0.5]] @ np.eye(2), kind="probabilities", splits=1)
    with pytest.raises(iqa.NumericError, match=r"row 0 of scores sums to 0\.75; expected"):
        iqa.inception_score(np.array([[0.5, 0.25]]), kind="probabilities", splits=1)
    z[2, 3] = np.inf
    with pytest.raises(iqa.NumericError, match=r"scores\[2, 3\] is inf"):
        iqa.inception_score(z, splits=1)
    with pytest.raises(iqa.ShapeError, match=r"scores has shape \[4\]; expected two axes"):
        iqa.inception_score(z[0], splits=1)
