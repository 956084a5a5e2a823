// SPDX-License-Identifier: MIT
#include "measuring/clip_meter.hpp"

#include <algorithm>
#include <cmath>

namespace iqa_tool {

namespace {

template <typename options>
void default_range(options &target, int peak)
{
    if (target.data_low <= target.data_high)
        return;
    target.data_low = 0;
    target.data_high = peak;
}

// The PSNR of a combined error of planes, by the rules of the library.
double psnr_of(double mse, const iqa_psnr_options &psnr)
{
    const double peak = psnr.data_high - psnr.data_low;
    const double value = 10 * std::log(peak * peak / mse) / std::log(psnr.log_base);
    return psnr.cap < IQA_PSNR_NO_CAP ? std::min(psnr.cap, value) : value;
}

void note(extreme &known, double value, int64_t frame, bool is_further)
{
    if (known.frame == 0 || is_further)
        known = {value, frame};
}

} // namespace

double ssim_in_decibels(double ssim)
{
    return -10 * std::log10(1 - ssim);
}

clip_meter::clip_meter(const settings &chosen, const clip_format &format) : chosen_(chosen)
{
    default_range(chosen_.ssim, format.peak());
    default_range(chosen_.psnr, format.peak());
    double samples = 0;
    for (std::size_t plane = 0; plane < format.planes; ++plane) {
        meters_.emplace_back(chosen_);
        weights_.push_back(static_cast<double>(format.extents(plane)[0] * format.extents(plane)[1]));
        samples += weights_.back();
    }
    for (double &weight : weights_)
        weight /= samples;
}

clip_values clip_meter::combine(const std::vector<clip_values> &planes) const
{
    clip_values frame;
    for (std::size_t plane = 0; plane < planes.size(); ++plane) {
        frame.ssim += weights_[plane] * planes[plane].ssim;
        frame.mse += weights_[plane] * planes[plane].mse;
    }
    // The weights sum to 1 up to rounding, which must not hide that all planes are equal.
    const bool equal = std::all_of(planes.begin(), planes.end(), [](const auto &plane) { return plane.ssim == 1; });
    frame.ssim = equal ? 1 : frame.ssim;
    frame.psnr = psnr_of(frame.mse, chosen_.psnr);
    return frame;
}

frame_values clip_meter::measure(const std::vector<image> &reference, const std::vector<image> &test)
{
    frame_values frame;
    for (std::size_t plane = 0; plane < meters_.size(); ++plane) {
        const pair_values values = meters_[plane].measure(reference[plane], test[plane]);
        frame.planes.push_back({values.ssim, values.psnr, values.mse});
        total_.out_of_range += values.out_of_range;
    }
    frame.all = combine(frame.planes);
    sum_of_psnr_ += frame.all.psnr;
    const int64_t number = ++total_.frames;
    note(total_.least_ssim, frame.all.ssim, number, frame.all.ssim < total_.least_ssim.value);
    note(total_.most_ssim, frame.all.ssim, number, frame.all.ssim > total_.most_ssim.value);
    note(total_.least_psnr, frame.all.psnr, number, frame.all.psnr < total_.least_psnr.value);
    note(total_.most_psnr, frame.all.psnr, number, frame.all.psnr > total_.most_psnr.value);
    return frame;
}

clip_total clip_meter::total() const
{
    clip_total total = total_;
    for (const measurer &meter : meters_) {
        const total_values plane = meter.total();
        total.values.planes.push_back({plane.ssim, plane.psnr, plane.mse});
    }
    total.values.all = combine(total.values.planes);
    if (chosen_.psnr.aggregate == IQA_MEAN_OF_PSNR)
        total.values.all.psnr = sum_of_psnr_ / static_cast<double>(total.frames);
    return total;
}

} // namespace iqa_tool
