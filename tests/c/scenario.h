/* SPDX-License-Identifier: MIT
 * Generated images and what the metrics make of them, so that a test of manners is about manners: run a scenario in
 * peace, run it again under the conditions of the test, and compare the states byte by byte. */
#ifndef IQA_TESTS_SCENARIO_H
#define IQA_TESTS_SCENARIO_H

#include <stdint.h>
#include <string.h>

#include "check.h"
#include "iqa_c.h"

/* Enough samples, and enough tiles of any metric, for a team of eight. */
enum { SCENARIO_HEIGHT = 520, SCENARIO_WIDTH = 260, SCENARIO_STATE_BYTES = 8192 };

typedef struct scenario {
    uint8_t reference_bytes[SCENARIO_HEIGHT * SCENARIO_WIDTH];
    uint8_t candidate_bytes[SCENARIO_HEIGHT * SCENARIO_WIDTH];
    float reference_floats[SCENARIO_HEIGHT * SCENARIO_WIDTH];
    float candidate_floats[SCENARIO_HEIGHT * SCENARIO_WIDTH];
    int64_t shape[2];
} scenario;

/* The states of four metrics, one after another. */
typedef struct scenario_states {
    unsigned char bytes[4][SCENARIO_STATE_BYTES];
    size_t sizes[4];
} scenario_states;

static inline uint32_t scenario_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static inline void scenario_fill(scenario *images)
{
    uint32_t seed = 20u;
    int y, x;
    images->shape[0] = SCENARIO_HEIGHT;
    images->shape[1] = SCENARIO_WIDTH;
    for (y = 0; y < SCENARIO_HEIGHT; ++y)
        for (x = 0; x < SCENARIO_WIDTH; ++x) {
            const int at = y * SCENARIO_WIDTH + x;
            const uint32_t noise = scenario_random(&seed);
            images->reference_bytes[at] = (uint8_t)((x * 2 + y + (int)(noise % 17u)) & 255);
            images->candidate_bytes[at] = (uint8_t)((x * 2 + y + (int)(noise / 17u % 31u)) & 255);
            images->reference_floats[at] = (float)images->reference_bytes[at] / 255.0f;
            images->candidate_floats[at] = (float)images->candidate_bytes[at] / 255.0f;
        }
}

static inline iqa_status scenario_create(iqa_context *context, int which, iqa_metric **out)
{
    iqa_ssim_options ssim = IQA_SSIM_OPTIONS_INIT;
    iqa_psnr_options psnr = IQA_PSNR_OPTIONS_INIT;
    if (which >= 2) {
        ssim.data_low = psnr.data_low = 0.0;
        ssim.data_high = psnr.data_high = 1.0;
    }
    return which % 2 == 0 ? iqa_ssim_create(context, &ssim, out) : iqa_psnr_create(context, &psnr, out);
}

static inline iqa_status scenario_update(const scenario *images, int which, iqa_metric *metric)
{
    const int floats = which >= 2;
    const int32_t type = floats ? IQA_FLOAT32 : IQA_UINT8;
    const iqa_tensor reference = iqa_cpu_tensor(
        floats ? (const void *)images->reference_floats : images->reference_bytes, type, 2, images->shape);
    const iqa_tensor candidate = iqa_cpu_tensor(
        floats ? (const void *)images->candidate_floats : images->candidate_bytes, type, 2, images->shape);
    return iqa_metric_update(metric, &reference, &candidate, NULL);
}

static inline size_t scenario_state(const iqa_metric *metric, unsigned char bytes[SCENARIO_STATE_BYTES])
{
    size_t size = 0;
    CHECK(iqa_metric_serialize(metric, bytes, SCENARIO_STATE_BYTES, &size) == IQA_OK);
    return size;
}

/* SSIM and PSNR of bytes, then of floats, in a context that the caller made. */
static inline void scenario_run_in(const scenario *images, iqa_context *context, scenario_states *states)
{
    int which;
    for (which = 0; which < 4; ++which) {
        iqa_metric *metric = NULL;
        CHECK(scenario_create(context, which, &metric) == IQA_OK);
        CHECK(scenario_update(images, which, metric) == IQA_OK);
        states->sizes[which] = scenario_state(metric, states->bytes[which]);
        iqa_metric_destroy(metric);
    }
}

static inline iqa_context *scenario_context(int32_t threads)
{
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    iqa_context *context = NULL;
    options.threads = threads;
    CHECK(iqa_context_create(&options, &context) == IQA_OK);
    return context;
}

static inline void scenario_run(const scenario *images, int32_t threads, scenario_states *states)
{
    iqa_context *context = scenario_context(threads);
    scenario_run_in(images, context, states);
    iqa_context_destroy(context);
}

static inline int scenario_equal(const scenario_states *a, const scenario_states *b)
{
    int which;
    for (which = 0; which < 4; ++which)
        if (a->sizes[which] != b->sizes[which] || memcmp(a->bytes[which], b->bytes[which], a->sizes[which]) != 0)
            return 0;
    return 1;
}

#endif
