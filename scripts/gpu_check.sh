#!/bin/bash
# SPDX-License-Identifier: MIT
# All that a GPU is needed for, and nothing else, in one call of at most nine minutes, without network: tests, looks for
# races and bad accesses, measures. The machine has a GPU's driver and a Python with PyTorch; programs and peers lie in
# the folder that scripts/gpu_carry.sh filled. Programs that do not work there are built, if it has nvcc.
#     [CARRIED=.carry] scripts/gpu_check.sh [FOLDER] [PART ...]
# Parts, each with a limit of its own, in this order:
#     machine           versions; what copies, multiplications and launches take. Always; the rest if a GPU answered
#     cases             each test of test_cuda_gpu in a process of its own; if the shared cases fail, each of them
#     race_in_parts     racecheck where a block takes several parts of the work
#     racecheck, memcheck, synccheck       a few cases of each metric. No initcheck: it takes the padding of totals,
#                       which lanes exchange with them, for faults
#     benchmark, python, compare           bench/cuda.cpp, test_gpu.py, bench/python/compare_cuda.py
#     ncu               counters of five kernels
# Each writes as it goes into FOLDER/gpu_check, where FOLDER is build-gpu if not given: summary.txt has a line for each
# part and each case, PASS, FAIL or SKIP; seven other files have what the parts printed. scripts/gpu_report.py makes
# tables of them. Exit status 1 if anything failed. Nothing is changed on the card.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
carried=$(realpath -m "${CARRIED:-.carry}")
results=$(realpath -m "${1:-build-gpu}")/gpu_check
parts=("${@:2}")
[ $# -gt 1 ] || parts=(cases race_in_parts racecheck memcheck synccheck benchmark python compare ncu)
seconds_in_all=${SECONDS_IN_ALL:-540}
seconds_of_a_case=${SECONDS_OF_A_CASE:-25}
cuda=${CUDA_HOME:-/usr/local/cuda}
programs=$carried/build
summary=$results/summary.txt
shared_cases="CPU and CUDA give the same bytes"

limit_of() { # a part: seconds, 540 in all unless something must be built
    case $1 in
    machine) echo 30 ;;
    build) echo 150 ;;
    cases) echo 70 ;;
    race_in_parts) echo 40 ;;
    racecheck) echo 35 ;;
    memcheck) echo 45 ;;
    synccheck) echo 25 ;;
    benchmark) echo 40 ;;
    python) echo 150 ;;
    compare) echo 65 ;;
    ncu) echo 40 ;;
    esac
}

log_of() { # a part
    case $1 in
    machine | build) echo "$results/machine.log" ;;
    race_in_parts | *check) echo "$results/sanitizers.log" ;;
    benchmark | compare) echo "$results/$1.jsonl" ;;
    ncu) echo "$results/ncu.csv" ;;
    *) echo "$results/$1.log" ;;
    esac
}

line() { # PASS, FAIL or SKIP; seconds; what it is about
    printf '%s %4d s  %s\n' "$@" | tee -a "$summary" >&3
}

skip() {
    echo "$1"
    exit 77
}

tool() { # where a program of the CUDA toolkit is; nothing if nowhere
    { command -v "$1" || compgen -G "$cuda/bin/$1" || compgen -G "/opt/nvidia/nsight-compute/*/$1"; } | head -n 1
}

joined() { # lines to one
    paste -sd ';' | sed 's/;/; /g'
}

meaning_of() { # an exit status, the limit
    case $1 in
    0) echo "nothing was tested" ;;
    124 | 137) echo "ran past $2 s" ;;
    1[3-5]?) echo "ended by signal $(($1 - 128))" ;;
    *) echo "exit status $1" ;;
    esac
}

# ---- The parts. What they print goes to their logs.

part_machine() {
    date
    timeout 5 nvidia-smi
    timeout 5 nvidia-smi --query-gpu=name,driver_version,compute_cap,clocks.max.sm,clocks.max.mem --format=csv
    uname -sr
    ldd --version | head -n 1
    python3 --version
    for name in nvcc compute-sanitizer ncu; do [ -z "$(tool $name)" ] || "$(tool $name)" --version; done
    "$programs/bench/iqa_bench_cuda" ceilings || return
    [ -n "$("$programs/tests/test_cuda_gpu" --list-test-names-only)" ]
}

part_build() {
    [ -n "$(tool nvcc)" ] || skip "no nvcc"
    CUDACXX=$(tool nvcc) scripts/gpu_build.sh -DCMAKE_CUDA_ARCHITECTURES=native \
        -DCatch2_DIR="$carried/usr/lib/cmake/Catch2"
}

run_case() { # its name, arguments of the program
    local log=$scratch/$BASHPID began=$SECONDS status
    echo "==== $1" > "$log"
    timeout --foreground --kill-after=2 "$seconds_of_a_case" \
        "$programs/tests/test_cuda_gpu" "${@:2}" >> "$log" 2>&1 3>&-
    status=$?
    if [ $status -eq 0 ] && grep -q "^All tests passed" "$log"; then
        line PASS $((SECONDS - began)) "case $1" 3> /dev/null
    else
        line FAIL $((SECONDS - began)) \
            "case $1: $({ meaning_of $status "$seconds_of_a_case"; grep -m 1 ^CUDA: "$log"; } | joined)"
        head -c 100000 "$log"
    fi
    rm "$log"
}

run_test() { run_case "$1" "${1//,/\\,}"; }

run_section() { run_case "$1" "$shared_cases" -c "$1"; }

at_once() { # processes, function: runs it for each line
    tr '\n' '\0' | xargs -0 -n 1 -P "$1" bash -c "$2 \"\$1\"" bash
}

part_cases() {
    "$programs/tests/test_cuda_gpu" --list-test-names-only | at_once 4 run_test
    if grep -q "^FAIL.*case $shared_cases" "$summary"; then
        "$programs/tests/test_cuda_gpu" "[.names]" | sed -n 's/^section: //p' | at_once 8 run_section
    fi
    ! grep -q "^FAIL.*  case " "$summary"
}

sanitize() { # the tests, the tool, its options
    local sanitizer
    sanitizer=$(tool compute-sanitizer)
    [ -n "$sanitizer" ] || skip "no compute-sanitizer"
    echo "==== $*"
    "$sanitizer" --tool "${@:2}" --error-exitcode 9 --print-limit 20 "$programs/tests/test_cuda_gpu" "$1"
}

part_race_in_parts() { sanitize "[parts]" racecheck --racecheck-report all; }
part_racecheck() { sanitize "[sanitizer]" racecheck --racecheck-report all; }
part_memcheck() { sanitize "[sanitizer]" memcheck --track-stream-ordered-races all; }
part_synccheck() { sanitize "[sanitizer]" synccheck; }

part_benchmark() { "$programs/bench/iqa_bench_cuda"; }

part_python() {
    # Warnings of other packages' versions are no errors here.
    python3 -m pytest -v --tb=short --durations=5 -W default -o faulthandler_timeout=60 -p no:cacheprovider \
        bindings/python/tests/test_gpu.py
}

part_compare() { python3 bench/python/compare_cuda.py --json --seconds 50; }

profile() { # kernel, the figure that launches it
    "$ncu" --clock-control none --section SpeedOfLight --section LaunchStats --section Occupancy \
        --metrics gpu__time_duration.sum,smsp__inst_executed.sum,smsp__inst_issued.sum,dram__bytes.sum \
        --kernel-name-base demangled --kernel-name "regex:$1" --launch-skip 2 --launch-count 1 --kill yes \
        --csv "$programs/bench/iqa_bench_cuda" "$2"
}

part_ncu() {
    local ncu
    ncu=$(tool ncu)
    [ -n "$ncu" ] || skip "no ncu"
    profile 'ssim_tiles<float, unsigned char' "SSIM, uint8 1 x 3 x 1080 x 1920"
    profile 'ssim_gradient_tiles<float' "SSIM and gradient, float32 1 x 3 x 1080 x 1920"
    profile 'count_in_tables' "counts, 19 classes, uint8, noise"
    profile 'add_moments' "FID moments, 2 x 10000 x 2048, 32-bit words"
    profile 'multiply_both_ways' "FID value after an update"
    [ "$(grep -c '"gpu__time_duration.sum"' "$(log_of ncu)")" -eq 5 ]
}

# ---- All of them

remark_on() { # a part, its exit status, its limit
    local log
    log=$(log_of "$1")
    case $2 in
    0) ;;
    77) tail -n 1 "$log" && return ;;
    *) meaning_of "$2" "$3" ;;
    esac
    case $1 in
    cases) echo "$(grep -c '^PASS.*  case ' "$summary") passed, $(grep -c '^FAIL.*  case ' "$summary") failed" ;;
    *check | race_in_parts) tac "$log" | sed '/^==== /q' | sed -n '/SUMMARY/s/^=* *//p' ;;
    python) tail -n 1 "$log" ;;
    esac
}

run_part() {
    local limit left began=$SECONDS status verdict remark
    limit=$(limit_of "$1")
    left=$((seconds_in_all - SECONDS))
    if [ "$left" -lt 2 ]; then
        line SKIP 0 "$1: no time left"
        return 77
    fi
    [ "$limit" -le "$left" ] || limit=$left
    # A group of processes of its own, which ends with all that it started.
    timeout --kill-after=3 "$limit" bash -uo pipefail -c "part_$1" < /dev/null >> "$(log_of "$1")" 2>&1 &
    wait $!
    status=$?
    kill -KILL -- -$! 2> /dev/null
    case $status in
    0) verdict=PASS ;;
    77) verdict=SKIP ;;
    *) verdict=FAIL ;;
    esac
    [ "$1" != machine ] || [ $status -eq 0 ] || verdict=SKIP # where programs do not work, some may be built
    remark=$(remark_on "$1" $status "$limit" | joined)
    line $verdict $((SECONDS - began)) "$1${remark:+: $remark}"
    return $status
}

# From a cold disk imports are slow: they begin long before they are needed.
warm_imports() {
    for name in torch cupy jax torchmetrics; do python3 -c "import $name"; done
}

# No GPU, as a program says that did start, and as far as can be seen.
no_gpu() { # exit status of the part machine
    [ "$1" -eq 77 ] && ! timeout 5 nvidia-smi -L > /dev/null 2>&1 && ! compgen -G '/dev/nvidia[0-9]*' > /dev/null
}

mkdir -p "$results" || exit 2
for part in machine cases racecheck benchmark python compare ncu; do rm -f "$(log_of $part)"; done
: > "$summary"
scratch=$(mktemp -d) || exit 2
exec 3>&1
ulimit -c 0
export carried results programs summary shared_cases seconds_of_a_case cuda scratch
export PYTHONPATH=$carried/site:$PWD/bindings/python/src${PYTHONPATH:+:$PYTHONPATH}
export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 XLA_PYTHON_CLIENT_PREALLOCATE=false
while read -r name; do export -f "${name##* }"; done < <(declare -F)
setsid bash -c warm_imports > /dev/null 2>&1 &
warming=$!
trap 'kill -- -$warming 2> /dev/null; rm -rf "$scratch"' EXIT

run_part machine
status=$?
if [ $status -ne 0 ] && ! no_gpu $status; then
    programs=$PWD/build-gpu
    run_part build && run_part machine
    status=$?
    [ $status -eq 0 ] || line FAIL 0 "machine: no programs that work with the GPU here"
fi
export IQA_LIBRARY=$programs/libiqa_c.so
for part in "${parts[@]}"; do
    if [ $status -eq 0 ]; then
        run_part "$part"
    else
        line SKIP 0 "$part: see machine"
    fi
done
[ ! -f "$(log_of python)" ] || sed -nE 's/.*::(test[^ ]*) (FAILED|ERROR).*/\1/p' "$(log_of python)" |
    while read -r name; do line FAIL 0 "python $name"; done

for part in machine build "${parts[@]}"; do
    grep -q "^FAIL.* s  $part\b" "$summary" || continue
    printf '\n==== the end of %s, for %s\n' "$(log_of "$part")" "$part"
    tail -c 1200 "$(log_of "$part")"
done
echo
! grep "^FAIL" "$summary"
