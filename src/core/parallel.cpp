// SPDX-License-Identifier: MIT
// The library is a guest in somebody else's process, and the OpenMP runtime has habits that a guest must not have:
//   - it ends the process when a thread cannot be created: so threads are tried first, and fewer are used;
//   - a child of fork() that enters a region hangs for the threads that it has not: so the team is dissolved before;
//   - its workers inherit the signal mask: so every signal is blocked while they are created.
#include "core/parallel.hpp"

#include <cerrno>
#include <cstdlib>
#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#else
#include <cfenv>
#endif

namespace iqa {

int available_processors() noexcept
{
    cpu_set_t processors;
    CPU_ZERO(&processors);
    if (sched_getaffinity(0, sizeof processors, &processors) != 0)
        return 1;
    const int count = CPU_COUNT(&processors);
    return count > 0 ? count : 1;
}

#if defined(__x86_64__)
floating_point_mode::floating_point_mode() noexcept : saved_(_mm_getcsr())
{
    _mm_setcsr(0x1f80);
}

floating_point_mode::~floating_point_mode()
{
    _mm_setcsr(saved_);
}
#else
floating_point_mode::floating_point_mode() noexcept : saved_(static_cast<unsigned int>(std::fegetround()))
{
    std::fesetround(FE_TONEAREST);
}

floating_point_mode::~floating_point_mode()
{
    std::fesetround(static_cast<int>(saved_));
}
#endif

int workers_for(const context &where, int64_t tiles, int64_t samples) noexcept
{
    // Waking a team costs some 10 microseconds: about this many samples of the cheapest metric.
    constexpr int64_t samples_worth_a_team = 1 << 15;
    if (samples < samples_worth_a_team)
        return 1;
    return int(tiles < where.threads() ? (tiles > 0 ? tiles : 1) : where.threads());
}

namespace detail {

namespace {

// The size of the team that this thread last ran, and thus of the pool that its OpenMP runtime keeps.
thread_local int team_in_place = 1;

void dissolve_team_before_fork()
{
    omp_pause_resource_all(omp_pause_hard);
    team_in_place = 1;
}

void register_fork_handler()
{
    pthread_atfork(dissolve_team_before_fork, nullptr, nullptr);
}

struct rendezvous {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
    bool open = false;
};

void *wait_until_open(void *pointer)
{
    rendezvous &gate = *static_cast<rendezvous *>(pointer);
    pthread_mutex_lock(&gate.mutex);
    while (!gate.open)
        pthread_cond_wait(&gate.opened, &gate.mutex);
    pthread_mutex_unlock(&gate.mutex);
    return nullptr;
}

// Creates threads until one fails, holds them all at once, and tells how large a team is possible.
int possible_team(int wanted)
{
    constexpr int most = 256; // threads tried at once; the handles live on a small stack
    pthread_t threads[most];
    rendezvous gate;
    int created = 0;
    while (created < wanted - 1 && created < most &&
           pthread_create(&threads[created], nullptr, wait_until_open, &gate) == 0)
        ++created;
    pthread_mutex_lock(&gate.mutex);
    gate.open = true;
    pthread_cond_broadcast(&gate.opened);
    pthread_mutex_unlock(&gate.mutex);
    for (int i = 0; i < created; ++i)
        pthread_join(threads[i], nullptr);
    return created + 1;
}

void run_team(int workers, iqa_task_function function, void *task) noexcept
{
#pragma omp parallel num_threads(workers)
    function(task, omp_get_thread_num());
}

void run_with_openmp(const context &where, int workers, iqa_task_function function, void *task)
{
    static pthread_once_t fork_handler = PTHREAD_ONCE_INIT;
    pthread_once(&fork_handler, register_fork_handler);

    if (workers <= team_in_place) {
        run_team(workers, function, task);
        team_in_place = workers;
        return;
    }
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int possible = possible_team(workers);
    if (possible > 1)
        run_team(possible, function, task);
    else
        function(task, 0);
    team_in_place = possible;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (possible < workers) {
        text message;
        message << "asked for " << workers << " threads, could start " << possible;
        where.log(message.c_str());
    }
}

} // namespace

void tile_queue::report(int32_t worker) noexcept
{
    const iqa_context_options &options = where->options();
    if (worker == 0 && options.progress != nullptr &&
        options.progress(options.progress_user, finished.load(std::memory_order_relaxed), total) != 0)
        cancelled.store(true, std::memory_order_relaxed);
}

void tile_queue::throw_if_cancelled() const
{
    if (cancelled.load(std::memory_order_relaxed))
        fail(IQA_ERROR_CANCELLED, "cancelled by the progress callback after ", finished.load(), " of ", total,
             " pieces");
}

void run_workers(context &where, int workers, iqa_task_function function, void *task)
{
    const iqa_context_options &options = where.options();
    if (workers <= 1)
        function(task, 0);
    else if (options.parallel != nullptr)
        options.parallel(options.parallel_user, workers, function, task);
    else
        run_with_openmp(where, workers, function, task);
}

} // namespace detail
} // namespace iqa
