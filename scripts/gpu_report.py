# SPDX-License-Identifier: MIT
"""Tables of what gpu_check.sh found: python3 scripts/gpu_report.py FOLDER/gpu_check"""

import argparse
import csv
import json
from pathlib import Path


def lines_of(path):
    """Of a file that there may be."""
    return path.read_text(errors="replace").splitlines() if path.exists() else []


def objects_of(path):
    """Of a file with a JSON object in some of its lines, those."""
    for line in lines_of(path):
        if line.startswith("{"):
            try:
                yield json.loads(line)
            except json.JSONDecodeError:  # cut off where its program was ended
                continue


def counters_of(path):
    """Kernel, counter, unit and value, from what ncu --csv prints among other lines."""
    wanted = ("Kernel Name", "Metric Name", "Metric Unit", "Metric Value")
    names = None
    for row in csv.reader(lines_of(path)):
        if "Metric Name" in row:
            names = row
        elif names is not None and len(row) == len(names):
            of = dict(zip(names, row))
            yield [of[name] for name in wanted]


def text(value):
    """A figure with four digits, or what it is."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def table(titles, rows):
    """Prints it, unless it is empty."""
    rows = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    if rows:
        print("\n| " + " | ".join(titles) + " |\n" + "|---" * len(titles) + "|")
        print("\n".join("| " + " | ".join(row) + " |" for row in rows))


def main():
    """Prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    lines = [line.split(maxsplit=3) for line in lines_of(folder / "summary.txt")]
    shown = [line for line in lines if line[0] != "PASS" or not line[3].startswith("case ")]
    table(
        ("part or case", "", "seconds"), [(what, verdict, took) for verdict, took, _, what in shown]
    )
    figures = [
        (one.pop("name"), ", ".join(f"{key} {text(value)}" for key, value in one.items()))
        for one in objects_of(folder / "benchmark.jsonl")
    ]
    table(("figure", ""), figures)
    cases = [case for case in objects_of(folder / "compare.jsonl") if "cells" in case]
    table(
        ("case", "beside others"),
        [(case["name"], ", ".join(f"{k} {v}" for k, v in case["cells"].items())) for case in cases],
    )
    table(("kernel", "counter", "unit", "value"), counters_of(folder / "ncu.csv"))


if __name__ == "__main__":
    main()
