#!/bin/bash
# SPDX-License-Identifier: MIT
# Debian packages of this machine's release: libiqa0.x, libiqa-dev, iqa, python3-iqa.
# Usage: scripts/deb.sh [DIRECTORY]    (default: dist; needs what scripts/packages.sh lists for building)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
out=$(realpath -m "${1:-dist}")
build=$root/build-deb
log=$build.log
{
    cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr -DIQA_CUDA=OFF \
        -DIQA_WERROR=ON -DIQA_BUILD_TESTS=OFF -DIQA_INSTALL_PYTHON=ON
    cmake --build "$build"
    cd "$build"
    umask 022
    cpack -G DEB -B "$out"
} > "$log" 2>&1 || { tail -n 40 "$log"; exit 1; }
rm -rf "$out/_CPack_Packages"
ls -l "$out"/*.deb
