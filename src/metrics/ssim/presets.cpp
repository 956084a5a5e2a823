// SPDX-License-Identifier: MIT
// SSIM and MS-SSIM of other libraries, as options. docs/guide/presets.md has the source of each rule.
#include <array>

#include "metrics/metrics.hpp"

namespace iqa {

namespace {

void fix_window(iqa_ssim_options &options, int32_t size)
{
    options.size_z = options.size_y = options.size_x = size;
}

void make_uniform(iqa_ssim_options &options, int32_t size)
{
    options.window = IQA_WINDOW_UNIFORM;
    fix_window(options, size);
}

// Five levels with the exponents of the paper. All its ports take negative means as 0.
void make_multiscale(iqa_ssim_options &options, int32_t product, int32_t shrink)
{
    constexpr std::array<double, 5> weights = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};
    options.scales = int32_t(weights.size());
    for (size_t level = 0; level < weights.size(); ++level)
        options.scale_weights[level] = weights[level];
    options.product = product;
    options.negative = IQA_NEGATIVE_RELU;
    options.shrink = shrink;
}

constexpr option_preset<iqa_ssim_options> presets[] = {
    {IQA_WORD("wang2004", IQA_SSIM_WANG2004),
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
     }},
    {IQA_WORD("wang_auto", IQA_SSIM_WANG_AUTO),
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         o.downsample = IQA_DOWNSAMPLE_AUTO;
     }},
    {IQA_WORD("matlab", IQA_SSIM_MATLAB),
     [](iqa_ssim_options &o) {
         o.border = IQA_BORDER_REPLICATE;
         fix_window(o, IQA_SIZE_AUTO_CEILING);
         o.truncate = 3.0;
     }},
    {IQA_WORD("skimage_default", IQA_SSIM_SKIMAGE_DEFAULT),
     [](iqa_ssim_options &o) {
         make_uniform(o, 7);
         o.covariance = IQA_COVARIANCE_SAMPLE;
     }},
    {IQA_WORD("skimage_gaussian", IQA_SSIM_SKIMAGE_GAUSSIAN),
     [](iqa_ssim_options &) {
     }},
    {IQA_WORD("skimage_gaussian_sample", IQA_SSIM_SKIMAGE_GAUSSIAN_SAMPLE),
     [](iqa_ssim_options &o) {
         o.covariance = IQA_COVARIANCE_SAMPLE;
     }},
    {IQA_WORD("torchmetrics", IQA_SSIM_TORCHMETRICS),
     [](iqa_ssim_options &o) {
         o.border = IQA_BORDER_REFLECT;
     }},
    {IQA_WORD("torchmetrics_1_4_1", IQA_SSIM_TORCHMETRICS_1_4_1),
     [](iqa_ssim_options &) {
     }},
    {IQA_WORD("pytorch_msssim", IQA_SSIM_PYTORCH_MSSSIM),
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
     }},
    {IQA_WORD("piq", IQA_SSIM_PIQ),
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         o.downsample = IQA_DOWNSAMPLE_AUTO;
         o.shrink = IQA_SHRINK_FLOOR;
     }},
    {IQA_WORD("tensorflow", IQA_SSIM_TENSORFLOW),
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
     }},
    {IQA_WORD("opencv", IQA_SSIM_OPENCV),
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         o.border = IQA_BORDER_REFLECT;
         o.data_low = 0.0;
         o.data_high = 255.0;
     }},
    {IQA_WORD("monai", IQA_SSIM_MONAI),
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
     }},
    {IQA_WORD("fused_ssim", IQA_SSIM_FUSED_SSIM),
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         o.border = IQA_BORDER_ZERO;
     }},
    {IQA_WORD("pyiqa", IQA_SSIM_PYIQA),
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         o.luma = IQA_LUMA_BT601_FULL;
         o.luma_rounded = 1;
         o.negative = IQA_NEGATIVE_RELU_MAP;
     }},
    {IQA_WORD("ffmpeg", IQA_SSIM_FFMPEG),
     [](iqa_ssim_options &o) {
         o.window = IQA_WINDOW_BLOCKS;
     }},
    {IQA_WORD("ms_ssim_wang2003", IQA_MS_SSIM_WANG2003),
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         make_multiscale(o, IQA_PRODUCT_OF_CHANNEL, IQA_SHRINK_SYMMETRIC);
     }},
    {IQA_WORD("ms_ssim_torchmetrics", IQA_MS_SSIM_TORCHMETRICS),
     [](iqa_ssim_options &o) {
         o.border = IQA_BORDER_REFLECT;
         make_multiscale(o, IQA_PRODUCT_OF_IMAGE, IQA_SHRINK_FLOOR);
     }},
    {IQA_WORD("ms_ssim_pytorch_msssim", IQA_MS_SSIM_PYTORCH_MSSSIM),
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         make_multiscale(o, IQA_PRODUCT_OF_CHANNEL, IQA_SHRINK_ZERO);
     }},
    {IQA_WORD("ms_ssim_piq", IQA_MS_SSIM_PIQ),
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         make_multiscale(o, IQA_PRODUCT_OF_CHANNEL, IQA_SHRINK_REPLICATE);
     }},
    {IQA_WORD("ms_ssim_tensorflow", IQA_MS_SSIM_TENSORFLOW),
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         make_multiscale(o, IQA_PRODUCT_OF_CHANNEL, IQA_SHRINK_SYMMETRIC);
     }},
    {IQA_WORD("ms_ssim_monai", IQA_MS_SSIM_MONAI),
     [](iqa_ssim_options &o) {
         fix_window(o, 11);
         make_multiscale(o, IQA_PRODUCT_OF_IMAGE, IQA_SHRINK_FLOOR);
     }},
    {IQA_WORD("ms_ssim_pyiqa", IQA_MS_SSIM_PYIQA),
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

constinit const std::array<option_word, count> ssim_preset_words = words_of(presets);

iqa_ssim_options ssim_preset(int32_t number)
{
    if (number < 0 || number >= count)
        fail(IQA_ERROR_INVALID_ARGUMENT, "preset is ", number, "; expected an IQA_SSIM_ or IQA_MS_SSIM_ constant");
    iqa_ssim_options options = ssim_option_table.defaults();
    presets[number].change(options);
    return options;
}

const char *ssim_preset_name(int32_t number) noexcept
{
    return number < 0 || number >= count ? nullptr : presets[number].word.name;
}

} // namespace iqa
