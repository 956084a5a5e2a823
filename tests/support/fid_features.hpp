// SPDX-License-Identifier: MIT
// Feature sets that any language can make again, and what FID tests share.
#pragma once

#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "support/support.hpp"

namespace test {

// Rows of features, row-major.
struct feature_set {
    int64_t rows = 0;
    int64_t features = 0;
    std::vector<float> values;

    feature_set(int64_t row_count, int64_t feature_count)
        : rows(row_count), features(feature_count), values(size_t(row_count * feature_count))
    {
    }
    float &at(int64_t row, int64_t column) { return values[size_t(row * features + column)]; }
    float at(int64_t row, int64_t column) const { return values[size_t(row * features + column)]; }
    const float *row(int64_t index) const { return values.data() + index * features; }
};

inline uint64_t splitmix64(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

// Correlated, non-negative features that are multiples of 2^-18: exact as float and on any grid of at least 18 bits.
inline feature_set hash_features(uint64_t set, int64_t rows, int64_t features, float shift = 0)
{
    feature_set result(rows, features);
    std::vector<int64_t> h(static_cast<size_t>(features));
    for (int64_t i = 0; i < rows; ++i) {
        for (int64_t j = 0; j < features; ++j)
            h[size_t(j)] = int64_t(splitmix64((set << 40) | (uint64_t(i) << 20) | uint64_t(j)) >> 48);
        for (int64_t j = 0; j < features; ++j) {
            const int64_t sum =
                h[size_t(j)] + h[size_t((3 * j + 1) % features)] + h[size_t((7 * j + 2) % features)] - 98304;
            result.at(i, j) = float(std::ldexp(double(sum < 0 ? -sum : sum), int(3 - j % 4) - 18)) + shift;
        }
    }
    return result;
}

inline iqa_fid_options fid_options(int64_t features, int fraction_bits = 24, int word_bits = IQA_FID_WORD_32)
{
    iqa_fid_options options = IQA_FID_OPTIONS_INIT;
    options.features = int32_t(features);
    options.fraction_bits = fraction_bits;
    options.word_bits = word_bits;
    return options;
}

inline metric_pointer make_fid(const context_pointer &context, const iqa_fid_options &options)
{
    iqa_metric *metric = nullptr;
    iqa_fid_create(context.get(), &options, &metric);
    return metric_pointer(metric);
}

// Adds rows first ... first + count - 1 to one side.
inline iqa_status add_rows(const metric_pointer &metric, int side, const feature_set &set, int64_t first, int64_t count)
{
    const tensor rows(set.row(first), IQA_FLOAT32, {count, set.features});
    const iqa_tensor *view = rows;
    return side == IQA_FID_REFERENCE ? iqa_metric_update(metric.get(), view, nullptr, nullptr)
                                     : iqa_metric_update(metric.get(), nullptr, view, nullptr);
}

inline iqa_status add_rows(const metric_pointer &metric, int side, const feature_set &set)
{
    return add_rows(metric, side, set, 0, set.rows);
}

// A metric with both sets in it; NULL if an update failed.
inline metric_pointer fid_of(const context_pointer &context, const feature_set &reference, const feature_set &candidate,
                             int fraction_bits = 24, int word_bits = IQA_FID_WORD_32)
{
    metric_pointer metric = make_fid(context, fid_options(reference.features, fraction_bits, word_bits));
    if (add_rows(metric, IQA_FID_REFERENCE, reference) != IQA_OK ||
        add_rows(metric, IQA_FID_CANDIDATE, candidate) != IQA_OK)
        return nullptr;
    return metric;
}

// What errors are judged against: tr S1 + tr S2.
inline double total_variance(const metric_pointer &metric)
{
    return read(metric, IQA_FIELD_FID_TRACE_REFERENCE) + read(metric, IQA_FIELD_FID_TRACE_CANDIDATE);
}

} // namespace test
