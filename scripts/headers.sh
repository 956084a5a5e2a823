#!/bin/sh
# SPDX-License-Identifier: MIT
# Compiles every header and kernel file alone, or those given; and looks at what kernel files include
# (src/cpu/isa/README.md).
set -eu
cd "$(dirname "$0")/.."

strangers=$(git ls-files -co --exclude-standard 'src/cpu/*.inl' 'src/cpu/*/lanes_*.h' 'src/cpu/*/digits_*.h' \
    'src/cpu/*/tiles_*.h' 'src/cpu/*/instruction_set.h' 'src/cpu/*/kernels.hpp' | xargs grep -n '#include' |
    grep -Ev '"arith/|\.inl"|/(lanes_|digits_|tiles_)[a-z0-9]*\.h"|/instruction_set\.h"|/kernels\.hpp"|<(immintrin|stdint)\.h>') ||
    true
if [ -n "$strangers" ]; then
    printf 'kernel files may not include:\n%s\n' "$strangers"
    exit 1
fi

files=${*:-$(git ls-files -co --exclude-standard 'include/*.h' 'src/*.h' 'src/*.hpp' 'src/*.inl' 'cuda/*.h' 'cuda/*.hpp' \
    'tools/*.hpp' 'bindings/cpp/*.hpp')}
EIGEN=$(pkg-config --cflags eigen3 | sed 's/-I/-isystem /g')
export EIGEN
# shellcheck disable=SC2016,SC2086 # the inner shell's variables; no file name has a space
printf '%s\n' $files | xargs -P "$(nproc)" -n 1 sh -c '
    case $0 in
    *lanes_avx*) lanes="-mavx2 -mfma -mavx512f -mavx512bw -mavx512dq -mavx512vl" ;;
    *) lanes= ;;
    esac
    exec ${CXX:-c++} -std=c++20 -fsyntax-only -Wall -Wextra -Werror -Wno-unused-function $lanes \
        $EIGEN -Isrc -Iinclude -I. -Itools -Ibindings/cpp -x c++ -include "$0" /dev/null'
echo "$(echo "$files" | wc -w) headers and kernel files compile alone"
