// SPDX-License-Identifier: MIT
// A picture of a confusion matrix.
#pragma once

#include "drawing/canvas.hpp"

#include <iqa_c.h>

#include <string>
#include <vector>

namespace iqa_tool {

// C names ("" for none) and C x C numbers, a row for each class of the reference.
struct confusion_view {
    const std::vector<std::string> &names;
    std::vector<double> values;
    int32_t field; // IQA_FIELD_CONFUSION_MATRIX...
};

// Cells with their numbers, class names and a colour bar. With many classes cells shrink, lose their numbers, and not
// every name is written.
canvas draw_confusion(const confusion_view &view);

} // namespace iqa_tool
