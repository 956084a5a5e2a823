// SPDX-License-Identifier: MIT
#include "support/fid_reference.hpp"

#include <cmath>

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <Eigen/QR>
#include <Eigen/SVD>

namespace test {

namespace {

using real_matrix = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;

struct centred_set {
    Eigen::Matrix<long double, 1, Eigen::Dynamic> mean;
    real_matrix rows; // less the mean, divided by sqrt(their number - 1)

    explicit centred_set(const feature_set &set) : rows(set.rows, set.features)
    {
        for (int64_t i = 0; i < set.rows; ++i)
            for (int64_t j = 0; j < set.features; ++j)
                rows(i, j) = static_cast<long double>(set.at(i, j));
        mean = rows.colwise().mean();
        rows.rowwise() -= mean;
        rows /= std::sqrt(static_cast<long double>(set.rows - 1));
    }

    real_matrix covariance() const { return rows.transpose() * rows; }

    // R with R^T R = the covariance, of at most as many rows as there are features.
    real_matrix factor() const
    {
        if (rows.rows() <= rows.cols())
            return rows;
        return Eigen::HouseholderQR<real_matrix>(rows)
            .matrixQR()
            .topRows(rows.cols())
            .template triangularView<Eigen::Upper>();
    }
};

// |m1 - m2|^2 + tr S1 + tr S2 - 2 `trace_term`.
long double fid_with(const centred_set &first, const centred_set &second, long double trace_term)
{
    return (first.mean - second.mean).squaredNorm() + first.rows.squaredNorm() + second.rows.squaredNorm() -
           2 * trace_term;
}

} // namespace

long double reference_fid(const feature_set &first, const feature_set &second)
{
    const centred_set a(first);
    const centred_set b(second);
    const Eigen::JacobiSVD<real_matrix> decomposition(a.factor() * b.factor().transpose());
    return fid_with(a, b, decomposition.singularValues().sum());
}

long double reference_fid_by_eigenvalues(const feature_set &first, const feature_set &second)
{
    using solver = Eigen::SelfAdjointEigenSolver<real_matrix>;
    const centred_set a(first);
    const centred_set b(second);
    const solver of_first(a.covariance());
    const real_matrix root = of_first.eigenvectors() * of_first.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal() *
                             of_first.eigenvectors().transpose();
    const solver of_both(root * b.covariance() * root, Eigen::EigenvaluesOnly);
    return fid_with(a, b, of_both.eigenvalues().cwiseMax(0).cwiseSqrt().sum());
}

long double reference_fid_by_square_root(const feature_set &first, const feature_set &second)
{
    const centred_set a(first);
    const centred_set b(second);
    // The iteration of Denman and Beavers (1976): one matrix goes to the root, the other to its inverse.
    real_matrix root = a.covariance() * b.covariance();
    real_matrix inverse = real_matrix::Identity(root.rows(), root.cols());
    for (int step = 0; step < 40; ++step) {
        const real_matrix next = (root + inverse.inverse()) / 2;
        inverse = ((inverse + root.inverse()) / 2).eval();
        root = next;
    }
    return fid_with(a, b, root.trace());
}

double fid_but_for_trace_term(const feature_set &first, const feature_set &second)
{
    return double(fid_with(centred_set(first), centred_set(second), 0));
}

double mean_of(const feature_set &set, int64_t feature)
{
    return double(centred_set(set).mean[feature]);
}

} // namespace test
