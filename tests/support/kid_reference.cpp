// SPDX-License-Identifier: MIT
#include "support/kid_reference.hpp"

#include <algorithm>

#include <Eigen/Core>

namespace test {

namespace {

using real_matrix = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;
using real_array = Eigen::Array<long double, Eigen::Dynamic, Eigen::Dynamic>;

real_matrix matrix_of(const feature_set &set)
{
    using rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    return Eigen::Map<const rows>(set.row(0), set.rows, set.features).cast<long double>();
}

} // namespace

kid_expectation reference_kid(const feature_set &x, const feature_set &y, const iqa_kid_options &options)
{
    const long double gamma =
        options.gamma > 0 ? static_cast<long double>(options.gamma) : 1.0L / static_cast<long double>(x.features);
    long double scale = 0;
    const auto mean = [&](const feature_set &a, const feature_set &b, bool leave_out_equal) {
        const real_array base =
            gamma * (matrix_of(a) * matrix_of(b).transpose()).array() + static_cast<long double>(options.coef0);
        real_array values = base.pow(static_cast<long double>(options.degree));
        if (leave_out_equal)
            values.matrix().diagonal().setZero();
        scale = std::max(scale, values.abs().maxCoeff());
        return values.sum() / static_cast<long double>(values.size() - (leave_out_equal ? a.rows : 0));
    };
    const bool unbiased = options.estimator == IQA_KID_UNBIASED;
    const long double within = mean(x, x, unbiased) + mean(y, y, unbiased);
    return {within - 2 * mean(x, y, false), scale};
}

long double reference_inception_score(const double *logits, int64_t classes, const std::vector<int64_t> &rows)
{
    real_array log_p(int64_t(rows.size()), classes);
    for (size_t i = 0; i < rows.size(); ++i)
        log_p.row(int64_t(i)) =
            Eigen::Map<const Eigen::ArrayXd>(logits + rows[i] * classes, classes).cast<long double>().transpose();
    log_p.colwise() -= log_p.rowwise().maxCoeff().eval();
    log_p.colwise() -= log_p.exp().rowwise().sum().log().eval();
    const real_array p = log_p.exp();
    const real_array log_mean = p.colwise().mean().log().replicate(log_p.rows(), 1);
    return std::exp((p > 0).select(p * (log_p - log_mean), 0.0L).sum() / static_cast<long double>(rows.size()));
}

} // namespace test
