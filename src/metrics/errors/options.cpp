// SPDX-License-Identifier: MIT
// The options of the mean errors.
#include "metrics/image_options.hpp"
#include "metrics/metrics.hpp"

namespace iqa {

namespace {

constexpr option_word measure_words[] = {
    IQA_WORD("mean_absolute_error", IQA_MEAN_ABSOLUTE_ERROR),
    IQA_WORD("mean_squared_error", IQA_MEAN_SQUARED_ERROR),
    IQA_WORD("root_mean_squared_error", IQA_ROOT_MEAN_SQUARED_ERROR),
    IQA_WORD("nrmse_euclidean", IQA_NRMSE_EUCLIDEAN),
    IQA_WORD("nrmse_min_max", IQA_NRMSE_MIN_MAX),
    IQA_WORD("nrmse_mean", IQA_NRMSE_MEAN),
    IQA_WORD("signal_to_noise_ratio", IQA_SIGNAL_TO_NOISE_RATIO),
};

#define IQA_FIELD_OF_ERRORS(field) IQA_OPTION(iqa_errors_options, field)

constexpr option_row rows[] = {
    image_options::layout(IQA_FIELD_OF_ERRORS(layout)),
    image_options::data_low(IQA_FIELD_OF_ERRORS(data_low)),
    image_options::data_high(IQA_FIELD_OF_ERRORS(data_high))
        .says("The highest value of a sample; floating-point images need a range for luma alone"),
    IQA_FIELD_OF_ERRORS(measure)
        .word(measure_words)
        .expects("an IQA_MEAN_ABSOLUTE_ERROR ... IQA_SIGNAL_TO_NOISE_RATIO constant")
        .says("What the value is, and those of images and channels"),
    image_options::nonfinite(IQA_FIELD_OF_ERRORS(nonfinite)),
    image_options::luma(IQA_FIELD_OF_ERRORS(luma)),
    image_options::luma_rounded(IQA_FIELD_OF_ERRORS(luma_rounded)),
    image_options::shave(IQA_FIELD_OF_ERRORS(shave)),
};

constexpr iqa_errors_options standard = IQA_ERRORS_OPTIONS_INIT;

} // namespace

constinit const options_table<iqa_errors_options> errors_option_table("errors", "iqa_errors_options", standard, rows);

} // namespace iqa
