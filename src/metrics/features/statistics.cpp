// SPDX-License-Identifier: MIT
// The distance of distributions by means and covariances from elsewhere, such as the statistics files that FID programs
// exchange. Their accuracy is unknown, so they are checked with a tolerance for noise.
#include <algorithm>
#include <cmath>

#include "core/samples.hpp"
#include "metrics/features/distance.hpp"
#include "metrics/metrics.hpp"

namespace iqa {

namespace {

// The tolerance, relative to the largest variance, for a covariance that is not symmetric or not semi-definite.
constexpr double tolerance = 1e-8;

// Squares of numbers between these, and of their rounding errors, neither overflow nor vanish.
constexpr double smallest_variance = 0x1p-400;
constexpr double largest_variance = 0x1p400;

// A covariance, and the largest of its variances.
struct checked_covariance {
    covariance_view view;
    double largest;
};

checked_covariance view_covariance(const iqa_tensor &tensor, const char *name, int64_t order)
{
    const table_view table = view_table_on_cpu(tensor, name, order);
    if (table.rows != order)
        fail(IQA_ERROR_SHAPE, name, " has shape ", shape_text(tensor), "; expected [", order, ", ", order, "]");
    double largest = 0.0;
    for (int64_t i = 0; i < order; ++i)
        largest = std::max(largest, number_at(table, i, i));
    for (int64_t i = 0; i < order; ++i)
        for (int64_t j = 0; j <= i; ++j) {
            const double lower = number_at(table, i, j);
            const double upper = number_at(table, j, i);
            if (!is_finite(lower) || !is_finite(upper))
                fail(IQA_ERROR_NUMERIC, name, "[", i, ", ", j, "] is ", is_finite(lower) ? upper : lower,
                     "; expected a finite number");
            if (std::fabs(lower - upper) > tolerance * largest)
                fail(IQA_ERROR_NUMERIC, name, " is not symmetric: element [", i, ", ", j, "] is ", lower, " and [", j,
                     ", ", i, "] is ", upper);
        }
    if (largest > 0.0 && !(largest >= smallest_variance && largest <= largest_variance))
        fail(IQA_ERROR_NUMERIC, name, " has variances up to ", largest, "; expected 0, or from ", smallest_variance,
             " to ", largest_variance);
    return {{.moments = {}, .unit = 1.0, .table = table}, largest};
}

// A vector of any stride, as a table of one row.
table_view view_mean(const iqa_tensor &tensor, const char *name, int64_t order)
{
    if (tensor.ndim != 1 || tensor.shape == nullptr || tensor.shape[0] != order)
        fail(IQA_ERROR_SHAPE, name, " has ", tensor.ndim, " axes or another length; expected shape [", order, "]");
    const int64_t shape[2] = {1, order};
    const int64_t strides[2] = {0, tensor.strides != nullptr ? tensor.strides[0] : 1};
    iqa_tensor row = tensor;
    row.ndim = 2;
    row.shape = shape;
    row.strides = strides;
    return view_table_on_cpu(row, name, order);
}

void check_semidefinite(const char *name, const checked_covariance &covariance, double least_pivot)
{
    if (least_pivot < -tolerance * covariance.largest)
        fail(IQA_ERROR_NUMERIC, name, " is not positive semi-definite: a pivot of its factorisation is ", least_pivot);
}

} // namespace

fid_terms_array fid_from_statistics(context &where, const fid_statistics &reference, const fid_statistics &candidate)
{
    if (reference.mean->ndim != 1 || reference.mean->shape == nullptr || reference.mean->shape[0] < 1 ||
        reference.mean->shape[0] > most_fid_features)
        fail(IQA_ERROR_SHAPE, "mean_reference has ", reference.mean->ndim,
             " axes or a length out of range; expected shape [D] with D from 1 to ", most_fid_features);
    const int64_t order = reference.mean->shape[0];
    const table_view means[2] = {view_mean(*reference.mean, "mean_reference", order),
                                 view_mean(*candidate.mean, "mean_candidate", order)};
    const checked_covariance first = view_covariance(*reference.covariance, "covariance_reference", order);
    const checked_covariance second = view_covariance(*candidate.covariance, "covariance_candidate", order);
    double mean_term = 0.0;
    for (int64_t i = 0; i < order; ++i) {
        const double difference = number_at(means[0], 0, i) - number_at(means[1], 0, i);
        mean_term = fused_multiply_add(difference, difference, mean_term);
    }
    if (!is_finite(mean_term))
        fail(IQA_ERROR_NUMERIC, "the means are not finite");

    const frechet_terms parts = frechet_distance(where, place_on_cpu(where), mean_term, {first.view, second.view});
    check_semidefinite("covariance_reference", first, parts.least_pivots[0]);
    check_semidefinite("covariance_candidate", second, parts.least_pivots[1]);
    return {parts.value,     parts.raw,        parts.mean_term,        parts.traces[0],
            parts.traces[1], parts.trace_term, double(parts.ranks[0]), double(parts.ranks[1])};
}

} // namespace iqa
