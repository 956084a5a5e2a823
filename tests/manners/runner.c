/* SPDX-License-Identifier: MIT
 * The caller's own threads, progress and cancellation: any runner gives the same bits, and a call that is cancelled at
 * any of its reports leaves the metric as it was. */
#include <pthread.h>
#include <stdatomic.h>

#include "scenario.h"

static scenario images;
static scenario_states expected;

/* One after another, in either order. */
static void run_forwards(void *calls, int32_t workers, iqa_task_function function, void *task)
{
    ++*(int *)calls;
    for (int32_t worker = 0; worker < workers; ++worker)
        function(task, worker);
}

static void run_backwards(void *calls, int32_t workers, iqa_task_function function, void *task)
{
    ++*(int *)calls;
    for (int32_t worker = workers; worker-- > 0;)
        function(task, worker);
}

typedef struct part {
    iqa_task_function function;
    void *task;
    int32_t worker;
} part;

static void *run_part(void *pointer)
{
    const part *self = (const part *)pointer;
    self->function(self->task, self->worker);
    return NULL;
}

/* All on threads of their own; the calling thread only waits. */
static void run_on_threads(void *calls, int32_t workers, iqa_task_function function, void *task)
{
    pthread_t threads[64];
    part parts[64];
    ++*(int *)calls;
    CHECK(workers <= 64);
    for (int32_t worker = 0; worker < workers; ++worker) {
        parts[worker] = (part){function, task, worker};
        CHECK(pthread_create(&threads[worker], NULL, run_part, &parts[worker]) == 0);
    }
    for (int32_t worker = 0; worker < workers; ++worker)
        CHECK(pthread_join(threads[worker], NULL) == 0);
}

static void check_runner(iqa_parallel_function parallel)
{
    for (int threads = 1; threads <= 8; ++threads) {
        scenario_states states;
        int calls = 0;
        iqa_context *context = NULL;
        iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
        options.threads = threads;
        options.parallel = parallel;
        options.parallel_user = &calls;
        CHECK(iqa_context_create(&options, &context) == IQA_OK);
        scenario_run_in(&images, context, &states);
        CHECK(scenario_equal(&states, &expected));
        CHECK((calls > 0) == (threads > 1));
        iqa_context_destroy(context);
    }
}

typedef struct progress_log {
    int64_t reports;
    int64_t cancel_at; /* the report that cancels, from 1 on; 0 for none */
    int64_t last_done;
    int64_t total;
    int64_t expected; /* reports of all passes, where one worker makes them all */
    int64_t since_cancelled;
    pthread_t thread;
    int any_thread;
    int alone;
} progress_log;

static int32_t note_progress(void *user, int64_t done, int64_t total)
{
    progress_log *log = (progress_log *)user;
    const int begins = log->reports == 0 || done <= log->last_done || total != log->total;
    CHECK(done >= 0 && done <= total);
    if (begins) {
        CHECK(!log->alone || (done == 0 && (log->reports == 0 || log->last_done == log->total)));
        log->expected += total + 1;
    }
    CHECK(log->any_thread || pthread_equal(log->thread, pthread_self()));
    log->last_done = done;
    log->total = total;
    ++log->reports;
    log->since_cancelled += log->cancel_at != 0 && log->reports > log->cancel_at;
    return log->reports == log->cancel_at;
}

/* Cancels at every report that there is; returns how many there were. */
static long check_cancelling(int which, int threads, iqa_parallel_function parallel)
{
    unsigned char before[SCENARIO_STATE_BYTES];
    unsigned char after[SCENARIO_STATE_BYTES];
    progress_log log;
    int calls = 0;
    iqa_context *context = NULL;
    iqa_metric *metric = NULL;
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    memset(&log, 0, sizeof log);
    log.thread = pthread_self();
    log.any_thread = parallel == run_on_threads;
    log.alone = threads == 1;
    options.threads = threads;
    options.parallel = parallel;
    options.parallel_user = &calls;
    options.progress = note_progress;
    options.progress_user = &log;
    CHECK(iqa_context_create(&options, &context) == IQA_OK);
    CHECK(scenario_create(context, which, &metric) == IQA_OK);
    CHECK(scenario_update(&images, which, metric) == IQA_OK);
    const size_t size = scenario_state(metric, before);
    CHECK(size == expected.sizes[which] && memcmp(before, expected.bytes[which], size) == 0);
    CHECK(threads > 1 || log.reports == log.expected);
    const int64_t reports = threads > 1 ? log.total + 1 : log.expected;
    long cancelled = 0;
    for (int64_t at = 1; at <= reports; ++at) {
        log.reports = 0;
        log.cancel_at = at;
        log.since_cancelled = 0;
        /* With several workers the one that reports may get fewer pieces than there are reports to wait for. */
        const iqa_status status = scenario_update(&images, which, metric);
        if (status == IQA_OK) {
            CHECK(threads > 1 && log.reports < at);
            CHECK(iqa_metric_reset(metric) == IQA_OK && (log.cancel_at = 0, log.reports = 0) == 0);
            CHECK(scenario_update(&images, which, metric) == IQA_OK);
            continue;
        }
        CHECK(status == IQA_ERROR_CANCELLED && log.since_cancelled == 0);
        CHECK(strstr(iqa_context_error(context), "cancelled by the progress callback") != NULL);
        CHECK(scenario_state(metric, after) == size && memcmp(before, after, size) == 0);
        ++cancelled;
    }
    CHECK(threads > 1 || cancelled == reports);
    iqa_metric_destroy(metric);
    iqa_context_destroy(context);
    return cancelled;
}

int main(void)
{
    long cancelled = 0;
    scenario_fill(&images);
    scenario_run(&images, 1, &expected);
    check_runner(run_forwards);
    check_runner(run_backwards);
    check_runner(run_on_threads);
    for (int which = 0; which < 4; ++which) {
        cancelled += check_cancelling(which, 1, NULL);
        cancelled += check_cancelling(which, 4, NULL);
        cancelled += check_cancelling(which, 4, run_backwards);
        cancelled += check_cancelling(which, 4, run_on_threads);
    }
    CHECK(cancelled > 30);
    printf("%ld updates cancelled\n", cancelled);
    return 0;
}
