#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the fuzzer of the readers of pictures and clips with clang and runs it for a while:
#     fuzz/image_readers.sh [SECONDS [FOLDER]]
# FOLDER keeps the inputs that reach new code; the shipped pictures are the first ones.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
seconds=${1:-30}
folder=${2:-$root/build/fuzz}
mkdir -p "$folder/found" "$folder/seeds"

"${CLANGXX:-clang++}" -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
    -I"$root/include" -I"$root/tools" "$root/fuzz/image_readers.cpp" "$root"/tools/files/image*.cpp "$root"/tools/files/npy_header.cpp \
    "$root"/tools/files/clip.cpp "$root"/tools/files/exif.cpp "$root"/tools/files/input_file.cpp "$root"/tools/files/known_format.cpp \
    -lpng -ljpeg -ltiff -o "$folder/image_readers"

# One byte of options before each file.
for file in "$root"/tests/data/jpeg_q10/*.jpg; do
    { printf '\001'; cat "$file"; } > "$folder/seeds/$(basename "$file")"
done
# shellcheck disable=SC2059 # the seeds are formats: that is how their bytes are written
seed() { printf "$2" > "$folder/seeds/$1"; }
seed pbm_text '\001P1\n2 2\n01 10\n'
seed pgm_text '\001P2\n2 2\n9\n1 2 3 4\n'
seed ppm_text '\001P3\n1 1\n9\n1 2 3\n'
seed pbm '\001P4\n# comment\n8 1\nx'
seed pgm '\001P5 2 2 1023\n\001\002\003\001\000\000\001\001'
seed ppm '\001P6 1 2 255\nabcdef'
seed pfm_grey '\001Pf\n1 2\n-1.0\nabcdefgh'
seed pfm '\001PF\n1 1\n1.0\nabcdefghijkl'
header="{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }"
seed npy_1 "\\001\\223NUMPY\\001\\000\\073\\000${header}abcdefgh"
seed npy_2 "\\002\\223NUMPY\\002\\000\\073\\000\\000\\000${header}abcdefgh"
seed y4m '\001YUV4MPEG2 W3 H2 F25:1 Cmono\nFRAME Ip\n123456FRAME\n654321'
seed y4m_deep '\001YUV4MPEG2 W2 H2 C420p10\nFRAME\n123456789abc'
seed pgm_twice '\001P5 1 1 255\nxP5 1 1 255\ny'
seed mp4 '\001\000\000\000\030ftypisom'
# A file whose EXIF turns it, and one with an index of two pictures: the first bytes of a JPEG, a block, the rest.
jpeg=$root/tests/data/jpeg_q10/camera.jpg
# shellcheck disable=SC2059 # as above
insert() {
    { printf '\001'; head -c 2 "$jpeg"; printf "$2"; tail -c +3 "$jpeg"; } > "$folder/seeds/$1"
}
insert jpeg_exif '\377\341\000\042Exif\000\000II*\000\010\000\000\000\001\000\022\001\003\000\001\000\000\000\006\000\000\000\000\000\000\000'
mpf='\377\342\000\100MPF\000MM\000*\000\000\000\010\000\001\260\002\000\007\000\000\000\040\000\000\000\032\000\000\000\000'
insert jpeg_index "${mpf}1234567890123456\\000\\002\\000\\0001234\\000\\000\\000\\1001234"
seed png '\001\211PNG\r\n\032\n'
seed tiff '\001II*\000\010\000\000\000'

"$folder/image_readers" -max_total_time="$seconds" -max_len=20000 -artifact_prefix="$folder/" -rss_limit_mb=1024 -timeout=10 \
    -print_final_stats=1 "$folder/found" "$folder/seeds"
