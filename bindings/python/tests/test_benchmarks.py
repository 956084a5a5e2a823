# SPDX-License-Identifier: MIT
"""The comparison with other libraries runs, and refuses to time what measures something else."""

import importlib
import importlib.util
import subprocess
import sys

import pytest
from conftest import REPOSITORY

PYTHON = REPOSITORY / "bench" / "python"
# Those that are there in a moment; the peers on PyTorch take a minute to start.
QUICK = {
    "scikit-image": "skimage",
    "OpenCV": "cv2",
    "NumKong": "numkong",
    "scikit-learn": "sklearn",
}
SMOKE = ["--smoke", "--threads", "1"]

pytest.importorskip("PIL")


def installed():
    """The quick peers that are there."""
    return [name for name, module in QUICK.items() if importlib.util.find_spec(module)]


def test_every_metric_beside_the_peers_that_are_there():
    peers = installed()
    if not peers:
        pytest.skip(f"none of {', '.join(QUICK)} is installed")
    command = [
        sys.executable,
        str(PYTHON / "compare.py"),
        *SMOKE,
        "--peers",
        "iqa",
        "NumPy",
        *peers,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Missing" not in done.stdout
    tables = done.stdout.split("\n**")[1:]
    names = [table.split("**")[0] for table in tables]
    assert names[:4] == ["SSIM", "MS-SSIM", "SSIM and gradient", "MS-SSIM and gradient"], names
    assert names[-1].startswith("Peak memory"), names
    for peer in ["NumPy", *peers]:
        columns = [table for table in tables if f"| {peer} |" in table]
        assert any("x) |" in table for table in columns), (peer, done.stdout)


def test_another_value_is_not_timed(monkeypatch, capsys):
    pytest.importorskip("skimage")
    monkeypatch.syspath_prepend(PYTHON)
    compare, peers = map(importlib.import_module, ("compare", "peers"))
    asked = [*SMOKE, "--metrics", "SSIM", "--peers", "iqa", "scikit-image"]
    monkeypatch.setattr(sys, "argv", ["compare.py", *asked])
    other = peers.Convention({"preset": "skimage_default"})
    monkeypatch.setitem(peers.PEERS["scikit-image"].metrics, "SSIM", other)
    with pytest.raises(SystemExit, match="scikit-image differs by"):
        compare.main()
    assert "x) |" not in capsys.readouterr().out
