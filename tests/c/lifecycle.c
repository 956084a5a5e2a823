/* SPDX-License-Identifier: MIT
 * Handles: NULL wherever a pointer goes, every order of destruction, and destruction on another thread. */
#include <pthread.h>

#include "scenario.h"

static scenario images;

static void check_null(void)
{
    iqa_context *context = scenario_context(1);
    iqa_metric *metric = NULL;
    iqa_metric *not_written = (iqa_metric *)&images;
    uint64_t fingerprint = 0;
    double value = 0.0;
    int64_t lane = 0;
    size_t count = 0;
    unsigned char byte = 0;
    const iqa_tensor tensor = iqa_cpu_tensor(images.reference_bytes, IQA_UINT8, 2, images.shape);
    const iqa_status invalid = IQA_ERROR_INVALID_ARGUMENT;

    iqa_context_destroy(NULL);
    iqa_metric_destroy(NULL);
    CHECK(iqa_context_create(NULL, NULL) == invalid);
    CHECK(iqa_context_error(NULL) != NULL && iqa_context_error(NULL)[0] != '\0');
    CHECK(strcmp(iqa_context_error(context), "") == 0);
    CHECK(strcmp(iqa_context_instruction_set(NULL), "") == 0 && iqa_context_thread_count(NULL) == 0);

    CHECK(iqa_ssim_create(NULL, NULL, &not_written) == invalid && not_written == NULL);
    CHECK(iqa_psnr_create(NULL, NULL, &metric) == invalid && metric == NULL);
    CHECK(iqa_ssim_create(context, NULL, NULL) == invalid && iqa_psnr_create(context, NULL, NULL) == invalid);
    CHECK(iqa_measure_ssim(NULL, NULL, &tensor, &tensor, &value) == invalid);
    CHECK(iqa_measure_psnr(NULL, NULL, &tensor, &tensor, &value) == invalid);
    CHECK(iqa_measure_ssim(context, NULL, NULL, &tensor, &value) == invalid);
    CHECK(iqa_measure_ssim(context, NULL, &tensor, NULL, &value) == invalid);
    CHECK(iqa_measure_ssim(context, NULL, &tensor, &tensor, NULL) == invalid);

    CHECK(iqa_metric_update(NULL, &tensor, &tensor, NULL) == invalid);
    CHECK(iqa_metric_compute(NULL, &value) == invalid && iqa_metric_read(NULL, 0, &value, 1, &count) == invalid);
    CHECK(iqa_metric_reset(NULL) == invalid && iqa_metric_lanes(NULL, &lane, 1, &count) == invalid);
    CHECK(iqa_metric_add_lanes(NULL, &lane, 1) == invalid && iqa_metric_serialize(NULL, &byte, 1, &count) == invalid);
    CHECK(iqa_metric_deserialize(NULL, &byte, 1, &metric) == invalid && metric == NULL);
    CHECK(iqa_metric_deserialize(context, NULL, 1, &metric) == invalid && metric == NULL);
    CHECK(iqa_metric_deserialize(context, &byte, 1, NULL) == invalid);

    CHECK(iqa_ssim_create(context, NULL, &metric) == IQA_OK);
    CHECK(iqa_metric_merge(metric, NULL) == invalid && iqa_metric_merge(NULL, metric) == invalid);
    CHECK(iqa_metric_update(metric, NULL, &tensor, NULL) == invalid);
    CHECK(iqa_metric_update(metric, &tensor, NULL, NULL) == invalid);
    CHECK(iqa_metric_compute(metric, NULL) == invalid && iqa_metric_read(metric, 0, NULL, 0, NULL) == invalid);
    CHECK(iqa_metric_add_lanes(metric, NULL, 7) == invalid);
    CHECK(iqa_metric_fingerprint(metric, NULL) == invalid && iqa_metric_fingerprint(NULL, &fingerprint) == invalid);
    /* Output sizes may be asked for, and outputs may come without their size. */
    CHECK(iqa_metric_lanes(metric, NULL, 0, &count) == IQA_OK && count > 0);
    CHECK(iqa_metric_serialize(metric, NULL, 0, &count) == IQA_OK && count > 0 && count <= SCENARIO_STATE_BYTES);
    iqa_metric_destroy(metric);
    iqa_context_destroy(context);
}

static void *destroy_on_thread(void *handles)
{
    void **pair = (void **)handles;
    iqa_context_destroy((iqa_context *)pair[0]);
    iqa_metric_destroy((iqa_metric *)pair[1]);
    return NULL;
}

/* Three metrics and their context in every order, on this thread or each on a thread of its own. */
static void check_destruction(int on_threads)
{
    for (int order = 0; order < 24; ++order) {
        iqa_context *context = scenario_context(2);
        iqa_metric *metrics[3] = {NULL, NULL, NULL};
        int waiting[4] = {0, 1, 2, 3};
        int rest = order;
        for (int i = 0; i < 3; ++i)
            CHECK(scenario_create(context, i, &metrics[i]) == IQA_OK &&
                  scenario_update(&images, i, metrics[i]) == IQA_OK);
        for (int left = 4; left > 0; --left) {
            const int place = rest % left;
            const int item = waiting[place];
            rest /= left;
            for (int i = place; i + 1 < left; ++i)
                waiting[i] = waiting[i + 1];
            void *pair[2] = {item == 3 ? context : NULL, item < 3 ? metrics[item] : NULL};
            pthread_t thread;
            if (!on_threads) {
                destroy_on_thread(pair);
                continue;
            }
            CHECK(pthread_create(&thread, NULL, destroy_on_thread, pair) == 0);
            CHECK(pthread_join(thread, NULL) == 0);
        }
    }
}

/* A metric works on after its context was given up. */
static void check_survival(void)
{
    iqa_context *context = scenario_context(1);
    iqa_metric *metric = NULL;
    double value = 0.0;
    CHECK(scenario_create(context, 0, &metric) == IQA_OK);
    iqa_context_destroy(context);
    CHECK(iqa_metric_compute(metric, &value) == IQA_ERROR_NO_DATA);
    CHECK(scenario_update(&images, 0, metric) == IQA_OK && iqa_metric_compute(metric, &value) == IQA_OK);
    CHECK(value > 0.0 && value < 1.0);
    iqa_metric_destroy(metric);
}

int main(void)
{
    scenario_fill(&images);
    check_null();
    check_destruction(0);
    check_destruction(1);
    check_survival();
    return 0;
}
