#!/bin/bash
# SPDX-License-Identifier: MIT
# From a fresh Debian 12 to every test: installs what is missing, builds, and runs
#     style        clang-format, what each folder may see, clang-tidy
#     release      the optimised build, with CUDA for all architectures, and the tests of numbers, frame and manners,
#                  installed consumers, MPI, valgrind; what needs a GPU is skipped where there is none
#     demo         scripts/demo.sh
#     python       the Python package as pip installs it, the program, the documentation's own examples
#     sanitizers   the same C++ and C tests under clang's AddressSanitizer and UndefinedBehaviorSanitizer
#     fuzz         a few seconds of each fuzz target
#     threads      ThreadSanitizer
# Usage: scripts/test.sh [STEP ...]    (all steps without arguments; a summary at the end; exit status 1 if any failed)
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
root=$PWD
jobs=$(nproc)
build=$root/build
. scripts/packages.sh

step_packages() {
    # shellcheck disable=SC2086 # lists
    install_packages $iqa_packages_build $iqa_packages_test
}

configure_and_build() { # directory, options for CMake
    local directory=$1
    shift
    cmake -S "$root" -B "$directory" -G Ninja "$@" > "$directory.log" 2>&1 &&
        cmake --build "$directory" --parallel "$jobs" >> "$directory.log" 2>&1 ||
        { tail -n 60 "$directory.log"; return 1; }
}

run_ctest() { # directory, more arguments for ctest
    local directory=$1
    shift
    ctest --test-dir "$directory" --parallel "$jobs" --output-on-failure --no-tests=error "$@"
}

find_cuda() {
    CUDACXX=$(scripts/cuda_toolkit.sh) && export CUDACXX
}

step_release() {
    find_cuda && configure_and_build "$build" -DCMAKE_BUILD_TYPE=Release -DIQA_SANITIZE= -DIQA_BUILD_TESTS=ON \
        -DIQA_BUILD_TOOLS=ON -DIQA_BUILD_BENCH=ON -DIQA_WERROR=ON -DIQA_CUDA=ON && run_ctest "$build"
}

step_style() {
    scripts/format.sh --check && scripts/house.py && scripts/tidy.sh
}

step_demo() {
    scripts/demo.sh
}

step_python() {
    local venv=$build/venv
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv" || return 1
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/requirements.txt || return 1
    # Kernels take minutes to compile, and the release step did so.
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-build-isolation --no-deps --force-reinstall \
        --config-settings=cmake.define.IQA_CUDA=OFF ./bindings/python || return 1
    "$venv/bin/ruff" check --quiet bindings/python || return 1
    local failed=0
    local directory
    for directory in bindings/python/tests tests/cli tests/docs; do
        echo "pytest $directory"
        IQA_CLI=$build/tools/iqa IQA_BUILD_DIR=$build "$venv/bin/python" -m pytest -q "$directory" || failed=1
    done
    return $failed
}

step_sanitizers() {
    # clang's find more than gcc's, such as sizes added to a null pointer. Its OpenMP runtime leaves memory behind.
    # The CUDA backend runs on the CPU here; what nvcc compiles does not. Warnings are errors in the other builds. Tests
    # that play kernels over many inputs for the bits alone take minutes, and the others reach the same code.
    configure_and_build "$build-asan" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=clang \
        -DCMAKE_CXX_COMPILER=clang++ -DIQA_SANITIZE=address,undefined -DIQA_CUDA=OFF \
        -DCMAKE_C_FLAGS_RELWITHDEBINFO="-O1 -g1" -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" -DIQA_WERROR=OFF \
        -DIQA_BUILD_TOOLS=OFF && LSAN_OPTIONS=suppressions=$root/tests/leaks.txt run_ctest "$build-asan" \
        --exclude-regex '^cuda_(same_bits|ssim_arithmetic|fid_bits|confusion_bits)$'
}

step_fuzz() {
    scripts/fuzz.sh 10
}

step_threads() {
    scripts/tsan.sh
}

steps=("$@")
[ $# -gt 0 ] || steps=(packages release style demo python sanitizers fuzz threads)
summary=()
failures=0
for step in "${steps[@]}"; do
    printf '\n==== %s\n' "$step"
    started=$SECONDS
    if "step_$step"; then
        result=passed
    else
        result=FAILED
        failures=$((failures + 1))
    fi
    summary+=("$(printf '%-12s %s  %5d s' "$step" "$result" $((SECONDS - started)))")
done
printf '\n==== summary\n'
printf '%s\n' "${summary[@]}"
if [ $failures -gt 0 ]; then
    echo "$failures of ${#steps[@]} steps failed"
    exit 1
fi
echo "all ${#steps[@]} steps passed in $SECONDS s"
