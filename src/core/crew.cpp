// SPDX-License-Identifier: MIT
#include "core/crew.hpp"

#include <sched.h>

namespace iqa {

namespace {

constexpr int item_bits = 20;
constexpr uint64_t item_mask = (uint64_t(1) << item_bits) - 1;

uint64_t next_item(uint64_t step)
{
    return step & item_mask;
}

uint64_t items_of(uint64_t step)
{
    return (step >> item_bits) & item_mask;
}

// Some 20 microseconds: longer than most gaps between steps, shorter than waking a thread twice.
constexpr int spins_of_patience = 1000;

void pause_processor()
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

} // namespace

// In an OpenMP team the calling thread leads, since it reports progress. The caller's threads may run one after
// another, so there the first one leads.
bool crew::may_lead(int32_t worker) noexcept
{
    if (where_.options().parallel == nullptr)
        return worker == 0;
    if (led_.exchange(true))
        return false;
    leader_ = worker;
    return true;
}

bool crew::take_one(int32_t worker) noexcept
{
    uint64_t step = step_.load(std::memory_order_acquire);
    while (next_item(step) < items_of(step)) {
        const call_function call = call_.load(std::memory_order_relaxed);
        void *const body = body_.load(std::memory_order_relaxed);
        if (step_.compare_exchange_weak(step, step + 1, std::memory_order_acq_rel, std::memory_order_acquire)) {
            call(body, int64_t(next_item(step)), worker);
            unfinished_.fetch_sub(1, std::memory_order_release);
            return true;
        }
    }
    return false;
}

void crew::work_through(int64_t items, call_function call, void *body) noexcept
{
    call_.store(call, std::memory_order_relaxed);
    body_.store(body, std::memory_order_relaxed);
    unfinished_.store(items, std::memory_order_relaxed);
    const uint64_t number = (step_.load(std::memory_order_relaxed) >> (2 * item_bits)) + 1;
    step_.store((number << (2 * item_bits)) | (uint64_t(items) << item_bits));
    wake_sleepers();
    while (take_one(leader_)) {
    }
    for (int spins = 0; unfinished_.load(std::memory_order_acquire) != 0; ++spins)
        spins < spins_of_patience ? pause_processor() : void(sched_yield());
}

// Called after a step or the end is announced. A helper counts itself as a sleeper before it looks for news a last
// time, so either it sees the announcement or the leader sees the sleeper.
void crew::wake_sleepers() noexcept
{
    if (sleepers_.load() == 0)
        return;
    pthread_mutex_lock(&mutex_);
    pthread_cond_broadcast(&opened_);
    pthread_mutex_unlock(&mutex_);
}

void crew::sleep_after(uint64_t step) noexcept
{
    const auto number = [](uint64_t of_step) {
        return of_step >> (2 * item_bits);
    };
    pthread_mutex_lock(&mutex_);
    sleepers_.fetch_add(1);
    while (number(step_.load()) == number(step) && !closed_.load())
        pthread_cond_wait(&opened_, &mutex_);
    sleepers_.fetch_sub(1);
    pthread_mutex_unlock(&mutex_);
}

void crew::close() noexcept
{
    closed_.store(true);
    wake_sleepers();
}

void crew::help(int32_t worker) noexcept
{
    int64_t reported = 0;
    int spins = 0;
    while (!closed_.load(std::memory_order_acquire)) {
        const uint64_t step = step_.load(std::memory_order_acquire);
        if (take_one(worker))
            spins = 0;
        else if (++spins < spins_of_patience)
            pause_processor();
        else if (worker == 0) // it has progress to report
            sched_yield();
        else
            sleep_after(step);
        const int64_t done = done_.load(std::memory_order_relaxed);
        if (worker == 0 && done != reported) {
            reported = done;
            report();
        }
    }
}

void crew::report() noexcept
{
    const iqa_context_options &options = where_.options();
    if (options.progress != nullptr && options.progress(options.progress_user, done_.load(std::memory_order_relaxed),
                                                        total_.load(std::memory_order_relaxed)) != 0)
        cancelled_.store(true, std::memory_order_relaxed);
}

bool crew::proceed(int64_t done, int64_t total) noexcept
{
    total_.store(total, std::memory_order_relaxed);
    done_.store(done, std::memory_order_relaxed);
    if (leader_ == 0)
        report();
    return !cancelled_.load(std::memory_order_relaxed);
}

void crew::throw_if_cancelled() const
{
    if (cancelled_.load(std::memory_order_relaxed))
        fail_as_cancelled(done_.load(), total_.load());
}

} // namespace iqa
