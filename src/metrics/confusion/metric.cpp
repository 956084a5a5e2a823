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
      sample_memory_(owner),
      work_(owner, owner),
      lanes_(nullptr)
{
    options_.reading = nullptr;
    const std::span bytes(option_memory_.take<std::byte>(bytes_of_options(reading_), "the options of a metric"),
                          bytes_of_options(reading_));
    write_options(options_, reading_, bytes);
    place_options(bytes);
    lanes_ = state_.take<int64_t>(size_t(plan_.lanes()), "the counts of a metric");
    place_exact_fields();
}

void confusion_metric::place_exact_fields()
{
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
    backend_of(reference, candidate); // refuses what is nowhere
    const label_pair pair =
        view_labels(reference, candidate, extras.weights,
                    {{static_cast<label_kind>(options_.reference), static_cast<label_kind>(options_.candidate)},
                     options_.class_axis,
                     options_.classes,
                     multilabel(),
                     options_.batched != 0});
    outputs_ = view_outputs(extras, *reference, pair.samples);
    const bool by_sample = outputs_.wanted() || plan_.entries != 0;
    update_place place(*this, reference, candidate, extras);
    const label_view &first = pair.labels[reference_side];
    const bool never_negative = first.kind == label_kind::index && is_unsigned(first.type);
    confusion_request request{
        .labels = &pair,
        .rules = {options_.classes, multilabel() ? 2 : options_.classes, multilabel(),
                  options_.ignore != 0 && !(never_negative && options_.ignore_label < 0), options_.ignore_label,
                  options_.threshold, options_.top_k, options_.out_of_range == IQA_OUT_OF_RANGE_ERROR,
                  options_.out_of_range == IQA_OUT_OF_RANGE_WRONG},
        .layout = plan_.layout,
        .lanes = (place.ledger != nullptr ? place.ledger->addend() : lanes_) + plan_.cells(),
        .sample_layout = plan_.of_sample(),
        .sample_lanes = nullptr,
        .sample_done = [](void *receiver,
                          int64_t sample) { static_cast<confusion_metric *>(receiver)->finish_sample(sample); },
        .receiver = this,
        .counters = nullptr,
        .report = nullptr,
        .tag = 0.0,
        .samples = nullptr,
        .elements = 0,
        .ignored = 0,
        .invalid = {},
        .bad_weight = -1,
    };
    if (place.ledger != nullptr) {
        update_on_device(place, request, by_sample);
        return place.finish();
    }
    reserve_room(pair);
    if (by_sample)
        request.sample_lanes = take_sample_memory();
    place.device.confusion(owner(), work_, request);
    check_results(request);

    lanes_[sample_counter] += pair.samples;
    lanes_[element_counter] += request.elements;
    lanes_[ignored_counter] += request.ignored;
    lanes_[invalid_counter] += request.invalid.count;
    if (by_sample)
        commit_samples();
}

// No lane grows by more than the elements of an update, nor the last digit of a sum over samples by more than what so
// many scores and their carries come to.
void confusion_metric::reserve_room(const label_pair &pair)
{
    constexpr int128 digit_of_score = int128(1) << 17;
    const int128 elements = int128(pair.all.count()) * (multilabel() ? options_.classes : 1);
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

void confusion_metric::update_on_device(const update_place &place, confusion_request &request, bool by_sample)
{
    if (!on_device_)
        on_device_.emplace(*place.ledger, owner());
    remember_shape(request.labels->all);
    int64_t *addend = place.ledger->addend();
    request.counters = addend;
    request.report = place.ledger->report();
    request.tag = double(shape_number_);
    const sample_plan samples{.outputs = outputs_,
                              .reader = reader_of(nullptr, reading_),
                              .score = options_.score,
                              .entries = plan_.entries,
                              .counted = addend + plan_.counted(),
                              .nan_counted = addend + plan_.nan_counted(),
                              .sums = addend + plan_.sums()};
    if (by_sample)
        request.samples = &samples;
    place.device.confusion(owner(), on_device_->work, request);
    place.ledger->commit();
}

void confusion_metric::check_results(const confusion_request &request) const
{
    const position_space &space = request.labels->all;
    if (request.bad_weight >= 0)
        fail_for_weight({}, position_text(space, request.bad_weight));
    if (options_.out_of_range == IQA_OUT_OF_RANGE_ERROR && request.invalid.count != 0)
        fail_for_invalid({}, request.invalid, position_text(space, request.invalid.position));
}

void confusion_metric::fail_for_weight(const text &update, const text &place) const
{
    fail(IQA_ERROR_NUMERIC, update, "the weight at ", place,
         " is not one whose sums are exact; expected 0, or 2^-76 to 2^64");
}

void confusion_metric::fail_for_invalid(const text &update, const invalid_labels &invalid, const text &place) const
{
    const auto kind = static_cast<label_kind>(invalid.side == reference_side ? options_.reference : options_.candidate);
    text what;
    if (invalid.label == label_of_nan && kind != label_kind::index)
        what << "NaN";
    else if (kind == label_kind::one_hot)
        what << (invalid.label == label_of_no_class ? "no 1 at all (label -1)" : "no single 1 among zeros (label -2)");
    else
        what << invalid.label << (invalid.label == INT64_MAX ? " or more" : "");
    fail(IQA_ERROR_NUMERIC, update, invalid.count, invalid.count == 1 ? " element has" : " elements have",
         " a label outside 0 ... ", multilabel() ? 1 : options_.classes - 1, ", the first in the ",
         invalid.side == reference_side ? "reference" : "candidate", " at ", place, ": ", what,
         "; set ignore_label to drop it, or out_of_range to count such elements as invalid");
}

// ---- Faults of updates on a device, which are told when the tensors are gone

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

text confusion_metric::place_text(const fault &found) const
{
    if (found.value == double(shape_number_))
        return position_text(shape_, found.image);
    text place; // updates with other shapes followed
    return place << "position " << found.image << " in row-major order";
}

void confusion_metric::raise(const fault &found) const
{
    text update;
    update << "update " << found.update << " on the CUDA device: ";
    if (found.kind == fault_kind::label_weight)
        fail_for_weight(update, place_text(found));
    fail_for_invalid(update, {found.count, found.side, found.image, found.channel}, place_text(found));
}

iqa_metric *create_confusion(context &owner, const iqa_confusion_options &options)
{
    const iqa_confusion_reading reading =
        copy_sized(options.reading, default_confusion_reading, "iqa_confusion_reading");
    return iqa_metric::make<confusion_metric>(owner, resolve(options, reading), reading);
}

iqa_metric *create_confusion(context &owner, byte_reader bytes, size_t lanes)
{
    iqa_confusion_reading reading = default_confusion_reading;
    iqa_confusion_options options = read_confusion_options(bytes, lanes, reading);
    options.reading = &reading;
    return create_confusion(owner, options);
}

} // namespace iqa
