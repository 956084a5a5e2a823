/* SPDX-License-Identifier: MIT
 * Handles: NULL wherever a pointer goes, a metric that measures pair after pair, every order of destruction, and
 * destruction on another thread. */
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
    CHECK(iqa_metric_measure(NULL, &tensor, &tensor, NULL, &value) == invalid);
    CHECK(iqa_metric_reset(NULL) == invalid && iqa_metric_lanes(NULL, &lane, 1, &count) == invalid);
    CHECK(iqa_metric_add_lanes(NULL, &lane, 1) == invalid && iqa_metric_serialize(NULL, &byte, 1, &count) == invalid);
    CHECK(iqa_metric_deserialize(NULL, &byte, 1, &metric) == invalid && metric == NULL);
    CHECK(iqa_metric_deserialize(context, NULL, 1, &metric) == invalid && metric == NULL);
    CHECK(iqa_metric_deserialize(context, &byte, 1, NULL) == invalid);

    CHECK(iqa_ssim_create(context, NULL, &metric) == IQA_OK);
    CHECK(iqa_metric_merge(metric, NULL) == invalid && iqa_metric_merge(NULL, metric) == invalid);
    CHECK(iqa_metric_update(metric, NULL, &tensor, NULL) == invalid);
    CHECK(iqa_metric_update(metric, &tensor, NULL, NULL) == invalid);
    CHECK(iqa_metric_measure(metric, NULL, &tensor, NULL, &value) == invalid);
    CHECK(iqa_metric_measure(metric, &tensor, &tensor, NULL, NULL) == invalid);
    CHECK(iqa_metric_compute(metric, NULL) == invalid && iqa_metric_read(metric, 0, NULL, 0, NULL) == invalid);
    CHECK(iqa_metric_add_lanes(metric, NULL, 7) == invalid);
    CHECK(iqa_metric_fingerprint(metric, NULL) == invalid && iqa_metric_fingerprint(NULL, &fingerprint) == invalid);
    /* Output sizes may be asked for, and outputs may come without their size. */
    CHECK(iqa_metric_lanes(metric, NULL, 0, &count) == IQA_OK && count > 0);
    CHECK(iqa_metric_serialize(metric, NULL, 0, &count) == IQA_OK && count > 0 && count <= SCENARIO_STATE_BYTES);
    iqa_metric_destroy(metric);
    iqa_context_destroy(context);
}

/* One metric measures pair after pair, and has no data before and after, whatever happens. */
static void check_measure(void)
{
    iqa_context *context = scenario_context(2);
    for (int which = 0; which < 4; ++which) {
        unsigned char empty[SCENARIO_STATE_BYTES], state[SCENARIO_STATE_BYTES];
        iqa_metric *metric = NULL, *other = NULL;
        double expected = 0.0, value = 0.0;
        CHECK(scenario_create(context, which, &metric) == IQA_OK && scenario_create(context, which, &other) == IQA_OK);
        const size_t size = scenario_state(metric, empty);
        CHECK(scenario_update(&images, which, other) == IQA_OK && iqa_metric_compute(other, &expected) == IQA_OK);

        const int32_t type = which >= 2 ? IQA_FLOAT32 : IQA_UINT8;
        const void *samples = which >= 2 ? (const void *)images.reference_floats : images.reference_bytes;
        const void *others = which >= 2 ? (const void *)images.candidate_floats : images.candidate_bytes;
        const iqa_tensor reference = iqa_cpu_tensor(samples, type, 2, images.shape);
        const iqa_tensor candidate = iqa_cpu_tensor(others, type, 2, images.shape);
        const iqa_tensor line = iqa_cpu_tensor(samples, type, 1, images.shape);
        double of_image = 0.0;
        const int64_t one = 1;
        const iqa_tensor per_image = iqa_cpu_tensor(&of_image, IQA_FLOAT64, 1, &one);
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        extras.per_image = &per_image;
        for (int round = 0; round < 3; ++round) {
            CHECK(iqa_metric_measure(metric, &reference, &candidate, &extras, &value) == IQA_OK);
            CHECK(memcmp(&value, &expected, sizeof value) == 0 && memcmp(&of_image, &expected, sizeof value) == 0);
            CHECK(scenario_state(metric, state) == size && memcmp(state, empty, size) == 0);
            value = -1.0;
            CHECK(iqa_metric_measure(metric, &reference, &line, NULL, &value) != IQA_OK && value == -1.0);
            CHECK(scenario_state(metric, state) == size && memcmp(state, empty, size) == 0);
        }

        CHECK(scenario_state(other, empty) == size); /* no longer so: what it has is kept */
        CHECK(iqa_metric_measure(other, &reference, &candidate, NULL, &value) == IQA_ERROR_INVALID_ARGUMENT);
        CHECK(strstr(iqa_context_error(context), "the metric has data, expected one without") != NULL);
        CHECK(scenario_state(other, state) == size && memcmp(state, empty, size) == 0);
        iqa_metric_destroy(metric);
        iqa_metric_destroy(other);
    }
    iqa_context_destroy(context);
}

/* A value that cannot be had, and several where one is asked for, leave no data behind. */
static void check_measure_without_value(void)
{
    iqa_context *context = scenario_context(1);
    const float samples[4] = {0, 1, 1, 0};
    const uint8_t labels[4] = {0, 1, 1, 0};
    const int64_t extents[2] = {2, 2}, count = 4;
    const iqa_tensor image = iqa_cpu_tensor(samples, IQA_FLOAT32, 2, extents);
    const iqa_tensor classes = iqa_cpu_tensor(labels, IQA_UINT8, 1, &count);
    iqa_update_extras stated = IQA_UPDATE_EXTRAS_INIT;
    stated.data_high = 1.0; /* of one update: their mean error has no common peak */
    const struct {
        const char *kind, *options;
        const iqa_tensor *tensor;
        const iqa_update_extras *extras;
        iqa_status status;
    } cases[] = {{"psnr", "", &image, &stated, IQA_ERROR_INCOMPATIBLE},
                 {"confusion", "classes=2, average=none, score=iou", &classes, NULL, IQA_ERROR_BUFFER_SIZE},
                 {"confusion", "classes=2, average=macro, score=iou", &classes, NULL, IQA_OK}};
    for (int i = 0; i < 3; ++i) {
        iqa_metric *metric = NULL;
        double value = -1.0;
        unsigned char empty[SCENARIO_STATE_BYTES], state[SCENARIO_STATE_BYTES];
        CHECK(iqa_metric_create(context, cases[i].kind, cases[i].options, &metric) == IQA_OK);
        const size_t size = scenario_state(metric, empty);
        CHECK(iqa_metric_measure(metric, cases[i].tensor, cases[i].tensor, cases[i].extras, &value) == cases[i].status);
        CHECK(value == (cases[i].status == IQA_OK ? 1.0 : -1.0));
        CHECK(scenario_state(metric, state) == size && memcmp(state, empty, size) == 0);
        iqa_metric_destroy(metric);
    }
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
    check_measure();
    check_measure_without_value();
    check_destruction(0);
    check_destruction(1);
    check_survival();
    return 0;
}
