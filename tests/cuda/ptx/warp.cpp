// SPDX-License-Identifier: MIT
#include "cuda/ptx/warp.hpp"

#include <algorithm>
#include <limits>

namespace test::ptx {

namespace {

constexpr int nowhere = std::numeric_limits<int>::max();
constexpr char poison = char(0xa5);
constexpr uint64_t most_issued = 20'000'000; // of one instruction, by all blocks of a host thread

template <class Value>
void fill(char *frame, uint32_t offset, Value first, Value step)
{
    for (int lane = 0; lane < lanes; ++lane, first = Value(first + step))
        std::memcpy(frame + offset + size_t(lane) * sizeof(Value), &first, sizeof(Value));
}

void move_lanes(const std::array<uint32_t, 3> &move, const char *from, char *to, lane_mask threads)
{
    const auto [bytes, source, target] = move;
    for (size_t lane = 0; lane < lanes; ++lane)
        if (threads >> lane & 1)
            std::memcpy(to + target + lane * bytes, from + source + lane * bytes, bytes);
}

} // namespace

warp::warp(const grid &work, block &team, int first, tally &counts)
    : home(team),
      launch(work),
      first_thread(first),
      counts_(counts),
      local_(work.kernel.local_bytes * lanes, poison),
      kernel_(enter(work.kernel, all_lanes, 0))
{
    local_used_ = launch.kernel.own_local_bytes;
}

warp::activation warp::enter(const program &function, lane_mask threads, size_t local_at)
{
    activation made{&function, std::vector<char>(function.frame_bytes, poison), {{0, threads, false}}};
    char *values = made.frame.data();
    std::copy(function.literals.begin(), function.literals.end(), values + function.literals_at);
    fill(values, special::tid, uint32_t(first_thread), 1u);
    fill(values, special::ntid, launch.threads, 0u);
    fill(values, special::ctaid, home.index, 0u);
    fill(values, special::nctaid, launch.blocks, 0u);
    fill(values, special::lane, 0u, 1u);
    fill(values, special::local, uint64_t(local_at), uint64_t(0));
    std::vector<uint64_t> &counts = counts_[&function];
    counts.resize(function.code.size());
    return made;
}

void warp::stop(const instruction &op, const std::string &why) const
{
    throw fault("line " + std::to_string(op.line) + ", \"" + running_->function->text_of(op) + "\", block " +
                std::to_string(home.index) + ", warp " + std::to_string(first_thread / lanes) + ": " + why);
}

// Moves the group that is furthest behind and does not wait to the front. Returns where it may meet the next group.
int warp::choose(activation &made)
{
    auto &groups = made.groups;
    std::sort(groups.begin(), groups.end(), [](const group &x, const group &y) { return x.pc < y.pc; });
    for (size_t i = 1; i < groups.size();) {
        if (groups[i - 1].pc != groups[i].pc) {
            ++i;
            continue;
        }
        groups[i - 1].threads |= groups[i].threads;
        groups[i - 1].waits = false; // the merged group waits again
        groups.erase(groups.begin() + long(i));
    }
    const auto first = std::find_if(groups.begin(), groups.end(), [](const group &each) { return !each.waits; });
    if (first == groups.end())
        return nowhere;
    const int limit = first + 1 == groups.end() ? nowhere : (first + 1)->pc;
    std::rotate(groups.begin(), first, first + 1);
    return limit;
}

bool warp::run()
{
    go(kernel_);
    if (kernel_.groups.size() > 1) {
        const auto &code = kernel_.function->code;
        stop(code[size_t(kernel_.groups.front().pc)], "divergent threads: others of the warp wait at line " +
                                                          std::to_string(code[size_t(kernel_.groups.back().pc)].line));
    }
    return !kernel_.groups.empty();
}

void warp::pass_barrier()
{
    ++kernel_.groups.front().pc;
    kernel_.groups.front().waits = false;
}

void warp::branch(activation &made, const instruction &each, lane_mask taken)
{
    group &current = made.groups.front();
    const int next = current.pc + 1;
    const lane_mask others = current.threads & ~taken;
    current = {each.target, taken, false};
    if (others != 0)
        made.groups.push_back({next, others, false});
}

void warp::call_function(activation &from, const instruction &op, lane_mask threads)
{
    const struct call &made = from.function->calls[size_t(op.target)];
    activation called = enter(*made.callee, threads, local_used_);
    for (const auto &move : made.arguments)
        move_lanes(move, from.frame.data(), called.frame.data(), threads);
    local_used_ += made.callee->own_local_bytes;
    go(called);
    if (!called.groups.empty())
        stop(called.function->code[size_t(called.groups.front().pc)], "a barrier in a function");
    local_used_ -= made.callee->own_local_bytes;
    running_ = &from;
    frame = from.frame.data();
    for (const auto &move : made.results)
        move_lanes(move, called.frame.data(), from.frame.data(), threads);
}

void warp::go(activation &made)
{
    running_ = &made;
    frame = made.frame.data();
    const instruction *code = made.function->code.data();
    uint64_t *counts = counts_[made.function].data();
    int limit = choose(made);
    while (!made.groups.empty() && !made.groups.front().waits) {
        group &current = made.groups.front();
        const instruction &each = code[current.pc];
        if (++counts[current.pc] > most_issued)
            stop(each, "it does not end");
        lane_mask threads = current.threads;
        if (each.guarded) {
            lane_mask guard;
            std::memcpy(&guard, frame + each.guard, sizeof guard);
            threads &= each.negated ? ~guard : guard;
        }
        if (each.kind == flow::next) {
            ++current.pc;
            if (threads != 0)
                each.run(*this, each, threads);
            if (current.pc >= limit)
                limit = choose(made);
            continue;
        }
        if (threads == 0) {
            ++current.pc;
        } else if (each.kind == flow::branch) {
            branch(made, each, threads);
        } else if (each.kind == flow::call) {
            call_function(made, each, threads);
            ++made.groups.front().pc;
        } else if (threads != current.threads) {
            stop(each, "a guarded end or barrier");
        } else if (each.kind == flow::barrier) {
            current.waits = true;
        } else {
            made.groups.erase(made.groups.begin());
        }
        limit = choose(made);
    }
}

void block::run(const grid &launch, unsigned number, tally &counts)
{
    index = number;
    shared.start(launch.kernel.static_shared_bytes + launch.shared_bytes);
    std::vector<std::unique_ptr<warp>> warps;
    for (unsigned first = 0; first < launch.threads; first += lanes)
        warps.push_back(std::make_unique<warp>(launch, *this, int(first), counts));
    while (!warps.empty()) {
        std::erase_if(warps, [](const auto &each) { return !each->run(); });
        for (const auto &each : warps)
            if (each->waits_at() != warps.front()->waits_at())
                throw fault("divergent warps: one waits at line " +
                            std::to_string(launch.kernel.code[size_t(each->waits_at())].line) + ", another at line " +
                            std::to_string(launch.kernel.code[size_t(warps.front()->waits_at())].line));
        for (const auto &each : warps)
            each->pass_barrier();
        shared.pass_barrier();
    }
}

} // namespace test::ptx
