// SPDX-License-Identifier: MIT
// Checked views of the caller's tensors.
#pragma once

#include <cstddef>
#include <cstdint>

#include "arith/element_type.h"
#include "arith/portable.h"
#include "arith/random_order.h"
#include "arith/weight.h"
#include "core/error.hpp"
#include "iqa_c.h"

namespace iqa {

// A batch of images or volumes, with strides in elements. An axis that the layout lacks has extent 1 and stride 0.
struct image_view {
    const std::byte *data;
    element_type type;
    int32_t device_type, device_id;
    int64_t images, channels, depth, height, width;
    int64_t image_stride, channel_stride, slice_stride, row_stride, column_stride;

    IQA_HD_MEMBER const std::byte *at(int64_t image, int64_t channel, int64_t slice, int64_t row, int64_t column) const
    {
        return data + (image * image_stride + channel * channel_stride + slice * slice_stride + row * row_stride +
                       column * column_stride) *
                          element_size(type);
    }
    IQA_HD_MEMBER int64_t pixels() const { return depth * height * width; }
};

// Whether it was stated at all.
constexpr bool is_stated(data_range range)
{
    return range.low < range.high;
}

// The range that an update states for itself, or that of the options; both may be unstated, and one has to be.
data_range range_of_update(data_range of_options, const iqa_update_extras &extras);
// The stated range, or the span of the type where there is none.
data_range resolve_range(data_range stated, element_type type);
void check_range(double low, double high);

// The images of one update: same device, shape and type.
struct image_pair {
    image_view reference;
    image_view candidate;
};
image_view view_pictures(const iqa_tensor *tensor, const char *name, int32_t layout);
image_pair view_images(const iqa_tensor *reference, const iqa_tensor *candidate, int32_t layout);

bool has_depth(int32_t layout);

// A view with the extents of a shape but without memory, and back.
image_view extents_of(int32_t layout, int32_t ndim, const int64_t *shape);
void write_shape(int32_t layout, const image_view &extents, int64_t *shape);

// The images without `shave` pixels (voxels) at each edge.
image_pair shave_edges(image_pair images, int32_t layout, int32_t shave);

struct pixel_place {
    int64_t image, channel, slice, row, column;
};

// Weights of pixels: bool, uint8, float32 or float64. A broadcast axis has stride 0.
struct weight_view {
    const std::byte *data = nullptr; // NULL: every pixel has weight 1
    int32_t dtype = 0;
    int64_t image_stride = 0, channel_stride = 0, slice_stride = 0, row_stride = 0, column_stride = 0;

    IQA_HD_MEMBER int64_t index(int64_t image, int64_t channel, int64_t slice, int64_t row, int64_t column) const
    {
        return image * image_stride + channel * channel_stride + slice * slice_stride + row * row_stride +
               column * column_stride;
    }
};
// `images` are not shaved yet. `of_luma`: channels are measured as one, so that their weights may not differ.
weight_view view_weights(const iqa_tensor *tensor, const image_view &images, int32_t layout, bool of_luma);
weight_view shave_edges(weight_view weights, int32_t layout, int32_t shave);
IQA_HD double weight_at(const weight_view &weights, int64_t image, int64_t channel, int64_t slice, int64_t row,
                        int64_t column)
{
    if (weights.data == nullptr)
        return 1.0;
    const int64_t index = weights.index(image, channel, slice, row, column);
    return with_weight_type(static_cast<weight_type>(weights.dtype), [&](auto type) {
        return double(weight_of_element(reinterpret_cast<const decltype(type) *>(weights.data)[index]));
    });
}

IQA_HD void store_output(std::byte *to, bool is_double, double value)
{
    if (is_double)
        *reinterpret_cast<double *>(to) = with_one_nan(value);
    else
        *reinterpret_cast<float *>(to) = with_one_nan(static_cast<float>(value));
}

// An output with a value for each image, channel or pixel. `data` is NULL if it is not wanted.
struct output_view {
    std::byte *data = nullptr;
    bool is_double = true;
    int64_t image_stride = 0, channel_stride = 0, slice_stride = 0, row_stride = 0, column_stride = 0;

    IQA_HD_MEMBER std::byte *at(int64_t image, int64_t channel, int64_t slice, int64_t row, int64_t column) const
    {
        const int64_t index = image * image_stride + channel * channel_stride + slice * slice_stride +
                              row * row_stride + column * column_stride;
        return data + index * element_size();
    }
    IQA_HD_MEMBER int64_t element_size() const { return int64_t(is_double ? sizeof(double) : sizeof(float)); }
    IQA_HD_MEMBER void store(int64_t image, int64_t channel, int64_t slice, int64_t row, int64_t column,
                             double value) const
    {
        store_output(at(image, channel, slice, row, column), is_double, value);
    }
};
output_view shave_edges(output_view pixels, int32_t layout, int32_t shave);

// The pixels at the edges of an image: `width` at both ends of each row and column, and `slices` at both ends.
struct margin_view {
    output_view pixels;
    image_view shape;
    int64_t width, slices;
};
IQA_HD bool is_in_margin(const margin_view &margin, int64_t slice, int64_t row, int64_t column)
{
    const auto near_an_end = [](int64_t index, int64_t extent, int64_t width) {
        return index < width || index >= extent - width;
    };
    return near_an_end(slice, margin.shape.depth, margin.slices) ||
           near_an_end(row, margin.shape.height, margin.width) || near_an_end(column, margin.shape.width, margin.width);
}

output_view view_per_image(const iqa_tensor *tensor, const image_view &images);
output_view view_per_channel(const iqa_tensor *tensor, const image_view &images);
// A value for each pixel; `name` is the argument's. The extents are those of the images, but for the last four.
output_view view_pixels(const iqa_tensor *tensor, const char *name, const image_view &images, int32_t layout,
                        int64_t channels, int64_t depth, int64_t height, int64_t width);

// A table of floating-point numbers: rows x columns, with element strides.
struct table_view {
    element_type type;
    const std::byte *data;
    int64_t rows, columns;
    int64_t row_stride, column_stride;
};
constexpr int64_t most_table_rows = int64_t(1) << 31; // of calls that take all rows at once
// All or some rows of a table.
struct row_set {
    table_view view;
    const keyed_row *chosen; // NULL: all
    int64_t count;

    IQA_HD_MEMBER int64_t row(int64_t index) const { return chosen != nullptr ? chosen[index].row : index; }
};
// A tensor of two axes, the second of extent `columns`, or at least 1 for any_columns. The first may have extent 0.
constexpr int64_t any_columns = -1;
table_view view_table(const iqa_tensor &tensor, const char *name, int64_t columns);
// Likewise, for work on the CPU alone.
table_view view_table_on_cpu(const iqa_tensor &tensor, const char *name, int64_t columns);

// For making views of tensors. Call check_extents() before stride_of().
void check_extents(const iqa_tensor &tensor, const char *name);
int64_t stride_of(const iqa_tensor &tensor, int axis);
bool same_shape(const iqa_tensor &a, const iqa_tensor &b);
int32_t dtype_of(const iqa_tensor &tensor); // IQA_UINT8, ...; -1 for a vector type
text dtype_text(const iqa_tensor &tensor);

// "[3, 64, 64]"
text shape_text(const iqa_tensor &tensor);

// A sample's index in the axes of the layout: "[2, 17, 5]".
text index_text(int32_t layout, int64_t image, int64_t channel, int64_t slice, int64_t row, int64_t column);

} // namespace iqa
