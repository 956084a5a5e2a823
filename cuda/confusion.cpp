// SPDX-License-Identifier: MIT
#include <algorithm>

#include "cuda/confusion_cells.h"
#include "cuda/confusion_tables.h"
#include "cuda/functions.hpp"
#include "cuda/launch.hpp"

namespace iqa::cuda {

namespace {

constexpr int blocks_of_multiprocessor = 2;            // that share its memory
constexpr int64_t smallest_part = 8192;                // positions that are worth a block
constexpr int64_t largest_part = int64_t(1) << 30;     // fewer than a 32-bit count holds
constexpr int64_t positions_per_cell = 4;              // of a table that is worth its clearing
constexpr int64_t largest_weighted = int64_t(1) << 30; // elements whose weights are added without carries
constexpr int64_t reserved_shared_bytes = 1024;        // of a block's memory

int64_t round_up(int64_t value, int64_t multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

int64_t parts_of(int64_t whole, int64_t part)
{
    return (whole + part - 1) / part;
}

template <class Label>
struct label_tag {
};

// Calls `function` for an integer type of labels.
template <class Function>
void with_type(label_type type, Function &&function)
{
    switch (type) {
    case label_type::int8:
        return function(label_tag<int8_t>());
    case label_type::uint16:
        return function(label_tag<uint16_t>());
    case label_type::int16:
        return function(label_tag<int16_t>());
    case label_type::int32:
        return function(label_tag<int32_t>());
    case label_type::int64:
        return function(label_tag<int64_t>());
    default:
        return function(label_tag<uint8_t>());
    }
}

class confusion_launches {
public:
    confusion_launches(context &where, workspace &memory, confusion_request &request)
        : where_(where), request_(request), pair_(*request.labels)
    {
        int device = 0;
        check(active_runtime.get_device(&device), "asking for the current CUDA device");
        check(active_runtime.multiprocessors(device, &multiprocessors_),
              "asking for the multiprocessors of the CUDA device");
        check(active_runtime.shared_memory(device, &shared_bytes_), "asking for the memory of a block");
        task_ = describe();
        task_.arrivals = memory.zeros.take<uint32_t>(1, "a counter of blocks");
    }

    void run()
    {
        const int64_t labels = task_.rules.multilabel ? task_.rules.classes : 1;
        const int64_t cells = table_cells(task_.rules.codes) * labels;
        const bool fits = cells * int64_t(sizeof(uint32_t)) <= shared_bytes_ - reserved_shared_bytes;
        if (task_.weights == nullptr && fits && task_.positions * positions_per_cell >= cells)
            run_tables(cells);
        else
            run_cells();
    }

private:
    label_task describe() const
    {
        label_task task{};
        for (const int side : {reference_side, candidate_side})
            task.labels[side] = pair_.labels[side];
        task.weights = pair_.weights;
        task.weight_type = pair_.weight_type;
        task.rules = request_.rules;
        task.groups = 1;
        const position_space sorted = in_order_of_memory(pair_.all);
        task.space = merge_axes(sorted, caller_position);
        task.positions = pair_.all.count();
        for (int i = 0; i < sorted.axes; ++i)
            task.order.axis[task.order.axes++] = {sorted.axis[i].extent, sorted.axis[i].stride[caller_position]};
        task.layout = request_.layout;
        task.sample_layout = request_.sample_layout;
        task.cells = request_.lanes;
        task.counters = request_.counters;
        task.report = request_.report;
        task.ends = true;
        task.samples = pair_.samples;
        task.tag = request_.tag;
        return task;
    }

    // ---- Tables

    void run_tables(int64_t cells)
    {
        table_task task{};
        task.labels = task_;
        task.cells = int32_t(cells);
        const int64_t blocks = std::max<int64_t>(1, multiprocessors_ * blocks_of_multiprocessor / task_.groups);
        task.part =
            std::clamp(round_up(parts_of(task_.positions, blocks), smallest_part / 2), smallest_part, largest_part);
        task.parts = parts_of(task_.positions, task.part);
        const int64_t shared = shared_bytes_ / blocks_of_multiprocessor - reserved_shared_bytes;
        task.copies = 1;
        while (task.copies < 32 && task.copies * 2 * cells * int64_t(sizeof(uint32_t)) <= shared &&
               task.copies * 2 * cells <= task.part)
            task.copies *= 2;
        const bool known = task_.rules.ignoring;
        task.ignore_label = known ? task_.rules.ignore_label : -1;
        task.ignored = uint32_t(task_.rules.codes + (known ? 1 : 0));
        if (has_scores())
            return launch_tables<any_labels<true>>(task);
        if (!is_dense())
            return launch_tables<any_labels<false>>(task);
        with_type(task_.labels[reference_side].type, [&]<class Label>(label_tag<Label>) {
            if (sizeof(Label) < sizeof(int64_t) && task.ignore_label != int32_t(task.ignore_label)) {
                task.ignore_label = -1; // no label of this type is ignored
                task.ignored = uint32_t(task_.rules.codes);
            }
            launch_tables<dense_labels<Label>>(task);
        });
    }

    template <class Source>
    void launch_tables(const table_task &task)
    {
        launch<count_in_tables<Source>>(where_, task.parts * task_.groups,
                                        size_t(task.cells) * size_t(task.copies) * sizeof(uint32_t), task);
    }

    bool has_scores() const
    {
        return std::any_of(task_.labels, task_.labels + 2,
                           [](const label_view &view) { return view.kind != label_kind::index; });
    }

    // Labels of one integer type, one after another on both sides, with vectors of 16 bytes at the same places.
    bool is_dense() const
    {
        const label_view &reference = task_.labels[reference_side];
        const label_view &candidate = task_.labels[candidate_side];
        const auto own_type = [](label_type type) {
            return type == label_type::boolean ? label_type::uint8 : type;
        };
        if (task_.rules.multilabel || own_type(reference.type) != own_type(candidate.type) || task_.space.axes != 1)
            return false;
        const position_axis &axis = task_.space.axis[0];
        const int64_t distance = reference.data - candidate.data;
        const int64_t group_distance =
            (task_.group_stride[reference_side] - task_.group_stride[candidate_side]) * label_size(reference.type);
        return axis.stride[reference_side] == 1 && axis.stride[candidate_side] == 1 && distance % 16 == 0 &&
               group_distance % 16 == 0;
    }

    // ---- Cells

    void run_cells()
    {
        const int64_t all = task_.groups * task_.positions;
        const int64_t most = task_.weights != nullptr ? largest_weighted : std::max<int64_t>(all, 1);
        for (int64_t begin = 0; begin < all || begin == 0; begin += most) {
            cell_task task{.labels = task_, .begin = begin, .end = std::min(all, begin + most)};
            task.labels.ends = task.end == all;
            if (has_scores())
                launch_cells<true>(task);
            else
                launch_cells<false>(task);
            if (task_.weights != nullptr) {
                const carry_weights::arguments sums{task_.cells, cells_of(task_.layout)};
                launch<carry_weights>(where_, parts_of(sums.count, carry_weights::threads), 0, sums);
            }
        }
    }

    template <bool scores>
    void launch_cells(const cell_task &task)
    {
        using kernel = count_in_cells<scores>;
        const int64_t blocks =
            std::clamp<int64_t>(parts_of(task.end - task.begin, kernel::threads), 1, multiprocessors_ * 8);
        launch<kernel>(where_, blocks, kernel::shared_bytes, task);
    }

    context &where_;
    confusion_request &request_;
    const label_pair &pair_;
    label_task task_;
    int multiprocessors_ = 0;
    int shared_bytes_ = 0;
};

} // namespace

void confusion(context &where, workspace &memory, confusion_request &request)
{
    confusion_launches(where, memory, request).run();
}

} // namespace iqa::cuda
