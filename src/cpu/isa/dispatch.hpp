// SPDX-License-Identifier: MIT
// The choice of an instruction set at run time.
#pragma once

#include "core/context.hpp"
#include "cpu/isa/kernels.hpp"

namespace iqa {

// The kernels of the processor's best instruction set that the context and the environment variable IQA_ISA allow.
const cpu_kernels &kernels_for(const context &where) noexcept;

// Whether kernels may multiply bytes in AMX's tiles: the processor has both (EDX of CPUID's leaf 7), the system keeps
// their state (XCR0), and permit() says that this process gets them. Others are not asked.
template <class Permit>
bool tiles_usable(uint32_t leaf_7, uint64_t kept, Permit permit)
{
    constexpr uint32_t tiles_of_bytes = 1u << 24 | 1u << 25;
    constexpr uint64_t tile_states = uint64_t(3) << 17;
    return (leaf_7 & tiles_of_bytes) == tiles_of_bytes && (kept & tile_states) == tile_states && permit();
}

} // namespace iqa
