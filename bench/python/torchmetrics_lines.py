# SPDX-License-Identifier: MIT
"""Lines of TorchMetrics beside the same lines with iqa.torchmetrics: value, speed, memory.

    python bench/python/torchmetrics_lines.py [--rounds N] [--threads 1 2] [--only WORD ...]

Each side runs in a process of its own, on the same tensors, and the rounds are interleaved: theirs,
ours, theirs, ours, ... so that a busy moment of the machine meets both. A round is one update and
one compute. Of one thread the processor's time of the process is taken, which other processes
disturb least, of several the wall clock; times are the least of the rounds, the ratio is the median
of the rounds' ratios. Memory is what the process's peak grew by with a line, its metric included.
The last table has the processor's time of imports. Needs torch, torchmetrics and NumPy.
"""

import argparse
import ctypes
import json
import os
import platform
import statistics
import subprocess
import sys
import time

SSIM = "StructuralSimilarityIndexMeasure"
CASES = {
    f"{SSIM}(data_range=1.0)": ("images", (8, 3, 256, 256)),
    f"MultiScale{SSIM}(data_range=1.0)": ("images", (4, 3, 256, 256)),
    "PeakSignalNoiseRatio(data_range=1.0)": ("images", (16, 3, 512, 512)),
    "MeanSquaredError()": ("images", (16, 3, 512, 512)),
    "MeanAbsoluteError()": ("images", (16, 3, 512, 512)),
    'F1Score(task="multiclass", num_classes=19, ignore_index=255, average="macro")': (
        "labels",
        (8, 512, 512),
    ),
    'JaccardIndex(task="multiclass", num_classes=19, ignore_index=255)': ("labels", (8, 512, 512)),
    'Accuracy(task="multiclass", num_classes=19)': ("scores", (2, 256, 512)),
    'Accuracy(task="multiclass", num_classes=1000, top_k=5, average="micro")': (
        "scores of 1000",
        (512,),
    ),
    'F1Score(task="binary")': ("probabilities", (4, 1, 512, 512)),
    'F1Score(task="multilabel", num_labels=20)': ("probabilities", (50000, 20)),
    'DiceScore(19, input_format="index")': ("whole labels", (4, 256, 256)),
    'MeanIoU(19, input_format="index")': ("whole labels", (4, 256, 256)),
    "FrechetInceptionDistance(Features(512))": ("features", (1000, 512)),
    "KernelInceptionDistance(Features(2048), subsets=10)": ("features", (1000, 2048)),
    "InceptionScore(Features(1000))": ("logits", (5000, 1000)),
}
MODULES = ("torchmetrics", "image", "image.fid", "image.kid", "image.inception", "segmentation")


def made(line, side):
    """The metric that a line makes, of their classes or of ours."""
    import importlib

    import iqa.torchmetrics as ours

    names = {"Features": ours.Features}
    for module in MODULES:
        path = module if module == "torchmetrics" else f"torchmetrics.{module}"
        names = {**names, **vars(importlib.import_module(path))}
    if side == "ours":
        names = {**names, **{name: getattr(ours, name) for name in ours.__all__}}
    return eval(line, names)


def batches(kind, shape):
    """What one round is fed."""
    import torch

    generator = torch.Generator().manual_seed(1)

    def rand(*of):
        return torch.rand(*of, generator=generator)

    if kind == "images":
        target = rand(*shape)
        return [((target + 0.1 * rand(*shape)).clamp(0, 1), target)]
    if kind == "probabilities":
        return [(rand(*shape), (rand(*shape) > 0.5).long())]
    if kind == "features":
        return [(rand(*shape), True), (rand(*shape) * 1.1, False)]
    if kind == "logits":
        return [(4 * rand(*shape),)]
    classes = 1000 if "1000" in kind else 19
    target = torch.randint(0, classes, shape, generator=generator)
    if "scores" in kind:
        return [(rand(shape[0], classes, *shape[1:]), target)]
    preds = torch.where(rand(*shape) < 0.8, target, target.flip(0))
    if kind == "labels":
        target = torch.where(rand(*shape) < 0.1, 255, target)
    return [(preds, target)]


def memory(field):
    """VmRSS or VmHWM, the peak, in MB."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field)) / 1024


def worker(side):
    """Makes the metric of each line that it reads, and measures rounds of it."""
    import warnings

    import torch

    warnings.simplefilter("ignore")
    for order in sys.stdin:
        line, count = json.loads(order)
        if line:
            metric = data = None
            torch.set_num_threads(count)
            data = batches(*CASES[line])
            ctypes.CDLL(None).malloc_trim(0)  # gives back what the line before has freed
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")  # the peak begins anew
            before = memory("VmRSS")
            metric = made(line, side)
            clock = time.process_time if count == 1 else time.perf_counter
            continue
        metric.reset()
        start = clock()
        for batch in data:
            metric.update(*batch)
        value = metric.compute()
        took = clock() - start
        value = value[0] if isinstance(value, tuple) else value
        answer = {"time": took, "value": float(value), "memory": memory("VmHWM") - before}
        print(json.dumps(answer), flush=True)


def started(threads):
    """A process for each side."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "IQA_NUM_THREADS": str(threads)}
    return {
        side: subprocess.Popen(
            [sys.executable, __file__, "--worker", side],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for side in ("theirs", "ours")
    }


def compared(processes, line, threads, rounds):
    """Answers of both sides, round by round."""
    found = {side: [] for side in processes}
    for process in processes.values():
        process.stdin.write(json.dumps([line, threads]) + "\n")
    for number in range(rounds + 1):  # the first one warms up
        for side, process in processes.items():
            process.stdin.write(json.dumps([None, threads]) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            if number:
                found[side].append(answer)
    return found


def table(lines, threads, rounds):
    clock = "processor time" if threads == 1 else "wall clock"
    print(f"\n{threads} thread{'s' if threads > 1 else ''}, {clock}\n")
    print("| line | tensors | value | differs by | theirs, ms | ours, ms | faster | MB |")
    print("|---|---|---|---|---|---|---|---|")
    processes = started(threads)
    for line in lines:
        found = compared(processes, line, threads, rounds)
        theirs, ours = found["theirs"], found["ours"]
        ratio = statistics.median(x["time"] / y["time"] for x, y in zip(theirs, ours))
        least = [1e3 * min(answer["time"] for answer in side) for side in (theirs, ours)]
        value, difference = ours[0]["value"], abs(ours[0]["value"] - theirs[0]["value"])
        grown = [max(0, *(x["memory"] for x in side)) for side in (theirs, ours)]
        kind, shape = CASES[line]
        print(
            f"| `{line}` | {kind} {list(shape)} | {value:.6g} | {difference:.0e} |"
            f" {least[0]:.3g} | {least[1]:.3g} | {ratio:.3g} x | {grown[0]:.0f}, {grown[1]:.0f} |",
            flush=True,
        )
    for process in processes.values():
        process.stdin.close()
        process.wait()


def imports(rounds):
    print("\n| import | processor time, ms |\n|---|---|")
    for statement in (
        "import iqa",
        "import torch",
        "import torchmetrics",
        "import torchmetrics, iqa.torchmetrics",
    ):
        code = f"import time; start = time.process_time(); {statement}\n"
        code += "print(time.process_time() - start)"
        runs = [
            float(subprocess.run([sys.executable, "-c", code], **CAPTURED).stdout)
            for _ in range(rounds)
        ]
        print(f"| `{statement}` | {1e3 * min(runs):.0f} |", flush=True)


CAPTURED = {"capture_output": True, "text": True, "check": True}


def processor():
    with open("/proc/cpuinfo") as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return f"{names[0]}, {len(names)} processors" if names else platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", nargs="+", default=[""])
    parser.add_argument("--worker", choices=("theirs", "ours"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        worker(given.worker)
        return
    import torch
    import torchmetrics

    import iqa

    print(
        f"PyTorch {torch.__version__}, TorchMetrics {torchmetrics.__version__}, iqa"
        f" {iqa.__version__}, {platform.python_implementation()} {platform.python_version()},"
        f" {processor()}"
    )
    lines = [line for line in CASES if any(word in line for word in given.only)]
    for threads in given.threads:
        table(lines, threads, given.rounds)
    imports(3)


if __name__ == "__main__":
    main()
