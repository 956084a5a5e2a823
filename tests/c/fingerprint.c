/* SPDX-License-Identifier: MIT
 * Fingerprints: of any two metrics that can be made here, equal where the metrics may be merged, and only there. */
#include "scenario.h"

enum { MOST = 64 };

static iqa_context *context;
static iqa_metric *metrics[MOST];
static int count;

static void add(iqa_status status, iqa_metric *metric)
{
    CHECK(status == IQA_OK && count < MOST);
    metrics[count++] = metric;
}

static void add_ssim(const iqa_ssim_options *options)
{
    iqa_metric *metric = NULL;
    const iqa_status status = iqa_ssim_create(context, options, &metric);
    add(status, metric);
}

static void add_psnr(const iqa_psnr_options *options)
{
    iqa_metric *metric = NULL;
    const iqa_status status = iqa_psnr_create(context, options, &metric);
    add(status, metric);
}

static void add_errors(int32_t measure, int32_t shave)
{
    iqa_errors_options options = IQA_ERRORS_OPTIONS_INIT;
    iqa_metric *metric = NULL;
    options.measure = measure;
    options.shave = shave;
    const iqa_status status = iqa_errors_create(context, &options, &metric);
    add(status, metric);
}

static void add_fid_of(int32_t features, int32_t layer, int32_t resize, uint64_t weights)
{
    iqa_fid_options options = IQA_FID_OPTIONS_INIT;
    iqa_metric *metric = NULL;
    options.features = features;
    options.layer = layer;
    options.resize = resize;
    options.weights = weights;
    const iqa_status status = iqa_fid_create(context, &options, &metric);
    add(status, metric);
}

static void add_fid(int32_t features, int32_t fraction_bits)
{
    iqa_fid_options options = IQA_FID_OPTIONS_INIT;
    iqa_metric *metric = NULL;
    options.features = features;
    if (fraction_bits != 0)
        options.fraction_bits = fraction_bits;
    const iqa_status status = iqa_fid_create(context, &options, &metric);
    add(status, metric);
}

static void add_confusion(int32_t classes, int32_t counts, double beta, const uint8_t *excluded)
{
    iqa_confusion_reading reading = IQA_CONFUSION_READING_INIT;
    iqa_confusion_options options = IQA_CONFUSION_OPTIONS_INIT;
    iqa_metric *metric = NULL;
    options.classes = classes;
    options.counts = counts;
    options.reading = &reading;
    reading.beta = beta;
    reading.excluded = excluded;
    reading.excluded_count = excluded != NULL ? classes : 0;
    const iqa_status status = iqa_confusion_create(context, &options, &metric);
    add(status, metric);
}

static void add_all(void)
{
    static const uint8_t first[3] = {1, 0, 0};
    static const uint8_t last[3] = {0, 0, 1};
    const iqa_ssim_options ssim = IQA_SSIM_OPTIONS_INIT;
    const iqa_psnr_options psnr = IQA_PSNR_OPTIONS_INIT;
    iqa_ssim_options s;
    iqa_psnr_options p;

    add_ssim(NULL);
    add_ssim(&ssim);
    s = ssim, s.size_y = s.size_x = 11, add_ssim(&s);
    s = ssim, s.size_y = s.size_x = IQA_SIZE_AUTO, add_ssim(&s);
    s = ssim, s.size_y = 7, add_ssim(&s);
    s = ssim, s.size_x = 7, add_ssim(&s);
    s = ssim, s.k1 = 0.02, add_ssim(&s);
    s = ssim, s.k1 = 0.0, add_ssim(&s);
    s = ssim, s.k2 = 0.02, add_ssim(&s);
    s = ssim, s.sigma_y = 1.25, add_ssim(&s);
    s = ssim, s.sigma_x = 1.25, add_ssim(&s);
    s = ssim, s.border = IQA_BORDER_REFLECT, add_ssim(&s);
    s = ssim, s.data_high = 1.0, add_ssim(&s);
    s = ssim, s.data_low = -1.0, s.data_high = 1.0, add_ssim(&s);
    s = ssim, s.layout = IQA_LAYOUT_CHW, add_ssim(&s);
    s = ssim, s.parts = 1, add_ssim(&s);
    s = ssim, s.scales = 2, s.scale_weights[0] = s.scale_weights[1] = 0.5, add_ssim(&s);
    s = ssim, s.downsample = 2, add_ssim(&s);
    for (int32_t preset = 0; preset < 4; ++preset) {
        CHECK(iqa_ssim_options_preset(&s, sizeof s, preset) == IQA_OK);
        add_ssim(&s);
    }

    add_psnr(NULL);
    add_psnr(&psnr);
    p = psnr, p.cap = 100.0, add_psnr(&p);
    p = psnr, p.aggregate = IQA_MEAN_OF_PSNR, add_psnr(&p);
    p = psnr, p.log_base = 2.0, add_psnr(&p);
    p = psnr, p.shave = 4, add_psnr(&p);
    p = psnr, p.data_high = 1.0, add_psnr(&p);
    add_errors(IQA_MEAN_ABSOLUTE_ERROR, 0);
    add_errors(IQA_NRMSE_MEAN, 0);
    add_errors(IQA_NRMSE_MEAN, 4);

    add_fid(3, 0), add_fid(3, 0), add_fid(4, 0), add_fid(3, 12), add_fid(3, 13);
    add_fid(64, 0), add_fid_of(64, IQA_LAYER_64, IQA_RESIZE_TENSORFLOW, 0);
    add_fid_of(64, IQA_LAYER_64, IQA_RESIZE_TENSORFLOW, 7), add_fid_of(64, IQA_LAYER_64, IQA_RESIZE_TENSORFLOW, 7);
    add_fid_of(64, IQA_LAYER_64, IQA_RESIZE_CLEAN, 7), add_fid_of(64, IQA_LAYER_64, IQA_RESIZE_CLEAN, UINT64_MAX);

    add_confusion(3, IQA_COUNTS_MATRIX, 1.0, NULL);
    add_confusion(3, IQA_COUNTS_MATRIX, 1.0, NULL);
    add_confusion(4, IQA_COUNTS_MATRIX, 1.0, NULL);
    add_confusion(3, IQA_COUNTS_PER_CLASS, 1.0, NULL);
    add_confusion(3, IQA_COUNTS_MATRIX, 2.0, NULL);
    add_confusion(3, IQA_COUNTS_MATRIX, 1.0, first);
    add_confusion(3, IQA_COUNTS_MATRIX, 1.0, last);
}

static uint64_t fingerprint_of(const iqa_metric *metric)
{
    uint64_t fingerprint = 0;
    CHECK(iqa_metric_fingerprint(metric, &fingerprint) == IQA_OK);
    return fingerprint;
}

/* Data, a reset and a way through bytes into another context change nothing. */
static void check_constancy(void)
{
    static scenario images;
    unsigned char bytes[SCENARIO_STATE_BYTES];
    iqa_context *other = scenario_context(3);
    scenario_fill(&images);
    for (int which = 0; which < 4; ++which) {
        iqa_metric *metric = NULL;
        iqa_metric *copy = NULL;
        CHECK(scenario_create(context, which, &metric) == IQA_OK);
        const uint64_t fingerprint = fingerprint_of(metric);
        CHECK(scenario_update(&images, which, metric) == IQA_OK && fingerprint_of(metric) == fingerprint);
        CHECK(iqa_metric_deserialize(other, bytes, scenario_state(metric, bytes), &copy) == IQA_OK);
        CHECK(fingerprint_of(copy) == fingerprint);
        CHECK(iqa_metric_reset(metric) == IQA_OK && fingerprint_of(metric) == fingerprint);
        iqa_metric_destroy(copy);
        iqa_metric_destroy(metric);
    }
    iqa_context_destroy(other);
}

int main(void)
{
    int equal = 0;
    context = scenario_context(1);
    add_all();
    for (int i = 0; i < count; ++i)
        for (int j = 0; j < i; ++j) {
            const iqa_status status = iqa_metric_merge(metrics[i], metrics[j]);
            CHECK(status == IQA_OK || status == IQA_ERROR_INCOMPATIBLE);
            CHECK((fingerprint_of(metrics[i]) == fingerprint_of(metrics[j])) == (status == IQA_OK));
            equal += status == IQA_OK;
        }
    CHECK(equal >= 9); /* those that mean the same: SSIM four times (six pairs), the others twice */
    check_constancy();
    for (int i = 0; i < count; ++i)
        iqa_metric_destroy(metrics[i]);
    iqa_context_destroy(context);
    printf("%d metrics, %d pairs that may be merged\n", count, equal);
    return 0;
}
