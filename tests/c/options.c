/* SPDX-License-Identifier: MIT
 * The rule of struct_size, for each options struct: a shorter one takes the defaults for what it lacks, a longer one is
 * accepted while its unknown tail is zero, and the macro, the function and NULL mean the same. */
#include <stddef.h>

#include "scenario.h"

enum { TAIL = 24 };

static scenario images;
static iqa_context *context;

/* Uses an options struct of one kind through the API. The value tells what the library understood. */
typedef iqa_status (*use_function)(const void *options, double *value);

static iqa_status use_metric(iqa_status status, iqa_metric *metric, double *value)
{
    if (status == IQA_OK)
        CHECK(scenario_update(&images, 0, metric) == IQA_OK && iqa_metric_compute(metric, value) == IQA_OK);
    iqa_metric_destroy(metric);
    return status;
}

static iqa_status use_ssim(const void *options, double *value)
{
    iqa_metric *metric = NULL;
    const iqa_status status = iqa_ssim_create(context, (const iqa_ssim_options *)options, &metric);
    return use_metric(status, metric, value);
}

static iqa_status use_psnr(const void *options, double *value)
{
    iqa_metric *metric = NULL;
    const iqa_status status = iqa_psnr_create(context, (const iqa_psnr_options *)options, &metric);
    return use_metric(status, metric, value);
}

static iqa_status use_errors(const void *options, double *value)
{
    iqa_metric *metric = NULL;
    const iqa_status status = iqa_errors_create(context, (const iqa_errors_options *)options, &metric);
    return use_metric(status, metric, value);
}

static iqa_status use_context(const void *options, double *value)
{
    iqa_context *made = NULL;
    const iqa_status status = iqa_context_create((const iqa_context_options *)options, &made);
    *value = iqa_context_thread_count(made);
    iqa_context_destroy(made);
    return status;
}

static iqa_status use_extras(const void *options, double *value)
{
    iqa_metric *metric = NULL;
    const iqa_tensor tensor = iqa_cpu_tensor(images.reference_bytes, IQA_UINT8, 2, images.shape);
    CHECK(iqa_ssim_create(context, NULL, &metric) == IQA_OK);
    const iqa_status status = iqa_metric_update(metric, &tensor, &tensor, (const iqa_update_extras *)options);
    *value = 0.0;
    if (status == IQA_OK)
        CHECK(iqa_metric_compute(metric, value) == IQA_OK);
    iqa_metric_destroy(metric);
    return status;
}

/* The defaults draw 1000 rows; with fewer the library says so, and that it was 1000 is the value. */
static iqa_status use_kid(const void *options, double *value)
{
    static const float features[3] = {0.5f, 1.0f, 2.0f};
    const int64_t shape[2] = {3, 1};
    const iqa_tensor table = iqa_cpu_tensor(features, IQA_FLOAT32, 2, shape);
    double mean = 0.0;
    const iqa_status status = iqa_measure_kid(context, (const iqa_kid_options *)options, &table, &table, &mean, NULL);
    if (status != IQA_ERROR_NO_DATA)
        return status;
    CHECK(strstr(iqa_context_error(context), "subset_size, 1000;") != NULL);
    *value = 1000.0;
    return IQA_OK;
}

/* Three rows are too few for the default k, which is the value. */
static iqa_status use_prdc(const void *options, double *value)
{
    static const float features[3] = {0.5f, 1.0f, 2.0f};
    const int64_t shape[2] = {3, 1};
    const iqa_tensor table = iqa_cpu_tensor(features, IQA_FLOAT32, 2, shape);
    const iqa_status status =
        iqa_measure_prdc(context, (const iqa_prdc_options *)options, &table, &table, value, 1, NULL);
    if (status != IQA_ERROR_NO_DATA)
        return status;
    CHECK(strstr(iqa_context_error(context), "more than k, 5,") != NULL);
    *value = 5.0;
    return IQA_OK;
}

static iqa_status use_inception_score(const void *options, double *value)
{
    static const float logits[22] = {1, 0, 2, 0, 0, 3, 0, 4, 5, 0, 0, 6, 7, 0, 0, 0.5f, 1, 0, 2, 0, 0, 8};
    const int64_t shape[2] = {11, 2};
    const iqa_tensor table = iqa_cpu_tensor(logits, IQA_FLOAT32, 2, shape);
    return iqa_measure_inception_score(context, (const iqa_inception_score_options *)options, &table, value, NULL);
}

static void set_size(unsigned char *options, size_t size)
{
    const uint32_t number = (uint32_t)size;
    memcpy(options, &number, sizeof number);
}

/* `defaults` is what the macro gives, `size` its size. */
static void check_rule(const char *name, const void *defaults, size_t size, use_function use,
                       iqa_status (*write)(void *options, size_t size))
{
    unsigned char options[512];
    double expected = 0.0;
    double value = 0.0;
    CHECK(size + TAIL <= sizeof options);
    CHECK(use(NULL, &expected) == IQA_OK);
    CHECK(use(defaults, &value) == IQA_OK && value == expected);

    /* The function writes what the macro gives, whatever was there, and not a byte more. */
    memset(options, 0xa5, sizeof options);
    CHECK(write(options, size) == IQA_OK);
    CHECK(memcmp(options, defaults, sizeof(uint32_t)) == 0 && options[size] == 0xa5);
    CHECK(use(options, &value) == IQA_OK && value == expected);
    CHECK(write(NULL, size) == IQA_ERROR_INVALID_ARGUMENT);
    for (size_t too_short = 0; too_short < sizeof(uint32_t); ++too_short)
        CHECK(write(options, too_short) == IQA_ERROR_INVALID_ARGUMENT);

    /* Shorter, at every length: the bytes beyond struct_size are garbage that must not be read. */
    for (size_t shorter = sizeof(uint32_t); shorter < size; ++shorter) {
        memset(options, 0xff, sizeof options);
        memcpy(options, defaults, shorter);
        set_size(options, shorter);
        CHECK(use(options, &value) == IQA_OK && value == expected);
        memset(options, 0xa5, sizeof options);
        CHECK(write(options, shorter) == IQA_OK && options[shorter] == 0xa5);
        CHECK(use(options, &value) == IQA_OK && value == expected);
    }
    /* Too short for its own first field. */
    for (size_t too_short = 0; too_short < sizeof(uint32_t); ++too_short) {
        memcpy(options, defaults, size);
        set_size(options, too_short);
        CHECK(use(options, &value) == IQA_ERROR_INVALID_ARGUMENT);
    }
    /* Longer than any struct, as one that nobody initialised: nothing behind it is read or written. */
    static const uint32_t garbage[] = {4097, 0x01010101, 0xa5a5a5a5, UINT32_MAX};
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; ++i) {
        memcpy(options, defaults, size);
        set_size(options, garbage[i]);
        CHECK(use(options, &value) == IQA_ERROR_INVALID_ARGUMENT);
        CHECK(use == use_context || strstr(iqa_context_error(context), "at most 4096") != NULL);
        memset(options, 0xa5, sizeof options);
        CHECK(write(options, garbage[i]) == IQA_ERROR_INVALID_ARGUMENT);
        CHECK(strstr(iqa_context_error(NULL), name) != NULL && options[0] == 0xa5);
    }
    CHECK(write(options, (size_t)1 << 32) == IQA_ERROR_INVALID_ARGUMENT);
    /* Longer with zeros, then with one byte that is not. */
    memset(options, 0, sizeof options);
    memcpy(options, defaults, size);
    set_size(options, size + TAIL);
    CHECK(use(options, &value) == IQA_OK && value == expected);
    for (size_t at = size; at < size + TAIL; ++at) {
        options[at] = 1;
        CHECK(use(options, &value) == IQA_ERROR_INVALID_ARGUMENT);
        if (use != use_context) { /* the text names the struct and the byte */
            char place[32];
            snprintf(place, sizeof place, "byte %zu ", at);
            CHECK(strstr(iqa_context_error(context), name) != NULL);
            CHECK(strstr(iqa_context_error(context), place) != NULL);
        }
        options[at] = 0;
    }
    memset(options, 0xa5, sizeof options);
    CHECK(write(options, size + TAIL) == IQA_OK && options[size + TAIL] == 0xa5);
    CHECK(use(options, &value) == IQA_OK && value == expected);
}

static iqa_status write_ssim(void *options, size_t size)
{
    return iqa_ssim_options_init((iqa_ssim_options *)options, size);
}

static iqa_status write_errors(void *options, size_t size)
{
    return iqa_errors_options_init((iqa_errors_options *)options, size);
}

static iqa_status write_psnr(void *options, size_t size)
{
    return iqa_psnr_options_init((iqa_psnr_options *)options, size);
}

static iqa_status write_kid(void *options, size_t size)
{
    return iqa_kid_options_init((iqa_kid_options *)options, size);
}

static iqa_status write_prdc(void *options, size_t size)
{
    return iqa_prdc_options_init((iqa_prdc_options *)options, size);
}

static iqa_status write_inception_score(void *options, size_t size)
{
    return iqa_inception_score_options_init((iqa_inception_score_options *)options, size);
}

static iqa_status write_context(void *options, size_t size)
{
    return iqa_context_options_init((iqa_context_options *)options, size);
}

static iqa_status write_extras(void *options, size_t size)
{
    return iqa_update_extras_init((iqa_update_extras *)options, size);
}

int main(void)
{
    const iqa_context_options context_options = IQA_CONTEXT_OPTIONS_INIT;
    const iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    iqa_ssim_options ssim = IQA_SSIM_OPTIONS_INIT;
    const iqa_psnr_options psnr = IQA_PSNR_OPTIONS_INIT;
    const iqa_errors_options errors = IQA_ERRORS_OPTIONS_INIT;
    const iqa_kid_options kid = IQA_KID_OPTIONS_INIT;
    const iqa_prdc_options prdc = IQA_PRDC_OPTIONS_INIT;
    const iqa_inception_score_options inception_score = IQA_INCEPTION_SCORE_OPTIONS_INIT;
    double zero = 0.0;
    double standard = 0.0;
    scenario_fill(&images);
    context = scenario_context(1);
    check_rule("iqa_context_options", &context_options, sizeof context_options, use_context, write_context);
    check_rule("iqa_update_extras", &extras, sizeof extras, use_extras, write_extras);
    check_rule("iqa_ssim_options", &ssim, sizeof ssim, use_ssim, write_ssim);
    check_rule("iqa_psnr_options", &psnr, sizeof psnr, use_psnr, write_psnr);
    check_rule("iqa_errors_options", &errors, sizeof errors, use_errors, write_errors);
    check_rule("iqa_kid_options", &kid, sizeof kid, use_kid, write_kid);
    check_rule("iqa_prdc_options", &prdc, sizeof prdc, use_prdc, write_prdc);
    check_rule("iqa_inception_score_options", &inception_score, sizeof inception_score, use_inception_score,
               write_inception_score);

    /* No field has a magic zero: k1 = k2 = 0 are values of their own. */
    ssim.k1 = ssim.k2 = 0.0;
    CHECK(use_ssim(&ssim, &zero) == IQA_OK && use_ssim(NULL, &standard) == IQA_OK && zero != standard);
    iqa_context_destroy(context);
    return 0;
}
