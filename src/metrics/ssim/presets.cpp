// SPDX-License-Identifier: MIT
// What other libraries mean by SSIM and MS-SSIM, as options. docs/guide/presets.md has the source of each rule.
#include <array>

#include "metrics/metrics.hpp"

namespace iqa {

namespace {

struct preset {
    const char *name;
    void (*change)(iqa_ssim_options &options); // from the defaults, which are Wang's
};

void fix_window(iqa_ssim_options &options, int32_t size)
{
    options.size_z = options.size_y = options.size_x = size;
}

void make_uniform(iqa_ssim_options &options, int32_t size)
{
    options.window = IQA_WINDOW_UNIFORM;
    fix_window(options, size);
}

// Five scales with the exponents of the paper, all of whose ports take negative means for 0.
void make_multiscale(iqa_ssim_options &options, int32_t product, int32_t shrink)
{
    constexpr std::array<double, 5> weights = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};
    options.scales = int32_t(weights.size());
    for (size_t scale = 0; scale < weights.size(); ++scale)
        options.scale_weights[scale] = weights[scale];
    options.product = product;
    options.negative = IQA_NEGATIVE_RELU;
    options.shrink = shrink;
}

// The order is that of the constants.
constexpr preset presets[] = {
    {"wang2004",
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
     }},
    {"wang_auto",
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         o.downsample = IQA_DOWNSAMPLE_AUTO;
     }},
    {"matlab",
     [](iqa_ssim_options &o) {
         o.border = IQA_BORDER_REPLICATE;
         fix_window(o, IQA_SIZE_AUTO_CEILING);
         o.truncate = 3.0;
     }},
    {"skimage_default",
     [](iqa_ssim_options &o) {
         make_uniform(o, 7);
         o.covariance = IQA_COVARIANCE_SAMPLE;
     }},
    {"skimage_gaussian",
     [](iqa_ssim_options &) {
     }},
    {"skimage_gaussian_sample",
     [](iqa_ssim_options &o) {
         o.covariance = IQA_COVARIANCE_SAMPLE;
     }},
    {"torchmetrics",
     [](iqa_ssim_options &o) {
         o.border = IQA_BORDER_REFLECT;
     }},
    {"torchmetrics_1_4_1",
     [](iqa_ssim_options &) {
     }},
    {"pytorch_msssim",
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
     }},
    {"piq",
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         o.downsample = IQA_DOWNSAMPLE_AUTO;
         o.shrink = IQA_SHRINK_FLOOR;
     }},
    {"tensorflow",
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
     }},
    {"opencv",
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         o.border = IQA_BORDER_REFLECT;
         o.data_low = 0.0;
         o.data_high = 255.0;
     }},
    {"monai",
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
     }},
    {"fused_ssim",
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         o.border = IQA_BORDER_ZERO;
     }},
    {"pyiqa",
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         o.luma = IQA_LUMA_BT601_FULL;
         o.luma_rounded = 1;
         o.negative = IQA_NEGATIVE_RELU_MAP;
     }},
    {"ffmpeg",
     [](iqa_ssim_options &o) {
         o.window = IQA_WINDOW_BLOCKS;
     }},
    {"ms_ssim_wang2003",
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         make_multiscale(o, IQA_PRODUCT_OF_CHANNEL, IQA_SHRINK_SYMMETRIC);
     }},
    {"ms_ssim_torchmetrics",
     [](iqa_ssim_options &o) {
         o.border = IQA_BORDER_REFLECT;
         make_multiscale(o, IQA_PRODUCT_OF_IMAGE, IQA_SHRINK_FLOOR);
     }},
    {"ms_ssim_pytorch_msssim",
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         make_multiscale(o, IQA_PRODUCT_OF_CHANNEL, IQA_SHRINK_ZERO);
     }},
    {"ms_ssim_piq",
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         make_multiscale(o, IQA_PRODUCT_OF_CHANNEL, IQA_SHRINK_REPLICATE);
     }},
    {"ms_ssim_tensorflow",
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         make_multiscale(o, IQA_PRODUCT_OF_CHANNEL, IQA_SHRINK_SYMMETRIC);
     }},
    {"ms_ssim_monai",
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         make_multiscale(o, IQA_PRODUCT_OF_IMAGE, IQA_SHRINK_FLOOR);
     }},
    {"ms_ssim_pyiqa",
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         make_multiscale(o, IQA_PRODUCT_OF_IMAGE, IQA_SHRINK_ZERO);
         o.luma = IQA_LUMA_BT601_FULL;
         o.luma_rounded = 1;
         o.negative = IQA_NEGATIVE_RELU_MAP;
     }},
};

constexpr int32_t count = int32_t(std::size(presets));
static_assert(count == IQA_MS_SSIM_PYIQA + 1);

} // namespace

iqa_ssim_options ssim_preset(int32_t number)
{
    if (number < 0 || number >= count)
        fail(IQA_ERROR_INVALID_ARGUMENT, "preset is ", number, "; expected an IQA_SSIM_ or IQA_MS_SSIM_ constant");
    iqa_ssim_options options = default_ssim_options;
    presets[number].change(options);
    return options;
}

const char *ssim_preset_name(int32_t number) noexcept
{
    return number < 0 || number >= count ? nullptr : presets[number].name;
}

} // namespace iqa
