// SPDX-License-Identifier: MIT
// The options of PSNR.
#include "metrics/image_options.hpp"
#include "metrics/metrics.hpp"

namespace iqa {

namespace {

constexpr option_word cap_words[] = {IQA_WORD("none", IQA_PSNR_NO_CAP)};

constexpr option_word aggregate_words[] = {
    IQA_WORD("psnr_of_mean_mse", IQA_PSNR_OF_MEAN_MSE),
    IQA_WORD("mean_of_psnr", IQA_MEAN_OF_PSNR),
};

constexpr option_word gradient_words[] = {
    IQA_WORD("psnr", IQA_GRADIENT_OF_PSNR),
    IQA_WORD("mse", IQA_GRADIENT_OF_MSE),
};

constexpr double smallest_base = 1.0001;

#define IQA_FIELD_OF_PSNR(field) IQA_OPTION(iqa_psnr_options, field)

constexpr option_row rows[] = {
    image_options::layout(IQA_FIELD_OF_PSNR(layout)),
    IQA_FIELD_OF_PSNR(aggregate)
        .word(aggregate_words)
        .expects("an IQA_PSNR_OF_MEAN_MSE or IQA_MEAN_OF_PSNR constant")
        .says("What the PSNR of several images is: that of their mean error, or the mean of theirs"),
    image_options::nonfinite(IQA_FIELD_OF_PSNR(nonfinite)),
    image_options::data_low(IQA_FIELD_OF_PSNR(data_low)),
    image_options::data_high(IQA_FIELD_OF_PSNR(data_high)),
    IQA_FIELD_OF_PSNR(log_base).at_least(smallest_base).says("The base of the logarithm; 10 gives dB"),
    IQA_FIELD_OF_PSNR(cap).at_least(0).or_word(cap_words).says("Greater values, and that of equal images, are reported "
                                                               "as this"),
    image_options::luma(IQA_FIELD_OF_PSNR(luma)),
    image_options::luma_rounded(IQA_FIELD_OF_PSNR(luma_rounded)),
    image_options::shave(IQA_FIELD_OF_PSNR(shave)),
    IQA_FIELD_OF_PSNR(gradient).word(gradient_words).says("What the gradients of an update are of"),
};

constexpr iqa_psnr_options standard = IQA_PSNR_OPTIONS_INIT;

} // namespace

constinit const options_table<iqa_psnr_options> psnr_option_table("psnr", "iqa_psnr_options", standard, rows);

} // namespace iqa
