"""FID beside the whole computations of other programs, run live on the same features.

Where those are sound, all agree to 1e-9 of the total variance T. Where they are not (no more rows
than features, mode collapse, equal sets) we are nearer to 60-digit arithmetic. The peers' formulas
are written anew here, in NumPy and SciPy, from what their versions of 2024 to 2026 compute.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import iqa

linalg = pytest.importorskip("scipy.linalg")
pytestmark = pytest.mark.filterwarnings("ignore:Matrix is")  # SciPy's, where a root is not accurate

TESTS = Path(__file__).resolve().parents[3] / "tests"
DIGITS = TESTS / "data" / "features"


def moments_of_float64(rows):
    """pytorch-fid: a buffer of float64."""
    rows = rows.astype(np.float64)
    return rows.mean(axis=0), np.cov(rows, rowvar=False)


def moments_of_float32_mean(rows):
    """clean-fid, pyiqa, torch-fidelity: the mean adds up in the features' own type."""
    return rows.astype(np.float32).mean(axis=0), np.cov(rows, rowvar=False)


def moments_of_sums(rows):
    """TorchMetrics: sums and uncentred products in batches, centred at the end."""
    total, products = 0.0, 0.0
    for batch in np.array_split(rows.astype(np.float64), 5):
        total, products = total + batch.sum(axis=0), products + batch.T @ batch
    mean = total / len(rows)
    return mean, (products - len(rows) * np.outer(mean, mean)) / (len(rows) - 1)


def root_of_the_product(sigma_1, sigma_2):
    """pytorch-fid, clean-fid: tr sqrtm(S1 S2), with a little of the identity where that fails."""
    root = linalg.sqrtm(sigma_1 @ sigma_2)
    if not np.isfinite(root).all():
        offset = 1e-6 * np.eye(len(sigma_1))
        root = linalg.sqrtm((sigma_1 + offset) @ (sigma_2 + offset))
    if np.iscomplexobj(root) and not np.allclose(np.diagonal(root).imag, 0, atol=1e-3):
        raise ValueError("imaginary component")
    return np.trace(root).real


def eigenvalues_of_the_product(sigma_1, sigma_2):
    """torch-fidelity, TorchMetrics: the sum of the roots of the eigenvalues of S1 S2."""
    return np.sqrt(np.linalg.eigvals(sigma_1 @ sigma_2).astype(complex)).real.sum()


# The mean of float32 is the only one that loses digits of sound features.
PEERS = {
    "pytorch-fid": (moments_of_float64, root_of_the_product, 1e-9),
    "clean-fid": (moments_of_float32_mean, root_of_the_product, 1e-6),
    "torch-fidelity": (moments_of_float32_mean, eigenvalues_of_the_product, 1e-6),
    "TorchMetrics": (moments_of_sums, eigenvalues_of_the_product, 1e-9),
}


def peer_fid(name, x, y):
    moments, trace_term, _ = PEERS[name]
    (mean_1, sigma_1), (mean_2, sigma_2) = moments(x), moments(y)
    difference = (mean_1 - mean_2).astype(np.float64)
    traces = np.trace(sigma_1) + np.trace(sigma_2)
    return float(difference @ difference + traces - 2 * trace_term(sigma_1, sigma_2))


def total_variance(x, y):
    return float(x.astype(np.float64).var(axis=0, ddof=1).sum() + y.var(axis=0, ddof=1).sum())


def correlated(seed, rows, count):
    random = np.random.default_rng(seed)
    values = random.standard_normal((rows, count)) * (1 + np.arange(count)) ** -0.35
    return values + 0.3 * np.roll(values, 1, axis=1) + 0.15 * seed * np.roll(values, 5, axis=1)


FAMILIES = {
    "normal": correlated,
    "as of Inception": lambda seed, n, d: np.logaddexp(correlated(seed, n, d), 0),
    "as of CLIP": lambda seed, n, d: (
        correlated(seed, n, d) * np.where(np.arange(d) % 37 == 5, 12.0, 1.0)
    ),
    "constant features": lambda seed, n, d: correlated(seed, n, d) * (np.arange(d) % 7 > 0) + 2,
    "nearly the same": lambda seed, n, d: correlated(1, n, d) + 1e-3 * correlated(seed, n, d),
}


@pytest.mark.parametrize("count", [16, 48, 128])
@pytest.mark.parametrize("family", FAMILIES)
def test_all_agree_where_the_peers_are_sound(family, count):
    """Any float32 features: they lie off the grid."""
    x, y = (FAMILIES[family](seed, 6 * count, count).astype(np.float32) for seed in (1, 2))
    ours, scale = iqa.fid(x, y), total_variance(x, y)
    for name, (_, _, bound) in PEERS.items():
        assert abs(peer_fid(name, x, y) - ours) <= bound * scale, name


def on_the_grid(seed, rows, count=20):
    return np.round(correlated(seed, rows, count) * 2**12) / 2**12


UNSOUND = {
    "fewer rows than features": (on_the_grid(1, 60), on_the_grid(2, 12)),
    "few rows on both sides": (on_the_grid(1, 9), on_the_grid(2, 14)),
    "as many rows as features": (on_the_grid(1, 20), on_the_grid(2, 20)),
    "mode collapse": (on_the_grid(1, 60), on_the_grid(2, 60)[np.arange(60) % 4]),
    "collapse on both sides": tuple(on_the_grid(s, 60)[np.arange(60) % 5] for s in (1, 2)),
    "repeated features": tuple(on_the_grid(s, 60)[:, np.arange(20) // 2] for s in (1, 2)),
    "equal and few": (on_the_grid(1, 11), on_the_grid(1, 11)[::-1]),
}


@pytest.fixture(scope="module")
def exact_fid():
    """FID in 60-digit arithmetic, of features that are multiples of 2^-18."""
    mpmath = pytest.importorskip("mpmath")
    sys.path.insert(0, str(TESTS / "metrics" / "features"))
    from fid_cases import frechet_distance  # noqa: PLC0415 it is no package

    sys.path.remove(str(TESTS / "metrics" / "features"))

    def compute(x, y):
        with mpmath.workdps(60):
            return float(
                frechet_distance(*((rows * 2**18).astype(int).tolist() for rows in (x, y)))
            )

    return compute


@pytest.mark.parametrize("case", UNSOUND)
def test_we_are_nearer_to_the_truth_where_they_are_not(case, exact_fid):
    x, y = UNSOUND[case]
    truth, scale = exact_fid(x, y), total_variance(x, y)
    error = abs(iqa.fid(x, y) - truth)
    assert error <= 1e-14 * scale
    for name in PEERS:
        try:
            theirs = abs(peer_fid(name, x, y) - truth)
        except ValueError:
            continue  # refused: an imaginary component
        assert theirs > error, name
        assert theirs <= 1e-5 * scale, name  # they do compute the same thing
    if case == "equal and few":
        assert error == 0


def test_the_shipped_digits():
    """Real features of integers, against 60 digits. Some of the 64 pixels never change."""
    expected = json.loads((DIGITS / "reference_values.json").read_text())
    halves = [np.load(DIGITS / f"{name}_half.npz")["pixels"] for name in ("first", "second")]
    x, y = (rows.astype(np.float32) for rows in halves)
    for name, other in (("halves", y), ("few rows", y[:40])):
        truth, scale = float(expected[name]), total_variance(x, other)
        assert abs(iqa.fid(x, other) - truth) <= 1e-14 * scale
        for peer, (_, _, bound) in PEERS.items():
            theirs = abs(peer_fid(peer, x, other) - truth)
            if name == "halves":
                assert theirs <= bound * scale, peer
            else:
                assert 1e-12 * scale <= theirs <= 1e-5 * scale, peer


@pytest.mark.parametrize("family", ["normal", "as of Inception"])
def test_rows_in_another_order_change_the_peers_but_not_us(family):
    x, y = (FAMILIES[family](seed, 100, 64).astype(np.float32) for seed in (1, 2))
    y = y[:40]
    order = np.random.default_rng(3).permutation(len(x))
    assert iqa.fid(x[order], y) == iqa.fid(x, y)
    assert any(peer_fid(name, x[order], y) != peer_fid(name, x, y) for name in PEERS)
