// SPDX-License-Identifier: MIT
// Batches of images or volumes in any layout, and their squared errors in long double, one sample after another.
#pragma once

#include <array>
#include <cmath>
#include <string>

#include "support/support.hpp"

namespace test {

constexpr const char *axes_of_layout[] = {"HW",  "HWC",  "CHW",  "NHW",  "NHWC",  "NCHW",
                                          "DHW", "CDHW", "DHWC", "NDHW", "NCDHW", "NDHWC"};

// Image, channel, slice, row, column.
using place = std::array<int64_t, 5>;

inline size_t axis_number(char axis)
{
    return std::string("NCDHW").find(axis);
}

template <class Sample>
struct volume {
    int layout;
    place extents;
    std::vector<Sample> data;

    volume(int layout_number, const place &extents_of_axes) : layout(layout_number), extents(extents_of_axes)
    {
        data.resize(size_t(extents[0] * extents[1] * extents[2] * extents[3] * extents[4]));
    }
    size_t index(const place &at) const
    {
        int64_t number = 0;
        for (const char *axis = axes_of_layout[layout]; *axis != '\0'; ++axis)
            number = number * extents[axis_number(*axis)] + at[axis_number(*axis)];
        return size_t(number);
    }
    Sample &operator[](const place &at) { return data[index(at)]; }
    const Sample &operator[](const place &at) const { return data[index(at)]; }
    std::vector<int64_t> shape() const
    {
        std::vector<int64_t> result;
        for (const char *axis = axes_of_layout[layout]; *axis != '\0'; ++axis)
            result.push_back(extents[axis_number(*axis)]);
        return result;
    }
    // `dtype`: for element types that C++ lacks.
    tensor view(int dtype = dtype_of<Sample>::value) const { return {data.data(), dtype, shape()}; }

    template <class Fill>
    void fill(Fill &&value)
    {
        for_each([&](const place &at) { (*this)[at] = sample_from<Sample>(double(value(at))); });
    }
    template <class Visit>
    void for_each(Visit &&visit) const
    {
        place at{};
        for (at[0] = 0; at[0] < extents[0]; ++at[0])
            for (at[1] = 0; at[1] < extents[1]; ++at[1])
                for (at[2] = 0; at[2] < extents[2]; ++at[2])
                    for (at[3] = 0; at[3] < extents[3]; ++at[3])
                        for (at[4] = 0; at[4] < extents[4]; ++at[4])
                            visit(at);
    }
};

struct weighted_error {
    long double errors = 0;
    long double weight = 0;

    long double mean() const { return errors / weight; }
    long double psnr(long double peak, long double base = 10) const
    {
        return 10 * std::log(peak * peak / mean()) / std::log(base);
    }
};

// What is measured: luma as offset, red, green, blue (all 0 for none), the step that it is rounded to (0 for none), and
// the pixels taken off each edge.
struct slow_rule {
    std::array<long double, 4> luma{};
    long double step = 0;
    int64_t shave = 0;

    bool has_luma() const { return luma[1] != 0; }
};

// Weighted squared errors of one image, or of one of its channels. Samples and weights are functions of a place.
template <class Sample, class Reference, class Candidate, class Weight>
weighted_error slow_error(const volume<Sample> &shape, int64_t image, int64_t channel, const slow_rule &rule,
                          Reference &&reference, Candidate &&candidate, Weight &&weight)
{
    const auto measured = [&](auto &&sample, place at) {
        if (!rule.has_luma())
            return (long double)sample(at);
        long double value = rule.luma[0];
        for (at[1] = 0; at[1] < 3; ++at[1])
            value += rule.luma[size_t(at[1]) + 1] * (long double)sample(at);
        return rule.step == 0 ? value : std::nearbyint(value / rule.step) * rule.step;
    };
    weighted_error sum;
    shape.for_each([&](const place &at) {
        bool inside = at[0] == image && (channel < 0 || at[1] == channel) && !(rule.has_luma() && at[1] != 0);
        for (size_t axis = 2; axis < 5; ++axis)
            if (axis > 2 || shape.layout >= IQA_LAYOUT_DHW)
                inside = inside && at[axis] >= rule.shave && at[axis] < shape.extents[axis] - rule.shave;
        const long double w = inside ? weight(at) : 0;
        if (w == 0)
            return;
        const long double difference = measured(candidate, at) - measured(reference, at);
        sum.errors += w * difference * difference;
        sum.weight += w;
    });
    return sum;
}

} // namespace test
