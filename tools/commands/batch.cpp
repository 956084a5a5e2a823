// SPDX-License-Identifier: MIT
#include "commands/batch.hpp"

#include "commands/commands.hpp"
#include "measuring/report.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>
#include <optional>

namespace iqa_tool {

namespace {

// Decodes a pair and measures it.
void measure_pair(const batch_options &options, measurer &meter, pair_result &result)
{
    const std::string test_path = options.test_folder + "/" + result.names.test;
    const auto read = [&options](const std::string &path) {
        return read_picture(path, blame(path, [&] { return open_regular_file(path); }), options.chosen);
    };
    const image reference = read(options.reference_folder + "/" + result.names.reference);
    const image test = read(test_path);
    blame(test_path, [&] {
        check_comparable(reference, test, options.chosen);
        result.values = meter.measure(reference, test);
    });
    result.shape = reference.shape;
    result.dtype = dtype_name(reference.dtype);
}

// Measures all pairs, each thread with one pair in memory at a time.
void measure_all(const batch_options &options, batch_report &report, std::optional<csv_writer<pair_result>> &csv)
{
    const pair_crew crew(options.chosen.context, report.results.size());
    settings chosen = options.chosen;
    chosen.context.threads = crew.threads_each;
    chosen.context.progress = stop_when_interrupted;
    std::vector<std::unique_ptr<measurer>> meters;
    for (std::size_t worker = 0; worker < crew.workers; ++worker)
        meters.push_back(std::make_unique<measurer>(chosen));
    run_with_progress<pair_result>(report, crew.workers, csv, [&](std::size_t worker, pair_result &result) {
        measure_pair(options, *meters[worker], result);
    });
    for (std::size_t worker = 1; worker < meters.size(); ++worker)
        meters[0]->merge(*meters[worker]);
    if (!meters.empty())
        report.total = meters[0]->total();
}

// Lists the pairs below a threshold; returns whether there are any.
bool list_below_threshold(const batch_options &options, const batch_report &report)
{
    bool any = false;
    for (const pair_result &result : report.results) {
        if (result.outcome != pair_result::state::measured)
            continue;
        const std::string below = below_threshold_text(options.chosen, result.values.ssim, result.values.psnr);
        if (!below.empty())
            std::cerr << "iqa: " << one_line(options.test_folder + "/" + result.names.test + ": " + below) << '\n';
        any = any || !below.empty();
    }
    return any;
}

int exit_code_of(const batch_options &options, const batch_report &report, bool below_threshold)
{
    if (report.interrupted)
        return exit_code_of_interrupt();
    if (report.count(pair_result::state::failed) > 0 || (report.unmatched() > 0 && !options.ignore_unmatched))
        return exit_error;
    return below_threshold ? exit_below_threshold : exit_fine;
}

int run(batch_options options)
{
    if (options.csv_path == "-" && options.json_path == "-")
        throw std::runtime_error("--csv and --json cannot both go to the standard output");
    read_mask(options.chosen);
    batch_report report(pair_files(list_files(options.reference_folder, options.recursive, picture_endings),
                                   list_files(options.test_folder, options.recursive, picture_endings)));
    const iqa::context context(options.chosen.context);

    std::optional<csv_writer<pair_result>> csv;
    std::optional<output_file> json;
    if (!options.csv_path.empty())
        csv.emplace(options.csv_path, csv_header, write_csv_row);
    if (!options.json_path.empty())
        json.emplace(options.json_path);
    measure_all(options, report, csv);
    if (json) {
        write_batch_json(json->stream(), options, report, context);
        json->finish();
    }
    report.list_problems(options.reference_folder, options.test_folder);
    const bool below_threshold = list_below_threshold(options, report);
    const bool stdout_is_taken = options.csv_path == "-" || options.json_path == "-";
    print_summary(stdout_is_taken ? std::cerr : std::cout, options, report);
    if (report.interrupted)
        std::cerr << "iqa: interrupted\n";
    if (report.results.empty())
        throw file_error(options.reference_folder, report.text_of_nothing("picture", options.test_folder));
    return exit_code_of(options, report, below_threshold);
}

} // namespace

command_function add_batch(CLI::App &command)
{
    const auto options = std::make_shared<batch_options>();
    command.add_option("REFDIR", options->reference_folder, "The folder of reference pictures")->required();
    command.add_option("TESTDIR", options->test_folder, "The folder of pictures to judge")->required();
    command.add_option("--csv", options->csv_path, "Write a line for every pair; - is the standard output")
        ->type_name("FILE");
    command.add_option("--json", options->json_path, "Write every pair and the summary; - is the standard output")
        ->type_name("FILE");
    command.add_flag("-r,--recursive", options->recursive, "Also the folders inside, paired by relative path");
    command.add_flag("--ignore-unmatched", options->ignore_unmatched, "Files without a partner are no error");
    command.add_option("--worst", options->worst, "How many of the worst pairs to show")
        ->type_name("COUNT")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    add_metric_options(command, options->chosen);
    command.footer(
        "Pairs files of equal names, then files whose names are equal but for the extension (a.png, a.jpg).\n"
        "Considered are names that end in .png .jpg .jpeg .tif .tiff .pnm .pbm .pgm .ppm .pfm .npy.\n"
        "--fail-under applies to every pair. Ctrl-C stops and writes what is done.");
    return [options] {
        return run(*options);
    };
}

} // namespace iqa_tool
