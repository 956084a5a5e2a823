# SPDX-License-Identifier: MIT
"""scripts/gpu_check.sh without a GPU: programs that pretend stand in for what it runs."""

import glob
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECKS = ["race_in_parts", "racecheck", "memcheck", "synccheck"]
PARTS = ["machine", "cases", *CHECKS, "benchmark", "python", "compare", "ncu"]
SHARED = "CPU and CUDA give the same bytes"
TESTS = ["one", "two, with a comma", SHARED]

BENCH = """
echo '{"name": "ceilings", "copy_gb_per_s": 3000}'
[ "$1" = ceilings ] || echo '{"name": "SSIM", "us": 12.5}'
"""
# What Catch2 prints; the status of a list is the number of names.
TEST = """
case $1 in
--list-test-names-only)
    printf '%s\\n' one 'two, with a comma' 'CPU and CUDA give the same bytes'
    exit 3 ;;
'[.names]') printf 'section: %s\\n' 'SSIM: first' 'FID: second' 'PSNR: third' ; exit ;;
one | 'two\\, with a comma' | 'CPU and CUDA'* | '[sanitizer]' | '[parts]') ;;
*) echo 'No test cases matched'; exit ;;
esac
echo 'All tests passed (9 assertions in 1 test case)'
"""
SANITIZER = """
[ "$1" != --version ] || exit 0
echo "========= $2 SUMMARY: 0 errors"
"""
NCU = """
[ "$1" != --version ] || exit 0
echo '==PROF== Connected'
echo '"ID","Kernel Name","Section Name","Metric Name","Metric Unit","Metric Value"'
echo '"0","run_on_gpu<x, 1>","counters","gpu__time_duration.sum","us","12.5"'
"""
PYTHON = """
case "$*" in
*pytest*) printf '%s\\n' 'test_gpu.py::test_bits[a-b] PASSED [ 50%]' '==== 1 passed in 2 s ====' ;;
*compare*) echo '{"name": "SSIM", "cells": {"iqa": "1 ms"}}' ;;
esac
"""


class Machine:
    """A tree with the script, a folder of carried programs, and tools."""

    def __init__(self, folder):
        self.tree, self.tools, self.out = (folder / name for name in ("tree", "tools", "out"))
        self.summary = self.out / "gpu_check" / "summary.txt"
        (self.tree / "scripts").mkdir(parents=True)
        shutil.copy(ROOT / "scripts/gpu_check.sh", self.tree / "scripts")
        self.bench = self.tree / ".carry/build/bench/iqa_bench_cuda"
        self.test = self.tree / ".carry/build/tests/test_cuda_gpu"
        self.put(self.bench, BENCH)
        self.put(self.test, TEST)
        for name, text in {
            "nvidia-smi": "",
            "compute-sanitizer": SANITIZER,
            "ncu": NCU,
            "python3": PYTHON,
        }.items():
            self.put(self.tools / name, text)

    @staticmethod
    def put(path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)

    def start(self, *parts, **variables):
        command = [self.tree / "scripts/gpu_check.sh", self.out, *parts]
        variables = {
            "PATH": f"{self.tools}:/usr/bin:/bin",
            "CUDA_HOME": "/nonexistent",
            **variables,
        }
        return subprocess.Popen(
            command,
            env=variables,
            text=True,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, *parts, **variables):
        """Exit status, what was printed, and the lines of the summary."""
        with self.start(*parts, **variables) as process:
            printed, _ = process.communicate(timeout=120)
        return process.returncode, printed, self.lines()

    def lines(self):
        """Of the summary, without seconds."""
        found = [line.split(maxsplit=3) for line in self.summary.read_text().splitlines()]
        return [f"{verdict} {what}" for verdict, _, _, what in found]


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_all_is_well(machine):
    machine.out.mkdir()
    (machine.out / "else.txt").write_text("somebody else's")
    status, printed, lines = machine.run()
    assert status == 0, printed
    assert [line.split(":")[0] for line in lines if " case " not in line] == [
        f"PASS {p}" for p in PARTS
    ]
    assert sorted(line for line in lines if " case " in line) == sorted(
        f"PASS case {t}" for t in TESTS
    )
    assert "PASS cases: 3 passed, 0 failed" in lines
    assert "PASS racecheck: racecheck SUMMARY: 0 errors" in lines
    assert "case" not in printed.replace("cases:", "")
    files = [path for path in machine.out.rglob("*") if path.is_file()]
    assert (machine.out / "else.txt").exists() and len(files) - 1 <= 8
    report = subprocess.run(
        [sys.executable, ROOT / "scripts/gpu_report.py", machine.out / "gpu_check"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for row in (
        "| python: ==== 1 passed in 2 s ==== | PASS |",
        "| SSIM | us 12.5 |",
        "| SSIM | iqa 1 ms |",
        "| run_on_gpu<x, 1> | gpu__time_duration.sum | us | 12.5 |",
    ):
        assert row in report


@pytest.mark.skipif(bool(glob.glob("/dev/nvidia[0-9]*")), reason="there is a GPU")
def test_no_gpu(machine):
    machine.put(machine.bench, "echo 'no GPU: no driver'; exit 77")
    (machine.tools / "nvidia-smi").unlink()
    status, printed, lines = machine.run()
    assert status == 0, printed
    assert lines == ["SKIP machine: no GPU: no driver"] + [
        f"SKIP {p}: see machine" for p in PARTS[1:]
    ]


def test_missing_tools(machine):
    for name in ("nvidia-smi", "compute-sanitizer", "ncu"):
        (machine.tools / name).unlink()
    status, printed, lines = machine.run()
    assert status == 0, printed
    expected = [f"SKIP {p}: no compute-sanitizer" for p in CHECKS]
    assert [line for line in lines if "SKIP" in line] == [*expected, "SKIP ncu: no ncu"]
    assert [line for line in lines if "FAIL" in line] == [] and "PASS benchmark" in lines


def test_cases_that_fail(machine):
    """One hangs, one crashes; of the shared ones, alone, one fails and one tests nothing."""
    faults = """
case "$*" in
one) exec sleep 30 ;;
'two\\, with a comma') kill -SEGV $$ ;;
'CPU and CUDA give the same bytes') echo 'CUDA: an illegal memory access'; kill -ABRT $$ ;;
*' -c SSIM: first') echo a long text; exit 2 ;;
*' -c FID: second') echo 'test cases: 1 | 1 passed'; echo 'assertions: - none -'; exit 0 ;;
esac
"""
    machine.put(machine.test, faults + TEST)
    began = time.monotonic()
    status, printed, lines = machine.run(SECONDS_OF_A_CASE="1")
    assert status == 1 and time.monotonic() - began < 25
    assert sorted(line for line in lines if " case " in line) == [
        f"FAIL case {SHARED}: ended by signal 6; CUDA: an illegal memory access",
        "FAIL case FID: second: nothing was tested",
        "FAIL case SSIM: first: exit status 2",
        "FAIL case one: ran past 1 s",
        "FAIL case two, with a comma: ended by signal 11",
        "PASS case PSNR: third",
    ]
    assert "FAIL cases: exit status 1; 1 passed, 5 failed" in lines
    passed = [line.split(":")[0] for line in lines if line.startswith("PASS")]
    assert passed == ["PASS machine", "PASS case PSNR", *(f"PASS {part}" for part in PARTS[2:])]
    log = (machine.out / "gpu_check/cases.log").read_text()
    assert "==== SSIM: first\na long text" in log
    assert printed.index("FAIL    1 s  case one") < printed.index("==== the end of")
    assert printed.rstrip().splitlines()[-1].startswith("FAIL")


def test_parts_end_in_time(machine):
    machine.put(
        machine.tools / "python3",
        f"""
case "$*" in *pytest*)
    echo 'test_gpu.py::test_bits FAILED [ 50%]'
    sleep 60 & trap '' TERM; while :; do sleep 1; done ;;
esac
{PYTHON}""",
    )
    began = time.monotonic()
    status, printed, lines = machine.run("benchmark", "python", "compare", SECONDS_IN_ALL="6")
    assert status == 1 and time.monotonic() - began < 15, printed
    assert lines[:2] == ["PASS machine", "PASS benchmark"]
    assert lines[2].startswith("FAIL python: ran past ")
    assert lines[3:] == ["SKIP compare: no time left", "FAIL python test_bits"]


def test_a_kill_loses_nothing(machine):
    machine.put(machine.bench, f'[ "$1" = ceilings ] || {{ echo begun; exec sleep 20; }}\n{BENCH}')
    process = machine.start("cases", "benchmark", "compare")
    log = machine.out / "gpu_check/benchmark.jsonl"
    until = time.monotonic() + 60
    while not (log.exists() and log.read_text()) and time.monotonic() < until:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert log.read_text() == "begun\n"
    assert machine.lines()[-1] == "PASS cases: 3 passed, 0 failed"


def test_programs_that_do_not_start_are_built(machine):
    machine.put(machine.bench, "exit 127")
    status, printed, lines = machine.run("cases")
    assert status == 1, printed
    failed = "FAIL machine: no programs that work with the GPU here"
    assert lines == [
        "SKIP machine: exit status 127",
        "SKIP build: no nvcc",
        failed,
        "SKIP cases: see machine",
    ]
    built = machine.tree / "built"
    machine.put(built / "bench/iqa_bench_cuda", BENCH)
    machine.put(built / "tests/test_cuda_gpu", TEST)
    machine.put(machine.tree / "scripts/gpu_build.sh", 'echo "$CUDACXX $*"; mv built build-gpu')
    machine.put(machine.tools / "nvcc", "")
    status, printed, lines = machine.run("cases")
    assert status == 0, printed
    assert [line for line in lines if " case " not in line] == [
        "SKIP machine: exit status 127",
        "PASS build",
        "PASS machine",
        "PASS cases: 3 passed, 0 failed",
    ]
    log = (machine.out / "gpu_check/machine.log").read_text()
    carried = machine.tree / ".carry/usr/lib/cmake/Catch2"
    assert f"{machine.tools}/nvcc -DCMAKE_CUDA_ARCHITECTURES=native -DCatch2_DIR={carried}" in log
