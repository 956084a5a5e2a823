#!/bin/bash
# SPDX-License-Identifier: MIT
# From a fresh Debian 12 to every test: installs what is missing, builds, and runs
#     style        clang-format, what each folder may see, every header alone, clang-tidy
#     release      the optimised build, with CUDA for the oldest architecture and the one that tests execute
#                  (each further one takes a minute more), and the tests of numbers, frame and manners,
#                  installed consumers, MPI, valgrind; what needs a GPU is skipped where there is none
#     demo         scripts/demo.sh
#     python       the Python package as pip installs it, the program, the pages, packages; what needs PyTorch is
#                  skipped unless it is in build/venv
#     site         the documentation site, and every link of it
#     sanitizers   the same C++ and C tests under clang's AddressSanitizer and UndefinedBehaviorSanitizer
#     fuzz         a few seconds of each fuzz target
#     threads      ThreadSanitizer
# and, where it is named,
#     wheel        the wheel for glibc 2.28: built, audited, installed where nothing else is
# Usage: scripts/test.sh [STEP ...]    (all steps without arguments; a summary at the end; exit status 1 if any failed)
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
root=$PWD
jobs=$(nproc)
build=$root/build
. scripts/packages.sh

# What several builds compile alike is compiled once, wherever they are.
use_ccache() { # [the folder whose sources are built]
    command -v ccache > /dev/null || return 0
    export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
    export CCACHE_BASEDIR=${1:-$root} CCACHE_NOHASHDIR=true
}

step_packages() {
    # shellcheck disable=SC2086 # lists
    install_packages $iqa_packages_build $iqa_packages_test
}

build_and_test() { # preset of CMakePresets.json
    local log=$root/build-$1.log
    use_ccache
    cmake --preset "$1" > "$log" 2>&1 && cmake --build --preset "$1" --parallel "$jobs" >> "$log" 2>&1 ||
        { tail -n 60 "$log"; return 1; }
    ctest --preset "$1" --parallel "$jobs"
}

find_cuda() {
    CUDACXX=$(scripts/cuda_toolkit.sh) && export CUDACXX
}

step_release() {
    find_cuda && build_and_test gate
}

step_style() {
    scripts/format.sh --check && scripts/house.py && scripts/headers.sh && scripts/tidy.sh
}

step_demo() {
    scripts/demo.sh
}

step_python() {
    local venv=$build/venv
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv" || return 1
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/requirements.txt || return 1
    # The source distribution is what is installed, without the program, which the release step built: the tests of
    # `python -m iqa` and of the Debian packages run that one, and the step `wheel` that of a wheel. Unpacked in a folder
    # of its own it is compiled as the release is, with its warnings, so that the cache has it.
    local sdist=$build/sdist
    rm -rf "$sdist" && mkdir -p "$sdist" || return 1
    "$venv/bin/python" -c "from scikit_build_core.build import build_sdist as b; b('$sdist')" > "$build/sdist.log" ||
        { cat "$build/sdist.log"; return 1; }
    tar -xzf "$sdist"/iqa-*.tar.gz -C "$sdist" --strip-components=1 || return 1
    use_ccache "$sdist"
    CC=cc CXX=c++ "$venv/bin/pip" install --quiet --disable-pip-version-check --no-build-isolation --no-deps \
        --force-reinstall --config-settings=build-dir=build --config-settings=cmake.define.IQA_BUILD_TOOLS=OFF \
        --config-settings=cmake.define.IQA_WERROR=ON "$sdist" || return 1
    use_ccache
    "$venv/bin/ruff" check --quiet bindings/python tests/packages || return 1
    local failed=0
    local directory
    for directory in bindings/python/tests tests/cli tests/docs tests/packages; do
        echo "pytest $directory"
        IQA_CLI=$build/tools/iqa IQA_BUILD_DIR=$build "$venv/bin/python" -m pytest -q --numprocesses "$jobs" \
            --dist loadfile "$directory" || failed=1
    done
    return $failed
}

step_site() {
    scripts/site.sh
}

# Not among the steps that run without being named: it compiles all once more, against an older C library.
step_wheel() {
    local venv=$build/venv
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv" || return 1
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/requirements.txt || return 1
    use_ccache
    PYTHON=$venv/bin/python scripts/wheel.sh "$build/wheelhouse" &&
        tests/packages/check_wheel.sh "$build"/wheelhouse/iqa-*.whl "$build/wheel" "$build/libiqa_c.so"
}

step_sanitizers() {
    # clang's find more than gcc's, such as sizes added to a null pointer. Its OpenMP runtime leaves memory behind.
    # The CUDA backend runs on the CPU here; what nvcc compiles does not.
    build_and_test asan
}

step_fuzz() {
    use_ccache
    scripts/fuzz.sh 10
}

step_threads() {
    scripts/tsan.sh
}

steps=("$@")
[ $# -gt 0 ] || steps=(packages release style demo python site sanitizers fuzz threads)
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
