// SPDX-License-Identifier: MIT
//
// What SSIM has beside the options of the library's tables: presets, scales, and all of it in a few words.
#pragma once

#include <iqa_c.h>

#include <string>

namespace CLI {
class App;
}

namespace iqa_tool {

/** The name of the group of these options in --help. */
constexpr const char *ssim_group = "SSIM";

/** Adds --preset, which sets every field: to be added before all options that change single fields. */
void add_preset_option(CLI::App &command, iqa_ssim_options &ssim);

/** Adds --scale-weights and --scales. */
void add_scale_options(CLI::App &command, iqa_ssim_options &ssim);

/** What the options mean, in a few words: "Gaussian 11, valid". */
std::string describe(const iqa_ssim_options &ssim);

/** The number of taps of a window along an axis, where it is automatic too. */
int64_t taps_of(int32_t size, double sigma, double truncate);

} // namespace iqa_tool
