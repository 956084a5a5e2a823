/* SPDX-License-Identifier: MIT
 * fork() at any time: before and after use, from the thread that used the library, from another, from a child, and
 * while another thread is at work. The child works with a team of its own and gives the same bits. With libgomp, with
 * libomp in its place, and with both (frame.cmake). */
#include <dirent.h>
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

/* gcc 12's AddressSanitizer has no handler for fork: where another thread allocates, starts or ends meanwhile, a child
 * finds the lock of the allocator or of the list of threads held by a thread that it does not have. No other allocator
 * needs this: in that build forks wait until threads that end are gone and the team that starts is at work, and what is
 * at work has its memory from no malloc. */
#ifdef __SANITIZE_ADDRESS__
static const int settles = 1;
#else
static const int settles = 0;
#endif

static int threads_now(void)
{
    int count = 0;
    DIR *const tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    while (readdir(tasks) != NULL)
        ++count;
    closedir(tasks);
    return count;
}

static void on_thread(void *uses_first)
{
    pthread_t thread;
    const int before = threads_now();
    CHECK(pthread_create(&thread, NULL, fork_from_thread, uses_first) == 0 && pthread_join(thread, NULL) == 0);
    while (settles && threads_now() > before) /* libgomp ends the thread's team, and does not wait for it */
        usleep(1000);
}

/* Blocks of one size. */
enum { BLOCKS = 16, BLOCK_BYTES = 4 << 20 };
static _Alignas(16) unsigned char blocks[BLOCKS][BLOCK_BYTES];
static int taken[BLOCKS];

static void *take_block(void *unused, size_t bytes)
{
    (void)unused;
    for (int i = 0; i < BLOCKS; ++i)
        if (!taken[i] && bytes <= BLOCK_BYTES) {
            taken[i] = 1;
            return blocks[i];
        }
    return NULL;
}

static void return_block(void *unused, void *memory, size_t bytes)
{
    (void)unused;
    (void)bytes;
    taken[((unsigned char *)memory - blocks[0]) / BLOCK_BYTES] = 0;
}

static int threads_wanted;
static atomic_int at_work, stop;

static void *keep_working(void *unused)
{
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    iqa_context *own = NULL;
    options.threads = THREADS;
    options.allocate = take_block;
    options.deallocate = return_block;
    CHECK(iqa_context_create(&options, &own) == IQA_OK);
    (void)unused;
    while (!stop) {
        work(own);
        if (!at_work)
            at_work = threads_now() >= threads_wanted;
    }
    iqa_context_destroy(own);
    return NULL;
}

int main(void)
{
    scenario_fill(&images);
    scenario_run(&images, 1, &expected);
    context = scenario_context(THREADS);
    fork_and_work(1); /* before use */
    work(context);
    fork_and_work(1);   /* after use, same thread */
    work(context);      /* the parent's team comes back */
    fork_and_work(3);   /* grandchildren */
    on_thread(NULL);    /* from a thread that has not used it */
    on_thread(context); /* and from one that has */
    work(context);

    pthread_t busy;
    threads_wanted = threads_now() + THREADS;
    CHECK(pthread_create(&busy, NULL, keep_working, NULL) == 0);
    while (settles && !at_work)
        usleep(1000);
    for (int i = 0; i < 20; ++i)
        fork_and_work(1);
    stop = 1;
    CHECK(pthread_join(busy, NULL) == 0);
    work(context);
    iqa_context_destroy(context);
    printf("%d children, none hung\n", cases);
    return 0;
}
