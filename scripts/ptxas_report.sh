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

# A line for each kernel: file, kernel, architecture, registers, shared, stack, spill stores, spill loads.
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
    print file, kernel, architecture, registers, number_before("bytes smem"), stack, stores, loads
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

# Registers decide how many blocks are resident: of each architecture. Of the rest what is most, and where not all
# architectures have it, which do.
cat > "$work/write.awk" <<'AWK'
function most(column,   i, value, where, differs) {
    for (i = 1; i <= count; ++i)
        if (value == "" || found[column, name[i]] > value)
            value = found[column, name[i]]
    for (i = 1; i <= count; ++i)
        if (found[column, name[i]] == value)
            where = where (where == "" ? "" : ", ") name[i]
        else
            differs = 1
    return differs ? value " (" where ")" : value
}
function flush(   i, column) {
    if (row == "")
        return
    printf "%s", row
    for (i = 1; i <= count; ++i)
        printf " %s |", found[4, name[i]]
    for (column = 5; column <= 8; ++column)
        printf " %s |", most(column)
    print ""
}
BEGIN {
    count = split(architectures, name, " ")
    printf "| file | kernel |"
    for (i = 1; i <= count; ++i) {
        sub("sm_", "", name[i])
        printf " %s |", name[i]
        line = line "--:|"
    }
    print " shared memory | stack | spill stores | spill loads |"
    print "|---|---|" line "---|---|---|---|"
}
{
    this = "| " $1 " | `" $2 "` |"
    if (this != row)
        flush()
    row = this
    sub("sm_", "", $3)
    for (column = 4; column <= 8; ++column)
        found[column, $3] = $column + 0
}
END { flush() }
AWK

find "$work" -name '*.log' -print0 | sort -zV | xargs -0 awk -v OFS='\t' -f "$work/read.awk" | c++filt -t |
    awk -F '\t' -v OFS='\t' -f "$work/shorten.awk" | sort -t "$(printf '\t')" -k1,2 -k3,3V > "$work/kernels.txt"
{
    version=$("$nvcc" --version | sed -n 's/.*, V/nvcc /p')
    echo "$version, -O3 --fmad=false. Registers of a thread on each architecture, and the most bytes of memory on any," \
        "with those that need so many where not all do."
    echo
    awk -F '\t' -v architectures="${architectures//$'\n'/ }" -f "$work/write.awk" "$work/kernels.txt"
} > "$work/report.md"
if [ -n "$output" ]; then cp "$work/report.md" "$output"; else cat "$work/report.md"; fi

spilling=$(awk -F '\t' '$7 + $8 { print "    " $2 " on " $3 ": " $7 " bytes stored, " $8 " loaded" }' \
    "$work/kernels.txt")
if [ -n "$spilling" ]; then
    printf 'Registers are spilled by\n%s\n' "$spilling" >&2
    [ $allowed = yes ]
fi
