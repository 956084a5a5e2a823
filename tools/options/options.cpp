// SPDX-License-Identifier: MIT
#include "options/options.hpp"

#include "options/parsed_option.hpp"
#include "options/ssim_options.hpp"

#include <nlohmann/json.hpp>

namespace iqa_tool {

namespace {

const choices<int32_t> layouts = {IQA_TOOL_CHOICE("hw", IQA_LAYOUT_HW),     IQA_TOOL_CHOICE("hwc", IQA_LAYOUT_HWC),
                                  IQA_TOOL_CHOICE("chw", IQA_LAYOUT_CHW),   IQA_TOOL_CHOICE("nhw", IQA_LAYOUT_NHW),
                                  IQA_TOOL_CHOICE("nhwc", IQA_LAYOUT_NHWC), IQA_TOOL_CHOICE("nchw", IQA_LAYOUT_NCHW)};
const choices<int32_t> nonfinites = {IQA_TOOL_CHOICE("error", IQA_NONFINITE_ERROR),
                                     IQA_TOOL_CHOICE("propagate", IQA_NONFINITE_PROPAGATE),
                                     IQA_TOOL_CHOICE("mask", IQA_NONFINITE_MASK)};
const choices<int32_t> lumas = {
    IQA_TOOL_CHOICE("none", IQA_LUMA_NONE), IQA_TOOL_CHOICE("bt601-full", IQA_LUMA_BT601_FULL),
    IQA_TOOL_CHOICE("bt601-studio", IQA_LUMA_BT601_STUDIO), IQA_TOOL_CHOICE("bt709-full", IQA_LUMA_BT709_FULL),
    IQA_TOOL_CHOICE("bt709-studio", IQA_LUMA_BT709_STUDIO)};
const choices<int32_t> aggregates = {IQA_TOOL_CHOICE("psnr-of-mean-mse", IQA_PSNR_OF_MEAN_MSE),
                                     IQA_TOOL_CHOICE("mean-of-psnr", IQA_MEAN_OF_PSNR)};
const choices<int32_t> instruction_sets = {
    IQA_TOOL_CHOICE("baseline", IQA_ISA_BASELINE), IQA_TOOL_CHOICE("avx2", IQA_ISA_AVX2),
    IQA_TOOL_CHOICE("avx512", IQA_ISA_AVX512), IQA_TOOL_CHOICE("best", IQA_ISA_BEST)};
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
        option->group("Samples");
    add_choice<int32_t>(command, "--nonfinite", nonfinites, target.ssim.nonfinite,
                        "What to do with NaN and infinite samples",
                        [&target](int32_t value) { target.ssim.nonfinite = target.psnr.nonfinite = value; })
        ->group("Samples");
}

void add_input_options(CLI::App &command, settings &target)
{
    add_choice(command, "--alpha", target.alpha, alpha_policies,
               "What to do with an alpha channel: drop it where it is opaque everywhere and refuse the file otherwise, "
               "drop it, compare it, or put the picture on black or white")
        ->group("Samples");
    add_choice(command, "--layout", target.decode.layout, layouts,
               "What the axes of .npy arrays are; needed for more than two")
        ->default_str("hw")
        ->group("Samples");
    add_file_options(command, target.decode, "Samples");
}

/** "Y,X,HEIGHTxWIDTH"; no value for any other text. */
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

/** What both metrics do with their samples first. */
void add_sample_options(CLI::App &command, settings &target)
{
    const auto set_luma = [&target](int32_t value) {
        target.ssim.luma = target.psnr.luma = value;
    };
    std::vector<CLI::Option *> added;
    added.push_back(add_choice<int32_t>(command, "--luma", lumas, target.ssim.luma,
                                        "Compare RGB pictures as one channel of luma", set_luma));
    added.push_back(command.add_flag_callback(
        "--luma-rounded", [&target] { target.ssim.luma_rounded = target.psnr.luma_rounded = 1; },
        "Round luma to whole levels of 255"));
    added.push_back(add_number<int32_t>(command, "--shave", "0", "Pixels taken off each edge first",
                                        [&target](int32_t value) { target.ssim.shave = target.psnr.shave = value; }));
    added.push_back(add_parsed(command, "--roi", "Y,X,HEIGHTxWIDTH", "",
                               "Compare only this rectangle: its first row and column, and its size",
                               [&target](const std::string &text) {
                                   target.roi = parse_region(text);
                                   return target.roi.has_value();
                               }));
    added.push_back(command
                        .add_option("--mask", target.mask_path,
                                    "A grey picture of the same size: pixels that are 0 there are left out. "
                                    "A .npy of float32 or float64 has weights from 0 to 1")
                        ->type_name("FILE"));
    for (CLI::Option *option : added)
        option->group("Samples");
}

void add_psnr_options(CLI::App &command, iqa_psnr_options &psnr)
{
    add_number(command, "--log-base", psnr.log_base, "The base of the logarithm; 10 gives dB")->group("PSNR");
    note_word("IQA_PSNR_NO_CAP", "none");
    add_parsed(command, "--cap", "NUMBER|none", "none", "Report greater values, and that of equal images, as this",
               [&psnr](const std::string &text) {
                   const std::optional<double> value = text == "none" ? IQA_PSNR_NO_CAP : parse_number<double>(text);
                   psnr.cap = value.value_or(psnr.cap);
                   return value.has_value();
               })
        ->group("PSNR");
    add_choice(command, "--aggregate", psnr.aggregate, aggregates, "What the PSNR of several images is")->group("PSNR");
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
    add_choice<orientation_policy>(command, "--orientation", orientations, orientation_policy::stored,
                                   "Turn pictures upright as EXIF and TIFF tags say, or take them as they are stored; "
                                   "needed where the two of a pair differ in this",
                                   [&target](orientation_policy value) { target.orientation = value; })
        ->default_str("")
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
    note_word("IQA_THREADS_ALL", "all");
    add_parsed(command, "--threads", "COUNT|all", "all", "CPU threads", [&target](const std::string &text) {
        const std::optional<int32_t> value = text == "all" ? IQA_THREADS_ALL : parse_number<int32_t>(text);
        if (!value || (*value < 1 && *value != IQA_THREADS_ALL))
            return false;
        target.threads = *value;
        return true;
    });
    add_choice(command, "--instruction-set", target.instruction_set, instruction_sets,
               "The highest instruction set to use; all give the same bits");
}

void add_metric_options(CLI::App &command, settings &target)
{
    add_preset_option(command, target.ssim);
    add_range_options(command, target);
    add_input_options(command, target);
    add_sample_options(command, target);
    add_ssim_options(command, target.ssim);
    add_psnr_options(command, target.psnr);
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

nlohmann::ordered_json options_as_json(const settings &chosen)
{
    nlohmann::ordered_json object;
    object["data_range"] = nullptr;
    if (chosen.data_range_is_stated())
        object["data_range"] = {chosen.psnr.data_low, chosen.psnr.data_high};
    object["nonfinite"] = name_of(nonfinites, chosen.ssim.nonfinite);
    object["alpha"] = name_of(alpha_policies, chosen.alpha);
    object["orientation"] = orientation_as_json(chosen.decode.orientation);
    object["page"] = nullptr;
    if (chosen.decode.page > 0)
        object["page"] = chosen.decode.page;
    object["luma"] = name_of(lumas, chosen.ssim.luma);
    object["luma_rounded"] = chosen.ssim.luma_rounded != 0;
    object["shave"] = chosen.ssim.shave;
    object["roi"] = nullptr;
    if (chosen.roi)
        object["roi"] = {chosen.roi->y, chosen.roi->x, chosen.roi->height, chosen.roi->width};
    object["mask"] = nullptr;
    if (!chosen.mask_path.empty())
        object["mask"] = chosen.mask_path;
    object["ssim"] = ssim_options_as_json(chosen.ssim);
    object["psnr"] = {{"log_base", chosen.psnr.log_base},
                      {"cap", nullptr},
                      {"aggregate", name_of(aggregates, chosen.psnr.aggregate)}};
    if (chosen.psnr.cap < IQA_PSNR_NO_CAP)
        object["psnr"]["cap"] = chosen.psnr.cap;
    return object;
}

} // namespace iqa_tool
