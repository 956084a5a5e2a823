// SPDX-License-Identifier: MIT
#include "metrics/ssim/levels.hpp"

#include <algorithm>

#include "metrics/ssim/options.hpp"

namespace iqa {

namespace {

constexpr char axis_names[3] = {'D', 'H', 'W'}; // in the order of shrink_axes()

// max(1, round(extent / 256)). Halves are rounded up as in MATLAB, or to even as in Python.
int automatic_factor(const iqa_ssim_options &options, const image_view &shape)
{
    constexpr int64_t unit = 256;
    const int64_t smaller = std::min(shape.height, shape.width);
    const int64_t whole = smaller / unit;
    const int64_t remainder = smaller % unit;
    const bool half_up = options.shrink == IQA_SHRINK_SYMMETRIC || whole % 2 == 1;
    const bool up = remainder > unit / 2 || (remainder == unit / 2 && half_up);
    return int(std::clamp<int64_t>(whole + (up ? 1 : 0), 1, INT32_MAX / 2));
}

// Beyond the image a window sees copies of it. A window may reach no further than the image's extent, or than this,
// since memory and time would be unbounded.
constexpr int64_t ample_reach = 32;

bool fits(bool valid, int32_t taps, int64_t extent)
{
    return extent >= (valid ? taps : 1) && (valid || taps / 2 <= std::max(extent, ample_reach));
}

// Stores the extents of all levels. Returns the axis that is too small ('D', 'H' or 'W'), or 0.
char fill_extents(const iqa_ssim_options &options, level_extents image, int factor, level_extents *extents)
{
    for (int level = 0; level < options.scales; ++level) {
        const int by = level == 0 ? factor : 2;
        const std::array<shrink_axis, 3> axes = shrink_axes(options, image, by);
        if (level == 0 && options.downsample != IQA_DOWNSAMPLE_AUTO)
            for (size_t axis = 0; axis < axes.size(); ++axis)
                if (axes[axis].factor > axes[axis].extent)
                    return axis_names[axis];
        if (by != 1)
            image = {axes[0].boxes(), axes[1].boxes(), axes[2].boxes()};
        const bool valid = border_at(options, level) == border_mode::valid;
        if (!fits(valid, options.size_z, image.depth))
            return 'D';
        if (!fits(valid, options.size_y, image.height))
            return 'H';
        if (!fits(valid, options.size_x, image.width))
            return 'W';
        extents[level] = image;
    }
    return 0;
}

[[noreturn]] void fail_for_size(const iqa_ssim_options &options, char axis, int factor, const level_extents &image)
{
    const char *name = axis == 'D' ? "depth" : axis == 'H' ? "height" : "width";
    const int32_t taps = axis == 'D' ? options.size_z : axis == 'H' ? options.size_y : options.size_x;
    constexpr int64_t ample = int64_t(1) << 60;
    const int64_t extent_of_image = axis == 'D' ? image.depth : axis == 'H' ? image.height : image.width;
    level_extents larger = {has_depth(options.layout) ? ample : 1, ample, ample}; // the other axes are large enough
    int64_t &extent = axis == 'D' ? larger.depth : axis == 'H' ? larger.height : larger.width;
    extent = extent_of_image;
    if (options.scales == 1 && factor == 1 && border_at(options, 0) == border_mode::valid)
        fail(IQA_ERROR_SHAPE, name, " ", extent_of_image, " is smaller than the ", taps, "-pixel window");
    // Bisection, since factors may be in the billions.
    std::array<level_extents, IQA_MOST_SCALES> ignored{};
    int64_t too_small = extent_of_image;
    int64_t enough = ample;
    while (enough - too_small > 1) {
        extent = too_small + (enough - too_small) / 2;
        (fill_extents(options, larger, factor, ignored.data()) == axis ? too_small : enough) = extent;
    }
    text after;
    if (factor != 1)
        after << " after downsampling by " << factor;
    fail(IQA_ERROR_SHAPE, name, " ", extent_of_image, " is too small for ", options.scales,
         options.scales == 1 ? " scale" : " scales", " of the ", taps, "-pixel window", after.view(),
         "; the smallest that is enough is ", enough);
}

} // namespace

border_mode border_at(const iqa_ssim_options &options, int level)
{
    return static_cast<border_mode>(level == options.scales - 1 ? options.border : options.contrast_border);
}

std::array<shrink_axis, 3> shrink_axes(const iqa_ssim_options &options, const level_extents &image, int factor)
{
    const auto rule = static_cast<shrink_rule>(options.shrink);
    const bool deep = has_depth(options.layout);
    const bool odd = image.height % 2 != 0 || image.width % 2 != 0 || (deep && image.depth % 2 != 0);
    return {{{deep ? rule : shrink_rule::floor, deep ? factor : 1, image.depth, odd},
             {rule, factor, image.height, odd},
             {rule, factor, image.width, odd}}};
}

level_plan plan_levels(const iqa_ssim_options &options, const image_view &shape)
{
    level_plan plan{};
    plan.downsample = options.downsample == IQA_DOWNSAMPLE_AUTO ? automatic_factor(options, shape) : options.downsample;
    const level_extents image = {shape.depth, shape.height, shape.width};
    const char axis = fill_extents(options, image, plan.downsample, plan.extents.data());
    if (axis != 0)
        fail_for_size(options, axis, plan.downsample, image);
    return plan;
}

level_extents map_extents(const iqa_ssim_options &options, int level, const level_extents &image)
{
    if (border_at(options, level) != border_mode::valid)
        return image;
    return {image.depth - options.size_z + 1, image.height - options.size_y + 1, image.width - options.size_x + 1};
}

bool plain_mean(const iqa_ssim_options &options)
{
    return options.scales == 1 && options.scale_weights[0] == 1.0 &&
           (options.negative == IQA_NEGATIVE_KEEP || options.negative == IQA_NEGATIVE_RELU_MAP);
}

level_rule rule_of(const iqa_ssim_options &options)
{
    level_rule rule{};
    rule.levels = options.scales;
    rule.negative = options.negative == IQA_NEGATIVE_KEEP     ? negative_rule::keep
                    : options.negative == IQA_NEGATIVE_SIMPLE ? negative_rule::simple
                                                              : negative_rule::relu;
    std::copy_n(options.scale_weights, int(most_levels), rule.exponents);
    return rule;
}

int32_t ssim_map_shape(const iqa_ssim_options &stated, int32_t ndim, const int64_t *shape, int64_t *map_shape)
{
    const iqa_ssim_options options = resolve(stated);
    const image_view whole = extents_of(options.layout, ndim, shape);
    image_view map = shave_edges(image_pair{whole, whole}, options.layout, options.shave).reference;
    const level_plan plan = plan_levels(options, map);
    const level_extents extents = map_extents(options, 0, plan.extents[0]);
    map.depth = extents.depth;
    map.height = extents.height;
    map.width = extents.width;
    if (options.luma != IQA_LUMA_NONE)
        map.channels = 1;
    if (map_shape != nullptr)
        write_shape(options.layout, map, map_shape);
    return plan.downsample;
}

} // namespace iqa
