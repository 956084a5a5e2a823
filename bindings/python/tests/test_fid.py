# SPDX-License-Identifier: MIT
"""FID against the formulas of other programs, and as Python people use it."""

import pickle

import numpy as np
import pytest
from PIL import Image

import iqa

ROWS, FEATURES = 400, 48


def features(seed, rows=ROWS, count=FEATURES):
    random = np.random.default_rng(seed)
    values = random.standard_normal((rows, count)) * np.linspace(0.2, 2, count)
    values += 0.5 * np.roll(values, 1, axis=1) + 0.1 * seed
    return np.round(np.abs(values) * 2**16) / 2**16  # on the grid: not moved by it


def moments(x):
    return x.mean(axis=0), np.cov(x, rowvar=False)


def frechet(x, y, trace_term):
    (mean_1, sigma_1), (mean_2, sigma_2) = moments(x), moments(y)
    return (
        ((mean_1 - mean_2) ** 2).sum()
        + np.trace(sigma_1)
        + np.trace(sigma_2)
        - 2 * trace_term(x, y, sigma_1, sigma_2)
    )


def by_sqrtm(x, y, sigma_1, sigma_2):
    """The trace term of pytorch-fid."""
    linalg = pytest.importorskip("scipy.linalg")
    return np.trace(linalg.sqrtm(sigma_1 @ sigma_2)).real


def by_eigenvalues(x, y, sigma_1, sigma_2):
    """The trace term of torch-fidelity and TorchMetrics."""
    return np.sqrt(np.linalg.eigvals(sigma_1 @ sigma_2).astype(complex)).real.sum()


def by_rows(x, y, sigma_1, sigma_2):
    """The trace term as singular values of the centred rows' products: accurate at any rank."""
    a = (x - x.mean(axis=0)) / np.sqrt(len(x) - 1)
    b = (y - y.mean(axis=0)) / np.sqrt(len(y) - 1)
    return np.linalg.svd(a @ b.T, compute_uv=False).sum()


def total_variance(x, y):
    return x.var(axis=0, ddof=1).sum() + y.var(axis=0, ddof=1).sum()


@pytest.mark.parametrize("trace_term", [by_sqrtm, by_eigenvalues, by_rows])
def test_agrees_with_the_formulas_where_they_are_sound(trace_term):
    x, y = features(1), features(2)
    expected = frechet(x, y, trace_term)
    assert abs(iqa.fid(x, y) - expected) <= 1e-12 * total_variance(x, y)


def collapsed(seed):
    return features(seed)[np.arange(ROWS) % 8]


@pytest.mark.parametrize(
    "x, y",
    [
        (features(1, 20), features(2)),
        (features(1, 20), features(2, 12)),
        (features(1), collapsed(2)),
        (features(1, 20), features(1, 20)),
    ],
    ids=["few real rows", "few rows", "mode collapse", "equal sets"],
)
def test_is_nearer_to_the_truth_where_they_are_not(x, y):
    truth = frechet(x, y, by_rows)
    ours = abs(iqa.fid(x, y) - truth)
    scale = total_variance(x, y)
    assert ours <= 1e-13 * scale
    for trace_term in (by_sqrtm, by_eigenvalues):
        theirs = abs(frechet(x, y, trace_term) - truth)
        assert theirs <= 1e-5 * scale  # they compute the same thing
        assert theirs > 10 * ours


def test_equal_sets_are_exactly_0_apart():
    x = features(3)
    assert iqa.fid(x, x) == 0.0
    assert iqa.fid(x, x[::-1]) == 0.0
    assert iqa.fid(x[:5], x[:5]) == 0.0


def test_batches_order_and_merges_change_no_bit():
    x, y = features(1), features(2, 333)
    expected = iqa.fid(x, y)
    random = np.random.default_rng(0)
    for size in (1, 7, 100):
        metric = iqa.FID(FEATURES, context=iqa.Context(3))
        for rows, side in ((x[random.permutation(len(x))], "reference"), (y, "candidate")):
            for begin in range(0, len(rows), size):
                metric.update(**{side: rows[begin : begin + size]})
        assert metric.compute() == expected
    parts = [iqa.FID(FEATURES) for _ in range(3)]
    for i, part in enumerate(parts):
        part.update(x[i::3], y[i::3])
    total = iqa.FID(FEATURES)
    for part in reversed(parts):
        total.merge(part)
    assert total.compute() == expected
    summed = iqa.FID(FEATURES)
    summed.add_lanes(sum(part.lanes() for part in parts))
    assert summed.to_bytes() == total.to_bytes()
    assert pickle.loads(pickle.dumps(total)).compute() == expected


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_types_and_strides(dtype):
    x, y = (np.round(features(seed) * 8).astype(dtype) / 8 for seed in (1, 2))
    expected = iqa.fid(x.astype("float64"), y.astype("float64"))
    assert iqa.fid(x, y) == expected
    assert iqa.fid(np.asfortranarray(x), y[::-1]) == expected
    wide = np.zeros((2 * ROWS, 2 * FEATURES), dtype)
    wide[::2, ::2] = x
    assert iqa.fid(wide[::2, ::2], y) == expected


def test_parts_and_statistics():
    x, y = features(1), features(2, 20)
    metric = iqa.FID(FEATURES)
    metric.update(x)
    metric.update(candidate=y)
    parts = metric.parts
    assert parts.value == metric.compute() == parts.raw
    assert metric.rows == (ROWS, 20)
    assert (parts.rank_reference, parts.rank_candidate) == (FEATURES, 19)
    assert metric.rank_deficient
    assert parts.value == pytest.approx(
        parts.mean_term + parts.trace_reference + parts.trace_candidate - 2 * parts.trace_term
    )
    mean, sigma = metric.statistics("reference")
    np.testing.assert_allclose(mean, x.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(sigma, np.cov(x, rowvar=False), rtol=1e-10, atol=1e-14)
    again = iqa.fid_from_statistics((mean, sigma), metric.statistics("candidate"))
    assert again.value == pytest.approx(parts.value, rel=1e-12)
    assert again.rank_candidate == 19


def test_statistics_files(tmp_path):
    x, y = features(1), features(2)
    mu, sigma = moments(x)
    np.savez_compressed(tmp_path / "real.npz", mu=mu, sigma=sigma)  # as pytorch-fid writes it
    metric = iqa.FID(FEATURES)
    metric.update(candidate=y)
    metric.save_statistics(tmp_path / "generated.npz", "candidate")
    with np.load(tmp_path / "generated.npz") as written:
        assert sorted(written.files) == ["mu", "sigma"]
        np.testing.assert_allclose(written["mu"], y.mean(axis=0), rtol=1e-14)
        np.testing.assert_array_equal(written["sigma"], metric.statistics("candidate")[1])
    expected = pytest.approx(iqa.fid(x, y), rel=1e-10)
    real, generated = tmp_path / "real.npz", str(tmp_path / "generated.npz")
    assert iqa.fid_from_statistics(real, generated).value == expected
    assert iqa.fid_from_statistics(real, metric.statistics("candidate")).value == expected
    assert iqa.fid_from_statistics((mu, sigma), generated).value == expected

    np.savez(tmp_path / "features.npz", features=x, mu=mu)
    np.save(tmp_path / "features.npy", x)
    with pytest.raises(iqa.InvalidArgumentError, match=r"candidate is '.*', which lacks sigma;"):
        iqa.fid_from_statistics(real, tmp_path / "features.npz")
    with pytest.raises(iqa.InvalidArgumentError, match=r"reference is .* lacks mu and sigma;"):
        iqa.fid_from_statistics(tmp_path / "features.npy", generated)
    with pytest.raises(FileNotFoundError):
        iqa.fid_from_statistics(tmp_path / "missing.npz", generated)
    with pytest.raises(iqa.InvalidArgumentError, match="side is 'real'"):
        metric.save_statistics(tmp_path / "x.npz", "real")
    with pytest.raises(iqa.NoDataError):
        metric.save_statistics(tmp_path / "x.npz", "reference")
    assert not (tmp_path / "x.npz").exists()


def shards_of(x, y, ends, contexts):
    shards = []
    for begin, end, context in zip([0, *ends], ends, contexts):
        shards.append(iqa.FID(FEATURES, context=context))
        shards[-1].update(candidate=y[begin:end])
    shards[0].update(reference=x)
    return shards


def test_extrapolation_and_jackknife_from_shards():
    x, y = features(1), features(2)
    ends = [160, 220, 300, 400]
    one = iqa.Context()
    for contexts in ([None] * 4, [one] * 4, [one, None, one, None]):
        shards = shards_of(x, y, ends, contexts)
        slope, value = np.polyfit(1 / np.array(ends), [iqa.fid(x, y[:end]) for end in ends], 1)
        line = iqa.fid_extrapolate(shards)
        assert line.value == pytest.approx(value, rel=1e-9)
        assert line.slope == pytest.approx(slope, rel=1e-9)

        left_out = [
            iqa.fid(x, np.delete(y, np.s_[begin:end], axis=0))
            for begin, end in zip([0, *ends], ends)
        ]
        estimate = iqa.fid_jackknife(shards)
        assert estimate.value == pytest.approx(4 * iqa.fid(x, y) - 3 * np.mean(left_out), rel=1e-9)
        spread = np.sqrt(3 / 4 * ((left_out - np.mean(left_out)) ** 2).sum())
        assert estimate.standard_error == pytest.approx(spread, rel=1e-9)


@pytest.mark.parametrize("function", [iqa.fid_extrapolate, iqa.fid_jackknife])
def test_what_shards_must_be(function):
    metric = iqa.FID(FEATURES)
    metric.update(features(1), features(2))
    with pytest.raises(iqa.InvalidArgumentError, match="shards is empty"):
        function([])
    with pytest.raises(TypeError, match=r"shards\[1\] is PSNR, expected iqa\.FID"):
        function([metric, iqa.PSNR()])
    with pytest.raises(iqa.InvalidArgumentError, match="there are 1 shards with candidate rows"):
        function([metric])
    with pytest.raises(iqa.IncompatibleError):
        function([metric, iqa.FID(FEATURES, fraction_bits=20)])
    closed = iqa.FID(FEATURES)
    closed.close()
    with pytest.raises(iqa.InvalidArgumentError, match="closed"):
        function([metric, closed])


def test_one_set_is_kept():
    x, y, z = features(1), features(2), features(3)
    metric = iqa.FID(FEATURES)
    metric.update(x, y)
    metric.reset("candidate")
    assert metric.rows == (ROWS, 0)
    metric.update(candidate=z)
    assert metric.compute() == iqa.fid(x, z)
    metric.reset()
    assert metric.rows == (0, 0)
    with pytest.raises(iqa.InvalidArgumentError, match="side is 'real'"):
        metric.reset("real")


def test_refusals():
    metric = iqa.FID(FEATURES)
    with pytest.raises(iqa.NoDataError, match="the reference set has 0 rows"):
        metric.compute()
    with pytest.raises(iqa.InvalidArgumentError, match="both None"):
        metric.update()
    with pytest.raises(
        iqa.ShapeError, match=r"reference has shape \[400, 47\]; expected \[N, 48\]"
    ):
        metric.update(features(1)[:, 1:])
    with pytest.raises(iqa.DtypeError, match="complex64"):
        metric.update(np.zeros((3, FEATURES), np.complex64))
    spoiled = features(1)
    spoiled[17, 5] = np.nan
    before = metric.to_bytes()
    with pytest.raises(iqa.NumericError, match=r"candidate\[17, 5\] is nan"):
        metric.update(features(1), spoiled)
    assert metric.to_bytes() == before
    with pytest.raises(iqa.InvalidArgumentError, match="features is 0"):
        iqa.FID(0)
    with pytest.raises(iqa.InvalidArgumentError, match=r"features is 2\.5"):
        iqa.FID(2.5)
    with pytest.raises(iqa.ShapeError):
        iqa.fid(np.zeros(4), np.zeros(4))


def test_a_long_computation_can_be_cancelled():
    def stop(done, total):
        if done > 5:
            raise KeyboardInterrupt

    metric = iqa.FID(300, context=iqa.Context(2, progress=stop))
    metric.update(features(1, 400, 300), features(2, 400, 300))
    with pytest.raises(KeyboardInterrupt):
        metric.compute()


def test_handwritten_digits():
    """Real pictures of 8 x 8 pixels as features: E. Alpaydin, C. Kaynak, CC BY 4.0."""
    datasets = pytest.importorskip("sklearn.datasets")
    pixels, digits = datasets.load_digits(return_X_y=True)
    halves = pixels[::2], pixels[1::2]
    near = iqa.fid(*halves)
    truth = frechet(*halves, by_rows)
    assert abs(near - truth) <= 1e-13 * total_variance(*halves)
    distances = [iqa.fid(pixels[digits != digit], pixels[digits == digit]) for digit in range(10)]
    assert near < min(distances) / 20  # another digit is far, another half is not
    metric = iqa.FID(64)
    metric.update(*halves)
    assert metric.rank_deficient  # three pixels are always blank
    assert metric.parts.rank_reference == np.linalg.matrix_rank(np.cov(halves[0], rowvar=False))


def test_a_network_that_gives_features():
    """The loop of the documentation, with a stand-in for the network."""

    def network(images):
        small = [
            np.asarray(Image.fromarray(image).resize((6, 6), Image.Resampling.BOX), np.float32)
            for image in images
        ]
        return np.stack(small).reshape(len(images), -1) / 4

    random = np.random.default_rng(4)
    batches = [random.integers(0, 256, (8, 32, 32), np.uint8) for _ in range(10)]
    metric = iqa.FID(36)
    for images in batches[:5]:
        metric.update(reference=network(images))
    for images in batches[5:]:
        metric.update(candidate=network(images))
    assert metric.rows == (40, 40)
    assert 0 < metric.compute() < 1000


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_small_features_are_right_or_refused(dtype):
    x, y = features(1), features(2, 333)
    whole = total_variance(x, y) + ((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum()
    for exponent in range(31):
        scale = 10.0**-exponent
        rows = [(a * scale).astype(dtype) for a in (x, y)]
        truth = frechet(*(a.astype("float64") / scale for a in rows), by_rows)
        metric = iqa.FID(FEATURES)
        metric.update(*rows)
        assert metric.rounding == 0 if exponent == 0 else metric.rounding > 0
        if exponent <= 4:
            assert (
                abs(metric.compute() / scale**2 - truth)
                <= metric.rounding / scale**2 + 1e-12 * whole
            )
            assert metric.rounding <= whole * scale**2 / 1000
            assert abs(metric.compute() / scale**2 - truth) <= 1e-5 * whole
            metric.statistics("reference")
            continue
        with pytest.raises(iqa.Error, match="fraction_bits is 24, too few for these features"):
            iqa.fid(*rows)
        with pytest.raises(iqa.Error, match=r"about .* would suit them"):
            metric.statistics("candidate")
        finer = iqa.fid(*rows, fraction_bits=min(120, round(21 + 3.33 * exponent)))
        assert abs(finer / scale**2 - truth) <= 1e-6 * whole
    zeros = np.zeros((10, 3), dtype)
    assert iqa.fid(zeros, zeros) == 0
    assert iqa.fid(zeros + 0.1, zeros[:4] + 0.1) == 0
