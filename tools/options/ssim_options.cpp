// SPDX-License-Identifier: MIT
#include "options/ssim_options.hpp"

#include "options/library_options.hpp"
#include "options/parsed_option.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace iqa_tool {

namespace {

// Numbers with commas between them.
std::vector<double> parse_numbers(const std::string &text)
{
    std::vector<double> values;
    for (std::size_t start = 0; start <= text.size();) {
        const std::size_t end = std::min(text.find(',', start), text.size());
        const std::optional<double> value = parse_number<double>(std::string_view(text).substr(start, end - start));
        if (!value)
            return {};
        values.push_back(*value);
        start = end + 1;
    }
    return values;
}

void set_scales(iqa_ssim_options &ssim, const std::vector<double> &weights)
{
    ssim.scales = static_cast<int32_t>(weights.size());
    std::fill(std::begin(ssim.scale_weights), std::end(ssim.scale_weights), 0.0);
    std::copy(weights.begin(), weights.end(), ssim.scale_weights);
}

std::string window_text(const iqa_ssim_options &ssim)
{
    if (ssim.window == IQA_WINDOW_BLOCKS)
        return "blocks of 8 x 8";
    const auto taps = taps_of(ssim.size_y, ssim.sigma_y, ssim.truncate);
    const char *shape = ssim.window == IQA_WINDOW_UNIFORM ? "uniform " : "Gaussian ";
    return shape + std::to_string(taps) + ", " +
           word_of("ssim", "border", ssim.scales == 1 ? ssim.border : ssim.contrast_border);
}

} // namespace

void add_preset_option(CLI::App &command, iqa_ssim_options &ssim)
{
    choices<int32_t> presets;
    std::string names;
    for (int32_t preset = 0; iqa_ssim_preset_name(preset) != nullptr; ++preset) {
        presets.push_back({iqa_ssim_preset_name(preset), preset});
        names += (preset == 0 ? "" : ", ") + presets.back().name;
    }
    add_choice<int32_t>(command, "--preset", presets, "",
                        "Whose SSIM it shall be; other options change it further. One of " + names,
                        [&ssim](int32_t preset) { iqa_ssim_options_preset(&ssim, sizeof ssim, preset); })
        ->type_name("NAME")
        ->group(ssim_group);
}

void add_scale_options(CLI::App &command, iqa_ssim_options &ssim)
{
    CLI::Option *weights = add_parsed(command, "--scale-weights", "W1,W2,...", "",
                                      "Multi-scale SSIM with these exponents, from the full size on; their sum is 1",
                                      [&ssim](const std::string &text) {
                                          const std::vector<double> values = parse_numbers(text);
                                          if (values.empty() || values.size() > IQA_MOST_SCALES)
                                              return false;
                                          set_scales(ssim, values);
                                          return true;
                                      });
    weights->group(ssim_group);
    add_number<int32_t>(
        command, "--scales", "1", "1, or 5 with the weights of the paper; other numbers need --scale-weights",
        [&ssim, weights](int32_t count) {
            iqa_ssim_options paper = IQA_SSIM_OPTIONS_INIT;
            iqa_ssim_options_preset(&paper, sizeof paper, IQA_MS_SSIM_WANG2003);
            const iqa_ssim_options plain = IQA_SSIM_OPTIONS_INIT;
            const bool stated = weights->count() > 0;
            if (stated ? count != ssim.scales : count != plain.scales && count != paper.scales)
                throw CLI::ValidationError("--scales", std::to_string(count) + " needs as many --scale-weights");
            const double *found = count == plain.scales ? plain.scale_weights : paper.scale_weights;
            if (!stated)
                set_scales(ssim, {found, found + count});
        })
        ->group(ssim_group);
}

int64_t taps_of(int32_t size, double sigma, double truncate)
{
    if (size >= 0)
        return size;
    const double reach = truncate * sigma;
    return 2 * static_cast<int64_t>(size == IQA_SIZE_AUTO_CEILING ? std::ceil(reach) : std::floor(reach + 0.5)) + 1;
}

std::string describe(const iqa_ssim_options &ssim)
{
    std::string text = window_text(ssim);
    if (ssim.covariance == IQA_COVARIANCE_SAMPLE)
        text += ", N - 1";
    if (ssim.data_low <= ssim.data_high)
        text += ", L = " + shortest(ssim.data_high - ssim.data_low) + " for every type";
    if (ssim.luma != IQA_LUMA_NONE)
        text += ssim.luma_rounded != 0 ? ", rounded luma" : ", luma";
    if (ssim.downsample != 1)
        text += ", shrunk to about 256";
    if (ssim.negative == IQA_NEGATIVE_RELU_MAP)
        text += ", no negative pixels";
    if (ssim.scales == 1)
        return text;
    text += ", " + std::to_string(ssim.scales) + " scales";
    constexpr std::array<const char *, 4> odd_extents = {"up", "down", "by a zero", "by repetition"};
    if (ssim.border != ssim.contrast_border)
        text += ", the last " + word_of("ssim", "border", ssim.border);
    text += ", odd extents " + std::string(odd_extents[static_cast<std::size_t>(ssim.shrink)]);
    return text + (ssim.product == IQA_PRODUCT_OF_IMAGE ? ", channels as one" : "");
}

} // namespace iqa_tool
