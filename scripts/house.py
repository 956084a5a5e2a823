#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks by the text of its sources how the folders of the library hang together.

docs/design/README.md has the picture.

    scripts/house.py

Exit status 1 with a line for each place that breaks a rule.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Each floor of the library, and the floors that its files may include, beside its own and the C header.
FLOORS = {
    "src/arith": set(),
    "src/core": {"src/arith"},
    "src/values": {"src/arith", "src/core"},
    "src/backend": {"src/arith", "src/core", "src/values"},
    "src/cpu": {"src/arith", "src/core", "src/values", "src/backend"},
    "cuda": {"src/arith", "src/core", "src/values", "src/backend"},
    "src/metrics": {"src/arith", "src/core", "src/values", "src/backend"},
    "src/api": {"src/core", "src/backend", "src/metrics"},
}
# Within a floor, folders that others may include; families never include each other.
SHARED = {"isa", "images", "machine"}
FAMILIES = {"ssim", "psnr", "errors", "confusion", "features", "network"}
# Eigen's door. Neither CUDA nor a file that is compiled for an instruction set may get there.
MATRICES = "src/core/matrix.hpp"
KERNELS = re.compile(r"^cuda/|/(baseline|avx2|avx512|avx512_vnni|avx512_amx)\.cpp$")
# What Eigen does in an order of its own; ours are members of the tables of kernels. Products do not compile.
ORDERED = re.compile(
    r"(?<!\bkernels)(?<!\bkernels_)\.((stable|blue|squared)?[nN]orm(aliz\w+)?|dot|sum|prod|mean|trace|redux"
    r"|lazyProduct|noalias|inverse|determinant|solve\w*|applyOnThe\w+|rankUpdate|cross|lpNorm)\s*(<\w+>)?\("
)
METRICS = re.compile(r"\b\w*(ssim|psnr|confusion|inception)\w*|\b(fid|kid|prdc)(_\w+)?\b", re.IGNORECASE)


def floor_of(path):
    return next((floor for floor in FLOORS if path.startswith(floor + "/")), None)


def family_of(path):
    floor = floor_of(path)
    parts = path[len(floor) + 1 :].split("/")
    return parts[0] if len(parts) > 1 else None


def resolve(name):
    """The file of the library that an include names."""
    for root in ("src/", ""):
        if (ROOT / (root + name)).is_file():
            return root + name
    return None


def check_includes(path, number, line):
    included = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
    target = resolve(included[1]) if included else None
    if target is None or floor_of(target) is None:
        return
    here, there = floor_of(path), floor_of(target)
    if there != here and there not in FLOORS[here]:
        yield f"{path}:{number}: {here} may not see {there}: {included[1]}"
    if there == here:
        families = FAMILIES | SHARED
        mine, its = family_of(path), family_of(target)
        if its in families and mine in families and its != mine:
            if its not in SHARED and mine != "isa":
                yield f"{path}:{number}: {mine} may not see {its}: {included[1]}"
            if mine == "machine":
                yield f"{path}:{number}: the device knows no metric: {included[1]}"


def check_core(path, number, line):
    if path.startswith(("src/core/", "cuda/machine/")):
        found = METRICS.search(line.partition("//")[0])
        if found:
            yield f"{path}:{number}: {floor_of(path)} names a metric: {found[0]}"


def check_table(path, number, line):
    """The tables of functions have no holes; on the CPU there is no account to open."""
    if path.endswith("/backend.cpp") and re.search(r"\.\w+ = nullptr", line) and ".open" not in line:
        yield f"{path}:{number}: a device that cannot: {line.strip()}"


def check_order(path, number, line):
    if path.startswith("src/") and not line.lstrip().startswith("//"):
        if path != MATRICES and re.search(r"#\s*include\s*<(unsupported/)?Eigen\b", line):
            yield f"{path}:{number}: Eigen comes by {MATRICES}"
        found = ORDERED.search(line)
        if found:
            yield f"{path}:{number}: sums have an order of ours, see {MATRICES}: {found[0]}"


def check_door(files):
    inside = {}  # what a file includes, and what that includes

    def reach(path):
        if path not in inside:
            inside[path] = {path}
            for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', (ROOT / path).read_text(), re.MULTILINE):
                target = resolve(name)
                inside[path] |= reach(target) if target else set()
        return inside[path]

    for path in files:
        if KERNELS.search(path) and MATRICES in reach(path):
            yield f"{path}: Eigen's inline functions would be those of one instruction set: {MATRICES}"


def main():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "src", "cuda"], cwd=ROOT, check=True, text=True, capture_output=True
    ).stdout.split()
    files = [path for path in listed if floor_of(path) and (ROOT / path).is_file()]
    broken = list(check_door(files))
    for path in files:
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
            for check in (check_includes, check_core, check_table, check_order):
                broken += check(path, number, line)
    print("\n".join(broken) or f"{len(files)} files keep to their floors")
    sys.exit(1 if broken else 0)


main()
