// SPDX-License-Identifier: MIT
// The values of images from their sums, one image in each thread: values/ssim.h.
#pragma once

#include "cuda/machine/block.h"
#include "cuda/machine/commit.h"
#include "values/ssim.h"

namespace iqa::cuda {

// Zero between kernels.
struct ssim_values_bookkeeping {
    uint64_t first_at_fault; // the rank of the first image that has a fault, of whatever kind
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
    IQA_KERNEL static void run(Block &block, const arguments &given)
    {
        const ssim_values_request &request = given.request;
        const int64_t first = block.index() * threads;
        const int64_t left = request.images - first;
        block.each(int(left < threads ? left : threads), [&](int i) {
            if (evaluate_image(request, first + i).kind != fault_kind::none)
                keep_most(&given.books->first_at_fault, fault_rank(fault_kind::none, first + i));
        });
        if (!block.comes_last(&given.books->arrivals))
            return;
        block.each(1, [&](int) {
            const uint64_t rank = given.books->first_at_fault;
            given.books->first_at_fault = 0;
            if (rank != 0 && request.report->kind == fault_kind::none)
                *request.report = evaluate_image(request, image_of_rank(rank)); // nothing of this update will be added
        });
        if (given.ends_update)
            commit_update::run_at_once(block, given.commit);
    }
};

struct ssim_factors_kernel {
    struct arguments {
        ssim_values_request request;
        int scale;
        double *factors;
    };
    static constexpr int threads = 64;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &given)
    {
        const int64_t first = block.index() * threads;
        const int64_t left = given.request.images * given.request.channels - first;
        block.each(int(left < threads ? left : threads), [&](int i) {
            const int64_t plane = first + i;
            given.factors[plane] =
                factor_of(given.request, given.scale, plane / given.request.channels, plane % given.request.channels);
        });
    }
};

struct ssim_block_values_kernel {
    using arguments = ssim_block_values_request;
    static constexpr int threads = 64;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &given)
    {
        const int64_t first = block.index() * threads;
        const int64_t left = given.images - first;
        block.each(int(left < threads ? left : threads), [&](int i) { evaluate_image_of_blocks(given, first + i); });
    }
};

} // namespace iqa::cuda
