// SPDX-License-Identifier: MIT
#include "cuda/sequential/machine.hpp"

#include <cstdlib>
#include <cstring>
#include <numeric>
#include <utility>

#include "cuda/machine/runtime.hpp"

namespace test {

namespace {

constexpr unsigned char poison = 0xcd;
constexpr int no_driver = 35; // cudaErrorInsufficientDriver

// Never destroyed, so that blocks that live to the end of the process are no leaks.
std::map<void *, size_t> &live_blocks()
{
    static auto &blocks = *new std::map<void *, size_t>;
    return blocks;
}

} // namespace

sequential_block::sequential_block(int64_t index, int64_t blocks, size_t shared_bytes)
    : index_(index), blocks_(blocks), shared_(new char[shared_bytes])
{
    std::memset(shared_.get(), poison, shared_bytes);
}

int sequential_block::first_of(int count)
{
    return sequential_machine::get().order == thread_order::forward ? 0 : count - 1;
}

int sequential_block::step_for(int count)
{
    switch (sequential_machine::get().order) {
    case thread_order::forward:
        return 1;
    case thread_order::backward:
        return count - 1;
    default: {
        int step = count * 5 / 8 + 1;
        while (std::gcd(step, count) != 1)
            ++step;
        return step;
    }
    }
}

sequential_machine &sequential_machine::get()
{
    static sequential_machine machine;
    return machine;
}

void sequential_machine::reset()
{
    // Drops enqueued work, whose tensors may be gone, but gives its memory back.
    for (const queued &item : std::exchange(queue_, {}))
        if (item.gives_back)
            item.work();
    const int64_t bytes = live_bytes;
    *this = {};
    live_bytes = bytes;
}

int sequential_machine::enter()
{
    ++counts.calls;
    if (counts.calls == fail_call)
        return fail_status;
    return devices == 0 ? no_driver : 0;
}

int sequential_machine::enter_on_device()
{
    contexts |= uint64_t(1) << current;
    return enter();
}

void sequential_machine::push_device(int device)
{
    below_.push_back(std::exchange(current, device));
    contexts |= uint64_t(1) << device;
}

void sequential_machine::pop_device()
{
    if (below_.empty())
        std::abort();
    current = below_.back();
    below_.pop_back();
}

void sequential_machine::enqueue(std::function<void()> work, bool gives_back)
{
    if (capturing) {
        graph_.push_back(std::move(work));
        return;
    }
    queue_.push_back({std::move(work), gives_back});
    if (at_once)
        run_queue();
}

void sequential_machine::run_queue()
{
    for (const queued &item : std::exchange(queue_, {}))
        item.work();
}

void sequential_machine::replay()
{
    for (const auto &work : graph_)
        enqueue(work);
}

} // namespace test

namespace iqa::cuda {

namespace {

test::sequential_machine &machine()
{
    return test::sequential_machine::get();
}

template <class Work>
status enqueue(int test::machine_counts::*counter, Work &&work, bool gives_back = false)
{
    const status code = machine().enter_on_device();
    if (code != 0)
        return code;
    ++(machine().counts.*counter);
    machine().enqueue(std::forward<Work>(work), gives_back);
    return 0;
}

// Work that accesses the caller's memory when it runs, and counts until then.
template <class Work>
status enqueue_pending(int test::sequential_machine::*pending, int test::machine_counts::*counter, Work &&work)
{
    ++(machine().*pending);
    const status code = enqueue(counter, [=] {
        work();
        --(machine().*pending);
    });
    if (code != 0)
        --(machine().*pending);
    return code;
}

// A copy that accesses host memory when it runs.
template <class Copy>
status enqueue_copy(int test::machine_counts::*counter, Copy &&copy)
{
    return enqueue_pending(&test::sequential_machine::pending_copies, counter, std::forward<Copy>(copy));
}

std::vector<char> copy_of(const void *memory, size_t bytes)
{
    const char *from = static_cast<const char *>(memory);
    return {from, from + bytes};
}

void run_grid(const test::sequential_kernel &kernel, unsigned blocks, size_t shared_bytes, const void *arguments)
{
    for (unsigned i = 0; i < blocks; ++i) {
        const unsigned index = machine().order == test::thread_order::forward ? i : blocks - 1 - i;
        test::sequential_block block(index, blocks, shared_bytes);
        kernel.run(block, arguments);
    }
}

const runtime sequential = {
    .device_count = [](int *count) -> status {
        const status code = machine().enter();
        *count = code == 0 ? machine().devices : 0;
        return code;
    },
    .abilities = [](int device, device_abilities *found) -> status {
        *found = {machine().capability, 75, device < machine().least_without_pools, machine().pageable};
        return machine().enter();
    },
    .get_device = [](int *device) -> status {
        *device = machine().current;
        const status code = machine().enter();
        if (code != 0)
            ++machine().counts.not_set;
        return code;
    },
    .enter_device = [](int device) -> status {
        const status code = machine().enter();
        if (code == 0)
            machine().push_device(device);
        else
            ++machine().counts.not_set;
        return code;
    },
    .leave_device = []() -> status {
        const status code = machine().enter();
        if (code == 0)
            machine().pop_device();
        else
            ++machine().counts.not_set;
        return code;
    },
    .locate = [](const void *memory, memory_location *found) -> status {
        const auto place = machine().elsewhere.find(memory);
        const bool is_here = place == machine().elsewhere.end();
        *found = {is_here || place->second != test::sequential_machine::not_cuda, is_here, is_here ? 0 : place->second};
        return machine().enter();
    },
    .device_of_stream = [](void *stream, int *device) -> status {
        *device = stream == nullptr ? -1 : machine().device_of_stream;
        const status code = machine().enter();
        if (code != 0)
            ++machine().counts.not_told;
        return code;
    },
    .multiprocessors = [](int, int *count) -> status {
        *count = 3;
        return machine().enter();
    },
    .shared_memory = [](int, int *bytes) -> status {
        *bytes = machine().shared_bytes;
        return machine().enter();
    },
    .allocate = [](void **memory, size_t bytes, void *) -> status {
        const status code = machine().enter_on_device();
        if (code != 0)
            return code;
        *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
        std::memset(*memory, test::poison, bytes);
        test::live_blocks()[*memory] = bytes;
        machine().live_bytes += int64_t(bytes);
        ++machine().counts.allocations;
        return 0;
    },
    .deallocate = [](void *memory, void *) -> status {
        const status code = enqueue(
            &test::machine_counts::deallocations,
            [=] {
                const auto block = test::live_blocks().find(memory);
                if (block == test::live_blocks().end())
                    std::abort();
                machine().live_bytes -= int64_t(block->second);
                test::live_blocks().erase(block);
                std::free(memory);
            },
            true);
        if (code != 0)
            ++machine().counts.lost;
        return code;
    },
    .clear = [](void *memory, size_t bytes, void *) -> status {
        const status code = enqueue(&test::machine_counts::clears, [=] { std::memset(memory, 0, bytes); });
        if (code != 0)
            ++machine().counts.not_cleared;
        return code;
    },
    .upload = [](void *to, const void *from, size_t bytes, void *) -> status {
        if (machine().late_uploads)
            return enqueue_copy(&test::machine_counts::uploads, [=] { std::memcpy(to, from, bytes); });
        return enqueue(&test::machine_counts::uploads,
                       [=, copy = copy_of(from, bytes)] { std::memcpy(to, copy.data(), bytes); });
    },
    .download = [](void *to, const void *from, size_t bytes, void *) -> status {
        return enqueue_copy(&test::machine_counts::downloads, [=] { std::memcpy(to, from, bytes); });
    },
    .wait = [](void *) -> status {
        const status code = machine().enter();
        if (code != 0)
            return code;
        ++machine().counts.waits;
        machine().run_queue();
        return 0;
    },
    .is_capturing = [](void *, bool *capturing) -> status {
        *capturing = machine().capturing;
        const status code = machine().enter();
        if (code != 0)
            ++machine().counts.not_told;
        return code;
    },
    .launch = [](const void *entry, unsigned blocks, unsigned, size_t shared_bytes, const void *arguments,
                 void *) -> status {
        const auto &kernel = *static_cast<const test::sequential_kernel *>(entry);
        if (shared_bytes + most_static_shared_bytes > size_t(machine().shared_bytes))
            return invalid_value; // as on a GPU
        return enqueue_pending(&test::sequential_machine::pending_kernels, &test::machine_counts::launches,
                               [=, &kernel, copy = copy_of(arguments, kernel.arguments_size)] {
                                   run_grid(kernel, blocks, shared_bytes, copy.data());
                               });
    },
    .text = [](status code) { return code == test::no_driver ? "no driver" : "a status that the test chose"; },
    .forget_error = [] {},
};

} // namespace

const runtime &active_runtime = sequential;

} // namespace iqa::cuda
