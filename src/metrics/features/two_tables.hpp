// SPDX-License-Identifier: MIT
// The two sets of features of a call: tables on one device.
#pragma once

#include "core/samples.hpp"
#include "metrics/features/device_call.hpp"

namespace iqa {

constexpr const char *set_names[2] = {"reference", "candidate"};

struct two_tables {
    const backend *device;
    int32_t device_id;
    table_view views[2];
};

inline two_tables view_two_tables(const iqa_tensor &reference, const iqa_tensor &candidate)
{
    const backend &device = backend_of(reference, set_names[0]);
    const bool same = &backend_of(candidate, set_names[1]) == &device;
    if (!same || (device.open != nullptr && reference.device_id != candidate.device_id))
        fail(IQA_ERROR_DEVICE, "candidate is on device ", candidate.device_type, ":", candidate.device_id,
             " but reference is on ", reference.device_type, ":", reference.device_id);
    const table_view first = view_table(reference, set_names[0], any_columns);
    return {&device, reference.device_id, {first, view_table(candidate, set_names[1], first.columns)}};
}

inline void check_places(const device_call &call, const iqa_tensor &reference, const iqa_tensor &candidate)
{
    call.check_place(set_names[0], reference);
    call.check_place(set_names[1], candidate);
}

// Throws if a set has numbers that are not finite.
inline void check_finite(device_call &call, const table_view &table, const row_squares &found, const char *name)
{
    if (found.nonfinite_row >= 0)
        check_finite(call.fetch_row(table, found.nonfinite_row), name, found.nonfinite_row);
}

} // namespace iqa
