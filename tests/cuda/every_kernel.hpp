// SPDX-License-Identifier: MIT
// Every .cu file, for a machine that has defined IQA_ENTRY.
#pragma once

#include "cuda/confusion.cu"
#include "cuda/count.cu"
#include "cuda/fid_moments.cu"
#include "cuda/fid_trace.cu"
#include "cuda/inception_score.cu"
#include "cuda/kid.cu"
#include "cuda/ledger.cu"
#include "cuda/shrink.cu"
#include "cuda/squared_error.cu"
#include "cuda/ssim.cu"
#include "cuda/ssim_blocks.cu"
#include "cuda/ssim_boxes.cu"
#include "cuda/ssim_gradient.cu"
#include "cuda/ssim_gradient_tiles.cu"
#include "cuda/ssim_tiles.cu"
