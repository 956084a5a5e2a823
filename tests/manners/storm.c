/* SPDX-License-Identifier: MIT
 * Many threads of the host at once, each with a context of its own and teams under it: independent of each other, with
 * the same bits; one metric for each thread, merged at the end, is one metric that saw all. Also the program for
 * ThreadSanitizer (scripts/tsan.sh). */
#include <pthread.h>

#include "scenario.h"

enum { THREADS = 8, ROUNDS = 12 };

static scenario images;
static scenario_states expected;

typedef struct worker {
    int number;
    iqa_metric *shard; /* survives its context's owner */
} worker;

static void mix_operations(iqa_context *context, int round)
{
    unsigned char state[SCENARIO_STATE_BYTES];
    int64_t lanes[512];
    size_t size = 0;
    double value = 0.0;
    iqa_metric *metric = NULL;
    iqa_metric *loaded = NULL;
    const int which = round % 4;
    CHECK(scenario_create(context, which, &metric) == IQA_OK && scenario_update(&images, which, metric) == IQA_OK);
    size = scenario_state(metric, state);
    CHECK(size == expected.sizes[which] && memcmp(state, expected.bytes[which], size) == 0);
    CHECK(iqa_metric_deserialize(context, state, size, &loaded) == IQA_OK);
    CHECK(iqa_metric_merge(loaded, metric) == IQA_OK && iqa_metric_compute(loaded, &value) == IQA_OK);
    CHECK(iqa_metric_lanes(loaded, lanes, 512, &size) == IQA_OK && iqa_metric_add_lanes(metric, lanes, size) == IQA_OK);
    CHECK(iqa_metric_merge(NULL, metric) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(iqa_metric_add_lanes(metric, lanes, size - 1) == IQA_ERROR_INCOMPATIBLE);
    CHECK(strstr(iqa_context_error(context), "lanes were given") != NULL);
    CHECK(iqa_metric_reset(metric) == IQA_OK && iqa_metric_compute(metric, &value) == IQA_ERROR_NO_DATA);
    iqa_metric_destroy(loaded);
    iqa_metric_destroy(metric);
}

static void *work(void *pointer)
{
    worker *self = (worker *)pointer;
    for (int round = 0; round < ROUNDS; ++round) {
        iqa_context *context = scenario_context(1 + (self->number + round) % 4);
        mix_operations(context, self->number + round);
        iqa_context_destroy(context);
    }
    iqa_context *context = scenario_context(2);
    CHECK(scenario_create(context, 0, &self->shard) == IQA_OK);
    CHECK(scenario_update(&images, 0, self->shard) == IQA_OK);
    iqa_context_destroy(context);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    worker workers[THREADS];
    unsigned char merged_state[SCENARIO_STATE_BYTES];
    unsigned char whole_state[SCENARIO_STATE_BYTES];
    iqa_metric *whole = NULL;
    iqa_metric *merged = NULL;
    scenario_fill(&images);
    scenario_run(&images, 1, &expected);
    for (int i = 0; i < THREADS; ++i) {
        workers[i] = (worker){i, NULL};
        CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
    }
    for (int i = 0; i < THREADS; ++i)
        CHECK(pthread_join(threads[i], NULL) == 0);

    iqa_context *context = scenario_context(2);
    CHECK(scenario_create(context, 0, &whole) == IQA_OK && scenario_create(context, 0, &merged) == IQA_OK);
    for (int i = THREADS; i-- > 0;) {
        CHECK(scenario_update(&images, 0, whole) == IQA_OK && iqa_metric_merge(merged, workers[i].shard) == IQA_OK);
        iqa_metric_destroy(workers[i].shard);
    }
    const size_t size = scenario_state(whole, whole_state);
    CHECK(scenario_state(merged, merged_state) == size && memcmp(whole_state, merged_state, size) == 0);
    iqa_metric_destroy(whole);
    iqa_metric_destroy(merged);
    iqa_context_destroy(context);
    printf("%d threads, %d contexts each\n", THREADS, ROUNDS + 1);
    return 0;
}
