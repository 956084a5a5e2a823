// SPDX-License-Identifier: MIT
// Block programs: a kernel is written for a block of threads, in steps that end with a barrier. The same text runs on a
// GPU, where `block` is this header's gpu_block, and in tests on one CPU thread that plays every thread of every block
// (tests/cuda/sequential/machine.hpp). A kernel is a struct:
//
//     struct count_samples {
//         using arguments = ...;                     // by value: everything that comes from the host
//         static constexpr int threads = 256;        // of a block
//         template <class Block>
//         IQA_KERNEL static void run(Block &block, const arguments &args);
//     };
//
// Within a step, no thread may read what another thread writes, except integer sums through add(), which have no
// order. No loop or branch may depend on shared memory that the next step writes: a slow thread may still be
// reading it then, since the only barrier is the one before.
//
// A launch runs later than the call that asks for it, and again with each launch of a graph. A ledger keeps the memory
// that the arguments point to for as long.
//
// combined() and comes_last() use static shared memory: at most `most_static_shared_bytes` in a
// kernel whose launch asks for dynamic shared memory.
#pragma once

#include "arith/portable.h"

#if defined(__CUDACC__)
#define IQA_KERNEL __device__ __forceinline__
#else
#define IQA_KERNEL inline
#endif

namespace iqa::cuda {

constexpr int most_static_shared_bytes = 640;

// Atomic integer operations; their order does not matter.
IQA_KERNEL void add(int64_t *sum, int64_t value)
{
#if defined(__CUDA_ARCH__)
    atomicAdd(reinterpret_cast<unsigned long long *>(sum), static_cast<unsigned long long>(value));
#else
    *sum = int64_t(uint64_t(*sum) + uint64_t(value));
#endif
}

IQA_KERNEL void add(uint32_t *sum, uint32_t value)
{
#if defined(__CUDA_ARCH__)
    atomicAdd(sum, value);
#else
    *sum += value;
#endif
}

IQA_KERNEL void keep_least(int64_t *least, int64_t value)
{
#if defined(__CUDA_ARCH__)
    atomicMin(reinterpret_cast<long long *>(least), static_cast<long long>(value));
#else
    *least = value < *least ? value : *least;
#endif
}

IQA_KERNEL void keep_most(uint64_t *most, uint64_t value)
{
#if defined(__CUDA_ARCH__)
    atomicMax(reinterpret_cast<unsigned long long *>(most), static_cast<unsigned long long>(value));
#else
    *most = value > *most ? value : *most;
#endif
}

IQA_KERNEL void set_bits(uint32_t *bits, uint32_t value)
{
#if defined(__CUDA_ARCH__)
    atomicOr(bits, value);
#else
    *bits |= value;
#endif
}

// A sum too wide for 64 bits. Each addend is cut into digits of 32 bits (the last has the rest), which are summed
// apart.
struct wide_sum {
    int64_t digit[4];
};

IQA_KERNEL void add(wide_sum *sum, int128 value)
{
    for (int i = 0; i < 3; ++i) {
        const int64_t digit = int64_t(uint32_t(value));
        if (digit != 0)
            add(&sum->digit[i], digit);
        value >>= 32;
    }
    if (value != 0)
        add(&sum->digit[3], int64_t(value));
}

IQA_HD int128 value_of(const wide_sum &sum)
{
    int128 value = sum.digit[3];
    for (int i = 2; i >= 0; --i)
        value = value * (int128(1) << 32) + sum.digit[i];
    return value;
}

#if defined(__CUDACC__)

class gpu_block {
public:
    IQA_KERNEL int64_t index() const { return blockIdx.x; }
    IQA_KERNEL int64_t blocks() const { return gridDim.x; }

    // The block's shared memory, aligned to 16 bytes, undefined at the start.
    IQA_KERNEL char *shared() const
    {
        extern __shared__ __align__(16) char memory[];
        return memory;
    }

    // Calls body(i) once for each i in 0 ... count - 1, by any threads. Ends with a barrier.
    template <class Body>
    IQA_KERNEL void each(int count, Body &&body)
    {
        for (int i = int(threadIdx.x); i < count; i += int(blockDim.x))
            body(i);
        __syncthreads();
    }

    // The same for at most as many calls as the block has threads: thread i calls body(i). What the calls share is not
    // computed for threads without one, as it is before the loop of each().
    template <class Body>
    IQA_KERNEL void each_thread(int count, Body &&body)
    {
        if (int(threadIdx.x) < count)
            body(int(threadIdx.x));
        __syncthreads();
    }

    // The sum of body(i), for all threads. Integers only: their sums have no order.
    template <class Body>
    IQA_KERNEL int64_t sum(int count, Body &&body)
    {
        return reduce<sum_of_threads>(count, [&](int i, sum_of_threads &partial) { partial.value += body(i); }).value;
    }

    // Each thread's calls of body(i, totals) add to the thread's Totals, which begin as Totals{}. Returns the combined
    // totals to all threads. A Totals has integers only, and the order of combine() does not matter: it adds, or keeps
    // the largest.
    template <class Totals, class Body>
    IQA_KERNEL Totals reduce(int count, Body &&body)
    {
        Totals totals{};
        for (int i = int(threadIdx.x); i < count; i += int(blockDim.x))
            body(i, totals);
        return combined(totals);
    }

    // True for the last block that calls this, which then sees what the others wrote before their calls. `arrivals` is
    // 0 before and after.
    IQA_KERNEL bool comes_last(uint32_t *arrivals) { return comes_last(arrivals, blocks()); }

    IQA_KERNEL bool comes_last(uint32_t *arrivals, int64_t blocks)
    {
        __shared__ bool last;
        __threadfence();
        __syncthreads();
        if (threadIdx.x == 0) {
            last = atomicAdd(arrivals, 1u) == uint32_t(blocks) - 1;
            if (last)
                *arrivals = 0;
        }
        __syncthreads();
        if (last)
            __threadfence();
        return last;
    }

private:
    struct sum_of_threads { // one for all sums of a kernel, as its static memory is
        int64_t value;

        IQA_KERNEL void combine(const sum_of_threads &other) { value += other.value; }
    };

    // The totals of lane (this lane xor distance).
    template <class Totals>
    IQA_KERNEL static Totals across(const Totals &totals, int distance)
    {
        uint32_t words[sizeof(Totals) / sizeof(uint32_t)];
        __builtin_memcpy(words, &totals, sizeof totals);
        for (uint32_t &word : words)
            word = __shfl_xor_sync(0xffffffffu, word, distance);
        Totals other;
        __builtin_memcpy(&other, words, sizeof other);
        return other;
    }

    template <class Totals>
    IQA_KERNEL Totals combined(Totals totals)
    {
        constexpr int most_warps = 32;
        __shared__ uint64_t memory[divide_up(sizeof(Totals), sizeof(uint64_t)) * most_warps];
        Totals *warp_totals = reinterpret_cast<Totals *>(memory);
        const int warp = int(threadIdx.x) / 32;
        const int warps = divide_up(int(blockDim.x), 32);
        for (int distance = 16; distance > 0; distance /= 2)
            totals.combine(across(totals, distance));
        if (threadIdx.x % 32 == 0)
            warp_totals[warp] = totals;
        __syncthreads();
        if (warp == 0) {
            totals = int(threadIdx.x) < warps ? warp_totals[threadIdx.x] : Totals{};
            for (int distance = 16; distance > 0; distance /= 2)
                totals.combine(across(totals, distance));
            if (threadIdx.x == 0)
                warp_totals[0] = totals;
        }
        __syncthreads();
        totals = warp_totals[0];
        __syncthreads();
        return totals;
    }
};

#endif

} // namespace iqa::cuda
