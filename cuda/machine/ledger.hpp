// SPDX-License-Identifier: MIT
// A metric's account on one CUDA device: see core/device.hpp.
#pragma once

#include "core/context.hpp"
#include "core/device.hpp"
#include "cuda/machine/commit.h"

namespace iqa::cuda {

// The ledger as the CUDA backend sees it.
class cuda_ledger : public device_ledger {
public:
    // For a kernel that commits the update itself, in place of commit().
    virtual commit_update::arguments commit_arguments() = 0;

protected:
    ~cuda_ledger() = default;
};

device_ledger *open_ledger(context &owner, int32_t device_id, size_t lanes, bool accumulates);

} // namespace iqa::cuda
