// SPDX-License-Identifier: MIT
// `iqa compare`: two pictures, or two clips.
#include "commands/commands.hpp"
#include "commands/compare_clips.hpp"
#include "drawing/heat_map.hpp"
#include "files/file_error.hpp"
#include "files/number.hpp"
#include "files/output_file.hpp"
#include "measuring/report.hpp"
#include "options/parsed_option.hpp"
#include "options/presets.hpp"
#include "options/ssim_options.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>

namespace iqa_tool {

namespace {

struct compare_options : clip_options {
    std::string map_path, side_by_side_path;
    std::optional<double> map_low;
    bool all_presets = false;

    bool wants_map() const { return !map_path.empty() || !side_by_side_path.empty(); }
    // The first option that only pictures have, "" if none was given.
    const char *option_of_pictures() const
    {
        const std::pair<bool, const char *> options[] = {
            {!map_path.empty(), "--map"},
            {!side_by_side_path.empty(), "--side-by-side"},
            {all_presets, "--all-presets"},
            {chosen.roi.has_value(), "--roi"},
            {!chosen.mask_path.empty(), "--mask"},
            {chosen.decode.page > 0, "--page"},
            {chosen.decode.orientation != orientation_policy::unstated, "--orientation"}};
        for (const auto &[is_given, name] : options)
            if (is_given)
                return name;
        return "";
    }
    // The first option that only clips have, "" if none was given.
    const char *option_of_clips() const { return !csv_path.empty() ? "--csv" : shortest ? "--shortest" : ""; }
};

struct comparison {
    image reference, test, map;
    pair_values values;
    std::vector<channel_values> channels;
    std::vector<preset_value> presets;
};

// Black and white of the shown pictures: the data range, or the span of the type.
std::pair<double, double> shown_range(const settings &chosen, int32_t dtype)
{
    if (chosen.data_range_is_stated())
        return {chosen.psnr.data_low, chosen.psnr.data_high};
    switch (dtype) {
    case IQA_UINT8:
        return {0, std::numeric_limits<uint8_t>::max()};
    case IQA_INT16:
        return {std::numeric_limits<int16_t>::min(), std::numeric_limits<int16_t>::max()};
    default:
        return {0, std::numeric_limits<uint16_t>::max()};
    }
}

// The last folder and the name: enough to tell files apart, short enough for a caption.
std::string caption_of(const std::string &path)
{
    const std::filesystem::path whole(path);
    return (whole.parent_path().filename() / whole.filename()).string();
}

void write_pictures(const compare_options &options, const comparison &found)
{
    const auto [low, high] = shown_range(options.chosen, found.reference.dtype);
    const comparison_view view{.reference = found.reference,
                               .test = found.test,
                               .map = found.map,
                               .shave = options.chosen.ssim.shave,
                               .factor = downsample_factor(found.reference, options.chosen.ssim),
                               .reference_name = caption_of(options.reference),
                               .test_name = caption_of(options.test),
                               .ssim = found.values.ssim,
                               .psnr = found.values.psnr,
                               .psnr_unit = psnr_unit(options.chosen),
                               .low = options.map_low ? *options.map_low : automatic_low(found.map),
                               .data_low = low,
                               .data_high = high};
    if (options.map_path.ends_with(".npy")) {
        output_file file(options.map_path);
        write_npy(file.stream(), found.map);
        file.finish();
    } else if (!options.map_path.empty()) {
        canvas drawing = draw_heat_map(view);
        write_png(options.map_path, drawing);
    }
    if (!options.side_by_side_path.empty()) {
        canvas drawing = draw_side_by_side(view);
        write_png(options.side_by_side_path, drawing);
    }
}

void print_json(const compare_options &options, const comparison &found, const iqa::context &context)
{
    nlohmann::ordered_json report;
    report["library"] = library_as_json(context);
    report["reference"] = picture_as_json(options.reference, found.reference);
    report["test"] = picture_as_json(options.test, found.test);
    report["ssim"] = found.values.ssim;
    report["psnr"] = found.values.psnr;
    report["mse"] = found.values.mse;
    report["out_of_range"] = found.values.out_of_range;
    report["nonfinite"] = found.values.nonfinite;
    report["ssim_per_image"] = found.values.ssim_per_image;
    report["psnr_per_image"] = found.values.psnr_per_image;
    report["channels"] = nlohmann::ordered_json::array();
    for (const channel_values &channel : found.channels)
        report["channels"].push_back({{"ssim", channel.ssim}, {"psnr", channel.psnr}, {"mse", channel.mse}});
    if (options.chosen.ssim.parts != 0)
        report["parts"] = {{"luminance", found.values.luminance},
                           {"contrast_structure", found.values.contrast},
                           {"ssim", found.values.ssim_of_scales}};
    if (options.all_presets)
        report["presets"] = presets_as_json(found.presets);
    report["options"] = options_as_json(options.chosen);
    write_json(std::cout, report);
}

std::string padded(std::string text, std::size_t width)
{
    text.resize(std::max(width, text.size()), ' ');
    return text;
}

void print_picture(const char *role, const std::string &path, const image &picture)
{
    std::cout << padded(role, 14) << path << "  (" << picture.format << ", "
              << (picture.shape[axis_image] > 1 ? std::to_string(picture.shape[axis_image]) + " images, " : "")
              << picture.height() << " x " << picture.width() << ", " << picture.channels() << " channel"
              << (picture.channels() == 1 ? "" : "s") << ", " << dtype_name(picture.dtype) << ")\n";
}

void print_text(const compare_options &options, const comparison &found)
{
    const auto print_row = [&](const std::string &name, double ssim, double psnr, double mse) {
        std::cout << padded(name, 14) << padded(fixed(ssim, 6), 12) << padded(fixed(psnr, 4), 14) << fixed(mse, 6)
                  << '\n';
    };
    const std::string unit = psnr_unit(options.chosen);
    if (options.verbose) {
        print_picture("reference", options.reference, found.reference);
        print_picture("test", options.test, found.test);
        std::cout << '\n' << padded("", 14) << padded("SSIM", 12) << padded("PSNR" + unit, 14) << "MSE\n";
        print_row("all", found.values.ssim, found.values.psnr, found.values.mse);
        for (std::size_t index = 0; found.channels.size() > 1 && index < found.channels.size(); ++index)
            print_row("channel " + std::to_string(index), found.channels[index].ssim, found.channels[index].psnr,
                      found.channels[index].mse);
        const std::vector<double> &per_image = found.values.ssim_per_image;
        for (std::size_t index = 0; per_image.size() > 1 && index < per_image.size(); ++index)
            std::cout << padded("image " + std::to_string(index), 14) << padded(fixed(per_image[index], 6), 12)
                      << fixed(found.values.psnr_per_image[index], 4) << '\n';
    } else {
        std::cout << "SSIM  " << fixed(found.values.ssim, 6) << "\nPSNR  " << fixed(found.values.psnr, 4) << unit
                  << "\nMSE   " << fixed(found.values.mse, 6) << '\n';
    }
    if (!found.values.luminance.empty())
        std::cout << '\n' << padded("", 14) << padded("SSIM", 12) << padded("luminance", 14) << "contrast-structure\n";
    for (std::size_t scale = 0; scale < found.values.luminance.size(); ++scale)
        print_row("scale " + std::to_string(scale + 1), found.values.ssim_of_scales[scale],
                  found.values.luminance[scale], found.values.contrast[scale]);
    if (found.values.nonfinite > 0)
        std::cout << found.values.nonfinite << " samples are NaN or infinite\n";
    if (found.values.out_of_range > 0)
        std::cout << found.values.out_of_range << " samples are outside the data range\n";
}

int run(compare_options options)
{
    file_handle reference = blame(options.reference, [&] { return open_file(options.reference); });
    if (options.raw || may_be_y4m(reference.get())) {
        if (*options.option_of_pictures() != '\0')
            throw file_error(options.reference,
                             std::string("is a clip; ") + options.option_of_pictures() + " is for pictures");
        return compare_clips(options, std::move(reference),
                             blame(options.test, [&] { return open_file(options.test); }));
    }
    if (*options.option_of_clips() != '\0')
        throw file_error(options.reference, std::string("is no clip, which ") + options.option_of_clips() + " is for");
    read_mask(options.chosen);
    if (options.wants_map() && options.chosen.ssim.window == IQA_WINDOW_BLOCKS)
        throw std::runtime_error("SSIM over blocks has no map to draw");
    measurer meter(options.chosen);
    comparison found;
    found.reference = read_picture(options.reference, reference, options.chosen);
    found.test =
        read_picture(options.test, blame(options.test, [&] { return open_file(options.test); }), options.chosen);
    blame(options.test, [&] {
        check_comparable(found.reference, found.test, options.chosen);
        if (options.wants_map() && found.test.shape[axis_image] > 1)
            throw image_error("holds " + std::to_string(found.test.shape[axis_image]) +
                              " images; --map and --side-by-side draw one");
        found.values = meter.measure(found.reference, found.test, options.wants_map() ? &found.map : nullptr);
        if (options.as_json || options.verbose)
            found.channels = meter.measure_channels(found.reference, found.test);
        if (options.all_presets)
            found.presets = measure_presets(found.reference, found.test, options.chosen, meter.context());
    });
    if (options.wants_map())
        write_pictures(options, found);
    if (options.as_json)
        print_json(options, found, meter.context());
    else if (options.all_presets)
        print_presets(std::cout, found.presets);
    else
        print_text(options, found);

    const std::string below = below_threshold_text(options.chosen, found.values.ssim, found.values.psnr);
    if (below.empty())
        return exit_fine;
    std::cerr << "iqa: " << options.test << ": " << below << '\n';
    return exit_below_threshold;
}

void add_clip_options(CLI::App &command, clip_options &options)
{
    std::vector<CLI::Option *> added;
    added.push_back(add_parsed(command, "--yuv", "WIDTHxHEIGHT:FORMAT", "",
                               "Files without a YUV4MPEG2 header are raw YUV: planes of 420, 422, 444, 440, 411 or "
                               "mono, with p9 to p16 for samples of so many bits, e.g. 1920x1080:420p10",
                               [&options](const std::string &text) {
                                   options.raw = parse_raw_format(text);
                                   return options.raw.has_value();
                               }));
    added.push_back(command.add_flag("--shortest", options.shortest, "Stop where the shorter clip ends"));
    added.push_back(
        command.add_option("--csv", options.csv_path, "Write a line for every frame; - is the standard output")
            ->type_name("FILE"));
    for (CLI::Option *option : added)
        option->group("Clips");
}

} // namespace

command_function add_compare(CLI::App &command)
{
    const auto options = std::make_shared<compare_options>();
    command.add_option("REF", options->reference, "The reference picture or clip; - is the standard input")->required();
    command.add_option("TEST", options->test, "The picture or clip to judge")->required();
    command.add_flag("--json", options->as_json, "Write JSON with every digit");
    command.add_flag("-v,--verbose", options->verbose, "Also show the files and each channel and image");
    const auto ends_with = [](std::vector<std::string> endings) {
        return [endings](const std::string &path) {
            for (const std::string &ending : endings)
                if (path.ends_with(ending))
                    return std::string();
            return "\"" + path + "\" does not end with " + endings.front() +
                   (endings.size() > 1 ? " or " + endings[1] : "");
        };
    };
    command.add_option("--map", options->map_path, "Write the SSIM map as a heat map (.png) or as numbers (.npy)")
        ->type_name("FILE")
        ->check(ends_with({".png", ".npy"}));
    command
        .add_option("--side-by-side", options->side_by_side_path,
                    "Write reference, test and heat map in one picture (.png)")
        ->type_name("FILE")
        ->check(ends_with({".png"}));
    add_clip_options(command, *options);
    CLI::Option *all_presets = command.add_flag("--all-presets", options->all_presets,
                                                "Show what each library would say, and what it means by SSIM");
    add_metric_options(command, options->chosen);
    for (CLI::Option *option :
         command.get_options([](const CLI::Option *each) { return each->get_group() == ssim_group; }))
        all_presets->excludes(option);
    command
        .add_option_function<std::string>(
            "--map-low",
            [options](const std::string &text) {
                options->map_low = parse_number<double>(text);
                if (text != "auto" && !(options->map_low >= -1.0 && options->map_low < 1.0))
                    throw CLI::ValidationError("--map-low",
                                               "\"" + text + "\" is neither auto nor a number from -1 to below 1");
            },
            "The SSIM with the brightest colour of the heat map; 1 has the darkest. auto: a round number that "
            "shows the differences")
        ->type_name("NUMBER|auto")
        ->default_str("auto");
    return [options] {
        return run(*options);
    };
}

} // namespace iqa_tool
