#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the fuzz targets with clang and runs each for a while:
#     scripts/fuzz.sh [SECONDS [TARGET ...]]     targets: state calls device image_readers
# What reaches new code is kept in build-fuzz/corpus, so that a long run goes on where the last one ended; an input that
# breaks something is kept as build-fuzz/crash-*.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build-fuzz
seconds=${1:-60}
[ $# -eq 0 ] || shift
targets=${*:-state calls device image_readers}
if [ "$targets" != image_readers ]; then
    cmake -S "$root/fuzz" -B "$build" -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ > /dev/null
    cmake --build "$build" > "$build/build.log" || { cat "$build/build.log"; exit 1; }
fi
for target in $targets; do
    echo "== $target, $seconds s"
    corpus=$build/corpus/$target
    mkdir -p "$corpus"
    log=$build/$target.log
    case $target in
    state) set -- "$build/fuzz_state" -max_len=5120 "$corpus" "$root/tests/golden" ;;
    calls | device) set -- "$build/fuzz_$target" -max_len=512 -len_control=0 "$corpus" ;;
    *) set -- "$root/fuzz/$target.sh" "$seconds" "$corpus" ;;
    esac
    [ "$target" = image_readers ] || set -- "$@" -max_total_time="$seconds" -artifact_prefix="$build/crash-"
    "$@" > "$log" 2>&1 || { tail -40 "$log"; echo "$target: an input breaks it"; exit 1; }
    grep -E '^Done|^stat::number_of_executed' "$log" || true
done
