// SPDX-License-Identifier: MIT
#include "options.hpp"

#include "parsed_option.hpp"

#include <nlohmann/json.hpp>

namespace iqa_tool {

namespace {

const choices<int32_t> layouts = {{"hw", IQA_LAYOUT_HW},   {"hwc", IQA_LAYOUT_HWC},   {"chw", IQA_LAYOUT_CHW},
                                  {"nhw", IQA_LAYOUT_NHW}, {"nhwc", IQA_LAYOUT_NHWC}, {"nchw", IQA_LAYOUT_NCHW}};
const choices<int32_t> windows = {
    {"gaussian", IQA_WINDOW_GAUSSIAN}, {"uniform", IQA_WINDOW_UNIFORM}, {"blocks", IQA_WINDOW_BLOCKS}};
const choices<int32_t> borders = {{"valid", IQA_BORDER_VALID},
                                  {"reflect", IQA_BORDER_REFLECT},
                                  {"symmetric", IQA_BORDER_SYMMETRIC},
                                  {"replicate", IQA_BORDER_REPLICATE},
                                  {"zero", IQA_BORDER_ZERO}};
const choices<int32_t> covariances = {{"population", IQA_COVARIANCE_POPULATION}, {"sample", IQA_COVARIANCE_SAMPLE}};
const choices<int32_t> arithmetics = {{"auto", IQA_ARITHMETIC_AUTO}, {"float64", IQA_ARITHMETIC_FLOAT64}};
const choices<int32_t> nonfinites = {{"error", IQA_NONFINITE_ERROR}, {"propagate", IQA_NONFINITE_PROPAGATE}};
const choices<int32_t> aggregates = {{"psnr-of-mean-mse", IQA_PSNR_OF_MEAN_MSE}, {"mean-of-psnr", IQA_MEAN_OF_PSNR}};
const choices<int32_t> instruction_sets = {
    {"baseline", IQA_ISA_BASELINE}, {"avx2", IQA_ISA_AVX2}, {"avx512", IQA_ISA_AVX512}, {"best", IQA_ISA_BEST}};
const choices<alpha_policy> alpha_policies = {{"opaque", alpha_policy::opaque},
                                              {"drop", alpha_policy::drop},
                                              {"channel", alpha_policy::channel},
                                              {"black", alpha_policy::black},
                                              {"white", alpha_policy::white}};

CLI::Option *add_size(CLI::App &command, const std::string &name, const std::string &standard, const std::string &help,
                      std::function<void(int32_t)> store)
{
    return add_parsed(command, name, "TAPS|auto", standard, help, [store = std::move(store)](const std::string &text) {
        const std::optional<int32_t> value = text == "auto" ? IQA_SIZE_AUTO : parse_number<int32_t>(text);
        if (value)
            store(*value);
        return value.has_value();
    });
}

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
    add_number<int64_t>(command, "--max-pixels", std::to_string(target.decode.max_pixels),
                        "Refuse files that hold more pixels than this, before any memory is taken for them",
                        [&target](int64_t value) {
                            if (value < 1 || value > int64_t{1} << 40)
                                throw CLI::ValidationError("--max-pixels", "must be from 1 to 2^40");
                            target.decode.max_pixels = value;
                        })
        ->group("Samples");
}

void add_ssim_options(CLI::App &command, iqa_ssim_options &ssim)
{
    std::vector<CLI::Option *> added;
    added.push_back(add_parsed(command, "--preset", "NAME", "", "Start from what another library means by SSIM",
                               [&ssim](const std::string &text) {
                                   for (int32_t preset = 0; const char *name = iqa_ssim_preset_name(preset); ++preset)
                                       if (text == name)
                                           return iqa_ssim_options_preset(&ssim, sizeof ssim, preset) == IQA_OK;
                                   return false;
                               }));
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
        option->group("SSIM");
}

void add_psnr_options(CLI::App &command, iqa_psnr_options &psnr)
{
    add_number(command, "--log-base", psnr.log_base, "The base of the logarithm; 10 gives dB")->group("PSNR");
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

void add_context_options(CLI::App &command, iqa_context_options &target)
{
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
    add_range_options(command, target);
    add_input_options(command, target);
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
    const auto size = [](int32_t taps) -> nlohmann::ordered_json {
        return taps == IQA_SIZE_AUTO ? nlohmann::ordered_json("auto") : nlohmann::ordered_json(taps);
    };
    nlohmann::ordered_json object;
    object["data_range"] = nullptr;
    if (chosen.data_range_is_stated())
        object["data_range"] = {chosen.ssim.data_low, chosen.ssim.data_high};
    object["nonfinite"] = name_of(nonfinites, chosen.ssim.nonfinite);
    object["alpha"] = name_of(alpha_policies, chosen.alpha);
    object["ssim"] = {{"window", name_of(windows, chosen.ssim.window)},
                      {"border", name_of(borders, chosen.ssim.border)},
                      {"size_y", size(chosen.ssim.size_y)},
                      {"size_x", size(chosen.ssim.size_x)},
                      {"sigma_y", chosen.ssim.sigma_y},
                      {"sigma_x", chosen.ssim.sigma_x},
                      {"truncate", chosen.ssim.truncate},
                      {"k1", chosen.ssim.k1},
                      {"k2", chosen.ssim.k2},
                      {"covariance", name_of(covariances, chosen.ssim.covariance)},
                      {"arithmetic", name_of(arithmetics, chosen.ssim.arithmetic)}};
    object["psnr"] = {{"log_base", chosen.psnr.log_base},
                      {"cap", nullptr},
                      {"aggregate", name_of(aggregates, chosen.psnr.aggregate)}};
    if (chosen.psnr.cap < IQA_PSNR_NO_CAP)
        object["psnr"]["cap"] = chosen.psnr.cap;
    return object;
}

} // namespace iqa_tool
