// SPDX-License-Identifier: MIT
#include "options/presets.hpp"

#include "files/file_error.hpp"
#include "files/number.hpp"
#include "options/ssim_options.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace iqa_tool {

namespace {

iqa_ssim_options options_of(int32_t preset, const settings &chosen)
{
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    iqa_ssim_options_preset(&options, sizeof options, preset);
    options.nonfinite = chosen.ssim.nonfinite;
    options.shave = chosen.ssim.shave;
    if (chosen.ssim.luma != IQA_LUMA_NONE) {
        options.luma = chosen.ssim.luma;
        options.luma_rounded = chosen.ssim.luma_rounded;
    }
    return options;
}

} // namespace

std::vector<preset_value> measure_presets(const image &reference, const image &test, const settings &chosen,
                                          const iqa::context &context)
{
    std::vector<preset_value> values;
    for (int32_t preset = 0; iqa_ssim_preset_name(preset) != nullptr; ++preset) {
        iqa_ssim_options options = options_of(preset, chosen);
        preset_value value{iqa_ssim_preset_name(preset), describe(options), std::nullopt, ""};
        const bool has_own_range = options.data_low <= options.data_high;
        if (!has_own_range) {
            options.data_low = chosen.psnr.data_low;
            options.data_high = chosen.psnr.data_high;
        }
        try {
            value.ssim = measure_ssim(context, options, reference, test, chosen);
        } catch (const iqa::error &problem) {
            value.error = text_of(problem);
        }
        values.push_back(std::move(value));
    }
    return values;
}

void print_presets(std::ostream &out, const std::vector<preset_value> &values)
{
    std::size_t width = 0;
    for (const preset_value &value : values)
        width = std::max(width, value.name.size());
    for (const preset_value &value : values) {
        const std::string number = value.ssim ? fixed(*value.ssim, 6) : "-";
        out << value.name << std::string(width + 2 - value.name.size(), ' ') << number
            << std::string(number.size() < 10 ? 11 - number.size() : 1, ' ')
            << (value.ssim ? value.meaning : value.error) << '\n';
    }
}

nlohmann::ordered_json presets_as_json(const std::vector<preset_value> &values)
{
    nlohmann::ordered_json object;
    for (const preset_value &value : values) {
        nlohmann::ordered_json &entry = object[value.name];
        entry["ssim"] = nullptr;
        if (value.ssim)
            entry["ssim"] = *value.ssim;
        else
            entry["error"] = value.error;
        entry["meaning"] = value.meaning;
    }
    return object;
}

} // namespace iqa_tool
