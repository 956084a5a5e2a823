#!/bin/sh
# SPDX-License-Identifier: MIT
# Gathers what scripts/gpu_check.sh needs on a machine without network, into .carry or the folder given: the programs it
# runs, built for sm_90, or for what CMAKE_CUDA_ARCHITECTURES says; the Python packages to compare with; and Catch2,
# from Debian's package, should the programs not start there and have to be built.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=scripts/packages.sh
. scripts/packages.sh
carried=$(realpath -m "${1:-.carry}")
install_packages catch2
scripts/gpu_build.sh -DCMAKE_CUDA_ARCHITECTURES="${CMAKE_CUDA_ARCHITECTURES:-90}"
rm -rf "$carried"
mkdir -p "$carried/build"
(cd build-gpu && cp --parents libiqa_c.so tests/test_cuda_gpu bench/iqa_bench_cuda "$carried/build")
dpkg -L catch2 | grep -E '/(include|lib)/' | while read -r file; do
    [ -d "$file" ] || install -D -m 644 "$file" "$carried$file"
done
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --no-compile \
    --only-binary :all: --python-version 3.12 --target "$carried/site" -r bench/python/cuda_requirements.txt
du -sh "$carried"
