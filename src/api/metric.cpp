// SPDX-License-Identifier: MIT
// The verbs that every metric has: update, merge, compute, states.
#include <algorithm>

#include "api/guard.hpp"
#include "core/options.hpp"
#include "metrics/kinds.hpp"
#include "metrics/metric.hpp"

namespace {

constexpr iqa_update_extras default_extras = IQA_UPDATE_EXTRAS_INIT;

iqa_context *context_of(const iqa_metric *metric)
{
    return metric != nullptr ? &metric->owner() : nullptr;
}

void update(iqa_metric &metric, const iqa_tensor *reference, const iqa_tensor *candidate,
            const iqa_update_extras *extras)
{
    metric.update(reference, candidate, iqa::copy_sized(extras, default_extras, "iqa_update_extras"));
}

void require_output(const double *value)
{
    if (value == nullptr)
        iqa::fail(IQA_ERROR_INVALID_ARGUMENT, "the output is NULL");
}

void compute(const iqa_metric &metric, double *value)
{
    metric.settle();
    const size_t needed = metric.values();
    iqa::give(needed, true, 1, nullptr, "numbers", [&] { metric.read(IQA_FIELD_VALUE, {value, needed}); });
}

} // namespace

extern "C" {

iqa_status iqa_update_extras_init(iqa_update_extras *extras, size_t size)
{
    return iqa::guard(nullptr, [&] { iqa::write_defaults(extras, size, default_extras, "iqa_update_extras"); });
}

iqa_status iqa_metric_update(iqa_metric *metric, const iqa_tensor *reference, const iqa_tensor *candidate,
                             const iqa_update_extras *extras)
{
    return iqa::guard(context_of(metric), [&] {
        iqa::require(metric, "metric");
        update(*metric, reference, candidate, extras);
    });
}

iqa_status iqa_metric_compute(const iqa_metric *metric, double *value)
{
    return iqa::guard(context_of(metric), [&] {
        iqa::require(metric, "metric");
        require_output(value);
        compute(*metric, value);
    });
}

iqa_status iqa_metric_measure(iqa_metric *metric, const iqa_tensor *reference, const iqa_tensor *candidate,
                              const iqa_update_extras *extras, double *value)
{
    return iqa::guard(context_of(metric), [&] {
        iqa::require(metric, "metric");
        require_output(value);
        metric->settle();
        if (metric->has_data())
            iqa::fail(IQA_ERROR_INVALID_ARGUMENT,
                      "the metric has data, expected one without, as iqa_metric_reset() leaves it");
        update(*metric, reference, candidate, extras);
        try {
            compute(*metric, value);
        } catch (...) {
            metric->reset();
            throw;
        }
        metric->reset();
    });
}

iqa_status iqa_metric_read(const iqa_metric *metric, int32_t field, double *out, size_t capacity, size_t *count)
{
    return iqa::guard(context_of(metric), [&] {
        iqa::require(metric, "metric");
        if (count == nullptr)
            require_output(out);
        metric->settle();
        const size_t needed = metric->read(field, {});
        iqa::give(needed, out != nullptr, capacity, count, "numbers", [&] { metric->read(field, {out, needed}); });
    });
}

iqa_status iqa_metric_reset(iqa_metric *metric)
{
    return iqa::guard(context_of(metric), [&] {
        iqa::require(metric, "metric");
        metric->reset();
    });
}

iqa_status iqa_metric_merge(iqa_metric *into, const iqa_metric *from)
{
    return iqa::guard(context_of(into), [&] {
        iqa::require(into, "into");
        iqa::require(from, "from");
        into->settle();
        from->settle();
        into->merge(*from);
    });
}

iqa_status iqa_metric_lanes(const iqa_metric *metric, int64_t *out, size_t capacity, size_t *count)
{
    return iqa::guard(context_of(metric), [&] {
        iqa::require(metric, "metric");
        metric->settle();
        const std::span<const int64_t> lanes = metric->lanes();
        iqa::give(lanes.size(), out != nullptr, capacity, count, "lanes",
                  [&] { std::copy(lanes.begin(), lanes.end(), out); });
    });
}

iqa_status iqa_metric_add_lanes(iqa_metric *metric, const int64_t *lanes, size_t count)
{
    return iqa::guard(context_of(metric), [&] {
        iqa::require(metric, "metric");
        iqa::require(lanes, "lanes");
        metric->add_lanes({lanes, count});
    });
}

iqa_status iqa_metric_fingerprint(const iqa_metric *metric, uint64_t *fingerprint)
{
    return iqa::guard(context_of(metric), [&] {
        iqa::require(metric, "metric");
        iqa::require(fingerprint, "fingerprint");
        *fingerprint = metric->fingerprint();
    });
}

iqa_status iqa_metric_serialize(const iqa_metric *metric, void *buffer, size_t capacity, size_t *size)
{
    return iqa::guard(context_of(metric), [&] {
        iqa::require(metric, "metric");
        metric->settle();
        const size_t needed = metric->serialized_size();
        iqa::give(needed, buffer != nullptr, capacity, size, "bytes", [&] {
            metric->serialize({static_cast<std::byte *>(buffer), needed});
        });
    });
}

iqa_status iqa_metric_deserialize(iqa_context *context, const void *buffer, size_t size, iqa_metric **out)
{
    return iqa::guard(context, [&] {
        iqa::require(out, "out");
        *out = nullptr;
        iqa::require(context, "context");
        iqa::require(buffer, "buffer");
        *out = iqa::create_from_state(*context, {static_cast<const std::byte *>(buffer), size});
    });
}

iqa_status iqa_metric_create(iqa_context *context, const char *kind, const char *options, iqa_metric **out)
{
    return iqa::guard(context, [&] {
        iqa::require(out, "out");
        *out = nullptr;
        iqa::require(context, "context");
        iqa::require(kind, "kind");
        *out = iqa::create_from_text(*context, kind, options != nullptr ? options : "");
    });
}

void iqa_metric_destroy(iqa_metric *metric)
{
    iqa_metric::destroy(metric);
}

} // extern "C"
