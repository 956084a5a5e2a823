// SPDX-License-Identifier: MIT
// Labels to codes, and counting pairs of codes. Integers and comparisons only, so every instruction set gives the same
// result.
#pragma once

#include "arith/labels.h"
#include "cpu/confusion/kernels.hpp"
#include "cpu/isa/instruction_set.h"

namespace iqa::IQA_INSTRUCTION_SET {

// ---- Codes: a label below `classes` is its own code, any other one is `classes`, an ignored one `classes` + 1.

template <bool ignoring, class Unsigned, class Code, class Label>
static void code_run(const Label *__restrict labels, const label_run &run, Unsigned bound, Code *__restrict codes)
{
    const auto outside = Code(run.classes);
    const auto ignored = Code(run.classes + 1);
    const auto ignore_label = Label(run.ignore_label);
    const int64_t count = run.count; // copied, since bytes may alias anything
    const int64_t step = run.step;
    const auto code_of = [=](Label label) {
        return code_of_label<ignoring>(label, bound, outside, ignored, ignore_label);
    };
    if (step == 1) {
        for (int64_t i = 0; i < count; ++i)
            codes[i] = code_of(labels[i]);
    } else {
        for (int64_t i = 0; i < count; ++i)
            codes[i] = code_of(labels[i * step]);
    }
}

// `Unsigned` is wide enough for the bound: the class count, or less if the type has no larger labels.
template <class Label, class Unsigned, class Code>
static void code_labels_as(const label_run &run, Code *codes)
{
    constexpr bool is_signed = Label(-1) < Label(0);
    constexpr auto largest = Unsigned(-1);
    constexpr uint64_t limit = is_signed ? uint64_t(largest / 2) + 1 : uint64_t(largest);
    const auto bound = Unsigned(uint64_t(run.classes) < limit ? uint64_t(run.classes) : limit);
    const auto *labels = static_cast<const Label *>(run.data);
    const bool is_label = int64_t(Label(run.ignore_label)) == run.ignore_label && (is_signed || run.ignore_label >= 0);
    if (run.ignoring && is_label)
        code_run<true, Unsigned>(labels, run, bound, codes);
    else
        code_run<false, Unsigned>(labels, run, bound, codes);
}

template <class Code>
struct unsigned_for; // the types of comparison of narrow labels

template <>
struct unsigned_for<uint8_t> {
    using of_8_bits = uint8_t;
    using of_16_bits = uint16_t;
};

template <>
struct unsigned_for<uint32_t> {
    using of_8_bits = uint32_t;
    using of_16_bits = uint32_t;
};

template <class Code>
static void code_labels_in(const label_run &run, Code *codes)
{
    using narrow = typename unsigned_for<Code>::of_8_bits;
    using medium = typename unsigned_for<Code>::of_16_bits;
    switch (run.type) {
    case label_type::boolean:
    case label_type::uint8:
        return code_labels_as<uint8_t, narrow>(run, codes);
    case label_type::int8:
        return code_labels_as<int8_t, narrow>(run, codes);
    case label_type::uint16:
        return code_labels_as<uint16_t, medium>(run, codes);
    case label_type::int16:
        return code_labels_as<int16_t, medium>(run, codes);
    case label_type::uint32:
        return code_labels_as<uint32_t, uint32_t>(run, codes);
    case label_type::int32:
        return code_labels_as<int32_t, uint32_t>(run, codes);
    case label_type::uint64:
        return code_labels_as<uint64_t, uint64_t>(run, codes);
    default:
        return code_labels_as<int64_t, uint64_t>(run, codes);
    }
}

// ---- Pairs. Label maps are long runs of one pair. Adding 1 to the same count again and again would wait for the store
// before each load, so runs are added at once, and other pairs are spread over several copies of the table.

constexpr int pair_run = 32;

// True if all cells are equal. Most runs of unequal cells fail the first comparison.
template <class Cell>
static bool is_run(const Cell *cells, int length)
{
    const Cell first = cells[0];
    if (cells[length - 1] != first || cells[length / 2] != first)
        return false;
    Cell difference = 0;
    for (int k = 1; k < length; ++k)
        difference = Cell(difference | (cells[k] ^ first));
    return difference == 0;
}

// The labels of the next block are prefetched while this one is counted, so that reading them does not wait.
struct upcoming_labels {
    const char *next[2];
    int64_t bytes[2];

    upcoming_labels(const code_pairs &pairs, int64_t labels_at_once)
    {
        for (int side = 0; side < 2; ++side) {
            next[side] = static_cast<const char *>(pairs.upcoming[side]);
            bytes[side] = pairs.upcoming_size[side] * labels_at_once;
        }
    }

    void fetch()
    {
        constexpr int64_t line = 64;
        for (int side = 0; side < 2; ++side) {
            for (int64_t at = 0; at < bytes[side]; at += line)
                __builtin_prefetch(next[side] + at);
            next[side] += bytes[side];
        }
    }
};

static void count_byte_pairs(const code_pairs &pairs, uint32_t *tables, int64_t stride, int copies)
{
    uint16_t cells[label_block];
    const auto *__restrict rows = static_cast<const uint8_t *>(pairs.rows);
    const auto *__restrict columns = static_cast<const uint8_t *>(pairs.columns);
    const auto length = uint16_t(pairs.row_length);
    const int64_t count = pairs.count;
    for (int64_t i = 0; i < count; ++i)
        cells[i] = uint16_t(rows[i] * length + columns[i]);
    uint32_t *const copy_0 = tables;
    uint32_t *const copy_1 = tables + (1 & (copies - 1)) * stride;
    uint32_t *const copy_2 = tables + (2 & (copies - 1)) * stride;
    uint32_t *const copy_3 = tables + (3 & (copies - 1)) * stride;
    upcoming_labels upcoming(pairs, pair_run);
    int64_t i = 0;
    for (; i + pair_run <= count; i += pair_run) {
        upcoming.fetch();
        if (is_run(cells + i, pair_run)) {
            copy_0[cells[i]] += pair_run;
            continue;
        }
        IQA_UNROLL
        for (int k = 0; k < pair_run; k += 4) {
            ++copy_0[cells[i + k]];
            ++copy_1[cells[i + k + 1]];
            ++copy_2[cells[i + k + 2]];
            ++copy_3[cells[i + k + 3]];
        }
    }
    for (; i < count; ++i)
        ++copy_0[cells[i]];
}

static void count_pairs(const code_pairs &pairs, uint32_t *table)
{
    constexpr int part = label_block / 2;
    constexpr int run = pair_run / 2;
    uint32_t cells[part];
    const auto length = uint32_t(pairs.row_length);
    upcoming_labels upcoming(pairs, run);
    for (int64_t first = 0; first < pairs.count; first += part) {
        const auto *__restrict rows = static_cast<const uint32_t *>(pairs.rows) + first;
        const auto *__restrict columns = static_cast<const uint32_t *>(pairs.columns) + first;
        const int64_t count = pairs.count - first < part ? pairs.count - first : int64_t(part);
        for (int64_t i = 0; i < count; ++i)
            cells[i] = rows[i] * length + columns[i];
        int64_t i = 0;
        for (; i + run <= count; i += run) {
            upcoming.fetch();
            if (is_run(cells + i, run)) {
                table[cells[i]] += run;
                continue;
            }
            IQA_UNROLL
            for (int k = 0; k < run; ++k)
                ++table[cells[i + k]];
        }
        for (; i < count; ++i)
            ++table[cells[i]];
    }
}

} // namespace iqa::IQA_INSTRUCTION_SET
