# SPDX-License-Identifier: MIT
"""Metrics on the GPU beside other programs on the same tensors, in one run.

    python bench/python/compare_cuda.py [--cases ssim fid ...] [--rounds 15] [--json]

The peers are TorchMetrics, pytorch-msssim and plain PyTorch, whose matrix products and eigenvalues
are cuBLAS's and cuSOLVER's. Rounds are interleaved: each task once, then each again, so that a
busy moment meets all of them. Times are those of CUDA events around enough calls for 2 ms, the
median over the rounds; what takes half a second or more is timed once. What gives its value as a
tensor on the device is not waited for within a call; what gives a number is. Each task has several
sets of inputs in turn, together larger than the cache of the device, but for the small cases,
which tell what a call costs.

A gigabyte is 1e9 bytes; bytes are those of the inputs, each read once. The ceiling is a copy,
counted as bytes read and written.
"""

import argparse
import importlib
import itertools
import json
import math
import statistics
import sys
import time

import torch

import iqa
import iqa.torch

CACHE_BYTES = 256 << 20
SECONDS_OF_A_ROUND = 2e-3
SLOW_SECONDS = 0.5


def package(name):
    """A module, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as problem:
        print(f"{name}: {problem}", file=sys.stderr)
        return None


torchmetrics = package("torchmetrics.functional.image")
classification = package("torchmetrics.functional.classification")
pytorch_msssim = package("pytorch_msssim")


class Clock:
    """Times calls on the device, or on the CPU to try this program out."""

    def __init__(self, device):
        self.on_gpu = device.type == "cuda"

    def seconds(self, task, repeats):
        """Of one call, over several."""
        if not self.on_gpu:
            begin = time.perf_counter()
            for _ in range(repeats):
                task()
            return (time.perf_counter() - begin) / repeats
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for _ in range(repeats):
            task()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) / 1e3 / repeats


def measure(clock, tasks, rounds, until):
    """Median seconds of each task; the text of what went wrong instead where something did."""
    found, repeats = {}, {}
    for name, task in tasks.items():
        try:
            once = clock.seconds(task, 1)
            if once < SLOW_SECONDS:
                task()
                once = clock.seconds(task, 1)
            repeats[name] = max(1, min(200, round(SECONDS_OF_A_ROUND / max(once, 1e-7))))
        except Exception as problem:  # a peer that cannot is no reason to measure no other
            found[name] = f"{type(problem).__name__}: {problem}".splitlines()[0][:80]
    times = {name: [] for name in repeats}
    for turn in range(rounds):
        if turn >= 3 and time.perf_counter() > until:
            break
        for name, each in times.items():
            if turn == 0 or each[0] < SLOW_SECONDS:
                each.append(clock.seconds(tasks[name], repeats[name]))
    return {**found, **{name: statistics.median(each) for name, each in times.items()}}


class Cases:
    """Each method gives cases: name, bytes, tasks; the first task is ours."""

    def __init__(self, device, small):
        self.device = device
        self.small = small

    def _pick(self, shape, small):
        """The shape, or a small one to try this program out."""
        return small if self.small else shape

    def _sets(self, make):
        """Inputs in turn that do not fit into the cache together; the bytes of one."""
        first = make()
        size = sum(tensor.nbytes for tensor in first)
        count = 1 if self.small else max(1, min(8, math.ceil(CACHE_BYTES / size)))
        if size < 1 << 22:  # the small cases
            count = 1
        return itertools.cycle([first, *(make() for _ in range(count - 1))]), size

    def _images(self, shape, dtype):
        """Pairs of noisy images."""

        def make():
            x = torch.rand(shape, device=self.device)
            y = (x + 0.1 * torch.randn(shape, device=self.device)).clamp(0, 1)
            if dtype == torch.uint8:
                return (255 * x).to(dtype), (255 * y).to(dtype)
            return x.to(dtype), y.to(dtype)

        return self._sets(make)

    def copy(self):
        """The ceiling of what moves bytes."""
        source = torch.rand(self._pick(1 << 28, 1 << 20), device=self.device)
        target = torch.empty_like(source)
        yield "copy", 2 * source.nbytes, {"torch copy_": lambda: target.copy_(source)}

    def launch(self):
        """The floor of a call: a kernel for one number."""
        one = torch.zeros(1, device=self.device)
        yield "empty launch", 0, {"torch add_": lambda: one.add_(1)}

    def _shapes(self):
        """Of images: large, a training batch, one small pair."""
        yield self._pick((8, 3, 1080, 1920), (1, 3, 176, 192))
        if not self.small:
            yield (16, 3, 256, 256)
            yield (1, 1, 256, 256)

    def _each_pair(self, title, metric_of, peers):
        """A metric of images beside functions of float images and their peak."""
        for shape, dtype in itertools.product(self._shapes(), (torch.float32, torch.uint8)):
            turns, size = self._images(shape, dtype)
            peak = 255 if dtype == torch.uint8 else 1.0
            metric = metric_of(peak, "NCHW")

            def call(function, turns=turns, peak=peak):
                x, y = next(turns)
                return function(x.float(), y.float(), peak)

            yield (
                f"{title} {text_of(shape)} {name_of(dtype)}",
                size,
                {
                    "iqa": lambda metric=metric, turns=turns: metric.update(*next(turns)),
                    **{name: lambda f=f, call=call: call(f) for name, f in peers.items()},
                },
            )

    def psnr(self):
        """Mean squared error in decibels."""
        return self._each_pair(
            "PSNR",
            iqa.PSNR,
            {
                "torch": lambda x, y, peak: 10 * torch.log10(peak**2 / (x - y).square().mean()),
                "TorchMetrics": lambda x, y, peak: torchmetrics.peak_signal_noise_ratio(
                    y, x, data_range=peak
                ),
            },
        )

    def ssim(self):
        """The value alone."""
        return self._each_pair(
            "SSIM",
            iqa.SSIM,
            {
                "TorchMetrics": lambda x, y, peak: torchmetrics.structural_similarity_index_measure(
                    y, x, data_range=peak
                ),
                "pytorch-msssim": lambda x, y, peak: pytorch_msssim.ssim(y, x, data_range=peak),
            },
        )

    def ms_ssim(self):
        """Five scales."""
        return self._each_pair(
            "MS-SSIM",
            lambda peak, layout: iqa.MS_SSIM(peak, layout, preset="ms_ssim_torchmetrics"),
            {
                "TorchMetrics": lambda x, y, peak: (
                    torchmetrics.multiscale_structural_similarity_index_measure(
                        y, x, data_range=peak
                    )
                ),
                "pytorch-msssim": lambda x, y, peak: pytorch_msssim.ms_ssim(y, x, data_range=peak),
            },
        )

    def ssim_gradient(self):
        """The value and the gradient with respect to the candidate, as a training step has it."""
        functions = {
            "iqa": lambda x, y: iqa.torch.ssim_loss(x, y, 1.0),
            "TorchMetrics": lambda x, y: torchmetrics.structural_similarity_index_measure(
                y, x, data_range=1.0
            ),
            "pytorch-msssim": lambda x, y: pytorch_msssim.ssim(y, x, data_range=1.0),
        }
        for shape in self._shapes():
            turns, size = self._images(shape, torch.float32)

            def step(function, turns=turns):
                x, y = next(turns)
                y = y.detach().requires_grad_()
                function(x, y).backward()
                return y.grad

            yield (
                f"SSIM and gradient {text_of(shape)} float32",
                size,
                {name: lambda f=f, step=step: step(f) for name, f in functions.items()},
            )

    def confusion(self):
        """Counts of pairs of labels: all classes alike, and most pixels of one class."""
        shape = self._pick((8, 1024, 2048), (2, 32, 32))
        for classes, skewed in itertools.product((2, 19, 1000), (False, True)):

            def make(classes=classes, skewed=skewed):
                x = torch.randint(classes, shape, device=self.device)
                y = torch.randint(classes, shape, device=self.device)
                if skewed:
                    x[torch.rand(shape, device=self.device) < 0.9] = 0
                    y[torch.rand(shape, device=self.device) < 0.9] = 0
                return x, y

            turns, size = self._sets(make)
            metric = iqa.ConfusionMatrix(classes)

            def plain(turns=turns, classes=classes):
                x, y = next(turns)
                return torch.bincount((x * classes + y).flatten(), minlength=classes**2)

            def peer(turns=turns, classes=classes):
                x, y = next(turns)
                return classification.multiclass_confusion_matrix(
                    y, x, num_classes=classes, validate_args=False
                )

            yield (
                f"confusion, {classes} classes, {'skewed' if skewed else 'uniform'}, int64",
                size,
                {
                    "iqa": lambda metric=metric, turns=turns: metric.update(*next(turns)),
                    "torch bincount": plain,
                    "TorchMetrics": peer,
                },
            )

    def fid(self):
        """Moments of features, and the distance of two sets of moments."""
        rows, count = self._pick((10000, 2048), (200, 32))

        def make():
            scale = torch.arange(1, count + 1, device=self.device) ** -0.35
            return (
                torch.nn.functional.softplus(scale * torch.randn(rows, count, device=self.device)),
            )

        turns, size = self._sets(make)
        metrics = {
            "iqa": iqa.FID(count),
            "iqa, 24-bit words": iqa.FID(count, fraction_bits=19, word_bits=24),
        }

        def moments(dtype):
            x = next(turns)[0].to(dtype)
            return x.sum(0), x.T @ x

        yield (
            f"FID moments, {rows} x {count} float32",
            size,
            {
                **{name: lambda m=m: m.update(*next(turns)) for name, m in metrics.items()},
                "torch float64": lambda: moments(torch.float64),
                "torch float32": lambda: moments(torch.float32),
            },
        )
        x, y = (make()[0].double() for _ in range(2))
        metric = iqa.FID(count)
        metric.update(x, y + 0.05)
        nothing = y[:0]

        def ours():
            metric.update(candidate=nothing)  # no rows, but what was computed is forgotten
            return metric.compute()

        mean = [z.mean(0) for z in (x, y)]
        sigma = [torch.cov(z.T) for z in (x, y)]

        def distance(root):
            difference = (mean[0] - mean[1]).square().sum()
            return float(difference + sigma[0].trace() + sigma[1].trace() - 2 * root())

        def eigenvalues():
            return torch.linalg.eigvals(sigma[0] @ sigma[1]).sqrt().real.sum()

        def two_symmetric():
            values, vectors = torch.linalg.eigh(sigma[0])
            half = vectors * values.clamp(min=0).sqrt()
            return torch.linalg.eigvalsh(half.T @ sigma[1] @ half).clamp(min=0).sqrt().sum()

        yield (
            f"FID of moments, {count} features",
            0,
            {
                "iqa": ours,
                "torch eigvals (TorchMetrics)": lambda: distance(eigenvalues),
                "torch eigh twice": lambda: distance(two_symmetric),
            },
        )


def text_of(shape):
    """A shape as people write it."""
    return "x".join(map(str, shape))


def name_of(dtype):
    """The name of an element type."""
    return str(dtype).removeprefix("torch.")


def cells_of(figures, size, ours):
    """What the table says of each task."""
    cells = {}
    for name, seconds in figures.items():
        if isinstance(seconds, str):
            cells[name] = seconds
            continue
        cells[name] = f"{1e3 * seconds:.4g} ms"
        if size:
            cells[name] += f", {size / seconds / 1e9:.4g} GB/s"
        if name != ours and isinstance(figures.get(ours), float):
            cells[name] += f" ({seconds / figures[ours]:.2f}x)"
    return cells


def main():
    """Measures and prints."""
    names = [name for name in vars(Cases) if not name.startswith("_")]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", nargs="+", default=names, choices=names, metavar="NAME")
    parser.add_argument("--rounds", type=int, default=15, help="at most this many rounds")
    parser.add_argument("--seconds", type=float, default=80.0, help="for all; 3 rounds at least")
    parser.add_argument("--device", default="cuda", help="cpu, with small tensors, for a trial")
    parser.add_argument("--json", action="store_true", help="a JSON object in a line for each case")
    given = parser.parse_args()
    device = torch.device(given.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        sys.exit("PyTorch finds no CUDA device")
    torch.manual_seed(1)
    torch.backends.cuda.matmul.allow_tf32 = False
    clock, cases = Clock(device), Cases(device, small=device.type == "cpu")
    machine = {
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "iqa": iqa.__version__,
        "cuda_state": iqa.cuda_state(),
    }
    print(json.dumps(machine))
    begin, failed = time.perf_counter(), []
    for number, case in enumerate(given.cases):
        for name, size, tasks in getattr(cases, case)():
            until = begin + given.seconds * (number + 1) / len(given.cases)
            figures = measure(clock, tasks, given.rounds, until)
            ours = next(iter(tasks))
            cells = cells_of(figures, size, ours)
            if given.json:
                print(json.dumps({"name": name, "bytes": size, "seconds": figures, "cells": cells}))
            else:
                print(f"{name}: " + "; ".join(f"{k} {v}" for k, v in cells.items()))
            if isinstance(figures.get("iqa", 0.0), str):
                failed.append(name)
    sys.exit(f"iqa failed in: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
