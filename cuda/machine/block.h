// SPDX-License-Identifier: MIT
// How kernels are written: as what a block of threads does, in steps with a barrier after each. The same text runs on a
// GPU, where `block` is this header's gpu_block, and in tests on one CPU thread that plays every thread of every block
// (tests/cuda/sequential/machine.hpp). A kernel is a struct:
//
//     struct count_samples {
//         using arguments = ...;                     // by value: all that comes from the host
//         static constexpr int threads = 256;        // of a block
//         template <class Block>
//         IQA_KERNEL static void run(Block &block, const arguments &args);
//     };
//
// Within a step, threads may not read what others write in it, but for sums that have no order: integers, through
// add(). Between steps too there is only the last one's barrier: what a loop's end or a branch is decided by may not
// lie in shared memory that the step after it writes, since a thread may still be reading it there.
//
// A launch runs later than the call that asks for it, and again with each launch of a graph: pointers among the
// arguments are to memory that a ledger keeps for as long.
//
// combined(), sum_of_threads() and comes_last() have shared memory of their own: at most `most_static_shared_bytes` in
// kernels that are given more at their launch.
#pragma once

#include "arith/portable.h"

#if defined(__CUDACC__)
#define IQA_KERNEL __device__ __forceinline__
#else
#define IQA_KERNEL inline
#endif

namespace iqa::cuda {

constexpr int most_static_shared_bytes = 640;

// The sum of integers at an address, in any order.
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

// The least of the values, and the bits of all of them, in any order.
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

// A sum too wide for 64 bits: the digits of each number, of 32 bits but for the last, are summed apart.
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

    // The block's own memory, aligned to 16 bytes. Its content is not defined at the start.
    IQA_KERNEL char *shared() const
    {
        extern __shared__ __align__(16) char memory[];
        return memory;
    }

    // Calls body(i) once for each i in 0 ... count - 1, by any threads; then all wait for all.
    template <class Body>
    IQA_KERNEL void each(int count, Body &&body)
    {
        for (int i = int(threadIdx.x); i < count; i += int(blockDim.x))
            body(i);
        __syncthreads();
    }

    // The sum of body(i), for all threads. Integers only: their sums have no order.
    template <class Body>
    IQA_KERNEL int64_t sum(int count, Body &&body)
    {
        int64_t own = 0;
        for (int i = int(threadIdx.x); i < count; i += int(blockDim.x))
            own += body(i);
        return sum_of_threads(own);
    }

    // Each body adds to totals of its thread's own, which begin as Totals{}; combined they are for all threads. A
    // Totals is made of integers, and combine() has no order: it adds, or keeps what is most.
    template <class Totals, class Body>
    IQA_KERNEL Totals reduce(int count, Body &&body)
    {
        Totals own{};
        for (int i = int(threadIdx.x); i < count; i += int(blockDim.x))
            body(i, own);
        return combined(own);
    }

    // True for the block that comes here last of all. What the others wrote before is then visible to it. `arrivals`
    // is 0 before and after.
    IQA_KERNEL bool comes_last(uint32_t *arrivals) { return comes_last(arrivals, blocks()); }

    // Of `blocks` that come here.
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
    // The totals of the lane whose number differs by `distance`, in one bit.
    template <class Totals>
    IQA_KERNEL static Totals across(const Totals &own, int distance)
    {
        uint32_t words[sizeof(Totals) / sizeof(uint32_t)];
        __builtin_memcpy(words, &own, sizeof own);
        for (uint32_t &word : words)
            word = __shfl_xor_sync(0xffffffffu, word, distance);
        Totals other;
        __builtin_memcpy(&other, words, sizeof other);
        return other;
    }

    template <class Totals>
    IQA_KERNEL Totals combined(Totals own)
    {
        constexpr int most_warps = 32;
        __shared__ uint64_t memory[divide_up(sizeof(Totals), sizeof(uint64_t)) * most_warps];
        Totals *of_warps = reinterpret_cast<Totals *>(memory);
        const int warp = int(threadIdx.x) / 32;
        const int warps = divide_up(int(blockDim.x), 32);
        for (int distance = 16; distance > 0; distance /= 2)
            own.combine(across(own, distance));
        if (threadIdx.x % 32 == 0)
            of_warps[warp] = own;
        __syncthreads();
        if (warp == 0) {
            own = int(threadIdx.x) < warps ? of_warps[threadIdx.x] : Totals{};
            for (int distance = 16; distance > 0; distance /= 2)
                own.combine(across(own, distance));
            if (threadIdx.x == 0)
                of_warps[0] = own;
        }
        __syncthreads();
        const Totals all = of_warps[0];
        __syncthreads();
        return all;
    }

    IQA_KERNEL int64_t sum_of_threads(int64_t own)
    {
        __shared__ int64_t of_warps[32];
        for (int distance = 16; distance > 0; distance /= 2)
            own += __shfl_xor_sync(0xffffffffu, own, distance);
        const int warps = divide_up(int(blockDim.x), 32);
        if (threadIdx.x % 32 == 0)
            of_warps[threadIdx.x / 32] = own;
        __syncthreads();
        int64_t all = 0;
        for (int warp = 0; warp < warps; ++warp)
            all += of_warps[warp];
        __syncthreads();
        return all;
    }
};

#endif

} // namespace iqa::cuda
