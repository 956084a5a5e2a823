// SPDX-License-Identifier: MIT
// Alpha channels: dropped, compared, or blended with a background.
#include "files/image.hpp"

#include <cstring>
#include <limits>
#include <type_traits>

namespace iqa_tool {

namespace {

// The value of a fully opaque pixel.
double opaque_value(int32_t dtype) noexcept
{
    switch (dtype) {
    case IQA_UINT8:
        return std::numeric_limits<uint8_t>::max();
    case IQA_UINT16:
        return std::numeric_limits<uint16_t>::max();
    case IQA_INT16:
        return std::numeric_limits<int16_t>::max();
    default:
        return 1.0;
    }
}

bool is_opaque(const image &picture) noexcept
{
    for (int64_t y = 0; y < picture.height(); ++y)
        for (int64_t x = 0; x < picture.width(); ++x)
            if (picture.sample(0, y, x, picture.channels() - 1) != opaque_value(picture.dtype))
                return false;
    return true;
}

// colour * alpha + background * (1 - alpha), rounded to the nearest for integers.
template <typename element>
element put_on_background(element colour, element alpha, element opaque, element background, bool premultiplied)
{
    if constexpr (std::is_integral_v<element>) {
        const int64_t foreground = premultiplied ? int64_t{colour} * opaque : int64_t{colour} * alpha;
        const int64_t sum = foreground + int64_t{background} * (opaque - alpha);
        return static_cast<element>(std::min<int64_t>((sum + opaque / 2) / opaque, opaque));
    } else {
        return (premultiplied ? colour : colour * alpha) + background * (opaque - alpha);
    }
}

template <typename element>
void composite(image &picture, bool white)
{
    const auto opaque = static_cast<element>(opaque_value(picture.dtype));
    const element background = white ? opaque : element{0};
    const auto at = [&](int64_t y, int64_t x, int64_t channel) {
        const int64_t index = picture.first_element + y * picture.strides[axis_height] +
                              x * picture.strides[axis_width] + channel * picture.strides[axis_channel];
        return picture.storage.data() + static_cast<std::size_t>(index) * sizeof(element);
    };
    const int64_t alpha_channel = picture.channels() - 1;
    for (int64_t y = 0; y < picture.height(); ++y)
        for (int64_t x = 0; x < picture.width(); ++x) {
            element alpha, colour;
            std::memcpy(&alpha, at(y, x, alpha_channel), sizeof alpha);
            for (int64_t channel = 0; channel < alpha_channel; ++channel) {
                std::memcpy(&colour, at(y, x, channel), sizeof colour);
                colour =
                    put_on_background(colour, alpha, opaque, background, picture.alpha == alpha_kind::premultiplied);
                std::memcpy(at(y, x, channel), &colour, sizeof colour);
            }
        }
}

void composite_any(image &picture, bool white)
{
    switch (picture.dtype) {
    case IQA_UINT8:
        composite<uint8_t>(picture, white);
        break;
    case IQA_UINT16:
        composite<uint16_t>(picture, white);
        break;
    case IQA_FLOAT32:
        composite<float>(picture, white);
        break;
    case IQA_FLOAT64:
        composite<double>(picture, white);
        break;
    default:
        throw image_error(std::string("has alpha with ") + dtype_name(picture.dtype) +
                          " samples, which cannot be put on a background");
    }
}

} // namespace

void apply_alpha_policy(image &picture, alpha_policy policy)
{
    if (picture.alpha == alpha_kind::none || policy == alpha_policy::channel)
        return;
    if (policy == alpha_policy::opaque && !is_opaque(picture))
        throw image_error("has transparent pixels: state what to do with --alpha drop|channel|black|white");
    if (policy == alpha_policy::black || policy == alpha_policy::white)
        composite_any(picture, policy == alpha_policy::white);
    picture.shape[axis_channel] -= 1;
    picture.alpha = alpha_kind::none;
}

} // namespace iqa_tool
