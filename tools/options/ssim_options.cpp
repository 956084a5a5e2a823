// SPDX-License-Identifier: MIT
#include "options/ssim_options.hpp"

#include "options/parsed_option.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace iqa_tool {

namespace {

const choices<int32_t> windows = {IQA_TOOL_CHOICE("gaussian", IQA_WINDOW_GAUSSIAN),
                                  IQA_TOOL_CHOICE("uniform", IQA_WINDOW_UNIFORM),
                                  IQA_TOOL_CHOICE("blocks", IQA_WINDOW_BLOCKS)};
const choices<int32_t> borders = {
    IQA_TOOL_CHOICE("valid", IQA_BORDER_VALID), IQA_TOOL_CHOICE("reflect", IQA_BORDER_REFLECT),
    IQA_TOOL_CHOICE("symmetric", IQA_BORDER_SYMMETRIC), IQA_TOOL_CHOICE("replicate", IQA_BORDER_REPLICATE),
    IQA_TOOL_CHOICE("zero", IQA_BORDER_ZERO)};
const choices<int32_t> covariances = {IQA_TOOL_CHOICE("population", IQA_COVARIANCE_POPULATION),
                                      IQA_TOOL_CHOICE("sample", IQA_COVARIANCE_SAMPLE)};
const choices<int32_t> arithmetics = {IQA_TOOL_CHOICE("auto", IQA_ARITHMETIC_AUTO),
                                      IQA_TOOL_CHOICE("float64", IQA_ARITHMETIC_FLOAT64)};
const choices<int32_t> automatic_sizes = {IQA_TOOL_CHOICE("auto", IQA_SIZE_AUTO),
                                          IQA_TOOL_CHOICE("auto-ceiling", IQA_SIZE_AUTO_CEILING)};
const choices<int32_t> shrinks = {IQA_TOOL_CHOICE("symmetric", IQA_SHRINK_SYMMETRIC),
                                  IQA_TOOL_CHOICE("floor", IQA_SHRINK_FLOOR), IQA_TOOL_CHOICE("zero", IQA_SHRINK_ZERO),
                                  IQA_TOOL_CHOICE("replicate", IQA_SHRINK_REPLICATE)};
const choices<int32_t> products = {IQA_TOOL_CHOICE("channel", IQA_PRODUCT_OF_CHANNEL),
                                   IQA_TOOL_CHOICE("image", IQA_PRODUCT_OF_IMAGE)};
const choices<int32_t> negatives = {
    IQA_TOOL_CHOICE("keep", IQA_NEGATIVE_KEEP), IQA_TOOL_CHOICE("relu", IQA_NEGATIVE_RELU),
    IQA_TOOL_CHOICE("simple", IQA_NEGATIVE_SIMPLE), IQA_TOOL_CHOICE("relu-map", IQA_NEGATIVE_RELU_MAP)};
const choices<int32_t> masks = {IQA_TOOL_CHOICE("convolution", IQA_MASK_CONVOLUTION),
                                IQA_TOOL_CHOICE("map", IQA_MASK_MAP)};

CLI::Option *add_size(CLI::App &command, const std::string &name, const std::string &standard, const std::string &help,
                      std::function<void(int32_t)> store)
{
    for (const choice<int32_t> &each : automatic_sizes)
        note_word(each.constant, each.name);
    return add_parsed(command, name, "TAPS|auto|auto-ceiling", standard, help,
                      [store = std::move(store)](const std::string &text) {
                          std::optional<int32_t> value = parse_number<int32_t>(text);
                          for (const choice<int32_t> &each : automatic_sizes)
                              if (text == each.name)
                                  value = each.meaning;
                          if (value)
                              store(*value);
                          return value.has_value();
                      });
}

/** Numbers with commas between them. */
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

void add_scale_options(CLI::App &command, iqa_ssim_options &ssim)
{
    note_word("IQA_DOWNSAMPLE_AUTO", "auto");
    std::vector<CLI::Option *> added;
    CLI::Option *weights = add_parsed(command, "--scale-weights", "W1,W2,...", "",
                                      "Multi-scale SSIM with these exponents, from the full size on; their sum is 1",
                                      [&ssim](const std::string &text) {
                                          const std::vector<double> values = parse_numbers(text);
                                          if (values.empty() || values.size() > IQA_MOST_SCALES)
                                              return false;
                                          set_scales(ssim, values);
                                          return true;
                                      });
    added.push_back(weights);
    added.push_back(add_number<int32_t>(
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
        }));
    added.push_back(add_choice(command, "--shrink", ssim.shrink, shrinks,
                               "How images shrink: extents rounded up, rounded down, or a zero or the first pixel once "
                               "more in front where they are odd"));
    added.push_back(add_parsed(
        command, "--downsample", "FACTOR|auto", "1",
        "Shrink images by this factor first; auto: to about 256 on the smaller side", [&ssim](const std::string &text) {
            const auto value = text == "auto" ? IQA_DOWNSAMPLE_AUTO : parse_number<int32_t>(text);
            ssim.downsample = value.value_or(ssim.downsample);
            return value.has_value();
        }));
    added.push_back(add_choice(command, "--product", ssim.product, products,
                               "Several scales: the product is taken for each channel, or for the image"));
    added.push_back(add_choice(command, "--negative", ssim.negative, negatives,
                               "What becomes of negative means: nothing (several scales: an error), 0, (m + 1) / 2, "
                               "or 0 at each pixel"));
    added.push_back(add_choice(command, "--contrast-border", ssim.contrast_border, borders,
                               "The border of all scales but the last"));
    for (CLI::Option *option : added)
        option->group(ssim_group);
}

void add_mask_options(CLI::App &command, iqa_ssim_options &ssim)
{
    add_choice(command, "--mask-mode", ssim.mask, masks,
               "Pixels that are masked have no influence (normalised convolution), or only do not count themselves")
        ->group(ssim_group);
    add_number(command, "--coverage", ssim.coverage, "The part of a window that must not be masked, 0 to 1")
        ->group(ssim_group);
}

std::string window_text(const iqa_ssim_options &ssim)
{
    if (ssim.window == IQA_WINDOW_BLOCKS)
        return "blocks of 8 x 8";
    const auto taps = taps_of(ssim.size_y, ssim.sigma_y, ssim.truncate);
    const char *shape = ssim.window == IQA_WINDOW_UNIFORM ? "uniform " : "Gaussian ";
    return shape + std::to_string(taps) + ", " +
           name_of(borders, ssim.scales == 1 ? ssim.border : ssim.contrast_border);
}

} // namespace

void add_preset_option(CLI::App &command, iqa_ssim_options &ssim)
{
    std::vector<std::string> presets;
    for (int32_t preset = 0; iqa_ssim_preset_name(preset) != nullptr; ++preset)
        presets.emplace_back(iqa_ssim_preset_name(preset));
    const std::string names = CLI::detail::join(presets, ", ");
    command
        .add_option_function<std::string>(
            "--preset",
            [&ssim, names, presets](const std::string &text) {
                for (int32_t preset = 0; iqa_ssim_preset_name(preset) != nullptr; ++preset)
                    if (text == iqa_ssim_preset_name(preset)) {
                        iqa_ssim_options_preset(&ssim, sizeof ssim, preset);
                        return;
                    }
                throw CLI::ValidationError("--preset",
                                           "\"" + text + "\" is none of " + names + suggestion(text, presets));
            },
            "Whose SSIM it shall be; other options change it further. One of " + names)
        ->type_name("NAME")
        ->group(ssim_group);
}

void add_ssim_options(CLI::App &command, iqa_ssim_options &ssim)
{
    std::vector<CLI::Option *> added;
    added.push_back(add_choice(command, "--window", ssim.window, windows, "The shape of the window"));
    added.push_back(add_choice(command, "--border", ssim.border, borders,
                               "How samples beyond the edge are made; valid: only windows inside the image"));
    const std::string size_help = "An odd number of taps; auto: from sigma and truncate";
    CLI::Option *size = add_size(command, "--size", "auto", size_help + ", down and across",
                                 [&ssim](int32_t value) { ssim.size_y = ssim.size_x = value; });
    CLI::Option *size_y =
        add_size(command, "--size-y", "", "The same, down only", [&ssim](int32_t value) { ssim.size_y = value; });
    CLI::Option *size_x =
        add_size(command, "--size-x", "", "The same, across only", [&ssim](int32_t value) { ssim.size_x = value; });
    CLI::Option *sigma = add_number<double>(command, "--sigma", shortest(ssim.sigma_y),
                                            "The standard deviation of the Gaussian in pixels, down and across",
                                            [&ssim](double value) { ssim.sigma_y = ssim.sigma_x = value; });
    CLI::Option *sigma_y = add_number<double>(command, "--sigma-y", "", "The same, down only",
                                              [&ssim](double value) { ssim.sigma_y = value; });
    CLI::Option *sigma_x = add_number<double>(command, "--sigma-x", "", "The same, across only",
                                              [&ssim](double value) { ssim.sigma_x = value; });
    size->excludes(size_y)->excludes(size_x);
    sigma->excludes(sigma_y)->excludes(sigma_x);
    added.insert(added.end(), {size, size_y, size_x, sigma, sigma_y, sigma_x});
    added.push_back(
        add_number(command, "--truncate", ssim.truncate, "The radius of an automatic size, in standard deviations"));
    added.push_back(add_number(command, "--k1", ssim.k1, "C1 = (k1 L)^2"));
    added.push_back(add_number(command, "--k2", ssim.k2, "C2 = (k2 L)^2"));
    added.push_back(add_choice(command, "--covariance", ssim.covariance, covariances,
                               "Divide by the number of taps, or by one less"));
    added.push_back(add_choice(command, "--arithmetic", ssim.arithmetic, arithmetics,
                               "auto: double for float64 samples, float for all others"));
    for (CLI::Option *option : added)
        option->group(ssim_group);
    add_scale_options(command, ssim);
    add_mask_options(command, ssim);
    command
        .add_flag_callback(
            "--parts", [&ssim] { ssim.parts = 1; }, "Also the luminance and contrast-structure of each scale")
        ->group(ssim_group);
}

nlohmann::ordered_json ssim_options_as_json(const iqa_ssim_options &ssim)
{
    const auto size = [](int32_t taps) -> nlohmann::ordered_json {
        return taps < 0 ? nlohmann::ordered_json(name_of(automatic_sizes, taps)) : nlohmann::ordered_json(taps);
    };
    nlohmann::ordered_json object = {{"window", name_of(windows, ssim.window)},
                                     {"border", name_of(borders, ssim.border)},
                                     {"size_y", size(ssim.size_y)},
                                     {"size_x", size(ssim.size_x)},
                                     {"sigma_y", ssim.sigma_y},
                                     {"sigma_x", ssim.sigma_x},
                                     {"truncate", ssim.truncate},
                                     {"k1", ssim.k1},
                                     {"k2", ssim.k2},
                                     {"covariance", name_of(covariances, ssim.covariance)},
                                     {"arithmetic", name_of(arithmetics, ssim.arithmetic)},
                                     {"shrink", name_of(shrinks, ssim.shrink)},
                                     {"product", name_of(products, ssim.product)},
                                     {"negative", name_of(negatives, ssim.negative)},
                                     {"contrast_border", name_of(borders, ssim.contrast_border)},
                                     {"mask_mode", name_of(masks, ssim.mask)},
                                     {"coverage", ssim.coverage},
                                     {"parts", ssim.parts != 0}};
    object["downsample"] = ssim.downsample;
    if (ssim.downsample == IQA_DOWNSAMPLE_AUTO)
        object["downsample"] = "auto";
    object["scale_weights"] = std::vector<double>(ssim.scale_weights, ssim.scale_weights + ssim.scales);
    return object;
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
        text += ", the last " + name_of(borders, ssim.border);
    text += ", odd extents " + std::string(odd_extents[static_cast<std::size_t>(ssim.shrink)]);
    return text + (ssim.product == IQA_PRODUCT_OF_IMAGE ? ", channels as one" : "");
}

} // namespace iqa_tool
