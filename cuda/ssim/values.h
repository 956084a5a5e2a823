// SPDX-License-Identifier: MIT
// The values of images from their sums (values/ssim.h), one image for each thread.
#pragma once

#include "cuda/machine/block.h"
#include "cuda/machine/commit.h"
#include "values/ssim.h"

namespace iqa::cuda {

// Zero between kernels.
struct ssim_values_bookkeeping {
    uint64_t first_at_fault; // the rank of the first image with any fault
    uint32_t arrivals;
    uint32_t unused;
};

struct ssim_values_kernel {
    struct arguments {
        ssim_values_request request;
        ssim_values_bookkeeping *books;
        bool ends_update;
        commit_update::arguments commit;
    };
    static constexpr int threads = 64;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const ssim_values_request &request = args.request;
        const int64_t first = block.index() * threads;
        const int64_t left = request.images - first;
        block.each(int(left < threads ? left : threads), [&](int i) {
            if (evaluate_image(request, first + i).kind != fault_kind::none)
                keep_most(&args.books->first_at_fault, fault_rank(fault_kind::none, first + i));
        });
        if (!block.comes_last(&args.books->arrivals))
            return;
        block.each(1, [&](int) {
            const uint64_t rank = args.books->first_at_fault;
            args.books->first_at_fault = 0;
            if (rank != 0 && request.report->kind == fault_kind::none)
                *request.report = evaluate_image(request, first_of_rank(rank)); // this update adds nothing
        });
        if (args.ends_update)
            commit_update::run_at_once(block, args.commit);
    }
};

struct ssim_slopes_kernel {
    struct arguments {
        ssim_values_request request;
        int level;
        double *factors;
    };
    static constexpr int threads = 64;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const int64_t first = block.index() * threads;
        const int64_t left = args.request.images * args.request.channels - first;
        block.each(int(left < threads ? left : threads), [&](int i) {
            const int64_t plane = first + i;
            args.factors[plane] =
                slope_of(args.request, args.level, plane / args.request.channels, plane % args.request.channels);
        });
    }
};

struct ssim_block_values_kernel {
    using arguments = ssim_block_values_request;
    static constexpr int threads = 64;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const int64_t first = block.index() * threads;
        const int64_t left = args.images - first;
        block.each(int(left < threads ? left : threads), [&](int i) { evaluate_image_of_blocks(args, first + i); });
    }
};

} // namespace iqa::cuda
