// SPDX-License-Identifier: MIT
// The choice of a picture in a file, and its orientation.
#include "files/image.hpp"

namespace iqa_tool {

namespace {

void flip(image &picture, axis along) noexcept
{
    picture.first_element += (picture.shape[along] - 1) * picture.strides[along];
    picture.strides[along] = -picture.strides[along];
}

// "stored upright", or the other way in which it is stored.
std::string orientation_text(int32_t orientation)
{
    constexpr const char *words[] = {"upright",
                                     "mirrored",
                                     "turned by 180 degrees",
                                     "upside down and mirrored",
                                     "turned by 90 degrees and mirrored",
                                     "turned by 90 degrees to the left",
                                     "turned by 90 degrees to the right and mirrored",
                                     "turned by 90 degrees to the right"};
    return std::string("stored ") + words[orientation - 1] + " (orientation " + std::to_string(orientation) + ")";
}

} // namespace

std::size_t choose_page(std::size_t count, const decode_options &options)
{
    if (count == 1)
        return 0;
    const std::string holds = "holds " + std::to_string(count) + " pictures";
    if (options.page == 0)
        throw image_error(holds + ": choose one with --page 1 to " + std::to_string(count));
    if (static_cast<std::size_t>(options.page) > count)
        throw image_error(holds + ", but --page is " + std::to_string(options.page));
    return static_cast<std::size_t>(options.page) - 1;
}

void settle_orientation(image &picture, orientation_policy policy) noexcept
{
    if (policy == orientation_policy::unstated)
        return;
    const int32_t turn = std::exchange(picture.orientation, 1);
    if (policy == orientation_policy::stored)
        return;
    if (turn >= 5) {
        std::swap(picture.shape[axis_height], picture.shape[axis_width]);
        std::swap(picture.strides[axis_height], picture.strides[axis_width]);
    }
    if (turn == 2 || turn == 3 || turn == 6 || turn == 7)
        flip(picture, axis_width);
    if (turn == 3 || turn == 4 || turn == 7 || turn == 8)
        flip(picture, axis_height);
}

void check_orientation(const image &picture, const image &reference)
{
    if (picture.orientation != reference.orientation)
        throw image_error("is " + orientation_text(picture.orientation) + ", but the reference is " +
                          orientation_text(reference.orientation) +
                          ": --orientation apply turns both upright, --orientation stored compares them as they are");
}

} // namespace iqa_tool
