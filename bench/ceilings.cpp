// SPDX-License-Identifier: MIT
#include "ceilings.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

namespace bench {

namespace {

// The processor time of this thread, so that other programs do not count.
double seconds()
{
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return double(now.tv_sec) + double(now.tv_nsec) * 1e-9;
}

// Amount per second: the median of a few measurements of `work`, which returns its amount.
template <class Work>
double median_rate(Work &&work)
{
    std::array<double, 9> rates{};
    for (double &rate : rates) {
        const double begin = seconds();
        const double amount = work();
        rate = amount / (seconds() - begin);
    }
    std::sort(rates.begin(), rates.end());
    return rates[rates.size() / 2];
}

// Enough independent chains of fused multiply-adds to hide their latency.
template <class Vector>
double multiply_add_chains()
{
    constexpr int chains = 12;
    constexpr long rounds = 4'000'000;
    Vector total[chains] = {};
    const Vector factor = Vector{} + 0.9999999f;
    const Vector addend = Vector{} + 1e-9f;
    for (long round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
        for (int i = 0; i < chains; ++i)
            asm volatile("vfmadd213ps %2, %1, %0" : "+v"(total[i]) : "v"(factor), "v"(addend));
    }
    return double(rounds) * chains * 2.0 * (sizeof(Vector) / sizeof(float));
}

} // namespace

double fma_ceiling(bool wide)
{
    using narrow_vector = float __attribute__((vector_size(32)));
#if defined(__AVX512F__)
    using wide_vector = float __attribute__((vector_size(64)));
    if (wide)
        return median_rate(multiply_add_chains<wide_vector>);
#endif
    (void)wide;
    return median_rate(multiply_add_chains<narrow_vector>);
}

double read_ceiling(long bytes)
{
    std::vector<char> memory(static_cast<std::size_t>(bytes), 1);
    using vector = long long __attribute__((vector_size(64)));
    return median_rate([&] {
        constexpr long stretch = 8 * sizeof(vector);
        const long passes = std::max(1L, (1L << 29) / bytes);
        vector total[8] = {};
        for (long pass = 0; pass < passes; ++pass) {
            for (long at = 0; at + stretch <= bytes; at += stretch)
                for (long i = 0; i < 8; ++i) {
                    vector part;
                    std::memcpy(&part, memory.data() + at + i * long(sizeof part), sizeof part);
                    total[i] ^= part;
                }
            asm volatile("" ::"m"(total) : "memory");
        }
        return double(passes) * double(bytes / stretch * stretch);
    });
}

} // namespace bench
