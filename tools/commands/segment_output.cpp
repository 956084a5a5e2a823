// SPDX-License-Identifier: MIT
// The output of `iqa segment`: tables, CSV, JSON and the confusion matrix.
#include "commands/segment.hpp"
#include "drawing/confusion_picture.hpp"
#include "files/number.hpp"
#include "measuring/report.hpp"
#include "options/options.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace iqa_tool {

namespace {

using json = nlohmann::ordered_json;

struct named_score {
    const char *name, *title;
    int32_t score;
};

// Scores of one class.
constexpr named_score class_scores[] = {{"iou", "IoU", IQA_SCORE_IOU},
                                        {"dice", "Dice", IQA_SCORE_DICE},
                                        {"precision", "precision", IQA_SCORE_PRECISION},
                                        {"recall", "recall", IQA_SCORE_RECALL},
                                        {"specificity", "specificity", IQA_SCORE_SPECIFICITY}};

// Scores of all classes together.
constexpr named_score common_scores[] = {
    {"balanced_accuracy", "balanced accuracy", IQA_SCORE_BALANCED_ACCURACY},
    {"frequency_weighted_iou", "frequency-weighted IoU", IQA_SCORE_FREQUENCY_WEIGHTED_IOU},
    {"generalized_dice", "generalised Dice", IQA_SCORE_GENERALIZED_DICE}};

// Likewise, only for the pixels of all files.
constexpr named_score agreement_scores[] = {{"kappa", "Cohen's kappa", IQA_SCORE_KAPPA}, {"mcc", "MCC", IQA_SCORE_MCC}};

constexpr std::size_t number_width = 12, title_width = 26;

std::string left(std::string text, std::size_t width)
{
    text.resize(std::max(width, text.size()), ' ');
    return text;
}

std::string right(const std::string &text, std::size_t width)
{
    return std::string(text.size() < width ? width - text.size() : 1, ' ') + text;
}

// Four digits; a dash for a score that is not defined.
std::string score_text(double value)
{
    return std::isnan(value) ? "-" : fixed(value, 4);
}

std::string average_name(int32_t average)
{
    return word_of("confusion_reading", "average", average);
}

int64_t count_of(const iqa::metric &total, int32_t field)
{
    return static_cast<int64_t>(total.read(field));
}

// All scores of all pairs.
class scores {
public:
    scores(const label_rules &rules, const iqa::metric &total)
        : rules_(rules),
          total_(total),
          support_(total.read_all(IQA_FIELD_CONFUSION_SUPPORT)),
          presence_(total.read_all(IQA_FIELD_CONFUSION_PRESENCE))
    {
        const iqa_confusion_reading by_class = rules.with(IQA_AVERAGE_NONE);
        for (const named_score &score : class_scores)
            of_classes_.push_back(total.score(score.score, &by_class));
    }

    double averaged(int32_t score, int32_t average) const
    {
        const iqa_confusion_reading reading = rules_.with(average);
        return total_.score(score, &reading).front();
    }

    double common(int32_t score) const { return averaged(score, IQA_AVERAGE_MICRO); }

    double agreement(int32_t score) const
    {
        iqa_confusion_reading reading = rules_.reading;
        reading.over = IQA_OVER_ELEMENTS;
        return total_.score(score, &reading).front();
    }

    // `score` is an index into class_scores.
    double of_class(std::size_t score, std::size_t label) const { return of_classes_[score][label]; }
    double support(std::size_t label) const { return support_[label]; }
    bool occurs(std::size_t label) const { return presence_[label] != 0; }

private:
    const label_rules &rules_;
    const iqa::metric &total_;
    std::vector<double> support_, presence_;
    std::vector<std::vector<double>> of_classes_;
};

bool is_excluded(const label_rules &rules, std::size_t label)
{
    return !rules.excluded.empty() && rules.excluded[label] != 0;
}

// "7 road", or "7" for a class without a name.
std::string class_text(const label_rules &rules, std::size_t label)
{
    const std::string number = std::to_string(label);
    const std::size_t width = std::to_string(rules.names.size() - 1).size();
    return right(number, width).substr(number.size() < width ? 0 : 1) + (rules.names[label].empty() ? "" : " ") +
           one_line(rules.names[label]);
}

void print_classes(std::ostream &out, const label_rules &rules, const scores &found)
{
    std::vector<std::string> titles;
    std::size_t absent = 0, width = title_width;
    for (std::size_t label = 0; label < rules.names.size(); ++label) {
        titles.push_back(class_text(rules, label) + (is_excluded(rules, label) ? " (excluded)" : ""));
        absent += !found.occurs(label);
        if (found.occurs(label))
            width = std::max(width, titles.back().size());
    }
    out << left("class", width) << right("support", number_width);
    for (const named_score &score : class_scores)
        out << right(score.title, number_width);
    out << '\n';
    for (std::size_t label = 0; label < rules.names.size(); ++label) {
        if (!found.occurs(label))
            continue;
        out << left(titles[label], width) << right(fixed(found.support(label), 0), number_width);
        for (std::size_t score = 0; score < std::size(class_scores); ++score)
            out << right(score_text(found.of_class(score, label)), number_width);
        out << '\n';
    }
    for (const int32_t average : rules.averages) {
        out << left(average_name(average), width) << right("", number_width);
        for (const named_score &score : class_scores)
            out << right(score_text(found.averaged(score.score, average)), number_width);
        out << '\n';
    }
    if (absent > 0)
        out << absent << (absent == 1 ? " class occurs" : " classes occur") << " nowhere\n";
}

void print_totals(std::ostream &out, const label_rules &rules, const scores &found)
{
    const auto print = [&out](const std::string &title, double value) {
        out << left(title, title_width) << score_text(value) << '\n';
    };
    const int32_t average = rules.averages.front();
    const std::string suffix = " (" + average_name(average) + ")";
    print("accuracy", found.common(IQA_SCORE_ACCURACY));
    print("mean IoU" + suffix, found.averaged(IQA_SCORE_IOU, average));
    print("mean Dice" + suffix, found.averaged(IQA_SCORE_DICE, average));
    for (const named_score &score : common_scores)
        print(score.title, found.common(score.score));
    for (const named_score &score : agreement_scores)
        print(score.title, found.agreement(score.score));
}

json rules_as_json(label_rules rules)
{
    json object;
    object["classes"] = rules.classes();
    object["ignore"] = nullptr;
    if (rules.ignored)
        object["ignore"] = *rules.ignored;
    object["average"] = json::array();
    for (const int32_t average : rules.averages)
        object["average"].push_back(average_name(average));
    for (const library_option &option : options_of(rules))
        put_value(object, option);
    object["excluded"] = json::array();
    for (std::size_t label = 0; label < rules.names.size(); ++label)
        if (is_excluded(rules, label))
            object["excluded"].push_back(label);
    return object;
}

json scores_as_json(const label_rules &rules, const scores &found)
{
    json object;
    const int32_t average = rules.averages.front();
    object["accuracy"] = found.common(IQA_SCORE_ACCURACY);
    object["mean_iou"] = found.averaged(IQA_SCORE_IOU, average);
    object["mean_dice"] = found.averaged(IQA_SCORE_DICE, average);
    for (const named_score &score : common_scores)
        object[score.name] = found.common(score.score);
    for (const named_score &score : agreement_scores)
        object[score.name] = found.agreement(score.score);
    return object;
}

json averages_as_json(const label_rules &rules, const scores &found)
{
    json object;
    for (const int32_t average : rules.averages)
        for (const named_score &score : class_scores)
            object[average_name(average)][score.name] = found.averaged(score.score, average);
    return object;
}

json classes_as_json(const label_rules &rules, const iqa::metric &total, const scores &found)
{
    constexpr std::pair<const char *, int32_t> counts[] = {{"true_positives", IQA_FIELD_CONFUSION_TRUE_POSITIVES},
                                                           {"false_positives", IQA_FIELD_CONFUSION_FALSE_POSITIVES},
                                                           {"false_negatives", IQA_FIELD_CONFUSION_FALSE_NEGATIVES},
                                                           {"true_negatives", IQA_FIELD_CONFUSION_TRUE_NEGATIVES}};
    json list = json::array();
    for (std::size_t label = 0; label < rules.names.size(); ++label) {
        list.push_back({{"id", label}, {"name", rules.names[label]}});
        list.back()["support"] = static_cast<int64_t>(found.support(label));
    }
    for (const auto &[name, field] : counts) {
        const std::vector<double> values = total.read_all(field);
        for (std::size_t label = 0; label < values.size(); ++label)
            list[label][name] = static_cast<int64_t>(values[label]);
    }
    for (std::size_t score = 0; score < std::size(class_scores); ++score)
        for (std::size_t label = 0; label < rules.names.size(); ++label)
            list[label][class_scores[score].name] = found.of_class(score, label);
    return list;
}

json matrix_as_json(const label_rules &rules, const iqa::metric &total)
{
    if (!rules.has_matrix())
        return nullptr;
    const std::vector<double> counts = total.read_all(IQA_FIELD_CONFUSION_MATRIX);
    json rows = json::array();
    for (std::size_t cell = 0; cell < counts.size(); ++cell) {
        if (cell % rules.names.size() == 0)
            rows.push_back(json::array());
        rows.back().push_back(static_cast<int64_t>(counts[cell]));
    }
    return rows;
}

json names_as_json(const file_pair &names)
{
    return {{"prediction", names.test}, {"reference", names.reference}};
}

json pair_as_json(const segment_result &result)
{
    json object = names_as_json(result.names);
    object["height"] = result.height;
    object["width"] = result.width;
    object["pixels"] = result.scores.pixels;
    object["ignored"] = result.scores.ignored;
    object["invalid"] = result.scores.invalid;
    object["accuracy"] = result.scores.accuracy;
    object["mean_iou"] = result.scores.iou;
    object["mean_dice"] = result.scores.dice;
    return object;
}

void write_matrix_numbers(std::ostream &out, const label_rules &rules, const std::vector<double> &values)
{
    const auto title = [&rules](std::size_t label) {
        return csv_field(rules.names[label].empty() ? std::to_string(label) : rules.names[label]);
    };
    const std::size_t classes = rules.names.size();
    out << "reference";
    for (std::size_t label = 0; label < classes; ++label)
        out << ',' << title(label);
    for (std::size_t cell = 0; cell < values.size(); ++cell)
        out << (cell % classes == 0 ? "\n" + title(cell / classes) : "") << ',' << shortest(values[cell]);
    out << '\n';
}

} // namespace

const char *const segment_csv_header =
    "prediction,reference,height,width,pixels,ignored,invalid,accuracy,mean_iou,mean_dice,error";

void write_segment_row(std::ostream &out, const segment_result &result)
{
    out << csv_field(result.names.test) << ',' << csv_field(result.names.reference) << ',';
    if (result.outcome == pair_outcome::state::failed) {
        out << ",,,,,,,," << csv_field(result.error) << '\n';
        return;
    }
    for (const int64_t number :
         {result.height, result.width, result.scores.pixels, result.scores.ignored, result.scores.invalid})
        out << std::to_string(number) << ',';
    out << shortest(result.scores.accuracy) << ',' << shortest(result.scores.iou) << ',' << shortest(result.scores.dice)
        << ",\n";
}

void print_segment(std::ostream &out, const segment_options &options, const segment_report &report,
                   const iqa::metric *total)
{
    if (options.are_folders)
        report.print_counts(out);
    if (total == nullptr)
        return;
    out << std::to_string(count_of(*total, IQA_FIELD_CONFUSION_ELEMENTS)) << " pixels, "
        << std::to_string(count_of(*total, IQA_FIELD_CONFUSION_IGNORED)) << " ignored, "
        << std::to_string(count_of(*total, IQA_FIELD_CONFUSION_INVALID)) << " invalid\n";
    if (options.rules.reading.over == IQA_OVER_SAMPLES)
        out << "scores are means of the files' scores\n";
    const scores found(options.rules, *total);
    out << '\n';
    print_classes(out, options.rules, found);
    out << '\n';
    print_totals(out, options.rules, found);
}

void write_segment_json(std::ostream &out, const segment_options &options, const segment_report &report,
                        const iqa::metric *total, const iqa::context &context)
{
    json object;
    object["library"] = library_as_json(context);
    object["prediction"] = options.prediction;
    object["reference"] = options.reference;
    object["interrupted"] = report.interrupted;
    object["summary"] = {{"measured", report.count(pair_outcome::state::measured)},
                         {"failed", report.count(pair_outcome::state::failed)},
                         {"unmatched", report.unmatched()},
                         {"not_done", report.count(pair_outcome::state::pending)}};
    if (total != nullptr) {
        const scores found(options.rules, *total);
        object["summary"].update({{"pixels", count_of(*total, IQA_FIELD_CONFUSION_ELEMENTS)},
                                  {"ignored", count_of(*total, IQA_FIELD_CONFUSION_IGNORED)},
                                  {"invalid", count_of(*total, IQA_FIELD_CONFUSION_INVALID)}});
        object["scores"] = scores_as_json(options.rules, found);
        object["averages"] = averages_as_json(options.rules, found);
        object["classes"] = classes_as_json(options.rules, *total, found);
        object["matrix"] = matrix_as_json(options.rules, *total);
    }
    for (const char *list : {"pairs", "failed"})
        object[list] = json::array();
    for (const segment_result &result : report.results)
        if (result.outcome == pair_outcome::state::measured)
            object["pairs"].push_back(pair_as_json(result));
        else if (result.outcome == pair_outcome::state::failed) {
            object["failed"].push_back(names_as_json(result.names));
            object["failed"].back()["error"] = result.error;
        }
    object["unmatched"] = {{"prediction", report.lone_tests}, {"reference", report.lone_references}};
    object["not_looked_at"] = report.others;
    object["options"] = rules_as_json(options.rules);
    object["options"]["orientation"] = orientation_as_json(options.decode.orientation);
    write_json(out, object);
}

void write_matrix(const segment_options &options, const iqa::metric &total)
{
    std::vector<double> values = total.read_all(options.matrix_field);
    if (options.matrix_path.ends_with(".csv")) {
        output_file file(options.matrix_path);
        write_matrix_numbers(file.stream(), options.rules, values);
        return file.finish();
    }
    const confusion_view view{options.rules.names, std::move(values), options.matrix_field};
    canvas drawing = draw_confusion(view);
    write_png(options.matrix_path, drawing);
}

} // namespace iqa_tool
