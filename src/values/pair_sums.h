// SPDX-License-Identifier: MIT
// Shared by the values of PSNR and of the mean errors: sums over the planes of an image, and faults. add_image() of a
// metric's request returns the rank of the image's fault, or 0.
#pragma once

#include "arith/squared_error.h"
#include "core/device.hpp"

namespace iqa {

IQA_HD double weight_of(int128 units)
{
    return weight_of_units(double(units));
}

// The sum over an image. `planes`: 1, or its channels if they are wanted apart.
IQA_HD pair_sum sum_of_planes(const pair_sum *sums, int64_t image, int64_t planes)
{
    pair_sum total = sums[image * planes];
    for (int64_t i = image * planes + 1; i < (image + 1) * planes; ++i)
        for (int limb = 0; limb < error_limbs; ++limb)
            total.limb[limb] += sums[i].limb[limb];
    return total;
}

IQA_HD int128 units_of_planes(const int128 *weights, int64_t image, int64_t planes)
{
    int128 total = 0;
    for (int64_t i = image * planes; i < (image + 1) * planes; ++i)
        total += weights[i];
    return total;
}

template <class Request>
IQA_HD void report_fault(const Request &request, uint64_t rank)
{
    if (rank == 0)
        return;
    request.report->kind = kind_of_rank(rank);
    request.report->image = first_of_rank(rank);
    request.report->count = request.addend[Request::lane_of_nonfinite];
}

// The rank of the fault of an image's samples, or 0.
template <class Request>
IQA_HD uint64_t fault_of_image(const Request &request, int64_t image, int128 units)
{
    const bool is_nan = request.counts[image].nonfinite != 0;
    if (is_nan && request.rule.refuses_nonfinite)
        return fault_rank(fault_kind::nonfinite, image);
    if (!is_nan && request.overflow[image])
        return fault_rank(fault_kind::overflow, image);
    return units == 0 ? fault_rank(fault_kind::masked, image) : 0;
}

// Stores NaN for callers that do not ask for the fault.
template <class Request>
IQA_HD void store_fault(const Request &request, int64_t image)
{
    if (request.per_image.data != nullptr)
        request.per_image.store(image, 0, 0, 0, 0, __builtin_nan(""));
    if (request.slopes != nullptr)
        request.slopes[image] = {1.0, __builtin_nan(""), 1.0};
}

// Adds one image and stores its outputs, except those of channels. Returns the rank of its fault, or 0.
template <class Request>
IQA_HD uint64_t evaluate_image(const Request &request, int64_t image)
{
    const uint64_t rank = add_image(request, image);
    if (rank != 0)
        store_fault(request, image);
    return rank;
}

} // namespace iqa
