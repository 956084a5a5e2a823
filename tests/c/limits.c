/* SPDX-License-Identifier: MIT
 * Lanes near their limits, of SSIM, PSNR and confusion metrics: an update or a merge that they have no room for is
 * refused, with the metric as it was, and what is not refused gives a state that can be read again. */
#include "scenario.h"

enum { LANES = 512, KINDS = 6, SIDE = 32 };

static iqa_context *context;
static float samples[SIDE * SIDE];
static uint8_t labels[SIDE * SIDE];
static int accepted, refused;

static iqa_metric *create(int kind)
{
    iqa_metric *metric = NULL;
    iqa_ssim_options ssim = IQA_SSIM_OPTIONS_INIT;
    iqa_psnr_options psnr = IQA_PSNR_OPTIONS_INIT;
    iqa_confusion_options confusion = IQA_CONFUSION_OPTIONS_INIT;
    ssim.data_high = psnr.data_high = 1.0;
    ssim.parts = kind == 1;
    confusion.classes = 3;
    confusion.batched = 1;
    confusion.counts = kind == 4 ? IQA_COUNTS_PER_CLASS : IQA_COUNTS_MATRIX;
    confusion.keep_samples = kind == 4;
    confusion.weighted = kind == 5;
    if (kind < 2)
        CHECK(iqa_ssim_create(context, &ssim, &metric) == IQA_OK);
    else if (kind == 2)
        CHECK(iqa_psnr_create(context, &psnr, &metric) == IQA_OK);
    else
        CHECK(iqa_confusion_create(context, &confusion, &metric) == IQA_OK);
    return metric;
}

static iqa_status update(int kind, iqa_metric *metric)
{
    const int64_t image[2] = {SIDE, SIDE};
    const int64_t elements[2] = {2, 50};
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    iqa_tensor reference, candidate, weights;
    if (kind < 3) {
        reference = iqa_cpu_tensor(samples, IQA_FLOAT32, 2, image);
        candidate = iqa_cpu_tensor(samples, IQA_FLOAT32, 2, image);
        if (kind == 2) { /* an error, so that it has decibels */
            static float other[SIDE * SIDE];
            memcpy(other, samples, sizeof other);
            other[0] += 0.25f;
            candidate.data = other;
            return iqa_metric_update(metric, &reference, &candidate, NULL);
        }
    } else {
        reference = iqa_cpu_tensor(labels, IQA_UINT8, 2, elements);
        candidate = iqa_cpu_tensor(labels + 100, IQA_UINT8, 2, elements);
        weights = iqa_cpu_tensor(samples, IQA_FLOAT32, 2, elements);
        if (kind == 5)
            extras.weights = &weights;
    }
    return iqa_metric_update(metric, &reference, &candidate, &extras);
}

static size_t state_of(const iqa_metric *metric, unsigned char bytes[SCENARIO_STATE_BYTES])
{
    unsigned char again[SCENARIO_STATE_BYTES];
    iqa_metric *loaded = NULL;
    const size_t size = scenario_state(metric, bytes);
    const iqa_status status = iqa_metric_deserialize(context, bytes, size, &loaded);
    if (status != IQA_OK)
        fprintf(stderr, "%s\n", iqa_context_error(context));
    CHECK(status == IQA_OK);
    CHECK(scenario_state(loaded, again) == size && memcmp(bytes, again, size) == 0);
    iqa_metric_destroy(loaded);
    return size;
}

/* Whether the metric took what is said to have happened; its state can be read, and is the old one where it did not. */
static int took(const iqa_metric *metric, iqa_status status, iqa_status refusal, unsigned char before[])
{
    unsigned char after[SCENARIO_STATE_BYTES];
    const size_t size = state_of(metric, after);
    CHECK(status == IQA_OK || status == refusal);
    if (status != IQA_OK) {
        CHECK(memcmp(before, after, size) == 0);
        CHECK(strstr(iqa_context_error(context), "lane ") != NULL ||
              strstr(iqa_context_error(context), "rows") != NULL);
    }
    memcpy(before, after, size);
    return status == IQA_OK;
}

static void check_lane(int kind, const int64_t *one, size_t count, size_t lane, int64_t value)
{
    int64_t lanes[LANES];
    unsigned char state[SCENARIO_STATE_BYTES];
    iqa_metric *metric = create(kind);
    memcpy(lanes, one, count * sizeof *lanes);
    lanes[lane] = value;
    const iqa_status status = iqa_metric_add_lanes(metric, lanes, count);
    CHECK(status == IQA_OK || status == IQA_ERROR_INCOMPATIBLE);
    state_of(metric, state);
    if (status == IQA_OK) {
        for (int i = 0; i < 2; ++i) {
            const int taken = took(metric, update(kind, metric), IQA_ERROR_NUMERIC, state);
            accepted += taken;
            refused += !taken;
        }
        int merges = 0;
        while (took(metric, iqa_metric_merge(metric, metric), IQA_ERROR_INCOMPATIBLE, state))
            CHECK(++merges < 64); /* counts double */
        took(metric, update(kind, metric), IQA_ERROR_NUMERIC, state);
    }
    iqa_metric_destroy(metric);
}

int main(void)
{
    const int64_t large = (int64_t)1 << 62;
    const int64_t values[] = {large,     large - 1,         -large,        1 - large,        large / 2,
                              INT64_MAX, INT64_MAX - large, INT64_MIN / 4, (int64_t)1 << 31, ((int64_t)1 << 31) - 5};
    context = scenario_context(1);
    for (int i = 0; i < SIDE * SIDE; ++i) {
        samples[i] = (float)(i * 7 % 251) / 255.0f;
        labels[i] = (uint8_t)(i * 5 % 3);
    }
    for (int kind = 0; kind < KINDS; ++kind) {
        int64_t lanes[LANES];
        size_t count = 0;
        iqa_metric *metric = create(kind);
        CHECK(update(kind, metric) == IQA_OK && iqa_metric_lanes(metric, lanes, LANES, &count) == IQA_OK);
        iqa_metric_destroy(metric);
        const int before = refused;
        for (size_t lane = 0; lane < count; ++lane)
            for (size_t i = 0; i < sizeof values / sizeof *values; ++i)
                check_lane(kind, lanes, count, lane, values[i]);
        printf("kind %d: %zu lanes, %d updates refused\n", kind, count, refused - before);
        CHECK(refused > before);
    }
    iqa_context_destroy(context);
    printf("%d updates accepted, %d refused\n", accepted, refused);
    return 0;
}
