# SPDX-License-Identifier: MIT
"""FID beside the formulas of other programs, on the same features, in one run.

    python bench/python/fid.py [--threads 2] [--sizes 64 192 768 1024 2048] [--rounds 5]
    python bench/python/fid.py --neighbours 1
    python bench/python/fid.py --threads 1 --clock cpu
    python bench/python/fid.py --memory

The peers are what FID programs do with NumPy and SciPy: np.cov for the moments, and for the trace
term scipy.linalg.sqrtm of the product (pytorch-fid, clean-fid) or its eigenvalues (torch-fidelity,
TorchMetrics). Rounds are interleaved, so that a busy moment of the machine meets all of them;
figures are medians with the best round behind, and a table of the best rounds ends the run.

--neighbours starts processes that keep a processor busy each. --clock cpu counts processor time
instead of the time that passes: on one thread that compares the programs fairly on a machine that
has other work too. --memory gives the peak memory of a process that takes 20,000 rows of 2048
features from a generator, in batches of 250, and computes FID.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import time


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sizes", type=int, nargs="*", default=[64, 192, 768, 1024, 2048])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=10000)
    parser.add_argument("--without", nargs="*", default=[], help="peers to leave out")
    parser.add_argument("--neighbours", type=int, default=0, help="busy processes beside")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


ARGUMENTS = parse()
for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[variable] = str(ARGUMENTS.threads)

import numpy as np  # noqa: E402 the number of threads comes first
import scipy  # noqa: E402
import scipy.linalg  # noqa: E402

import iqa  # noqa: E402

clock = {"wall": time.perf_counter, "cpu": time.process_time}[ARGUMENTS.clock]
MEMORY_ROWS, MEMORY_FEATURES, MEMORY_BATCH = 20000, 2048, 250


def features(seed: int, rows: int, count: int) -> np.ndarray:
    """Non-negative, correlated features with a decaying spectrum."""
    random = np.random.default_rng(seed)
    values = random.standard_normal((rows, count), dtype=np.float32)
    values *= np.power(np.arange(1, count + 1, dtype=np.float32), -0.35)
    values += 0.3 * np.roll(values, 1, axis=1)
    values += 0.15 * seed * np.roll(values, 5, axis=1)
    return np.logaddexp(values, 0, dtype=np.float32)


def by_sqrtm(mean_1, sigma_1, mean_2, sigma_2) -> float:
    root = scipy.linalg.sqrtm(sigma_1.dot(sigma_2))
    difference = mean_1 - mean_2
    return float(
        (difference.dot(difference) + np.trace(sigma_1) + np.trace(sigma_2)).real
        - 2 * np.trace(root).real
    )


def by_eigenvalues(mean_1, sigma_1, mean_2, sigma_2) -> float:
    values = np.linalg.eigvals(sigma_1.dot(sigma_2)).astype(complex)
    difference = mean_1 - mean_2
    return float(
        difference.dot(difference)
        + np.trace(sigma_1)
        + np.trace(sigma_2)
        - 2 * np.sqrt(values).real.sum()
    )


ROOTS = {"scipy sqrtm": by_sqrtm, "numpy eigvals": by_eigenvalues}


def interleave(tasks: dict, rounds: int) -> tuple[dict, dict]:
    """Seconds of each task in each round, and its last result."""
    seconds: dict = {name: [] for name in tasks}
    results: dict = {}
    for _ in range(rounds):
        for name, task in tasks.items():
            begin = clock()
            results[name] = task()
            seconds[name].append(clock() - begin)
    return seconds, results


@contextlib.contextmanager
def neighbours(count: int):
    """Processes that compute beside, until the block ends."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def show(title: str, seconds: dict, ours: str, notes: dict | None = None) -> None:
    print(f"\n{title}")
    reference = statistics.median(seconds[ours])
    for name, values in seconds.items():
        median = statistics.median(values)
        ratios = statistics.median(a / b for a, b in zip(values, seconds[ours]))
        note = (notes or {}).get(name, "")
        print(
            f"  {name:28s} median {1000 * median:9.1f} ms   best {1000 * min(values):9.1f} ms   "
            f"{ratios:6.2f} x ours   {note}"
        )
    assert reference > 0


def moments(context: iqa.Context, rows: int, count: int, rounds: int) -> list[float]:
    """Our time as a part of NumPy's, with 32-bit words and with 24-bit words."""
    x = features(1, rows, count)
    metrics = {
        "iqa, 32-bit": iqa.FID(count, context=context),
        "iqa, 24-bit": iqa.FID(count, fraction_bits=19, word_bits=24, context=context),
    }

    def add(metric: iqa.FID) -> None:
        metric.reset("reference")
        metric.update(x)

    def covariance() -> None:
        np.mean(x, axis=0), np.cov(x, rowvar=False)

    tasks = {name: (lambda m=metric: add(m)) for name, metric in metrics.items()}
    tasks["numpy mean and cov"] = covariance
    seconds, _ = interleave(tasks, rounds)
    show(f"moments, {rows} x {count}", seconds, "iqa, 32-bit")
    best = {name: min(values) for name, values in seconds.items()}
    return [best[name] / best["numpy mean and cov"] for name in metrics]


def trace(context: iqa.Context, rows: tuple[int, int], count: int, rounds: int) -> list[float]:
    """Our best time, and how many times longer the peers take."""
    metric = iqa.FID(count, context=context)
    sets = [features(seed, n, count) for seed, n in zip((1, 2), rows)]
    metric.update(*sets)
    statistics_of = [(s.astype(np.float64).mean(0), np.cov(s, rowvar=False)) for s in sets]
    flat = [array for pair in statistics_of for array in pair]

    def ours() -> float:
        metric.update(candidate=sets[1][:0])  # no rows, but what was computed is forgotten
        return metric.compute()

    tasks = {"iqa": ours} | {name: (lambda root=root: root(*flat)) for name, root in ROOTS.items()}
    tasks = {name: task for name, task in tasks.items() if name not in ARGUMENTS.without}
    seconds, results = interleave(tasks, rounds)
    show(
        f"FID from moments, {rows[0]} and {rows[1]} rows of {count}",
        seconds,
        "iqa",
        {name: f"FID {value:.10g}" for name, value in results.items()},
    )
    best = {name: min(values) for name, values in seconds.items()}
    return [best["iqa"], *(best.get(name, np.nan) / best["iqa"] for name in ROOTS)]


def child(which: str) -> None:
    """One process of the memory comparison: prints its peak in MB."""
    import resource  # noqa: PLC0415

    def batches(seed):
        random = np.random.default_rng(seed)
        for _ in range(MEMORY_ROWS // MEMORY_BATCH):
            yield random.standard_normal((MEMORY_BATCH, MEMORY_FEATURES), dtype=np.float32)

    if which == "iqa":
        metric = iqa.FID(MEMORY_FEATURES, context=iqa.Context(ARGUMENTS.threads))
        for batch in batches(1):
            metric.update(reference=batch)
        for batch in batches(2):
            metric.update(candidate=batch)
        value = metric.compute()
    elif which in ROOTS:
        flat = []
        for seed in (1, 2):
            everything = np.empty((MEMORY_ROWS, MEMORY_FEATURES))  # float64, as pytorch-fid
            for i, batch in enumerate(batches(seed)):
                everything[i * MEMORY_BATCH : (i + 1) * MEMORY_BATCH] = batch
            flat += [everything.mean(axis=0), np.cov(everything, rowvar=False)]
        value = ROOTS[which](*flat)
    else:
        value = 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{peak:.0f} MB, FID {value:.8f}")


def memory() -> None:
    print(f"peak memory, 2 sets of {MEMORY_ROWS} x {MEMORY_FEATURES} in batches of {MEMORY_BATCH}")
    for which in ("nothing", "iqa", *ROOTS):
        command = [sys.executable, __file__, "--child", which, "--threads", str(ARGUMENTS.threads)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        print(f"  {which:20s} {said}")


def main() -> None:
    if ARGUMENTS.child:
        child(ARGUMENTS.child)
        return
    context = iqa.Context(ARGUMENTS.threads)
    print(
        f"iqa {iqa.library_version()} ({context.instruction_set}), numpy {np.__version__}, "
        f"scipy {scipy.__version__}, {ARGUMENTS.threads} threads, load {os.getloadavg()[0]:.1f}"
    )
    if ARGUMENTS.memory:
        memory()
        return
    table = []
    with neighbours(ARGUMENTS.neighbours):
        for count in ARGUMENTS.sizes:
            of_moments = moments(context, ARGUMENTS.rows, count, ARGUMENTS.rounds)
            for rows in ((ARGUMENTS.rows, ARGUMENTS.rows), (count // 2, ARGUMENTS.rows)):
                of_trace = trace(context, rows, count, ARGUMENTS.rounds)
                table.append((count, rows[0], *of_trace, *of_moments))
    print(
        f"\nbest rounds, {ARGUMENTS.clock} time, {ARGUMENTS.threads} threads, "
        f"{ARGUMENTS.neighbours} busy neighbours, load at the end {os.getloadavg()[0]:.1f}"
    )
    print("| D | real rows | FID | sqrtm | eigvals | moments, 32-bit / np.cov | 24-bit / np.cov |")
    print("|---|---|---|---|---|---|---|")
    for count, rows, seconds, *ratios in table:
        cells = [f"{1000 * seconds:.1f} ms", *(f"{r:.2f} x" for r in ratios)]
        print(f"| {count} | {rows} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
