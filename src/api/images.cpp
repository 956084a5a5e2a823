// SPDX-License-Identifier: MIT
// Constructors and one-shots of the image metrics.
#include "api/constructors.hpp"
#include "metrics/metrics.hpp"

using iqa::create;
using iqa::measure;

namespace {

// A metric that is read once keeps nothing else.
iqa_status create_errors_alone(iqa_context *context, const iqa_errors_options *options, iqa_metric **out)
{
    const auto make = [](iqa_context &owner, const iqa_errors_options &given) {
        iqa_errors_options alone = given;
        alone.alone = given.alone == 0 ? 1 : given.alone;
        return iqa::create_errors(owner, alone);
    };
    return create(context, options, iqa::errors_option_table, +make, out);
}

} // namespace

extern "C" {

iqa_status iqa_ssim_options_init(iqa_ssim_options *options, size_t size)
{
    return iqa::guard(nullptr, [&] { iqa::ssim_option_table.init(options, size); });
}

iqa_status iqa_ssim_options_preset(iqa_ssim_options *options, size_t size, int32_t preset)
{
    return iqa::guard(nullptr,
                      [&] { iqa::write_defaults(options, size, iqa::ssim_preset(preset), "iqa_ssim_options"); });
}

const char *iqa_ssim_preset_name(int32_t preset)
{
    return iqa::ssim_preset_name(preset);
}

iqa_status iqa_ssim_map_shape(iqa_context *context, const iqa_ssim_options *options, int32_t ndim, const int64_t *shape,
                              int64_t *map_shape, int32_t *factor)
{
    return iqa::guard(context, [&] {
        iqa::require(shape, "shape");
        const iqa_ssim_options copied = iqa::ssim_option_table.copy(options);
        const int32_t shrink_factor = iqa::ssim_map_shape(copied, ndim, shape, map_shape);
        if (factor != nullptr)
            *factor = shrink_factor;
    });
}

iqa_status iqa_psnr_options_init(iqa_psnr_options *options, size_t size)
{
    return iqa::guard(nullptr, [&] { iqa::psnr_option_table.init(options, size); });
}

iqa_status iqa_errors_options_init(iqa_errors_options *options, size_t size)
{
    return iqa::guard(nullptr, [&] { iqa::errors_option_table.init(options, size); });
}

iqa_status iqa_ssim_create(iqa_context *context, const iqa_ssim_options *options, iqa_metric **out)
{
    return create(context, options, iqa::ssim_option_table, iqa::create_ssim, out);
}

iqa_status iqa_psnr_create(iqa_context *context, const iqa_psnr_options *options, iqa_metric **out)
{
    return create(context, options, iqa::psnr_option_table, iqa::create_psnr, out);
}

iqa_status iqa_errors_create(iqa_context *context, const iqa_errors_options *options, iqa_metric **out)
{
    return create(context, options, iqa::errors_option_table, iqa::create_errors, out);
}

iqa_status iqa_measure_ssim(iqa_context *context, const iqa_ssim_options *options, const iqa_tensor *reference,
                            const iqa_tensor *candidate, double *value)
{
    return measure(context, options, iqa_ssim_create, reference, candidate, value);
}

iqa_status iqa_measure_psnr(iqa_context *context, const iqa_psnr_options *options, const iqa_tensor *reference,
                            const iqa_tensor *candidate, double *value)
{
    return measure(context, options, iqa_psnr_create, reference, candidate, value);
}

iqa_status iqa_measure_errors(iqa_context *context, const iqa_errors_options *options, const iqa_tensor *reference,
                              const iqa_tensor *candidate, double *value)
{
    return measure(context, options, create_errors_alone, reference, candidate, value);
}

} // extern "C"
