// SPDX-License-Identifier: MIT
#include "cuda/machine/grid.hpp"

#include <algorithm>
#include <array>
#include <atomic>

#include "cuda/machine/launch.hpp"

namespace iqa::cuda {

namespace {

constexpr int64_t blocks_of_a_multiprocessor = 8; // of 256 threads

int ask(int device)
{
    int count = 0;
    check(active_runtime.multiprocessors(device, &count), "asking for the multiprocessors of the CUDA device");
    return count;
}

} // namespace

int multiprocessors()
{
    static std::array<std::atomic<int>, 64> known{};
    int device = 0;
    check(active_runtime.get_device(&device), "asking for the current CUDA device");
    if (device < 0 || size_t(device) >= known.size())
        return ask(device);
    std::atomic<int> &count = known[size_t(device)];
    if (count == 0)
        count = ask(device);
    return count;
}

int64_t resident_blocks(int64_t work, int64_t slice, int64_t budget)
{
    const int64_t fitting = slice == 0 ? work : std::max<int64_t>(1, budget / slice);
    return std::min({work, fitting, multiprocessors() * blocks_of_a_multiprocessor});
}

} // namespace iqa::cuda
