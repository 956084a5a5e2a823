# SPDX-License-Identifier: MIT
"""Precision, recall, density and coverage against other programs, and as Python people use them."""

import numpy as np
import pytest

import iqa


def features(seed, rows=300, count=48, dtype=np.float32):
    random = np.random.default_rng(seed)
    values = random.standard_normal((rows, 12)) @ random.standard_normal((12, count))
    return np.maximum(values + 0.2 * random.standard_normal((rows, count)), 0).astype(dtype)


def of_one_model(seed, rows, shift=0.0):
    """Rows of one distribution, as those of a generator beside its data."""
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).standard_normal((12, 48))
    return (random.standard_normal((rows, 12)) @ mixing + shift).astype(np.float32)


def by_definition(x, y, k, closed=False):
    """In whole numbers, for features that are whole numbers."""
    x, y = x.astype(np.int64), y.astype(np.int64)
    between = lambda a, b: ((a[:, None] - b[None]) ** 2).sum(axis=2)  # noqa: E731
    radius = lambda a: np.sort(between(a, a), axis=1)[:, k]  # noqa: E731
    real_fake = between(x, y)
    below = np.less_equal if closed else np.less
    in_real, in_fake = below(real_fake, radius(x)[:, None]), below(real_fake, radius(y)[None])
    counts = (
        *(in_real.any(axis=0).sum(), in_fake.any(axis=1).sum()),
        *(in_real.any(axis=1).sum(), in_real.sum()),
    )
    parts = (
        *(counts[0] / len(y), counts[1] / len(x)),
        *(counts[3] / (k * len(y)), counts[2] / len(x)),
    )
    return (*parts, *map(int, counts))


@pytest.mark.parametrize("k", [1, 3, 5, 20])
@pytest.mark.parametrize("shift", [0.0, 0.5, 3.0])
def test_agrees_with_prdc(k, shift):
    peer = pytest.importorskip("prdc")
    x, y = of_one_model(1, 500), of_one_model(2, 430, shift)
    theirs = peer.compute_prdc(x, y, k)
    ours = iqa.prdc(x, y, k=k)
    for name, value in theirs.items():
        assert getattr(ours, name) == pytest.approx(value, rel=1e-14), name
    assert shift > 0.5 or 0 < ours.precision < 1


@pytest.mark.parametrize("k", [1, 3, 10])
def test_agrees_with_torch_fidelity(k):
    torch = pytest.importorskip("torch")
    peer = pytest.importorskip("torch_fidelity.metric_prc")
    x, y = of_one_model(1, 500), of_one_model(2, 430, 0.3)
    real, fake = torch.from_numpy(x).double(), torch.from_numpy(y).double()
    precision, recall = peer.calculate_precision_recall_full(fake, real, k)
    ours = iqa.prdc(x, y, k=k, ball="closed")
    assert (ours.precision, ours.recall) == pytest.approx((precision, recall), rel=1e-6)


def test_ties_follow_the_peers():
    """Whole numbers of which many distances are equal: each peer's comparison decides."""
    random = np.random.default_rng(5)
    x, y = (random.integers(0, 3, (rows, 4)).astype(np.float64) for rows in (60, 70))
    opened, closed = iqa.prdc(x, y, k=3), iqa.prdc(x, y, k=3, ball="closed")
    assert opened == by_definition(x, y, 3)
    assert closed == by_definition(x, y, 3, closed=True)
    assert opened.pairs < closed.pairs
    peer = pytest.importorskip("prdc")
    assert opened[:4] == pytest.approx(tuple(peer.compute_prdc(x, y, 3).values()), rel=1e-14)
    torch = pytest.importorskip("torch")
    other = pytest.importorskip("torch_fidelity.metric_prc")
    theirs = other.calculate_precision_recall_full(torch.from_numpy(y), torch.from_numpy(x), 3)
    assert closed[:2] == pytest.approx(theirs, rel=1e-6)


def test_counts_and_parts():
    x, y = features(1, 200), features(2, 150)
    values = iqa.prdc(x, y, k=4)
    assert values.precision == values.precise / 150
    assert values.recall == values.recalled / 200
    assert values.coverage == values.covered / 200
    assert values.density == values.pairs / 600
    assert all(isinstance(count, int) for count in values[4:])
    assert iqa.prdc(x, x, k=1).coverage == 1


def test_same_counts_whatever_may_vary():
    x, y = of_one_model(1, 1100), of_one_model(2, 700, 0.2)
    expected = iqa.prdc(x, y)
    for threads in (1, 2, 5):
        assert iqa.prdc(x, y, context=iqa.Context(threads)) == expected
    assert iqa.prdc(np.asfortranarray(x), y.astype(np.float64)[:, :]) == expected
    assert iqa.prdc(x[::-1], np.random.default_rng(3).permutation(y)) == expected
    assert iqa.prdc(x * 2.0**-40, y * 2.0**-40) == expected


def test_rows_that_come_in_batches():
    x, y = features(1, 90), features(2, 80)
    metric = iqa.PRDC(k=3, ball="closed")
    with pytest.raises(iqa.NoDataError, match="the reference set has 0 rows; more than k, 3, are"):
        metric.compute()
    for part in np.array_split(x, 4):
        metric.update(reference=part)
    metric.update(candidate=y[:50])
    metric.update(x[:0], y[50:])
    assert metric.rows == (90, 80)
    assert metric.compute() == iqa.prdc(x, y, k=3, ball="closed")
    assert repr(metric) == "<iqa.PRDC, 90 reference rows, 80 candidate rows>"
    metric.reset("candidate")
    metric.update(candidate=x)
    assert metric.compute() == iqa.prdc(x, x, k=3, ball="closed")
    with pytest.raises(iqa.ShapeError, match=r"candidate has shape \[5, 3\]; expected \[N, 48\]"):
        metric.update(candidate=np.zeros((5, 3), np.float32))


@pytest.mark.parametrize(
    ("error", "text", "change", "options"),
    [
        (iqa.InvalidArgumentError, "k is 0; expected 1 or more", None, {"k": 0}),
        (iqa.InvalidArgumentError, "ball is 'o', expected one of 'open'", None, {"ball": "o"}),
        (iqa.NoDataError, "the candidate set has 20 rows; more than k, 20", None, {"k": 20}),
        (iqa.NumericError, r"candidate\[3, 1\] is nan; expected a finite number", np.nan, {}),
        (iqa.NumericError, r"candidate\[3, 1\] is inf; expected a finite number", np.inf, {}),
        (iqa.NumericError, "candidate has a row whose sum of squares overflows", 1e200, {}),
        (iqa.NumericError, "the reference set has 28 of 30 rows that differ", 1e12, {}),
    ],
)  # fmt: skip
def test_what_is_refused(error, text, change, options):
    x, y = features(1, 30, 4, np.float64), features(2, 20, 4, np.float64)
    if change is not None:
        y[3, 1] = change
    with pytest.raises(error, match=text):
        iqa.prdc(x, y, **options)
