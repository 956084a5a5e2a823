// SPDX-License-Identifier: MIT
#include "commands/compare_clips.hpp"

#include "files/file_error.hpp"
#include "files/interrupt.hpp"
#include "files/number.hpp"
#include "files/output_file.hpp"
#include "measuring/clip_meter.hpp"
#include "measuring/progress.hpp"
#include "measuring/report.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>

namespace iqa_tool {

namespace {

using json = nlohmann::ordered_json;

constexpr const char *plane_names[] = {"Y", "U", "V"};
constexpr const char *plane_keys[] = {"y", "u", "v"};

// One measure of a frame: the value of each plane, then that of the frame.
std::vector<double> values_of(const frame_values &frame, double clip_values::*measure)
{
    std::vector<double> values;
    for (const clip_values &plane : frame.planes)
        values.push_back(plane.*measure);
    values.push_back(frame.all.*measure);
    return values;
}

// One line for each frame, with every digit.
class frame_table {
public:
    frame_table(const std::string &path, std::size_t planes) : file_(path)
    {
        file_.stream() << "frame";
        for (const char *kind : {"ssim", "psnr", "mse"}) {
            for (std::size_t plane = 0; plane < planes; ++plane)
                file_.stream() << ',' << kind << '_' << plane_keys[plane];
            file_.stream() << ',' << kind;
        }
        file_.stream() << '\n';
    }

    void write(int64_t number, const frame_values &frame)
    {
        file_.stream() << std::to_string(number);
        for (const auto measure : {&clip_values::ssim, &clip_values::psnr, &clip_values::mse})
            for (const double value : values_of(frame, measure))
                file_.stream() << ',' << shortest(value);
        file_.stream() << '\n';
    }

    void finish() { file_.finish(); }

private:
    output_file file_;
};

void check_same_format(const clip_reader &reference, const clip_reader &test)
{
    if (!(reference.format() == test.format()))
        throw image_error("has frames of " + format_text(test.format()) + "; those of the reference have " +
                          format_text(reference.format()));
}

// Both next frames; false at the end of both, or of one with --shortest.
bool read_pair(const clip_options &options, clip_reader &reference, clip_reader &test,
               std::vector<image> &reference_planes, std::vector<image> &test_planes)
{
    const bool more_reference = blame(options.reference, [&] { return reference.read(reference_planes); });
    const bool more_test = blame(options.test, [&] { return test.read(test_planes); });
    if (more_reference != more_test && !options.shortest) {
        const std::string &ended = more_reference ? options.test : options.reference;
        const std::string &other = more_reference ? options.reference : options.test;
        throw file_error(ended, "ends after " + std::to_string((more_reference ? test : reference).frames_read()) +
                                    " frames, but " + other + " goes on; --shortest compares what both have");
    }
    return more_reference && more_test;
}

json values_as_json(const clip_values &values)
{
    return {
        {"ssim", values.ssim}, {"ssim_db", ssim_in_decibels(values.ssim)}, {"psnr", values.psnr}, {"mse", values.mse}};
}

json clip_as_json(const std::string &path, const clip_reader &clip)
{
    return {{"file", path},
            {"format", clip.container()},
            {"height", clip.format().height},
            {"width", clip.format().width},
            {"sampling", clip.format().sampling},
            {"bits", clip.format().bits}};
}

void print_json(const clip_options &options, const clip_reader &reference, const clip_reader &test,
                const clip_total &total, const iqa::context &context)
{
    const auto extreme_as_json = [](const extreme &found) -> json {
        return {{"frame", found.frame}, {"value", found.value}};
    };
    json report;
    report["library"] = library_as_json(context);
    report["reference"] = clip_as_json(options.reference, reference);
    report["test"] = clip_as_json(options.test, test);
    report["frames"] = total.frames;
    report.update(values_as_json(total.values.all));
    report["planes"] = json::array();
    for (const clip_values &plane : total.values.planes)
        report["planes"].push_back(values_as_json(plane));
    report["worst"] = {{"ssim", extreme_as_json(total.least_ssim)}, {"psnr", extreme_as_json(total.least_psnr)}};
    report["best"] = {{"ssim", extreme_as_json(total.most_ssim)}, {"psnr", extreme_as_json(total.most_psnr)}};
    report["out_of_range"] = total.out_of_range;
    report["options"] = options_as_json(options.chosen);
    write_json(std::cout, report);
}

std::string padded(std::string text, std::size_t width)
{
    text.resize(std::max(width, text.size()), ' ');
    return text;
}

void print_text(std::ostream &out, const clip_options &options, const clip_reader &reference, const clip_reader &test,
                const clip_total &total)
{
    const auto print_row = [&](const std::string &name, const clip_values &values) {
        out << padded(name, 14) << padded(fixed(values.ssim, 6), 12)
            << padded(fixed(ssim_in_decibels(values.ssim), 4), 12) << padded(fixed(values.psnr, 4), 12)
            << fixed(values.mse, 6) << '\n';
    };
    const auto print_extremes = [&](const char *name, const extreme &ssim, const extreme &psnr) {
        out << padded(name, 14) << "SSIM " << fixed(ssim.value, 6) << " (frame " << ssim.frame << "), PSNR "
            << fixed(psnr.value, 4) << psnr_unit(options.chosen) << " (frame " << psnr.frame << ")\n";
    };
    if (options.verbose)
        for (const auto &[role, path, clip] :
             {std::tuple("reference", &options.reference, &reference), std::tuple("test", &options.test, &test)})
            out << padded(role, 14) << one_line(*path) << "  (" << clip->container() << ")\n";
    out << padded("frames", 14) << total.frames << ": " << format_text(reference.format()) << "\n\n"
        << padded("", 14) << padded("SSIM", 12) << padded("SSIM dB", 12)
        << padded("PSNR" + psnr_unit(options.chosen), 12) << "MSE\n";
    print_row("all", total.values.all);
    for (std::size_t plane = 0; total.values.planes.size() > 1 && plane < total.values.planes.size(); ++plane)
        print_row(plane_names[plane], total.values.planes[plane]);
    out << '\n';
    print_extremes("worst", total.least_ssim, total.least_psnr);
    print_extremes("best", total.most_ssim, total.most_psnr);
    if (total.out_of_range > 0)
        out << total.out_of_range << " samples are outside the data range\n";
}

} // namespace

int compare_clips(const clip_options &options, file_handle reference_file, file_handle test_file)
{
    if (options.csv_path == "-" && options.as_json)
        throw std::runtime_error("--csv - and --json cannot both go to the standard output");
    clip_reader reference = blame(
        options.reference, [&] { return clip_reader(std::move(reference_file), options.raw, options.chosen.decode); });
    clip_reader test = blame(options.test, [&] {
        clip_reader opened(std::move(test_file), options.raw, options.chosen.decode);
        check_same_format(reference, opened);
        return opened;
    });
    clip_meter meter(options.chosen, reference.format());
    std::optional<frame_table> csv;
    if (!options.csv_path.empty())
        csv.emplace(options.csv_path, reference.format().planes);

    std::vector<image> reference_planes, test_planes;
    try {
        const interrupt_guard guard(true);
        progress_bar bar(std::min(reference.expected_frames(), test.expected_frames()), "frames");
        while (interrupted == 0 && read_pair(options, reference, test, reference_planes, test_planes)) {
            const frame_values frame =
                blame(options.test, [&] { return meter.measure(reference_planes, test_planes); });
            if (csv)
                csv->write(reference.frames_read(), frame);
            bar.show(static_cast<std::size_t>(reference.frames_read()));
        }
    } catch (const file_error &) {
        if (interrupted == 0) // an interrupted read is no error of the file
            throw;
    }
    if (csv)
        csv->finish();
    const clip_total total = meter.total();
    if (total.frames == 0 && interrupted == 0)
        throw file_error(reference.frames_read() == 0 ? options.reference : options.test, "holds no frame");

    if (options.as_json)
        print_json(options, reference, test, total, meter.context());
    else if (total.frames > 0)
        print_text(options.csv_path == "-" ? std::cerr : std::cout, options, reference, test, total);
    if (interrupted != 0) {
        std::cerr << "iqa: interrupted\n";
        return exit_code_of_interrupt();
    }
    const std::string below = below_threshold_text(options.chosen, total.values.all.ssim, total.values.all.psnr);
    if (below.empty())
        return exit_fine;
    std::cerr << "iqa: " << one_line(options.test) << ": " << below << '\n';
    return exit_below_threshold;
}

} // namespace iqa_tool
