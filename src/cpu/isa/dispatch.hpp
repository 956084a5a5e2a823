// SPDX-License-Identifier: MIT
#pragma once

#include "core/context.hpp"
#include "cpu/isa/kernels.hpp"

namespace iqa {

// The kernels of the best instruction set that the processor has and that the context and the environment variable
// IQA_ISA allow.
const cpu_kernels &kernels_for(const context &where) noexcept;

} // namespace iqa
