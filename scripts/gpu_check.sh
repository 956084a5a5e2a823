#!/bin/bash
# SPDX-License-Identifier: MIT
# Everything that a GPU is needed for, in one call of less than nine minutes, without network: builds for this GPU, tests,
# looks for bad accesses and races, measures; prints a table at the end. The machine has nvcc, CMake, ninja and a Python
# with PyTorch; what else is needed lies in the folder that scripts/gpu_carry.sh filled.
#     [CARRIED=.carry] scripts/gpu_check.sh [FOLDER] [PART ...]
# writes into FOLDER, or into build-gpu/results:
#     gpu_check.json       the machine, each part's result, all figures
#     gpu_check.log        what the parts printed
# Parts: build, tests_cuda, tests_python, benchmark, compare, memcheck, racecheck, initcheck, synccheck, tests_all.
# Each has a time limit, and all together SECONDS_IN_ALL. What needs a GPU is skipped where there is none. Exit status 1
# if a part failed; one that was skipped is none. Nothing is changed on the card.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
carried=$(realpath "${CARRIED:-.carry}")
build=$PWD/build-gpu
results=$(realpath -m "${1:-$build/results}")
[ $# -eq 0 ] || shift
parts=("$@")
[ $# -gt 0 ] || parts=(build tests_cuda tests_python benchmark compare memcheck racecheck initcheck synccheck tests_all)
seconds_in_all=${SECONDS_IN_ALL:-520}
rm -rf "$results" "$build/logs"
mkdir -p "$results" "$build/logs"
gpu=$(nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.mem --format=csv,noheader 2> /dev/null | head -n 1)
nvcc=$(scripts/cuda_toolkit.sh) || exit 2
export CUDACXX=$nvcc
export PYTHONPATH=$build/site:$PWD/bindings/python/src${PYTHONPATH:+:$PYTHONPATH}
export IQA_LIBRARY=$build/libiqa_c.so PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
skipped=77

limit_of() { # seconds
    case $1 in
    build) echo 240 ;;
    tests_all) echo 150 ;;
    compare) echo 100 ;;
    *) echo 60 ;;
    esac
}

needs_gpu() { # a part; the tests with the label cuda run on a machine that they play, and on the GPU where there is one
    case $1 in build | tests_cuda | tests_all) return 1 ;; esac
}

skip() {
    echo "skipped: $1"
    exit $skipped
}

part_build() {
    python3 -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-cache-dir --upgrade \
        --target "$build/site" "$carried"/wheels/*.whl || echo "the peers of the comparison could not be installed"
    local architectures=native
    [ -n "$gpu" ] || architectures=80
    cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DIQA_CUDA=ON -DIQA_BUILD_BENCH=ON \
        -DIQA_BUILD_TOOLS=OFF -DIQA_BUILD_FRAME_TESTS=OFF -DIQA_WERROR=OFF \
        -DCMAKE_CUDA_ARCHITECTURES="${CMAKE_CUDA_ARCHITECTURES:-$architectures}" \
        -DCatch2_DIR="$carried/usr/lib/cmake/Catch2" &&
        cmake --build "$build" --parallel "$(nproc)" --target iqa_c && # the most important comes first
        cmake --build "$build" --parallel "$(nproc)" -- -k 0
}

run_ctest() {
    ctest --test-dir "$build" --parallel "$(nproc)" --output-on-failure --no-tests=error "$@"
}

part_tests_cuda() { run_ctest --label-regex cuda; }
part_tests_all() { run_ctest --label-exclude cuda; }
part_tests_python() { python3 -m pytest -q -p no:cacheprovider bindings/python/tests/test_gpu.py; }

sanitize() { # tool, its options
    local sanitizer
    sanitizer=$(PATH=$PATH:$(dirname "$nvcc"):/usr/local/cuda/bin command -v compute-sanitizer) ||
        skip "no compute-sanitizer"
    [ -x "$build/tests/test_cuda_gpu" ] || skip "no tests/test_cuda_gpu"
    "$sanitizer" --tool "$1" --error-exitcode 1 --print-limit 20 "${@:2}" "$build/tests/test_cuda_gpu" "[sanitizer]"
}

part_memcheck() { sanitize memcheck --track-stream-ordered-races all; }
part_racecheck() { sanitize racecheck --racecheck-report all; }
part_initcheck() { sanitize initcheck; }
part_synccheck() { sanitize synccheck; }

part_benchmark() {
    [ -x "$build/bench/iqa_bench_cuda" ] || skip "no bench/iqa_bench_cuda"
    "$build/bench/iqa_bench_cuda" > "$build/logs/benchmark.jsonl"
}

part_compare() { python3 bench/python/compare_cuda.py --seconds 80 --json "$build/logs/compare.json"; }

failures=0
for part in "${parts[@]}"; do
    left=$((seconds_in_all - SECONDS))
    limit=$(limit_of "$part")
    [ "$limit" -le "$left" ] || limit=$left
    started=$SECONDS
    log=$build/logs/$part.log
    if needs_gpu "$part" && [ -z "$gpu" ]; then
        result="skipped: no GPU"
    elif [ "$limit" -lt 5 ]; then
        result="skipped: no time left"
    else
        printf '==== %s, at most %d s\n' "$part" "$limit"
        # A shell of its own, which can be ended with all that it started.
        export -f run_ctest sanitize skip "part_$part"
        export build carried gpu nvcc skipped
        timeout --kill-after=5 "$limit" bash -uo pipefail -c "part_$part" > "$log" 2>&1
        case $? in
        0) result=passed ;;
        "$skipped") result=$(tail -n 1 "$log") ;;
        124 | 137) result="FAILED: ran past $limit s" ;;
        *) result=FAILED ;;
        esac
    fi
    case $result in FAILED*)
        failures=$((failures + 1))
        tail -n 40 "$log"
        ;;
    esac
    printf '%s\t%s\t%d\n' "$part" "$result" $((SECONDS - started)) >> "$build/logs/parts.txt"
done

for log in "$build"/logs/*.log; do
    [ -f "$log" ] || continue
    printf '==== %s\n' "$(basename "$log" .log)"
    cat "$log"
done > "$results/gpu_check.log"
python3 scripts/gpu_report.py "$build/logs" "$results/gpu_check.json" \
    --gpu "${gpu:-none}" --nvcc "$("$nvcc" --version | sed -n 's/.*, V//p')" || failures=$((failures + 1))
[ $failures -eq 0 ]
