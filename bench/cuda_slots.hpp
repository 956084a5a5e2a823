// SPDX-License-Identifier: MIT
// Issue slots of CUDA kernels: a warp's instructions for 32 pixels (pairs of samples, labels) in nvcc's PTX for compute
// capability 9.0. The assembler makes two instructions of a 64-bit addition, three or four of a product, ten of a
// division, and none of most moves. tests/cuda/ptx/test_slots.cpp counts them on a machine that executes PTX, prints
// them, and fails if a kernel takes another number.
#pragma once

namespace iqa::slots {

// SSIM of plain images, 11 taps.
constexpr double ssim_uint8 = 245;
constexpr double ssim_float32 = 257;
constexpr double ssim_gradient = 604;    // with the values; float32, 240 x 384 pixels, a third of them near an edge
constexpr double ms_ssim_gradient = 883; // without the values; float32, five scales of 256 x 384 pixels
// General SSIM and its gradient without the values, 11 taps, for a pixel or voxel of the images: 240 x 384 float32 with
// a mask of bytes, and a volume of 32 x 64 x 128 float32.
constexpr double ssim_masked = 909;
constexpr double ssim_masked_gradient = 2772;
constexpr double ssim_volume = 875;
constexpr double ssim_volume_gradient = 6563;
constexpr double smaller_levels = 60; // all levels of MS-SSIM together, for a pixel of uint8 images

// 1080p RGB, where each block has few pairs.
constexpr double psnr_uint8 = 6.0;
constexpr double psnr_float32 = 48.8;
constexpr double psnr_masked_uint8 = 73;
constexpr double psnr_masked_float32 = 124;
constexpr double psnr_gradient = 54; // without the value; float32

constexpr double counts_uint8 = 15.5; // 19 classes, regions, 1024 x 1024

} // namespace iqa::slots
