// SPDX-License-Identifier: MIT
// place.hpp on a GPU.
#include "cuda/places/place.hpp"

#include <cstdio>
#include <cstdlib>

#include <cuda_runtime_api.h>

namespace test::place {

namespace {

void check(cudaError_t code)
{
    if (code == cudaSuccess)
        return;
    std::fprintf(stderr, "CUDA: %s\n", cudaGetErrorString(code));
    std::abort();
}

} // namespace

const char *missing()
{
    int devices = 0;
    const cudaError_t code = cudaGetDeviceCount(&devices);
    if (code != cudaSuccess)
        return cudaGetErrorString(code);
    return devices == 0 ? "no device" : nullptr;
}

void *take(size_t bytes)
{
    void *memory = nullptr;
    check(cudaMalloc(&memory, bytes));
    return memory;
}

void give_back(void *memory)
{
    check(cudaFree(memory));
}

void to_device(void *device, const void *host, size_t bytes)
{
    check(cudaMemcpy(device, host, bytes, cudaMemcpyHostToDevice));
}

void to_host(void *host, const void *device, size_t bytes)
{
    check(cudaDeviceSynchronize());
    check(cudaMemcpy(host, device, bytes, cudaMemcpyDeviceToHost));
}

void wait()
{
    check(cudaDeviceSynchronize());
}

} // namespace test::place
