/* SPDX-License-Identifier: MIT
 * fork() at any time: before and after use, from the thread that used the library, from another, from a child, and
 * while another thread is at work. The child works with a team of its own and gives the same bits. With libgomp, with
 * libomp in its place, and with both (frame.cmake). */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario.h"

/* The seconds are for a child that hangs, however slow the machine. */
enum { THREADS = 4, SECONDS = 300 };

static scenario images;
static scenario_states expected;
static iqa_context *context;
static int cases;

static void work(iqa_context *where)
{
    scenario_states states;
#ifdef _OPENMP /* the host's own region, by the host's runtime */
    long sum = 0;
#pragma omp parallel for reduction(+ : sum) num_threads(THREADS)
    for (int i = 0; i < 1000; ++i)
        sum += i;
    CHECK(sum == 499500);
#endif
    scenario_run_in(&images, where, &states);
    CHECK(scenario_equal(&states, &expected));
}

static void wait_for(pid_t child)
{
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status))
        fprintf(stderr, "the child ended by signal %d%s\n", WTERMSIG(status),
                WTERMSIG(status) == SIGALRM ? " (hung)" : "");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ++cases;
}

/* The child works in the context from before the fork and in one of its own; `generations` deep. */
static void fork_and_work(int generations)
{
    const pid_t child = fork();
    if (child != 0) {
        wait_for(child);
        return;
    }
    alarm(SECONDS);
    if (generations > 1)
        fork_and_work(generations - 1);
    work(context);
    iqa_context *own = scenario_context(THREADS);
    work(own);
    iqa_context_destroy(own);
    if (generations > 1) {
        fork_and_work(generations - 1);
        work(context);
    }
    exit(0); /* not _exit: handlers at exit run too */
}

static void *fork_from_thread(void *uses_first)
{
    if (uses_first != NULL)
        work(context);
    fork_and_work(1);
    if (uses_first != NULL)
        work(context);
    return NULL;
}

/* AddressSanitizer has no handler for fork (gcc 12, clang 14): where another thread allocates, starts or ends
 * meanwhile, the child may find a lock of the allocator held by a thread that it does not have. No other allocator
 * needs this: with that one, processes fork only while no other thread is at work or ending. */
#if defined(__SANITIZE_ADDRESS__)
#define FORKS_BESIDE_THREADS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FORKS_BESIDE_THREADS 0
#endif
#endif
#ifndef FORKS_BESIDE_THREADS
#define FORKS_BESIDE_THREADS 1
#endif

static void on_thread(void *uses_first)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, fork_from_thread, uses_first) == 0 && pthread_join(thread, NULL) == 0);
}

#if FORKS_BESIDE_THREADS
static atomic_int stop;

static void *keep_working(void *unused)
{
    iqa_context *own = scenario_context(THREADS);
    (void)unused;
    while (!stop)
        work(own);
    iqa_context_destroy(own);
    return NULL;
}

static void fork_beside_threads(void)
{
    pthread_t busy;
    on_thread(context); /* whose team ends after it */
    CHECK(pthread_create(&busy, NULL, keep_working, NULL) == 0);
    for (int i = 0; i < 20; ++i)
        fork_and_work(1);
    stop = 1;
    CHECK(pthread_join(busy, NULL) == 0);
}
#endif

int main(void)
{
    scenario_fill(&images);
    scenario_run(&images, 1, &expected);
    context = scenario_context(THREADS);
    fork_and_work(1); /* before use */
    work(context);
    fork_and_work(1); /* after use, same thread */
    work(context);    /* the parent's team comes back */
    fork_and_work(3); /* grandchildren */
    on_thread(NULL);  /* from a thread that has not used it */
#if FORKS_BESIDE_THREADS
    fork_beside_threads(); /* from one that has, and while one is at work */
#endif
    work(context);
    iqa_context_destroy(context);
    printf("%d children, none hung\n", cases);
    return 0;
}
