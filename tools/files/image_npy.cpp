// SPDX-License-Identifier: MIT
// NumPy's .npy format. The samples stay where they are: C order, Fortran order and the layout of the axes become
// strides.
#include "files/image.hpp"
#include "files/npy_header.hpp"

#include <ostream>
#include <vector>

namespace iqa_tool {

namespace {

// The meaning of each axis of the array.
std::vector<axis> axes_of(int32_t layout, std::size_t count)
{
    static const std::vector<axis> axes[] = {{axis_height, axis_width},                            // IQA_LAYOUT_HW
                                             {axis_height, axis_width, axis_channel},              // IQA_LAYOUT_HWC
                                             {axis_channel, axis_height, axis_width},              // IQA_LAYOUT_CHW
                                             {axis_image, axis_height, axis_width},                // IQA_LAYOUT_NHW
                                             {axis_image, axis_height, axis_width, axis_channel},  // IQA_LAYOUT_NHWC
                                             {axis_image, axis_channel, axis_height, axis_width}}; // IQA_LAYOUT_NCHW
    if (layout < 0 && count > 2)
        throw image_error("has " + std::to_string(count) + " axes: state what they are with --layout");
    const std::vector<axis> &found = axes[layout < 0 ? IQA_LAYOUT_HW : layout];
    if (found.size() != count)
        throw image_error("has " + std::to_string(count) + " axes, but the layout has " + std::to_string(found.size()));
    return found;
}

} // namespace

image read_npy(byte_buffer file, const decode_options &options)
{
    const npy_header header = decode_npy_header(file.bytes());
    const std::vector<int64_t> &extents = header.shape;
    const std::vector<axis> axes = axes_of(options.layout, extents.size());

    std::array<int64_t, 4> shape{1, 1, 1, 1};
    for (std::size_t position = 0; position < axes.size(); ++position)
        shape[axes[position]] = extents[position];
    const int64_t pixels = check_pixel_count(shape[axis_image], shape[axis_height], shape[axis_width], options);
    const auto most_samples = static_cast<int64_t>((file.size() - header.size) / dtype_size(header.dtype));
    if (shape[axis_channel] < 1 || shape[axis_channel] > most_samples / pixels)
        throw image_error(shape[axis_channel] < 1 ? "has no pixels" : "cannot be decoded: it ends too early");

    image picture = describe_image(header.dtype, shape, "NPY");
    int64_t stride = 1;
    for (std::size_t step = 0; step < axes.size(); ++step) {
        const std::size_t position = header.is_fortran_order ? step : axes.size() - 1 - step;
        picture.strides[axes[position]] = stride;
        stride *= extents[position];
    }
    take_storage(picture, std::move(file), header.size);
    if (header.has_foreign_bytes)
        reverse_bytes_of_elements({picture.storage.data(), picture.storage.size()}, dtype_size(header.dtype));
    return picture;
}

void write_npy(std::ostream &out, const image &picture)
{
    std::vector<int64_t> shape{picture.height(), picture.width()};
    if (picture.channels() > 1)
        shape.push_back(picture.channels());
    const std::string header = encode_npy_header(picture.dtype, shape);
    out.write(header.data(), static_cast<std::streamsize>(header.size()));
    const std::size_t element_size = dtype_size(picture.dtype);
    for (int64_t y = 0; y < picture.height(); ++y)
        for (int64_t x = 0; x < picture.width(); ++x)
            for (int64_t channel = 0; channel < picture.channels(); ++channel) {
                const int64_t index = picture.first_element + y * picture.strides[axis_height] +
                                      x * picture.strides[axis_width] + channel * picture.strides[axis_channel];
                out.write(reinterpret_cast<const char *>(picture.storage.data()) +
                              static_cast<std::size_t>(index) * element_size,
                          static_cast<std::streamsize>(element_size));
            }
}

} // namespace iqa_tool
