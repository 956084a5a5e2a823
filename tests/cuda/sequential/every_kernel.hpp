// SPDX-License-Identifier: MIT
// Includes every .cu file, for a machine that defines IQA_ENTRY.
#pragma once

#include "cuda/confusion/counts.cu"
#include "cuda/features/inception_score.cu"
#include "cuda/features/kid.cu"
#include "cuda/features/moments.cu"
#include "cuda/features/prdc.cu"
#include "cuda/features/trace.cu"
#include "cuda/images/count.cu"
#include "cuda/machine/ledger.cu"
#include "cuda/network/convolution.cu"
#include "cuda/network/network.cu"
#include "cuda/psnr/squared_error.cu"
#include "cuda/ssim/blocks.cu"
#include "cuda/ssim/boxes.cu"
#include "cuda/ssim/gradient.cu"
#include "cuda/ssim/gradient_tiles.cu"
#include "cuda/ssim/shrink.cu"
#include "cuda/ssim/tiles.cu"
#include "cuda/ssim/values.cu"
