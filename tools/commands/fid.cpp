// SPDX-License-Identifier: MIT
#include "commands/fid.hpp"

#include "commands/commands.hpp"
#include "files/interrupt.hpp"
#include "files/number.hpp"
#include "measuring/report.hpp"
#include "options/library_options.hpp"
#include "options/options.hpp"
#include "options/parsed_option.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <iostream>
#include <memory>

namespace iqa_tool {

namespace {

using json = nlohmann::ordered_json;

// Sentences on how a small set biases the value.
std::vector<std::string> warnings_of(const fid_report &report)
{
    std::vector<std::string> warnings;
    const std::string features = std::to_string(report.grid.features);
    for (std::size_t side = 0; side < report.sets.size(); ++side) {
        const fid_set &set = report.sets[side];
        const std::string name = fid_side_names[side];
        if (set.rows && *set.rows <= report.grid.features)
            warnings.push_back("the " + name + " set has " + std::to_string(*set.rows) + " rows for " + features +
                               " features, so its covariance has at most rank " + std::to_string(*set.rows - 1) +
                               " and FID comes out too high, the more so the fewer rows there are. Compare it only "
                               "with values of as many rows, or take more rows than features, better 10000.");
        else if (!set.rows && report.values && report.values->ranks[side] < report.grid.features)
            warnings.push_back("the covariance of the " + name + " set has rank " +
                               fixed(report.values->ranks[side], 0) + " for " + features +
                               " features. If it comes from few rows, FID comes out too high.");
    }
    if (!report.unstated.empty()) {
        const std::size_t more = report.unstated.size() - 1;
        warnings.push_back(report.unstated.front() +
                           (more > 0 ? " and " + std::to_string(more) + " more files do" : " does") +
                           " not state where the features come from. FID is right if it is " + report.origin.text() +
                           ", as of the others.");
    }
    return warnings;
}

std::string spaced(std::string name)
{
    std::replace(name.begin(), name.end(), '_', ' ');
    return name;
}

// Six digits after the point; a small number, as small features give, has an exponent.
std::string six_digits(double value)
{
    if (value == 0 || std::fabs(value) >= 0.001)
        return fixed(value, 6);
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, 6).ptr};
}

json set_as_json(const fid_set &set)
{
    json object;
    object["rows"] = set.rows ? json(*set.rows) : json(nullptr); // unknown for mean and covariance
    if (set.pictures > 0)
        object["pictures"] = set.pictures;
    object["files"] = json::array();
    for (const feature_file &file : set.files) {
        if (file.kind == feature_kind::picture)
            continue;
        json entry = {{"file", file.path}, {"format", file.format}};
        for (const feature_table &table : file.tables)
            entry["arrays"].push_back({{"name", table.array},
                                       {"rows", table.rows()},
                                       {"dtype", dtype_name(table.header.dtype)},
                                       {"fortran_order", table.header.is_fortran_order}});
        object["files"].push_back(std::move(entry));
    }
    return object;
}

void print_json(const fid_options &options, const fid_report &report)
{
    json object;
    object["library"] = library_as_json(iqa::context(options.context));
    if (report.values) {
        const fid_values &values = *report.values;
        object["fid"] = values.value;
        object["raw"] = values.raw;
        object["mean_term"] = values.mean_term;
        object["trace_term"] = values.trace_term;
    }
    object["features"] = report.grid.features;
    for (std::size_t side = 0; side < report.sets.size(); ++side) {
        if (!report.sets[side].is_given())
            continue;
        json set = set_as_json(report.sets[side]);
        if (report.values) {
            set["rank"] = static_cast<int64_t>(report.values->ranks[side]);
            set["trace"] = report.values->traces[side];
        }
        object[fid_side_names[side]] = std::move(set);
    }
    object["options"] = {{"fraction_bits", report.grid.fraction_bits}, {"word_bits", report.grid.word_bits}};
    set_metric_options of_others = options.of_others;
    for (const auto &[metric, values] : report.others) {
        for (const named_value &value : values)
            object[metric->name][value.name] = value.value;
        for (const std::string_view name : metric->options)
            put_value(object["options"], option_of(described(metric->kind, name), metric->structure(of_others)));
    }
    if (report.origin.is_stated())
        object["network"] = report.origin.as_json();
    if (!options.weights_path.empty())
        object["refused"] = report.refused;
    object["warnings"] = warnings_of(report);
    write_json(std::cout, object);
}

void print_text(const fid_report &report)
{
    const auto print_line = [](std::string name, std::string first, const std::string &second) {
        name.resize(std::max<std::size_t>(name.size() + 2, 14), ' ');
        first.resize(second.empty() ? first.size() : std::max<std::size_t>(first.size() + 2, 16), ' ');
        std::cout << name << first << second << '\n';
    };
    const bool both = report.values.has_value();
    const auto print_row = [&](const std::string &name, const auto &text_of) {
        print_line(name, text_of(0), both ? text_of(1) : "");
    };
    if (both)
        std::cout << "FID  " << six_digits(report.values->value) << "\n\n";
    print_row("", [](std::size_t side) { return std::string(fid_side_names[side]); });
    print_row("rows", [&](std::size_t side) {
        const std::optional<int64_t> rows = report.sets[side].rows;
        return rows ? std::to_string(*rows) : "unknown";
    });
    if (both) {
        const fid_values &values = *report.values;
        print_row("rank", [&](std::size_t side) {
            return fixed(values.ranks[side], 0) + " of " + std::to_string(report.grid.features);
        });
        print_row("trace", [&](std::size_t side) { return six_digits(values.traces[side]); });
        print_line("mean term", six_digits(values.mean_term), "");
        print_line("trace term", six_digits(values.trace_term), "");
    } else {
        print_line("features", std::to_string(report.grid.features), "");
    }
    for (const auto &[metric, values] : report.others)
        for (const named_value &value : values)
            print_line(std::string(metric->title) + " " + spaced(value.name), six_digits(value.value), "");
    if (report.origin.is_stated()) {
        const json origin = report.origin.as_json();
        for (const auto &[name, word] : origin.items())
            print_line(name, word.get<std::string>(), "");
    }
    for (const std::string &warning : warnings_of(report))
        std::cout << "\nwarning: " << warning << '\n';
}

int run(const fid_options &options)
{
    if (options.paths[IQA_FID_REFERENCE].empty())
        throw std::runtime_error("state two sets: REAL GENERATED, or --reference FILE ... --candidate FILE ...");
    const bool compares = options.wants_fid || std::any_of(options.others.begin(), options.others.end(),
                                                           [](const set_metric *metric) { return metric->is_of_both; });
    if (options.paths[IQA_FID_CANDIDATE].empty() && options.stats_path.empty() && options.features_path.empty() &&
        compares)
        throw std::runtime_error("state a second set to compare with, or --stats-out to keep what is known of one");
    for (const auto &[name, is_stated] : {std::pair{"--recursive", options.recursive},
                                          {"--resume", !options.resume_path.empty()},
                                          {"--features-out", !options.features_path.empty()},
                                          {"--metrics with others than fid", !options.others.empty()}})
        if (options.weights_path.empty() && is_stated)
            throw std::runtime_error(std::string(name) + " is of folders of pictures, which need --weights");
    for (const auto &[name, path] :
         {std::pair{"--stats-out", options.stats_path}, {"--features-out", options.features_path}})
        if (path == "-")
            throw std::runtime_error(std::string(name) + " needs a file; the standard output has the text");
    const fid_report report = run_fid(options);
    if (report.left) {
        std::cerr << "iqa: interrupted; " << *report.left << " pictures are left, and the same command goes on with "
                  << options.resume_path << '\n';
        return exit_code_of_interrupt();
    }
    if (options.as_json)
        print_json(options, report);
    else
        print_text(report);
    for (const std::string &problem : report.refused)
        std::cerr << "iqa: " << problem << '\n';
    if (!report.refused.empty())
        std::cerr << "iqa: " << report.refused.size() << " pictures were left out\n";
    return report.refused.empty() ? exit_fine : exit_error;
}

void add_sets(CLI::App &command, fid_options &options)
{
    constexpr const char *positional[2] = {"REAL", "GENERATED"};
    constexpr const char *helps[2] = {"Features of real pictures: a file, or a folder of files",
                                      "Features of the pictures to judge; may be left out with --stats-out"};
    for (std::size_t side = 0; side < 2; ++side) {
        CLI::Option *one = command.add_option_function<std::string>(
            positional[side], [&options, side](const std::string &path) { options.paths[side] = {path}; }, helps[side]);
        command
            .add_option("--" + std::string(fid_side_names[side]), options.paths[side],
                        std::string("The same as ") + positional[side] + ", of several files or folders")
            ->type_name("FILE ...")
            ->excludes(one);
    }
}

// --metrics and the options of those beside FID. An option that several have is one.
void add_metrics(CLI::App &command, fid_options &options)
{
    std::string names = "fid";
    std::vector<library_option> shared;
    for (const set_metric &metric : set_metrics()) {
        names += std::string("|") + metric.name;
        for (const std::string_view name : metric.options) {
            const library_option option = option_of(described(metric.kind, name), metric.structure(options.of_others));
            const auto same = std::find_if(shared.begin(), shared.end(), [&](const library_option &other) {
                return std::string_view(other.info.name) == name;
            });
            if (same == shared.end())
                shared.push_back(option);
            else
                same->fields.push_back(option.fields.front());
        }
    }
    add_parsed(command, "--metrics", names, "fid",
               "What is measured, with commas between; others than fid need pictures and keep every row of features in "
               "memory",
               [&options](const std::string &text) {
                   options.wants_fid = false;
                   options.others.clear();
                   for (const std::string &name : CLI::detail::split(text, ',')) {
                       const std::span<const set_metric> all = set_metrics();
                       const auto found = std::find_if(all.begin(), all.end(), [&](const set_metric &metric) {
                           return is_same_word(metric.name, name);
                       });
                       if (found != all.end())
                           options.others.push_back(&*found);
                       else if (is_same_word("fid", name))
                           options.wants_fid = true;
                       else
                           return false;
                   }
                   return true;
               });
    for (const library_option &option : shared)
        add_library_option(command, option);
}

} // namespace

command_function add_fid(CLI::App &command)
{
    const auto options = std::make_shared<fid_options>();
    add_sets(command, *options);
    command.add_flag("--json", options->as_json, "Write JSON with every digit");
    command
        .add_option("--stats-out", options->stats_path,
                    "Keep what is known of the reference set, to be read instead of its features: mean and covariance "
                    "as other programs read them (.npz), or the exact sums (any other name)")
        ->type_name("FILE");
    command
        .add_option("--weights", options->weights_path,
                    "Files and folders hold pictures; features are made by FID's Inception v3 with these weights, "
                    "which python -m iqa.weights converts")
        ->type_name("FILE.safetensors");
    add_library_option(command, option_of(described("network", "resize"), &options->network));
    options->layer.layer = IQA_LAYER_2048;
    add_library_option(command, option_of(described("fid", "layer"), &options->layer))->default_str("2048");
    add_library_option(command, option_of(described("network", "at_once"), &options->network));
    add_metrics(command, *options);
    command
        .add_option("--features-out", options->features_path,
                    "With --weights: write the features of the reference set's pictures; with --resume all at the end")
        ->type_name("FILE.npy");
    command
        .add_option("--resume", options->resume_path,
                    "With --weights: keep what is measured in a file, every half minute and where the run is "
                    "interrupted; the same command measures only what is not in it yet")
        ->type_name("FILE");
    command.add_flag("-r,--recursive", options->recursive, "With --weights: also pictures in the folders inside");
    add_number<int64_t>(
        command, "--dims", "",
        "The number of features in a row. Needed for raw files, which are float32 numbers and nothing else",
        [options](int64_t value) {
            if (value < 1)
                throw CLI::ValidationError("--dims", "must be 1 or more");
            options->input.dims = value;
        });
    command.add_option("--array", options->input.array, "The array to read of .npz files; otherwise all are rows")
        ->type_name("NAME");
    CLI::Option *fraction_bits =
        add_library_option(command, option_of(described("fid", "fraction_bits"), &options->grid));
    fraction_bits->default_str("24; 16 with 24-bit words");
    CLI::Option *word_bits = add_library_option(command, option_of(described("fid", "word_bits"), &options->grid));
    add_context_options(command, options->context);
    command.footer(
        "Files are .npy or .npz arrays of rows, .npz statistics (mu and sigma) of other FID programs, states "
        "of iqa, or\nraw float32 numbers; of a folder those that end in .npy, .npz or .iqa (with --dims also "
        ".raw, .bin, .f32).\nRows of several files are added exactly: neither their order nor the split "
        "changes a bit.");
    return [options, fraction_bits, word_bits] {
        options->has_fraction_bits = fraction_bits->count() > 0;
        options->has_word_bits = word_bits->count() > 0;
        return run(*options);
    };
}

} // namespace iqa_tool
