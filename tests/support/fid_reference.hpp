// SPDX-License-Identifier: MIT
// FID in long double, the slow and obvious way: centred rows, their triangular factors by Gram-Schmidt, and singular
// values by one-sided Jacobi rotations. Shares no step with the library.
#pragma once

#include <cmath>
#include <utility>
#include <vector>

#include "support/fid_features.hpp"

namespace test {

using real_columns = std::vector<std::vector<long double>>;

struct centred_set {
    std::vector<long double> mean;
    real_columns columns; // [feature][row], divided by sqrt(rows - 1)
};

inline centred_set centre(const feature_set &set)
{
    centred_set result;
    for (int64_t j = 0; j < set.features; ++j) {
        long double sum = 0;
        for (int64_t i = 0; i < set.rows; ++i)
            sum += static_cast<long double>(set.at(i, j));
        const long double mean = sum / static_cast<long double>(set.rows);
        std::vector<long double> column;
        for (int64_t i = 0; i < set.rows; ++i)
            column.push_back((static_cast<long double>(set.at(i, j)) - mean) /
                             std::sqrt(static_cast<long double>(set.rows - 1)));
        result.mean.push_back(mean);
        result.columns.push_back(std::move(column));
    }
    return result;
}

inline long double dot(const std::vector<long double> &a, const std::vector<long double> &b)
{
    long double sum = 0;
    for (size_t i = 0; i < a.size(); ++i)
        sum += a[i] * b[i];
    return sum;
}

// R with R^T R = the covariance, by modified Gram-Schmidt, each column made orthogonal twice: [row of R][feature].
inline real_columns triangular_factor(real_columns columns)
{
    const size_t count = columns.size();
    real_columns factor;
    long double largest = 0;
    for (const auto &column : columns)
        largest = std::max(largest, dot(column, column));
    std::vector<std::vector<long double>> basis;
    for (size_t j = 0; j < count; ++j) {
        for (int pass = 0; pass < 2; ++pass)
            for (size_t k = 0; k < basis.size(); ++k) {
                const long double along = dot(basis[k], columns[j]);
                factor[k][j] += along;
                for (size_t i = 0; i < columns[j].size(); ++i)
                    columns[j][i] -= along * basis[k][i];
            }
        const long double norm = std::sqrt(dot(columns[j], columns[j]));
        if (norm * norm <= largest * 1e-34L)
            continue;
        for (long double &value : columns[j])
            value /= norm;
        basis.push_back(columns[j]);
        factor.emplace_back(count, 0.0L);
        factor.back()[j] = norm;
    }
    return factor;
}

// The sum of the singular values of a matrix given by columns.
inline long double sum_of_singular_values(real_columns columns)
{
    for (bool rotated = true; rotated;) {
        rotated = false;
        for (size_t p = 0; p + 1 < columns.size(); ++p)
            for (size_t q = p + 1; q < columns.size(); ++q) {
                const long double a = dot(columns[p], columns[p]);
                const long double b = dot(columns[q], columns[q]);
                const long double c = dot(columns[p], columns[q]);
                if (std::fabs(c) <= 1e-18L * std::sqrt(a * b))
                    continue;
                rotated = true;
                const long double zeta = (b - a) / (2 * c);
                const long double t = (zeta >= 0 ? 1 : -1) / (std::fabs(zeta) + std::sqrt(1 + zeta * zeta));
                const long double cosine = 1 / std::sqrt(1 + t * t);
                const long double sine = cosine * t;
                for (size_t i = 0; i < columns[p].size(); ++i) {
                    const long double x = columns[p][i];
                    const long double y = columns[q][i];
                    columns[p][i] = cosine * x - sine * y;
                    columns[q][i] = sine * x + cosine * y;
                }
            }
    }
    long double sum = 0;
    for (const auto &column : columns)
        sum += std::sqrt(dot(column, column));
    return sum;
}

inline long double reference_fid(const feature_set &first, const feature_set &second)
{
    const centred_set sets[2] = {centre(first), centre(second)};
    long double result = 0;
    for (size_t j = 0; j < sets[0].mean.size(); ++j) {
        const long double difference = sets[0].mean[j] - sets[1].mean[j];
        result += difference * difference;
    }
    for (const centred_set &set : sets)
        for (const auto &column : set.columns)
            result += dot(column, column);
    const real_columns a = triangular_factor(sets[0].columns);
    const real_columns b = triangular_factor(sets[1].columns);
    const real_columns &fewer = a.size() <= b.size() ? a : b;
    const real_columns &more = a.size() <= b.size() ? b : a;
    real_columns product;
    for (const auto &row : fewer) {
        std::vector<long double> column;
        for (const auto &other : more)
            column.push_back(dot(row, other));
        product.push_back(std::move(column));
    }
    return result - 2 * sum_of_singular_values(std::move(product));
}

} // namespace test
