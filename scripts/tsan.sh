#!/bin/sh
# SPDX-License-Identifier: MIT
# ThreadSanitizer over the tests with threads. clang and its OpenMP runtime, for gcc's is not instrumented and gives
# false reports; the runtime's own tool (libarcher) tells the sanitizer what its barriers mean.
set -eu
cd "$(dirname "$0")/.."
build=build-tsan
cmake --preset tsan > /dev/null
archer=$(dirname "$(readlink -f "$(command -v clang)")")/../lib/libarcher.so
[ -f "$archer" ] || { echo "$archer is missing: install libomp-dev"; exit 1; }
targets="manners_storm manners_runner c_lifecycle"
# shellcheck disable=SC2086 # a list
cmake --build --preset tsan --target $targets > "$build/build.log" || { cat "$build/build.log"; exit 1; }
for target in $targets; do
    echo "== $target"
    OMP_TOOL_LIBRARIES=$archer TSAN_OPTIONS="halt_on_error=1 ignore_noninstrumented_modules=1" "$build/tests/$target"
done
