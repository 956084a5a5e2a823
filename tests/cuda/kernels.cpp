// SPDX-License-Identifier: MIT
// The kernels of every .cu file, compiled for the tests' sequential machine.
#include "cuda/sequential.hpp"

#define IQA_ENTRY(...)                                                                                                 \
    template <>                                                                                                        \
    const void *entry_of<__VA_ARGS__>()                                                                                \
    {                                                                                                                  \
        return test::sequential_entry<__VA_ARGS__>();                                                                  \
    }

#include "cuda/confusion.cu"
#include "cuda/count.cu"
#include "cuda/fid_moments.cu"
#include "cuda/fid_trace.cu"
#include "cuda/ledger.cu"
#include "cuda/shrink.cu"
#include "cuda/squared_error.cu"
#include "cuda/ssim.cu"
#include "cuda/ssim_blocks.cu"
#include "cuda/ssim_boxes.cu"
#include "cuda/ssim_gradient.cu"
#include "cuda/ssim_gradient_tiles.cu"
#include "cuda/ssim_tiles.cu"
