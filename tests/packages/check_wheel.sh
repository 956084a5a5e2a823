#!/bin/bash
# SPDX-License-Identifier: MIT
# A wheel of scripts/wheel.sh: what auditwheel says of it, an installation where nothing else is, and that its numbers
# are an ordinary build's to the last bit, by this system's C library and by that of the sysroot.
# Usage: check_wheel.sh WHEEL WORK_DIRECTORY LIBRARY
# (auditwheel is that of $PYTHON; the library is an ordinary build)
set -euo pipefail
wheel=$(realpath "$1")
work=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
sysroot=${IQA_WHEEL_WORK:-$root/build-wheel}/sysroot
rm -rf "$work"
python3 -m venv "$work/venv"

echo "== auditwheel"
"${PYTHON:-python3}" -m auditwheel show "$wheel" | tee "$work/report"
tag=$(grep -oE '"manylinux_2_[0-9]+_[a-z0-9_]+"' "$work/report" | tail -n 1 | tr -d '"')
minor=$(sed -E 's/manylinux_2_([0-9]+)_.*/\1/' <<< "$tag")
[ "$minor" -le 28 ] || { echo "$tag is newer than manylinux_2_28"; exit 1; }

echo "== installed without an index"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-index "$wheel"
unset IQA_LIBRARY PYTHONPATH
"$work/venv/bin/python" "$root/tests/packages/bits.py" > "$work/bits"
IQA_LIBRARY=$(realpath "$3") "$work/venv/bin/python" "$root/tests/packages/bits.py" | diff "$work/bits" -
tail -n 1 "$work/bits"

echo "== the program, by this system's C library and by the sysroot's"
package=$("$work/venv/bin/python" -c 'import iqa, os; print(os.path.dirname(iqa.__file__))')
pair=("$root/tests/data/reference/chelsea.png" "$root/tests/data/jpeg_q10/chelsea.jpg")
"$work/venv/bin/iqa" compare "${pair[@]}" | tee "$work/here"
libraries=$sysroot/lib/$(uname -m)-linux-gnu:$sysroot/usr/lib/$(uname -m)-linux-gnu
loader=$(find "$sysroot" -name 'ld-linux-*.so.*' | head -n 1)
"$loader" --library-path "$libraries" "$package/_bin/iqa" compare "${pair[@]}" > "$work/there"
cmp "$work/here" "$work/there"
grep -q '^SSIM  0.761185$' "$work/here"
