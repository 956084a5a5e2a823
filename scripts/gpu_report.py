# SPDX-License-Identifier: MIT
"""The end of gpu_check.sh: gathers what the parts wrote into one JSON file, and prints the table."""

import argparse
import json
import platform
from pathlib import Path


def lines_of(path):
    """The objects of a file with one JSON object in a line; other lines are left out."""
    found = []
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.startswith("{"):
            found.append(json.loads(line))
    return found


def text(value):
    """A figure with four digits, or what it is."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main():
    """Writes and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", type=Path, help="folder with parts.txt and figures")
    parser.add_argument("output", type=Path)
    parser.add_argument("--gpu", required=True, help="name, driver and clocks")
    parser.add_argument("--nvcc", required=True, help="version")
    given = parser.parse_args()
    parts = [line.split("\t") for line in (given.logs / "parts.txt").read_text().splitlines()]
    compare = given.logs / "compare.json"
    report = {
        "gpu": given.gpu,
        "nvcc": given.nvcc,
        "machine": platform.platform(),
        "parts": [{"part": p, "result": r, "seconds": int(s)} for p, r, s in parts],
        "benchmark": lines_of(given.logs / "benchmark.jsonl"),
        "compare": json.loads(compare.read_text()) if compare.exists() else None,
    }
    given.output.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\nGPU: {given.gpu}; nvcc {given.nvcc}\n\n| part or figure | |\n|---|---|")
    for part, result, seconds in parts:
        print(f"| {part} | {result}, {seconds} s |")
    for one in report["benchmark"]:
        rest = ", ".join(f"{key} {text(value)}" for key, value in one.items() if key != "name")
        print(f"| {one.get('name', '?')} | {rest} |")
    for case in (report["compare"] or {}).get("cases", []):
        cells = ", ".join(f"{name} {cell}" for name, cell in case["cells"].items())
        print(f"| {case['name']} | {cells} |")


if __name__ == "__main__":
    main()
