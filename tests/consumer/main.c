/* SPDX-License-Identifier: MIT
 * A program of somebody else's: the SSIM and PSNR of two generated pictures. */
#include <iqa_c.h>
#include <stdio.h>

int main(void)
{
    static uint8_t reference[64 * 64];
    static uint8_t candidate[64 * 64];
    const int64_t shape[2] = {64, 64};
    const iqa_tensor first = iqa_cpu_tensor(reference, IQA_UINT8, 2, shape);
    const iqa_tensor second = iqa_cpu_tensor(candidate, IQA_UINT8, 2, shape);
    iqa_context *context = NULL;
    double ssim = 0.0;
    double psnr = 0.0;
    for (int i = 0; i < 64 * 64; ++i) {
        reference[i] = (uint8_t)(i % 251);
        candidate[i] = (uint8_t)(i % 251 + i % 2);
    }
    if (iqa_library_version() != IQA_VERSION || iqa_context_create(NULL, &context) != IQA_OK)
        return 1;
    if (iqa_measure_ssim(context, NULL, &first, &second, &ssim) != IQA_OK ||
        iqa_measure_psnr(context, NULL, &first, &second, &psnr) != IQA_OK) {
        fprintf(stderr, "%s\n", iqa_context_error(context));
        return 1;
    }
    iqa_context_destroy(context);
    printf("SSIM %.6f PSNR %.6f\n", ssim, psnr);
    /* Every second pixel is off by one: the mean squared error is 1/2, and 10 log10(255^2 * 2) = 51.141... */
    return ssim > 0.99 && ssim < 1.0 && psnr > 51.14 && psnr < 51.142 ? 0 : 1;
}
