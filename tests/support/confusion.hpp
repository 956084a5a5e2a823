// SPDX-License-Identifier: MIT
// What the tests of confusion metrics share.
#pragma once

#include <cmath>

#include "support/support.hpp"

namespace test {

template <>
struct dtype_of<int8_t> {
    static constexpr int value = IQA_INT8;
};
template <>
struct dtype_of<uint32_t> {
    static constexpr int value = IQA_UINT32;
};
template <>
struct dtype_of<uint64_t> {
    static constexpr int value = IQA_UINT64;
};
template <>
struct dtype_of<int32_t> {
    static constexpr int value = IQA_INT32;
};
template <>
struct dtype_of<int64_t> {
    static constexpr int value = IQA_INT64;
};

constexpr double no_number = __builtin_nan("");

// Options and readings whose fields are set in one expression.
template <class Change>
iqa_confusion_options counting(int classes, Change &&change)
{
    iqa_confusion_options options = IQA_CONFUSION_OPTIONS_INIT;
    options.classes = classes;
    change(options);
    return options;
}

inline iqa_confusion_options counting(int classes)
{
    return counting(classes, [](iqa_confusion_options &) {});
}

template <class Change>
iqa_confusion_reading reading(int average, Change &&change)
{
    iqa_confusion_reading how = IQA_CONFUSION_READING_INIT;
    how.average = average;
    change(how);
    return how;
}

inline iqa_confusion_reading reading(int average)
{
    return reading(average, [](iqa_confusion_reading &) {});
}

// A metric with its context, and the text of the last failure.
class confusion {
public:
    explicit confusion(const iqa_confusion_options &options, int threads = 1, int isa = IQA_ISA_BEST)
        : confusion(options, make_context(threads, isa))
    {
    }

    confusion(const iqa_confusion_options &options, context_pointer context) : context_(std::move(context))
    {
        iqa_metric *metric = nullptr;
        status = iqa_confusion_create(context_.get(), &options, &metric);
        metric_.reset(metric);
    }

    template <class Reference, class Candidate>
    confusion &add(const std::vector<Reference> &reference, const std::vector<Candidate> &candidate,
                   std::vector<int64_t> reference_shape = {}, std::vector<int64_t> candidate_shape = {},
                   const iqa_update_extras *extras = nullptr)
    {
        if (reference_shape.empty())
            reference_shape = {int64_t(reference.size())};
        if (candidate_shape.empty())
            candidate_shape = reference_shape;
        const tensor x(reference.data(), dtype_of<Reference>::value, reference_shape);
        const tensor y(candidate.data(), dtype_of<Candidate>::value, candidate_shape);
        return add(x, y, extras);
    }

    confusion &add(const tensor &reference, const tensor &candidate, const iqa_update_extras *extras = nullptr)
    {
        status = iqa_metric_update(metric_.get(), reference, candidate, extras);
        size_t count = 0;
        if (waits && status == IQA_OK)
            status = iqa_metric_lanes(metric_.get(), nullptr, 0, &count);
        return *this;
    }

    std::vector<double> scores(int score, const iqa_confusion_reading &how)
    {
        size_t count = 0;
        status = iqa_confusion_score(metric_.get(), score, &how, nullptr, 0, &count);
        std::vector<double> values(count, -12345.0);
        if (status == IQA_OK)
            status = iqa_confusion_score(metric_.get(), score, &how, values.data(), count, nullptr);
        return values;
    }

    std::vector<double> scores(int score) { return scores(score, reading(IQA_AVERAGE_NONE)); }

    double score(int which, const iqa_confusion_reading &how)
    {
        const std::vector<double> values = scores(which, how);
        return values.size() == 1 ? values[0] : -12345.0;
    }

    double score(int which, int average = IQA_AVERAGE_UNSTATED) { return score(which, reading(average)); }

    std::vector<double> field(int which)
    {
        size_t count = 0;
        status = iqa_metric_read(metric_.get(), which, nullptr, 0, &count);
        std::vector<double> values(count);
        if (status == IQA_OK)
            status = iqa_metric_read(metric_.get(), which, values.data(), count, nullptr);
        return values;
    }

    std::vector<double> matrix() { return field(IQA_FIELD_CONFUSION_MATRIX); }
    // Without what a device says before it.
    std::string text() const
    {
        const std::string all = iqa_context_error(context_.get());
        const std::string device = " on the CUDA device: ";
        const size_t place = all.find(device);
        return waits && place != std::string::npos ? all.substr(place + device.size()) : all;
    }
    const metric_pointer &metric() const { return metric_; }
    const context_pointer &context() const { return context_; }

    iqa_status status = IQA_OK; // of the last call

    // Tests that are built for a device wait for what an update has found, so that one text holds for both.
    bool waits = device_of_tests != IQA_CPU;

private:
    context_pointer context_;
    metric_pointer metric_;
};

// Equal to five units of the last place; NaN equals NaN.
inline bool close(double a, double b)
{
    return (std::isnan(a) && std::isnan(b)) || std::fabs(a - b) <= 1e-15 * std::fabs(b);
}

inline bool close(const std::vector<double> &a, const std::vector<double> &b)
{
    bool same = a.size() == b.size();
    for (size_t i = 0; same && i < a.size(); ++i)
        same = close(a[i], b[i]);
    return same;
}

} // namespace test
