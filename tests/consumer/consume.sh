#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs a build into a prefix with a space and a non-ASCII letter, then builds and runs somebody else's program
# against it: by CMake, by pkg-config in C and C++, and by the header and dlopen alone, with no other header in reach.
# Usage: consume.sh CMAKE BUILD_DIRECTORY WORK_DIRECTORY
set -euo pipefail
cmake=$1
build=$2
work=$3
here=$(cd "$(dirname "$0")" && pwd)
prefix="$work/préfix with space"
rm -rf "$work"
mkdir -p "$work"
"$cmake" --install "$build" --prefix "$prefix" >"$work/install.log"

echo "== CMake"
"$cmake" -S "$here" -B "$work/by cmake" -DCMAKE_PREFIX_PATH="$prefix" >"$work/configure.log"
"$cmake" --build "$work/by cmake" >"$work/build.log"
"$work/by cmake/consumer"

echo "== pkg-config"
pc=$(find "$prefix" -name iqa_c.pc)
library_directory=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$pc")
flags=$(pkg-config --cflags --libs iqa_c)
eval "cc -std=c99 -Wall -Wextra -Werror '$here/main.c' -o '$work/by pkg-config' $flags"
LD_LIBRARY_PATH="$library_directory" "$work/by pkg-config"
eval "c++ -std=c++17 -Wall -Wextra -Werror '$here/main.cpp' -o '$work/by pkg-config, C++' $flags"
LD_LIBRARY_PATH="$library_directory" "$work/by pkg-config, C++"
[ "$(pkg-config --modversion iqa_c)" = "$(sed -n 's/^#define IQA_VERSION_[MP][A-Z]* //p' "$prefix/include/iqa_c.h" |
    paste -sd.)" ] || { echo "pkg-config and the header name different versions"; exit 1; }

echo "== the header includes the C library's own headers only"
included=$(cc -std=c99 -I "$prefix/include" -M -x c "$prefix/include/iqa_c.h" | tr ' \\' '\n\n' | grep '\.h$' |
    grep -vE '^/usr/(include|lib/gcc)/|^[^/]*iqa_c\.o' | grep -v 'iqa_c\.h$' || true)
[ -z "$included" ] || { echo "unexpected: $included"; exit 1; }
if grep -hE '^ *# *include' "$prefix/include/iqa_c.h" | grep -vE '<std(def|int)\.h>'; then
    echo "iqa_c.h includes more than stddef.h and stdint.h"
    exit 1
fi

echo "== a package of another minor version is refused"
sed 's/iqa_c [0-9.]* /iqa_c 0.999 /' "$here/CMakeLists.txt" >"$work/CMakeLists.txt"
cp "$here/main.c" "$work/main.c"
if "$cmake" -S "$work" -B "$work/wrong version" -DCMAKE_PREFIX_PATH="$prefix" >"$work/wrong.log" 2>&1; then
    echo "find_package accepted version 0.999"
    exit 1
fi
