// SPDX-License-Identifier: MIT
#include "cpu/fid_tables.hpp"
#include "iqa_c.h"

namespace iqa {

const fid_kernels &fid_kernels_for(int32_t instruction_set)
{
#if defined(__x86_64__)
    if (instruction_set >= IQA_ISA_AVX512)
        return __builtin_cpu_supports("avx512vnni") ? cpu::avx512_vnni::fid : cpu::avx512::fid;
    if (instruction_set >= IQA_ISA_AVX2)
        return cpu::avx2::fid;
#endif
    return cpu::baseline::fid;
}

} // namespace iqa
