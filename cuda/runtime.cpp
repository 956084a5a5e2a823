// SPDX-License-Identifier: MIT
// The CUDA runtime, linked statically: it looks for the driver when it is first called.
#include "cuda/runtime.hpp"

#include <cuda_runtime_api.h>

#include "cuda/block.h"

namespace iqa::cuda {

namespace {

cudaStream_t stream_of(void *stream)
{
    return static_cast<cudaStream_t>(stream);
}

// Shared memory that a block has without asking, what block.h has of its own included.
constexpr size_t usual_shared_bytes = 48 * 1024;

// Asks for all that there is, always: what one thread's launch needs must not be less than another's.
cudaError_t ask_for_shared_memory(const void *entry)
{
    int device = 0;
    int most = 0;
    cudaFuncAttributes own{};
    cudaError_t code = cudaGetDevice(&device);
    if (code == cudaSuccess)
        code = cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
    if (code == cudaSuccess)
        code = cudaFuncGetAttributes(&own, entry);
    if (code != cudaSuccess)
        return code;
    return cudaFuncSetAttribute(entry, cudaFuncAttributeMaxDynamicSharedMemorySize, most - int(own.sharedSizeBytes));
}

const runtime real = {
    .device_count = [](int *count) -> status { return cudaGetDeviceCount(count); },
    .get_device = [](int *device) -> status { return cudaGetDevice(device); },
    .set_device = [](int device) -> status { return cudaSetDevice(device); },
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
