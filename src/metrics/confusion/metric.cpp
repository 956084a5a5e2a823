// SPDX-License-Identifier: MIT
#include "metrics/confusion/metric.hpp"

#include <algorithm>

#include "core/options.hpp"
#include "metrics/confusion/scores.hpp"

namespace iqa {

namespace {

constexpr int64_t largest_count = INT64_MAX / 2;

} // namespace

confusion_metric::confusion_metric(context &owner, const iqa_confusion_options &options,
                                   const iqa_confusion_reading &reading)
    : iqa_metric(owner, metric_kind::confusion, {}, {}, {}),
      options_(options),
      reading_(reading),
      plan_(options),
      option_memory_(owner),
      state_(owner),
      addend_(owner),
      work_(owner, owner),
      lanes_(nullptr)
{
    options_.reading = nullptr;
    const std::span bytes(option_memory_.take<std::byte>(bytes_of_options(reading_), "the options of a metric"),
                          bytes_of_options(reading_));
    write_options(options_, reading_, bytes);
    place_options(bytes);
    lanes_ = state_.take<int64_t>(size_t(plan_.lanes()), "the counts of a metric");
    size_t fields = 0;
    if (options_.weighted != 0)
        exact_fields_[fields++] = {int(plan_.cells()), weight_format, int(cells_of(plan_.layout))};
    if (plan_.entries != 0)
        exact_fields_[fields++] = {int(plan_.sums()), unit_format, int(plan_.entries)};
    place_lanes({lanes_, size_t(plan_.lanes())}, {exact_fields_.data(), fields}, largest_count);
}

// ---- Update

sample_outputs confusion_metric::view_outputs(const iqa_update_extras &extras, const iqa_tensor &labels,
                                              int64_t samples) const
{
    refuse_extra(extras.map, "map", "a confusion metric");
    refuse_extra(extras.candidate_gradient, "candidate_gradient", "a confusion metric");
    refuse_extra(extras.reference_gradient, "reference_gradient", "a confusion metric");
    refuse_range(extras, "a confusion metric");
    if ((extras.weights != nullptr) != (options_.weighted != 0))
        fail(IQA_ERROR_INVALID_ARGUMENT, options_.weighted != 0
                                             ? "weights is NULL, but the metric was created with `weighted`"
                                             : "weights is given, but the metric was created without `weighted`");
    if ((extras.per_image != nullptr || extras.per_channel != nullptr) &&
        (options_.score == IQA_SCORE_NONE || !is_of_classes(options_.score)))
        fail(IQA_ERROR_INVALID_ARGUMENT, extras.per_image != nullptr ? "per_image" : "per_channel",
             " is given, but `score` is ", options_.score,
             ", which samples do not have; expected IQA_SCORE_ACCURACY to IQA_SCORE_GENERALIZED_DICE");
    if (extras.per_image != nullptr && has_average(options_.score) &&
        (reading_.average == IQA_AVERAGE_NONE || reading_.average == IQA_AVERAGE_PAIRS))
        fail(IQA_ERROR_INVALID_ARGUMENT, "per_image is given, but the average of `reading` is ", reading_.average,
             ", which gives a sample no single value; take per_channel");
    if (extras.per_image != nullptr && has_average(options_.score) && reading_.average == IQA_AVERAGE_BINARY)
        check_binary_average(reader_of(nullptr, reading_));
    if (extras.per_channel != nullptr && !has_average(options_.score))
        fail(IQA_ERROR_INVALID_ARGUMENT, "per_channel is given, but `score` is ", options_.score,
             ", which classes do not have");
    const int64_t extents[3] = {samples, options_.classes, 4};
    return {view_numbers(extras.per_image, "per_image", false, extents, 1, labels),
            view_numbers(extras.per_channel, "per_channel", false, extents, 2, labels),
            view_numbers(extras.counts, "counts", options_.weighted == 0, extents, 3, labels)};
}

void confusion_metric::update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras)
{
    backend_of(reference, candidate); // throws without a backend for them
    const label_pair pair =
        view_labels(reference, candidate, extras.weights,
                    {{static_cast<label_kind>(options_.reference), static_cast<label_kind>(options_.candidate)},
                     options_.class_axis,
                     options_.classes,
                     multilabel(),
                     options_.batched != 0});
    const sample_outputs outputs = view_outputs(extras, *reference, pair.samples);
    update_target target(*this, reference, candidate, extras);
    if (target.ledger != nullptr) {
        if (!on_device_)
            on_device_.emplace(*target.ledger, owner());
        remember_shape(pair.positions);
        int64_t *addend = target.ledger->addend();
        count(target, pair, outputs, {addend, addend + plan_.cells(), addend + plan_.sums()}, target.ledger->report());
        target.ledger->commit();
    } else {
        reserve_room(pair);
        // The backend adds to the many cells in place; the addend has the other lanes.
        const std::span<int64_t> addend(addend_.take<int64_t>(other_lanes(), "the counts of an update"), other_lanes());
        std::fill(addend.begin(), addend.end(), 0);
        fault found{};
        count(target, pair, outputs, {addend.data(), lanes_ + plan_.cells(), addend.data() + plan_.cells()}, &found);
        if (found.kind != fault_kind::none)
            fail_for(found, {}, position_text(pair.positions, found.position));
        commit_other_lanes(addend);
    }
    target.finish();
}

void confusion_metric::count(const update_target &target, const label_pair &pair, const sample_outputs &outputs,
                             const lane_groups &to, fault *report)
{
    const sample_plan samples{.layout = plan_.of_sample(),
                              .outputs = outputs,
                              .reader = reader_of(nullptr, reading_),
                              .score = options_.score,
                              .entries = plan_.entries,
                              .counted = to.counters + plan_.counted(),
                              .nan_counted = to.counters + plan_.nan_counted(),
                              .sums = to.sums};
    const label_view &first = pair.labels[reference_side];
    const bool never_negative = first.kind == label_kind::index && is_unsigned(first.type);
    const confusion_request request{
        .labels = &pair,
        .rules = {options_.classes, multilabel() ? 2 : options_.classes, multilabel(),
                  options_.ignore != 0 && !(never_negative && options_.ignore_label < 0), options_.ignore_label,
                  options_.threshold, options_.top_k, options_.out_of_range == IQA_OUT_OF_RANGE_ERROR,
                  options_.out_of_range == IQA_OUT_OF_RANGE_WRONG},
        .layout = plan_.layout,
        .cells = to.cells,
        .counters = to.counters,
        .samples = outputs.wanted() || plan_.entries != 0 ? &samples : nullptr,
        .report = report,
        .shape = shape_number_,
    };
    target.device.confusion(owner(), target.ledger != nullptr ? *on_device_ : work_, request);
}

// No lane grows by more than the elements of an update. The last digit of a sum over samples grows by its scores and
// their carries at most.
void confusion_metric::reserve_room(const label_pair &pair)
{
    constexpr int128 digit_of_score = int128(1) << 17;
    const int128 elements = int128(pair.positions.count()) * (multilabel() ? options_.classes : 1);
    const int128 growth = std::max(elements, int128(pair.samples) * (plan_.entries != 0 ? digit_of_score : 1));
    if (largest_lane_ < 0 || growth > largest_count - largest_lane_) {
        largest_lane_ = 0;
        for (const int64_t lane : lanes())
            largest_lane_ = std::max(largest_lane_, lane < 0 ? -lane : lane);
    }
    if (growth > largest_count - largest_lane_)
        fail(IQA_ERROR_NUMERIC, "a lane of the metric is ", largest_lane_, "; it has no room for this update");
    largest_lane_ += int64_t(growth);
}

void confusion_metric::commit_other_lanes(std::span<const int64_t> addend)
{
    const int64_t before = plan_.cells();
    for (int64_t i = 0; i < before; ++i)
        lanes_[i] += addend[size_t(i)];
    for (int64_t i = before; i < int64_t(addend.size()); ++i)
        lanes_[plan_.sums() + i - before] += addend[size_t(i)];
    for (int64_t entry = 0; entry < plan_.entries; ++entry)
        exact_carry(unit_format, lanes_ + plan_.sums() + entry * unit_format.digits);
}

void confusion_metric::fail_for(const fault &found, const text &update, const text &position) const
{
    if (found.kind == fault_kind::label_weight)
        fail(IQA_ERROR_NUMERIC, update, "the weight at ", position,
             " is not one whose sums are exact; expected 0, or 2^-76 to 2^64");
    const bool in_reference = found.side == reference_side;
    const auto kind = static_cast<label_kind>(in_reference ? options_.reference : options_.candidate);
    const int64_t label = found.label;
    text what;
    if (label == label_of_nan && kind != label_kind::index)
        what << "NaN";
    else if (kind == label_kind::one_hot)
        what << (label == label_of_no_class ? "no 1 at all (label -1)" : "no single 1 among zeros (label -2)");
    else
        what << label << (label == INT64_MAX ? " or more" : "");
    fail(IQA_ERROR_NUMERIC, update, found.count, found.count == 1 ? " element has" : " elements have",
         " a label outside 0 ... ", multilabel() ? 1 : options_.classes - 1, ", the first in the ",
         in_reference ? "reference" : "candidate", " at ", position, ": ", what,
         "; set ignore_label to drop it, or out_of_range to count such elements as invalid");
}

// ---- Faults of updates on a device, which are raised when the tensors are gone

void confusion_metric::remember_shape(const position_space &space)
{
    bool same = shape_number_ != 0 && shape_.axes == space.axes;
    for (int i = 0; same && i < space.axes; ++i)
        same = shape_.axis[i].extent == space.axis[i].extent;
    if (same)
        return;
    shape_ = space;
    ++shape_number_;
}

void confusion_metric::raise(const fault &found) const
{
    text update;
    update << "update " << found.update << " on the CUDA device: ";
    if (found.shape == shape_number_)
        fail_for(found, update, position_text(shape_, found.position));
    text position; // the shape is no longer known
    fail_for(found, update, position << "position " << found.position << " in row-major order");
}

iqa_metric *create_confusion(context &owner, const iqa_confusion_options &options)
{
    const iqa_confusion_reading reading = confusion_reading_table.copy(options.reading);
    return iqa_metric::make<confusion_metric>(owner, resolve(options, reading), reading);
}

iqa_metric *create_confusion_of_state(context &owner, const state_parts &parts)
{
    iqa_confusion_reading reading = confusion_reading_table.defaults();
    iqa_confusion_options options =
        read_confusion_options(byte_reader(parts.options), parts.lanes.size() / sizeof(int64_t), reading);
    options.reading = &reading;
    return create_confusion(owner, options);
}

} // namespace iqa
