#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the documentation site into build/site and checks every link of it. The pages need no network, neither while they
# are built nor in a browser; to look at them: python3 -m http.server --directory build/site
set -eu
cd "$(dirname "$0")/.."
build=$PWD/build
venv=$build/venv
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r docs/site/requirements.txt
if [ ! -f "$build/libiqa_c.so" ]; then # the Python reference has what the library says of its options
    . scripts/packages.sh
    # shellcheck disable=SC2086
    install_packages $iqa_packages_build
    [ -f "$build/CMakeCache.txt" ] || cmake -S . -B "$build" -G Ninja -DIQA_CUDA=OFF > /dev/null
    cmake --build "$build" --target iqa_c > /dev/null
fi
export IQA_LIBRARY="$build/libiqa_c.so" PYTHONPATH="$PWD/bindings/python/src" NO_MKDOCS_2_WARNING=1
"$venv/bin/mkdocs" build --strict --quiet --config-file docs/site/mkdocs.yml
"$venv/bin/python" docs/site/check.py build/site
