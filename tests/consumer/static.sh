#!/bin/bash
# SPDX-License-Identifier: MIT
# The static library as others link it, by pkg-config and by CMake. It is installed as a build with BUILD_SHARED_LIBS=OFF
# would do, with the archive that the tests' build makes of the same objects.
# Usage: static.sh CMAKE SOURCE ARCHIVE CUDA WORK_DIRECTORY
set -euo pipefail
cmake=$1
source=$2
archive=$3
cuda=$4
work=$5
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$work"
mkdir -p "$work/c only" "$work/with c++"
"$cmake" -S "$source" -B "$work/build" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DIQA_BUILD_TESTS=OFF \
    -DIQA_BUILD_TOOLS=OFF -DIQA_CUDA="$cuda" >"$work/configure.log"
cp "$archive" "$work/build/libiqa_c.a"
"$cmake" --install "$work/build" --prefix "$work/prefix" >"$work/install.log"

echo "== pkg-config"
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name iqa_c.pc)")
export PKG_CONFIG_PATH
eval "cc -std=c99 -Wall -Wextra -Werror '$here/main.c' -o '$work/by_pkg-config' $(pkg-config --static --cflags --libs iqa_c)"
"$work/by_pkg-config"

echo "== CMake"
cp "$here/main.c" "$here/CMakeLists.txt" "$work/c only"
cp "$here/main.c" "$work/with c++"
sed 's/LANGUAGES C)/LANGUAGES C CXX)/' "$here/CMakeLists.txt" >"$work/with c++/CMakeLists.txt"
"$cmake" -S "$work/with c++" -B "$work/by_cmake" -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/consumer.log"
"$cmake" --build "$work/by_cmake" >>"$work/consumer.log"
"$work/by_cmake/consumer"

echo "== a project without C++ is told why"
if "$cmake" -S "$work/c only" -B "$work/refused" -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/refused.log" 2>&1; then
    echo "find_package accepted a project that cannot link C++"
    exit 1
fi
grep -q "enable the language" "$work/refused.log" || { cat "$work/refused.log"; exit 1; }
