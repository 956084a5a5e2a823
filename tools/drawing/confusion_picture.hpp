// SPDX-License-Identifier: MIT
//
// A picture of a confusion matrix.
#pragma once

#include "drawing/canvas.hpp"

#include <iqa_c.h>

#include <string>
#include <vector>

namespace iqa_tool {

/** What the picture needs: C names, "" for none, and C x C numbers in the rows of the reference. */
struct confusion_view {
    const std::vector<std::string> &names;
    std::vector<double> values;
    int32_t field; // what the numbers are: IQA_FIELD_CONFUSION_MATRIX...
};

/** Cells with their numbers where there is room for them, the names of the classes and a colour bar. Where there are
 *  many classes, cells shrink and not every name is written. */
canvas draw_confusion(const confusion_view &view);

} // namespace iqa_tool
