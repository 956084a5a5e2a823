// SPDX-License-Identifier: MIT
// A fuzzer's requests (fuzz/device.cpp) on the kernels that nvcc compiled. The inputs are random with a fixed seed:
// searching is the fuzzer's task.
//     ptx_requests [COUNT]
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "../../../fuzz/machine.hpp"
#include "../../../fuzz/require.hpp"
#include "cuda/ptx/device.hpp"

using test::ptx::device;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

namespace fuzz {

void begin_on_machine(program &code, update_memory &of_device)
{
    constexpr int architectures[] = {75, 90};
    device::get().become(architectures[code.byte() % 2]);
    for (std::vector<uint8_t> *bytes :
         {&of_device.reference, &of_device.candidate, &of_device.weights, &of_device.per_image, &of_device.per_channel,
          &of_device.map, &of_device.gradient})
        device::get().lend(bytes->data(), bytes->size());
}

void end_on_machine()
{
    constexpr size_t lent = 7;
    REQUIRE(device::get().live_blocks() == lent);
}

} // namespace fuzz

namespace {

int request = 0;

void tell_of_abort(int)
{
    std::fprintf(stderr, "request %d: %s\n", request, device::get().last_fault().c_str());
}

} // namespace

int main(int argc, char **argv)
{
    const int count = argc > 1 ? std::atoi(argv[1]) : 1000;
    std::signal(SIGABRT, tell_of_abort);
    std::mt19937 random(1);
    for (; request < count; ++request) {
        std::vector<uint8_t> input(512);
        for (uint8_t &byte : input)
            byte = uint8_t(random() >> 24);
        LLVMFuzzerTestOneInput(input.data(), input.size());
    }
    int64_t launches = 0;
    for (const auto &[kernel, counts] : device::get().counts)
        launches += counts.launches;
    std::printf("%d requests: %zu kernels, %lld launches, %.1f million instructions of warps\n", count,
                device::get().counts.size(), static_cast<long long>(launches), double(device::get().issued()) * 1e-6);
    // Many random requests are refused; enough of them must reach the kernels.
    return launches > count / 4 ? EXIT_SUCCESS : EXIT_FAILURE;
}
