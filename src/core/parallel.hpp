// SPDX-License-Identifier: MIT
// Parallel work over a fixed plan of tiles. Workers pull tiles from a counter. Results must depend neither on the
// number of workers nor on who takes which tile.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/context.hpp"

namespace iqa {

// Sets the floating-point mode of results: round to nearest, subnormals kept, no traps. The mode belongs to the thread;
// the destructor restores the caller's.
class floating_point_mode {
public:
    floating_point_mode() noexcept;
    floating_point_mode(const floating_point_mode &) = delete;
    floating_point_mode &operator=(const floating_point_mode &) = delete;
    ~floating_point_mode();

private:
    unsigned int saved_;
};

[[noreturn]] void fail_as_cancelled(int64_t done, int64_t total);

// For work without workers: calls the progress callback, and throws if it cancels.
void report_progress(const context &where, int64_t done, int64_t total);

// The number of workers for a call that touches this many samples: a small call stays on its thread.
int workers_for(const context &where, int64_t tiles, int64_t samples) noexcept;

// Calls body(tile, worker) once for every tile in 0 ... tiles - 1. Throws IQA_ERROR_CANCELLED if the progress callback
// cancels; tiles may then be missing. `body` must not throw.
template <class Body>
void for_each_tile(context &where, int workers, int64_t tiles, Body &&body);

namespace detail {

struct tile_queue {
    const context *where;
    int64_t total;
    std::atomic<int64_t> next = 0;
    std::atomic<int64_t> finished = 0;
    std::atomic<bool> cancelled = false;

    void report(int32_t worker) noexcept;
    void throw_if_cancelled() const;
};

// Calls function(task, worker) once for each worker, through the caller's threads, OpenMP, or one after another.
void run_workers(context &where, int workers, iqa_task_function function, void *task);

} // namespace detail

template <class Body>
void for_each_tile(context &where, int workers, int64_t tiles, Body &&body)
{
    struct work {
        detail::tile_queue queue;
        Body &body;
    } task{{&where, tiles}, body};
    const iqa_task_function pull = [](void *pointer, int32_t worker) {
        const floating_point_mode mode;
        auto &[queue, tile_body] = *static_cast<work *>(pointer);
        queue.report(worker); // even if the others leave worker 0 no tile, so that any call can be cancelled
        while (!queue.cancelled.load(std::memory_order_relaxed)) {
            const int64_t tile = queue.next.fetch_add(1, std::memory_order_relaxed);
            if (tile >= queue.total)
                break;
            tile_body(tile, worker);
            queue.finished.fetch_add(1, std::memory_order_relaxed);
            queue.report(worker);
        }
    };
    detail::run_workers(where, workers, pull, &task);
    task.queue.throw_if_cancelled();
}

} // namespace iqa
