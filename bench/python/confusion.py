# SPDX-License-Identifier: MIT
"""Confusion matrices beside other programs: the same label maps, in one run.

    python bench/python/confusion.py [--classes 2 19 150 1000] [--dtypes uint8 int64] [--json FILE]

Label maps of 1024 x 2048. "runs" has regions of one class, some classes far more often than others,
and a prediction that is shifted by 3 pixels with 1 % of noise: what real label maps look like.
"uniform" has independent labels on both sides, "clean" the runs without the noise. 5 % of the
references are ignored. Each peer counts one pair at a time into a matrix that was checked to be the
same for all; pairs take turns in 256 MB of memory, so that every one comes from memory. Rounds are
interleaved; the figure is the best of them. One thread is timed by the time that the process ran,
so that neighbours cost caches and clock but not turns; more threads by the clock. The peers have no
threads for this; their figure beside more of ours is that of one.

The memory's read rate of one thread is measured in the same run: by the program of bench/ where it
is built (-DIQA_BUILD_BENCH=ON), which reads with the widest loads, else by a sum of NumPy's.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import numpy as np
from compare import processor
from numpy.typing import NDArray

import iqa

SHAPE = (1024, 2048)
MEMORY = 256 << 20
IGNORED = {"uint8": 255, "int64": -1}
PROGRAM = Path(__file__).resolve().parents[2] / "build" / "bench" / "iqa_bench_confusion"

Labels = NDArray[np.integer]


def maps(content: str, classes: int, dtype: str) -> tuple[Labels, Labels]:
    """A reference and a prediction."""
    random = np.random.default_rng(classes)
    if content == "uniform":
        truth, prediction = random.integers(0, classes, (2, *SHAPE))
    else:
        truth = np.zeros(SHAPE, np.int64)
        for label in (classes * random.random(400) ** 2.5).astype(int):
            top, left = random.integers(0, SHAPE)
            height, width = random.integers((20, 20), (300, 500))
            truth[top : top + height, left : left + width] = label
        prediction = np.roll(truth, 3, axis=1)
        wrong = random.random(SHAPE) < (0.01 if content == "runs" else 0)
        prediction = np.where(wrong, random.integers(0, classes, SHAPE), prediction)
    blocks = random.random((SHAPE[0] // 8, SHAPE[1] // 8)) < 0.05
    truth[np.kron(blocks, np.ones((8, 8), bool))] = IGNORED[dtype]
    return truth.astype(dtype), prediction.astype(dtype)


def with_iqa(classes: int, ignored: int, threads: int) -> Callable[[Labels, Labels], Labels]:
    """One metric, reset for each pair."""
    metric = iqa.ConfusionMatrix(classes, ignore=ignored, context=iqa.Context(threads))

    def count(truth: Labels, prediction: Labels) -> Labels:
        metric.reset()
        metric.update(truth, prediction)
        return metric

    return count


def with_bincount(classes: int, ignored: int, threads: int) -> Callable[[Labels, Labels], Labels]:
    """The few lines that evaluation scripts share."""

    def count(truth: Labels, prediction: Labels) -> Labels:
        kept = truth != ignored
        cells = classes * truth[kept].astype(np.int64) + prediction[kept]
        return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)

    return count


def with_scikit_learn(
    classes: int, ignored: int, threads: int
) -> Callable[[Labels, Labels], Labels]:
    """With the list of labels, without which it looks for them first."""
    from sklearn.metrics import confusion_matrix

    labels = np.arange(classes)

    def count(truth: Labels, prediction: Labels) -> Labels:
        return confusion_matrix(truth.ravel(), prediction.ravel(), labels=labels)

    return count


def with_torchmetrics(
    classes: int, ignored: int, threads: int
) -> Callable[[Labels, Labels], Labels]:
    """The functional form, without its checks."""
    import torch
    from torchmetrics.functional.classification import multiclass_confusion_matrix

    torch.set_num_threads(threads)

    def count(truth: Labels, prediction: Labels) -> Labels:
        tensors = torch.from_numpy(prediction), torch.from_numpy(truth)
        return multiclass_confusion_matrix(
            *tensors, classes, ignore_index=ignored, validate_args=False
        ).numpy()

    return count


PEERS = {
    "iqa": (with_iqa, "libiqa"),
    "bincount": (with_bincount, "numpy"),
    "scikit-learn": (with_scikit_learn, "scikit-learn"),
    "TorchMetrics": (with_torchmetrics, "torchmetrics"),
}
"""Functions, and the packages whose versions are shown."""


def pairs_in_turn(truth: Labels, prediction: Labels) -> Iterator[tuple[Labels, Labels]]:
    """Copies of a pair, without end, that fill the memory that the caches do not hold."""
    count = max(2, MEMORY // (truth.nbytes + prediction.nbytes))
    return itertools.cycle([(truth.copy(), prediction.copy()) for _ in range(count)])


def read_rate() -> tuple[float, str]:
    """Bytes per second that one thread reads, and who says so."""
    if PROGRAM.exists():
        command = [PROGRAM, "--benchmark_filter=^$"]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return float(re.findall(r"([\d.]+) GB/s", said)[0]) * 1e9, PROGRAM.name
    memory = np.ones(1 << 26, np.int64)
    best = min(seconds_of(time.process_time_ns, memory.sum) for _ in range(9))
    return memory.nbytes / best, "NumPy's sum"


def seconds_of(clock: Callable[[], int], work: Callable[..., object], *arguments: object) -> float:
    """How long a call takes."""
    start = clock()
    work(*arguments)
    return (clock() - start) * 1e-9


def measure(
    content: str, classes: int, dtype: str, threads: int, chosen: argparse.Namespace
) -> dict[str, float]:
    """The best seconds of each peer for one pair."""
    pair = maps(content, classes, dtype)
    counters, first = {}, None
    for name in chosen.peers:
        if name == "iqa" or threads == 1:
            counters[name] = PEERS[name][0](classes, IGNORED[dtype], threads)
            found = counters[name](*pair)
            found = found.matrix if name == "iqa" else found
            first = found if first is None else first
            assert np.array_equal(first, found), name
    clock = time.process_time_ns if threads == 1 else time.perf_counter_ns
    turns = pairs_in_turn(*pair)
    best: dict[str, float] = {}
    start = time.perf_counter()
    for done in range(chosen.rounds):
        if done >= 3 and time.perf_counter() - start > chosen.seconds:
            break
        for name, count in counters.items():
            for _ in range(20 if name == "iqa" else 1):
                seconds = seconds_of(clock, count, *next(turns))
                best[name] = min(best.get(name, seconds), seconds)
    return best


def versions(names: list[str]) -> dict[str, str]:
    """Of the peers that can be imported; the others are left out."""
    found = {}
    for name in names:
        try:
            PEERS[name][0](2, 255, 1)
            found[name] = iqa.__version__ if name == "iqa" else metadata.version(PEERS[name][1])
        except ImportError:
            print(f"{name} is not installed")
    return found


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--classes", type=int, nargs="+", default=[2, 19, 150, 1000])
    parser.add_argument("--contents", nargs="+", default=["runs", "clean", "uniform"])
    parser.add_argument("--dtypes", nargs="+", default=list(IGNORED), choices=list(IGNORED))
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=list(PEERS))
    parser.add_argument("--rounds", type=int, default=25, help="at most this many")
    parser.add_argument("--seconds", type=float, default=10.0, help="for a case, from 3 rounds on")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    chosen = parser.parse_args()

    known = versions(chosen.peers)
    chosen.peers = list(known)
    rate, source = read_rate()
    print(", ".join(f"{name} {version}" for name, version in known.items()))
    print(
        f"{processor()}, {len(os.sched_getaffinity(0))} processors, load {os.getloadavg()[0]:.1f}"
    )
    print(f"one thread reads {rate / 1e9:.1f} GB/s (measured by {source})")
    print("millions of labels per second; in brackets, how much faster iqa is\n")
    print("| labels | type | classes | threads | iqa | of the read rate | others |")
    print("|---|---|---|---|---|---|---|")
    results = []
    for classes, content, dtype in itertools.product(
        chosen.classes, chosen.contents, chosen.dtypes
    ):
        if classes > IGNORED[dtype] >= 0:
            continue
        one_thread: dict[str, float] = {}
        for threads in chosen.threads:
            best = measure(content, classes, dtype, threads, chosen)
            one_thread = best if threads == 1 else one_thread
            speeds = {name: SHAPE[0] * SHAPE[1] / s for name, s in {**one_thread, **best}.items()}
            share = speeds["iqa"] * 2 * np.dtype(dtype).itemsize / (threads * rate)
            others = ", ".join(
                f"{name} {speed / 1e6:.1f} ({speeds['iqa'] / speed:.0f} x)"
                for name, speed in speeds.items()
                if name != "iqa"
            )
            print(
                f"| {content} | {dtype} | {classes} | {threads} | {speeds['iqa'] / 1e6:.0f} "
                f"| {100 * share:.0f} % | {others} |",
                flush=True,
            )
            results.append(
                {
                    "content": content,
                    "dtype": dtype,
                    "classes": classes,
                    "threads": threads,
                    "labels_per_second": speeds,
                    "of_read_rate": share,
                }
            )
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")
    if chosen.json:
        machine = {"processor": processor(), "read_rate": rate, "versions": known}
        chosen.json.write_text(json.dumps({"machine": machine, "results": results}, indent=1))


if __name__ == "__main__":
    main()
