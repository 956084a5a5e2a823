// SPDX-License-Identifier: MIT
// Presets and scales of SSIM, which the library's tables do not cover, and a short text of all options.
#pragma once

#include <iqa_c.h>

#include <string>

namespace CLI {
class App;
}

namespace iqa_tool {

// The name of the group of these options in --help.
constexpr const char *ssim_group = "SSIM";

// Adds --preset, which sets every field. To be added before the options that change single fields.
void add_preset_option(CLI::App &command, iqa_ssim_options &ssim);

// Adds --scale-weights and --scales.
void add_scale_options(CLI::App &command, iqa_ssim_options &ssim);

// A short text of the options: "Gaussian 11, valid".
std::string describe(const iqa_ssim_options &ssim);

// The number of taps of a window along an axis; `size` may be automatic.
int64_t taps_of(int32_t size, double sigma, double truncate);

} // namespace iqa_tool
