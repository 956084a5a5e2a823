#!/bin/bash
# SPDX-License-Identifier: MIT
# What the shared library shows to the outside: exactly the exports of symbols.txt under the version IQA_0, imports from
# undefined.txt only (nothing that prints, exits or aborts is there), the libraries of needed.txt, no search path.
# Usage: check_library.sh LIBRARY SONAME [RUNTIME OBJECT ...]
# With CUDA's runtime, a static library in which things are done that are not for a guest: what it alone imports, and none
# of the objects, is left out.
set -euo pipefail
export LC_ALL=C
library=$1
soname=$2
shift 2
lists=$(dirname "$0")
failed=0

complain() {
    echo "$1"
    failed=1
}

expected_exports=$(sed 's/$/@@IQA_0/' "$lists/symbols.txt")
exports=$(nm -D --defined-only "$library" | awk '$2 != "A" { print $3 }' | sort)
if ! difference=$(diff <(echo "$expected_exports") <(echo "$exports")); then
    complain "the exports differ from symbols.txt (< listed, > exported):"$'\n'"$difference"
fi
for name in iqa_ssim iqa_psnr iqa_mse iqa_ms_ssim; do
    if grep -q "^$name@" <<<"$exports"; then
        complain "$name is exported: another library has a function of that name"
    fi
done

imports=$(nm -D --undefined-only "$library" | awk '{ sub(/@.*/, "", $2); print $2 }' | sort -u)
undefined() { nm --undefined-only "$@" 2> /dev/null | awk '$1 == "U" { print $2 }' | sort -u; }
if [ $# -gt 0 ]; then
    imports=$(comm -23 <(echo "$imports") <(comm -23 <(undefined "$1") <(undefined "${@:2}")))
fi
if unexpected=$(comm -13 "$lists/undefined.txt" <(echo "$imports")) && [ -n "$unexpected" ]; then
    complain "imports that undefined.txt does not list:"$'\n'"$unexpected"
fi
forbidden='^(_?exit|_Exit|abort|__assert_fail|quick_exit|system|popen|signal|sigaction|setlocale|setenv|putenv|unsetenv)$'
forbidden+='|printf|^f?puts|^fwrite|^putchar|^perror|^fopen|^write$|terminate|basic_ostream|omp_set_'
if found=$(grep -E "$forbidden" <<<"$imports"); then
    complain "imports that a guest in somebody else's process must not have:"$'\n'"$found"
fi
if found=$(nm -D --undefined-only "$library" | grep -E '@G?OMP_([5-9]|4\.[1-9])'); then
    complain "imports that an OpenMP runtime of the host's may lack, as wheels of PyTorch bring it:"$'\n'"$found"
fi

dynamic=$(readelf -d "$library")
needed=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$dynamic" | sort)
if unexpected=$(comm -13 "$lists/needed.txt" <(echo "$needed")) && [ -n "$unexpected" ]; then
    complain "needed libraries that needed.txt does not list:"$'\n'"$unexpected"
fi
grep -q "SONAME.*\[$soname\]" <<<"$dynamic" || complain "the soname is not $soname"
if grep -qE 'RPATH|RUNPATH' <<<"$dynamic"; then complain "the library has a search path"; fi
grep -q 'NODELETE' <<<"$dynamic" || complain "the library may be unmapped (no -z nodelete)"
grep -q 'BIND_NOW' <<<"$dynamic" || complain "the library is bound lazily (no -z now)"
if readelf -lW "$library" | grep -qE 'GNU_STACK.*E'; then complain "the library asks for an executable stack"; fi
if readelf -sW --dyn-syms "$library" | grep -q UNIQUE; then complain "the library has unique symbols"; fi

[ $failed = 0 ] && echo "$(wc -l <<<"$exports") exports, $(wc -l <<<"$imports") imports, all as listed"
exit $failed
