// SPDX-License-Identifier: MIT
// Scores to labels. Comparisons only, so every instruction set gives the same result.
//
// The class of the largest score is sought for many elements at once, class by class: the best score of each so far,
// its class and a trace of NaN stay in the first cache. Where the classes of an element lie one after another, blocks
// of them are transposed first.
#pragma once

#include "arith/half.h"
#include "arith/labels.h"
#include "cpu/confusion/kernels.hpp"
#include "cpu/isa/instruction_set.h"

namespace iqa::IQA_INSTRUCTION_SET {

// How scores of a type compare: by keys, of which none is NaN unless `trace` tells so.
template <class Score>
struct score_order {
    using key = comparable_type<Score>;

    static key key_of(Score score) { return comparable(score); }
    static key trace(key traced, Score score)
    {
        return comparable(score) == comparable(score) ? traced : key_of(score);
    }
    static bool has_nan(key traced) { return traced != traced; }
};

// Integers in the order of the numbers, which need no widening. Both zeros are 0.
template <class Half, int16_t infinity>
struct half_order {
    using key = int16_t;

    static key magnitude(Half score) { return key(score.bits & 0x7fff); }
    static key key_of(Half score)
    {
        const key sign = key(key(score.bits) >> 15);
        return key((magnitude(score) ^ sign) - sign);
    }
    static key trace(key traced, Half score) { return magnitude(score) > traced ? magnitude(score) : traced; }
    static bool has_nan(key traced) { return traced > infinity; }
};

template <>
struct score_order<float16> : half_order<float16, 0x7c00> {
};

template <>
struct score_order<bfloat16> : half_order<bfloat16, 0x7f80> {
};

// Classes as numbers of the size of a key, so that vectors of both have as many lanes.
template <int size>
struct class_number {
    using type = int64_t;
};
template <>
struct class_number<4> {
    using type = int32_t;
};
template <>
struct class_number<2> {
    using type = uint16_t;
    static_assert(most_classes <= 1 << 16);
};

constexpr int score_part_bytes = 1 << 11; // of a plane, at a time
constexpr int score_tile = 64;            // elements of a transposed tile
constexpr int score_tile_bytes = 1 << 14; // of it
constexpr int score_stretch = 32;         // elements of the inner loop
constexpr int classes_at_once = 4;        // for which the best scores are read and written once
constexpr int score_line = 64;            // bytes that a processor fetches at once

// The best scores of a part, and a tile of scores [class][element].
template <class Score>
class best_scores {
    using order = score_order<Score>;
    using key = typename order::key;
    using number = typename class_number<sizeof(key)>::type;

public:
    static constexpr int line = score_line / int(sizeof(Score));     // scores
    static constexpr int part = score_part_bytes / int(sizeof(key)); // elements
    static constexpr int64_t tile_classes = score_tile_bytes / score_tile / int64_t(sizeof(Score));

    Score tile[tile_classes * score_tile];

    void begin(const Score *plane, int count)
    {
        for (int i = 0; i < count; ++i) {
            best[i] = order::key_of(plane[i]);
            traced[i] = 0;
            label[i] = 0;
        }
    }

    void finish(int count, int32_t *labels) const
    {
        for (int i = 0; i < count; ++i)
            labels[i] = order::has_nan(traced[i]) ? label_of_nan : int32_t(label[i]);
    }

    // Planes of all classes from `first_class` on.
    template <bool far>
    void raise_all(const Score *planes, int64_t step, int64_t first_class, int64_t classes, int count)
    {
        if (classes < classes_at_once) {
            for (int64_t c = 0; c < classes; ++c)
                raise_in_stretches<1, far>(planes, step, first_class, c, classes, count);
            return;
        }
        for (int64_t c = 0; c < classes; c += classes_at_once) {
            const int64_t first = c + classes_at_once <= classes ? c : classes - classes_at_once;
            raise_in_stretches<classes_at_once, far>(planes, step, first_class, first, classes, count);
        }
    }

private:
    // Raises the best scores of `count` elements from `first` on by those of some classes, the planes of which are
    // `step` apart. A class may come again: only a larger score replaces one.
    template <int classes>
    IQA_HD_MEMBER void raise(const Score *planes, int64_t step, int64_t class_of_first, int first, int count)
    {
        const Score *plane[classes];
        for (int k = 0; k < classes; ++k)
            plane[k] = planes + k * step + first;
        key *__restrict const best_of = best + first;
        key *__restrict const trace_of = traced + first;
        number *__restrict const label_of = label + first;
        IQA_NO_OVERLAP
        for (int i = 0; i < count; ++i) {
            key highest = best_of[i];
            key trace = trace_of[i];
            number winner = label_of[i];
            IQA_UNROLL
            for (int k = 0; k < classes; ++k) {
                const Score score = plane[k][i];
                const key challenger = order::key_of(score);
                winner = challenger > highest ? number(class_of_first + k) : winner;
                highest = challenger > highest ? challenger : highest;
                trace = order::trace(trace, score);
            }
            best_of[i] = highest;
            trace_of[i] = trace;
            label_of[i] = winner;
        }
    }

    template <int some, bool far>
    void raise_in_stretches(const Score *planes, int64_t step, int64_t first_class, int64_t c, int64_t classes,
                            int count)
    {
        int at = 0;
        for (; at + score_stretch <= count; at += score_stretch) {
            for (int k = 0; far && k < some; ++k)
                fetch(planes, step, c + classes_at_once + k, classes, at);
            raise<some>(planes + c * step, step, first_class + c, at, score_stretch);
        }
        raise<some>(planes + c * step, step, first_class + c, at, count - at);
    }

    // Planes in memory are as far apart as no processor foresees: those of the next classes are fetched while the ones
    // before them are compared, and after the last ones the first of the next part. A plane may begin within a line, so
    // the last score of what would be one is asked for.
    IQA_HD_MEMBER static void fetch(const Score *planes, int64_t step, int64_t c, int64_t classes, int first)
    {
        const Score *plane = planes + first + (c < classes ? c * step : part + (c - classes) % classes * step);
        IQA_UNROLL
        for (int at = 0; at < score_stretch; at += line)
            __builtin_prefetch(plane + at + line - 1, 0, into_second_cache);
    }

    key best[part], traced[part];
    number label[part];
};

// Planes of scores, one for each class.
template <class Score>
static void argmax_of_planes(const Score *scores, const score_run &run, int32_t *labels)
{
    auto &state = *static_cast<best_scores<Score> *>(run.scratch);
    for (int64_t first = 0; first < run.count; first += state.part) {
        const int count = int(run.count - first < state.part ? run.count - first : int64_t(state.part));
        state.begin(scores + first, count);
        state.template raise_all<true>(scores + first, run.class_step, 0, run.classes, count);
        state.finish(count, labels + first);
    }
}

// A block of a matrix, transposed: `words` of each of `rows` rows, which are `step` apart.
template <class Word>
struct transposed_block {
    using lanes = lanes_of_rows<Word>;
    static constexpr int words = lanes::words;
    static constexpr int rows = lanes::parts * words;

    // Taking the words of two vectors in turn, the upper half of the vectors with the lower, rotates the bits of a
    // word's place: after as many rounds as there are bits, its vector and its place in a part have changed roles.
    static void transpose(const Word *from, int64_t step, Word *to, int64_t to_step)
    {
        lanes vectors[words];
        IQA_UNROLL
        for (int i = 0; i < words; ++i)
            vectors[i] = lanes::load(from + i * step, words * step);
        if constexpr (words > 1) {
            IQA_UNROLL
            for (int round = 1; round < words; round *= 2) {
                lanes mixed[words];
                IQA_UNROLL
                for (int i = 0; i < words / 2; ++i) {
                    mixed[2 * i] = lower_in_turn(vectors[i], vectors[i + words / 2]);
                    mixed[2 * i + 1] = upper_in_turn(vectors[i], vectors[i + words / 2]);
                }
                IQA_UNROLL
                for (int i = 0; i < words; ++i)
                    vectors[i] = mixed[i];
            }
        }
        IQA_UNROLL
        for (int i = 0; i < words; ++i)
            vectors[i].store(to + i * to_step);
    }
};

// Where a part of a range begins: the last one ends with the range, and overlaps the one before it.
static inline int64_t begin_of_part(int64_t begin, int64_t part, int64_t end)
{
    return begin + part <= end ? begin : end > part ? end - part : 0;
}

// Elements whose classes lie one after another, in tiles that are transposed block by block. Returns how many elements
// it labelled.
template <class Score>
static int64_t argmax_of_rows(const Score *scores, const score_run &run, int32_t *labels)
{
    using block = transposed_block<Score>;
    constexpr int64_t tile_classes = best_scores<Score>::tile_classes;
    // Transposing 16-bit scores takes longer than reading them.
    constexpr int fetched_into = sizeof(Score) < sizeof(float) ? into_first_cache : into_second_cache;
    auto &state = *static_cast<best_scores<Score> *>(run.scratch);
    const int64_t classes = run.classes;
    // Where a block has more words than there are classes, it reads those of the next elements, if they follow at once.
    const int64_t unread = classes >= block::words ? 0 : run.step == classes ? (block::words - 1) / classes : run.count;
    const int64_t elements = run.count - unread;
    if (elements < block::rows)
        return 0;
    const int count = int(elements < score_tile ? elements : int64_t(score_tile));
    for (int64_t begin = 0; begin < elements; begin += score_tile) {
        const int64_t first = begin_of_part(begin, score_tile, elements);
        for (int64_t c = 0; c < classes; c += tile_classes) {
            const int64_t first_class = begin_of_part(c, block::words, classes);
            const int64_t rest = classes - first_class;
            const int64_t some = rest < tile_classes ? rest : tile_classes;
            const int64_t ahead = some < rest ? some : score_tile * run.step - first_class; // what is read next
            for (int64_t e = 0; e < count; e += block::rows) {
                const int64_t row = begin_of_part(e, block::rows, count);
                const Score *from = scores + (first + row) * run.step + first_class;
                for (int64_t i = 0; i < block::rows; ++i)
                    for (int64_t k = 0; k < some; k += state.line)
                        __builtin_prefetch(from + ahead + i * run.step + k, 0, fetched_into);
                for (int64_t k = 0; k < some; k += block::words) {
                    const int64_t word = begin_of_part(k, block::words, some);
                    block::transpose(from + word, run.step, state.tile + word * score_tile + row, score_tile);
                }
            }
            if (c == 0)
                state.begin(state.tile, count);
            state.template raise_all<false>(state.tile, score_tile, first_class, some, count);
        }
        state.finish(count, labels + first);
    }
    return elements;
}

template <class Score>
static void argmax_of_run(const Score *scores, const score_run &run, int32_t *labels)
{
    static_assert(sizeof(best_scores<Score>) <= score_scratch);
    if (run.step == 1 && run.count > 1) {
        argmax_of_planes(scores, run, labels);
        return;
    }
    int64_t done = 0;
    if constexpr (lanes_of_rows<Score>::words > 1) // a block of one word is no gain
        done = run.class_step == 1 ? argmax_of_rows(scores, run, labels) : 0;
    for (int64_t i = done; i < run.count; ++i)
        labels[i] = argmax_label(scores + i * run.step, run.class_step, run.classes);
}

static void label_scores(const score_run &run, int32_t *labels)
{
    with_labels(run.type, run.data, [&](const auto *scores) {
        switch (run.kind) {
        case label_kind::argmax:
            return argmax_of_run(scores, run, labels);
        case label_kind::one_hot:
            for (int64_t i = 0; i < run.count; ++i)
                labels[i] = one_hot_label(scores + i * run.step, run.class_step, run.classes);
            break;
        default:
            for (int64_t i = 0; i < run.count; ++i)
                labels[i] = threshold_label(scores[i * run.step], run.threshold);
        }
    });
}

static void prefer_target(const score_run &run, const uint32_t *targets, int64_t k, int32_t *labels)
{
    with_labels(run.type, run.data, [&](const auto *scores) {
        for (int64_t i = 0; i < run.count; ++i) {
            const int64_t target = targets[i];
            if (target < run.classes && labels[i] >= 0 &&
                is_in_top(scores + i * run.step, run.class_step, run.classes, target, k))
                labels[i] = int32_t(target);
        }
    });
}

} // namespace iqa::IQA_INSTRUCTION_SET
