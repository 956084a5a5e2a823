// SPDX-License-Identifier: MIT
#include "backend/backend.hpp"

namespace iqa {

const backend &backend_of(const iqa_tensor *reference, const iqa_tensor *candidate)
{
    if (reference == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, "reference is NULL");
    if (candidate == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, "candidate is NULL");
    if (reference->device_type != candidate->device_type || reference->device_id != candidate->device_id)
        fail(IQA_ERROR_DEVICE, "candidate is on device ", candidate->device_type, ":", candidate->device_id,
             " but reference is on ", reference->device_type, ":", reference->device_id);
    return backend_of(*reference, "reference");
}

const backend &backend_of(const iqa_tensor &tensor, const char *name)
{
    switch (tensor.device_type) {
    case IQA_CPU:
    case IQA_CUDA_HOST:
        return cpu_backend();
    case IQA_CUDA:
    case IQA_CUDA_MANAGED:
        return cuda_backend();
    default:
        fail(IQA_ERROR_UNAVAILABLE, name, " is on device type ", tensor.device_type,
             "; this library computes on CPU and CUDA tensors");
    }
}

device_place place_on_cpu(context &owner)
{
    return {&cpu_backend(), 0, &owner};
}

output_view clear_edges(const backend &device, context &where, const output_view &pixels, const image_view &shape,
                        int32_t layout, int32_t shave)
{
    if (pixels.data == nullptr || shave == 0)
        return pixels;
    device.clear_margin(where, {pixels, shape, shave, has_depth(layout) ? shave : 0});
    return shave_edges(pixels, layout, shave);
}

} // namespace iqa
