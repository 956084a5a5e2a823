# SPDX-License-Identifier: MIT
"""The reference values of test_fid_distance.cpp, in 60-digit arithmetic with mpmath.

The features are integers (scale 2^-18), so their covariances are exact rationals; the trace term
is the sum of the square roots of the eigenvalues of L^T S2 L with S1 = L L^T.

    python tests/metrics/features/fid_cases.py
"""

from __future__ import annotations

import mpmath

MASK = (1 << 64) - 1
NEGLIGIBLE = mpmath.mpf(10) ** -50


def splitmix64(x: int) -> int:
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def hash_features(which: int, rows: int, features: int, shift: int = 0) -> list[list[int]]:
    """Rows of integers: the features times 2^18."""
    result = []
    for i in range(rows):
        h = [splitmix64((which << 40) | (i << 20) | j) >> 48 for j in range(features)]
        row = []
        for j in range(features):
            total = h[j] + h[(3 * j + 1) % features] + h[(7 * j + 2) % features] - 98304
            row.append((abs(total) << (3 - j % 4)) + (shift << 18))
        result.append(row)
    return result


def moments(rows: list[list[int]]) -> tuple[list[mpmath.mpf], mpmath.matrix]:
    n, features = len(rows), len(rows[0])
    sums = [sum(row[j] for row in rows) for j in range(features)]
    denominator = mpmath.mpf(n) * (n - 1) * mpmath.mpf(2) ** 36
    covariance = mpmath.matrix(features, features)
    for a in range(features):
        for b in range(a, features):
            numerator = n * sum(row[a] * row[b] for row in rows) - sums[a] * sums[b]
            covariance[a, b] = covariance[b, a] = mpmath.mpf(numerator) / denominator
    return [mpmath.mpf(s) / n / 2**18 for s in sums], covariance


def root(value: mpmath.mpf) -> mpmath.mpf:
    return mpmath.sqrt(value) if value > NEGLIGIBLE else mpmath.mpf(0)


def frechet_distance(first: list[list[int]], second: list[list[int]]) -> mpmath.mpf:
    mean_1, covariance_1 = moments(first)
    mean_2, covariance_2 = moments(second)
    features = len(mean_1)
    mean_term = sum((a - b) ** 2 for a, b in zip(mean_1, mean_2))
    traces = sum(covariance_1[i, i] + covariance_2[i, i] for i in range(features))
    values, vectors = mpmath.eigsy(covariance_1)
    factor = vectors * mpmath.diag([root(v) for v in values])
    product = factor.T * covariance_2 * factor
    product = (product + product.T) / 2
    return mean_term + traces - 2 * sum(root(v) for v in mpmath.eigsy(product, eigvals_only=True))


def main() -> None:
    mpmath.mp.dps = 60
    for features, rows_1, rows_2, shift in (
        (4, 5, 7, 0),
        (8, 20, 16, 0),
        (16, 9, 6, 0),
        (32, 100, 20, 0),
        (64, 200, 40, 0),
        (64, 200, 260, 1),
    ):
        value = frechet_distance(
            hash_features(1, rows_1, features), hash_features(2, rows_2, features, shift)
        )
        print(
            f"D={features} rows={rows_1},{rows_2} shift={shift}: {mpmath.nstr(value, 22)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
