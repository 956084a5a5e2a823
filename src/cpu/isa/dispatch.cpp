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

template <class Kernels>
const Kernels &chosen(const context &where, const Kernels &baseline, const Kernels &avx2,
                      const Kernels &avx512) noexcept
{
    switch (instruction_set_for(where)) {
    case IQA_ISA_AVX512:
        return avx512;
    case IQA_ISA_AVX2:
        return avx2;
    default:
        return baseline;
    }
}

} // namespace

const cpu_kernels &kernels_for(const context &where) noexcept
{
    return chosen(where, baseline::kernels, avx2::kernels, avx512::kernels);
}

const fid_kernels &fid_kernels_for(const context &where) noexcept
{
    return chosen(where, baseline::fid, avx2::fid,
                  __builtin_cpu_supports("avx512vnni") ? avx512::fid_vnni : avx512::fid);
}

const network_kernels &network_kernels_for(const context &where) noexcept
{
    return chosen(where, baseline::network, avx2::network, avx512::network);
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
