// SPDX-License-Identifier: MIT
// A CUDA machine for tests without a GPU: a runtime whose device memory is the host's, whose streams run what was
// enqueued when they are waited for (or at once), and whose kernels run one thread after another, in any order that is
// asked for. Every call can be made to fail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "cuda/machine/block.h"

namespace test {

// In which order the blocks of a grid and the threads of a step run. No result may depend on it.
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
    int64_t sum(int count, Body &&body)
    {
        uint64_t all = 0;
        for_each_in_order(count, [&](int i) { all += uint64_t(body(i)); });
        return int64_t(all);
    }

    template <class Totals, class Body>
    Totals reduce(int count, Body &&body)
    {
        Totals all{};
        for_each_in_order(count, [&](int i) {
            Totals own{};
            body(i, own);
            all.combine(own);
        });
        return all;
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

// What the machine did since it was reset.
struct machine_counts {
    int calls = 0; // of the runtime, but for texts
    int allocations = 0, deallocations = 0, waits = 0, launches = 0, uploads = 0, downloads = 0, clears = 0;
    // Deallocations, calls about the current device, clearings and questions that were made to fail.
    int lost = 0, not_set = 0, not_cleared = 0, not_told = 0;

    // A call failed that an update or a read may pass over.
    bool passed_over() const { return lost + not_set + not_cleared + not_told != 0; }
};

class sequential_machine {
public:
    static sequential_machine &get();

    // Everything as at the start of the process; memory that is still allocated stays.
    void reset();

    thread_order order = thread_order::forward;
    bool at_once = false;      // run when enqueued rather than when waited for
    bool late_uploads = false; // memory of the host is read when a copy runs, as where it is pinned
    int devices = 1;           // 0: as on a machine without a driver
    int current = 0;
    uint64_t contexts = 0;                 // bit i: something made a context on device i
    int capability = 90;                   // of all devices; the least with kernels is 75
    int least_without_pools = 99;          // devices from this one on have no memory pools
    bool pageable = false;                 // kernels may read any memory
    int device_of_stream = -1;             // that of every stream but the default one
    std::map<const void *, int> elsewhere; // memory that is not the tensors' device's: which one's it is, or not_cuda
    static constexpr int not_cuda = -1;
    int shared_bytes = 64 * 1024; // what a block may have
    int fail_call = 0;            // the call that fails, from 1; 0: none does
    int fail_status = 999;        // with that status
    bool capturing = false;       // what is enqueued is recorded, and run by replay() only
    machine_counts counts;
    int64_t live_bytes = 0;
    int pending_copies = 0; // enqueued, with memory of the host that they will still read or write

    void replay(); // runs what was captured, once more
    void forget_graph() { graph_.clear(); }

    // For the runtime's functions.
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
    std::vector<int> below_; // devices that were current before others came on top
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
