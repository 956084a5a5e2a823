#!/bin/sh
# SPDX-License-Identifier: MIT
# clang-tidy with .clang-tidy over the library's own files, or over those given. Needs a configured build/.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
[ -f "$build/compile_commands.json" ] || cmake -S . -B "$build" -G Ninja > /dev/null
# As clang understands them: options of GCC that decide how structures are copied are none of its.
mkdir -p "$build/tidy"
sed 's/ -mmem[a-z]*-strategy=[^ "]*//g' "$build/compile_commands.json" > "$build/tidy/compile_commands.json"
# Of the CUDA backend what this build has.
of_cuda=$(git ls-files 'cuda/*.cpp' | while read -r file; do
    ! grep -q "/$file\"" "$build/compile_commands.json" || echo "$file"
done)
files=${*:-$(git ls-files 'src/*.cpp' | grep -v '/isa/[ab]') $of_cuda}
# The instruction sets are one body compiled three times: once is enough.
[ $# -gt 0 ] || files="$files src/cpu/isa/baseline.cpp"
# shellcheck disable=SC2086 # no file name has a space
printf '%s\n' $files | xargs -P "$(nproc)" -n 2 clang-tidy -p "$build/tidy" --quiet --warnings-as-errors='*' \
    --extra-arg=-Wno-unknown-warning-option 2> /dev/null
echo "clang-tidy has nothing to say"
