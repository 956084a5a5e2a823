// SPDX-License-Identifier: MIT
// Options that the image metrics share.
#pragma once

#include "core/option_table.hpp"

namespace iqa::image_options {

constexpr option_word layout_words[] = {
    IQA_WORD("hw", IQA_LAYOUT_HW),     IQA_WORD("hwc", IQA_LAYOUT_HWC),     IQA_WORD("chw", IQA_LAYOUT_CHW),
    IQA_WORD("nhw", IQA_LAYOUT_NHW),   IQA_WORD("nhwc", IQA_LAYOUT_NHWC),   IQA_WORD("nchw", IQA_LAYOUT_NCHW),
    IQA_WORD("dhw", IQA_LAYOUT_DHW),   IQA_WORD("cdhw", IQA_LAYOUT_CDHW),   IQA_WORD("dhwc", IQA_LAYOUT_DHWC),
    IQA_WORD("ndhw", IQA_LAYOUT_NDHW), IQA_WORD("ncdhw", IQA_LAYOUT_NCDHW), IQA_WORD("ndhwc", IQA_LAYOUT_NDHWC),
};

constexpr option_word nonfinite_words[] = {
    IQA_WORD("error", IQA_NONFINITE_ERROR),
    IQA_WORD("propagate", IQA_NONFINITE_PROPAGATE),
    IQA_WORD("mask", IQA_NONFINITE_MASK),
};

constexpr option_word luma_words[] = {
    IQA_WORD("none", IQA_LUMA_NONE),
    IQA_WORD("bt601_full", IQA_LUMA_BT601_FULL),
    IQA_WORD("bt601_studio", IQA_LUMA_BT601_STUDIO),
    IQA_WORD("bt709_full", IQA_LUMA_BT709_FULL),
    IQA_WORD("bt709_studio", IQA_LUMA_BT709_STUDIO),
};

constexpr option_row layout(const option_row &field)
{
    return field.word(layout_words).says("What the axes of the images are");
}

// check_range() checks both ends together.
constexpr option_row data_low(const option_row &field)
{
    return field.finite()
        .checked_elsewhere()
        .in_group("data_range")
        .zero_alone()
        .says("The lowest value of a sample; above data_high where the range is not stated");
}

constexpr option_row data_high(const option_row &field)
{
    return field.finite()
        .checked_elsewhere()
        .in_group("data_range")
        .says("The highest value of a sample; data_high - data_low is the peak value L");
}

constexpr option_row nonfinite(const option_row &field)
{
    return field.word(nonfinite_words).says("What becomes of NaN and infinite samples");
}

constexpr option_row luma(const option_row &field)
{
    return field.word(luma_words).says("Colour (RGB) images are compared as one channel of luma");
}

constexpr option_row luma_rounded(const option_row &field)
{
    return field.flag().says("Luma is rounded to multiples of L / 255");
}

constexpr option_row shave(const option_row &field)
{
    return field.at_least(0).expects("0 or more pixels").says("Pixels that are taken off each edge first");
}

} // namespace iqa::image_options
