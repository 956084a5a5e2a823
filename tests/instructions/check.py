#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the instructions of paths.c under callgrind and compares them with those of counts.txt.

    check.py [--write] --valgrind VALGRIND --program PROGRAM --build BUILD

Fails where a path takes 2 % more than the file says, and tells where one takes 2 % fewer, so that the file is written
anew: by --write, or by `cmake --build build --target instruction_counts`. One compiler's counts say nothing of
another's, so a BUILD (compiler, version, build type, flags) that is not the file's is skipped, with exit status 77.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

COUNTS = pathlib.Path(__file__).parent / "counts.txt"
TOLERANCE = 0.02
SKIPPED = 77
HEAD = "# Instructions of each path, written by check.py: see there.\n"


def count(valgrind, program):
    """Name of each path to its number of instructions."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "callgrind"
        run = subprocess.run(
            [valgrind, "--tool=callgrind", f"--callgrind-out-file={out}", "--combine-dumps=yes"]
            + ["--toggle-collect=watched", "--dump-after=watched", program],
            env={name: value for name, value in os.environ.items() if name != "IQA_ISA"},
            text=True,
            capture_output=True,
        )
        if run.returncode:
            sys.exit(run.stdout + run.stderr)
        if run.stdout.startswith("skipped: "):
            print(run.stdout, end="")
            sys.exit(SKIPPED)
        parts = re.findall(r"^desc: Trigger: (.*)$|^totals: (\d+)$", out.read_text(), re.MULTILINE)
    # Each dump is a line of what triggered it and one of its total; the last is that of the end of the program.
    totals = [
        int(total[1]) for trigger, total in zip(parts[::2], parts[1::2]) if "watched" in trigger[0]
    ]
    return dict(zip(run.stdout.split(), totals, strict=True))


def read():
    """The build of the file, and its counts."""
    lines = [
        line.split(maxsplit=1)
        for line in COUNTS.read_text().splitlines()
        if not line.startswith("#")
    ]
    recorded = {name: value.strip() for name, value in lines}
    return recorded.pop("build"), {name: int(value) for name, value in recorded.items()}


def write(build, counts):
    width = max(map(len, counts))
    lines = [f"{name:{width}} {value:>11}\n" for name, value in counts.items()]
    COUNTS.write_text("".join([HEAD, f"{'build':{width}} {build}\n", *lines]))


def compare(recorded, counts):
    """Prints each path; true if none takes more."""
    good = True
    for name in dict.fromkeys([*recorded, *counts]):
        before, now = recorded.get(name), counts.get(name)
        if before is None or now is None:
            print(f"{name}: is not in {'counts.txt' if before is None else 'paths.c'}")
            good = False
            continue
        change = now / before - 1
        verdict = ""
        if change > TOLERANCE:
            verdict = "  WORSE"
            good = False
        elif change < -TOLERANCE:
            verdict = "  better: write counts.txt anew"
        print(f"{name:26} {before:>11} {now:>11} {100 * change:+7.2f} %{verdict}")
    return good


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--valgrind", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    build, recorded = read()
    if build != arguments.build and not arguments.write:
        print(f"skipped: this build is {arguments.build}, and counts.txt is of {build}")
        sys.exit(SKIPPED)
    counts = count(arguments.valgrind, arguments.program)
    if arguments.write:
        write(arguments.build, counts)
    else:
        sys.exit(0 if compare(recorded, counts) else 1)


main()
