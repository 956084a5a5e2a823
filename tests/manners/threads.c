/* SPDX-License-Identifier: MIT
 * Where threads cannot be created, the library uses those that it gets: same bits, no end of the process. This
 * program's pthread_create takes the place of the C library's. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "scenario.h"

static atomic_int limit = 1000; /* of threads alive at once */
static atomic_int alive;
static atomic_int calls;
static atomic_int failing_call; /* the one call that fails, from 1 on */
static atomic_int refused;

typedef struct start {
    void *(*routine)(void *);
    void *argument;
} start;

static void count_down(void *unused)
{
    (void)unused;
    atomic_fetch_sub(&alive, 1);
}

static void *count_while_running(void *pointer)
{
    const start own = *(start *)pointer;
    void *result = NULL;
    free(pointer);
    pthread_cleanup_push(count_down, NULL); /* also where the routine ends the thread itself */
    result = own.routine(own.argument);
    pthread_cleanup_pop(1);
    return result;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*routine)(void *), void *argument)
{
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    void *found = dlsym(RTLD_NEXT, "pthread_create");
    memcpy(&create, &found, sizeof create);
    const int fails = atomic_fetch_add(&calls, 1) + 1 == failing_call;
    if (atomic_fetch_add(&alive, 1) >= limit || fails) {
        atomic_fetch_sub(&alive, 1);
        atomic_fetch_add(&refused, 1);
        return EAGAIN;
    }
    start *own = (start *)malloc(sizeof *own);
    CHECK(own != NULL);
    own->routine = routine;
    own->argument = argument;
    return create(thread, attributes, count_while_running, own);
}

static scenario images;
static scenario_states expected;
static char last_message[256];

static void keep_message(void *user, const char *message)
{
    (void)user;
    snprintf(last_message, sizeof last_message, "%s", message);
}

typedef struct order {
    int threads;
    int live_limit;
    int failing_call;
} order;

/* In a thread of its own, whose OpenMP pool ends with it. */
static void *run_order(void *pointer)
{
    const order *self = (const order *)pointer;
    scenario_states states;
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    iqa_context *context = NULL;
    options.threads = self->threads;
    options.log = keep_message;
    CHECK(iqa_context_create(&options, &context) == IQA_OK);
    calls = 0;
    refused = 0;
    last_message[0] = '\0';
    limit = alive + self->live_limit;
    failing_call = self->failing_call;
    scenario_run_in(&images, context, &states);
    const int failed = refused;
    failing_call = 0;
    limit = 1000;
    CHECK(scenario_equal(&states, &expected));
    if (failed > 0)
        CHECK(strncmp(last_message, "asked for ", 10) == 0 && strstr(last_message, " threads, could start ") != NULL);
    /* With threads to be had again, there is a full team again: at once, or after the tenth of a second for which a
     * thread that was kept waiting computes alone. */
    for (int attempt = 0; attempt == 0 || (attempt < 100 && alive < self->threads); ++attempt) {
        usleep(attempt == 0 ? 0 : 20000);
        scenario_run_in(&images, context, &states);
        CHECK(scenario_equal(&states, &expected));
    }
    CHECK(alive >= self->threads);
    iqa_context_destroy(context);
    return (void *)(intptr_t)failed;
}

static int run(order self)
{
    pthread_t thread;
    void *failed = NULL;
    CHECK(pthread_create(&thread, NULL, run_order, &self) == 0);
    CHECK(pthread_join(thread, &failed) == 0);
    while (alive > 0) /* the pool's threads end a moment after their master */
        usleep(100);
    return (int)(intptr_t)failed;
}

int main(void)
{
    scenario_fill(&images);
    scenario_run(&images, 1, &expected);
    CHECK(calls == 0); /* one thread means none but the caller's */
    int limited = 0;
    for (int threads = 2; threads <= 8; ++threads) {
        for (int live_limit = 0; live_limit <= 8; ++live_limit) {
            const int failed = run((order){threads, live_limit, 0});
            CHECK((failed > 0) == (live_limit < threads - 1));
            limited += failed > 0;
        }
        for (int nth = 1; nth < threads; ++nth)
            CHECK(run((order){threads, 1000, nth}) == 1);
    }
    printf("%d runs with too few threads, %d with one that failed\n", limited, 7 * 8 / 2);
    return 0;
}
