// SPDX-License-Identifier: MIT
#include "measuring/set_metrics.hpp"

namespace iqa_tool {

namespace {

std::vector<named_value> measure_kid(const iqa::context &where, const set_metric_options &options,
                                     const iqa_tensor *reference, const iqa_tensor &candidate)
{
    double mean = 0, deviation = 0;
    where.check(iqa_measure_kid(where.get(), &options.kid, reference, &candidate, &mean, &deviation));
    return {{"mean", mean}, {"standard_deviation", deviation}};
}

std::vector<named_value> measure_inception_score(const iqa::context &where, const set_metric_options &options,
                                                 const iqa_tensor *, const iqa_tensor &candidate)
{
    double mean = 0, deviation = 0;
    where.check(iqa_measure_inception_score(where.get(), &options.inception_score, &candidate, &mean, &deviation));
    return {{"mean", mean}, {"standard_deviation", deviation}};
}

} // namespace

std::span<const set_metric> set_metrics()
{
    static const set_metric all[] = {
        {"kid",
         "KID",
         false,
         true,
         "kid",
         {"subsets", "subset_size", "seed"},
         [](set_metric_options &of) -> void * { return &of.kid; },
         measure_kid},
        {"is",
         "Inception Score",
         true,
         false,
         "inception_score",
         {"splits", "seed"},
         [](set_metric_options &of) -> void * { return &of.inception_score; },
         measure_inception_score},
    };
    return all;
}

} // namespace iqa_tool
