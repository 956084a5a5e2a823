# SPDX-License-Identifier: MIT
"""Importing the package: quick, alone, and clear about what it misses."""

import os
import subprocess
import sys

import iqa
from iqa import _abi


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_no_array_library_is_imported():
    code = (
        "import sys, iqa\n"
        "loaded = {'numpy', 'torch', 'jax', 'cupy', 'PIL'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    result = run(code)
    assert result.returncode == 0, result.stderr


def test_import_takes_less_than_50_ms(tmp_path):
    """Compiled, as an installed package is, whatever the environment says of bytecode."""
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(tmp_path)}
    code = (
        "import time\n"
        "start = time.process_time()\n"
        "import iqa\n"
        "print(1e3 * (time.process_time() - start))\n"
    )
    milliseconds = min(float(run(code, **compiled).stdout) for _ in range(5))
    assert milliseconds < 50


def test_a_missing_library_is_named():
    result = run("import iqa", IQA_LIBRARY="/nowhere/libiqa_c.so")
    assert result.returncode != 0
    assert "ImportError: iqa cannot load its library /nowhere/libiqa_c.so" in result.stderr


def test_another_library_version_is_refused(tmp_path):
    source = tmp_path / "other.c"
    source.write_text("unsigned iqa_library_version(void) { return 9u << 16 | 3u << 8; }\n")
    library = tmp_path / "libiqa_c.so"
    subprocess.run(["cc", "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
    result = run("import iqa", IQA_LIBRARY=str(library))
    needed = "{}.{}".format(*_abi.VERSION)
    assert f"is libiqa 9.3, but this package needs {needed}" in result.stderr


WITHOUT_NUMPY = """
import sys
sys.modules["numpy"] = None
from array import array
import iqa
x = memoryview(array("d", range(400))).cast("B").cast("d", (20, 20))
y = memoryview(array("d", range(1, 401))).cast("B").cast("d", (20, 20))
result = iqa.ssim(x, y, 400.0, map=True, per_image=True)
assert result.map.shape == (10, 10) and result.map.format == "d", result.map
assert abs(result.map[3, 4] - result.value) < 1e-3, result.map[3, 4]
assert result.per_image.tolist() == [result.value]
metric = iqa.PSNR(400.0)
metric.update(x, y)
assert metric.mse == 1.0
twice = iqa.PSNR(400.0)
twice.add_lanes([2 * lane for lane in metric.lanes()])
assert twice.images == 2 and twice.mse == 1.0
"""


def test_without_numpy():
    result = run(WITHOUT_NUMPY)
    assert result.returncode == 0, result.stderr


def test_the_whole_interface_is_documented():
    for name in iqa.__all__:
        assert getattr(iqa, name).__doc__, name
    for kind in (iqa.SSIM, iqa.PSNR, iqa.Context):
        for name in dir(kind):
            member = getattr(kind, name)
            if not name.startswith("_") and (callable(member) or isinstance(member, property)):
                assert member.__doc__, f"{kind.__name__}.{name}"
