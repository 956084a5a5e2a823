// SPDX-License-Identifier: MIT
#include "batch.hpp"

#include "commands.hpp"
#include "file_error.hpp"
#include "number.hpp"
#include "progress.hpp"
#include "report.hpp"

#include <CLI/CLI.hpp>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

namespace iqa_tool {

namespace {

static_assert(std::atomic<bool>::is_always_lock_free); // it is set by a signal handler

extern "C" void on_interrupt(int)
{
    interrupted = true;
}

/** While it lives, Ctrl-C sets a flag; a second Ctrl-C ends the program as usual. */
class interrupt_guard {
public:
    interrupt_guard()
    {
        struct sigaction action {};
        action.sa_handler = on_interrupt;
        action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
        sigaction(SIGINT, &action, &before_interrupt_);
        sigaction(SIGTERM, &action, &before_terminate_);
    }
    interrupt_guard(const interrupt_guard &) = delete;
    interrupt_guard &operator=(const interrupt_guard &) = delete;
    ~interrupt_guard()
    {
        sigaction(SIGINT, &before_interrupt_, nullptr);
        sigaction(SIGTERM, &before_terminate_, nullptr);
    }

private:
    struct sigaction before_interrupt_ {};
    struct sigaction before_terminate_ {};
};

/** A file to write, or the standard output for "-". */
class output_file {
public:
    explicit output_file(const std::string &path) : path_(path)
    {
        if (path != "-") {
            file_.open(path, std::ios::binary);
            if (!file_)
                throw file_error(path, std::string("cannot be written: ") + std::strerror(errno));
        }
    }

    std::ostream &stream() { return path_ == "-" ? std::cout : file_; }

    void finish()
    {
        if (!stream().flush())
            throw file_error(path_, "cannot be written");
    }

private:
    std::string path_;
    std::ofstream file_;
};

/** Writes rows in the order of the pairs as soon as all before them are done. */
class csv_writer {
public:
    explicit csv_writer(const std::string &path) : file_(path) { write_csv_header(file_.stream()); }

    void write_ready(const std::vector<pair_result> &results)
    {
        const std::size_t before = next_;
        while (next_ < results.size() && results[next_].outcome != pair_result::state::pending)
            write_csv_row(file_.stream(), results[next_++]);
        if (next_ != before)
            file_.finish();
    }

    /** Those that were done behind a pair that an interrupt left out. */
    void write_rest(const std::vector<pair_result> &results)
    {
        for (; next_ < results.size(); ++next_)
            if (results[next_].outcome != pair_result::state::pending)
                write_csv_row(file_.stream(), results[next_]);
        file_.finish();
    }

private:
    output_file file_;
    std::size_t next_ = 0;
};

void list_problems(const batch_options &options, const batch_report &report)
{
    const auto list_lone = [](const std::vector<std::string> &names, const std::string &own, const std::string &other) {
        for (const std::string &name : names)
            std::cerr << "iqa: " << one_line(own + "/" + name + ": has no partner in " + other) << '\n';
    };
    list_lone(report.lone_references, options.reference_folder, options.test_folder);
    list_lone(report.lone_tests, options.test_folder, options.reference_folder);
    for (const pair_result &result : report.results)
        if (result.outcome == pair_result::state::failed)
            std::cerr << "iqa: " << result.error << '\n';
}

/** Lists the pairs below a threshold; returns whether there are any. */
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
        return exit_interrupted;
    const bool unmatched = !report.lone_references.empty() || !report.lone_tests.empty();
    if (report.count(pair_result::state::failed) > 0 || (unmatched && !options.ignore_unmatched))
        return exit_error;
    return below_threshold ? exit_below_threshold : exit_fine;
}

int run(batch_options options)
{
    if (options.csv_path == "-" && options.json_path == "-")
        throw std::runtime_error("--csv and --json cannot both go to the standard output");
    read_mask(options.chosen);
    pairing found = pair_files(list_pictures(options.reference_folder, options.recursive),
                               list_pictures(options.test_folder, options.recursive));
    batch_report report;
    report.lone_references = std::move(found.lone_references);
    report.lone_tests = std::move(found.lone_tests);
    for (file_pair &names : found.pairs)
        report.results.push_back({.names = std::move(names)});
    const iqa::context context(options.chosen.context);

    std::optional<csv_writer> csv;
    std::optional<output_file> json;
    if (!options.csv_path.empty())
        csv.emplace(options.csv_path);
    if (!options.json_path.empty())
        json.emplace(options.json_path);
    {
        const interrupt_guard guard;
        progress_bar bar(report.results.size());
        run_batch(options, report.results, report.total,
                  [&](const std::vector<pair_result> &results, std::size_t done) {
                      if (csv)
                          csv->write_ready(results);
                      bar.show(done);
                  });
        report.interrupted = interrupted;
    }
    if (csv)
        csv->write_rest(report.results);
    if (json) {
        write_batch_json(json->stream(), options, report, context);
        json->finish();
    }
    list_problems(options, report);
    const bool below_threshold = list_below_threshold(options, report);
    const bool stdout_is_taken = options.csv_path == "-" || options.json_path == "-";
    print_summary(stdout_is_taken ? std::cerr : std::cout, options, report);
    if (report.interrupted)
        std::cerr << "iqa: interrupted\n";
    if (report.results.empty())
        throw file_error(options.reference_folder, "no picture has a partner in " + options.test_folder);
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
