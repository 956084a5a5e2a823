// SPDX-License-Identifier: MIT
// Metrics of sets of features beside FID. They compare rows with each other, so that all rows are kept. A row of the
// table is all that `iqa fid` needs to know of one.
#pragma once

#include <iqa.hpp>

#include <span>
#include <string_view>
#include <vector>

namespace iqa_tool {

// The options of all of them.
struct set_metric_options {
    iqa_kid_options kid = IQA_KID_OPTIONS_INIT;
    iqa_prdc_options prdc = IQA_PRDC_OPTIONS_INIT;
    iqa_inception_score_options inception_score = IQA_INCEPTION_SCORE_OPTIONS_INIT;
};

struct named_value {
    const char *name;
    double value;
};

struct set_metric {
    const char *name;                           // in --metrics and JSON
    const char *title;                          // in text
    bool is_of_logits;                          // of those without the bias; else of the layer that FID is of
    bool is_of_both;                            // else of the set to judge, which may be the only one
    const char *kind;                           // of the library's options
    std::vector<std::string_view> options;      // of them, those of the program
    void *(*structure)(set_metric_options &of); // that the options are in

    // `reference` is NULL where it is of one set.
    std::vector<named_value> (*measure)(const iqa::context &where, const set_metric_options &options,
                                        const iqa_tensor *reference, const iqa_tensor &candidate);
};

std::span<const set_metric> set_metrics();

} // namespace iqa_tool
