// SPDX-License-Identifier: MIT
// Stores the derivatives by an image's samples, with those that smaller images add.
#pragma once

#include "arith/shrink.h"
#include "cuda/ssim/source.h"

namespace iqa::cuda {

// Derivatives by the samples of the smaller images that were made from this image.
template <class Made>
struct smaller_derivatives {
    shrink_axis axes[3];
    const Made *sides[2]; // of the reference and the candidate; NULL: there are no smaller images
    const Made *weights;  // NULL: 1 for each
};

template <class Made>
struct gradient_output {
    output_view sides[2]; // of the reference and the candidate; `data` may be NULL
    smaller_derivatives<Made> smaller;
    int64_t channels; // measured channels
    weight_view weights;
    bool normalised; // means are weighted
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
IQA_KERNEL void store(const gradient_output<Made> &args, const pixel_place &at, Real by_reference, Real by_candidate)
{
    const smaller_derivatives<Made> &smaller = args.smaller;
    int64_t box = -1;
    int times = 0;
    double weight = 1.0;
    if (smaller.sides[0] != nullptr) {
        const box_share z = share_of(smaller.axes[z_axis], at.slice);
        const box_share y = share_of(smaller.axes[y_axis], at.row);
        const box_share x = share_of(smaller.axes[x_axis], at.column);
        if (z.box >= 0 && y.box >= 0 && x.box >= 0) {
            const int64_t plane = at.image * args.channels + at.channel;
            box = ((plane * smaller.axes[z_axis].boxes() + z.box) * smaller.axes[y_axis].boxes() + y.box) *
                      smaller.axes[x_axis].boxes() +
                  x.box;
            times = z.times * y.times * x.times;
            if (args.normalised)
                weight = weight_at(args.weights, at.image, at.channel, at.slice, at.row, at.column);
        }
    }
    IQA_UNROLL_ON_GPU
    for (int side = 0; side < 2; ++side) {
        const output_view &out = args.sides[side];
        if (out.data == nullptr)
            continue;
        double value = double(side == 0 ? by_reference : by_candidate);
        if (box >= 0) {
            const double pixels =
                double(smaller.axes[z_axis].factor) * smaller.axes[y_axis].factor * smaller.axes[x_axis].factor;
            const double box_weight = smaller.weights == nullptr ? 1.0 : double(smaller.weights[box]);
            value += weight * share_of_derivative(double(smaller.sides[side][box]), times, pixels, box_weight);
        }
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
