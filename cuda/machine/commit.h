// SPDX-License-Identifier: MIT
// The end of an update: adds its addend to the lanes, unless a fault was reported.
#pragma once

#include "core/device.hpp"
#include "cuda/machine/block.h"

namespace iqa::cuda {

struct commit_update {
    struct arguments {
        int64_t *lanes, *addend; // [count]
        int64_t count;
        fault *report; // of this update
        fault *kept;   // the first fault that was not handed out yet
        int64_t *updates;
        uint32_t *arrivals;
    };
    static constexpr int threads = 256;
    static constexpr int lanes_of_a_block = 4 * threads;

    template <class Block>
    IQA_KERNEL static void add_lanes(Block &block, const arguments &args, int64_t first, int64_t count)
    {
        const bool sound = args.report->kind == fault_kind::none;
        block.each(int(count), [&](int i) {
            if (sound)
                args.lanes[first + i] += args.addend[first + i];
            args.addend[first + i] = 0;
        });
    }

    template <class Block>
    IQA_KERNEL static void end(Block &block, const arguments &args)
    {
        block.each(1, [&](int) {
            ++*args.updates;
            if (args.report->kind != fault_kind::none && args.kept->kind == fault_kind::none) {
                *args.kept = *args.report;
                args.kept->update = *args.updates;
            }
            *args.report = {};
        });
    }

    // The whole commit by one block: most metrics have few lanes.
    template <class Block>
    IQA_KERNEL static void run_at_once(Block &block, const arguments &args)
    {
        add_lanes(block, args, 0, args.count);
        end(block, args);
    }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const int64_t first = block.index() * lanes_of_a_block;
        const int64_t left = args.count - first;
        add_lanes(block, args, first, left < lanes_of_a_block ? left : lanes_of_a_block);
        if (block.comes_last(args.arrivals))
            end(block, args);
    }
};

} // namespace iqa::cuda
