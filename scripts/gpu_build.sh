#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds what scripts/gpu_check.sh runs, and no more, into build-gpu. Arguments go to CMake. Kernels know their lines of
# source, which checkers name, and are compressed; no instruction differs.
#     scripts/gpu_build.sh -DCMAKE_CUDA_ARCHITECTURES=90
set -eu
cd "$(dirname "$0")/.."
CUDACXX=${CUDACXX:-$(scripts/cuda_toolkit.sh)}
export CUDACXX
cmake -S . -B build-gpu -G Ninja -DCMAKE_BUILD_TYPE=Release -DIQA_CUDA=ON -DIQA_BUILD_BENCH=ON -DIQA_BUILD_TOOLS=OFF \
    -DIQA_BUILD_FRAME_TESTS=OFF -DIQA_WERROR=OFF -DCMAKE_BUILD_RPATH_USE_ORIGIN=ON \
    -DCMAKE_PLATFORM_NO_VERSIONED_SONAME=ON -DCMAKE_CUDA_FLAGS="-lineinfo -Xfatbin=-compress-all" "$@"
cmake --build build-gpu --parallel "$(nproc)" --target iqa_c test_cuda_gpu iqa_bench_cuda
