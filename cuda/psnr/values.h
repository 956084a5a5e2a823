// SPDX-License-Identifier: MIT
// The values of images from their sums over pairs of samples, by the request's functions, one image for each thread;
// and the end of an update.
#pragma once

#include "cuda/machine/block.h"
#include "cuda/machine/commit.h"
#include "values/pair_sums.h"

namespace iqa::cuda {

template <class Request>
struct pair_values {
    struct bookkeeping { // zero between kernels
        uint64_t rank_of_fault;
        uint32_t arrivals;
    };
    struct arguments {
        Request request;
        bookkeeping *books;
        bool ends_update;
        commit_update::arguments commit;
    };
    static constexpr int threads = 64;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const Request &request = args.request;
        const bool sound = request.report->kind == fault_kind::none; // only the last block may change it
        const int64_t first = block.index() * threads;
        const int64_t left = request.images - first;
        const int images = int(left < threads ? left : threads);
        block.each(images, [&](int i) {
            if (!sound)
                return store_fault(request, first + i);
            const uint64_t rank = evaluate_image(request, first + i);
            if (rank != 0)
                keep_most(&args.books->rank_of_fault, rank);
        });
        if (sound && request.per_channel.data != nullptr)
            for (int64_t channel = 0; channel < request.planes; ++channel)
                block.each(images, [&](int i) { evaluate_channel(request, first + i, channel); });
        if (!block.comes_last(&args.books->arrivals))
            return;
        block.each(1, [&](int) {
            report_fault(request, args.books->rank_of_fault);
            args.books->rank_of_fault = 0;
        });
        if (args.ends_update)
            commit_update::run_at_once(block, args.commit);
    }
};

} // namespace iqa::cuda
