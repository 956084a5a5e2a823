# SPDX-License-Identifier: MIT
"""What a call costs where the images are small: microseconds beside other programs, in one run.

    python bench/python/small_calls.py [--sides 16 256] [--rounds 9]
    python bench/python/small_calls.py --teams [--side 256] [--rounds 600]

Grey pairs of uint8. All callables take turns in this process, and the figure is the least of the
rounds by the processor time of the thread, so that neighbours cost caches and clock but not turns:
all have one thread. Ours are the function for one pair, the update of a metric, the making of one,
and what of an update is the library's: the same call through ctypes with tensors that are there
already.

With --teams the clock decides: 20 updates on one thread and 20 on two take turns, and the medians
and means of the rounds are printed, with the load of the machine.
"""

import argparse
import os
import statistics
import time

import numpy as np
from compare import processor
from peers import PEERS, Data, version

import iqa
from iqa._library import library
from iqa._tensor import borrow

PEERS_OF_CALLS = ("scikit-image", "OpenCV", "TorchMetrics", "piq")
SECONDS = 0.02
"""Of one measurement."""


def pair(side):
    """A picture and a noisy one."""
    random = np.random.default_rng(side)
    x = random.integers(0, 256, (side, side))
    y = np.clip(x + random.integers(-20, 21, x.shape), 0, 255)
    return x.astype(np.uint8), y.astype(np.uint8)


def ours(metric, x, y):
    """Our calls by their names."""
    measure, kind = {"ssim": (iqa.ssim, iqa.SSIM), "psnr": (iqa.psnr, iqa.PSNR)}[metric]
    context = iqa.Context(threads=1)
    accumulator = kind(context=context)
    tensors = borrow(x, "x"), borrow(y, "y")

    def update():  # the tensors live as long as what is named here
        (_, first), (_, second) = tensors
        if library.iqa_metric_update(accumulator._handle, first, second, None):
            raise RuntimeError

    calls = {
        f"iqa.{metric}(x, y)": lambda: measure(x, y),
        "metric.update(x, y)": lambda: accumulator.update(x, y),
        "the library's part": update,
        f"iqa.{kind.__name__}(context=context)": lambda: kind(context=context),
    }
    if version("TorchMetrics") is not None:
        from torch import from_numpy

        a, b = from_numpy(x), from_numpy(y)
        calls[f"iqa.{metric} of tensors"] = lambda: measure(a, b)
        calls["metric.update of tensors"] = lambda: accumulator.update(a, b)
    return calls


def peers(metric, x, y):
    """Theirs, of those that are installed."""
    found = {}
    for name in PEERS_OF_CALLS:
        if version(name) is not None:
            found[name] = PEERS[name].make(metric.upper(), Data(x, y, "HW", 255.0), 1)
    return found


def microseconds(call, clock):
    """Of one call."""
    begin = clock()
    call()
    repeats = max(1, int(SECONDS * 1e9 / max(clock() - begin, 1000)))
    begin = clock()
    for _ in range(repeats):
        call()
    return (clock() - begin) / repeats / 1e3


def print_calls(sides, rounds):
    """A table of all calls."""
    print("| | " + " | ".join(f"{side} x {side}" for side in sides) + " |")
    print("|---|" + "---|" * len(sides))
    for metric in ("ssim", "psnr"):
        columns = []
        for side in sides:
            x, y = pair(side)
            calls = {**ours(metric, x, y), **peers(metric, x, y)}
            times = {name: [] for name in calls}
            for call in calls.values():
                call()
            for _ in range(rounds):
                for name, call in calls.items():
                    times[name].append(microseconds(call, time.thread_time_ns))
            columns.append({name: min(some) for name, some in times.items()})
        for name in columns[0]:
            cells = " | ".join(f"{column[name]:.2f}" for column in columns)
            print(f"| {metric.upper()}: {name} | {cells} |")


def print_teams(side, rounds):
    """One thread and two, by the clock."""
    x, y = pair(side)
    for kind in (iqa.SSIM, iqa.PSNR):
        metrics = {threads: kind(context=iqa.Context(threads=threads)) for threads in (1, 2)}
        times = {threads: [] for threads in metrics}
        for _ in range(rounds):
            for threads, metric in metrics.items():
                begin = time.perf_counter_ns()
                for _ in range(20):
                    metric.update(x, y)
                times[threads].append((time.perf_counter_ns() - begin) / 20e3)
        for what, of in (("median", statistics.median), ("mean", statistics.fmean)):
            one, two = of(times[1]), of(times[2])
            print(
                f"{kind.__name__} {side} x {side}: {what} {one:.1f} us on one thread, {two:.1f} on"
                f" two, {one / two:.2f} times"
            )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sides", type=int, nargs="+", default=[16, 256])
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--teams", action="store_true")
    parser.add_argument("--side", type=int, default=256)
    arguments = parser.parse_args()
    os.environ["IQA_NUM_THREADS"] = "1"  # of contexts that state none
    versions = ", ".join(f"{name} {version(name)}" for name in PEERS_OF_CALLS)
    print(
        f"{processor()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; {versions}\n"
    )
    if arguments.teams:
        print_teams(arguments.side, arguments.rounds or 600)
    else:
        print_calls(arguments.sides, arguments.rounds or 9)


if __name__ == "__main__":
    main()
