# SPDX-License-Identifier: MIT
"""Other processes: fork after use, spawn, forkserver; and other OpenMP runtimes in this one."""

import multiprocessing
import os
import subprocess
import sys

import numpy as np
import pytest
from workers import lanes_and_error, partial_state

import iqa

TIMEOUT = 120


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore:.*multi-?threaded")  # Python and JAX warn of fork
def test_pools(method):
    expected = partial_state(range(6))  # the parent has run its threads before it forks
    with multiprocessing.get_context(method).Pool(2) as pool:
        metrics = pool.map_async(partial_state, [[0, 1], [5], [2, 4, 3]]).get(TIMEOUT)
        travelled = pool.map_async(lanes_and_error, range(6)).get(TIMEOUT)
    total = metrics[1]
    total.merge(metrics[2])
    total.merge(metrics[0])
    assert total.to_bytes() == expected.to_bytes()
    summed = iqa.SSIM(1.0, "NCHW")
    summed.add_lanes(np.sum([lanes for lanes, _ in travelled], axis=0))
    assert summed.to_bytes() == expected.to_bytes()
    assert all(type(problem) is iqa.ShapeError for _, problem in travelled)
    assert partial_state(range(6)).to_bytes() == expected.to_bytes()


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=os.path.dirname(__file__),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


FORKS = """
import os
from workers import partial_state
expected = partial_state([1]).to_bytes()
for _ in range(20):
    child = os.fork()
    if child == 0:
        grandchild = os.fork()
        same = partial_state([1]).to_bytes() == expected
        if grandchild:
            same = same and os.waitpid(grandchild, 0)[1] == 0
        os._exit(0 if same else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert partial_state([1]).to_bytes() == expected
"""


def test_many_forks():
    result = run(FORKS)
    assert result.returncode == 0, result.stderr


FORKS_BESIDE_A_BUSY_THREAD = """
import os, threading
from workers import partial_state
expected = partial_state([1]).to_bytes()
done = threading.Event()
def work():
    while not done.is_set():
        assert partial_state([1]).to_bytes() == expected
thread = threading.Thread(target=work)
thread.start()
for _ in range(10):
    child = os.fork()
    if child == 0:
        os._exit(0 if partial_state([1]).to_bytes() == expected else 1)
    assert os.waitpid(child, 0)[1] == 0
done.set()
thread.join()
"""


def test_forks_beside_a_busy_thread():
    result = run(FORKS_BESIDE_A_BUSY_THREAD)
    assert result.returncode == 0, result.stderr


TWO_RUNTIMES = """
import numpy as np
from pathlib import Path
{first}
{second}
from sklearn.cluster import KMeans
from workers import partial_state

def cluster():
    return KMeans(3, n_init=1, random_state=0).fit(np.random.default_rng(0).random((20000, 8)))

expected = partial_state([1]).to_bytes()
inertia = cluster().inertia_
for _ in range(3):
    assert partial_state([1]).to_bytes() == expected
    assert abs(cluster().inertia_ / inertia - 1) < 1e-9
maps = Path("/proc/self/maps").read_text().split()
print(len({{name for name in maps if "gomp" in name and name.startswith("/")}}))
"""


@pytest.mark.parametrize(
    ("first", "second"),
    [("import iqa", "import sklearn.cluster"), ("import sklearn.cluster", "import iqa")],
)
def test_beside_another_openmp_runtime(first, second):
    pytest.importorskip("sklearn")
    result = run(TWO_RUNTIMES.format(first=first, second=second))
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) >= 2, "scikit-learn did not bring an OpenMP runtime of its own"


WITH_TORCH = """
import torch
import iqa
from workers import partial_state
expected = partial_state([1]).to_bytes()
for _ in range(5):
    x = torch.rand(600, 600) @ torch.rand(600, 600)
    assert partial_state([1]).to_bytes() == expected
"""


def test_beside_torch():
    pytest.importorskip("torch")
    result = run(WITH_TORCH)
    assert result.returncode == 0, result.stderr


LATE = """
import iqa, atexit
import numpy as np
x = np.ones((64, 64), np.float32)
metric = iqa.SSIM(1.0)
metric.update(x, x)
context = iqa.Context(progress=lambda done, total: None)
kept = iqa.PSNR(1.0, context=context)
class Last:
    def __init__(self, used):
        self.used = used
        self.cycle = self
    def __del__(self):
        try:
            self.used.update(x, x)
            self.used.compute()
        except Exception:
            pass
lasts = [Last(metric), Last(iqa.SSIM(1.0)), Last(iqa.PSNR(1.0, context=context))]
atexit.register(lambda: kept.update(x, x))
iqa.ssim(x, x, 1.0)
"""


def test_the_end_of_the_interpreter():
    result = run(LATE)
    assert (result.returncode, result.stderr) == (0, "")


def test_environment_variable_caps_the_instruction_set():
    result = run(
        "import iqa; print(iqa.Context().instruction_set)",
        IQA_ISA="baseline",
    )
    assert result.stdout.split() == ["baseline"]
