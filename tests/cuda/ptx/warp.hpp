// SPDX-License-Identifier: MIT
// Warps of 32 threads that run in lockstep, and blocks of warps. Threads that branch differently form groups. The group
// that is furthest behind runs first, and groups that meet merge.
#pragma once

#include <cstring>
#include <string>

#include "cuda/ptx/program.hpp"
#include "cuda/ptx/shared_memory.hpp"

namespace test::ptx {

// Windows of generic addresses outside device memory: shared, local and parameter memory.
constexpr uint64_t shared_window = uint64_t(1) << 60, local_window = uint64_t(2) << 60,
                   param_window = uint64_t(3) << 60;
constexpr uint64_t window_mask = uint64_t(15) << 60;

// The allocated device memory, by address.
class live_memory {
public:
    explicit live_memory(std::map<uint64_t, size_t> blocks) : blocks_(std::move(blocks)) {}

    // The end of the allocation that has the address; 0: none.
    uint64_t end_at(uint64_t address) const
    {
        const auto next = blocks_.upper_bound(address);
        if (next == blocks_.begin())
            return 0;
        const auto found = std::prev(next);
        return address < found->first + found->second ? found->first + found->second : 0;
    }

private:
    std::map<uint64_t, size_t> blocks_;
};

struct grid {
    const program &kernel;
    unsigned blocks, threads;
    size_t shared_bytes; // dynamic
    const std::vector<char> &params;
    const live_memory &memory;
};

// How often each instruction was issued, by function.
using tally = std::map<const program *, std::vector<uint64_t>>;

class block;

class warp {
public:
    warp(const grid &launch, block &home, int first_thread, tally &counts);

    // Runs until all its threads wait at a barrier; returns false once they have ended.
    bool run();
    int waits_at() const { return kernel_.groups.front().pc; }
    void pass_barrier();

    // For the handlers of instructions.
    char *frame = nullptr; // of the running function
    lane_mask carry = 0;
    uint64_t memory_begin = 1, memory_end = 0; // the device allocation of the last access
    block &home;
    const grid &launch;
    const int first_thread;

    char *local(int lane) { return local_.data() + size_t(lane) * launch.kernel.local_bytes; }
    [[noreturn]] void stop(const instruction &op, const std::string &why) const;

private:
    struct group {
        int pc; // index of the next instruction
        lane_mask threads;
        bool waits;
    };
    struct activation {
        const program *function;
        std::vector<char> frame;
        std::vector<group> groups; // the first one runs
    };

    activation enter(const program &function, lane_mask threads, size_t local_at);
    void go(activation &made);
    int choose(activation &made);
    void branch(activation &made, const instruction &each, lane_mask taken);
    void call_function(activation &from, const instruction &op, lane_mask threads);

    tally &counts_;
    std::vector<char> local_;
    activation *running_ = nullptr;
    activation kernel_;
    size_t local_used_ = 0;
};

// A block of warps.
class block {
public:
    // Runs a block to its end. An object can run one block after another.
    void run(const grid &launch, unsigned number, tally &counts);

    unsigned index = 0;
    shared_memory shared;
};

} // namespace test::ptx
