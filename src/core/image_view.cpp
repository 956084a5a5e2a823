// SPDX-License-Identifier: MIT
// Tensors as images, by the axes of their layout; weights of pixels; outputs for images, channels and pixels.
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>

#include "core/tensor.hpp"

namespace iqa {

namespace {

constexpr int most_axes = 5;

struct layout_axes {
    const char *name;
    const char *axes; // one letter for each: N, C, D, H, W
};

constexpr layout_axes layouts[] = {
    {"IQA_LAYOUT_HW", "HW"},     {"IQA_LAYOUT_HWC", "HWC"},     {"IQA_LAYOUT_CHW", "CHW"},
    {"IQA_LAYOUT_NHW", "NHW"},   {"IQA_LAYOUT_NHWC", "NHWC"},   {"IQA_LAYOUT_NCHW", "NCHW"},
    {"IQA_LAYOUT_DHW", "DHW"},   {"IQA_LAYOUT_CDHW", "CDHW"},   {"IQA_LAYOUT_DHWC", "DHWC"},
    {"IQA_LAYOUT_NDHW", "NDHW"}, {"IQA_LAYOUT_NCDHW", "NCDHW"}, {"IQA_LAYOUT_NDHWC", "NDHWC"},
};

// The member of a view that belongs to an axis.
template <class View>
int64_t &stride_in(View &view, char axis)
{
    switch (axis) {
    case 'N':
        return view.image_stride;
    case 'C':
        return view.channel_stride;
    case 'D':
        return view.slice_stride;
    case 'H':
        return view.row_stride;
    default:
        return view.column_stride;
    }
}

int64_t &extent_in(image_view &view, char axis)
{
    switch (axis) {
    case 'N':
        return view.images;
    case 'C':
        return view.channels;
    case 'D':
        return view.depth;
    case 'H':
        return view.height;
    default:
        return view.width;
    }
}

image_view view_image(const iqa_tensor &tensor, const char *name, const layout_axes &layout)
{
    const int32_t dtype = dtype_of(tensor);
    constexpr int32_t accepted[] = {IQA_UINT8,    IQA_UINT16,  IQA_INT16,  IQA_FLOAT16,
                                    IQA_BFLOAT16, IQA_FLOAT32, IQA_FLOAT64};
    bool known = false;
    for (const int32_t type : accepted)
        known = known || type == dtype;
    if (!known)
        fail(IQA_ERROR_DTYPE, name, " has element type ", dtype_text(tensor),
             "; expected uint8, uint16, int16, float16, bfloat16, float32 or float64");

    if (tensor.data == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, ".data is NULL");

    image_view view{};
    view.type = static_cast<element_type>(dtype);
    view.device_type = tensor.device_type;
    view.device_id = tensor.device_id;
    view.data = static_cast<const std::byte *>(tensor.data) + tensor.byte_offset;
    view.images = view.channels = view.depth = view.height = view.width = 1;
    for (int axis = 0; axis < tensor.ndim; ++axis) {
        if (tensor.shape[axis] == 0)
            fail(IQA_ERROR_SHAPE, name, " has shape ", shape_text(tensor), "; every extent must be at least 1");
        extent_in(view, layout.axes[axis]) = tensor.shape[axis];
        stride_in(view, layout.axes[axis]) = stride_of(tensor, axis);
    }
    if (reinterpret_cast<uintptr_t>(view.data) % uintptr_t(element_size(view.type)) != 0)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, ".data is not aligned to its elements of ", element_size(view.type),
             " bytes");
    return view;
}

// A tensor that belongs to images must be on their device. CPU tensors may have any device number.
void check_device(const iqa_tensor &tensor, const char *name, const image_view &images)
{
    if (tensor.device_type != images.device_type)
        fail(IQA_ERROR_DEVICE, name, " is on device type ", tensor.device_type, " but the images are on ",
             images.device_type);
    const bool numbered = images.device_type != IQA_CPU && images.device_type != IQA_CUDA_HOST;
    if (numbered && tensor.device_id != images.device_id)
        fail(IQA_ERROR_DEVICE, name, " is on device ", tensor.device_type, ":", tensor.device_id,
             " but the images are on ", images.device_type, ":", images.device_id);
}

// Checks an output tensor against the expected extents, and stores its strides.
void view_output(const iqa_tensor &tensor, const char *name, const image_view &images, const int64_t *extents,
                 int count, bool float32_too, output_view &view, int64_t *strides)
{
    check_extents(tensor, name);
    check_device(tensor, name, images);
    const int32_t dtype = dtype_of(tensor);
    if (dtype != IQA_FLOAT64 && !(float32_too && dtype == IQA_FLOAT32))
        fail(IQA_ERROR_DTYPE, name, " has element type ", dtype_text(tensor),
             float32_too ? "; expected float32 or float64" : "; expected float64");
    int64_t strides_of_expected[most_axes] = {};
    iqa_tensor expected = tensor;
    expected.ndim = count;
    expected.shape = extents;
    expected.strides = strides_of_expected;
    if (!same_shape(tensor, expected))
        fail(IQA_ERROR_SHAPE, name, " has shape ", shape_text(tensor), "; expected ", shape_text(expected));
    if (tensor.data == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, ".data is NULL");
    view.data = static_cast<std::byte *>(tensor.data) + tensor.byte_offset;
    view.is_double = dtype == IQA_FLOAT64;
    if (reinterpret_cast<uintptr_t>(view.data) % (view.is_double ? sizeof(double) : sizeof(float)) != 0)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, ".data is not aligned to its elements");
    for (int axis = 0; axis < count; ++axis)
        strides[axis] = stride_of(tensor, axis);
}

} // namespace

text index_text(int32_t layout, int64_t image, int64_t channel, int64_t slice, int64_t row, int64_t column)
{
    image_view index{};
    index.images = image;
    index.channels = channel;
    index.depth = slice;
    index.height = row;
    index.width = column;
    text out;
    out << "[";
    for (const char *axis = layouts[layout].axes; *axis != '\0'; ++axis)
        out << (axis == layouts[layout].axes ? "" : ", ") << extent_in(index, *axis);
    return out << "]";
}

// The axes of a layout, of which the tensor has as many.
static const layout_axes &axes_of(const iqa_tensor &tensor, const char *name, int32_t layout)
{
    const layout_axes &axes = layouts[layout];
    if (tensor.ndim != int(std::char_traits<char>::length(axes.axes)))
        fail(IQA_ERROR_SHAPE, name, " has shape ", shape_text(tensor), " but the layout ", axes.name, " has ",
             std::char_traits<char>::length(axes.axes), " axes; set layout to what the axes are");
    return axes;
}

image_view view_pictures(const iqa_tensor *tensor, const char *name, int32_t layout)
{
    if (tensor == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, " is NULL");
    check_extents(*tensor, name);
    return view_image(*tensor, name, axes_of(*tensor, name, layout));
}

image_pair view_images(const iqa_tensor *reference, const iqa_tensor *candidate, int32_t layout)
{
    if (reference == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, "reference is NULL");
    if (candidate == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, "candidate is NULL");
    check_extents(*reference, "reference");
    check_extents(*candidate, "candidate");
    const layout_axes &axes = axes_of(*reference, "reference", layout);
    if (!same_shape(*reference, *candidate))
        fail(IQA_ERROR_SHAPE, "candidate has shape ", shape_text(*candidate), " but reference has ",
             shape_text(*reference));
    if (dtype_of(*reference) != dtype_of(*candidate))
        fail(IQA_ERROR_DTYPE, "candidate has element type ", dtype_text(*candidate), " but reference has ",
             dtype_text(*reference));
    return {view_image(*reference, "reference", axes), view_image(*candidate, "candidate", axes)};
}

output_view view_per_image(const iqa_tensor *tensor, const image_view &images)
{
    output_view view;
    if (tensor != nullptr)
        view_output(*tensor, "per_image", images, &images.images, 1, false, view, &view.image_stride);
    return view;
}

output_view view_per_channel(const iqa_tensor *tensor, const image_view &images)
{
    output_view view;
    if (tensor == nullptr)
        return view;
    const int64_t extents[2] = {images.images, images.channels};
    int64_t strides[2] = {};
    view_output(*tensor, "per_channel", images, extents, 2, false, view, strides);
    view.image_stride = strides[0];
    view.channel_stride = strides[1];
    return view;
}

output_view view_pixels(const iqa_tensor *tensor, const char *name, const image_view &images, int32_t layout,
                        int64_t channels, int64_t depth, int64_t height, int64_t width)
{
    output_view view;
    if (tensor == nullptr)
        return view;
    image_view wanted = images;
    wanted.channels = channels;
    wanted.depth = depth;
    wanted.height = height;
    wanted.width = width;
    int64_t extents[most_axes] = {};
    int64_t strides[most_axes] = {};
    int count = 0;
    for (const char *axis = layouts[layout].axes; *axis != '\0'; ++axis)
        extents[count++] = extent_in(wanted, *axis);
    view_output(*tensor, name, images, extents, count, true, view, strides);
    for (int axis = 0; axis < count; ++axis)
        stride_in(view, layouts[layout].axes[axis]) = strides[axis];
    return view;
}

image_view extents_of(int32_t layout, int32_t ndim, const int64_t *shape)
{
    const char *axes = layouts[layout].axes;
    if (ndim != int32_t(std::strlen(axes)))
        fail(IQA_ERROR_SHAPE, "ndim is ", ndim, " but the layout ", layouts[layout].name, " has ", std::strlen(axes),
             " axes");
    image_view extents{};
    extents.images = extents.channels = extents.depth = extents.height = extents.width = 1;
    for (int32_t axis = 0; axis < ndim; ++axis) {
        if (shape[axis] < 1)
            fail(IQA_ERROR_SHAPE, "shape[", axis, "] is ", shape[axis], "; every extent must be at least 1");
        extent_in(extents, axes[axis]) = shape[axis];
    }
    return extents;
}

void write_shape(int32_t layout, const image_view &extents, int64_t *shape)
{
    image_view copy = extents;
    for (const char *axis = layouts[layout].axes; *axis != '\0'; ++axis)
        *shape++ = extent_in(copy, *axis);
}

bool has_depth(int32_t layout)
{
    return std::string_view(layouts[layout].axes).find('D') != std::string_view::npos;
}

image_pair shave_edges(image_pair images, int32_t layout, int32_t shave)
{
    if (shave == 0)
        return images;
    for (image_view *view : {&images.reference, &images.candidate})
        for (const char axis : {'D', 'H', 'W'}) {
            if (axis == 'D' && !has_depth(layout))
                continue;
            int64_t &extent = extent_in(*view, axis);
            if (extent <= 2 * int64_t(shave))
                fail(IQA_ERROR_SHAPE,
                     axis == 'D'   ? "depth "
                     : axis == 'H' ? "height "
                                   : "width ",
                     extent, " leaves nothing when ", shave, " pixels are shaved off each edge");
            extent -= 2 * int64_t(shave);
            view->data += shave * stride_in(*view, axis) * element_size(view->type);
        }
    return images;
}

weight_view shave_edges(weight_view weights, int32_t layout, int32_t shave)
{
    if (weights.data == nullptr || shave == 0)
        return weights;
    const int64_t size = (weights.dtype & 0xff) / 8;
    for (const char axis : {'D', 'H', 'W'})
        if (axis != 'D' || has_depth(layout))
            weights.data += shave * stride_in(weights, axis) * size;
    return weights;
}

output_view shave_edges(output_view pixels, int32_t layout, int32_t shave)
{
    const int64_t size = pixels.is_double ? sizeof(double) : sizeof(float);
    for (const char axis : {'D', 'H', 'W'})
        if (axis != 'D' || has_depth(layout))
            pixels.data += shave * stride_in(pixels, axis) * size;
    return pixels;
}

weight_view view_weights(const iqa_tensor *tensor, const image_view &images, int32_t layout, bool of_luma)
{
    weight_view view;
    if (tensor == nullptr)
        return view;
    check_extents(*tensor, "weights");
    check_device(*tensor, "weights", images);
    view.dtype = dtype_of(*tensor);
    if (view.dtype != IQA_BOOL && view.dtype != IQA_UINT8 && view.dtype != IQA_FLOAT32 && view.dtype != IQA_FLOAT64)
        fail(IQA_ERROR_DTYPE, "weights has element type ", dtype_text(*tensor),
             "; expected bool, uint8, float32 or float64");
    const char *axes = layouts[layout].axes;
    const int count = int(std::strlen(axes));
    const bool without_channels = tensor->ndim == count - 1 && std::strchr(axes, 'C') != nullptr;
    bool fits = tensor->ndim == count || without_channels;
    int tensor_axis = 0; // without channels, behind `axis` by one
    for (int axis = 0; fits && axis < count; ++axis) {
        if (without_channels && axes[axis] == 'C')
            continue;
        image_view extents = images;
        const int64_t expected = extent_in(extents, axes[axis]);
        const int64_t extent = tensor->shape[tensor_axis];
        const bool may_repeat = axes[axis] == 'N' || axes[axis] == 'C';
        fits = extent == expected || (may_repeat && extent == 1);
        if (of_luma && axes[axis] == 'C')
            fits = extent == 1;
        stride_in(view, axes[axis]) = stride_of(*tensor, tensor_axis); // 0 for an extent of 1
        ++tensor_axis;
    }
    if (!fits) {
        text expected;
        for (int axis = 0; axis < count; ++axis) {
            image_view extents = images;
            expected << (axis == 0 ? "[" : ", ") << (of_luma && axes[axis] == 'C' ? 1 : extent_in(extents, axes[axis]));
        }
        fail(IQA_ERROR_SHAPE, "weights has shape ", shape_text(*tensor), "; expected that of the images, ", expected,
             "], without the channel axis or with 1 for the batch or the channels");
    }
    if (tensor->data == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, "weights.data is NULL");
    view.data = static_cast<const std::byte *>(tensor->data) + tensor->byte_offset;
    if (reinterpret_cast<uintptr_t>(view.data) % uintptr_t((view.dtype & 0xff) / 8) != 0)
        fail(IQA_ERROR_INVALID_ARGUMENT, "weights.data is not aligned to its elements");
    return view;
}

} // namespace iqa
