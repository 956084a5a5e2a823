// SPDX-License-Identifier: MIT
// Weights to integers, and sums of them for pairs of codes. Integers, and floating-point steps without rounding, so
// every instruction set gives the same result.
#pragma once

#include "arith/labels.h"
#include "cpu/confusion/kernels.hpp"
#include "cpu/confusion/labels.inl"
#include "cpu/isa/instruction_set.h"

namespace iqa::IQA_INSTRUCTION_SET {

typedef int64_t weight_parts __attribute__((vector_size(weight_part_count * sizeof(int64_t)), may_alias));

static inline weight_parts *parts_at(int64_t *lanes)
{
    return reinterpret_cast<weight_parts *>(lanes);
}

// The parts of a weight, exact if all of its bits lie on the lower grid. The upper part is rounded, so that the lower
// one has a sign.
IQA_HD_LOOP void split_weight(double weight, int64_t &upper, int64_t &lower)
{
    const double upper_anchor = integer_anchor * power_of_two(upper_weight_exponent);
    const double lower_anchor = integer_anchor * power_of_two(lower_weight_exponent);
    const double anchored = weight + upper_anchor;
    const double rest = weight - (anchored - upper_anchor);
    upper = int64_t(bits_of(anchored) - bits_of(upper_anchor));
    lower = int64_t(bits_of(rest + lower_anchor) - bits_of(lower_anchor));
}

constexpr int weights_at_once = 64;

// Do all weights split? They are 0, or below the limit and so large that no bit lies below the lower grid: as unsigned
// integers the bits of positive numbers have their order, and those of others are larger.
template <class Weight>
static bool weights_split(const Weight *weights)
{
    using bits = decltype(bits_of(Weight()));
    constexpr int mantissa_bits = sizeof(Weight) == sizeof(float) ? 23 : 52;
    bits most = 0;
    bits least = ~bits(0); // of all but 0, less 1
    for (int i = 0; i < weights_at_once; ++i) {
        const bits weight = bits_of(weights[i]);
        most = weight > most ? weight : most;
        least = weight - 1 < least ? weight - 1 : least;
    }
    return most < bits_of(Weight(split_weight_limit)) &&
           least >= bits_of(Weight(power_of_two(lower_weight_exponent + mantissa_bits))) - 1;
}

template <class Weight>
static bool sum_weights_of(const weight_run &run, int64_t *sums)
{
    const auto *weights = static_cast<const Weight *>(run.data);
    bool split = true;
    weight_parts sum = *parts_at(sums);
    for (int64_t from = 0; from < run.count; from += weights_at_once) {
        Weight copied[weights_at_once];
        const Weight *some = weights + from;
        int count = weights_at_once;
        if (run.step != 1 || run.count - from < count) {
            count = run.count - from < count ? int(run.count - from) : count;
            for (int i = 0; i < weights_at_once; ++i)
                copied[i] = i < count ? weights[(from + i) * run.step] : Weight(0);
            some = copied;
        }
        split = weights_split(some) && split;
        int64_t upper[weights_at_once];
        int64_t lower[weights_at_once];
        for (int i = 0; i < weights_at_once; ++i)
            split_weight(some[i], upper[i], lower[i]);
        for (int i = 0; i < count; ++i) {
            sum += weight_parts{lower[i], upper[i]};
            sums += weight_part_count;
            *parts_at(sums) = sum;
        }
    }
    return split;
}

// Stores the sum of `sums` and each beginning of the run behind it. False if a weight does not split.
static bool sum_weights(const weight_run &run, int64_t *sums)
{
    return run.type == label_type::float32 ? sum_weights_of<float>(run, sums) : sum_weights_of<double>(run, sums);
}

// Copies as those of counts. What a run adds is a difference of sums.
struct table_of_weights {
    weight_parts *copy[4];
    const weight_parts *sums;

    table_of_weights(const weight_tables &tables)
        : copy{parts_at(tables.first), parts_at(tables.first + (1 & (tables.copies - 1)) * tables.stride),
               parts_at(tables.first + (2 & (tables.copies - 1)) * tables.stride),
               parts_at(tables.first + (3 & (tables.copies - 1)) * tables.stride)},
          sums(parts_at(tables.sums))
    {
    }

    void add(int neighbour, uint32_t cell, int64_t begin, int64_t end) const
    {
        copy[neighbour & 3][cell] += sums[end] - sums[begin];
    }
};

// These loops are not shared with counts: with what they add as an argument, counts of noise took twice as long.
static void add_weights_of_runs(const uint8_t *rows, const uint8_t *columns, uint32_t row_length, int begin,
                                const listed_runs &runs, upcoming_labels &upcoming, const table_of_weights table)
{
    const auto add_until = [&](int last, int neighbour) {
        table.add(neighbour, rows[last] * row_length + columns[last], begin, last + 1);
        begin = last + 1;
    };
    upcoming.fetch((runs.end - begin) / 2);
    int i = 0;
    for (; i + 4 <= runs.count; i += 4) {
        IQA_UNROLL
        for (int k = 0; k < 4; ++k)
            add_until(runs.last[i + k], k);
    }
    for (; i < runs.count; ++i)
        add_until(runs.last[i], i);
    if (begin < runs.end)
        add_until(runs.end - 1, 0);
}

static void add_each_weight(const uint8_t *rows, const uint8_t *columns, uint32_t row_length, int begin, int end,
                            upcoming_labels &upcoming, const table_of_weights table)
{
    constexpr int part = 32;
    uint16_t cells[part];
    for (; begin < end; begin += part) {
        upcoming.fetch(part);
        // Codes behind the last pair are read, and not added.
        for (int k = 0; k < part; ++k)
            cells[k] = uint16_t(rows[begin + k] * uint16_t(row_length) + columns[begin + k]);
        const int count = end - begin < part ? end - begin : part;
        int k = 0;
        for (; k + 4 <= count; k += 4) {
            table.add(0, cells[k], begin + k, begin + k + 1);
            table.add(1, cells[k + 1], begin + k + 1, begin + k + 2);
            table.add(2, cells[k + 2], begin + k + 2, begin + k + 3);
            table.add(3, cells[k + 3], begin + k + 3, begin + k + 4);
        }
        for (; k < count; ++k)
            table.add(0, cells[k], begin + k, begin + k + 1);
    }
}

// How many pairs are ignored, or else have an invalid label.
static code_counters count_codes(const code_pairs &pairs)
{
    const auto *rows = static_cast<const uint8_t *>(pairs.rows);
    const auto *columns = static_cast<const uint8_t *>(pairs.columns);
    const int64_t outside = pairs.row_length - 1;
    lanes_bytes ignored = {};
    lanes_bytes invalid = {};
    int64_t i = 0;
    for (; i + compared_lanes <= pairs.count; i += compared_lanes) {
        const lanes_bytes row = load_bytes(rows + i);
        const lanes_bytes is_ignored = row == int8_t(outside + 1);
        ignored -= is_ignored;
        invalid -= (row == int8_t(outside)) | ((load_bytes(columns + i) == int8_t(outside)) & ~is_ignored);
    }
    code_counters counters{sum_of_bytes(ignored), sum_of_bytes(invalid)};
    for (; i < pairs.count; ++i) {
        counters.ignored += rows[i] > outside;
        counters.invalid += rows[i] == outside || (columns[i] == outside && rows[i] < outside);
    }
    return counters;
}

// Runs that are listed, and each pair where they are short, as for counts.
static code_counters add_weights(const code_pairs &pairs, const weight_tables &tables)
{
    const auto *rows = static_cast<const uint8_t *>(pairs.rows);
    const auto *columns = static_cast<const uint8_t *>(pairs.columns);
    const auto row_length = uint32_t(pairs.row_length);
    const int count = int(pairs.count);
    const table_of_weights table(tables);
    upcoming_labels upcoming(pairs);
    listed_runs runs;
    for (int done = 0; done < count;) {
        list_runs(rows, columns, done, count, upcoming, runs);
        add_weights_of_runs(rows, columns, row_length, done, runs, upcoming, table);
        const int short_runs = count - runs.end < each_pairs<uint8_t> ? count - runs.end : each_pairs<uint8_t>;
        done = runs.end + short_runs;
        add_each_weight(rows, columns, row_length, runs.end, done, upcoming, table);
    }
    return count_codes(pairs);
}

} // namespace iqa::IQA_INSTRUCTION_SET
