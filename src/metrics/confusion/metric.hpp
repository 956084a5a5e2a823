// SPDX-License-Identifier: MIT
// Confusion metrics. metric.cpp checks and counts, samples.cpp has the scores of single samples, reading.cpp and
// scores.cpp make scores of the accumulated counts.
#pragma once

#include <array>
#include <optional>

#include "backend/backend.hpp"
#include "metrics/confusion/options.hpp"
#include "values/confusion_samples.h"

namespace iqa {

class confusion_metric final : public iqa_metric {
public:
    // Options and reading are checked already.
    confusion_metric(context &owner, const iqa_confusion_options &options, const iqa_confusion_reading &reading);

    void update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras) override;
    size_t read(int32_t field, std::span<double> out) const override;
    size_t values() const override { return read(IQA_FIELD_VALUE, {}); }
    size_t score(int32_t score, const iqa_confusion_reading &reading, std::span<double> out) const;

private:
    // The lanes that an update adds to: counters before the cells, the cells, and the sums behind them.
    struct lane_groups {
        int64_t *counters, *cells, *sums;
    };

    bool multilabel() const { return options_.task == IQA_TASK_MULTILABEL; }
    size_t classes() const { return size_t(options_.classes); }
    score_reader reader_of(const class_counts *counts, const iqa_confusion_reading &reading) const
    {
        const bool leaves_out = reading.empty == IQA_EMPTY_SKIP_IGNORED_IN_IOU && options_.ignore != 0 && !multilabel();
        return {counts, options_.classes, reading, multilabel(), leaves_out ? options_.ignore_label : -1};
    }
    const int64_t *cells() const { return lanes_ + plan_.cells(); }
    void lanes_changed() const noexcept override { largest_lane_ = -1; }
    void reserve_room(const label_pair &pair);
    sample_outputs view_outputs(const iqa_update_extras &extras, const iqa_tensor &labels, int64_t samples) const;
    void count(const update_target &target, const label_pair &pair, const sample_outputs &outputs,
               const lane_groups &to, fault *report);
    size_t other_lanes() const { return size_t(plan_.lanes() - lanes_of(plan_.layout)); } // all but the cells
    void commit_other_lanes(std::span<const int64_t> addend);
    // `update` names an update on a device; else it is empty.
    [[noreturn]] void fail_for(const fault &found, const text &update, const text &position) const;
    void remember_shape(const position_space &space);
    void leave_device() noexcept override { on_device_.reset(); }
    [[noreturn]] void raise(const fault &found) const override;

    std::span<const class_counts> counts_of_classes(scratch &memory) const;
    size_t read_matrix(int32_t field, std::span<double> out) const;
    size_t read_counts(int32_t field, std::span<double> out) const;
    void check_kept(int32_t score, const iqa_confusion_reading &reading) const;
    int64_t entry_of(int32_t score, int32_t average, int64_t index) const;
    scored sample_mean(int32_t score, int32_t average, int64_t index) const;
    scored mean_of_pairs(int32_t score, const iqa_confusion_reading &reading) const;
    scored of_samples(int32_t score, const iqa_confusion_reading &reading, int64_t index) const;
    scored agreement(int32_t score, const score_reader &reader, scratch &memory) const;

    iqa_confusion_options options_;
    iqa_confusion_reading reading_;
    state_plan plan_;
    scratch option_memory_, state_, addend_;
    workspace work_;
    int64_t *lanes_;
    std::array<exact_field, 2> exact_fields_{};

    // At least the largest of the host's lanes; -1 after another change of them.
    mutable int64_t largest_lane_ = -1;

    // Of updates on a device: its memory, and the shape of the last update with its number, which faults have.
    std::optional<workspace> on_device_;
    position_space shape_;
    int64_t shape_number_ = 0;
};

} // namespace iqa
