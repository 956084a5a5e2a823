// SPDX-License-Identifier: MIT
// A team for work of many short steps, such as the columns of a matrix reduction. One worker leads and runs the whole
// algorithm; the helpers take items of the open step. Nobody waits for a worker that took no item, so a thread that a
// busy neighbour keeps off its processor costs its share of the work, and no standstill at every step. For the same
// reason the caller's threads may run one after another, in any order. A helper without work spins for some
// microseconds, then sleeps and leaves its processor to others.
#pragma once

#include <atomic>
#include <cstdint>
#include <pthread.h>

#include "core/parallel.hpp"

namespace iqa {

class crew {
public:
    crew(const crew &) = delete;
    crew &operator=(const crew &) = delete;

    // Calls body(crew) once. Throws IQA_ERROR_CANCELLED if the progress callback cancelled; `body` must not throw.
    template <class Body>
    static void run(context &where, int workers, Body &&body);

    // Calls body(item, worker) for each item in 0 ... items - 1 (below 2^20), and returns when all are done. `cost` is
    // an item's multiply-adds: the leader does short steps alone.
    template <class Body>
    void each(int64_t items, int64_t cost, Body &&body);

    // To be called by the leader now and then. False: the call was cancelled, and `body` has to return.
    bool proceed(int64_t done, int64_t total) noexcept;

private:
    using call_function = void (*)(void *body, int64_t item, int32_t worker);

    crew(context &where, int workers) noexcept : where_(where), workers_(workers) {}

    bool may_lead(int32_t worker) noexcept;
    void work_through(int64_t items, call_function call, void *body) noexcept;
    bool take_one(int32_t worker) noexcept;
    void wake_sleepers() noexcept;
    void sleep_after(uint64_t step) noexcept;
    void help(int32_t worker) noexcept;
    void report() noexcept;
    void close() noexcept;
    void throw_if_cancelled() const;

    static constexpr int64_t cost_worth_sharing = 1 << 16;

    context &where_;
    const int workers_;
    int32_t leader_ = 0;
    std::atomic<bool> led_ = false;
    std::atomic<bool> closed_ = false;
    std::atomic<bool> cancelled_ = false;
    std::atomic<int64_t> done_ = 0;
    std::atomic<int64_t> total_ = 0;

    // The open step. One word holds its number, its items and the next item, so that a worker can only take an item of
    // the step that it saw.
    std::atomic<uint64_t> step_ = 0;
    std::atomic<call_function> call_ = nullptr;
    std::atomic<void *> body_ = nullptr;
    std::atomic<int64_t> unfinished_ = 0;

    // A helper without work for a while sleeps until a step opens after the last one that it saw.
    std::atomic<int32_t> sleepers_ = 0;
    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t opened_ = PTHREAD_COND_INITIALIZER;
};

template <class Body>
void crew::run(context &where, int workers, Body &&body)
{
    struct work {
        crew team;
        Body &body;
    } task{{where, workers}, body};
    const iqa_task_function join = [](void *pointer, int32_t worker) {
        const floating_point_mode mode;
        auto &[team, lead] = *static_cast<work *>(pointer);
        if (!team.may_lead(worker)) {
            team.help(worker);
            return;
        }
        lead(team);
        team.close();
    };
    detail::run_workers(where, workers, join, &task);
    task.team.throw_if_cancelled();
}

template <class Body>
void crew::each(int64_t items, int64_t cost, Body &&body)
{
    if (workers_ == 1 || items < 2 || items * cost < cost_worth_sharing) {
        for (int64_t item = 0; item < items; ++item)
            body(item, leader_);
        return;
    }
    work_through(
        items,
        [](void *pointer, int64_t item, int32_t worker) {
            (*static_cast<std::remove_reference_t<Body> *>(pointer))(item, worker);
        },
        const_cast<void *>(static_cast<const void *>(&body)));
}

} // namespace iqa
