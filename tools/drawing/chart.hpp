// SPDX-License-Identifier: MIT
//
// What drawings have in common: their inks, frames and the bar that tells what a colour means.
#pragma once

#include "drawing/canvas.hpp"

#include <functional>

namespace iqa_tool {

constexpr colour paper{255, 255, 255};
constexpr colour ink{32, 32, 40};
constexpr colour faint_ink{120, 120, 130};
constexpr colour no_value{208, 208, 214}; // where there is none, and for NaN

const colour_map &colours();

/** A thin line around an area. */
void draw_frame(canvas &target, const rectangle &area);

/** Numbers from the top to the bottom of a bar, their colours, and how they are written. */
struct colour_scale {
    double top, bottom;
    std::function<colour(double number)> colour_of;
    std::function<std::string(double number, int digits)> text_of;
};

/** A bar of colours with round numbers on its right, in text of that size. */
void draw_colour_bar(canvas &target, const rectangle &bar, double text, const colour_scale &scale);

} // namespace iqa_tool
