#!/bin/sh
# SPDX-License-Identifier: MIT
# Draws the pictures of the pages from the shipped photographs, with the program and, the plot, with an example.
# Usage: scripts/pictures.sh [FOLDER]    (docs/images by default; IQA_CLI names the program, PYTHON a Python with iqa)
set -eu
cd "$(dirname "$0")/.."
out=${1:-docs/images}
iqa=${IQA_CLI:-build/tools/iqa}
data=tests/data

"$iqa" compare $data/reference/chelsea.png $data/jpeg_q10/chelsea.jpg --side-by-side "$out/side_by_side.png" > /dev/null
for distortion in jpeg_q10 blur noise; do
    "$iqa" compare $data/reference/chelsea.png $data/$distortion/chelsea.* --map-low 0 \
        --map "$out/map_$distortion.png" > /dev/null
done
"$iqa" segment $data/labels/prediction $data/labels/reference --names $data/labels/names.csv --ignore 255 \
    --matrix "$out/confusion_matrix.png" > /dev/null
"${PYTHON:-python3}" examples/codec_comparison.py --plot "$out/rate_distortion.png" > /dev/null
