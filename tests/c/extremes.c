/* SPDX-License-Identifier: MIT
 * Options at their extremes, with inputs of a few hundred numbers: whatever is asked for, a call ends, with memory that
 * is stated here, and where it refuses it says so in words. One that does not end meets the limit of the test runner,
 * and the last line tells which. */
#include <limits.h>

#include "check.h"
#include "iqa_c.h"
#include <string.h>

enum { SIDE = 16, MIB = 1 << 20 };

/* Memory of the context, with a limit. */
static size_t in_use, peak, limit;

static void *take(void *unused, size_t bytes)
{
    (void)unused;
    if (bytes > limit - in_use)
        return NULL;
    in_use += bytes;
    if (in_use > peak)
        peak = in_use;
    return malloc(bytes);
}

static void give_back(void *unused, void *memory, size_t bytes)
{
    (void)unused;
    in_use -= bytes;
    free(memory);
}

static float samples[SIDE * SIDE];
static uint8_t labels[SIDE * SIDE];
static float gradient[SIDE * SIDE];

/* One call. The text is what an error must say. */
typedef iqa_status (*extreme)(iqa_context *context);

static iqa_tensor tensor_of(void *data, int32_t type, int32_t axes)
{
    static const int64_t shapes[4][3] = {{0}, {SIDE * SIDE}, {SIDE, SIDE}, {4, 8, 8}};
    return iqa_cpu_tensor(data, type, axes, shapes[axes]);
}

static iqa_status measure(iqa_context *context, iqa_ssim_options options, int with_all)
{
    iqa_metric *metric = NULL;
    double value = 0.0;
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    const int32_t axes = options.layout == IQA_LAYOUT_DHW ? 3 : 2;
    const iqa_tensor image = tensor_of(samples, IQA_FLOAT32, axes);
    const iqa_tensor out = tensor_of(gradient, IQA_FLOAT32, axes);
    const iqa_tensor weights = tensor_of(labels, IQA_UINT8, axes);
    options.data_low = 0.0;
    options.data_high = 1.0;
    if (with_all) {
        extras.candidate_gradient = &out;
        extras.weights = &weights;
    }
    iqa_status status = iqa_ssim_create(context, &options, &metric);
    if (status == IQA_OK)
        status = iqa_metric_update(metric, &image, &image, &extras);
    if (status == IQA_OK)
        status = iqa_metric_compute(metric, &value);
    iqa_metric_destroy(metric);
    return status;
}

/* The same through a state file, which may have any options. */
static iqa_status through_state(iqa_context *context, const iqa_ssim_options *options)
{
    unsigned char bytes[4096];
    iqa_metric *metric = NULL;
    iqa_metric *loaded = NULL;
    size_t size = 0;
    const iqa_tensor image = tensor_of(samples, IQA_FLOAT32, 2);
    CHECK(iqa_ssim_create(context, options, &metric) == IQA_OK);
    CHECK(iqa_metric_serialize(metric, bytes, sizeof bytes, &size) == IQA_OK);
    iqa_metric_destroy(metric);
    CHECK(iqa_metric_deserialize(context, bytes, size, &loaded) == IQA_OK);
    const iqa_status status = iqa_metric_update(loaded, &image, &image, NULL);
    iqa_metric_destroy(loaded);
    return status;
}

/* ---- SSIM */

static iqa_ssim_options with_border(int32_t border)
{
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.border = options.contrast_border = border;
    options.window = IQA_WINDOW_UNIFORM;
    options.size_z = options.size_y = options.size_x = 1;
    return options;
}

static iqa_status downsample(iqa_context *context, int32_t factor, int32_t shrink, int with_all)
{
    iqa_ssim_options options = with_border(IQA_BORDER_REPLICATE);
    options.downsample = factor;
    options.shrink = shrink;
    return measure(context, options, with_all);
}

static iqa_status downsample_side(iqa_context *context)
{
    return downsample(context, SIDE, IQA_SHRINK_SYMMETRIC, 1);
}

static iqa_status downsample_beyond(iqa_context *context)
{
    return downsample(context, SIDE + 1, IQA_SHRINK_SYMMETRIC, 0);
}

static iqa_status downsample_hugely(iqa_context *context)
{
    return downsample(context, 1 << 28, IQA_SHRINK_SYMMETRIC, 1);
}

static iqa_status downsample_most(iqa_context *context)
{
    return downsample(context, INT32_MAX, IQA_SHRINK_SYMMETRIC, 0);
}

static iqa_status downsample_floor(iqa_context *context)
{
    return downsample(context, INT32_MAX, IQA_SHRINK_FLOOR, 0);
}

static iqa_status downsample_volume(iqa_context *context)
{
    iqa_ssim_options options = with_border(IQA_BORDER_SYMMETRIC);
    options.layout = IQA_LAYOUT_DHW;
    options.downsample = 5; /* of 4, 8, 8 */
    return measure(context, options, 0);
}

static iqa_status downsample_of_state(iqa_context *context)
{
    iqa_ssim_options options = with_border(IQA_BORDER_REPLICATE);
    options.downsample = 1 << 28;
    return through_state(context, &options);
}

static iqa_status map_shape_of_downsample(iqa_context *context)
{
    iqa_ssim_options options = with_border(IQA_BORDER_REPLICATE);
    const int64_t shape[2] = {SIDE, SIDE};
    int64_t map[2];
    int32_t factor = 0;
    options.downsample = INT32_MAX;
    return iqa_ssim_map_shape(context, &options, 2, shape, map, &factor);
}

static iqa_status window(iqa_context *context, int32_t size, int32_t layout, int with_all)
{
    iqa_ssim_options options = with_border(IQA_BORDER_SYMMETRIC);
    options.layout = layout;
    options.size_z = options.size_y = options.size_x = size;
    return measure(context, options, with_all);
}

static iqa_status window_largest(iqa_context *context)
{
    return window(context, 4095, IQA_LAYOUT_HW, 0);
}

static iqa_status window_of_volume(iqa_context *context)
{
    return window(context, 4095, IQA_LAYOUT_DHW, 1);
}

static iqa_status window_ample(iqa_context *context)
{
    return window(context, 65, IQA_LAYOUT_HW, 1);
}

static iqa_status window_ample_of_volume(iqa_context *context)
{
    return window(context, 65, IQA_LAYOUT_DHW, 1);
}

static iqa_status window_beyond(iqa_context *context)
{
    return window(context, INT32_MAX, IQA_LAYOUT_HW, 0);
}

static iqa_status window_of_state(iqa_context *context)
{
    iqa_ssim_options options = with_border(IQA_BORDER_ZERO);
    options.size_y = options.size_x = 4095;
    return through_state(context, &options);
}

static iqa_status window_by_sigma(iqa_context *context)
{
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.sigma_y = 1e300;
    return measure(context, options, 0);
}

static iqa_status window_by_spacing(iqa_context *context)
{
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.spacing_x = 1e-300;
    return measure(context, options, 0);
}

static iqa_status scales_most(iqa_context *context)
{
    iqa_ssim_options options = with_border(IQA_BORDER_ZERO);
    options.size_y = options.size_x = 65;
    options.scales = IQA_MOST_SCALES;
    for (int i = 0; i < IQA_MOST_SCALES; ++i)
        options.scale_weights[i] = 1.0 / IQA_MOST_SCALES;
    return measure(context, options, 1);
}

static iqa_status scales_beyond(iqa_context *context)
{
    iqa_ssim_options options = with_border(IQA_BORDER_ZERO);
    options.scales = INT32_MAX;
    return measure(context, options, 0);
}

static iqa_status shave_all(iqa_context *context)
{
    iqa_ssim_options options = with_border(IQA_BORDER_ZERO);
    options.shave = INT32_MAX;
    return measure(context, options, 0);
}

/* ---- PSNR */

static iqa_status psnr(iqa_context *context, const iqa_psnr_options *options)
{
    const iqa_tensor image = tensor_of(labels, IQA_UINT8, 2);
    double value = 0.0;
    return iqa_measure_psnr(context, options, &image, &image, &value);
}

static iqa_status psnr_shave(iqa_context *context)
{
    iqa_psnr_options options = IQA_PSNR_OPTIONS_INIT;
    options.shave = INT32_MAX;
    return psnr(context, &options);
}

static iqa_status psnr_base(iqa_context *context)
{
    iqa_psnr_options options = IQA_PSNR_OPTIONS_INIT;
    options.log_base = 1.7976931348623157e308;
    options.cap = 1.7976931348623157e308;
    return psnr(context, &options);
}

/* ---- Confusion */

static iqa_status confusion(iqa_context *context, iqa_confusion_options options)
{
    const iqa_tensor elements = tensor_of(labels, IQA_UINT8, 1);
    iqa_confusion_reading reading = IQA_CONFUSION_READING_INIT;
    double value = 0.0;
    reading.average = IQA_AVERAGE_MACRO;
    options.reading = &reading;
    options.score = IQA_SCORE_F;
    return iqa_measure_confusion(context, &options, &elements, &elements, &value);
}

static iqa_status classes(iqa_context *context, int32_t count, int32_t counts, int32_t keep_samples)
{
    iqa_confusion_options options = IQA_CONFUSION_OPTIONS_INIT;
    options.classes = count;
    options.counts = counts;
    options.keep_samples = keep_samples;
    return confusion(context, options);
}

static iqa_status classes_most(iqa_context *context)
{
    return classes(context, 65536, IQA_COUNTS_PER_CLASS, 1);
}

static iqa_status classes_of_matrix(iqa_context *context)
{
    return classes(context, 11583, IQA_COUNTS_MATRIX, 0);
}

static iqa_status classes_beyond_matrix(iqa_context *context)
{
    return classes(context, 65536, IQA_COUNTS_MATRIX, 0);
}

static iqa_status classes_beyond(iqa_context *context)
{
    return classes(context, INT32_MAX, IQA_COUNTS_PER_CLASS, 0);
}

static iqa_status top_k_beyond(iqa_context *context)
{
    iqa_confusion_options options = IQA_CONFUSION_OPTIONS_INIT;
    options.classes = 4;
    options.candidate = IQA_LABELS_ARGMAX;
    options.top_k = INT32_MAX;
    return confusion(context, options);
}

/* ---- Sets of features */

static iqa_status fid(iqa_context *context, int32_t features, int32_t fraction_bits)
{
    iqa_fid_options options = IQA_FID_OPTIONS_INIT;
    const iqa_tensor table = tensor_of(samples, IQA_FLOAT32, 2);
    double value = 0.0;
    options.features = features;
    options.fraction_bits = fraction_bits;
    return iqa_measure_fid(context, &options, &table, &table, &value);
}

static iqa_status features_most(iqa_context *context)
{
    return fid(context, 16384, 24);
}

static iqa_status features_beyond(iqa_context *context)
{
    return fid(context, INT32_MAX, 24);
}

static iqa_status fraction_most(iqa_context *context)
{
    return fid(context, SIDE, 60);
}

static iqa_status fraction_least(iqa_context *context)
{
    return fid(context, SIDE, INT32_MIN);
}

static iqa_status kid(iqa_context *context, int32_t degree, int32_t subsets, int64_t subset_size)
{
    iqa_kid_options options = IQA_KID_OPTIONS_INIT;
    const iqa_tensor table = tensor_of(samples, IQA_FLOAT32, 2);
    double value = 0.0;
    options.degree = degree;
    options.subsets = subsets;
    options.subset_size = subset_size;
    return iqa_measure_kid(context, &options, &table, &table, &value, NULL);
}

static iqa_status subsets_most(iqa_context *context)
{
    return kid(context, 16, 100000, 2);
}

static iqa_status subsets_beyond(iqa_context *context)
{
    return kid(context, 3, INT32_MAX, 2);
}

static iqa_status subset_size_beyond(iqa_context *context)
{
    return kid(context, 3, 1, INT64_MAX);
}

static iqa_status degree_beyond(iqa_context *context)
{
    return kid(context, INT32_MAX, 1, 2);
}

static iqa_status neighbours_beyond(iqa_context *context)
{
    iqa_prdc_options options = IQA_PRDC_OPTIONS_INIT;
    const iqa_tensor table = tensor_of(samples, IQA_FLOAT32, 2);
    double value = 0.0;
    options.k = INT64_MAX;
    return iqa_measure_prdc(context, &options, &table, &table, &value, 1, NULL);
}

static iqa_status splits(iqa_context *context, int32_t count)
{
    iqa_inception_score_options options = IQA_INCEPTION_SCORE_OPTIONS_INIT;
    const iqa_tensor table = tensor_of(samples, IQA_FLOAT32, 2);
    double value = 0.0;
    options.splits = count;
    return iqa_measure_inception_score(context, &options, &table, &value, NULL);
}

static iqa_status splits_most(iqa_context *context)
{
    return splits(context, SIDE);
}

static iqa_status splits_beyond(iqa_context *context)
{
    return splits(context, INT32_MAX);
}

/* ---- The table */

typedef struct row {
    const char *name;
    extreme call;
    iqa_status status;
    const char *text; /* of an error */
    int most_mib;     /* of memory */
} row;

#define ROW(call, status, text, mib)                                                                                   \
    {                                                                                                                  \
#call, call, status, text, mib                                                                                 \
    }

static const row rows[] = {
    ROW(downsample_side, IQA_OK, "", 1),
    ROW(downsample_beyond, IQA_ERROR_SHAPE, "downsampling by 17; the smallest that is enough is 17", 1),
    ROW(downsample_hugely, IQA_ERROR_SHAPE, "downsampling by 268435456", 1),
    ROW(downsample_most, IQA_ERROR_SHAPE, "downsampling by 2147483647", 1),
    ROW(downsample_floor, IQA_ERROR_SHAPE, "downsampling by 2147483647", 1),
    ROW(downsample_volume, IQA_ERROR_SHAPE, "depth 4 is too small", 1),
    ROW(downsample_of_state, IQA_ERROR_SHAPE, "height 16 is too small", 1),
    ROW(map_shape_of_downsample, IQA_ERROR_SHAPE, "height 16 is too small", 1),
    ROW(window_largest, IQA_ERROR_SHAPE, "4095-pixel window; the smallest that is enough is 2047", 1),
    ROW(window_of_volume, IQA_ERROR_SHAPE, "depth 4 is too small", 1),
    ROW(window_ample, IQA_OK, "", 8),
    ROW(window_ample_of_volume, IQA_OK, "", 96),
    ROW(window_beyond, IQA_ERROR_INVALID_ARGUMENT, "size_y is 2147483647", 1),
    ROW(window_of_state, IQA_ERROR_SHAPE, "height 16 is too small", 1),
    ROW(window_by_sigma, IQA_ERROR_INVALID_ARGUMENT, "sigma_y is 1e+300", 1),
    ROW(window_by_spacing, IQA_ERROR_INVALID_ARGUMENT, "sigma_x is 1.5", 1),
    ROW(scales_most, IQA_OK, "", 8),
    ROW(scales_beyond, IQA_ERROR_INVALID_ARGUMENT, "scales is 2147483647", 1),
    ROW(shave_all, IQA_ERROR_SHAPE, "2147483647", 1),
    ROW(psnr_shave, IQA_ERROR_SHAPE, "2147483647", 1),
    ROW(psnr_base, IQA_OK, "", 1),
    ROW(classes_most, IQA_OK, "", 48),
    ROW(classes_of_matrix, IQA_ERROR_OUT_OF_MEMORY, "counts of a metric", 1), /* 1 GiB, as the header says */
    ROW(classes_beyond_matrix, IQA_ERROR_INVALID_ARGUMENT, "IQA_COUNTS_PER_CLASS", 1),
    ROW(classes_beyond, IQA_ERROR_INVALID_ARGUMENT, "classes is 2147483647", 1),
    ROW(top_k_beyond, IQA_ERROR_INVALID_ARGUMENT, "top_k is 2147483647", 1),
    ROW(features_most, IQA_ERROR_OUT_OF_MEMORY, "moments of the features", 1), /* 4 GiB, as the header says */
    ROW(features_beyond, IQA_ERROR_INVALID_ARGUMENT, "features is 2147483647", 1),
    ROW(fraction_most, IQA_ERROR_NUMERIC, "", 32),
    ROW(fraction_least, IQA_ERROR_INVALID_ARGUMENT, "fraction_bits is -2147483648", 1),
    ROW(subsets_most, IQA_OK, "", 8),
    ROW(subsets_beyond, IQA_ERROR_INVALID_ARGUMENT, "subsets is 2147483647", 1),
    ROW(subset_size_beyond, IQA_ERROR_NO_DATA, "subset_size", 1),
    ROW(degree_beyond, IQA_ERROR_INVALID_ARGUMENT, "degree is 2147483647", 1),
    ROW(neighbours_beyond, IQA_ERROR_NO_DATA, "more than k, 9223372036854775807,", 1),
    ROW(splits_most, IQA_OK, "", 2),
    ROW(splits_beyond, IQA_ERROR_NO_DATA, "2147483647", 1),
};

static void check_row(const row *of, int32_t threads)
{
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    iqa_context *context = NULL;
    /* Threads of a larger number than any machine has take memory too. */
    const int most_mib = threads == 1 ? of->most_mib : of->most_mib + 128;
    options.threads = threads;
    options.allocate = take;
    options.deallocate = give_back;
    in_use = peak = 0;
    limit = (size_t)256 * MIB;
    CHECK(iqa_context_create(&options, &context) == IQA_OK);
    printf("%s with %d threads\n", of->name, (int)threads);
    fflush(stdout);
    const iqa_status status = of->call(context);
    const char *text = iqa_context_error(context);
    const int holds = status == of->status && (status == IQA_OK || (text[0] != '\0' && strstr(text, of->text))) &&
                      peak <= (size_t)most_mib * MIB;
    if (!holds)
        fprintf(stderr, "%s \"%s\", %.3f MiB\n", iqa_status_name(status), text, (double)peak / MIB);
    CHECK(holds);
    iqa_context_destroy(context);
    CHECK(in_use == 0);
}

/* A cancelled call ends before its work, and the metric is as it was. */
static int32_t cancel(void *calls, int64_t done, int64_t total)
{
    (void)done;
    (void)total;
    ++*(int *)calls;
    return 1;
}

static void check_cancelled(void)
{
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    iqa_context *context = NULL;
    int calls = 0;
    options.progress = cancel;
    options.progress_user = &calls;
    CHECK(iqa_context_create(&options, &context) == IQA_OK);
    CHECK(downsample_side(context) == IQA_ERROR_CANCELLED && calls == 1);
    iqa_context_destroy(context);
}

int main(void)
{
    for (int i = 0; i < SIDE * SIDE; ++i) {
        samples[i] = (float)(i * 7 % 251) / 255.0f;
        labels[i] = (uint8_t)(i % 4);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; ++i) {
        check_row(&rows[i], 1);
        check_row(&rows[i], INT32_MAX);
    }
    check_cancelled();
    return 0;
}
