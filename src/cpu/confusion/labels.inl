// SPDX-License-Identifier: MIT
// Labels to codes, and counting pairs of codes. Integers and comparisons only, so every instruction set gives the same
// result.
#pragma once

#include "arith/confusion.h"
#include "arith/labels.h"
#include "cpu/confusion/kernels.hpp"
#include "cpu/isa/instruction_set.h"

namespace iqa::IQA_INSTRUCTION_SET {

// ---- Codes: a label below `classes` is its own code, any other one is `classes`, an ignored one `classes` + 1.

// The rules are applied to numbers of the labels' size, and the codes are narrowed last, as vectors do it quickly.
// `Unsigned` has room for the codes, and negative labels are too large in it.
template <bool ignoring, class Unsigned, class Code, class Label>
static void code_run(const Label *__restrict labels, const label_run &run, Code *__restrict codes)
{
    const auto classes = Unsigned(run.classes);
    const auto ignored = Unsigned(run.classes + 1);
    const auto ignore_label = Label(run.ignore_label);
    const int64_t count = run.count; // copied, since bytes may alias anything
    const int64_t step = run.step;
    const auto code_of = [=](Label label) {
        return Code(code_of_label<ignoring>(label, classes, classes, ignored, ignore_label));
    };
    if (step == 1) {
        for (int64_t i = 0; i < count; ++i)
            codes[i] = code_of(labels[i]);
    } else {
        for (int64_t i = 0; i < count; ++i)
            codes[i] = code_of(labels[i * step]);
    }
}

template <class Label, class Unsigned, class Code>
static void code_labels_as(const label_run &run, Code *codes)
{
    constexpr bool is_signed = Label(-1) < Label(0);
    const auto *labels = static_cast<const Label *>(run.data);
    const bool is_label = int64_t(Label(run.ignore_label)) == run.ignore_label && (is_signed || run.ignore_label >= 0);
    if (run.ignoring && is_label)
        code_run<true, Unsigned>(labels, run, codes);
    else
        code_run<false, Unsigned>(labels, run, codes);
}

template <class Code>
struct unsigned_for; // the types of comparison of narrow labels

template <>
struct unsigned_for<uint8_t> {
    using of_uint8 = uint8_t;
    using of_int8 = uint16_t; // more classes than an int8 has may be counted in bytes
    using of_16_bits = uint16_t;
};

template <>
struct unsigned_for<uint16_t> {
    using of_uint8 = uint16_t;
    using of_int8 = uint16_t;
    using of_16_bits = uint16_t;
};

template <>
struct unsigned_for<uint32_t> {
    using of_uint8 = uint32_t;
    using of_int8 = uint32_t;
    using of_16_bits = uint32_t;
};

template <class Code>
static void code_labels_in(const label_run &run, Code *codes)
{
    using types = unsigned_for<Code>;
    switch (run.type) {
    case label_type::boolean:
    case label_type::uint8:
        return code_labels_as<uint8_t, typename types::of_uint8>(run, codes);
    case label_type::int8:
        return code_labels_as<int8_t, typename types::of_int8>(run, codes);
    case label_type::uint16:
        return code_labels_as<uint16_t, typename types::of_16_bits>(run, codes);
    case label_type::int16:
        return code_labels_as<int16_t, typename types::of_16_bits>(run, codes);
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

// ---- Pairs. Few classes: many codes at once are compared with each. Else label maps are long runs of one pair, which
// are listed, and each is one addition. Blocks of short runs are counted pair by pair.

// The labels of the next block are prefetched while this one is counted, so that reading them does not wait.
class upcoming_labels {
public:
    explicit upcoming_labels(const code_pairs &pairs) : left_(pairs.count)
    {
        for (int side = 0; side < 2; ++side) {
            next_[side] = static_cast<const char *>(pairs.upcoming[side]);
            bytes_[side] = pairs.upcoming_size[side];
        }
    }

    // The next ones, if there are any.
    void fetch(int64_t labels)
    {
        constexpr int64_t line = 64;
        labels = labels < left_ ? labels : left_;
        left_ -= labels;
        for (int side = 0; side < 2; ++side) {
            const int64_t bytes = labels * bytes_[side];
            for (int64_t at = 0; at < bytes; at += line)
                __builtin_prefetch(next_[side] + at);
            next_[side] += bytes;
        }
    }

private:
    int64_t left_;
    const char *next_[2];
    int64_t bytes_[2];
};

constexpr int compared_lanes = int(sizeof(lanes_bytes));
constexpr int compared_pairs = 8; // counts at once, for which there are registers

static inline lanes_bytes load_bytes(const uint8_t *from)
{
    lanes_bytes bytes;
    __builtin_memcpy(&bytes, from, sizeof bytes);
    return bytes;
}

// The sum of bytes from 0 to 127.
static inline uint32_t sum_of_bytes(const lanes_bytes &bytes)
{
    constexpr uint64_t every_other = 0x00ff00ff00ff00ff;
    uint64_t words[sizeof bytes / sizeof(uint64_t)];
    __builtin_memcpy(words, &bytes, sizeof bytes);
    uint64_t sums = 0;
    for (const uint64_t word : words)
        sums += (word & every_other) + (word >> 8 & every_other);
    return uint32_t(sums * 0x0001000100010001 >> 48);
}

// Counts the pairs of some rows, from `first` on, in vectors of codes. Returns the sum of the counts.
template <int classes, int some>
static uint32_t compare_rows(const uint8_t *rows, const uint8_t *columns, int vectors, int first, uint32_t *counts)
{
    static_assert(label_block / compared_lanes < 128);
    lanes_bytes found[some * classes] = {};
    for (int i = 0; i < vectors; ++i) {
        const lanes_bytes row = load_bytes(rows + i * compared_lanes);
        const lanes_bytes column = load_bytes(columns + i * compared_lanes);
        lanes_bytes in_column[classes];
        IQA_UNROLL
        for (int c = 0; c < classes; ++c)
            in_column[c] = column == int8_t(c);
        IQA_UNROLL
        for (int r = 0; r < some; ++r) {
            const lanes_bytes in_row = row == int8_t(first + r);
            IQA_UNROLL
            for (int c = 0; c < classes; ++c)
                found[r * classes + c] -= in_row & in_column[c];
        }
    }
    uint32_t sum = 0;
    IQA_UNROLL
    for (int i = 0; i < some * classes; ++i)
        sum += counts[i] = sum_of_bytes(found[i]);
    return sum;
}

// False if a label is outside the classes, which nothing is compared with: then nothing was counted.
template <int classes>
static bool compare_codes(const uint8_t *rows, const uint8_t *columns, int vectors, uint32_t *table)
{
    constexpr int at_once = compared_pairs / classes < classes ? compared_pairs / classes : classes;
    constexpr int rest = classes % at_once;
    lanes_bytes found = {};
    for (int i = 0; i < vectors; ++i)
        found -= load_bytes(rows + i * compared_lanes) == int8_t(classes + 1);
    const uint32_t ignored = sum_of_bytes(found);
    uint32_t counts[classes][classes];
    uint32_t sum = ignored;
    for (int row = 0; row + at_once <= classes; row += at_once)
        sum += compare_rows<classes, at_once>(rows, columns, vectors, row, counts[row]);
    if constexpr (rest > 0)
        sum += compare_rows<classes, rest>(rows, columns, vectors, classes - rest, counts[classes - rest]);
    if (sum != uint32_t(vectors * compared_lanes))
        return false;
    constexpr int64_t length = row_length(classes);
    for (int row = 0; row < classes; ++row)
        for (int column = 0; column < classes; ++column)
            table[row * length + column] += counts[row][column];
    table[(classes + 1) * length] += ignored; // in any column
    return true;
}

// Returns how many pairs it counted: whole vectors, or none. With 5 classes baseline's table is faster on noise, and
// listing runs is for every set.
static inline int compare_pairs(const code_pairs &pairs, uint32_t *table)
{
    const auto *rows = static_cast<const uint8_t *>(pairs.rows);
    const auto *columns = static_cast<const uint8_t *>(pairs.columns);
    const int vectors = int(pairs.count) / compared_lanes;
    bool done = false;
    if (pairs.row_length == row_length(2))
        done = compare_codes<2>(rows, columns, vectors, table);
    else if (pairs.row_length == row_length(3))
        done = compare_codes<3>(rows, columns, vectors, table);
    else if (pairs.row_length == row_length(4))
        done = compare_codes<4>(rows, columns, vectors, table);
    return done ? vectors * compared_lanes : 0;
}

// Neighbours go to several copies of the table, since adding to the same count again and again would wait for the store
// before each load.
struct table_copies {
    uint32_t *copy[4];

    table_copies(const count_tables &tables)
        : copy{tables.first, tables.first + (1 & (tables.copies - 1)) * tables.stride,
               tables.first + (2 & (tables.copies - 1)) * tables.stride,
               tables.first + (3 & (tables.copies - 1)) * tables.stride}
    {
    }

    void add_one(int neighbour, uint32_t cell) { ++copy[neighbour & 3][cell]; }
    void add(int neighbour, uint32_t cell, uint32_t pairs) { copy[neighbour & 3][cell] += pairs; }
};

// Counts of 16 bits are half as many bytes, of which more stay in the second cache.
struct table_with_carries {
    uint16_t *counts;
    uint32_t *carried;
    int64_t carries;

    void add_one(int, uint32_t cell)
    {
        if (++counts[cell] == 0) [[unlikely]]
            carried[carries++] = cell;
    }
    void add(int, uint32_t cell, uint32_t pairs)
    {
        const uint32_t sum = counts[cell] + pairs;
        counts[cell] = uint16_t(sum);
        if (sum >= pairs_of_carry) [[unlikely]]
            carried[carries++] = cell;
    }
};

constexpr int word_pairs = 64; // whose ends of runs are the bits of a word
constexpr int usual_runs = 6;  // in it
constexpr int many_runs = 18;
constexpr int most_runs = 24; // more take longer than counting each pair

// Compilers make one instruction of it, or, where there is none, no call of their own library.
static inline int bits_set(uint64_t word)
{
    word -= word >> 1 & 0x5555555555555555;
    word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
    word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return int(word * 0x0101010101010101 >> 56);
}

// The runs from some pair on.
struct listed_runs {
    int end; // of the pairs that they hold; the last run may go on
    int count;
    uint16_t last[label_block + many_runs]; // pair of each run
};

// Lists runs from `first` on, up to where they are short. Inlined, so that what is prefetched stays in registers.
template <class Code>
IQA_HD_LOOP void list_runs(const Code *rows, const Code *columns, int first, int count, upcoming_labels &upcoming,
                           listed_runs &runs)
{
    constexpr uint64_t last = uint64_t(1) << (word_pairs - 1);
    runs.count = 0;
    for (; first < count; first += word_pairs) {
        uint64_t left = unequal(rows + first, rows + first + 1) | unequal(columns + first, columns + first + 1);
        const int beyond = first + word_pairs - count;
        if (beyond >= 0)
            left = (left << beyond | last) >> beyond;
        const int found = bits_set(left);
        if (found > most_runs)
            break;
        upcoming.fetch(word_pairs / 2);
        // No processor foresees how many runs there are: some more are stored, and overwritten.
        const auto store = [&](int k) {
            runs.last[runs.count + k] = uint16_t(first + __builtin_ctzll(left | last));
            left &= left - 1;
        };
        IQA_UNROLL
        for (int k = 0; k < usual_runs; ++k)
            store(k);
        if (found > usual_runs) {
            IQA_UNROLL
            for (int k = usual_runs; k < many_runs; ++k)
                store(k);
            for (int k = many_runs; k < found; ++k)
                store(k);
        }
        runs.count += found;
    }
    runs.end = first < count ? first : count;
}

template <class Code, class Table>
static void add_runs(const Code *rows, const Code *columns, uint32_t row_length, int begin, const listed_runs &runs,
                     upcoming_labels &upcoming, Table &table)
{
    const auto add_until = [&](int last, int neighbour) {
        table.add(neighbour, rows[last] * row_length + columns[last], uint32_t(last + 1 - begin));
        begin = last + 1;
    };
    const int labels_of_four = (runs.end - begin) / 2 / (runs.count / 4 + 1);
    int i = 0;
    for (; i + 4 <= runs.count; i += 4) {
        upcoming.fetch(labels_of_four);
        add_until(runs.last[i], 0);
        add_until(runs.last[i + 1], 1);
        add_until(runs.last[i + 2], 2);
        add_until(runs.last[i + 3], 3);
    }
    for (; i < runs.count; ++i)
        add_until(runs.last[i], i);
    if (begin < runs.end)
        add_until(runs.end - 1, 0);
}

template <class Code>
struct cell_of;

template <>
struct cell_of<uint8_t> {
    using type = uint16_t;
};

template <>
struct cell_of<uint16_t> {
    using type = uint32_t;
};

template <class Code>
constexpr int each_pairs = 1024 / int(sizeof(typename cell_of<Code>::type)); // at once

template <class Code, class Table>
static void add_each(const Code *__restrict rows, const Code *__restrict columns, uint32_t row_length, int count,
                     upcoming_labels &upcoming, Table &table)
{
    constexpr int part = 32;
    using cell = typename cell_of<Code>::type;
    cell cells[each_pairs<Code>];
    const auto length = cell(row_length);
    for (int i = 0; i < count; ++i)
        cells[i] = cell(rows[i] * length + columns[i]);
    int i = 0;
    for (; i + part <= count; i += part) {
        upcoming.fetch(part);
        IQA_UNROLL
        for (int k = 0; k < part; k += 4) {
            table.add_one(0, cells[i + k]);
            table.add_one(1, cells[i + k + 1]);
            table.add_one(2, cells[i + k + 2]);
            table.add_one(3, cells[i + k + 3]);
        }
    }
    for (; i < count; ++i)
        table.add_one(0, cells[i]);
}

template <class Code, class Table>
static void count_from(int done, const code_pairs &pairs, Table &table)
{
    const auto *rows = static_cast<const Code *>(pairs.rows);
    const auto *columns = static_cast<const Code *>(pairs.columns);
    const auto row_length = uint32_t(pairs.row_length);
    const int count = int(pairs.count);
    upcoming_labels upcoming(pairs);
    listed_runs runs;
    while (done < count) {
        list_runs(rows, columns, done, count, upcoming, runs);
        if (runs.end > done)
            add_runs(rows, columns, row_length, done, runs, upcoming, table);
        const int short_runs = count - runs.end < each_pairs<Code> ? count - runs.end : each_pairs<Code>;
        add_each(rows + runs.end, columns + runs.end, row_length, short_runs, upcoming, table);
        done = runs.end + short_runs;
    }
}

static void count_byte_pairs(const code_pairs &pairs, const count_tables &tables)
{
    table_copies table(tables);
    count_from<uint8_t>(compare_pairs(pairs, tables.first), pairs, table);
}

static void count_pairs(const code_pairs &pairs, carrying_table &counts)
{
    table_with_carries table{counts.counts, counts.carried, counts.carries};
    count_from<uint16_t>(0, pairs, table);
    counts.carries = table.carries;
}

} // namespace iqa::IQA_INSTRUCTION_SET
