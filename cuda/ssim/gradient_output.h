// SPDX-License-Identifier: MIT
// Stores the derivatives by an image's samples, with those that smaller images add.
#pragma once

#include "arith/shrink.h"
#include "cuda/ssim/source.h"

namespace iqa::cuda {

// Derivatives by the samples of the smaller images that were made from this image.
template <class Made>
struct smaller_derivatives {
    axis_of_boxes axes[3];
    const Made *sides[2]; // of the reference and the candidate; NULL: there are no smaller images
    const Made *weights;  // shrink_request::weights_of_means()
    double pixels;        // of a box
    double part;          // 1 / pixels, if that is exact; else 0

    // The number of a box of some plane; -1: the pixel is in none.
    IQA_HD_MEMBER int64_t box_at(int64_t plane, const box_share &z, const box_share &y, const box_share &x) const
    {
        if (z.box < 0 || y.box < 0 || x.box < 0)
            return -1;
        return ((plane * axes[z_axis].boxes + z.box) * axes[y_axis].boxes + y.box) * axes[x_axis].boxes + x.box;
    }

    // What a box adds to the derivative by a pixel that it contains `times` times.
    IQA_HD_MEMBER double share(int side, int64_t box, int times) const
    {
        const double derivative = double(sides[side][box]);
        if (weights == nullptr && part != 0.0)
            return derivative * (times * part);
        return share_of_derivative(derivative, times, pixels, weights == nullptr ? 1.0 : double(weights[box]));
    }
};

template <class Made>
struct gradient_output {
    output_view sides[2]; // of the reference and the candidate; `data` may be NULL
    smaller_derivatives<Made> smaller;
    int64_t channels; // measured channels
    double gain;
    bool of_luma;
    luma_factors luma;
};

// The view that begins at a pixel.
IQA_KERNEL output_view moved(output_view view, const pixel_place &to)
{
    view.data = view.at(to.image, to.channel, to.slice, to.row, to.column);
    return view;
}

// Stores the derivatives by a pixel of both images, for luma in each channel.
template <class Made, class Real>
IQA_KERNEL void store(const gradient_output<Made> &args, const ssim_source<Real> &source, const pixel_place &at,
                      Real by_reference, Real by_candidate)
{
    const smaller_derivatives<Made> &smaller = args.smaller;
    int64_t box = -1;
    int times = 0;
    double weight = 1.0;
    if (smaller.sides[0] != nullptr) {
        const box_share z = smaller.axes[z_axis].share_of(at.slice);
        const box_share y = smaller.axes[y_axis].share_of(at.row);
        const box_share x = smaller.axes[x_axis].share_of(at.column);
        box = smaller.box_at(at.image * args.channels + at.channel, z, y, x);
        times = z.times * y.times * x.times;
        if (box >= 0 && smaller.weights != nullptr)
            weight = double(Made(weight_at(source, at)));
    }
    IQA_UNROLL_ON_GPU
    for (int side = 0; side < 2; ++side) {
        const output_view &out = args.sides[side];
        if (out.data == nullptr)
            continue;
        double value = double(side == 0 ? by_reference : by_candidate);
        if (box >= 0)
            value += weight * smaller.share(side, box, times);
        value *= args.gain;
        if (args.of_luma) {
            const double parts[3] = {args.luma.red, args.luma.green, args.luma.blue};
            IQA_UNROLL_ON_GPU
            for (int channel = 0; channel < 3; ++channel)
                out.store(at.image, channel, at.slice, at.row, at.column, value * parts[channel]);
        } else {
            out.store(at.image, at.channel, at.slice, at.row, at.column, value);
        }
    }
}

} // namespace iqa::cuda
