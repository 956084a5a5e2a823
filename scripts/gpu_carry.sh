#!/bin/sh
# SPDX-License-Identifier: MIT
# Gathers what scripts/gpu_check.sh needs on a machine without network: Catch2, from Debian's package, and the Python
# packages to compare with, into .carry or the folder given.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=scripts/packages.sh
. scripts/packages.sh
carried=${1:-.carry}
install_packages catch2
rm -rf "$carried"
mkdir -p "$carried/wheels"
dpkg -L catch2 | grep -E '/(include|lib)/' | while read -r file; do
    [ -d "$file" ] || install -D -m 644 "$file" "$carried$file"
done
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --python-version 3.12 --dest "$carried/wheels" -r bench/python/cuda_requirements.txt
du -sh "$carried"
