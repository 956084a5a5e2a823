// SPDX-License-Identifier: MIT
// The colours of the heat map: a path through Oklab (B. Ottosson, "A perceptual color space for image processing",
// 2020) from dark blue over red to light yellow whose steps are equally far apart, so that equal differences of SSIM
// look equally large. Lightness rises all the way: the map reads the same in grey print.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

namespace iqa_tool {

struct colour {
    uint8_t red, green, blue;
};

namespace oklab {

struct point {
    double lightness, a, b;
};

// Linear sRGB.
inline std::array<double, 3> to_linear_srgb(const point &p) noexcept
{
    const double l = std::pow(p.lightness + 0.3963377774 * p.a + 0.2158037573 * p.b, 3);
    const double m = std::pow(p.lightness - 0.1055613458 * p.a - 0.0638541728 * p.b, 3);
    const double s = std::pow(p.lightness - 0.0894841775 * p.a - 1.2914855480 * p.b, 3);
    return {4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
            -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
            -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}

} // namespace oklab

// 256 colours from "equal" (0) to "different" (255).
class colour_map {
public:
    static constexpr int size = 256;

    colour_map()
    {
        // Walks the path in short steps and takes a colour after each 1/255 of its length.
        constexpr int steps = 4096;
        std::array<double, steps + 1> length{};
        for (int step = 1; step <= steps; ++step)
            length[static_cast<std::size_t>(step)] =
                length[static_cast<std::size_t>(step - 1)] +
                distance(path(static_cast<double>(step - 1) / steps), path(static_cast<double>(step) / steps));
        std::size_t step = 0;
        for (std::size_t index = 0; index < size; ++index) {
            while (step < steps && length[step] * (size - 1) < length[steps] * static_cast<double>(index))
                ++step;
            colours_[index] = to_srgb(path(static_cast<double>(step) / steps));
        }
    }

    // `position` from 0 (equal) to 1 (different), clamped to that range.
    colour at(double position) const noexcept
    {
        const double index = std::nearbyint(position * (size - 1));
        return colours_[static_cast<std::size_t>(index < 0 ? 0 : index > size - 1 ? size - 1 : index)];
    }

private:
    // The whole path lies inside sRGB.
    static oklab::point path(double position) noexcept
    {
        const double lightness = 0.16 + 0.81 * position;
        const double chroma = 0.055 + 0.14 * std::sin(std::numbers::pi * position);
        const double hue = (275 + 190 * position) * std::numbers::pi / 180;
        return {lightness, chroma * std::cos(hue), chroma * std::sin(hue)};
    }

    static double distance(const oklab::point &first, const oklab::point &second) noexcept
    {
        return std::hypot(first.lightness - second.lightness, first.a - second.a, first.b - second.b);
    }

    static colour to_srgb(const oklab::point &p) noexcept
    {
        std::array<uint8_t, 3> encoded{};
        const std::array<double, 3> linear = oklab::to_linear_srgb(p);
        for (std::size_t channel = 0; channel < encoded.size(); ++channel) {
            const double value = linear[channel];
            const double curve = value <= 0.0031308 ? 12.92 * value : 1.055 * std::pow(value, 1 / 2.4) - 0.055;
            encoded[channel] = static_cast<uint8_t>(std::nearbyint(255 * std::fmin(std::fmax(curve, 0), 1)));
        }
        return {encoded[0], encoded[1], encoded[2]};
    }

    std::array<colour, size> colours_;
};

} // namespace iqa_tool
