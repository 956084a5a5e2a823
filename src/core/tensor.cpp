// SPDX-License-Identifier: MIT
// Checks of tensors of any kind; image_view.cpp has those of images.
#include "core/tensor.hpp"

#include <cmath>

namespace iqa {

text dtype_text(const iqa_tensor &tensor)
{
    const char *family = "type";
    switch (tensor.dtype_code) {
    case 0:
        family = "int";
        break;
    case 1:
        family = "uint";
        break;
    case 2:
        family = "float";
        break;
    case 4:
        family = "bfloat";
        break;
    case 5:
        family = "complex";
        break;
    case 6:
        family = "bool";
        break;
    default:
        if (tensor.dtype_code >= 7 && tensor.dtype_code <= 17) // DLPack's floats of 8, 6 and 4 bits
            family = "float";
        break;
    }
    text out;
    out << family << int(tensor.dtype_bits);
    if (tensor.dtype_lanes != 1)
        out << "x" << int(tensor.dtype_lanes);
    return out;
}

int32_t dtype_of(const iqa_tensor &tensor)
{
    return tensor.dtype_lanes == 1 ? tensor.dtype_code << 8 | tensor.dtype_bits : -1;
}

// Rank, extents and strides are sane: no extent is negative, and every element's offset in bytes fits an int64. So does
// any product of extents, even beside an extent of 0, since axes are also visited in other orders.
void check_extents(const iqa_tensor &tensor, const char *name)
{
    if (tensor.ndim < 0 || tensor.ndim > 32)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, ".ndim is ", tensor.ndim, "; expected 0 to 32");
    if (tensor.ndim > 0 && tensor.shape == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, ".shape is NULL");
    constexpr int64_t limit = INT64_MAX / 64; // for sums of a few offsets of elements of 8 bytes
    int64_t elements = 1;
    int64_t reach = 0;
    for (int axis = 0; axis < tensor.ndim; ++axis) {
        const int64_t extent = tensor.shape[axis];
        if (extent < 0)
            fail(IQA_ERROR_SHAPE, name, " has shape ", shape_text(tensor), "; extents must not be negative");
        int64_t distance = 0;
        bool overflow = __builtin_mul_overflow(elements, extent != 0 ? extent : 1, &elements) || elements > limit;
        if (tensor.strides != nullptr && extent > 1) {
            const int64_t stride = tensor.strides[axis];
            overflow = overflow || stride == INT64_MIN ||
                       __builtin_mul_overflow(stride < 0 ? -stride : stride, extent - 1, &distance) ||
                       distance > limit || (reach += distance) > limit;
        }
        if (overflow)
            fail(IQA_ERROR_SHAPE, name, " has shape ", shape_text(tensor), ": more elements than memory can hold");
    }
    if (tensor.byte_offset > uint64_t(INT64_MAX / 2))
        fail(IQA_ERROR_INVALID_ARGUMENT, name, ".byte_offset is ", tensor.byte_offset, "; larger than any memory");
}

// The stride of an axis; a compact tensor's follows from the extents behind it.
int64_t stride_of(const iqa_tensor &tensor, int axis)
{
    if (tensor.shape[axis] <= 1)
        return 0;
    if (tensor.strides != nullptr)
        return tensor.strides[axis];
    int64_t stride = 1;
    for (int inner = axis + 1; inner < tensor.ndim; ++inner)
        stride *= tensor.shape[inner];
    return stride;
}

bool same_shape(const iqa_tensor &a, const iqa_tensor &b)
{
    bool same = a.ndim == b.ndim;
    for (int axis = 0; same && axis < a.ndim; ++axis)
        same = a.shape[axis] == b.shape[axis];
    return same;
}

text shape_text(const iqa_tensor &tensor)
{
    text out;
    out << "[";
    for (int axis = 0; axis < tensor.ndim; ++axis)
        out << (axis == 0 ? "" : ", ") << tensor.shape[axis];
    return out << "]";
}

void check_range(double low, double high)
{
    // For other peaks the scaled constants would not be normal numbers.
    constexpr double smallest = 1e-300;
    constexpr double largest = 1e300;
    const double peak = high - low;
    if (std::isfinite(low) && std::isfinite(high) && (peak < 0 || (peak >= smallest && peak <= largest)))
        return;
    fail(IQA_ERROR_INVALID_ARGUMENT, "the data range is ", low, " ... ", high,
         "; expected finite numbers whose difference is from 1e-300 to 1e300, or data_low above data_high for a range "
         "that is not stated");
}

data_range range_of_update(data_range of_options, const iqa_update_extras &extras)
{
    const data_range of_update = {extras.data_low, extras.data_high};
    if (of_update.low == 0 && of_update.high == 0)
        return of_options;
    if (is_stated(of_options))
        fail(IQA_ERROR_INVALID_ARGUMENT, "the data range of the update is ", of_update.low, " ... ", of_update.high,
             ", but the options state ", of_options.low, " ... ", of_options.high,
             " for every update; state it in one place");
    if (!is_stated(of_update))
        fail(IQA_ERROR_INVALID_ARGUMENT, "the data range of the update is ", of_update.low, " ... ", of_update.high,
             "; expected data_low below data_high, or both 0 for a range that is not stated");
    check_range(of_update.low, of_update.high);
    return of_update;
}

data_range resolve_range(data_range stated, element_type type)
{
    if (is_stated(stated))
        return stated;
    if (is_integer(type))
        return span_of(type);
    fail(IQA_ERROR_INVALID_ARGUMENT, "the data range of floating-point images cannot be known: set data_low and "
                                     "data_high, for example 0 and 1");
}

table_view view_table_on_cpu(const iqa_tensor &tensor, const char *name, int64_t columns)
{
    if (tensor.device_type != IQA_CPU && tensor.device_type != IQA_CUDA_HOST)
        fail(IQA_ERROR_UNAVAILABLE, name, " is on device type ", tensor.device_type,
             "; this metric computes on CPU tensors");
    return view_table(tensor, name, columns);
}

table_view view_table(const iqa_tensor &tensor, const char *name, int64_t columns)
{
    check_extents(tensor, name);
    if (columns == any_columns && (tensor.ndim != 2 || tensor.shape[1] == 0))
        fail(IQA_ERROR_SHAPE, name, " has shape ", shape_text(tensor), "; expected two axes, the second of 1 or more");
    if (columns != any_columns && (tensor.ndim != 2 || tensor.shape[1] != columns))
        fail(IQA_ERROR_SHAPE, name, " has shape ", shape_text(tensor), "; expected [N, ", columns, "]");
    const int32_t dtype = dtype_of(tensor);
    if (dtype != IQA_FLOAT16 && dtype != IQA_BFLOAT16 && dtype != IQA_FLOAT32 && dtype != IQA_FLOAT64)
        fail(IQA_ERROR_DTYPE, name, " has element type ", dtype_text(tensor),
             "; expected float16, bfloat16, float32 or float64");
    table_view view{static_cast<element_type>(dtype),
                    static_cast<const std::byte *>(tensor.data),
                    tensor.shape[0],
                    tensor.shape[1],
                    stride_of(tensor, 0),
                    stride_of(tensor, 1)};
    if (view.rows == 0)
        return view;
    if (tensor.data == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, ".data is NULL");
    view.data += tensor.byte_offset;
    if (reinterpret_cast<uintptr_t>(view.data) % uintptr_t(element_size(view.type)) != 0)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, ".data is not aligned to its elements of ", element_size(view.type),
             " bytes");
    return view;
}

} // namespace iqa
