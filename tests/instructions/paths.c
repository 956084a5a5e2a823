/* SPDX-License-Identifier: MIT
 * Paths of the library on one thread, each taken once to warm up and once inside watched(), where check.py counts the
 * instructions. Their names are printed in that order. Arrays begin at cache lines and have the same content in every
 * run, so that the counts are the same too. */
#include <string.h>

#include "check.h"
#include "iqa_c.h"

enum { CHANNELS = 3, HEIGHT = 96, WIDTH = 160, SAMPLES = CHANNELS * HEIGHT * WIDTH };
enum { SMALL = 16, SIDE = 192, CLASSES = 19, ROWS = 64, FEATURES = 128 };

static _Alignas(64) uint8_t bytes[2][SAMPLES];
static _Alignas(64) float floats[2][SAMPLES];
static _Alignas(64) uint8_t labels[2][HEIGHT * WIDTH], masks[2][HEIGHT * WIDTH];
static _Alignas(64) int64_t wide_labels[2][HEIGHT * WIDTH];
static _Alignas(64) float gradient[SAMPLES];

static const int64_t planar[] = {CHANNELS, HEIGHT, WIDTH};
static const int64_t interleaved[] = {HEIGHT, WIDTH, CHANNELS};
static const int64_t map[] = {HEIGHT, WIDTH};
static const int64_t square[] = {SIDE, SIDE};
static const int64_t small[] = {SMALL, SMALL};
static const int64_t table[] = {ROWS, FEATURES};

static iqa_context *context;
static iqa_metric *metric;
static iqa_tensor reference, candidate, derivative;
static iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;

static void fill(void)
{
    uint32_t noise = 20u;
    int side, i;
    for (side = 0; side < 2; ++side)
        for (i = 0; i < SAMPLES; ++i) {
            noise = noise * 1664525u + 1013904223u;
            bytes[side][i] = (uint8_t)(i / 7 % 200 + (int)(noise >> 28));
            floats[side][i] = (float)bytes[side][i] / 255.0f;
            if (i < HEIGHT * WIDTH) {
                wide_labels[side][i] = labels[side][i] = (uint8_t)((noise >> 30 == 0 ? i : i / 50) % CLASSES);
                masks[side][i] = labels[side][i] % 2;
            }
        }
}

/* The tensors of the next path. */
static void compare(const void *first, const void *second, int32_t type, int32_t axes, const int64_t *shape)
{
    reference = iqa_cpu_tensor(first, type, axes, shape);
    candidate = iqa_cpu_tensor(second, type, axes, shape);
}

static iqa_ssim_options ssim_options(int32_t layout)
{
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.layout = layout;
    options.data_low = 0.0;
    options.data_high = reference.dtype_bits == 8 ? 255.0 : 1.0;
    return options;
}

static void make_ssim(int32_t layout)
{
    const iqa_ssim_options options = ssim_options(layout);
    CHECK(iqa_ssim_create(context, &options, &metric) == IQA_OK);
}

static void make_ms_ssim(void)
{
    iqa_ssim_options options;
    CHECK(iqa_ssim_options_preset(&options, sizeof options, IQA_MS_SSIM_WANG2003) == IQA_OK);
    CHECK(iqa_ssim_create(context, &options, &metric) == IQA_OK);
}

static void make_psnr(void)
{
    iqa_psnr_options options = IQA_PSNR_OPTIONS_INIT;
    options.layout = IQA_LAYOUT_CHW;
    options.data_low = 0.0;
    options.data_high = reference.dtype_bits == 8 ? 255.0 : 1.0;
    CHECK(iqa_psnr_create(context, &options, &metric) == IQA_OK);
}

static void make_confusion(int32_t classes)
{
    iqa_confusion_options options = IQA_CONFUSION_OPTIONS_INIT;
    options.classes = classes;
    CHECK(iqa_confusion_create(context, &options, &metric) == IQA_OK);
}

static void make_fid(void)
{
    iqa_fid_options options = IQA_FID_OPTIONS_INIT;
    options.features = FEATURES;
    CHECK(iqa_fid_create(context, &options, &metric) == IQA_OK);
}

static void update(void)
{
    CHECK(iqa_metric_update(metric, &reference, &candidate, &extras) == IQA_OK);
}

static void kid(void)
{
    iqa_kid_options options = IQA_KID_OPTIONS_INIT;
    double mean;
    options.subsets = 0;
    CHECK(iqa_measure_kid(context, &options, &reference, &candidate, &mean, NULL) == IQA_OK);
}

static void one_shot(void)
{
    const iqa_ssim_options options = ssim_options(IQA_LAYOUT_HW);
    double value;
    CHECK(iqa_measure_ssim(context, &options, &reference, &candidate, &value) == IQA_OK);
}

/* Named on callgrind's command line. */
__attribute__((noinline)) void watched(void (*path)(void));
void watched(void (*path)(void))
{
    path();
    __asm__ volatile(""); /* so that it calls, and does not jump */
}

static void take(const char *name, void (*path)(void))
{
    path();
    puts(name);
    watched(path);
    iqa_metric_destroy(metric);
    metric = NULL;
}

int main(void)
{
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    options.threads = 1;
    options.instruction_set = IQA_ISA_AVX2;
    CHECK(iqa_context_create(&options, &context) == IQA_OK);
    if (strcmp(iqa_context_instruction_set(context), "avx2") != 0) {
        puts("skipped: this processor has no AVX2");
        return 0;
    }
    fill();

    compare(bytes[0], bytes[1], IQA_UINT8, 3, planar);
    make_ssim(IQA_LAYOUT_CHW);
    take("ssim_uint8_planar", update);
    compare(bytes[0], bytes[1], IQA_UINT8, 3, interleaved);
    make_ssim(IQA_LAYOUT_HWC);
    take("ssim_uint8_interleaved", update);
    compare(floats[0], floats[1], IQA_FLOAT32, 3, interleaved);
    make_ssim(IQA_LAYOUT_HWC);
    take("ssim_float32_interleaved", update);
    compare(floats[0], floats[1], IQA_FLOAT32, 3, planar);
    make_ssim(IQA_LAYOUT_CHW);
    take("ssim_float32_planar", update);
    make_ssim(IQA_LAYOUT_CHW);
    derivative = iqa_cpu_tensor(gradient, IQA_FLOAT32, 3, planar);
    extras.candidate_gradient = &derivative;
    take("ssim_gradient_float32", update);
    extras.candidate_gradient = NULL;
    compare(bytes[0], bytes[1], IQA_UINT8, 2, square);
    make_ms_ssim();
    take("ms_ssim_uint8", update);

    compare(bytes[0], bytes[1], IQA_UINT8, 3, planar);
    make_psnr();
    take("psnr_uint8", update);
    compare(floats[0], floats[1], IQA_FLOAT32, 3, planar);
    make_psnr();
    take("psnr_float32", update);

    compare(labels[0], labels[1], IQA_UINT8, 2, map);
    make_confusion(CLASSES);
    take("counts_uint8", update);
    compare(masks[0], masks[1], IQA_UINT8, 2, map);
    make_confusion(2);
    take("counts_of_two_classes", update);
    compare(wide_labels[0], wide_labels[1], IQA_INT64, 2, map);
    make_confusion(CLASSES);
    take("counts_int64", update);

    compare(floats[0], floats[1], IQA_FLOAT32, 2, table);
    make_fid();
    take("fid_moments", update);
    take("kid", kid);

    compare(bytes[0], bytes[1], IQA_UINT8, 2, small);
    make_ssim(IQA_LAYOUT_HW);
    take("ssim_16x16", update);
    take("ssim_16x16_one_shot", one_shot);
    iqa_context_destroy(context);
    return 0;
}
