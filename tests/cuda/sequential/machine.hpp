// SPDX-License-Identifier: MIT
// A CUDA machine for tests without a GPU. Its device memory is host memory. Its streams run enqueued work when somebody
// waits for them, or at once. Its kernels run one thread after another, in the order that a test asks for. Every call
// of its runtime can be made to fail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "cuda/machine/block.h"

namespace test {

// The order of a grid's blocks and of a step's threads. No result may depend on it.
enum class thread_order { forward, backward, shuffled };

// Plays all threads of one block: see cuda/machine/block.h.
class sequential_block {
public:
    sequential_block(int64_t index, int64_t blocks, size_t shared_bytes);

    int64_t index() const { return index_; }
    int64_t blocks() const { return blocks_; }
    char *shared() const { return shared_.get(); }

    template <class Body>
    void each(int count, Body &&body)
    {
        for_each_in_order(count, [&](int i) { body(i); });
    }

    template <class Body>
    void each_thread(int count, Body &&body)
    {
        each(count, body);
    }

    template <class Body>
    int64_t sum(int count, Body &&body)
    {
        uint64_t total = 0;
        for_each_in_order(count, [&](int i) { total += uint64_t(body(i)); });
        return int64_t(total);
    }

    template <class Totals, class Body>
    Totals reduce(int count, Body &&body)
    {
        Totals totals{};
        for_each_in_order(count, [&](int i) {
            Totals partial{};
            body(i, partial);
            totals.combine(partial);
        });
        return totals;
    }

    bool comes_last(uint32_t *arrivals) { return comes_last(arrivals, blocks_); }
    bool comes_last(uint32_t *arrivals, int64_t blocks)
    {
        if (++*arrivals != uint32_t(blocks))
            return false;
        *arrivals = 0;
        return true;
    }

private:
    template <class Body>
    static void for_each_in_order(int count, Body &&body)
    {
        const int step = step_for(count);
        for (int i = 0, at = first_of(count); i < count; ++i, at = next_of(at, step, count))
            body(at);
    }

    static int step_for(int count);
    static int first_of(int count);
    static int next_of(int at, int step, int count) { return int((int64_t(at) + step) % count); }

    int64_t index_, blocks_;
    std::unique_ptr<char[]> shared_;
};

// Counts since the last reset.
struct machine_counts {
    int calls = 0; // of the runtime, except for texts
    int allocations = 0, deallocations = 0, waits = 0, launches = 0, uploads = 0, downloads = 0, clears = 0;
    // Failed deallocations, calls about the current device, clearings and queries.
    int lost = 0, not_set = 0, not_cleared = 0, not_told = 0;

    // Whether a call failed whose failure an update or a read may ignore.
    bool passed_over() const { return lost + not_set + not_cleared + not_told != 0; }
};

class sequential_machine {
public:
    static sequential_machine &get();

    // Restores the state at the start of the process, but keeps allocated memory.
    void reset();

    thread_order order = thread_order::forward;
    bool at_once = false;      // work runs when it is enqueued
    bool late_uploads = false; // copies read host memory when they run, as pinned memory
    int devices = 1;           // 0: no driver
    int current = 0;
    uint64_t contexts = 0;                 // bit i: device i has a context
    int capability = 90;                   // of all devices; kernels need 75
    int least_without_pools = 99;          // devices from this one on have no memory pools
    bool pageable = false;                 // kernels may read any memory
    int device_of_stream = -1;             // of every stream but the default one
    std::map<const void *, int> elsewhere; // memory of other devices: the device, or not_cuda
    static constexpr int not_cuda = -1;
    int shared_bytes = 64 * 1024; // limit of a block
    int fail_call = 0;            // the call that fails, from 1; 0: none
    int fail_status = 999;        // its status
    bool capturing = false;       // enqueued work is recorded, and only replay() runs it
    machine_counts counts;
    int64_t live_bytes = 0;
    int pending_copies = 0;  // enqueued copies that will still access host memory
    int pending_kernels = 0; // enqueued kernels, which may access what the caller has on the device

    void replay(); // runs the captured work once more
    void forget_graph() { graph_.clear(); }

    // For the functions of the runtime.
    int enter();
    int enter_on_device(); // a call that makes a context on the current device
    void enqueue(std::function<void()> work, bool gives_back = false);
    void run_queue();
    void push_device(int device);
    void pop_device();

private:
    struct queued {
        std::function<void()> work;
        bool gives_back; // memory
    };
    std::vector<queued> queue_;
    std::vector<int> below_; // devices below the current one on the stack
    std::vector<std::function<void()>> graph_;
};

// A kernel as entry_of() gives it.
struct sequential_kernel {
    void (*run)(sequential_block &block, const void *arguments);
    size_t arguments_size;
};

template <class Kernel>
const sequential_kernel *sequential_entry()
{
    static constexpr sequential_kernel kernel = {
        [](sequential_block &block, const void *arguments) {
            Kernel::run(block, *static_cast<const typename Kernel::arguments *>(arguments));
        },
        sizeof(typename Kernel::arguments)};
    return &kernel;
}

} // namespace test
