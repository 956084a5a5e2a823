// SPDX-License-Identifier: MIT
// The choice of an instruction set at run time.
#pragma once

#include "core/context.hpp"
#include "cpu/isa/kernels.hpp"

namespace iqa {

// The kernels of the processor's best instruction set that the context and the environment variable IQA_ISA allow.
const cpu_kernels &kernels_for(const context &where) noexcept;

} // namespace iqa
