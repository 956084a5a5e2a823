// SPDX-License-Identifier: MIT
// The options of confusion metrics and of their readings.
#include "core/labels.hpp"
#include "metrics/confusion/options.hpp"

namespace iqa {

namespace {

constexpr option_word task_words[] = {
    IQA_WORD("multiclass", IQA_TASK_MULTICLASS),
    IQA_WORD("multilabel", IQA_TASK_MULTILABEL),
};

constexpr option_word label_words[] = {
    IQA_WORD("index", IQA_LABELS_INDEX),
    IQA_WORD("one_hot", IQA_LABELS_ONE_HOT),
    IQA_WORD("argmax", IQA_LABELS_ARGMAX),
    IQA_WORD("threshold", IQA_LABELS_THRESHOLD),
};

constexpr option_word count_words[] = {
    IQA_WORD("matrix", IQA_COUNTS_MATRIX),
    IQA_WORD("per_class", IQA_COUNTS_PER_CLASS),
};

constexpr option_word out_of_range_words[] = {
    IQA_WORD("error", IQA_OUT_OF_RANGE_ERROR),
    IQA_WORD("drop", IQA_OUT_OF_RANGE_DROP),
    IQA_WORD("wrong", IQA_OUT_OF_RANGE_WRONG),
};

constexpr option_word score_words[] = {
    IQA_WORD("none", IQA_SCORE_NONE),
    IQA_WORD("accuracy", IQA_SCORE_ACCURACY),
    IQA_WORD("precision", IQA_SCORE_PRECISION),
    IQA_WORD("recall", IQA_SCORE_RECALL),
    IQA_WORD("specificity", IQA_SCORE_SPECIFICITY),
    IQA_WORD("f", IQA_SCORE_F),
    IQA_WORD("dice", IQA_SCORE_DICE),
    IQA_WORD("iou", IQA_SCORE_IOU),
    IQA_WORD("balanced_accuracy", IQA_SCORE_BALANCED_ACCURACY),
    IQA_WORD("frequency_weighted_iou", IQA_SCORE_FREQUENCY_WEIGHTED_IOU),
    IQA_WORD("generalized_dice", IQA_SCORE_GENERALIZED_DICE),
    IQA_WORD("mcc", IQA_SCORE_MCC),
    IQA_WORD("kappa", IQA_SCORE_KAPPA),
    IQA_WORD("kappa_linear", IQA_SCORE_KAPPA_LINEAR),
    IQA_WORD("kappa_quadratic", IQA_SCORE_KAPPA_QUADRATIC),
};

#define IQA_FIELD_OF_CONFUSION(field) IQA_OPTION(iqa_confusion_options, field)

// visit_fields() has the order of a state file.
constexpr option_row rows[] = {
    IQA_FIELD_OF_CONFUSION(classes).from(1, most_classes).says("How many classes there are; must be stated"),
    IQA_FIELD_OF_CONFUSION(task).word(task_words).says("One class for each element, or a yes or no for each class"),
    IQA_FIELD_OF_CONFUSION(reference).word(label_words).says("What the elements of the reference are"),
    IQA_FIELD_OF_CONFUSION(candidate).word(label_words).says("What the elements of the candidate are"),
    IQA_FIELD_OF_CONFUSION(class_axis)
        .from(-most_label_axes, most_label_axes - 1)
        .says("The axis of classes where there is one; below 0 counts from the end"),
    IQA_FIELD_OF_CONFUSION(batched).flag().says("Axis 0 counts samples; else an update is one sample"),
    IQA_FIELD_OF_CONFUSION(counts)
        .word(count_words)
        .says("What is kept: sums for all pairs of classes, or for each "
              "class"),
    IQA_FIELD_OF_CONFUSION(out_of_range)
        .word(out_of_range_words)
        .says("Labels outside the classes that are not ignored: an error; dropped; or counted as wrong for the valid "
              "label on the other side"),
    IQA_FIELD_OF_CONFUSION(ignore).flag().says("Elements whose reference is ignore_label are dropped"),
    IQA_FIELD_OF_CONFUSION(top_k).at_least(1).checked_elsewhere().says(
        "A reference among the k largest scores of the candidate is a hit; of the candidate argmax"),
    IQA_FIELD_OF_CONFUSION(weighted).flag().says("Every update has weights"),
    IQA_FIELD_OF_CONFUSION(keep_samples).flag().says("The scores of each sample are summed too"),
    IQA_FIELD_OF_CONFUSION(score).word(score_words).says("The score of the metric's value, and of samples"),
    IQA_FIELD_OF_CONFUSION(ignore_label).says("Any number, inside or outside the classes"),
    IQA_FIELD_OF_CONFUSION(threshold)
        .expects("a number")
        .says("Scores above it are class 1, in the unit of the scores"),
};

constexpr option_word average_words[] = {
    IQA_WORD("unstated", IQA_AVERAGE_UNSTATED), IQA_WORD("none", IQA_AVERAGE_NONE),
    IQA_WORD("micro", IQA_AVERAGE_MICRO),       IQA_WORD("macro", IQA_AVERAGE_MACRO),
    IQA_WORD("weighted", IQA_AVERAGE_WEIGHTED), IQA_WORD("binary", IQA_AVERAGE_BINARY),
    IQA_WORD("pairs", IQA_AVERAGE_PAIRS),
};

constexpr option_word over_words[] = {
    IQA_WORD("elements", IQA_OVER_ELEMENTS),
    IQA_WORD("samples", IQA_OVER_SAMPLES),
};

constexpr option_word empty_words[] = {
    IQA_WORD("skip", IQA_EMPTY_SKIP),
    IQA_WORD("zero", IQA_EMPTY_ZERO),
    IQA_WORD("one", IQA_EMPTY_ONE),
    IQA_WORD("nan", IQA_EMPTY_NAN),
    IQA_WORD("as_ratio", IQA_EMPTY_AS_RATIO),
    IQA_WORD("skip_in_averages", IQA_EMPTY_SKIP_IN_AVERAGES),
    IQA_WORD("one_else_zero", IQA_EMPTY_ONE_ELSE_ZERO),
    IQA_WORD("skip_unreferenced", IQA_EMPTY_SKIP_UNREFERENCED),
    IQA_WORD("skip_ignored_in_iou", IQA_EMPTY_SKIP_IGNORED_IN_IOU),
};

constexpr option_word zero_division_words[] = {
    IQA_WORD("zero", IQA_ZERO_DIVISION_ZERO),
    IQA_WORD("one", IQA_ZERO_DIVISION_ONE),
    IQA_WORD("nan", IQA_ZERO_DIVISION_NAN),
    IQA_WORD("skip", IQA_ZERO_DIVISION_SKIP),
};

constexpr option_word weights_words[] = {
    IQA_WORD("square", IQA_WEIGHTS_SQUARE),
    IQA_WORD("simple", IQA_WEIGHTS_SIMPLE),
    IQA_WORD("linear", IQA_WEIGHTS_LINEAR),
};

#define IQA_FIELD_OF_READING(field) IQA_OPTION(iqa_confusion_reading, field)

constexpr option_row reading_rows[] = {
    IQA_FIELD_OF_READING(average)
        .word(average_words)
        .checked_elsewhere()
        .says("How the scores of the classes become one number; must be stated for the scores that use it"),
    IQA_FIELD_OF_READING(over).word(over_words).says("The score of all elements, or the mean of the samples' scores"),
    IQA_FIELD_OF_READING(empty)
        .word(empty_words)
        .says("What a class counts that occurs on neither side; skip leaves it out"),
    IQA_FIELD_OF_READING(zero_division).word(zero_division_words).says("The value of a score that is 0 / 0"),
    IQA_FIELD_OF_READING(generalized_weights)
        .word(weights_words)
        .says("The weights of classes in the generalised Dice score, by their elements in the reference"),
    IQA_FIELD_OF_READING(beta)
        .at_least(0)
        .expects("a finite number from 0 on")
        .says("Of the F score: recall counts beta times as much as precision"),
    IQA_FIELD_OF_READING(excluded).says("Classes that averages leave out; their elements stay counted"),
    IQA_FIELD_OF_READING(excluded_count).hidden(),
};

constexpr iqa_confusion_options standard = IQA_CONFUSION_OPTIONS_INIT;
constexpr iqa_confusion_reading standard_reading = IQA_CONFUSION_READING_INIT;

} // namespace

constinit const options_table<iqa_confusion_options> confusion_option_table("confusion", "iqa_confusion_options",
                                                                            standard, rows);
constinit const options_table<iqa_confusion_reading>
    confusion_reading_table("confusion_reading", "iqa_confusion_reading", standard_reading, reading_rows,
                            confusion_convention_words, [](void *reading, int32_t convention) {
                                *static_cast<iqa_confusion_reading *>(reading) = confusion_convention(convention);
                            });

} // namespace iqa
