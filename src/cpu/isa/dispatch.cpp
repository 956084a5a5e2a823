// SPDX-License-Identifier: MIT
// The only file that queries the processor.
#include "cpu/isa/dispatch.hpp"

#if defined(IQA_HAVE_AMX)
#include <cerrno>
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "core/environment.hpp"
#include "cpu/features/kernels.hpp"
#include "cpu/network/kernels.hpp"

namespace iqa {

namespace baseline {
extern const cpu_kernels kernels;
extern const fid_kernels fid;
extern const moment_kernels moments;
extern const network_kernels network;
} // namespace baseline

#if defined(__x86_64__)

namespace avx2 {
extern const cpu_kernels kernels;
extern const fid_kernels fid;
extern const moment_kernels moments;
extern const network_kernels network;
} // namespace avx2
namespace avx512 {
extern const cpu_kernels kernels;
extern const fid_kernels fid;
extern const moment_kernels moments;
extern const network_kernels network;
extern const moment_kernels moments_vnni;
#if defined(IQA_HAVE_AMX)
extern const moment_kernels moments_amx;
#endif
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

#if defined(IQA_HAVE_AMX)

// Linux gives tiles to a process that asks; its threads and children have them too. Their 8 KiB count among what a
// signal handler's stack must hold, so Linux refuses where an alternate stack is too small for them.
bool permit_tiles()
{
    constexpr long request_permission = 0x1023; // ARCH_REQ_XCOMP_PERM
    constexpr long tile_data = 18;
    const int before = errno;
    const bool permitted = syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
    errno = before;
    return permitted;
}

bool has_tiles()
{
    unsigned eax, ebx, ecx, edx;
    constexpr unsigned enabled_by_system = 1u << 27; // OSXSAVE: XGETBV exists
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & enabled_by_system) == 0)
        return false;
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0)
        return false;
    return tiles_usable(edx, uint64_t(high) << 32 | low, permit_tiles);
}

#endif

// What multiplies best of all that comes with AVX-512.
const moment_kernels &best_moments() noexcept
{
#if defined(IQA_HAVE_AMX)
    static const bool tiles = has_tiles();
    if (tiles)
        return avx512::moments_amx;
#endif
    return __builtin_cpu_supports("avx512vnni") ? avx512::moments_vnni : avx512::moments;
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
    return chosen(where, baseline::fid, avx2::fid, avx512::fid);
}

const moment_kernels &moment_kernels_for(const context &where) noexcept
{
    // Nobody is asked for tiles where AVX-512 is not to be used.
    if (instruction_set_for(where) == IQA_ISA_AVX512)
        return best_moments();
    return chosen(where, baseline::moments, avx2::moments, avx512::moments);
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

const moment_kernels &moment_kernels_for(const context &) noexcept
{
    return baseline::moments;
}

const network_kernels &network_kernels_for(const context &) noexcept
{
    return baseline::network;
}

#endif

} // namespace iqa
