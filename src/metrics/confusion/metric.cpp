// SPDX-License-Identifier: MIT
// Confusion metrics: options, checks, and what is accumulated. Scores are read in confusion_scores.cpp. It is long
// because what an update adds and what is read of it follow one plan of the lanes.
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "backend/backend.hpp"
#include "core/options.hpp"
#include "metrics/confusion/scores.hpp"
#include "metrics/metrics.hpp"
#include "values/confusion_samples.h"

namespace iqa {

namespace {

constexpr int32_t most_classes = 65536;
constexpr int64_t most_lanes = int64_t(1) << 27; // 1 GiB of cells
constexpr int64_t largest_count = INT64_MAX / 2;

// The lanes: counts of elements; how many samples entered each sum, and how many of those were NaN; the cells; the
// sums.
struct state_plan {
    explicit state_plan(const iqa_confusion_options &options)
        : layout{options.task == IQA_TASK_MULTILABEL      ? confusion_layout::multilabel
                 : options.counts == IQA_COUNTS_PER_CLASS ? confusion_layout::per_class
                                                          : confusion_layout::matrix,
                 options.classes, options.weighted != 0 ? weight_format.digits : 1},
          entries(options.keep_samples != 0 ? entries_of_samples(options.classes) : 0)
    {
    }

    confusion_layout of_sample() const
    {
        confusion_layout own = layout;
        if (own.kind == confusion_layout::matrix)
            own.kind = confusion_layout::per_class;
        return own;
    }
    int64_t counted() const { return confusion_counters; }
    int64_t nan_counted() const { return counted() + entries; }
    int64_t cells() const { return nan_counted() + entries; }
    int64_t sums() const { return cells() + lanes_of(layout); }
    int64_t lanes() const { return sums() + entries * unit_format.digits; }

    confusion_layout layout;
    int64_t entries;
};

void check_flag(const char *name, int32_t value)
{
    if (value != 0 && value != 1)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, " is ", value, "; expected 0 or 1");
}

void check_kind(const char *name, int32_t kind, const iqa_confusion_options &options)
{
    check_constant(name, kind, IQA_LABELS_THRESHOLD, "IQA_LABELS_");
    if (options.task == IQA_TASK_MULTILABEL && has_class_axis(static_cast<label_kind>(kind)))
        fail(IQA_ERROR_INVALID_ARGUMENT, name, " is ", kind,
             "; multilabel takes IQA_LABELS_INDEX (1 for yes, 0 for no) or IQA_LABELS_THRESHOLD");
    if (options.task == IQA_TASK_MULTICLASS && kind == IQA_LABELS_THRESHOLD && options.classes != 2)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, " is IQA_LABELS_THRESHOLD, which tells 2 classes apart, but classes is ",
             options.classes);
}

iqa_confusion_options resolve(const iqa_confusion_options &given, const iqa_confusion_reading &reading)
{
    iqa_confusion_options options = given;
    if (options.classes < 1 || options.classes > most_classes)
        fail(IQA_ERROR_INVALID_ARGUMENT, "classes is ", options.classes, "; expected 1 to ", most_classes);
    check_constant("task", options.task, IQA_TASK_MULTILABEL, "IQA_TASK_");
    check_kind("reference", options.reference, options);
    check_kind("candidate", options.candidate, options);
    check_constant("counts", options.counts, IQA_COUNTS_PER_CLASS, "IQA_COUNTS_");
    check_constant("out_of_range", options.out_of_range, IQA_OUT_OF_RANGE_WRONG, "IQA_OUT_OF_RANGE_");
    if (options.out_of_range == IQA_OUT_OF_RANGE_WRONG && options.task == IQA_TASK_MULTILABEL)
        fail(IQA_ERROR_INVALID_ARGUMENT, "out_of_range is IQA_OUT_OF_RANGE_WRONG, which multilabel does not have: what "
                                         "is neither yes nor no is wrong for no class");
    check_flag("batched", options.batched);
    check_flag("ignore", options.ignore);
    check_flag("weighted", options.weighted);
    check_flag("keep_samples", options.keep_samples);
    if (options.class_axis < -most_label_axes || options.class_axis >= most_label_axes)
        fail(IQA_ERROR_INVALID_ARGUMENT, "class_axis is ", options.class_axis, "; expected -32 to 31");
    if (std::isnan(options.threshold))
        fail(IQA_ERROR_INVALID_ARGUMENT, "threshold is NaN; expected a number");
    if (options.top_k < 1 || options.top_k > options.classes)
        fail(IQA_ERROR_INVALID_ARGUMENT, "top_k is ", options.top_k, "; expected 1 to ", options.classes,
             ", the number of classes");
    if (options.top_k > 1 && options.candidate != IQA_LABELS_ARGMAX)
        fail(IQA_ERROR_INVALID_ARGUMENT, "top_k is ", options.top_k, "; it needs IQA_LABELS_ARGMAX candidates");
    if (options.score != IQA_SCORE_NONE)
        check_reading(reading, options.score, options.classes);
    else
        check_reading(reading, IQA_SCORE_MCC, options.classes);
    const int64_t lanes = lanes_of(state_plan(options).layout);
    if (lanes > most_lanes)
        fail(IQA_ERROR_INVALID_ARGUMENT, "classes is ", options.classes, ": a matrix of them would take ", lanes >> 17,
             " MiB, and 1024 MiB is the limit; set counts to IQA_COUNTS_PER_CLASS");
    if (options.ignore == 0)
        options.ignore_label = 0;
    return options;
}

// One list of the fields for writing and for reading them.
template <class Function>
void for_each_option(iqa_confusion_options &options, iqa_confusion_reading &reading, Function &&function)
{
    for (int32_t *value : {&options.classes, &options.task, &options.reference, &options.candidate, &options.class_axis,
                           &options.batched, &options.counts, &options.out_of_range, &options.ignore, &options.top_k,
                           &options.weighted, &options.keep_samples, &options.score, &reading.average, &reading.over,
                           &reading.empty, &reading.zero_division, &reading.generalized_weights})
        function(*value);
    function(options.ignore_label);
    function(options.threshold);
    function(reading.beta);
    function(reading.excluded_count);
}

constexpr size_t option_bytes = 18 * sizeof(int32_t) + 4 * sizeof(int64_t);

class confusion_metric final : public iqa_metric {
public:
    // Both are checked.
    confusion_metric(context &owner, const iqa_confusion_options &options, const iqa_confusion_reading &reading);

    void update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras) override;
    size_t read(int32_t field, std::span<double> out) const override;
    size_t score(int32_t which, const iqa_confusion_reading &reading, std::span<double> out) const;

private:
    bool multilabel() const { return options_.task == IQA_TASK_MULTILABEL; }
    size_t classes() const { return size_t(options_.classes); }
    score_reader reader_of(const class_counts *counts, const iqa_confusion_reading &reading) const
    {
        const bool leaves_out = reading.empty == IQA_EMPTY_SKIP_IGNORED_IN_IOU && options_.ignore != 0 && !multilabel();
        return {counts, options_.classes, reading, multilabel(), leaves_out ? options_.ignore_label : -1};
    }
    const int64_t *cells() const { return lanes_ + plan_.cells(); }
    void place_exact_fields();
    void lanes_changed() const noexcept override { largest_lane_ = -1; }
    void reserve_room(const label_pair &pair);
    sample_outputs view_outputs(const iqa_update_extras &extras, const iqa_tensor &labels, int64_t samples) const;
    int64_t *take_sample_memory();
    void update_on_device(const update_place &place, confusion_request &request, bool by_sample);
    void check_results(const confusion_request &request) const;
    // `update` names one on a device; `place` is the element's.
    [[noreturn]] void fail_for_weight(const text &update, const text &place) const;
    [[noreturn]] void fail_for_invalid(const text &update, const invalid_labels &invalid, const text &place) const;
    text place_text(const fault &found) const;
    void remember_shape(const position_space &space);
    void leave_device() noexcept override { on_device_.reset(); }
    [[noreturn]] void raise(const fault &found) const override;
    void finish_sample(int64_t sample);
    void add_sample_score(int64_t entry, scored own);
    void commit_samples();

    std::span<const class_counts> counts_of_classes(scratch &memory) const;
    size_t read_matrix(int32_t field, std::span<double> out) const;
    size_t read_counts(int32_t field, std::span<double> out) const;
    void check_kept(int32_t which, const iqa_confusion_reading &reading) const;
    int64_t entry_of(int32_t score, int32_t average, int64_t index) const;
    scored sample_mean(int32_t which, int32_t average, int64_t index) const;
    scored mean_of_pairs(int32_t which, const iqa_confusion_reading &reading) const;
    scored of_samples(int32_t which, const iqa_confusion_reading &reading, int64_t index) const;
    scored agreement(int32_t which, const score_reader &reader, scratch &memory) const;

    iqa_confusion_options options_;
    iqa_confusion_reading reading_;
    state_plan plan_;
    scratch option_memory_, state_, sample_memory_;
    workspace work_;
    int64_t *lanes_;
    std::array<exact_field, 2> exact_fields_{};

    // Of the host's lanes, or more; -1 where others changed them.
    mutable int64_t largest_lane_ = -1;

    // Of updates on a device: its memory, and the shape of the last ones with the number that faults have of it.
    struct device_memory {
        device_memory(memory_source &device, memory_source &host) : work(device, host) {}
        workspace work;
    };
    std::optional<device_memory> on_device_;
    position_space shape_;
    int64_t shape_number_ = 0;

    // Of the update in progress.
    sample_outputs outputs_;
    int64_t *sample_lanes_ = nullptr;
    int64_t *sample_sums_ = nullptr; // how many, how many NaN, and the sums of each entry
    class_counts *sample_counts_ = nullptr;
};

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
    const size_t mask = size_t(reading_.excluded_count);
    std::byte *bytes = option_memory_.take<std::byte>(option_bytes + mask, "the options of a metric");
    byte_writer writer({bytes, option_bytes});
    for_each_option(options_, reading_, [&](auto &value) { writer.put(value); });
    if (mask != 0) {
        std::transform(reading_.excluded, reading_.excluded + mask, bytes + option_bytes,
                       [](uint8_t excluded) { return std::byte(excluded != 0); });
        reading_.excluded = reinterpret_cast<const uint8_t *>(bytes + option_bytes);
    }
    place_options({bytes, option_bytes + mask});
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

int64_t *confusion_metric::take_sample_memory()
{
    const int64_t sums = plan_.entries * (2 + unit_format.digits);
    const int64_t lanes = lanes_of(plan_.of_sample());
    const size_t size = size_t(sums + lanes) * sizeof(int64_t) + classes() * sizeof(class_counts);
    std::byte *block = sample_memory_.take<std::byte>(size, "the counts of a sample");
    sample_counts_ = reinterpret_cast<class_counts *>(block);
    sample_sums_ = reinterpret_cast<int64_t *>(block + classes() * sizeof(class_counts));
    sample_lanes_ = sample_sums_ + sums;
    std::fill_n(sample_sums_, sums, 0);
    return sample_lanes_;
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

void confusion_metric::finish_sample(int64_t sample)
{
    const std::span<class_counts> counts(sample_counts_, classes());
    read_class_counts(plan_.of_sample(), sample_lanes_, counts, nullptr);
    const score_reader reader = reader_of(counts.data(), reading_);
    if (outputs_.value.data != nullptr)
        outputs_.value.store(sample, 0, 0, score_of(reader, options_.score).value);
    for (size_t k = 0; k < counts.size(); ++k) {
        if (outputs_.of_classes.data != nullptr)
            outputs_.of_classes.store(sample, int64_t(k), 0, score_of_class(reader, options_.score, int64_t(k)).value);
        if (outputs_.counts.data != nullptr)
            store_counts(outputs_.counts, sample, int64_t(k), counts[k]);
    }
    for (int64_t entry = 0; entry < plan_.entries; ++entry)
        add_sample_score(entry, score_of_entry(reader, entry));
}

void confusion_metric::add_sample_score(int64_t entry, scored own)
{
    if (own.skipped)
        return;
    ++sample_sums_[entry];
    if (std::isnan(own.value))
        ++sample_sums_[plan_.entries + entry];
    else
        exact_add(unit_format, sample_sums_ + 2 * plan_.entries + entry * unit_format.digits, units_of_score(own.value),
                  unit_format.lowest);
}

void confusion_metric::commit_samples()
{
    const int64_t counters = 2 * plan_.entries;
    for (int64_t i = 0; i < counters; ++i)
        lanes_[plan_.counted() + i] += sample_sums_[i];
    for (int64_t entry = 0; entry < plan_.entries; ++entry) {
        int64_t *sum = lanes_ + plan_.sums() + entry * unit_format.digits;
        for (int i = 0; i < unit_format.digits; ++i)
            sum[i] += sample_sums_[counters + entry * unit_format.digits + i];
        exact_carry(unit_format, sum);
    }
}

// ---- Counts

std::span<const class_counts> confusion_metric::counts_of_classes(scratch &memory) const
{
    const size_t sums = 2 * (classes() + 1) * size_t(plan_.layout.cell_lanes);
    std::byte *block =
        memory.take<std::byte>(classes() * sizeof(class_counts) + sums * sizeof(int64_t), "the counts of the classes");
    const std::span<class_counts> counts(reinterpret_cast<class_counts *>(block), classes());
    read_class_counts(plan_.layout, cells(), counts, reinterpret_cast<int64_t *>(block + counts.size_bytes()));
    return counts;
}

size_t confusion_metric::read_matrix(int32_t field, std::span<double> out) const
{
    const int64_t size = multilabel() ? 2 : options_.classes;
    const int64_t matrices = multilabel() ? options_.classes : 1;
    if (plan_.layout.kind == confusion_layout::per_class)
        fail(IQA_ERROR_INVALID_ARGUMENT, "field is ", field,
             ", a matrix, but the metric was created with IQA_COUNTS_PER_CLASS");
    const auto value = [&](int64_t which, int64_t row, int64_t column) {
        int64_t cell[3];
        cells_of_pair(plan_.layout, which, row, column, cell);
        return cell_value(plan_.layout, cells(), cell[0]);
    };
    for (int64_t which = 0; !out.empty() && which < matrices; ++which) {
        double *matrix = out.data() + which * size * size;
        const bool all = field == IQA_FIELD_CONFUSION_MATRIX_BY_ALL;
        const bool by_column = field == IQA_FIELD_CONFUSION_MATRIX_BY_COLUMN;
        // Groups of cells that share a divisor: rows, columns, or all of them in row-major order.
        const int64_t groups = all ? 1 : size;
        const int64_t members = all ? size * size : size;
        for (int64_t group = 0; group < groups; ++group) {
            const auto row_of = [&](int64_t i) {
                return all ? i / size : by_column ? i : group;
            };
            const auto column_of = [&](int64_t i) {
                return all ? i % size : by_column ? group : i;
            };
            double_double sum{};
            for (int64_t i = 0; i < members; ++i)
                sum = add(sum, value(which, row_of(i), column_of(i)));
            for (int64_t i = 0; i < members; ++i) {
                const double_double own = value(which, row_of(i), column_of(i));
                double &cell = matrix[row_of(i) * size + column_of(i)];
                if (field == IQA_FIELD_CONFUSION_MATRIX)
                    cell = own.high;
                else
                    cell = sum.high == 0.0 ? 0.0 : divide(own, sum).high;
            }
        }
    }
    return size_t(matrices * size * size);
}

size_t confusion_metric::read_counts(int32_t field, std::span<double> out) const
{
    if (out.empty())
        return classes();
    scratch memory(owner());
    const std::span<const class_counts> counts = counts_of_classes(memory);
    for (size_t k = 0; k < counts.size(); ++k) {
        switch (field) {
        case IQA_FIELD_CONFUSION_TRUE_POSITIVES:
            out[k] = counts[k].true_positive.high;
            break;
        case IQA_FIELD_CONFUSION_FALSE_POSITIVES:
            out[k] = counts[k].false_positive.high;
            break;
        case IQA_FIELD_CONFUSION_FALSE_NEGATIVES:
            out[k] = counts[k].false_negative.high;
            break;
        case IQA_FIELD_CONFUSION_TRUE_NEGATIVES:
            out[k] = counts[k].true_negative.high;
            break;
        case IQA_FIELD_CONFUSION_SUPPORT:
            out[k] = support_of(counts[k]).high;
            break;
        default:
            out[k] =
                (support_of(counts[k]).high != 0.0 ? 1.0 : 0.0) + (predicted_of(counts[k]).high != 0.0 ? 2.0 : 0.0);
        }
    }
    return classes();
}

size_t confusion_metric::read(int32_t field, std::span<double> out) const
{
    switch (field) {
    case IQA_FIELD_VALUE:
        if (options_.score == IQA_SCORE_NONE)
            fail(IQA_ERROR_INVALID_ARGUMENT, "the options state no score for this; set `score`, or use "
                                             "iqa_confusion_score()");
        return score(options_.score, reading_, out);
    case IQA_FIELD_CONFUSION_SAMPLES:
    case IQA_FIELD_CONFUSION_ELEMENTS:
    case IQA_FIELD_CONFUSION_IGNORED:
    case IQA_FIELD_CONFUSION_INVALID:
        if (!out.empty())
            out[0] = double(lanes_[field - IQA_FIELD_CONFUSION_SAMPLES]);
        return 1;
    case IQA_FIELD_CONFUSION_MATRIX:
    case IQA_FIELD_CONFUSION_MATRIX_BY_ROW:
    case IQA_FIELD_CONFUSION_MATRIX_BY_COLUMN:
    case IQA_FIELD_CONFUSION_MATRIX_BY_ALL:
        return read_matrix(field, out);
    case IQA_FIELD_CONFUSION_TRUE_POSITIVES:
    case IQA_FIELD_CONFUSION_FALSE_POSITIVES:
    case IQA_FIELD_CONFUSION_FALSE_NEGATIVES:
    case IQA_FIELD_CONFUSION_TRUE_NEGATIVES:
    case IQA_FIELD_CONFUSION_SUPPORT:
    case IQA_FIELD_CONFUSION_PRESENCE:
        return read_counts(field, out);
    default:
        fail(IQA_ERROR_INVALID_ARGUMENT, "field is ", field, ", which confusion metrics do not have");
    }
}

// ---- Scores

// Samples are summed as the options' reading says; reading them in another way would need the samples again.
void confusion_metric::check_kept(int32_t which, const iqa_confusion_reading &reading) const
{
    if (plan_.entries == 0)
        fail(IQA_ERROR_INVALID_ARGUMENT, "the metric keeps no scores of samples: create it with `keep_samples`");
    if (!is_of_classes(which))
        fail(IQA_ERROR_INVALID_ARGUMENT, "score is ", which,
             ", which samples do not have; expected IQA_SCORE_ACCURACY "
             "to IQA_SCORE_GENERALIZED_DICE");
    const struct {
        const char *name;
        double given, kept;
    } policies[] = {{"empty", double(reading.empty), double(reading_.empty)},
                    {"zero_division", double(reading.zero_division), double(reading_.zero_division)},
                    {"generalized_weights", double(reading.generalized_weights), double(reading_.generalized_weights)},
                    {"beta", reading.beta, reading_.beta}};
    for (const auto &policy : policies)
        if (policy.given != policy.kept)
            fail(IQA_ERROR_INVALID_ARGUMENT, policy.name, " is ", policy.given,
                 ", but the samples were summed with the options' ", policy.name, " ", policy.kept);
    for (size_t k = 0; k < classes(); ++k)
        if ((reading.excluded != nullptr && reading.excluded[k] != 0) !=
            (reading_.excluded != nullptr && reading_.excluded[k] != 0))
            fail(IQA_ERROR_INVALID_ARGUMENT, "excluded differs at class ", k,
                 " from the options' reading, by which the samples were summed");
}

int64_t confusion_metric::entry_of(int32_t score, int32_t average, int64_t index) const
{
    const int64_t of_score = options_.classes + sample_averages;
    if (!has_average(score))
        return scores_with_average * of_score + score - scores_with_average;
    if (average != IQA_AVERAGE_NONE)
        for (index = options_.classes; sample_average(index - options_.classes) != average;)
            ++index;
    return score * of_score + index;
}

scored confusion_metric::sample_mean(int32_t which, int32_t average, int64_t index) const
{
    const int64_t entry = entry_of(which, average, index);
    const int64_t count = lanes_[plan_.counted() + entry];
    if (count == 0 || lanes_[plan_.nan_counted() + entry] != 0)
        return {std::nan(""), count == 0};
    const double sum = to_double(exact_value(unit_format, lanes_ + plan_.sums() + entry * unit_format.digits));
    return {sum / double(count), false};
}

scored confusion_metric::mean_of_pairs(int32_t which, const iqa_confusion_reading &reading) const
{
    int64_t count = 0;
    int64_t nans = 0;
    std::array<int64_t, unit_format.digits> sum{};
    const score_reader reader = reader_of(nullptr, reading);
    for (int64_t k = 0; k < options_.classes; ++k) {
        if (!is_included(reader, which, k))
            continue;
        const int64_t entry = entry_of(which, IQA_AVERAGE_NONE, k);
        count += lanes_[plan_.counted() + entry];
        nans += lanes_[plan_.nan_counted() + entry];
        for (size_t i = 0; i < sum.size(); ++i)
            sum[i] += lanes_[plan_.sums() + entry * unit_format.digits + int64_t(i)];
    }
    if (count == 0 || nans != 0)
        return {std::nan(""), count == 0};
    exact_carry(unit_format, sum.data());
    return {to_double(exact_value(unit_format, sum.data())) / double(count), false};
}

scored confusion_metric::of_samples(int32_t which, const iqa_confusion_reading &reading, int64_t index) const
{
    if (has_average(which) && reading.average == IQA_AVERAGE_PAIRS)
        return mean_of_pairs(which, reading);
    if (has_average(which) && reading.average == IQA_AVERAGE_BINARY) {
        check_binary_average(reader_of(nullptr, reading));
        // The share of agreement is the same for both classes: what micro gives.
        return which == IQA_SCORE_ACCURACY ? sample_mean(which, IQA_AVERAGE_MICRO, 0)
                                           : sample_mean(which, IQA_AVERAGE_NONE, 1);
    }
    return sample_mean(which, reading.average, index);
}

scored confusion_metric::agreement(int32_t which, const score_reader &reader, scratch &memory) const
{
    if (which == IQA_SCORE_MCC || which == IQA_SCORE_KAPPA)
        return correlation(reader, which,
                           options_.out_of_range == IQA_OUT_OF_RANGE_WRONG && lanes_[invalid_counter] != 0);
    if (plan_.layout.kind != confusion_layout::matrix)
        fail(IQA_ERROR_INVALID_ARGUMENT, "a weighted kappa needs the matrix of multiclass labels: IQA_COUNTS_MATRIX");
    return kappa(reader, weighted_disagreement(plan_.layout, cells(), which == IQA_SCORE_KAPPA_QUADRATIC,
                                               memory.take<double_double>(2 * classes(), "the sums of a matrix")));
}

size_t confusion_metric::score(int32_t which, const iqa_confusion_reading &reading, std::span<double> out) const
{
    check_reading(reading, which, options_.classes);
    if (lanes_[sample_counter] == 0)
        fail(IQA_ERROR_NO_DATA, "no labels were added yet");
    const bool each = has_average(which) && reading.average == IQA_AVERAGE_NONE;
    const bool pairs = has_average(which) && reading.average == IQA_AVERAGE_PAIRS;
    const bool by_sample = reading.over == IQA_OVER_SAMPLES || pairs;
    if (by_sample)
        check_kept(which, reading);
    const size_t count = each ? classes() : 1;
    if (out.empty())
        return count;
    if (by_sample) {
        for (size_t k = 0; k < count; ++k)
            out[k] = of_samples(which, reading, int64_t(k)).value;
        return count;
    }
    scratch memory(owner());
    scratch sums(owner());
    const score_reader reader = reader_of(counts_of_classes(memory).data(), reading);
    if (has_average(which) && reading.average == IQA_AVERAGE_BINARY)
        check_binary_average(reader);
    for (size_t k = 0; each && k < count; ++k)
        out[k] = score_of_class(reader, which, int64_t(k)).value;
    if (!each)
        out[0] = (is_of_classes(which) ? score_of(reader, which) : agreement(which, reader, sums)).value;
    return count;
}

} // namespace

size_t read_confusion_score(const iqa_metric &metric, int32_t score, const iqa_confusion_reading &reading,
                            std::span<double> out)
{
    const auto *confusion = dynamic_cast<const confusion_metric *>(&metric);
    if (confusion == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, "the metric is no confusion metric");
    return confusion->score(score, reading, out);
}

iqa_metric *create_confusion(context &owner, const iqa_confusion_options &options)
{
    const iqa_confusion_reading reading =
        copy_sized(options.reading, default_confusion_reading, "iqa_confusion_reading");
    return iqa_metric::make<confusion_metric>(owner, resolve(options, reading), reading);
}

iqa_metric *create_confusion(context &owner, byte_reader bytes, size_t lanes)
{
    iqa_confusion_options options = default_confusion_options;
    iqa_confusion_reading reading = default_confusion_reading;
    for_each_option(options, reading,
                    [&](auto &value) { value = bytes.get<std::remove_reference_t<decltype(value)>>(); });
    if (reading.excluded_count != 0) {
        if (reading.excluded_count != options.classes)
            fail(IQA_ERROR_CORRUPT, "the state excludes ", reading.excluded_count, " of ", options.classes, " classes");
        reading.excluded = reinterpret_cast<const uint8_t *>(bytes.take(size_t(options.classes)).data());
    }
    bytes.expect_end("options");
    if (options.classes < 1 || options.classes > most_classes || int64_t(lanes) != state_plan(options).lanes())
        fail(IQA_ERROR_CORRUPT, "the state has ", lanes, " lanes, which is not what its options need");
    options.reading = &reading;
    return create_confusion(owner, options);
}

} // namespace iqa
