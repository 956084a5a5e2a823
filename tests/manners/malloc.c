/* SPDX-License-Identifier: MIT
 * This program's malloc takes the place of the C library's, for the library, the C++ runtime and OpenMP alike. A warm
 * update calls it not once. A call on one thread survives the failure of any allocation, those of C++ exceptions
 * included. (The OpenMP runtime itself ends the process when its own first allocations fail: those of a team are out
 * of the library's hands.) */
#include <stdatomic.h>
#include <unistd.h>

#include "scenario.h"

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static atomic_long calls;
static atomic_long fail_from; /* 0: none */
static atomic_long fail_to;

static int fails(void)
{
    const long call = atomic_fetch_add(&calls, 1) + 1;
    return fail_from != 0 && call >= fail_from && call <= fail_to;
}

void *malloc(size_t bytes)
{
    return fails() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes)
{
    return fails() ? NULL : __libc_realloc(memory, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    return fails() ? NULL : __libc_memalign(alignment, bytes);
}

int posix_memalign(void **memory, size_t alignment, size_t bytes)
{
    *memory = fails() ? NULL : __libc_memalign(alignment, bytes);
    return *memory == NULL;
}

static scenario images;

static void check_warm_updates(int threads)
{
    iqa_context *context = scenario_context(threads);
    iqa_metric *metrics[4] = {NULL, NULL, NULL, NULL};
    for (int which = 0; which < 4; ++which)
        CHECK(scenario_create(context, which, &metrics[which]) == IQA_OK);
    for (int round = 0; round < 4; ++round) {
        const long before = calls;
        for (int which = 0; which < 4; ++which) {
            if (round == 0 && threads > 1)
                usleep(110000); /* past the time in which a thread that was kept waiting forms no team */
            CHECK(scenario_update(&images, which, metrics[which]) == IQA_OK);
        }
        CHECK(round == 0 || calls == before);
        CHECK(round != 0 || calls > before); /* or this test would see nothing */
    }
    double value = 0.0;
    const long before = calls;
    CHECK(iqa_metric_compute(metrics[0], &value) == IQA_OK && iqa_metric_reset(metrics[0]) == IQA_OK);
    CHECK(calls == before);
    for (int which = 0; which < 4; ++which)
        iqa_metric_destroy(metrics[which]);
    iqa_context_destroy(context);
}

/* Create, update, compute, serialize, deserialize; and a call that fails anyway. Ends at the first failure. */
static iqa_status use_all(iqa_context **context, iqa_metric **metric, iqa_metric **loaded, double *value)
{
    static unsigned char state[SCENARIO_STATE_BYTES];
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    size_t size = 0;
    options.threads = 1;
    iqa_status status = iqa_context_create(&options, context);
    if (status == IQA_OK)
        status = scenario_create(*context, 0, metric);
    if (status == IQA_OK && iqa_metric_compute(*metric, value) != IQA_ERROR_NO_DATA)
        status = IQA_ERROR_INTERNAL;
    if (status == IQA_OK)
        status = scenario_update(&images, 0, *metric);
    if (status == IQA_OK)
        status = iqa_metric_compute(*metric, value);
    if (status == IQA_OK)
        status = iqa_metric_serialize(*metric, state, sizeof state, &size);
    if (status == IQA_OK)
        status = iqa_metric_deserialize(*context, state, size, loaded);
    return status;
}

static long run(long from, long to, double expected)
{
    iqa_context *context = NULL;
    iqa_metric *metric = NULL;
    iqa_metric *loaded = NULL;
    double value = 0.0;
    calls = 0;
    fail_from = from;
    fail_to = to;
    const iqa_status status = use_all(&context, &metric, &loaded, &value);
    fail_from = 0;
    const long made = calls;
    CHECK(status == IQA_OK || status == IQA_ERROR_OUT_OF_MEMORY);
    CHECK(status != IQA_OK || expected == 0.0 || value == expected);
    iqa_metric_destroy(loaded);
    iqa_metric_destroy(metric);
    iqa_context_destroy(context);
    return made;
}

int main(void)
{
    scenario_fill(&images);
    iqa_context *context = scenario_context(1);
    iqa_metric *metric = NULL;
    double expected = 0.0;
    CHECK(scenario_create(context, 0, &metric) == IQA_OK && scenario_update(&images, 0, metric) == IQA_OK &&
          iqa_metric_compute(metric, &expected) == IQA_OK);
    iqa_metric_destroy(metric);
    iqa_context_destroy(context);

    const long made = run(0, 0, expected);
    CHECK(made >= 8);
    for (long k = 1; k <= made; ++k) {
        run(k, k, expected);
        run(k, 1L << 40, expected);
    }
    for (int threads = 1; threads <= 4; ++threads)
        check_warm_updates(threads);
    printf("%ld allocations failed once and for ever; warm updates made none\n", made);
    return 0;
}
