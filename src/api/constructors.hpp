// SPDX-License-Identifier: MIT
// The constructor and the one-shot of every metric.
#pragma once

#include "api/guard.hpp"
#include "core/option_table.hpp"

namespace iqa {

template <class Options>
iqa_status create(iqa_context *where, const Options *options, const options_table<Options> &table,
                  iqa_metric *(*make)(iqa_context &, const Options &), iqa_metric **out) noexcept
{
    return guard(where, [&] {
        require(out, "out");
        *out = nullptr;
        require(where, "context");
        *out = make(*where, table.copy(options));
    });
}

template <class Options>
iqa_status measure(iqa_context *where, const Options *options,
                   iqa_status (*make)(iqa_context *, const Options *, iqa_metric **), const iqa_tensor *reference,
                   const iqa_tensor *candidate, double *value) noexcept
{
    iqa_metric *metric = nullptr;
    iqa_status status = make(where, options, &metric);
    if (status == IQA_OK)
        status = iqa_metric_update(metric, reference, candidate, nullptr);
    if (status == IQA_OK)
        status = iqa_metric_compute(metric, value);
    iqa_metric_destroy(metric);
    return status;
}

} // namespace iqa
