// SPDX-License-Identifier: MIT
// Chooses how a request's pairs of labels are counted, and launches the kernels.
#include <algorithm>

#include "cuda/backend.hpp"
#include "cuda/confusion/cells.h"
#include "cuda/confusion/samples.h"
#include "cuda/confusion/tables.h"
#include "cuda/machine/grid.hpp"
#include "cuda/machine/launch.hpp"
#include "cuda/machine/tables.hpp"

namespace iqa::cuda {

namespace {

constexpr int blocks_of_multiprocessor = 2;            // sharing its memory
constexpr int64_t smallest_part = 8192;                // positions that are worth a block
constexpr int64_t largest_part = int64_t(1) << 30;     // positions, fewer than a 32-bit count holds
constexpr int64_t positions_per_cell = 4;              // with fewer, clearing a table costs more than it saves
constexpr int64_t largest_weighted = int64_t(1) << 30; // elements whose weights are added without carries
constexpr int64_t bytes_of_samples = 64 << 20;         // counts of samples at once

template <class Label>
struct label_tag {
};

// Wide unsigned labels are read as signed ones: equal labels have equal bits, and labels outside the classes stay
// outside.
label_type read_as(label_type type)
{
    switch (type) {
    case label_type::boolean:
        return label_type::uint8;
    case label_type::uint32:
        return label_type::int32;
    case label_type::uint64:
        return label_type::int64;
    default:
        return type;
    }
}

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
    confusion_launches(context &where, workspace &memory, const confusion_request &request)
        : where_(where), memory_(memory), request_(request), pair_(*request.labels), multiprocessors_(multiprocessors())
    {
        int device = 0;
        check(active_runtime.get_device(&device), "asking for the current CUDA device");
        check(active_runtime.shared_memory(device, &shared_bytes_), "asking for the memory of a block");
        describe();
        task_.arrivals = memory.zeros.take<uint32_t>(1, "a counter of blocks");
    }

    void run()
    {
        if (request_.samples == nullptr)
            count_groups(task_.groups);
        else
            run_samples();
    }

private:
    void describe()
    {
        task_ = {};
        for (const int side : {reference_side, candidate_side})
            task_.labels[side] = pair_.labels[side];
        task_.weights = pair_.weights;
        task_.weight_type = pair_.weight_type;
        task_.rules = request_.rules;
        task_.groups = 1;
        position_space inner;
        for (int i = 0; i < pair_.positions.axes; ++i) {
            const position_axis &axis = pair_.positions.axis[i];
            if (i > 0 || request_.samples == nullptr || !pair_.batched) {
                inner.push(axis);
                continue;
            }
            task_.groups = axis.extent;
            std::copy_n(axis.stride, int(strides), task_.group_stride);
            add_order(axis);
        }
        inner = in_order_of_memory(inner);
        for (int i = 0; i < inner.axes; ++i)
            add_order(inner.axis[i]);
        task_.positions = inner.count();
        task_.space = merge_axes(inner, caller_position);
        task_.layout = request_.layout;
        if (request_.samples != nullptr)
            task_.sample_layout = request_.samples->layout;
        task_.cells = request_.cells;
        task_.counters = request_.counters;
        task_.report = request_.report;
        task_.samples = pair_.samples;
        task_.shape = request_.shape;
    }

    void add_order(const position_axis &axis)
    {
        task_.order.axis[task_.order.axes++] = {axis.extent, axis.stride[caller_position]};
    }

    bool fits_a_block(int64_t bytes) const { return bytes <= shared_bytes_ - most_static_shared_bytes; }

    // Counts `groups` groups from task_.first_group on.
    void count_groups(int64_t groups)
    {
        task_.ends = task_.first_group + groups == task_.groups;
        const int64_t labels = task_.rules.multilabel ? task_.rules.classes : 1;
        const int64_t cells = table_cells(task_.rules.codes) * labels;
        const bool fits = fits_a_block(cells * int64_t(sizeof(uint32_t)));
        if (task_.weights == nullptr && fits && groups > 0 && task_.positions * positions_per_cell >= cells)
            run_tables(cells, groups);
        else
            run_cells(groups);
    }

    // ---- Samples, in batches: the counts of a batch are complete before its scores are computed.

    void run_samples()
    {
        sample_task task{.plan = *request_.samples, .cells = nullptr, .counts = nullptr, .first = 0};
        const int64_t classes = task_.rules.classes;
        if (task.plan.reader.reading.excluded != nullptr)
            task.plan.reader.reading.excluded =
                reinterpret_cast<const uint8_t *>(keep_on_device(where_, memory_, size_t(classes), [&](std::byte *to) {
                    std::copy_n(reinterpret_cast<const std::byte *>(request_.samples->reader.reading.excluded), classes,
                                to);
                }));
        const int64_t lanes = lanes_of(task_.sample_layout);
        const int64_t bytes_of_sample = lanes * int64_t(sizeof(int64_t)) + classes * int64_t(sizeof(class_counts));
        const int64_t at_once =
            std::clamp<int64_t>(bytes_of_samples / bytes_of_sample, 1, std::max<int64_t>(task_.groups, 1));
        auto *block = memory_.work.take<std::byte>(size_t(at_once * bytes_of_sample), "the counts of samples");
        task.counts = reinterpret_cast<class_counts *>(block);
        task_.sample_cells = reinterpret_cast<int64_t *>(block + at_once * classes * int64_t(sizeof(class_counts)));
        task.cells = task_.sample_cells;
        for (int64_t first = 0; first < task_.groups || first == 0; first += at_once) {
            const int64_t groups = std::min(at_once, task_.groups - first);
            check(
                active_runtime.clear(task_.sample_cells, size_t(at_once * lanes) * sizeof(int64_t), stream_of(where_)),
                "clearing the counts of samples");
            task_.first_group = first;
            count_groups(groups);
            task.first = first;
            launch<finish_samples>(where_, groups, 0, task);
        }
    }

    // ---- Tables

    void run_tables(int64_t cells, int64_t groups)
    {
        table_task task{};
        task.labels = task_;
        task.cells = int32_t(cells);
        const int64_t blocks = std::max<int64_t>(1, multiprocessors_ * blocks_of_multiprocessor / groups);
        task.part =
            std::clamp(round_up(divide_up(task_.positions, blocks), smallest_part / 2), smallest_part, largest_part);
        task.parts = divide_up(task_.positions, task.part);
        const int64_t shared = shared_bytes_ / blocks_of_multiprocessor - most_static_shared_bytes;
        task.copies = 1;
        while (task.copies < 32 && task.copies * 2 * cells * int64_t(sizeof(uint32_t)) <= shared &&
               task.copies * 2 * cells <= task.part)
            task.copies *= 2;
        const bool known = task_.rules.ignoring;
        task.ignore_label = known ? task_.rules.ignore_label : -1;
        task.ignored = uint32_t(task_.rules.codes + (known ? 1 : 0));
        if (has_scores())
            return launch_tables<any_labels>(task, groups);
        if (!is_dense())
            return launch_tables<integer_labels>(task, groups);
        const label_type type = task_.labels[reference_side].type;
        if (type == label_type::uint32 && task.ignore_label == uint32_t(task.ignore_label))
            task.ignore_label = int32_t(task.ignore_label);
        with_type(read_as(type), [&]<class Label>(label_tag<Label>) {
            if (sizeof(Label) < sizeof(int64_t) && task.ignore_label != int32_t(task.ignore_label)) {
                task.ignore_label = -1; // no label of this type is ignored
                task.ignored = uint32_t(task_.rules.codes);
            }
            launch_tables<dense_labels<Label>>(task, groups);
        });
    }

    template <class Source>
    void launch_tables(const table_task &task, int64_t groups)
    {
        launch<count_in_tables<Source>>(where_, task.parts * groups,
                                        size_t(task.cells) * size_t(task.copies) * sizeof(uint32_t), task);
    }

    bool has_scores() const
    {
        return std::any_of(task_.labels, task_.labels + 2,
                           [](const label_view &view) { return view.kind != label_kind::index; });
    }

    // Whether dense_labels can read the labels: one integer type, contiguous, and equal alignment on both sides.
    bool is_dense() const
    {
        const label_view &reference = task_.labels[reference_side];
        const label_view &candidate = task_.labels[candidate_side];
        if (task_.rules.multilabel || read_as(reference.type) != read_as(candidate.type) || task_.space.axes != 1)
            return false;
        const position_axis &axis = task_.space.axis[0];
        const int64_t distance = reference.data - candidate.data;
        const int64_t group_distance =
            (task_.group_stride[reference_side] - task_.group_stride[candidate_side]) * label_size(reference.type);
        return axis.stride[reference_side] == 1 && axis.stride[candidate_side] == 1 && distance % 16 == 0 &&
               group_distance % 16 == 0;
    }

    // ---- Cells

    void run_cells(int64_t groups)
    {
        const int64_t begin = task_.first_group * task_.positions;
        const int64_t end = begin + groups * task_.positions;
        const int64_t most = task_.weights != nullptr ? largest_weighted : std::max<int64_t>(end - begin, 1);
        const int64_t lanes = lanes_of(task_.layout);
        const bool in_block = task_.weights != nullptr && fits_a_block(lanes * int64_t(sizeof(int64_t)));
        const int64_t block_lanes = in_block ? lanes : 0;
        for (int64_t first = begin; first < end || first == begin; first += most) {
            cell_task task{
                .labels = task_, .begin = first, .end = std::min(end, first + most), .block_lanes = block_lanes};
            task.labels.ends = task_.ends && task.end == end;
            if (has_scores())
                launch_cells<true>(task);
            else
                launch_cells<false>(task);
            if (task_.weights != nullptr) {
                const carry_weights::arguments sums{task_.cells, cells_of(task_.layout)};
                launch<carry_weights>(where_, divide_up(sums.count, carry_weights::threads), 0, sums);
            }
        }
    }

    template <bool scores>
    void launch_cells(const cell_task &task)
    {
        using kernel = count_in_cells<scores>;
        const int64_t most_blocks = task.block_lanes != 0 ? blocks_of_multiprocessor : 8;
        const int64_t blocks =
            std::clamp<int64_t>(divide_up(task.end - task.begin, kernel::threads), 1, multiprocessors_ * most_blocks);
        launch<kernel>(where_, blocks, kernel::bytes_of_totals + size_t(task.block_lanes) * sizeof(int64_t), task);
    }

    context &where_;
    workspace &memory_;
    const confusion_request &request_;
    const label_pair &pair_;
    label_task task_;
    int64_t multiprocessors_;
    int shared_bytes_ = 0;
};

} // namespace

void confusion(context &where, workspace &memory, const confusion_request &request)
{
    confusion_launches(where, memory, request).run();
}

} // namespace iqa::cuda
