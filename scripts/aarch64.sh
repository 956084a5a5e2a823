#!/bin/bash
# SPDX-License-Identifier: MIT
# The numbers on aarch64, where only x86-64 is: tests of metrics, compiled by Debian's cross compiler and run by QEMU,
# which takes minutes. The kernels are the baseline's, with the processor's fused multiply-add.
# Usage: scripts/aarch64.sh [TEST ...]    (names as ctest has them, such as ssim_boxes; default: same_bits, whose
# recorded checksums are those of x86-64)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/packages.sh
# shellcheck disable=SC2086,SC2154 # lists
install_packages $iqa_packages_build $iqa_packages_aarch64
tests=("$@")
[ $# -gt 0 ] || tests=(same_bits)
build=build-aarch64
triple=aarch64-linux-gnu
cmake -S . -B $build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
    -DCMAKE_C_COMPILER=$triple-gcc -DCMAKE_CXX_COMPILER=$triple-g++ \
    -DIQA_WERROR=ON -DIQA_CUDA=OFF -DIQA_BUILD_TOOLS=OFF -DIQA_BUILD_FRAME_TESTS=OFF > $build.log
cmake --build $build --target iqa_c "${tests[@]/#/test_}" >> $build.log || { tail -n 40 $build.log; exit 1; }
for test in "${tests[@]}"; do
    echo "== $test"
    qemu-aarch64-static -L /usr/$triple $build/tests/test_"$test"
done
