// SPDX-License-Identifier: MIT
// What the values of PSNR and of the mean errors have in common: sums of the parts of an image, and faults. A metric's
// request has add_image(), which returns the rank of the image's fault or 0.
#pragma once

#include "arith/squared_error.h"
#include "core/device.hpp"

namespace iqa {

IQA_HD double weight_of(int128 units)
{
    return weight_of_units(double(units));
}

// Of all parts of an image: 1, or the channels where they are wanted apart.
IQA_HD pair_sum sum_of_parts(const pair_sum *sums, int64_t image, int64_t parts)
{
    pair_sum all = sums[image * parts];
    for (int64_t i = image * parts + 1; i < (image + 1) * parts; ++i)
        for (int limb = 0; limb < error_limbs; ++limb)
            all.limb[limb] += sums[i].limb[limb];
    return all;
}

IQA_HD int128 units_of_parts(const int128 *weights, int64_t image, int64_t parts)
{
    int128 all = 0;
    for (int64_t i = image * parts; i < (image + 1) * parts; ++i)
        all += weights[i];
    return all;
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

// The rank of what is at fault with the samples of an image, whose NaN are counted.
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

// For those who do not ask what is at fault.
template <class Request>
IQA_HD void store_fault(const Request &request, int64_t image)
{
    if (request.per_image.data != nullptr)
        request.per_image.store(image, 0, 0, 0, 0, __builtin_nan(""));
    if (request.slopes != nullptr)
        request.slopes[image] = {1.0, __builtin_nan(""), 1.0};
}

// Adds one image, and stores what is wanted of it but for its channels. The rank of its fault is returned, or 0.
template <class Request>
IQA_HD uint64_t evaluate_image(const Request &request, int64_t image)
{
    const uint64_t rank = add_image(request, image);
    if (rank != 0)
        store_fault(request, image);
    return rank;
}

} // namespace iqa
