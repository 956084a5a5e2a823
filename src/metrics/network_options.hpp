// SPDX-License-Identifier: MIT
// What says where features of pictures come from: the words for resizing and layers of a network.
#pragma once

#include "core/option_table.hpp"

namespace iqa::network_options {

constexpr option_word resize_words[] = {
    IQA_WORD("tensorflow", IQA_RESIZE_TENSORFLOW),
    IQA_WORD("pytorch", IQA_RESIZE_PYTORCH),
    IQA_WORD("clean", IQA_RESIZE_CLEAN),
    IQA_WORD("none", IQA_RESIZE_NONE),
    IQA_WORD("torchmetrics", IQA_RESIZE_TORCHMETRICS),
};

constexpr option_word layer_words[] = {
    IQA_WORD("64", IQA_LAYER_64),         IQA_WORD("192", IQA_LAYER_192),
    IQA_WORD("768", IQA_LAYER_768),       IQA_WORD("2048", IQA_LAYER_2048),
    IQA_WORD("logits", IQA_LAYER_LOGITS), IQA_WORD("logits_unbiased", IQA_LAYER_LOGITS_UNBIASED),
};

constexpr int32_t layer_widths[] = {64, 192, 768, 2048, 1008, 1008};

} // namespace iqa::network_options
