// SPDX-License-Identifier: MIT
// The calls of the CUDA runtime that cuda/machine/runtime.cpp and tests/cuda/places/gpu.cpp make, on the machine that
// executes PTX. Enqueued work runs at once.
#include <string>

#include <cuda.h>
#include <cuda_runtime_api.h>

#include "cuda/ptx/device.hpp"

namespace {

using test::ptx::device;

const test::ptx::kernel_entry &entry_at(const void *function)
{
    return *static_cast<const test::ptx::kernel_entry *>(function);
}

cudaError_t copy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    const bool to_device = kind == cudaMemcpyHostToDevice;
    if (!device::get().is_live(to_device ? to : from, bytes))
        return cudaErrorInvalidValue;
    if (bytes != 0)
        std::memcpy(to, from, bytes);
    return cudaSuccess;
}

// The driver has one context, which is always current.
CUcontext only_context()
{
    static int context = 0;
    return reinterpret_cast<CUcontext>(&context);
}

struct driver_function {
    const char *name;
    void *address;
};

template <class Function>
void *address_of(Function *function)
{
    return reinterpret_cast<void *>(function);
}

const driver_function driver_functions[] = {
    {"cuDevicePrimaryCtxRetain", address_of(+[](CUcontext *context, CUdevice) -> CUresult {
         *context = only_context();
         return CUDA_SUCCESS;
     })},
    {"cuCtxPushCurrent", address_of(+[](CUcontext) -> CUresult { return CUDA_SUCCESS; })},
    {"cuCtxPopCurrent", address_of(+[](CUcontext *context) -> CUresult {
         *context = only_context();
         return CUDA_SUCCESS;
     })},
    {"cuStreamGetCtx", address_of(+[](CUstream, CUcontext *context) -> CUresult {
         *context = only_context();
         return CUDA_SUCCESS;
     })},
    {"cuCtxGetDevice", address_of(+[](CUdevice *number) -> CUresult {
         *number = 0;
         return CUDA_SUCCESS;
     })},
};

} // namespace

extern "C" {

cudaError_t CUDARTAPI cudaGetDriverEntryPointByVersion(const char *name, void **address, unsigned, unsigned long long,
                                                       cudaDriverEntryPointQueryResult *)
{
    for (const driver_function &each : driver_functions)
        if (std::string(each.name) == name) {
            *address = each.address;
            return cudaSuccess;
        }
    return cudaErrorSymbolNotFound;
}

cudaError_t CUDARTAPI cudaGetDriverEntryPoint(const char *name, void **address, unsigned long long flags,
                                              cudaDriverEntryPointQueryResult *result)
{
    return cudaGetDriverEntryPointByVersion(name, address, 0, flags, result);
}

cudaError_t CUDARTAPI cudaPointerGetAttributes(cudaPointerAttributes *found, const void *memory)
{
    *found = {};
    found->type = device::get().is_live(memory, 1) ? cudaMemoryTypeDevice : cudaMemoryTypeUnregistered;
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaGetDeviceCount(int *count)
{
    *count = 1;
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaGetDevice(int *number)
{
    *number = 0;
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaSetDevice(int number)
{
    return number == 0 ? cudaSuccess : cudaErrorInvalidDevice;
}

cudaError_t CUDARTAPI cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int)
{
    switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor:
        *value = device::get().architecture() / 10;
        return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
        *value = device::get().architecture() % 10;
        return cudaSuccess;
    case cudaDevAttrMemoryPoolsSupported:
        *value = 1;
        return cudaSuccess;
    case cudaDevAttrPageableMemoryAccess:
        *value = 0;
        return cudaSuccess;
    case cudaDevAttrMultiProcessorCount:
        *value = 2; // few, so that blocks take several parts
        return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
        *value = int(device::get().most_shared_bytes());
        return cudaSuccess;
    default:
        return cudaErrorInvalidValue;
    }
}

cudaError_t CUDARTAPI cudaMalloc(void **memory, size_t bytes)
{
    *memory = device::get().allocate(bytes);
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaFree(void *memory)
{
    return device::get().deallocate(memory) ? cudaSuccess : cudaErrorInvalidValue;
}

cudaError_t CUDARTAPI cudaMallocAsync(void **memory, size_t bytes, cudaStream_t)
{
    return cudaMalloc(memory, bytes);
}

cudaError_t CUDARTAPI cudaFreeAsync(void *memory, cudaStream_t)
{
    return cudaFree(memory);
}

cudaError_t CUDARTAPI cudaMemsetAsync(void *memory, int value, size_t bytes, cudaStream_t)
{
    if (!device::get().is_live(memory, bytes))
        return cudaErrorInvalidValue;
    std::memset(memory, value, bytes);
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    return copy(to, from, bytes, kind);
}

cudaError_t CUDARTAPI cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t)
{
    return copy(to, from, bytes, kind);
}

cudaError_t CUDARTAPI cudaStreamSynchronize(cudaStream_t)
{
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaDeviceSynchronize()
{
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus *state)
{
    *state = cudaStreamCaptureStatusNone;
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaFuncGetAttributes(cudaFuncAttributes *found, const void *function)
{
    *found = {};
    size_t bytes = 0;
    const bool is_made = device::get().find_static_shared_bytes(entry_at(function), bytes);
    found->sharedSizeBytes = bytes;
    return is_made ? cudaSuccess : cudaErrorLaunchFailure;
}

cudaError_t CUDARTAPI cudaFuncSetAttribute(const void *function, cudaFuncAttribute attribute, int value)
{
    const bool known = attribute == cudaFuncAttributeMaxDynamicSharedMemorySize && value >= 0;
    return known && device::get().allow_shared_bytes(entry_at(function), size_t(value)) ? cudaSuccess
                                                                                        : cudaErrorInvalidValue;
}

cudaError_t CUDARTAPI cudaLaunchKernel(const void *function, dim3 blocks, dim3 threads, void **arguments,
                                       size_t shared_bytes, cudaStream_t)
{
    const test::ptx::launch_request request = {
        {blocks.x, blocks.y, blocks.z}, {threads.x, threads.y, threads.z}, shared_bytes, arguments[0]};
    return device::get().launch(entry_at(function), request) ? cudaSuccess : cudaErrorLaunchFailure;
}

const char *CUDARTAPI cudaGetErrorString(cudaError_t code)
{
    return code == cudaErrorLaunchFailure ? device::get().last_fault().c_str() : "a call that the machine refuses";
}

cudaError_t CUDARTAPI cudaGetLastError()
{
    return cudaSuccess;
}

} // extern "C"
