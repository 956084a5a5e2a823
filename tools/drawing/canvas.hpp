// SPDX-License-Identifier: MIT
// An RGB picture to draw on.
#pragma once

#include "drawing/colour_map.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace iqa_tool {

struct rectangle {
    int64_t x, y, width, height;
};

class canvas {
public:
    canvas(int64_t width, int64_t height, colour background);

    int64_t width() const noexcept { return width_; }
    int64_t height() const noexcept { return height_; }
    uint8_t *row(int64_t y) noexcept { return &rgb_[static_cast<std::size_t>(3 * y * width_)]; }

    // Sets a pixel; outside the canvas nothing happens.
    void set(int64_t x, int64_t y, colour ink) noexcept { blend(x, y, ink, 1); }
    // Lays ink over a pixel, `coverage` from 0 to 1.
    void blend(int64_t x, int64_t y, colour ink, double coverage) noexcept;
    void fill(const rectangle &area, colour ink) noexcept;

private:
    int64_t width_, height_;
    std::vector<uint8_t> rgb_;
};

// Draws text whose capitals are `size` pixels high; (x, baseline) is its lower left end. Printable ASCII is drawn,
// other characters as a question mark.
void draw_text(canvas &target, double x, double baseline, double size, std::string_view text, colour ink);

// Likewise, turned by 90 degrees: the text starts at (x, y) and runs up, on the left of x.
void draw_text_up(canvas &target, double x, double y, double size, std::string_view text, colour ink);

// The width that draw_text() needs, in pixels.
double text_width(double size, std::string_view text);

// The text, shortened in the middle to a width.
std::string fitted_text(double size, std::string_view text, double width);

// Writes an 8-bit RGB file. Throws file_error.
void write_png(const std::string &path, canvas &picture);

} // namespace iqa_tool
