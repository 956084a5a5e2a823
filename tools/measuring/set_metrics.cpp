// SPDX-License-Identifier: MIT
#include "measuring/set_metrics.hpp"

#include <iterator>

namespace iqa_tool {

namespace {

std::vector<named_value> measure_kid(const iqa::context &where, const set_metric_options &options,
                                     const iqa_tensor *reference, const iqa_tensor &candidate)
{
    double mean = 0, deviation = 0;
    where.check(iqa_measure_kid(where.get(), &options.kid, reference, &candidate, &mean, &deviation));
    return {{"mean", mean}, {"standard_deviation", deviation}};
}

std::vector<named_value> measure_prdc(const iqa::context &where, const set_metric_options &options,
                                      const iqa_tensor *reference, const iqa_tensor &candidate)
{
    double values[IQA_PRDC_COVERAGE + 1] = {};
    where.check(
        iqa_measure_prdc(where.get(), &options.prdc, reference, &candidate, values, std::size(values), nullptr));
    return {{"precision", values[IQA_PRDC_PRECISION]},
            {"recall", values[IQA_PRDC_RECALL]},
            {"density", values[IQA_PRDC_DENSITY]},
            {"coverage", values[IQA_PRDC_COVERAGE]}};
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
         {"subsets", "subset_size", "seed", "draw_by"},
         [](set_metric_options &of) -> void * { return &of.kid; },
         measure_kid},
        {"prdc",
         "PRDC",
         false,
         true,
         "prdc",
         {"k", "ball"},
         [](set_metric_options &of) -> void * { return &of.prdc; },
         measure_prdc},
        {"is",
         "Inception Score",
         true,
         false,
         "inception_score",
         {"splits", "seed", "draw_by"},
         [](set_metric_options &of) -> void * { return &of.inception_score; },
         measure_inception_score},
    };
    return all;
}

} // namespace iqa_tool
