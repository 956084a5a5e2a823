// SPDX-License-Identifier: MIT
#include "commands/segment.hpp"

#include "commands/commands.hpp"
#include "files/label_names.hpp"
#include "options/options.hpp"
#include "options/parsed_option.hpp"

#include <algorithm>
#include <memory>

namespace iqa_tool {

namespace {

// The options about classes. They may come in any order, so names are resolved after all are read.
struct stated_classes {
    std::optional<int32_t> classes;
    std::string names_path;
    std::vector<std::string> excluded;
};

struct segment_command {
    segment_options options;
    stated_classes stated;
};

const choices<int32_t> matrix_fields = {{"row", IQA_FIELD_CONFUSION_MATRIX_BY_ROW},
                                        {"column", IQA_FIELD_CONFUSION_MATRIX_BY_COLUMN},
                                        {"all", IQA_FIELD_CONFUSION_MATRIX_BY_ALL},
                                        {"none", IQA_FIELD_CONFUSION_MATRIX}};

constexpr int32_t shown_averages[] = {IQA_AVERAGE_MACRO, IQA_AVERAGE_MICRO, IQA_AVERAGE_WEIGHTED, IQA_AVERAGE_PAIRS};

library_option out_of_range_option(label_rules &rules)
{
    return option_of(described("confusion", "out_of_range"), &rules.counting);
}

// The options of the reading, without those that label maps do not need or that have a form of their own.
std::vector<library_option> reading_options(label_rules &rules)
{
    return options_but({"average", "generalized_weights", "beta"}, "confusion_reading", &rules.reading);
}

// The parts of "a,b".
std::vector<std::string> parts_of(const std::string &text)
{
    return CLI::detail::split(text, ',');
}

void resolve_classes(const stated_classes &stated, label_rules &rules)
{
    if (!stated.classes && stated.names_path.empty())
        throw std::runtime_error("state the number of classes: --classes, or --names with their names");
    if (!stated.names_path.empty())
        rules.names = read_class_names(stated.names_path, rules.ignored);
    const std::size_t classes = stated.classes ? static_cast<std::size_t>(*stated.classes) : rules.names.size();
    if (rules.names.size() > classes)
        throw file_error(stated.names_path, "has a name for the class " + std::to_string(rules.names.size() - 1) +
                                                ", but --classes is " + std::to_string(classes));
    rules.names.resize(classes);
    for (const std::string &text : stated.excluded) {
        rules.excluded.resize(classes);
        rules.excluded[static_cast<std::size_t>(find_class("--exclude", text, rules.names))] = 1;
    }
}

void resolve_reading(label_rules &rules)
{
    iqa_confusion_reading &reading = rules.reading;
    if (!rules.excluded.empty()) {
        reading.excluded = rules.excluded.data();
        reading.excluded_count = rules.classes();
    }
    if (rules.averages.empty() && reading.average != IQA_AVERAGE_UNSTATED)
        rules.averages = {reading.average};
    if (rules.averages.empty())
        rules.averages = {IQA_AVERAGE_MACRO, IQA_AVERAGE_MICRO, IQA_AVERAGE_WEIGHTED};
}

// Decodes a pair and counts it.
void count_pair(const segment_options &options, label_counter &counter, segment_result &result)
{
    const std::string reference_path =
        options.are_folders ? options.reference + "/" + result.names.reference : options.reference;
    const std::string prediction_path =
        options.are_folders ? options.prediction + "/" + result.names.test : options.prediction;
    const auto read = [&](const std::string &path) {
        return blame(path, [&] { return read_image(open_regular_file(path), options.decode); });
    };
    const image reference = read(reference_path);
    const image prediction = read(prediction_path);
    blame(prediction_path, [&] { check_sizes(reference, prediction); });
    try {
        result.scores = counter.count(reference, prediction);
    } catch (const iqa::error &problem) {
        if (problem.status() != IQA_ERROR_NUMERIC)
            throw file_error(prediction_path, text_of(problem));
        const outside_label found = find_outside(options.rules, reference, prediction);
        throw file_error(found.in_reference ? reference_path : prediction_path, found.text(options.rules));
    }
    result.height = reference.height();
    result.width = reference.width();
}

pairing find_pairs(segment_options &options)
{
    options.are_folders = is_folder(options.prediction);
    if (options.are_folders != is_folder(options.reference))
        throw file_error(options.reference, (options.are_folders ? "is no folder, but " : "is a folder, but ") +
                                                options.prediction + (options.are_folders ? " is one" : " is none"));
    if (!options.are_folders)
        return {
            .pairs = {{options.reference, options.prediction}}, .lone_references = {}, .lone_tests = {}, .others = {}};
    return pair_files(list_files(options.reference, options.recursive, {".png"}),
                      list_files(options.prediction, options.recursive, {".png"}));
}

// Counts all pairs, each thread with one pair in memory at a time; the first counter has all of them at the end.
std::vector<std::unique_ptr<label_counter>> count_all(const segment_options &options, segment_report &report,
                                                      std::optional<csv_writer<segment_result>> &csv)
{
    const pair_crew crew(options.context, report.results.size());
    iqa_context_options context = options.context;
    context.threads = crew.threads_each;
    context.progress = stop_when_interrupted;
    std::vector<std::unique_ptr<label_counter>> counters;
    for (std::size_t worker = 0; worker < crew.workers; ++worker)
        counters.push_back(std::make_unique<label_counter>(options.rules, context));
    run_with_progress<segment_result>(report, crew.workers, csv, [&](std::size_t worker, segment_result &result) {
        count_pair(options, *counters[worker], result);
    });
    for (std::size_t worker = 1; worker < counters.size(); ++worker)
        counters[0]->merge(*counters[worker]);
    return counters;
}

int exit_code_of(const segment_options &options, const segment_report &report)
{
    if (report.interrupted)
        return exit_code_of_interrupt();
    const bool bad =
        report.count(pair_outcome::state::failed) > 0 || (report.unmatched() > 0 && !options.ignore_unmatched);
    return bad ? exit_error : exit_fine;
}

int run(segment_options &options)
{
    if (options.csv_path == "-" && options.json_path == "-")
        throw std::runtime_error("--csv and --json cannot both go to the standard output");
    if (!options.matrix_path.empty() && !options.rules.has_matrix())
        throw std::runtime_error("--matrix: " + std::to_string(options.rules.classes()) + " classes are too many; " +
                                 std::to_string(label_rules::most_classes_of_matrix) + " are the most");
    segment_report report(find_pairs(options));
    if (report.results.empty()) {
        report.list_problems(options.reference, options.prediction);
        throw file_error(options.prediction, report.text_of_nothing("PNG file", options.reference));
    }
    std::optional<csv_writer<segment_result>> csv;
    std::optional<output_file> json;
    if (!options.csv_path.empty())
        csv.emplace(options.csv_path, segment_csv_header, write_segment_row);
    if (!options.json_path.empty())
        json.emplace(options.json_path);
    const std::vector<std::unique_ptr<label_counter>> counters = count_all(options, report, csv);
    if (!options.are_folders && !report.results.front().error.empty())
        throw std::runtime_error(report.results.front().error);

    const iqa::metric *total = report.count(pair_outcome::state::measured) > 0 ? &counters.front()->total() : nullptr;
    if (json) {
        write_segment_json(json->stream(), options, report, total, iqa::context(options.context));
        json->finish();
    }
    if (total != nullptr && !options.matrix_path.empty())
        write_matrix(options, *total);
    report.list_problems(options.reference, options.prediction);
    const bool stdout_is_taken = options.csv_path == "-" || options.json_path == "-";
    print_segment(stdout_is_taken ? std::cerr : std::cout, options, report, total);
    if (report.interrupted)
        std::cerr << "iqa: interrupted\n";
    return exit_code_of(options, report);
}

void add_label_options(CLI::App &command, segment_command &target)
{
    stated_classes &stated = target.stated;
    label_rules &rules = target.options.rules;
    std::vector<CLI::Option *> added;
    added.push_back(add_number<int32_t>(
        command, "--classes", "", "How many classes there are: labels are 0 to COUNT - 1. Needed without --names",
        [&stated](int32_t value) {
            if (value < 1 || value > 65536)
                throw CLI::ValidationError("--classes", "must be from 1 to 65536");
            stated.classes = value;
        },
        "COUNT"));
    added.push_back(command
                        .add_option("--names", stated.names_path,
                                    "The names of the classes: one on each line, or lines of CSV \"id,name\"")
                        ->type_name("FILE"));
    added.push_back(add_number<int64_t>(
        command, "--ignore", "", "Leave pixels out whose reference has this label, which may be outside the classes",
        [&rules](int64_t value) { rules.ignored = value; }, "LABEL"));
    added.push_back(add_library_option(command, out_of_range_option(rules)));
    for (CLI::Option *option : added)
        option->group("Labels");
    add_file_options(command, target.options.decode, "Labels");
}

// The library's conventions for label maps.
choices<int32_t> presets()
{
    choices<int32_t> found;
    const iqa_option_info info = described("confusion_reading", "preset");
    for (int32_t i = 0; i < info.word_count; ++i)
        if (const auto preset = static_cast<int32_t>(info.words[i].value);
            preset != IQA_CONVENTION_TORCHMETRICS_MULTILABEL)
            found.push_back({shown_word(info.words[i]), preset});
    return found;
}

void add_score_options(CLI::App &command, segment_command &target)
{
    stated_classes &stated = target.stated;
    label_rules &rules = target.options.rules;
    // A preset sets every field, so it comes before the options that change single fields.
    add_choice<int32_t>(
        command, "--preset", presets(), "",
        "The rules of a tool for averages, empty classes and 0 / 0; other options come on top",
        [&rules](int32_t preset) { iqa_confusion_reading_preset(&rules.reading, sizeof rules.reading, preset); })
        ->group("Scores");
    add_parsed(command, "--average", "macro|micro|weighted|pairs,...", "macro,micro,weighted",
               "The averages over classes to show; the first one is that of the headline numbers and of --csv. pairs: "
               "over all pairs of a file and a class",
               [&rules](const std::string &text) {
                   for (const std::string &part : parts_of(text)) {
                       const auto known =
                           std::find_if(std::begin(shown_averages), std::end(shown_averages), [&](int32_t average) {
                               return is_same_word(part, word_of("confusion_reading", "average", average));
                           });
                       if (known == std::end(shown_averages))
                           return false;
                       rules.averages.push_back(*known);
                   }
                   return true;
               })
        ->group("Scores");
    add_library_options(command, reading_options(rules), "Scores");
    command.get_option("--over")->description("Scores of all pixels together, or means of each file's scores");
    add_parsed(command, "--exclude", "CLASS,...", "",
               "Leave classes, by number or name, out of averages; their pixels stay counted",
               [&stated](const std::string &text) {
                   stated.excluded = parts_of(text);
                   return true;
               })
        ->group("Scores");
}

} // namespace

std::vector<library_option> options_of(label_rules &rules)
{
    std::vector<library_option> options = reading_options(rules);
    options.push_back(out_of_range_option(rules));
    return options;
}

command_function add_segment(CLI::App &command)
{
    const auto target = std::make_shared<segment_command>();
    segment_options &options = target->options;
    command.add_option("PRED", options.prediction, "The predicted label maps: a folder of PNG files, or one file")
        ->required();
    command.add_option("REF", options.reference, "The true ones, with the same names")->required();
    add_label_options(command, *target);
    add_score_options(command, *target);
    command.add_option("--csv", options.csv_path, "Write a line for every pair; - is the standard output")
        ->type_name("FILE");
    command.add_option("--json", options.json_path, "Write everything, every digit; - is the standard output")
        ->type_name("FILE");
    command
        .add_option("--matrix", options.matrix_path,
                    "Write the confusion matrix as a picture (.png) or as numbers (.csv)")
        ->type_name("FILE")
        ->check([](const std::string &path) {
            return path.ends_with(".png") || path.ends_with(".csv") ? ""
                                                                    : "\"" + path + "\" does not end with .png or .csv";
        });
    add_choice(command, "--normalise", options.matrix_field, matrix_fields,
               "What --matrix divides by: the sum of the row, the reference's class; of the column, the prediction's; "
               "of all; or nothing");
    command.add_flag("-r,--recursive", options.recursive, "Also the folders inside, paired by relative path");
    command.add_flag("--ignore-unmatched", options.ignore_unmatched, "Files without a partner are no error");
    add_context_options(command, options.context);
    command.footer(
        "Label maps are PNG files with a palette, whose indices are the labels, or grey ones of 1 to 16 bits.\n"
        "Files of equal names in the two folders are pairs. Ctrl-C stops and writes what is done.");
    return [target] {
        resolve_classes(target->stated, target->options.rules);
        resolve_reading(target->options.rules);
        return run(target->options);
    };
}

} // namespace iqa_tool
