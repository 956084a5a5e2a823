// SPDX-License-Identifier: MIT
// Rows of class scores: loops for the vectoriser, since classes are independent.
#pragma once

#include "arith/class_scores.h"
#include "cpu/features/instruction_set.h"
#include "cpu/features/kernels.hpp"

namespace iqa::IQA_INSTRUCTION_SET {

namespace {

bool softmax_weights(double *scores, int64_t count, double *weights)
{
    constexpr int together = 16;
    double largest[together];
    double differences[together]; // of scores and themselves: NaN once one is not finite
    for (int i = 0; i < together; ++i) {
        largest[i] = scores[0];
        differences[i] = 0.0;
    }
    int64_t from = 0;
    for (; from + together <= count; from += together)
#pragma GCC unroll 1 // the vectoriser knows it as a loop over lanes
        for (int i = 0; i < together; ++i) {
            const double score = scores[from + i];
            largest[i] = score > largest[i] ? score : largest[i];
            differences[i] += score - score;
        }
    for (; from < count; ++from) {
        largest[0] = scores[from] > largest[0] ? scores[from] : largest[0];
        differences[0] += scores[from] - scores[from];
    }
    for (int i = 1; i < together; ++i) {
        largest[0] = largest[i] > largest[0] ? largest[i] : largest[0];
        differences[0] += differences[i];
    }
    for (int64_t i = 0; i < count; ++i) {
        scores[i] = softmax_exponent(scores[i], largest[0]);
        weights[i] = quick_exponential(scores[i]);
    }
    return differences[0] == 0.0;
}

void entropy_terms(const double *weights, double sum, int64_t count, double *terms)
{
    for (int64_t i = 0; i < count; ++i)
        terms[i] = negative_entropy_term(weights[i] / sum);
}

void add_probabilities(const double *weights, double sum, int64_t count, int64_t *high, int64_t *low)
{
    for (int64_t i = 0; i < count; ++i) {
        const score_parts parts = in_score_parts(weights[i] / sum);
        high[i] += parts.high;
        low[i] += parts.low;
    }
}

} // namespace

} // namespace iqa::IQA_INSTRUCTION_SET
