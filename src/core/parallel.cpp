// SPDX-License-Identifier: MIT
// The library is a guest in its host's process. Some habits of the OpenMP runtime would harm the host:
//   - It ends the process if a thread cannot be created. So threads are tried first, and fewer are used.
//   - A child of fork() that enters a region waits for threads that it lacks. So the team is dissolved before fork().
//   - Its workers inherit the signal mask. So every signal is blocked while they are created.
//   - A region ends only when its last worker has been scheduled, which beside busy neighbours can take many times the
//     work. So a thread that had to wait computes alone for a while.
#include "core/parallel.hpp"

#include <algorithm>
#include <ctime>
#include <dlfcn.h>
#include <limits>
#include <omp.h>
#include <pthread.h>
#include <signal.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#else
#include <cfenv>
#endif

namespace iqa {

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

void fail_as_cancelled(int64_t done, int64_t total)
{
    fail(IQA_ERROR_CANCELLED, "cancelled by the progress callback after ", done, " of ", total, " pieces");
}

void report_progress(const context &where, int64_t done, int64_t total)
{
    const iqa_context_options &options = where.options();
    if (options.progress != nullptr && options.progress(options.progress_user, done, total) != 0)
        fail_as_cancelled(done, total);
}

int workers_for(const context &where, int64_t tiles, int64_t samples) noexcept
{
    // Waking a team costs some 10 microseconds, the time of this many samples of the cheapest metric.
    constexpr int64_t samples_worth_a_team = 1 << 15;
    if (samples < samples_worth_a_team)
        return 1;
    return int(tiles < where.threads() ? (tiles > 0 ? tiles : 1) : where.threads());
}

namespace detail {

namespace {

// The other threads of this thread's last team, and thus of the pool that its OpenMP runtime keeps. (A nonzero initial
// value would cost every thread a page: the CUDA runtime's thread-local storage is aligned to pages.)
thread_local int helpers_in_pool = 0;

// The time until which this thread computes alone.
thread_local int64_t alone_until = 0;

int64_t nanoseconds() noexcept
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return int64_t(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

// omp_pause_resource_all(), or nullptr if the host has loaded an OpenMP runtime from before 5.0, as wheels of older
// releases of PyTorch bring it. A reference by the linker would keep this library from loading there.
decltype(&omp_pause_resource_all) pause_team = nullptr;

// A soft pause suffices: libgomp ends the team for either kind. LLVM's libomp, which a host may use instead of libgomp,
// recovers in the child; a hard pause would wait for the lock that its fork handler took before this one ran.
void dissolve_team_before_fork()
{
    if (pause_team == nullptr)
        return;
    pause_team(omp_pause_soft);
    helpers_in_pool = 0;
}

// The child has a team that could not be dissolved and whose threads do not exist.
void compute_alone_in_child()
{
    if (pause_team == nullptr)
        alone_until = std::numeric_limits<int64_t>::max();
}

void register_fork_handler()
{
    pause_team = reinterpret_cast<decltype(pause_team)>(dlsym(RTLD_DEFAULT, "omp_pause_resource_all"));
    pthread_atfork(dissolve_team_before_fork, nullptr, compute_alone_in_child);
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

// Creates threads until one fails, all alive at once, and returns their number.
int possible_threads(int wanted)
{
    constexpr int most = 256; // threads tried at once; the handles live on a small stack
    pthread_t threads[most];
    rendezvous gate;
    int created = 0;
    while (created < wanted && created < most &&
           pthread_create(&threads[created], nullptr, wait_until_open, &gate) == 0)
        ++created;
    pthread_mutex_lock(&gate.mutex);
    gate.open = true;
    pthread_cond_broadcast(&gate.opened);
    pthread_mutex_unlock(&gate.mutex);
    for (int i = 0; i < created; ++i)
        pthread_join(threads[i], nullptr);
    return created;
}

// Makes the pool as large as possible. The region is empty, so that signals are blocked no longer than it takes to
// create threads. Faults stay unblocked, so that the host's handlers see them.
int grow_team(int wanted)
{
    sigset_t blocked;
    sigset_t before;
    sigfillset(&blocked);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS})
        sigdelset(&blocked, fault);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    const int in_place = helpers_in_pool + 1;
    const int possible = in_place + possible_threads(wanted - in_place);
    int granted = 1;
    if (possible > 1) {
#pragma omp parallel num_threads(possible)
#pragma omp master
        granted = omp_get_num_threads();
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    helpers_in_pool = granted - 1;
    return possible;
}

void run_team(int team, iqa_task_function function, void *task) noexcept
{
    // A smaller team would make the runtime end threads and allocate them again later, so the other threads just wait.
    const int kept = std::max(team, helpers_in_pool + 1);
    const int64_t begin = nanoseconds();
    int64_t work_end = begin;
#pragma omp parallel num_threads(kept)
    {
        if (omp_get_thread_num() < team)
            function(task, omp_get_thread_num());
#pragma omp master
        {
            helpers_in_pool = omp_get_num_threads() - 1;
            work_end = nanoseconds();
        }
    }
    // After a wait longer than this, and longer than this part of the work, the thread computes alone for a while.
    constexpr int64_t tolerable_wait = 50'000;
    constexpr int64_t tolerable_part = 4;
    constexpr int64_t caution = 64; // waiting is at most 1 part in so many
    constexpr int64_t longest = 1'000'000'000;
    const int64_t end = nanoseconds();
    const int64_t wait = end - work_end;
    if (wait > tolerable_wait && wait > (work_end - begin) / tolerable_part)
        alone_until = end + (caution * wait < longest ? caution * wait : longest);
}

void run_with_openmp(const context &where, int workers, iqa_task_function function, void *task)
{
    static pthread_once_t fork_handler = PTHREAD_ONCE_INIT;
    pthread_once(&fork_handler, register_fork_handler);

    int team = workers < omp_get_thread_limit() ? workers : omp_get_thread_limit();
    if (omp_get_level() > 0) // the host's own region: its threads have the processors, and nested pools do not last
        team = 1;
    if (team > helpers_in_pool + 1) {
        const int possible = grow_team(team);
        if (possible < team) {
            text message;
            message << "asked for " << team << " threads, could start " << possible;
            where.log(message.c_str());
            team = possible;
        }
    }
    if (team == 1) {
        function(task, 0);
        return;
    }
    run_team(team, function, task);
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
        fail_as_cancelled(finished.load(), total);
}

void run_workers(context &where, int workers, iqa_task_function function, void *task)
{
    const iqa_context_options &options = where.options();
    if (workers <= 1)
        function(task, 0);
    else if (options.parallel != nullptr)
        options.parallel(options.parallel_user, workers, function, task);
    else if (alone_until != 0 && nanoseconds() < alone_until)
        function(task, 0);
    else
        run_with_openmp(where, workers, function, task);
}

} // namespace detail
} // namespace iqa
