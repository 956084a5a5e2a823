#!/bin/bash
# SPDX-License-Identifier: MIT
# What each kernel takes on each architecture, as the assembler says: a table in Markdown. No GPU is needed.
#     scripts/ptxas_report.sh [--allow-spills] [-o FILE] [FILE.cu ...]      (without files: all in cuda)
# Exit status 1 if a kernel spills registers to memory, unless that is allowed; 2 if a file does not compile.
# ARCHITECTURES, such as "sm_80 sm_90", replaces the major ones. Shared memory is what is declared; what a launch
# adds is not known here.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
output=
allowed=no
while [ $# -gt 0 ]; do
    case $1 in
    --allow-spills) allowed=yes ;;
    -o) output=$2 && shift ;;
    *) break ;;
    esac
    shift
done
[ $# -gt 0 ] || set -- "$root"/cuda/*/*.cu
nvcc=$("$root/scripts/cuda_toolkit.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo > "$work/empty.cu"
architectures=${ARCHITECTURES:-$("$nvcc" --dryrun -arch=all-major -c "$work/empty.cu" -o "$work/empty.o" 2>&1 |
    grep -o 'arch=sm_[0-9]*' | cut -d= -f2 | sort -uV)}

compile() { # file, architecture
    local name
    name=$(basename "$(dirname "$1")").$(basename "$1" .cu)
    "$nvcc" -std=c++20 -O3 -DNDEBUG --fmad=false --expt-relaxed-constexpr -I"$root" -I"$root/src" -I"$root/include" \
        -arch="$2" -cubin -Xptxas -v -o "$work/$name.$2.cubin" "$1" > "$work/$name.$2.log" 2>&1 ||
        { cat "$work/$name.$2.log" >&2; return 255; } # 255 ends xargs
}
export -f compile
export nvcc root work
for file in "$@"; do
    for architecture in $architectures; do
        echo "$file" "$architecture"
    done
done | xargs -r -n 2 -P "$(nproc)" bash -c 'compile "$@"' compile || exit 2

# A line for each kernel: file, kernel, architecture, registers, shared, stack, spill stores, spill loads, constants.
cat > "$work/read.awk" <<'AWK'
function number_before(words,   position) { # "24 bytes smem": 24, for "bytes smem"
    return match($0, "[0-9]+ " words) ? substr($0, RSTART, RLENGTH) + 0 : 0
}
FNR == 1 { file = FILENAME; sub(/.*\//, "", file); sub(/\./, "/", file); sub(/\.sm_[0-9]+\.log$/, ".cu", file) }
/Compiling entry function/ { split($0, quoted, "'"); kernel = quoted[2]; architecture = quoted[4] }
/Function properties for/ { ours = kernel != "" && $0 ~ kernel "$" }
/bytes stack frame/ && ours {
    stack = number_before("bytes stack"); stores = number_before("bytes spill stores")
    loads = number_before("bytes spill loads")
}
/Used [0-9]+ registers/ {
    match($0, /Used [0-9]+/); registers = substr($0, RSTART + 5, RLENGTH - 5)
    constants = 0
    rest = $0
    while (match(rest, /[0-9]+ bytes cmem/)) {
        constants += substr(rest, RSTART, RLENGTH) + 0
        rest = substr(rest, RSTART + RLENGTH)
    }
    print file, kernel, architecture, registers, number_before("bytes smem"), stack, stores, loads, constants
    kernel = ""
}
AWK

# Names as in the sources, without what is the same in all: the namespaces, the entry, the result and the parameters.
cat > "$work/shorten.awk" <<'AWK'
function short(name,   i, depth, letter) {
    gsub(/\(anonymous namespace\)::|iqa::|cuda::/, "", name)
    sub(/^void /, "", name)
    for (i = 1; i <= length(name); ++i) {
        letter = substr(name, i, 1)
        depth += (letter == "<") - (letter == ">")
        if (letter == "(" && depth == 0)
            name = substr(name, 1, i - 1)
    }
    if (sub(/^run_on_gpu</, "", name))
        sub(/ ?>$/, "", name)
    return name
}
{ $2 = short($2); print }
AWK

# What is the same on all architectures is written once.
cat > "$work/write.awk" <<'AWK'
function flush(   column) {
    if (row == "")
        return
    printf "%s", row
    for (column = 4; column <= 9; ++column)
        printf " %s |", differs[column] ? all[column] : first[column]
    print ""
}
BEGIN {
    print "| file | kernel | registers | shared memory | stack | spill stores | spill loads | constants |"
    print "|---|---|---|---|---|---|---|---|"
}
{
    this = "| " $1 " | `" $2 "` |"
    same = $1 == file && $2 == kernel
    if (!same)
        flush()
    for (column = 4; column <= 9; ++column) {
        all[column] = same ? all[column] " / " $column : $column
        differs[column] = same && (differs[column] || $column != first[column])
        if (!same)
            first[column] = $column
    }
    row = this; file = $1; kernel = $2
}
END { flush() }
AWK

find "$work" -name '*.log' -print0 | sort -zV | xargs -0 awk -v OFS='\t' -f "$work/read.awk" | c++filt -t |
    awk -F '\t' -v OFS='\t' -f "$work/shorten.awk" | sort -t "$(printf '\t')" -k1,2 -k3,3V > "$work/kernels.txt"
{
    version=$("$nvcc" --version | sed -n 's/.*, V/nvcc /p')
    echo "$version, -O3 --fmad=false. Memory in bytes. Where architectures differ, in the order" \
        "${architectures//[[:space:]]/, }."
    echo
    awk -F '\t' -f "$work/write.awk" "$work/kernels.txt"
} > "$work/report.md"
if [ -n "$output" ]; then cp "$work/report.md" "$output"; else cat "$work/report.md"; fi

spilling=$(awk -F '\t' '$7 + $8 { print "    " $2 " on " $3 ": " $7 " bytes stored, " $8 " loaded" }' \
    "$work/kernels.txt")
if [ -n "$spilling" ]; then
    printf 'Registers are spilled by\n%s\n' "$spilling" >&2
    [ $allowed = yes ]
fi
