// SPDX-License-Identifier: MIT
#include "options/options.hpp"

#include "options/library_options.hpp"
#include "options/parsed_option.hpp"
#include "options/ssim_options.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>

namespace iqa_tool {

namespace {

constexpr const char *samples_group = "Samples";

// Options that pictures lack (depth, unit of length, gradient), and options with a form of their own.
const std::vector<std::string_view> other_options = {"size_z",   "sigma_z", "spacing_z", "spacing_y", "spacing_x",
                                                     "gradient", "layout",  "data_low",  "data_high", "scales"};

// The library's options: shared ones, SSIM's and PSNR's.
struct metric_options {
    std::vector<library_option> shared, ssim, psnr;

    explicit metric_options(settings &target) : psnr(options_but(other_options, "psnr", &target.psnr))
    {
        for (library_option &option : options_but(other_options, "ssim", &target.ssim)) {
            const auto same = std::find_if(psnr.begin(), psnr.end(), [&](const library_option &other) {
                return std::string_view(other.info.name) == option.info.name;
            });
            if (same != psnr.end()) {
                option.fields.push_back(same->fields.front());
                psnr.erase(same);
                shared.push_back(std::move(option));
            } else {
                ssim.push_back(std::move(option));
            }
        }
    }
};

// The layouts that files have.
choices<int32_t> layouts()
{
    choices<int32_t> found;
    const iqa_option_info info = described("ssim", "layout");
    for (int32_t i = 0; i < info.word_count; ++i)
        if (std::strchr(info.words[i].name, 'd') == nullptr) // depth
            found.push_back({info.words[i].name, static_cast<int32_t>(info.words[i].value)});
    return found;
}

const choices<alpha_policy> alpha_policies = {{"opaque", alpha_policy::opaque},
                                              {"drop", alpha_policy::drop},
                                              {"channel", alpha_policy::channel},
                                              {"black", alpha_policy::black},
                                              {"white", alpha_policy::white}};

const choices<orientation_policy> orientations = {{"apply", orientation_policy::apply},
                                                  {"stored", orientation_policy::stored}};

void add_range_options(CLI::App &command, settings &target)
{
    const auto set_low = [&target](double low) {
        target.ssim.data_low = target.psnr.data_low = low;
    };
    const auto set_high = [&target](double high) {
        target.ssim.data_high = target.psnr.data_high = high;
    };
    CLI::Option *range = add_number<double>(command, "--data-range", "",
                                            "The peak value L: short for --data-low 0 --data-high L. Needed for "
                                            "floating-point samples; integers have the span of their type",
                                            [set_low, set_high](double peak) {
                                                set_low(0);
                                                set_high(peak);
                                            });
    CLI::Option *low = add_number<double>(command, "--data-low", "", "The lowest value", set_low);
    CLI::Option *high = add_number<double>(command, "--data-high", "", "The highest value", set_high);
    low->needs(high);
    range->excludes(low)->excludes(high);
    for (CLI::Option *option : {range, low, high})
        option->group(samples_group);
}

void add_input_options(CLI::App &command, settings &target)
{
    add_choice(command, "--alpha", target.alpha, alpha_policies,
               "What to do with an alpha channel: drop it where it is opaque everywhere and refuse the file otherwise, "
               "drop it, compare it, or put the picture on black or white")
        ->group(samples_group);
    add_choice(command, "--layout", target.decode.layout, layouts(),
               "What the axes of .npy arrays are; needed for more than two")
        ->default_str("hw")
        ->group(samples_group);
    add_file_options(command, target.decode, samples_group);
}

// "Y,X,HEIGHTxWIDTH"; no value for any other text.
std::optional<region> parse_region(const std::string &text)
{
    const std::size_t first = text.find(','), second = text.find(',', first + 1), third = text.find('x', second + 1);
    if (first == std::string::npos || second == std::string::npos || third == std::string::npos)
        return std::nullopt;
    const auto part = [&](std::size_t from, std::size_t to) {
        return parse_number<int64_t>(std::string_view(text).substr(from, to - from));
    };
    const auto y = part(0, first), x = part(first + 1, second);
    const auto height = part(second + 1, third), width = part(third + 1, text.size());
    if (!y || !x || !height || !width || *y < 0 || *x < 0 || *height < 1 || *width < 1)
        return std::nullopt;
    return region{*y, *x, *height, *width};
}

// Options that choose the pixels to compare.
void add_pixel_options(CLI::App &command, settings &target)
{
    add_parsed(command, "--roi", "Y,X,HEIGHTxWIDTH", "",
               "Compare only this rectangle: its first row and column, and its size",
               [&target](const std::string &text) {
                   target.roi = parse_region(text);
                   return target.roi.has_value();
               })
        ->group(samples_group);
    command
        .add_option("--mask", target.mask_path,
                    "A grey picture of the same size: pixels that are 0 there are left out. "
                    "A .npy of float32 or float64 has weights from 0 to 1")
        ->type_name("FILE")
        ->group(samples_group);
}

} // namespace

void add_file_options(CLI::App &command, decode_options &target, const std::string &group)
{
    add_number<int32_t>(command, "--page", "", "Which picture to take, from 1 on, of files that hold several full ones",
                        [&target](int32_t value) {
                            if (value < 1)
                                throw CLI::ValidationError("--page", "must be 1 or more");
                            target.page = value;
                        })
        ->group(group);
    add_choice<orientation_policy>(command, "--orientation", orientations, "",
                                   "Turn pictures upright as EXIF and TIFF tags say, or take them as they are stored; "
                                   "needed where the two of a pair differ in this",
                                   [&target](orientation_policy value) { target.orientation = value; })
        ->group(group);
    add_number<int64_t>(command, "--max-pixels", std::to_string(target.max_pixels),
                        "Refuse files that hold more pixels than this, before any memory is taken for them",
                        [&target](int64_t value) {
                            if (value < 1 || value > int64_t{1} << 40)
                                throw CLI::ValidationError("--max-pixels", "must be from 1 to 2^40");
                            target.max_pixels = value;
                        })
        ->group(group);
}

nlohmann::ordered_json orientation_as_json(orientation_policy policy)
{
    if (policy == orientation_policy::unstated)
        return nullptr;
    return name_of(orientations, policy);
}

void add_context_options(CLI::App &command, iqa_context_options &target)
{
    for (const library_option &option : options_but({}, "context", &target))
        add_library_option(command, option);
}

void add_metric_options(CLI::App &command, settings &target)
{
    const metric_options library(target);
    add_preset_option(command, target.ssim);
    add_range_options(command, target);
    add_library_options(command, library.shared, samples_group);
    add_input_options(command, target);
    add_pixel_options(command, target);
    add_library_options(command, library.ssim, ssim_group);
    add_scale_options(command, target.ssim);
    add_library_options(command, library.psnr, "PSNR");
    add_context_options(command, target.context);
    command
        .add_option_function<std::vector<std::string>>(
            "--fail-under",
            [&target](const std::vector<std::string> &texts) {
                for (const std::string &text : texts) {
                    const std::size_t equals = text.find('=');
                    const std::string metric = CLI::detail::to_lower(text.substr(0, equals));
                    const auto least = parse_number<double>(
                        equals == std::string::npos ? std::string_view() : std::string_view(text).substr(equals + 1));
                    if (!least || (metric != "ssim" && metric != "psnr"))
                        throw CLI::ValidationError("--fail-under",
                                                   "expects ssim=NUMBER or psnr=NUMBER, not \"" + text + "\"");
                    target.fail_under.push_back({metric, *least});
                }
            },
            "Exit with 1 when a value is below this; may be given for both metrics")
        ->type_name("ssim=NUMBER|psnr=NUMBER")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

nlohmann::ordered_json options_as_json(settings chosen)
{
    const metric_options library(chosen);
    nlohmann::ordered_json object;
    object["data_range"] = nullptr;
    if (chosen.data_range_is_stated())
        object["data_range"] = {chosen.psnr.data_low, chosen.psnr.data_high};
    object["alpha"] = name_of(alpha_policies, chosen.alpha);
    object["orientation"] = orientation_as_json(chosen.decode.orientation);
    object["page"] = nullptr;
    if (chosen.decode.page > 0)
        object["page"] = chosen.decode.page;
    for (const library_option &option : library.shared)
        put_value(object, option);
    object["roi"] = nullptr;
    if (chosen.roi)
        object["roi"] = {chosen.roi->y, chosen.roi->x, chosen.roi->height, chosen.roi->width};
    object["mask"] = nullptr;
    if (!chosen.mask_path.empty())
        object["mask"] = chosen.mask_path;
    for (const library_option &option : library.ssim)
        put_value(object["ssim"], option);
    object["ssim"]["scale_weights"] =
        std::vector<double>(chosen.ssim.scale_weights, chosen.ssim.scale_weights + chosen.ssim.scales);
    for (const library_option &option : library.psnr)
        put_value(object["psnr"], option);
    if (chosen.psnr.cap == IQA_PSNR_NO_CAP)
        object["psnr"]["cap"] = nullptr;
    return object;
}

} // namespace iqa_tool
