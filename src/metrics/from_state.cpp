// SPDX-License-Identifier: MIT
// Metrics from state files.
#include "core/state.hpp"
#include "metrics/metrics.hpp"

namespace iqa {

namespace {

iqa_metric *create_by_kind(context &owner, const state_parts &parts)
{
    const byte_reader options(parts.options);
    switch (metric_kind{parts.kind}) {
    case metric_kind::ssim:
        return create_ssim(owner, options);
    case metric_kind::psnr:
        return create_psnr(owner, options);
    case metric_kind::errors:
        return create_errors(owner, options);
    case metric_kind::fid:
        return create_fid(owner, options, parts.lanes.size() / sizeof(int64_t));
    case metric_kind::confusion:
        return create_confusion(owner, options, parts.lanes.size() / sizeof(int64_t));
    }
    fail(IQA_ERROR_INCOMPATIBLE, "the state is of metric kind ", parts.kind, ", which this library does not know");
}

} // namespace

iqa_metric *create_from_state(context &owner, std::span<const std::byte> bytes)
{
    const state_parts parts = read_state(bytes);
    iqa_metric *metric = create_by_kind(owner, parts);
    try {
        metric->load_lanes(byte_reader(parts.lanes));
    } catch (...) {
        iqa_metric::destroy(metric);
        throw;
    }
    return metric;
}

} // namespace iqa
