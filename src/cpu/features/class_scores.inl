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
    bool finite[together];
    for (int i = 0; i < together; ++i) {
        largest[i] = scores[0];
        finite[i] = true;
    }
    const auto look_at = [&](int lane, double score) {
        largest[lane] = score > largest[lane] ? score : largest[lane];
        finite[lane] &= is_finite(score);
    };
    int64_t from = 0;
    for (; from + together <= count; from += together)
        for (int i = 0; i < together; ++i)
            look_at(i, scores[from + i]);
    for (; from < count; ++from)
        look_at(0, scores[from]);
    for (int i = 1; i < together; ++i) {
        largest[0] = largest[i] > largest[0] ? largest[i] : largest[0];
        finite[0] &= finite[i];
    }
    for (int64_t i = 0; i < count; ++i) {
        scores[i] = softmax_exponent(scores[i], largest[0]);
        weights[i] = quick_exponential(scores[i]);
    }
    return finite[0];
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
