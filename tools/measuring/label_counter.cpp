// SPDX-License-Identifier: MIT
#include "measuring/label_counter.hpp"

#include <algorithm>

namespace iqa_tool {

namespace {

iqa::metric make_metric(const label_rules &rules, const iqa::context &context)
{
    iqa_confusion_options options = rules.counting;
    options.classes = rules.classes();
    options.counts = rules.has_matrix() ? IQA_COUNTS_MATRIX : IQA_COUNTS_PER_CLASS;
    options.ignore = rules.ignored ? 1 : 0;
    options.ignore_label = rules.ignored.value_or(0);
    options.keep_samples = rules.scores_files() ? 1 : 0;
    options.reading = &rules.reading;
    return iqa::metric::confusion(context, &options);
}

// A label map as the library takes it: height x width.
iqa_tensor plane_of(const image &labels) noexcept
{
    iqa_tensor plane = labels.tensor();
    plane.ndim = 2;
    plane.shape += axis_height;
    plane.strides += axis_height;
    return plane;
}

int64_t label_at(const image &labels, int64_t y, int64_t x) noexcept
{
    return static_cast<int64_t>(labels.sample(0, y, x, 0));
}

} // namespace

iqa_confusion_reading label_rules::with(int32_t average) const noexcept
{
    iqa_confusion_reading averaged = reading;
    averaged.average = average;
    return averaged;
}

bool label_rules::scores_files() const noexcept
{
    return reading.over == IQA_OVER_SAMPLES ||
           std::find(averages.begin(), averages.end(), IQA_AVERAGE_PAIRS) != averages.end();
}

void check_sizes(const image &reference, const image &prediction)
{
    const auto size = [](const image &picture) {
        return std::to_string(picture.height()) + " x " + std::to_string(picture.width());
    };
    check_orientation(prediction, reference);
    if (reference.shape != prediction.shape)
        throw image_error("has " + size(prediction) + " pixels, but the reference has " + size(reference));
}

label_counter::label_counter(const label_rules &rules, const iqa_context_options &options)
    : rules_(rules), context_(options), pair_(make_metric(rules, context_)), total_(make_metric(rules, context_))
{
}

pair_scores label_counter::count(const image &reference, const image &prediction)
{
    pair_.reset();
    pair_.update(plane_of(reference), plane_of(prediction));
    total_.merge(pair_);
    const auto number = [this](int32_t field) {
        return static_cast<int64_t>(pair_.read(field));
    };
    // One file has no mean over files: its headline is the mean over classes.
    const int32_t average = rules_.averages.front() == IQA_AVERAGE_PAIRS ? IQA_AVERAGE_MACRO : rules_.averages.front();
    iqa_confusion_reading reading = rules_.with(average);
    reading.over = IQA_OVER_ELEMENTS;
    iqa_confusion_reading micro = reading;
    micro.average = IQA_AVERAGE_MICRO;
    return {number(IQA_FIELD_CONFUSION_ELEMENTS),         number(IQA_FIELD_CONFUSION_IGNORED),
            number(IQA_FIELD_CONFUSION_INVALID),          pair_.score(IQA_SCORE_ACCURACY, &micro).front(),
            pair_.score(IQA_SCORE_IOU, &reading).front(), pair_.score(IQA_SCORE_DICE, &reading).front()};
}

outside_label find_outside(const label_rules &rules, const image &reference, const image &prediction)
{
    outside_label found;
    for (int64_t y = 0; y < reference.height(); ++y)
        for (int64_t x = 0; x < reference.width(); ++x) {
            const int64_t wanted = label_at(reference, y, x);
            const int64_t predicted = label_at(prediction, y, x);
            const bool bad_reference = wanted >= rules.classes();
            if ((rules.ignored && wanted == *rules.ignored) || (!bad_reference && predicted < rules.classes()))
                continue;
            if (found.count++ == 0) {
                found.in_reference = bad_reference;
                found.y = y;
                found.x = x;
                found.label = bad_reference ? wanted : predicted;
            }
        }
    return found;
}

std::string outside_label::text(const label_rules &rules) const
{
    return "has the label " + std::to_string(label) + " at row " + std::to_string(y) + ", column " + std::to_string(x) +
           ", but the classes are 0 to " + std::to_string(rules.classes() - 1) + " (" + std::to_string(count) +
           (count == 1 ? " such pixel" : " such pixels") + " in the pair); " +
           (in_reference ? "--ignore leaves a label out, " : "") + "--invalid drop or wrong counts " +
           (count == 1 ? "it" : "them") + " as invalid";
}

} // namespace iqa_tool
