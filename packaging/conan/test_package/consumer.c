/* SPDX-License-Identifier: MIT */
#include <iqa_c.h>
#include <stdio.h>

int main(void)
{
    const uint8_t image[16 * 16] = {0};
    const int64_t shape[2] = {16, 16};
    const iqa_tensor tensor = iqa_cpu_tensor((void *)image, IQA_UINT8, 2, shape);
    double ssim = 0.0;
    iqa_context *context = NULL;
    if (iqa_context_create(NULL, &context) != IQA_OK ||
        iqa_measure_ssim(context, NULL, &tensor, &tensor, &ssim) != IQA_OK) {
        fprintf(stderr, "%s\n", iqa_context_error(context));
        return 1;
    }
    iqa_context_destroy(context);
    printf("SSIM %g\n", ssim);
    return ssim == 1.0 ? 0 : 1;
}
