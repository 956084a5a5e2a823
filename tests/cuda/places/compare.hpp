// SPDX-License-Identifier: MIT
// Compares a case on the CPU and on a device: the same bytes of state and outputs.
#pragma once

#include "cuda/cases/cases.hpp"
#include "support/catch.hpp"

namespace test {

// Faults of data are reported by the update on the CPU, and by the state on a device.
inline iqa_status status_of(const case_outcome &outcome)
{
    for (const iqa_status status : outcome.statuses)
        if (status != IQA_OK)
            return status;
    return outcome.status;
}

inline void compare(const device_case &each)
{
    CAPTURE(each.name);
    const case_outcome expected = run_case(each, false);
    const case_outcome found = run_case(each, true);
    CAPTURE(expected.error, found.error);
    CHECK(status_of(expected) == status_of(found));
    CHECK((expected.state == found.state));
    if (status_of(expected) != IQA_OK)
        return;
    REQUIRE(expected.outputs.size() == found.outputs.size());
    for (size_t i = 0; i < expected.outputs.size(); ++i) {
        CAPTURE(i);
        CHECK((expected.outputs[i] == found.outputs[i]));
    }
}

} // namespace test
