// SPDX-License-Identifier: MIT
// Counts pairs of labels in tables of 32-bit counts in shared memory (see arith/confusion.h), for as many classes as
// fit there.
//
// A block has up to 32 copies of a table, interleaved: counter = cell * copies + thread % copies. With 32 copies each
// lane of a warp has its bank, and no lane waits for another. With fewer copies lanes may wait. Every pair adds the
// constant 1, so the compiler can use the increment that counts equal addresses of a warp at once.
//
// Dense labels of b bytes take 2b bytes from memory and, for sm_90 and bytes, 10 instructions for a pair: 6 for the
// integer units (extract each label and limit it, compare the reference with the ignored label and replace it), 2
// multiplications for the address, the addition, and a part of the loop. An H200's memory brings a multiprocessor about
// 10.4 pairs of bytes a clock, 5.2 of 16 bits, 2.6 of 32 or 1.3 of 64; its integer units, 64 lanes a clock, do 10.6
// pairs of bytes. From 16 bits on the memory is the bottleneck.
#pragma once

#include <type_traits>

#include "cuda/confusion/labels.h"

namespace iqa::cuda {

struct table_task {
    label_task labels;
    int64_t parts;  // blocks of a group
    int64_t part;   // positions of a block, fewer than 2^31
    int32_t copies; // a power of two up to 32
    int32_t cells;  // of a table; a multilabel task has a table for each class
    // The ignored label of dense labels, and its code.
    int64_t ignore_label;
    uint32_t ignored;
};

// The counters of a thread, addressed in bytes: one multiplication and addition less than by index.
class table_counters {
public:
    IQA_KERNEL table_counters(char *counters, int copies, int thread)
        : counters_(counters),
          step_(uint32_t(copies) * uint32_t(sizeof(uint32_t))),
          offset_(uint32_t(thread & (copies - 1)) * uint32_t(sizeof(uint32_t)))
    {
    }

    IQA_KERNEL void count(uint32_t cell)
    {
        add(reinterpret_cast<uint32_t *>(counters_ + (cell * step_ + offset_)), 1u);
    }

private:
    char *counters_;
    uint32_t step_, offset_;
};

// ---- Sources of pairs: count(task, group, begin, end, thread, counters) counts one thread's share.

// Labels of any kind and strides.
struct any_labels {
    static constexpr bool has_scores = true;
    static constexpr int threads = 512;

    IQA_KERNEL static void count(const table_task &task, int64_t group, int64_t begin, int64_t end, int thread,
                                 table_counters counters)
    {
        const auto length = uint32_t(row_length(task.labels.rules.codes));
        const auto cells_of_label = uint32_t(table_cells(task.labels.rules.codes));
        for (int64_t position = begin + thread; position < end; position += threads) {
            const label_offsets offsets = offsets_of(task.labels, group, position);
            const label_codes codes = codes_of<true>(task.labels, offsets);
            counters.count(uint32_t(offsets.value[label_index]) * cells_of_label + codes.row * length + codes.column);
        }
    }
};

// Integer labels of any types and strides. The labels of several positions are loaded before the first is counted.
struct integer_labels {
    static constexpr bool has_scores = false;
    static constexpr int threads = 512;
    static constexpr int at_once = 2;

    IQA_KERNEL static void count(const table_task &task, int64_t group, int64_t begin, int64_t end, int thread,
                                 table_counters counters)
    {
        const label_task &labels = task.labels;
        const auto length = uint32_t(row_length(labels.rules.codes));
        const auto cells_of_label = uint32_t(table_cells(labels.rules.codes));
        for (int64_t first = begin + thread; first < end; first += threads * at_once) {
            int64_t reference[at_once];
            int64_t candidate[at_once];
            uint32_t table[at_once];
            IQA_UNROLL_ON_GPU
            for (int i = 0; i < at_once; ++i) {
                const int64_t position = first + i * threads;
                const label_offsets offsets = offsets_of(labels, group, position < end ? position : first);
                reference[i] = label_of<false>(labels, reference_side, offsets.value[reference_side]);
                candidate[i] = label_of<false>(labels, candidate_side, offsets.value[candidate_side]);
                table[i] = uint32_t(offsets.value[label_index]) * cells_of_label;
            }
            IQA_UNROLL_ON_GPU
            for (int i = 0; i < at_once; ++i)
                if (first + i * threads < end)
                    counters.count(table[i] + code_of_row(labels.rules, reference[i]) * length +
                                   code_of_column(labels.rules, candidate[i]));
        }
    }
};

// Contiguous labels of one integer type, with equal alignment on both sides.
template <class Label>
struct dense_labels {
    static constexpr bool has_scores = false;
    static constexpr int threads = 512;
    static constexpr int labels_of_vector = 16 / int(sizeof(Label));
    static constexpr int vectors = sizeof(Label) == 1 ? 2 : 4; // of each side at once

    struct alignas(16) vector {
        uint32_t words[4];

        IQA_KERNEL Label label(int i) const
        {
            if constexpr (sizeof(Label) == 8)
                return Label(uint64_t(words[2 * i + 1]) << 32 | words[2 * i]);
            else if constexpr (sizeof(Label) == 4)
                return Label(words[i]);
            else
                return Label(part_of(words[i * int(sizeof(Label)) / 4], i * int(sizeof(Label)) % 4));
        }
    };

    IQA_KERNEL static void count(const table_task &task, int64_t group, int64_t begin, int64_t end, int thread,
                                 table_counters counters)
    {
        using wide = std::conditional_t<sizeof(Label) == 8, int64_t, int32_t>;
        using positive = std::conditional_t<sizeof(Label) == 8, uint64_t, uint32_t>;
        const auto *rows = first(task, reference_side, group) + begin;
        const auto *columns = first(task, candidate_side, group) + begin;
        const auto codes = uint32_t(task.labels.rules.codes);
        const uint32_t length = codes + 1;
        const uint32_t ignored = task.ignored;
        const auto ignore_label = wide(task.ignore_label);
        const auto count_pair = [&](Label reference, Label candidate) {
            const uint32_t row = code_of_label<true>(wide(reference), positive(codes), codes, ignored, ignore_label);
            const uint32_t column = code_of_label<false>(wide(candidate), positive(codes), codes, codes, wide(0));
            counters.count(row * length + column);
        };
        const int pairs = int(end - begin);
        const int unaligned = labels_before_vector(rows);
        const int head = unaligned < pairs ? unaligned : pairs;
        const int whole = (pairs - head) / labels_of_vector;
        const int tail = head + whole * labels_of_vector;
        if (thread < head)
            count_pair(rows[thread], columns[thread]);
        if (thread < pairs - tail)
            count_pair(rows[tail + thread], columns[tail + thread]);
        const auto *row_vectors = reinterpret_cast<const vector *>(rows + head);
        const auto *column_vectors = reinterpret_cast<const vector *>(columns + head);
        for (int next = thread; next < whole; next += threads * vectors) {
            vector row[vectors];
            vector column[vectors];
            for (int i = 0; i < vectors; ++i)
                if (next + i * threads < whole) {
                    row[i] = row_vectors[next + i * threads];
                    column[i] = column_vectors[next + i * threads];
                }
            for (int i = 0; i < vectors; ++i)
                if (next + i * threads < whole)
                    for (int k = 0; k < labels_of_vector; ++k)
                        count_pair(row[i].label(k), column[i].label(k));
        }
    }

private:
    // The word, shifted so that `byte` is its lowest byte.
    IQA_KERNEL static uint32_t part_of(uint32_t word, int byte)
    {
#if defined(__CUDA_ARCH__)
        if constexpr (sizeof(Label) == 1 && Label(-1) > Label(0))
            return __byte_perm(word, 0, 0x4440 + byte); // other types need one instruction anyway
#endif
        return word >> (8 * byte);
    }

    IQA_KERNEL static int labels_before_vector(const Label *labels)
    {
        return int((0 - reinterpret_cast<uintptr_t>(labels)) % sizeof(vector) / sizeof(Label));
    }

    IQA_KERNEL static const Label *first(const table_task &task, int side, int64_t group)
    {
        return reinterpret_cast<const Label *>(task.labels.labels[side].data) + group * task.labels.group_stride[side];
    }
};

// ---- The kernel

template <class Source>
struct count_in_tables {
    using arguments = table_task;
    static constexpr int threads = Source::threads;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &task)
    {
        const label_task &labels = task.labels;
        auto *counters = reinterpret_cast<uint32_t *>(block.shared());
        const int64_t group = labels.first_group + block.index() / task.parts;
        const int64_t begin = block.index() % task.parts * task.part;
        const int64_t end = begin + task.part < labels.positions ? begin + task.part : labels.positions;
        if (begin < end) {
            block.each(task.cells * task.copies, [&](int i) { counters[i] = 0; });
            block.each(threads, [&](int thread) {
                Source::count(task, group, begin, end, thread, table_counters(block.shared(), task.copies, thread));
            });
            add_table(block, task, group, begin, end);
        }
        end_launch<Source::has_scores>(block, labels);
    }

private:
    // Adds the block's table to the state's cells.
    template <class Block>
    IQA_KERNEL static void add_table(Block &block, const table_task &task, int64_t group, int64_t begin, int64_t end)
    {
        const label_task &labels = task.labels;
        const label_rules &rules = labels.rules;
        const auto *counters = reinterpret_cast<const uint32_t *>(block.shared());
        const int copies = task.copies;
        const auto sum_of_copies = [&](int cell) {
            uint32_t sum = 0;
            for (int i = 0; i < copies; ++i)
                sum += counters[cell * copies + ((i + cell) & (copies - 1))]; // each thread uses another bank
            return int64_t(sum);
        };
        const int length = int(row_length(rules.codes));
        const int cells_of_label = int(table_cells(rules.codes));
        const int64_t counted = block.sum(task.cells, [&](int cell) {
            const int label = cell / cells_of_label;
            const int rest = cell - label * cells_of_label;
            const label_codes codes{uint32_t(rest / length), uint32_t(rest % length)};
            if (is_ignored(rules, codes) || (is_invalid(rules, codes) && !rules.invalid_is_wrong))
                return int64_t(0);
            const int64_t count = sum_of_copies(cell);
            if (count != 0)
                add_pairs(labels, group, label, codes, count);
            return count;
        });
        const int64_t ignored = block.sum(task.cells, [&](int cell) {
            return cell % cells_of_label >= cells_of_label - length ? sum_of_copies(cell) : int64_t(0);
        });
        const int64_t invalid = block.sum(task.cells, [&](int cell) {
            const int rest = cell % cells_of_label;
            const label_codes codes{uint32_t(rest / length), uint32_t(rest % length)};
            return is_invalid(rules, codes) ? sum_of_copies(cell) : int64_t(0);
        });
        block.each(1, [&](int) {
            add_elements(labels.layout, labels.cells, counted);
            if (labels.sample_cells != nullptr)
                add_elements(labels.sample_layout, cells_of_sample(labels, group), counted);
            if (ignored != 0)
                add(&labels.counters[ignored_counter], ignored);
            if (invalid != 0)
                add(&labels.counters[invalid_counter], invalid);
        });
        if (invalid != 0 && rules.invalid_is_error)
            block.each(threads, [&](int thread) {
                for (int64_t position = begin + thread; position < end; position += threads)
                    keep_if_invalid<Source::has_scores>(labels, group, position);
            });
    }
};

} // namespace iqa::cuda
