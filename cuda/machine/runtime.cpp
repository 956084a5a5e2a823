// SPDX-License-Identifier: MIT
// The CUDA runtime, linked statically: its first call loads the driver.
#include "cuda/machine/runtime.hpp"

#include <array>
#include <atomic>

#include <cudaTypedefs.h>
#include <cuda_runtime_api.h>

#include "cuda/machine/block.h"

namespace iqa::cuda {

extern const int least_capability; // of the kernels

namespace {

cudaStream_t stream_of(void *stream)
{
    return static_cast<cudaStream_t>(stream);
}

// A driver function in its version of CUDA 12.0; NULL if the driver lacks it.
template <class Function>
Function driver_function(const char *name)
{
    void *address = nullptr;
#if CUDART_VERSION >= 12050
    const cudaError_t code = cudaGetDriverEntryPointByVersion(name, &address, 12000, cudaEnableDefault);
#else
    const cudaError_t code = cudaGetDriverEntryPoint(name, &address, cudaEnableDefault);
#endif
    return code == cudaSuccess ? reinterpret_cast<Function>(address) : nullptr;
}

// Driver functions without a counterpart in the runtime.
struct driver_functions {
    PFN_cuDevicePrimaryCtxRetain_v7000 retain_primary =
        driver_function<PFN_cuDevicePrimaryCtxRetain_v7000>("cuDevicePrimaryCtxRetain");
    PFN_cuCtxPushCurrent_v4000 push = driver_function<PFN_cuCtxPushCurrent_v4000>("cuCtxPushCurrent");
    PFN_cuCtxPopCurrent_v4000 pop = driver_function<PFN_cuCtxPopCurrent_v4000>("cuCtxPopCurrent");
    PFN_cuStreamGetCtx_v9020 context_of_stream = driver_function<PFN_cuStreamGetCtx_v9020>("cuStreamGetCtx");
    PFN_cuCtxGetDevice_v2000 device = driver_function<PFN_cuCtxGetDevice_v2000>("cuCtxGetDevice");

    bool complete() const
    {
        return retain_primary != nullptr && push != nullptr && pop != nullptr && context_of_stream != nullptr &&
               device != nullptr;
    }
};

const driver_functions &driver()
{
    static const driver_functions functions;
    return functions;
}

// Retains the context for good: releasing the last reference would destroy it, with the runtime's state.
status primary_context(int device, CUcontext *context)
{
    static std::array<std::atomic<CUcontext>, 64> known{};
    if (!driver().complete())
        return cudaErrorNotSupported;
    if (device < 0 || size_t(device) >= known.size())
        return driver().retain_primary(context, device);
    *context = known[size_t(device)];
    if (*context != nullptr)
        return cudaSuccess;
    const CUresult code = driver().retain_primary(context, device);
    if (code == CUDA_SUCCESS)
        known[size_t(device)] = *context;
    return code;
}

bool is_default_stream(void *stream)
{
    return stream == nullptr || stream == cudaStreamLegacy || stream == cudaStreamPerThread;
}

// The shared memory of a block that need not be asked for, with block.h's static part.
constexpr size_t usual_shared_bytes = 48 * 1024;

// Always asks for all of it: launches from several threads may need different amounts.
cudaError_t ask_for_shared_memory(const void *entry)
{
    int device = 0;
    int most = 0;
    cudaFuncAttributes attributes{};
    cudaError_t code = cudaGetDevice(&device);
    if (code == cudaSuccess)
        code = cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
    if (code == cudaSuccess)
        code = cudaFuncGetAttributes(&attributes, entry);
    if (code != cudaSuccess)
        return code;
    return cudaFuncSetAttribute(entry, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                most - int(attributes.sharedSizeBytes));
}

const runtime real = {
    .device_count = [](int *count) -> status { return cudaGetDeviceCount(count); },
    .abilities = [](int device, device_abilities *found) -> status {
        int values[4]{};
        constexpr cudaDeviceAttr wanted[] = {cudaDevAttrComputeCapabilityMajor, cudaDevAttrComputeCapabilityMinor,
                                             cudaDevAttrMemoryPoolsSupported, cudaDevAttrPageableMemoryAccess};
        for (int i = 0; i < 4; ++i) {
            const cudaError_t code = cudaDeviceGetAttribute(&values[i], wanted[i], device);
            if (code != cudaSuccess)
                return code;
        }
        *found = {10 * values[0] + values[1], least_capability, values[2] != 0, values[3] != 0};
        return cudaSuccess;
    },
    .get_device = [](int *device) -> status { return cudaGetDevice(device); },
    .enter_device = [](int device) -> status {
        CUcontext context = nullptr;
        const status code = primary_context(device, &context);
        return code != 0 ? code : driver().push(context);
    },
    .leave_device = []() -> status {
        CUcontext context = nullptr;
        return driver().pop(&context);
    },
    .locate = [](const void *memory, memory_location *found) -> status {
        cudaPointerAttributes attributes{};
        const cudaError_t code = cudaPointerGetAttributes(&attributes, memory);
        const bool mapped = attributes.type == cudaMemoryTypeManaged ||
                            (attributes.type == cudaMemoryTypeHost && attributes.devicePointer == memory);
        *found = {mapped || attributes.type == cudaMemoryTypeDevice, mapped, attributes.device};
        return code;
    },
    .device_of_stream = [](void *stream, int *device) -> status {
        *device = -1;
        if (is_default_stream(stream))
            return cudaSuccess;
        CUcontext context = nullptr;
        if (!driver().complete())
            return cudaErrorNotSupported;
        CUresult code = driver().context_of_stream(stream_of(stream), &context);
        if (code == CUDA_SUCCESS)
            code = driver().push(context);
        if (code != CUDA_SUCCESS)
            return code;
        code = driver().device(device);
        driver().pop(&context);
        return code;
    },
    .multiprocessors = [](int device, int *count) -> status {
        return cudaDeviceGetAttribute(count, cudaDevAttrMultiProcessorCount, device);
    },
    .shared_memory = [](int device, int *bytes) -> status {
        return cudaDeviceGetAttribute(bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
    },
    .allocate = [](void **memory, size_t bytes, void *stream) -> status {
        return cudaMallocAsync(memory, bytes, stream_of(stream));
    },
    .deallocate = [](void *memory, void *stream) -> status { return cudaFreeAsync(memory, stream_of(stream)); },
    .clear = [](void *memory, size_t bytes, void *stream) -> status {
        return cudaMemsetAsync(memory, 0, bytes, stream_of(stream));
    },
    .upload = [](void *device_memory, const void *memory, size_t bytes, void *stream) -> status {
        return cudaMemcpyAsync(device_memory, memory, bytes, cudaMemcpyHostToDevice, stream_of(stream));
    },
    .download = [](void *memory, const void *device_memory, size_t bytes, void *stream) -> status {
        return cudaMemcpyAsync(memory, device_memory, bytes, cudaMemcpyDeviceToHost, stream_of(stream));
    },
    .wait = [](void *stream) -> status { return cudaStreamSynchronize(stream_of(stream)); },
    .is_capturing = [](void *stream, bool *capturing) -> status {
        cudaStreamCaptureStatus state = cudaStreamCaptureStatusNone;
        const cudaError_t code = cudaStreamIsCapturing(stream_of(stream), &state);
        *capturing = state != cudaStreamCaptureStatusNone;
        return code;
    },
    .launch = [](const void *entry, unsigned blocks, unsigned threads, size_t shared_bytes, const void *arguments,
                 void *stream) -> status {
        if (shared_bytes + most_static_shared_bytes > usual_shared_bytes) {
            const cudaError_t code = ask_for_shared_memory(entry);
            if (code != cudaSuccess)
                return code;
        }
        void *parameters[] = {const_cast<void *>(arguments)};
        return cudaLaunchKernel(entry, dim3(blocks), dim3(threads), parameters, shared_bytes, stream_of(stream));
    },
    .text = [](status code) { return cudaGetErrorString(static_cast<cudaError_t>(code)); },
    .forget_error = [] { cudaGetLastError(); },
};

} // namespace

const runtime &active_runtime = real;

} // namespace iqa::cuda
