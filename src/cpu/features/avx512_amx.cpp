// SPDX-License-Identifier: MIT
// FID's moments by AMX, whose tiles multiply 16 x 64 bytes with 64 x 16 in one instruction.
#include "cpu/features/tiles_amx.h"

#define IQA_INSTRUCTION_SET avx512
#include "cpu/features/slices.inl"

namespace iqa::avx512 {

extern const moment_kernels moments_amx;
constexpr moment_kernels moments_amx = moment_table<slice_cut>("avx512_amx", multiply_slices<amx_tiles>);

} // namespace iqa::avx512
