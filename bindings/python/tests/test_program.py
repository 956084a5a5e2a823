# SPDX-License-Identifier: MIT
"""`python -m iqa` and the console script: the program, as if it was called itself."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY
from PIL import Image

import iqa
import iqa.__main__ as entry

DATA = REPOSITORY / "tests" / "data"


def call(directory, *arguments, **options):
    """A new interpreter that becomes the program of a directory."""
    code = f"import iqa.__main__ as m; m.HERE = {str(directory)!r}; m.sys.exit(m.main())"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def script(directory, text):
    path = directory / "iqa"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return directory


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The directory with the package's program, else with the one under test."""
    if Path(entry.HERE, "iqa").exists():
        return Path(entry.HERE)
    directory = tmp_path_factory.mktemp("bin")
    (directory / "iqa").symlink_to(os.environ["IQA_CLI"])
    return directory


def test_the_program_measures(program):
    pair = (DATA / "reference" / "camera.png", DATA / "jpeg_q10" / "camera.jpg")
    running = call(program, "compare", *map(str, pair))
    output, errors = running.communicate(timeout=60)
    assert running.returncode == 0, errors
    value = float(output.split("SSIM", 1)[1].split()[0])
    assert value == pytest.approx(iqa.ssim(*map(Image.open, pair)), abs=1e-5)


def test_its_version_is_the_packages(program):
    output, _ = call(program, "--version").communicate(timeout=60)
    assert output == f"iqa {iqa.__version__}\n"


def test_exit_codes_are_the_programs(program):
    running = call(program, "compare", "/nowhere/a.png", "/nowhere/b.png")
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 2
    assert errors.startswith("iqa: /nowhere/a.png")


def test_arguments_and_descriptors_pass(tmp_path):
    running = call(script(tmp_path, 'cat; printf "<%s>" "$@"; exit 57'), "a b", "", "--help")
    assert running.communicate("input\n", timeout=60) == ("input\n<a b><><--help>", "")
    assert running.returncode == 57


def test_an_interrupt_reaches_the_program(tmp_path):
    text = "trap 'echo caught; exit 130' INT; echo ready; while :; do sleep 0.05; done"
    # A shell's background job ignores interrupts, and so would what it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    running = call(script(tmp_path, text), start_new_session=True)
    signal.signal(signal.SIGINT, before)
    assert running.stdout.readline() == "ready\n"
    os.killpg(running.pid, signal.SIGINT)
    assert running.communicate(timeout=60)[0] == "caught\n"
    assert running.returncode == 130


def test_a_closed_pipe_ends_the_program(tmp_path):
    # Python ignores SIGPIPE; the program must not.
    with call(script(tmp_path, "while echo line; do :; done; exit 3")) as running:
        running.stdout.readline()
        running.stdout.close()
        assert running.wait(timeout=60) == -signal.SIGPIPE


def test_what_is_missing_is_said(tmp_path):
    running = call(tmp_path)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 2
    assert "has no program: it runs from its sources" in errors
    (tmp_path / "missing").write_text("libtiff 4.3, CLI11 2.1\n")
    _, errors = call(tmp_path).communicate(timeout=60)
    assert "has no program: it was built without libtiff 4.3, CLI11 2.1." in errors
    assert "apt install" in errors


def test_a_program_that_cannot_be_run_is_named(tmp_path):
    (tmp_path / "iqa").write_text("")
    running = call(tmp_path)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 2
    assert errors == f"iqa: {tmp_path}/iqa cannot be run: Permission denied\n"


def test_it_starts_within_a_tenth_of_a_second(program):
    def seconds(*command):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    # Of the processor's time, for the machine may be busy.
    code = f"import iqa.__main__ as m; m.HERE = {str(program)!r}; m.main()"
    assert min(seconds(sys.executable, "-c", code, "--version") for _ in range(5)) < 0.1
