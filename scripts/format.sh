#!/bin/sh
# SPDX-License-Identifier: MIT
# Lays out every C, C++ and CUDA file as .clang-format says; with --check, complains about those that are not.
set -eu
cd "$(dirname "$0")/.."
mode=-i
[ "${1:-}" != --check ] || mode="--dry-run -Werror"
files=$(git ls-files -co --exclude-standard '*.c' '*.h' '*.cpp' '*.hpp' '*.inl' '*.inc' '*.cu' '*.cuh')
# shellcheck disable=SC2086 # no file name has a space
clang-format $mode $files
echo "$(echo "$files" | wc -l) files are in order"
