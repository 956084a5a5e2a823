// SPDX-License-Identifier: MIT
// A metric's account on one CUDA device: see core/device.hpp.
#pragma once

#include "core/context.hpp"
#include "core/device.hpp"
#include "cuda/commit.h"

namespace iqa::cuda {

// Makes a device current for as long as it lives.
class current_device {
public:
    explicit current_device(int device);
    current_device(const current_device &) = delete;
    current_device &operator=(const current_device &) = delete;
    ~current_device();

private:
    int before_ = -1; // -1: it was current already
};

// What the CUDA backend itself asks of a ledger.
class cuda_ledger : public device_ledger {
public:
    // For a kernel that ends the update itself, instead of commit().
    virtual commit_update::arguments commit_arguments() = 0;

protected:
    ~cuda_ledger() = default;
};

device_ledger *open_ledger(context &owner, int32_t device_id, size_t lanes, bool accumulates);

// Refuses what a CUDA graph that is being captured must not contain.
void refuse_while_capturing(const context &where, const char *what);

} // namespace iqa::cuda
