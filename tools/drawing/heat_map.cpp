// SPDX-License-Identifier: MIT
#include "drawing/heat_map.hpp"

#include "drawing/chart.hpp"
#include "files/number.hpp"

#include <algorithm>
#include <cmath>

namespace iqa_tool {

namespace {

// Sizes of one drawing, in pixels.
struct measures {
    int64_t zoom; // side in the drawing of one pixel of the picture
    int64_t panel_width, panel_height;
    double text; // height of capitals
    int64_t margin, caption, bar;

    explicit measures(const image &picture)
    {
        constexpr int64_t smallest_panel = 300;
        const int64_t longer = std::max(picture.width(), picture.height());
        zoom = std::max<int64_t>(1, smallest_panel / longer);
        panel_width = zoom * picture.width();
        panel_height = zoom * picture.height();
        text = std::clamp(static_cast<double>(zoom * longer) / 46, 9.0, 90.0);
        margin = std::llround(1.6 * text);
        caption = std::llround(2.0 * text);
        bar = std::llround(1.4 * text);
    }

    // The colour bar with its numbers.
    int64_t legend_width() const { return margin / 2 + bar + std::llround(1.0 * text + text_width(text, "-0.00")); }
};

// Draws each pixel of a picture as `zoom` x `zoom` pixels; `pixel(y, x)` is its colour.
template <typename pixel_function>
void draw_pixels(canvas &target, int64_t left, int64_t top, const measures &sizes, pixel_function pixel)
{
    for (int64_t y = 0; y < sizes.panel_height; ++y)
        for (int64_t x = 0; x < sizes.panel_width; ++x)
            target.set(left + x, top + y, pixel(y / sizes.zoom, x / sizes.zoom));
}

// A title on the left, then a name in a fainter colour if there is room.
void draw_caption(canvas &target, const rectangle &panel, const measures &sizes, const std::string &title,
                  const std::string &name)
{
    const double baseline = static_cast<double>(panel.y) - 0.8 * sizes.text;
    const auto left = static_cast<double>(panel.x);
    draw_text(target, left, baseline, sizes.text, title, ink);
    const double used = text_width(sizes.text, title) + 1.2 * sizes.text;
    const double room = static_cast<double>(panel.width) - used;
    if (room > 4 * sizes.text)
        draw_text(target, left + used, baseline, sizes.text, fitted_text(sizes.text, name, room), faint_ink);
}

void draw_picture(canvas &target, const rectangle &panel, const measures &sizes, const image &picture,
                  const comparison_view &view)
{
    const double scale = 255 / (view.data_high - view.data_low);
    // Other numbers of channels have no agreed colours: the first channel is shown.
    const bool is_rgb = picture.channels() == 3 || picture.channels() == 4;
    draw_pixels(target, panel.x, panel.y, sizes, [&](int64_t y, int64_t x) {
        const auto level = [&](int64_t channel) {
            const double value = (picture.sample(0, y, x, channel) - view.data_low) * scale;
            return static_cast<uint8_t>(std::nearbyint(value >= 0 ? std::min(value, 255.0) : 0.0));
        };
        const uint8_t first = level(0);
        return is_rgb ? colour{first, level(1), level(2)} : colour{first, first, first};
    });
    draw_frame(target, panel);
}

// The mean over channels of one element of the map.
double mean_over_channels(const image &map, int64_t y, int64_t x)
{
    double sum = 0;
    for (int64_t channel = 0; channel < map.channels(); ++channel)
        sum += map.sample(0, y, x, channel);
    return sum / static_cast<double>(map.channels());
}

// The map's mean over channels, in the middle of the panel.
void draw_map(canvas &target, const rectangle &panel, const measures &sizes, const comparison_view &view)
{
    const image &map = view.map;
    // The map is centred, since windows lack as many pixels at each edge. Outside the map there is no value.
    const auto position = [&view](int64_t pixel, int64_t extent, int64_t map_extent) -> int64_t {
        const int64_t inside = extent - 2 * view.shave, from_edge = pixel - view.shave;
        const int64_t margin = ((inside + view.factor - 1) / view.factor - map_extent) / 2;
        return from_edge < 0 ? -1 : from_edge / view.factor - margin;
    };
    draw_pixels(target, panel.x, panel.y, sizes, [&](int64_t y, int64_t x) {
        const int64_t map_y = position(y, view.reference.height(), map.height());
        const int64_t map_x = position(x, view.reference.width(), map.width());
        if (map_y < 0 || map_y >= map.height() || map_x < 0 || map_x >= map.width())
            return no_value;
        const double mean = mean_over_channels(map, map_y, map_x);
        return std::isnan(mean) ? no_value : colours().at((1 - mean) / (1 - view.low));
    });
    draw_frame(target, panel);
}

void draw_legend(canvas &target, const rectangle &panel, const measures &sizes, const comparison_view &view)
{
    const rectangle bar{panel.x + panel.width + sizes.margin / 2, panel.y, sizes.bar, panel.height};
    draw_colour_bar(target, bar, sizes.text,
                    {.top = 1,
                     .bottom = view.low,
                     .colour_of = [&](double ssim) { return colours().at((1 - ssim) / (1 - view.low)); },
                     .text_of = fixed});
}

std::string title_of(const comparison_view &view)
{
    return "SSIM " + fixed(view.ssim, 4) + "   PSNR " + fixed(view.psnr, 2) + view.psnr_unit;
}

} // namespace

double automatic_low(const image &map)
{
    constexpr std::array<double, 6> candidates = {0.99, 0.95, 0.9, 0.8, 0.5, 0.0};
    std::array<int64_t, candidates.size()> below{};
    for (int64_t y = 0; y < map.height(); ++y)
        for (int64_t x = 0; x < map.width(); ++x)
            for (std::size_t index = 0; index < candidates.size(); ++index)
                below[index] += mean_over_channels(map, y, x) < candidates[index];
    for (std::size_t index = 0; index < candidates.size(); ++index)
        if (below[index] * 1000 <= map.height() * map.width())
            return candidates[index];
    return candidates.back();
}

canvas draw_heat_map(const comparison_view &view)
{
    const measures sizes(view.reference);
    const rectangle panel{sizes.margin, sizes.margin / 2 + sizes.caption, sizes.panel_width, sizes.panel_height};
    canvas target(panel.x + panel.width + sizes.legend_width() + sizes.margin / 2,
                  panel.y + panel.height + sizes.margin, paper);
    draw_caption(target, panel, sizes, title_of(view), view.test_name);
    draw_map(target, panel, sizes, view);
    draw_legend(target, panel, sizes, view);
    return target;
}

canvas draw_side_by_side(const comparison_view &view)
{
    const measures sizes(view.reference);
    rectangle panel{sizes.margin, sizes.margin / 2 + sizes.caption, sizes.panel_width, sizes.panel_height};
    const int64_t step = panel.width + sizes.margin;
    canvas target(3 * step + sizes.legend_width() + sizes.margin / 2, panel.y + panel.height + sizes.margin, paper);
    draw_caption(target, panel, sizes, "reference", view.reference_name);
    draw_picture(target, panel, sizes, view.reference, view);
    panel.x += step;
    draw_caption(target, panel, sizes, "test", view.test_name);
    draw_picture(target, panel, sizes, view.test, view);
    panel.x += step;
    const std::string note = "dark: equal, bright: different";
    const double needed = text_width(sizes.text, title_of(view) + "   " + note);
    draw_caption(target, panel, sizes, title_of(view), needed < static_cast<double>(panel.width) ? note : "");
    draw_map(target, panel, sizes, view);
    draw_legend(target, panel, sizes, view);
    return target;
}

} // namespace iqa_tool
