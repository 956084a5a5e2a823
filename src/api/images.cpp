// SPDX-License-Identifier: MIT
// Constructors and one-shots of the image metrics.
#include "api/guard.hpp"
#include "core/options.hpp"
#include "metrics/metrics.hpp"

namespace {

template <class Options>
iqa_status create(iqa_context *context, const Options *options, const Options &defaults, const char *name,
                  iqa_metric *(*make)(iqa_context &, const Options &), iqa_metric **out) noexcept
{
    return iqa::guard(context, [&] {
        iqa::require(out, "out");
        *out = nullptr;
        iqa::require(context, "context");
        *out = make(*context, iqa::copy_sized(options, defaults, name));
    });
}

template <class Options>
iqa_status measure(iqa_context *context, const Options *options,
                   iqa_status (*make)(iqa_context *, const Options *, iqa_metric **), const iqa_tensor *reference,
                   const iqa_tensor *candidate, double *value) noexcept
{
    iqa_metric *metric = nullptr;
    iqa_status status = make(context, options, &metric);
    if (status == IQA_OK)
        status = iqa_metric_update(metric, reference, candidate, nullptr);
    if (status == IQA_OK)
        status = iqa_metric_compute(metric, value);
    iqa_metric_destroy(metric);
    return status;
}

} // namespace

extern "C" {

iqa_status iqa_ssim_options_init(iqa_ssim_options *options, size_t size)
{
    return iqa::guard(nullptr,
                      [&] { iqa::write_defaults(options, size, iqa::default_ssim_options, "iqa_ssim_options"); });
}

iqa_status iqa_psnr_options_init(iqa_psnr_options *options, size_t size)
{
    return iqa::guard(nullptr,
                      [&] { iqa::write_defaults(options, size, iqa::default_psnr_options, "iqa_psnr_options"); });
}

iqa_status iqa_ssim_create(iqa_context *context, const iqa_ssim_options *options, iqa_metric **out)
{
    return create(context, options, iqa::default_ssim_options, "iqa_ssim_options", iqa::create_ssim, out);
}

iqa_status iqa_psnr_create(iqa_context *context, const iqa_psnr_options *options, iqa_metric **out)
{
    return create(context, options, iqa::default_psnr_options, "iqa_psnr_options", iqa::create_psnr, out);
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

} // extern "C"
