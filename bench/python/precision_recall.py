# SPDX-License-Identifier: MIT
"""Precision, recall, density and coverage beside prdc and torch-fidelity, in turn.

    python bench/python/precision_recall.py --rows 5000 --threads 1 --rounds 3

Prints the best time of each over ours: that of the processor, and all that passed. torch-fidelity has
precision and recall only. prdc has eight jobs of its own whatever the threads of BLAS.
"""

import argparse
import contextlib
import io
import os
import time

parser = argparse.ArgumentParser()
parser.add_argument("--rows", type=int, default=5000)
parser.add_argument("--features", type=int, default=2048)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--rounds", type=int, default=3)
options = parser.parse_args()
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(options.threads)))

import iqa  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from prdc import compute_prdc  # noqa: E402
from torch_fidelity.metric_prc import calculate_precision_recall_full  # noqa: E402

torch.set_num_threads(options.threads)
context = iqa.Context(options.threads)
random = np.random.default_rng(0)
mixing = random.standard_normal((64, options.features)) / 8


def features(shift):
    common = random.standard_normal((options.rows, 64)) @ mixing
    own = 0.3 * random.standard_normal(common.shape)
    return np.maximum(common + own + shift, 0).astype(np.float32)


x, y = features(0.0), features(0.05)
fake, real = torch.from_numpy(y), torch.from_numpy(x)
calls = {
    "iqa": lambda: iqa.prdc(x, y, context=context),
    "prdc": lambda: compute_prdc(x, y, 5),
    "torch-fidelity": lambda: calculate_precision_recall_full(fake, real, 3),
}
best = dict.fromkeys(calls, (float("inf"), float("inf")))
for _ in range(options.rounds):
    for name, call in calls.items():
        begin = time.process_time(), time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            call()
        spent = time.process_time() - begin[0], time.perf_counter() - begin[1]
        best[name] = tuple(map(min, best[name], spent))
for name, spent in best.items():
    processor, passed = (theirs / ours for theirs, ours in zip(spent, best["iqa"]))
    print(f"{name:15} {processor:6.2f} x of the processor's time, {passed:6.2f} x in all")
