// SPDX-License-Identifier: MIT
// The SSIM of one pair of pictures by every preset.
#pragma once

#include "measuring/measure.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace iqa_tool {

struct preset_value {
    std::string name, meaning;
    std::optional<double> ssim;
    std::string error; // the reason if there is no value
};

// Every preset keeps the chosen data range, luma, shave, mask and policy for non-finite samples.
std::vector<preset_value> measure_presets(const image &reference, const image &test, const settings &chosen,
                                          const iqa::context &context);

void print_presets(std::ostream &out, const std::vector<preset_value> &values);

nlohmann::ordered_json presets_as_json(const std::vector<preset_value> &values);

} // namespace iqa_tool
