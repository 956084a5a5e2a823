// SPDX-License-Identifier: MIT
#include "drawing/chart.hpp"

#include <algorithm>
#include <cmath>

namespace iqa_tool {

namespace {

// A step of 1, 2 or 5 times a power of ten that gives about five ticks.
double tick_step(double span)
{
    const double power = std::pow(10, std::floor(std::log10(span / 5)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (span / (factor * power) <= 6.001)
            return factor * power;
    return 10 * power;
}

} // namespace

const colour_map &colours()
{
    static const colour_map map;
    return map;
}

void draw_frame(canvas &target, const rectangle &area)
{
    target.fill({area.x - 1, area.y - 1, area.width + 2, 1}, faint_ink);
    target.fill({area.x - 1, area.y + area.height, area.width + 2, 1}, faint_ink);
    target.fill({area.x - 1, area.y, 1, area.height}, faint_ink);
    target.fill({area.x + area.width, area.y, 1, area.height}, faint_ink);
}

void draw_colour_bar(canvas &target, const rectangle &bar, double text, const colour_scale &scale)
{
    const double last_row = static_cast<double>(std::max<int64_t>(bar.height - 1, 1));
    for (int64_t y = 0; y < bar.height; ++y) {
        const double number = scale.top + (scale.bottom - scale.top) * static_cast<double>(y) / last_row;
        target.fill({bar.x, bar.y + y, bar.width, 1}, scale.colour_of(number));
    }
    draw_frame(target, bar);

    const double step = tick_step(std::abs(scale.top - scale.bottom));
    const int digits = std::max(1, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
    const auto right = static_cast<double>(bar.x + bar.width);
    const auto highest = std::floor(std::max(scale.top, scale.bottom) / step + 1e-9);
    for (double tick = highest; tick * step >= std::min(scale.top, scale.bottom) - 1e-9 * step; --tick) {
        const double number = tick * step;
        const double y = static_cast<double>(bar.y) + (scale.top - number) / (scale.top - scale.bottom) * last_row;
        target.fill({bar.x + bar.width, std::llround(y), std::llround(0.4 * text), 1}, ink);
        const double lowest = static_cast<double>(bar.y + bar.height);
        const double baseline = std::clamp(y + text / 2, static_cast<double>(bar.y) + text, lowest);
        draw_text(target, right + 0.8 * text, baseline, text, scale.text_of(number, digits), ink);
    }
}

} // namespace iqa_tool
