// SPDX-License-Identifier: MIT
// Kernels issue as many instructions for a pixel as bench/cuda_slots.hpp records. Prints the counts.
#include <cmath>
#include <cstdio>

#include "bench/cuda_slots.hpp"
#include "cuda/cases/cases.hpp"
#include "cuda/ptx/device.hpp"
#include "support/catch.hpp"

using namespace test;

namespace {

struct counted_work {
    const char *kernels; // part of the names of the counted kernels
    double recorded;
    int64_t items;
    device_case work;
};

double value_at(int64_t i)
{
    return formula_reference(i / 512, i % 512);
}

double other_value_at(int64_t i)
{
    return formula_candidate(i / 512, i % 512);
}

template <class Sample>
case_update pair_of(const std::vector<int64_t> &shape, double unit)
{
    case_update update;
    update.reference = dense<Sample>(shape, [&](int64_t i) { return unit * value_at(i); });
    update.candidate = dense<Sample>(shape, [&](int64_t i) { return unit * other_value_at(i); });
    return update;
}

template <class Options>
void set_images(Options &options, double high)
{
    options.layout = IQA_LAYOUT_NCHW;
    options.data_low = 0;
    options.data_high = high;
}

template <class Sample>
counted_work ssim_work(const char *name, const char *kernels, double recorded, bool several_scales, bool gradient)
{
    const bool bytes = sizeof(Sample) == 1;
    // Without gradients, the map has whole tiles; with them, most parts are away from the edges.
    const std::vector<int64_t> shape = several_scales ? std::vector<int64_t>{1, 1, 256, 384}
                                       : gradient     ? std::vector<int64_t>{1, 1, 240, 384}
                                                      : std::vector<int64_t>{1, 1, 138, 266};
    case_update update = pair_of<Sample>(shape, bytes ? 1.0 : 1.0 / 255);
    if (gradient)
        update.candidate_gradient = output(shape, IQA_FLOAT32);
    const auto make = [=](const context_pointer &context) {
        iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
        if (several_scales)
            REQUIRE(iqa_ssim_options_preset(&options, sizeof options, IQA_MS_SSIM_WANG2003) == IQA_OK);
        set_images(options, bytes ? 255 : 1);
        iqa_metric *metric = nullptr;
        REQUIRE(iqa_ssim_create(context.get(), &options, &metric) == IQA_OK);
        return metric_pointer(metric);
    };
    const bool map_only = !several_scales && !gradient;
    return {kernels, recorded, map_only ? 128 * 256 : shape[2] * shape[3], {name, make, {update}}};
}

// With a mask of 15 pixels in 16, or of a volume.
counted_work general_ssim_work(const char *name, double recorded, bool volume, bool gradient)
{
    const std::vector<int64_t> shape =
        volume ? std::vector<int64_t>{1, 1, 32, 64, 128} : std::vector<int64_t>{1, 1, 240, 384};
    case_update update = pair_of<float>(shape, 1.0 / 255);
    if (!volume)
        update.weights = dense<uint8_t>(shape, [](int64_t i) { return double(i % 16 != 5); });
    if (gradient)
        update.candidate_gradient = output(shape, IQA_FLOAT32);
    const auto make = [=](const context_pointer &context) {
        iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
        set_images(options, 1);
        if (volume)
            options.layout = IQA_LAYOUT_NCDHW;
        iqa_metric *metric = nullptr;
        REQUIRE(iqa_ssim_create(context.get(), &options, &metric) == IQA_OK);
        return metric_pointer(metric);
    };
    int64_t pixels = 1;
    for (const int64_t extent : shape)
        pixels *= extent;
    return {gradient ? "ssim_gradient_of<float" : "ssim_boxes_of<float", recorded, pixels, {name, make, {update}}};
}

// Of 1080p RGB; with a mask of 15 samples in 16, or with the gradient, which is what is counted then.
enum class psnr_kind { plain, masked, gradient };
template <class Sample>
counted_work psnr_work(const char *name, double recorded, psnr_kind kind)
{
    const std::vector<int64_t> shape = {1, 3, 1080, 1920};
    case_update update = pair_of<Sample>(shape, sizeof(Sample) == 1 ? 1.0 : 1.0 / 255);
    if (kind == psnr_kind::masked)
        update.weights = dense<uint8_t>(shape, [](int64_t i) { return double(i % 16 != 5); });
    if (kind == psnr_kind::gradient)
        update.candidate_gradient = output(shape, IQA_FLOAT32);
    const auto make = [](const context_pointer &context) {
        iqa_psnr_options options = IQA_PSNR_OPTIONS_INIT;
        set_images(options, sizeof(Sample) == 1 ? 255 : 1);
        iqa_metric *metric = nullptr;
        REQUIRE(iqa_psnr_create(context.get(), &options, &metric) == IQA_OK);
        return metric_pointer(metric);
    };
    const char *const kernels = kind == psnr_kind::plain    ? "plain_errors<"
                                : kind == psnr_kind::masked ? "placed_errors<"
                                                            : "error_gradients<";
    return {kernels, recorded, shape[1] * shape[2] * shape[3], {name, make, {update}}};
}

counted_work counts_work(const char *name, double recorded)
{
    const std::vector<int64_t> shape = {1, 1024, 1024};
    case_update update;
    update.reference = dense<uint8_t>(shape, [](int64_t i) { return double(i / 97 % 19); });
    update.candidate = dense<uint8_t>(shape, [](int64_t i) { return double((i / 97 + (i % 61 == 0)) % 19); });
    const auto make = [](const context_pointer &context) {
        iqa_confusion_options options = IQA_CONFUSION_OPTIONS_INIT;
        options.classes = 19;
        iqa_metric *metric = nullptr;
        REQUIRE(iqa_confusion_create(context.get(), &options, &metric) == IQA_OK);
        return metric_pointer(metric);
    };
    return {"count_in_", recorded, shape[1] * shape[2], {name, make, {update}}};
}

double slots_of(const counted_work &each)
{
    ptx::device &device = ptx::device::get();
    device.counts.clear();
    const case_outcome outcome = run_case(each.work, true);
    CAPTURE(outcome.error);
    REQUIRE(outcome.status == IQA_OK);
    uint64_t issued = 0;
    for (const auto &[name, counts] : device.counts)
        if (name.find(each.kernels) != std::string::npos)
            issued += counts.total();
    return 32.0 * double(issued) / double(each.items);
}

} // namespace

TEST_CASE("kernels issue as many instructions for a pixel as is recorded")
{
    namespace slots = iqa::slots;
    constexpr double tolerance = 0.03;
    for (const counted_work &each :
         {ssim_work<uint8_t>("SSIM, uint8", "ssim_tiles<float", slots::ssim_uint8, false, false),
          ssim_work<float>("SSIM, float32", "ssim_tiles<float", slots::ssim_float32, false, false),
          ssim_work<float>("SSIM's gradient, float32", "ssim_gradient_tiles<", slots::ssim_gradient, false, true),
          ssim_work<float>("MS-SSIM's gradient, float32", "ssim_gradient_tiles<", slots::ms_ssim_gradient, true, true),
          general_ssim_work("SSIM, masked", slots::ssim_masked, false, false),
          general_ssim_work("gradient, masked", slots::ssim_masked_gradient, false, true),
          general_ssim_work("SSIM of a volume", slots::ssim_volume, true, false),
          general_ssim_work("gradient of a volume", slots::ssim_volume_gradient, true, true),
          ssim_work<uint8_t>("smaller scales, uint8", "shrink", slots::smaller_levels, true, false),
          psnr_work<uint8_t>("PSNR, uint8", slots::psnr_uint8, psnr_kind::plain),
          psnr_work<float>("PSNR, float32", slots::psnr_float32, psnr_kind::plain),
          psnr_work<uint8_t>("PSNR, masked, uint8", slots::psnr_masked_uint8, psnr_kind::masked),
          psnr_work<float>("PSNR, masked, float32", slots::psnr_masked_float32, psnr_kind::masked),
          psnr_work<float>("PSNR's gradient, float32", slots::psnr_gradient, psnr_kind::gradient),
          counts_work("counts, uint8", slots::counts_uint8)}) {
        const double counted = slots_of(each);
        std::printf("%-28s %7.1f issue slots, recorded are %.1f\n", each.work.name.c_str(), counted, each.recorded);
        CAPTURE(each.work.name, counted, each.recorded);
        CHECK(std::abs(counted - each.recorded) <= tolerance * each.recorded);
    }
}
