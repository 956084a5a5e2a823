#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints the path of a CUDA compiler, nvcc 12.0 or newer, for CMake:
#     CUDACXX=$(scripts/cuda_toolkit.sh) cmake -S . -B build -D IQA_CUDA=ON
# It is the one on PATH or in /usr/local/cuda; where there is none, or with --wheels, that of the Python wheels which
# cmake/cuda-requirements.txt names, installed into build/cuda. No GPU and no driver are needed.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
wanted=$root/cmake/cuda-requirements.txt
toolkit=$root/build/cuda

new_enough() {
    major=$("$1" --version 2> /dev/null | sed -n 's/.*release \([0-9]*\)\..*/\1/p')
    [ "${major:-0}" -ge 12 ]
}

if [ "${1:-}" != --wheels ]; then
    for nvcc in "$(command -v nvcc || true)" /usr/local/cuda/bin/nvcc; do
        if new_enough "$nvcc"; then
            echo "$nvcc"
            exit
        fi
    done
fi

cmp -s "$wanted" "$toolkit/installed.txt" || {
    rm -rf "$toolkit"
    python3 -c "import ensurepip" 2> /dev/null || {
        . "$root/scripts/packages.sh"
        install_packages python3-venv
    }
    python3 -m venv "$toolkit"
    "$toolkit/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --no-deps -r "$wanted"
    cd "$toolkit"/lib/python3*/site-packages/nvidia/cu13
    ln -s lib lib64 # where nvcc and CMake look
    ln -s libcudart.so.13 lib/libcudart.so
    cp "$wanted" "$toolkit/installed.txt"
} >&2
echo "$toolkit"/lib/python3*/site-packages/nvidia/cu13/bin/nvcc
