// SPDX-License-Identifier: MIT
// Inks, frames and colour bars, for all drawings.
#pragma once

#include "drawing/canvas.hpp"

#include <functional>

namespace iqa_tool {

constexpr colour paper{255, 255, 255};
constexpr colour ink{32, 32, 40};
constexpr colour faint_ink{120, 120, 130};
constexpr colour no_value{208, 208, 214}; // also for NaN

const colour_map &colours();

// A thin line around an area.
void draw_frame(canvas &target, const rectangle &area);

// The numbers at both ends of a bar, their colours and their format.
struct colour_scale {
    double top, bottom;
    std::function<colour(double number)> colour_of;
    std::function<std::string(double number, int digits)> text_of;
};

// A colour bar with round numbers on its right; `text` is their height.
void draw_colour_bar(canvas &target, const rectangle &bar, double text, const colour_scale &scale);

} // namespace iqa_tool
