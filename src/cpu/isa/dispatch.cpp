// SPDX-License-Identifier: MIT
// The only file that queries the processor.
#include "cpu/isa/dispatch.hpp"

#include "core/environment.hpp"
#include "cpu/features/kernels.hpp"
#include "cpu/network/kernels.hpp"

namespace iqa {

namespace baseline {
extern const cpu_kernels kernels;
extern const fid_kernels fid;
extern const network_kernels network;
} // namespace baseline

#if defined(__x86_64__)

namespace avx2 {
extern const cpu_kernels kernels;
extern const fid_kernels fid;
extern const network_kernels network;
} // namespace avx2
namespace avx512 {
extern const cpu_kernels kernels;
extern const fid_kernels fid;
extern const network_kernels network;
extern const fid_kernels fid_vnni;
} // namespace avx512

namespace {

int best_of_processor()
{
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return IQA_ISA_BASELINE;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return IQA_ISA_AVX512;
    return IQA_ISA_AVX2;
}

int instruction_set_for(const context &where) noexcept
{
    static const int limit = [] {
        const int processor = best_of_processor();
        const int environment = instruction_set_of_environment();
        return processor < environment ? processor : environment;
    }();
    const int wanted = where.options().instruction_set;
    return wanted < limit ? wanted : limit;
}

} // namespace

const cpu_kernels &kernels_for(const context &where) noexcept
{
    switch (instruction_set_for(where)) {
    case IQA_ISA_AVX512:
        return avx512::kernels;
    case IQA_ISA_AVX2:
        return avx2::kernels;
    default:
        return baseline::kernels;
    }
}

const fid_kernels &fid_kernels_for(const context &where) noexcept
{
    switch (instruction_set_for(where)) {
    case IQA_ISA_AVX512:
        return __builtin_cpu_supports("avx512vnni") ? avx512::fid_vnni : avx512::fid;
    case IQA_ISA_AVX2:
        return avx2::fid;
    default:
        return baseline::fid;
    }
}

const network_kernels &network_kernels_for(const context &where) noexcept
{
    switch (instruction_set_for(where)) {
    case IQA_ISA_AVX512:
        return avx512::network;
    case IQA_ISA_AVX2:
        return avx2::network;
    default:
        return baseline::network;
    }
}

#else

const cpu_kernels &kernels_for(const context &) noexcept
{
    return baseline::kernels;
}

const fid_kernels &fid_kernels_for(const context &) noexcept
{
    return baseline::fid;
}

const network_kernels &network_kernels_for(const context &) noexcept
{
    return baseline::network;
}

#endif

} // namespace iqa
