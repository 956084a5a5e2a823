#!/bin/sh
# SPDX-License-Identifier: MIT
# From a fresh Debian 12 to numbers and pictures: installs what is missing, builds, compares the shipped photographs with
# their distortions, and draws where they differ. Needs root or sudo only where packages are missing.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build
out=$root/out
. "$root/scripts/packages.sh"
# shellcheck disable=SC2086
install_packages $iqa_packages_build

[ -f "$build/CMakeCache.txt" ] ||
    cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DIQA_BUILD_TESTS=OFF -DIQA_CUDA=OFF > /dev/null
cmake --build "$build" --target iqa > "$build/demo.log" 2>&1 || {
    cat "$build/demo.log" >&2
    exit 1
}
iqa=$build/tools/iqa
data=$root/tests/data
mkdir -p "$out"

value() { printf '%s\n' "$report" | sed -n "s/^$1  *\([^ ]*\).*/\1/p"; }

printf '%-24s %-14s %10s %12s %14s\n' picture distortion SSIM "PSNR (dB)" MSE
for reference in "$data"/reference*/*.png; do
    name=$(basename "$reference" .png)
    suffix=$(basename "$(dirname "$reference")" | sed 's/reference//')
    for test in "$data"/*/"$name".*; do
        distortion=$(basename "$(dirname "$test")")
        case $distortion in reference*) continue ;; esac
        report=$("$iqa" compare "$reference" "$test")
        printf '%-24s %-14s %10s %12s %14s\n' "$name$suffix" "$distortion" "$(value SSIM)" "$(value PSNR)" "$(value MSE)"
    done
done

"$iqa" compare "$data/reference/chelsea.png" "$data/jpeg_q10/chelsea.jpg" \
    --map "$out/heat_map.png" --side-by-side "$out/side_by_side.png" > /dev/null
echo
export PYTHONPATH="$root/bindings/python/src" IQA_LIBRARY="$build/libiqa_c.so"
# The weights are made by Python: one that has what that takes, or one of the build's own.
makes_weights() { "$1" -c 'import numpy, safetensors' 2> /dev/null; }
own_python() {
    install_packages python3-venv
    [ -x "$build/venv/bin/python" ] || python3 -m venv "$build/venv"
    grep -E '^(numpy|safetensors)==' "$root/tests/requirements.txt" |
        "$build/venv/bin/pip" install --quiet --disable-pip-version-check -r /dev/stdin
}
if makes_weights "$build/venv/bin/python" || { ! makes_weights python3 && own_python; }; then
    python=$build/venv/bin/python
elif makes_weights python3; then
    python=python3
else
    python=
fi
if [ -n "$python" ]; then
    echo "FID of two folders, photographs and the same through JPEG. The network's weights are random, from a seed, since"
    echo "the real ones do not come with the library: these numbers mean nothing. docs/guide/fid.md has how to get them."
    "$python" -m iqa.weights random --seed 1 "$out/random.safetensors"
    "$iqa" fid "$data/reference" "$data/jpeg_q10" --weights "$out/random.safetensors" --resize clean
else
    echo "FID of two folders is left out: its random weights take numpy and safetensors, which could not be installed"
fi

echo
echo "heat map:      $out/heat_map.png"
echo "side by side:  $out/side_by_side.png"
echo "try it:        $iqa compare --help"
