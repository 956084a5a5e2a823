# SPDX-License-Identifier: MIT
"""The library beside other programs: the same data, in one run. Prints Markdown.

    python bench/python/compare.py > section.md     # what docs/reference/performance.md has
    python bench/python/compare.py --metrics SSIM PSNR --cases "1080p RGB" --dtypes uint8
    python bench/python/compare.py --smoke          # each metric's first case, small, in one round

Each peer runs in a process of its own, and the rounds are interleaved: peer 1, peer 2, ..., peer
1, peer 2, ... so that a busy moment of the machine meets all of them. One thread is timed by the
processor's time of the process, several by the clock; figures are medians over the rounds, or the
first call where that takes more than 10 seconds. What a peer finds is compared with what the
library finds by the same rule (peers.py says by which, and how far they may differ); a peer that
finds something else is not timed, and the script fails. A peer is looked for in this interpreter
and then in those that --python names.

Pictures and features are measured again and again where they are; pairs of label maps take turns in
256 MB, so that each comes from memory. The ceilings are those that build/bench/iqa_bench measures
(IQA_BUILD_DIR: another folder than build): float32 multiply-adds for SSIM, reading memory for what
adds up differences or labels. clips.py is this script's sibling for programs that read clips.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from peers import IGNORED, PEERS

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
BUILD = Path(os.environ.get("IQA_BUILD_DIR", ROOT / "build"))

IMAGES = {
    "256x256": ("HW", (256, 256)),
    "1080p RGB": ("HWC", (1080, 1920, 3)),
    "4K RGB": ("HWC", (2160, 3840, 3)),
    "16x3x256x256": ("NCHW", (16, 3, 256, 256)),
    "128x128x128": ("DHW", (128, 128, 128)),
    "256x256x256": ("DHW", (256, 256, 256)),
}
LABELS = {
    f"{kind}, {classes}": (kind, classes)
    for kind in ("runs", "clean", "uniform")
    for classes in (2, 19, 150, 1000)
}
ROWS = {
    "10000x2048": (10000, 2048),
    "5000x2048": (5000, 2048),
    "5000x1000": (5000, 1000),
    "4000x2048": (4000, 2048),
}
KINDS = (
    (IMAGES, ("uint8", "uint16", "float32", "float64")),
    (LABELS, tuple(IGNORED)),
    (ROWS, ("float32", "float64")),
)
"""Cases that a metric may have, and their element types."""
LARGE = ("1080p RGB", "128x128x128", "runs, 19", *ROWS)
"""Of these the peak memory is measured."""
LONG = 10
"""Seconds of a call from which on the first one is the figure."""
MAP = (1024, 2048)
MEMORY = 256 << 20

PLAN = {
    "SSIM": {
        "1080p RGB": ("uint8", "float32"),
        "16x3x256x256": ("uint8", "float32"),
        "128x128x128": ("float32",),
    },
    "MS-SSIM": {"1080p RGB": ("uint8", "float32"), "16x3x256x256": ("float32",)},
    "SSIM and gradient": {
        "1080p RGB": ("float32",),
        "16x3x256x256": ("float32",),
        "128x128x128": ("float32",),
    },
    "MS-SSIM and gradient": {"1080p RGB": ("float32",), "16x3x256x256": ("float32",)},
    "PSNR": {
        "256x256": ("uint8", "uint16", "float32"),
        "1080p RGB": ("uint8", "uint16", "float32"),
        "4K RGB": ("uint8", "uint16", "float32"),
        "16x3x256x256": ("uint8", "float32"),
    },
    "MSE": {"256x256": ("uint8", "float32"), "1080p RGB": ("uint8", "float32")},
    "MAE": {"256x256": ("uint8", "float32"), "1080p RGB": ("uint8", "float32")},
    "confusion": {
        **{
            name: ("uint8", "int64")
            for name, (_, classes) in LABELS.items()
            if classes in (2, 19, 150)
        },
        **{name: ("int64",) for name, (_, classes) in LABELS.items() if classes == 1000},
    },
    "Dice": {"runs, 19": ("uint8", "int64")},
    "moments": {"10000x2048": ("float32",)},
    "FID": {"10000x2048": ("float32",)},
    "KID": {"4000x2048": ("float32",)},
    "KID of subsets": {"5000x2048": ("float32",)},
    "Inception Score": {"5000x1000": ("float32",)},
}
"""Metrics, their cases and element types: the rows of the document."""

MULTIPLY_ADDS = {
    "SSIM": 88,
    "MS-SSIM": 88 * 341 / 256,
    "SSIM and gradient": 205,
    "MS-SSIM and gradient": 205 * 341 / 256,
}
"""Of a pixel with 11 taps in two dimensions: docs/reference/performance.md counts them."""

ABOUT = {
    "SSIM": "11 x 11 Gaussian windows",
    "confusion": "regions with 1 % of noise (runs) or without (clean), or noise, and the classes",
    "Dice": "the mean over 19 classes",
    "moments": "mean and covariance of one set",
    "FID": "from two sets of features",
    "KID": "of all rows, of each set as many",
    "KID of subsets": "100 of 1000 rows each, which every program draws in its way",
    "Inception Score": "of logits, in one split",
}


def photograph(name, layout, shape):
    """A photograph of the test data, mirrored until it fills the shape, as float64 in 0 ... 255."""
    from PIL import Image

    picture = np.asarray(Image.open(DATA / name), np.float64)
    if layout == "DHW":  # slices side by side: a volume whose slices are cut from the photograph
        strip = photograph(name, "HW", (shape[1], shape[0] + shape[2]))
        return np.stack([strip[:, start : start + shape[2]] for start in range(shape[0])])
    size = shape[:2] if layout != "NCHW" else (shape[0] * shape[2], shape[3])
    pads = [(0, max(0, wanted - have)) for wanted, have in zip(size, picture.shape)]
    picture = np.pad(picture, pads + [(0, 0)] * (picture.ndim - 2), mode="symmetric")
    picture = picture[-size[0] :, -size[1] :]  # the sky is at the upper left
    if layout == "NCHW":
        picture = picture.reshape(shape[0], shape[2], shape[3], shape[1]).transpose(0, 3, 1, 2)
    assert picture.shape == shape, (picture.shape, shape)
    return np.ascontiguousarray(picture)


def pictures(layout, shape, dtype):
    """A photograph and what JPEG made of it."""
    stem = "camera" if layout in ("HW", "DHW") else "chelsea"
    data_range = {"uint8": 255, "uint16": 65535}.get(dtype, 1.0)
    pair = []
    for name in (f"reference/{stem}.png", f"jpeg_q50/{stem}.jpg"):
        image = photograph(name, layout, shape) / 255 * data_range
        pair.append((np.rint(image) if data_range > 1 else image).astype(dtype))
    return pair, {"layout": layout, "data_range": data_range}


def label_maps(kind, classes, shape, dtype, ignored):
    """A reference and a prediction: regions of one class, some classes far more often than others,
    and the same shifted by 3 pixels, which is what real label maps look like; or noise."""
    random = np.random.default_rng(classes)
    if kind == "uniform":
        truth, prediction = random.integers(0, classes, (2, *shape))
    else:
        truth = np.zeros(shape, np.int64)
        for label in (classes * random.random(400) ** 2.5).astype(int):
            top, left = random.integers(0, shape)
            height, width = random.integers(
                (shape[0] // 50, shape[1] // 100), (shape[0] * 300 // 1024, shape[1] * 500 // 2048)
            )
            truth[top : top + height, left : left + width] = label
        prediction = np.roll(truth, 3, axis=1)
        wrong = random.random(shape) < (0.01 if kind == "runs" else 0)
        prediction = np.where(wrong, random.integers(0, classes, shape), prediction)
    if ignored:  # 5 % of the references
        blocks = random.random((shape[0] // 8, shape[1] // 8)) < 0.05
        truth[np.kron(blocks, np.ones((8, 8), bool))] = IGNORED[dtype]
    return (truth.astype(dtype), prediction.astype(dtype)), {"layout": "labels", "classes": classes}


def features(rows, count, dtype):
    """Two sets of non-negative, correlated features with a decaying spectrum."""
    pair = []
    for seed in (1, 2):
        values = np.random.default_rng(seed).standard_normal((rows, count), dtype=np.float32)
        values *= np.power(np.arange(1, count + 1, dtype=np.float32), -0.35)
        values += 0.3 * np.roll(values, 1, axis=1)
        values += 0.15 * seed * np.roll(values, 5, axis=1)
        values += 0.2 * seed  # apart by more than float32's sums of peers are wrong
        pair.append(np.logaddexp(values, 0, dtype=np.float32).astype(dtype))
    return pair, {"layout": "rows"}


def write(directory, metric, case, dtype, small):
    """Files of the pair, what a peer has to know of them, and how many numbers a side has."""
    if case in IMAGES:
        layout, shape = IMAGES[case]
        if small:
            shape = tuple(min(side, 180 if metric.startswith("MS-SSIM") else 24) for side in shape)
        (x, y), facts = pictures(layout, shape, dtype)
    elif case in LABELS:
        shape = tuple(side // 8 for side in MAP) if small else MAP
        (x, y), facts = label_maps(*LABELS[case], shape, dtype, metric == "confusion")
    else:
        shape = tuple(side // 40 for side in ROWS[case]) if small else ROWS[case]
        (x, y), facts = features(*shape, dtype)
    paths = {name: str(Path(directory) / f"{name}.npy") for name in "xy"}
    for name, side in zip("xy", (x, y)):
        np.save(paths[name], side)
    return {"metric": metric, **paths, **facts}, x.size


class PeerError(Exception):
    """What a peer could not do."""


class Peer:
    """The process of a peer."""

    def __init__(self, name, python):
        self.name, self.python = name, python
        self.process = subprocess.Popen(
            [python, str(Path(__file__).with_name("peers.py")), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.version = json.loads(self.process.stdout.readline() or "null")

    def ask(self, do, **order):
        """The answer to an order."""
        try:
            self.process.stdin.write(json.dumps({"do": do, **order}) + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            answer = {"error": "its process ended"}
        if "error" in answer:
            raise PeerError(f"{self.name}: {answer['error']}: {order}")
        return answer["answer"]

    def end(self):
        """Ends the process."""
        self.process.communicate()


def find(name, pythons):
    """The peer, in the first interpreter that has it."""
    for python in pythons:
        peer = Peer(name, python)
        if peer.version is not None:
            return peer
        peer.end()
    return None


def prepare(peers, order, copies, directory, faults):
    """The seconds of a first call of the peers that find what iqa finds by the same rule. The
    others go to the faults."""
    own = peers[0]
    expected, firsts = {}, {}

    def by(options):
        key = json.dumps(options)
        if key not in expected:
            file = str(Path(directory) / "expected.npy")
            own.ask("value", **order, save=file, options=options)
            expected[key] = np.load(file)
        return expected[key]

    for peer in peers:
        file = str(Path(directory) / "found.npy")
        try:
            first = peer.ask("prepare", **order, copies=copies, save=file)
        except PeerError as error:
            if peer is own:
                raise
            faults.append(str(error))
            continue
        convention = PEERS[peer.name].metrics[order["metric"]]
        if first is None:
            continue
        if convention.within < np.inf:
            theirs, ours = np.load(file), by(convention.options)
            apart = np.linalg.norm(theirs - ours) / np.linalg.norm(ours)
            print(f"    {peer.name} differs by {apart:.1e}", file=sys.stderr, flush=True)
            if not apart <= convention.within:
                faults.append(f"{peer.name} differs by {apart:.1e}: {order}")
                continue
        firsts[peer] = first
    return firsts


SPINNING = 0.3
"""Seconds that threads of OpenMP, which wait for more work, may keep a processor after a call."""


def measure(firsts, rounds, seconds, threads):
    """Median seconds of each peer, over interleaved rounds."""
    times = {peer: [first] if first > LONG else [] for peer, first in firsts.items()}
    start = time.perf_counter()
    for done in range(rounds):
        if done >= 3 and time.perf_counter() - start > seconds:
            break
        for peer, first in firsts.items():
            if first <= LONG:
                time.sleep(SPINNING if threads > 1 else 0)
                times[peer].append(peer.ask("time"))
    return {peer.name: statistics.median(each) for peer, each in times.items()}


def peak_memory(peers, order, faults):
    """Kilobytes of one call, each in a fresh process."""
    found = {}
    for peer in peers:
        fresh = Peer(peer.name, peer.python)
        try:
            found[peer.name] = fresh.ask("memory", **order)
        except PeerError as error:
            faults.append(str(error))
        fresh.end()
    return found


def processor():
    """The model of the processor."""
    with open("/proc/cpuinfo") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.machine()


def ceilings():
    """What one thread can do, by the program that measures it: multiply-adds of the instruction
    sets and bytes in a second; empty where it is not built."""
    program = BUILD / "bench" / "iqa_bench"
    if not program.exists():
        return {}
    command = [program, "--benchmark_filter=^$"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    wide, narrow, read = map(
        float, re.search(r"([\d.]+) G\D+([\d.]+) G\D+([\d.]+) GB", said).groups()
    )
    return {"avx512": wide / 2 * 1e9, "avx2": narrow / 2 * 1e9, "read": read * 1e9}


def share(result, machine):
    """The part of the ceiling that iqa reaches; None where there is none."""
    limits = machine["ceilings"]
    metric, rate = result["metric"], result["numbers"] / result["seconds"]["iqa"]
    if metric in MULTIPLY_ADDS:
        work, limit = MULTIPLY_ADDS[metric], limits.get(machine["instruction set"])
        if IMAGES[result["case"]][0] == "DHW":
            work = 432 if "gradient" in metric else 154
    else:
        work, limit = 2 * np.dtype(result["dtype"]).itemsize, limits.get("read")
    if limit is None or result["case"] in ROWS:
        return None
    return rate * work / limit / result["threads"]


def written(metric, seconds, numbers):
    """A speed, or of features a time."""
    if metric in ("moments", "FID", "KID", "KID of subsets", "Inception Score"):
        return f"{1e3 * seconds:.4g} ms"
    return f"{numbers / seconds / 1e6:.4g}"


def print_machine(machine, missing):
    """What was measured, and where."""
    limits = {name: rate / 1e9 for name, rate in machine["ceilings"].items()}
    print(
        "Millions of samples (channel pixels, labels) in a second, or milliseconds, and in brackets"
        " how many times faster `iqa` is. {}, {} processors, load {:.1f} before and {:.1f} after;"
        " `iqa` with {}.".format(
            machine["processor"],
            machine["processors"],
            *machine["load"],
            machine["instruction set"],
        )
    )
    if limits:
        print(
            "Ceilings of one thread, in the same run: {avx512:.0f} (AVX-512) and {avx2:.0f} (AVX2)"
            " billion float32 multiply-adds a second, {read:.1f} GB/s from memory, which what is in"
            " caches can pass.".format(**limits)
        )
    versions = [f"{name} {version}" for name, version in machine["versions"].items()]
    print(", ".join(versions) + "." + (f" Missing: {', '.join(missing)}." if missing else ""))


def print_table(metric, results, machine):
    """The results of a metric as Markdown."""
    names = [name for name in PEERS if any(name in result["seconds"] for result in results)]
    columns = ["", "type", "threads", "iqa", "of the ceiling", *names[1:]]
    print(f"\n**{metric}**" + (f" ({ABOUT[metric]})" if metric in ABOUT else "") + "\n")
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    for result in results:
        own, numbers = result["seconds"]["iqa"], result["numbers"]
        part = share(result, machine)
        cells = [result["case"].replace("x", " x "), result["dtype"], str(result["threads"])]
        cells += [written(metric, own, numbers), "" if part is None else f"{100 * part:.0f} %"]
        for name in names[1:]:
            theirs = result["seconds"].get(name)
            cells.append("")
            if theirs is not None:
                ratio = f"{theirs / own:.1f}" if theirs < 10 * own else f"{theirs / own:.0f}"
                cells[-1] = f"{written(metric, theirs, numbers)} ({ratio}x)"
        print("| " + " | ".join(cells) + " |")


def megabytes(kilobytes):
    """In words; the kernel counts a process's pages only to some hundred kilobytes."""
    if kilobytes is None:
        return ""
    return "< 0.5" if kilobytes < 512 else f"{kilobytes / 1024:.3g}"


def print_memory(results):
    """Peak memory as Markdown."""
    names = [name for name in PEERS if any(name in result["kilobytes"] for result in results)]
    print("\n**Peak memory of a call beside its input**, MB, one thread\n")
    print("| | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 1))
    for result in results:
        cells = [megabytes(result["kilobytes"].get(name)) for name in names]
        about = f"{result['metric']}, {result['case'].replace('x', ' x ')}, {result['dtype']}"
        print(f"| {about} | " + " | ".join(cells) + " |")


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    several = {"nargs": "+", "metavar": "NAME"}
    cases = [*IMAGES, *LABELS, *ROWS]
    parser.add_argument("--python", nargs="+", default=[], metavar="PATH", help="interpreters")
    parser.add_argument("--peers", default=list(PEERS), choices=list(PEERS), **several)
    parser.add_argument("--metrics", default=list(PLAN), choices=list(PLAN), **several)
    parser.add_argument("--cases", choices=cases, help="in place of a metric's own", **several)
    types = list(dict.fromkeys(dtype for _, some in KINDS for dtype in some))
    parser.add_argument("--dtypes", choices=types, help="in place of those of a case", **several)
    parser.add_argument("--threads", default=[1, 2], type=int, nargs="+", metavar="N")
    parser.add_argument("--rounds", default=9, type=int, help="at most this many rounds")
    parser.add_argument("--seconds", default=20.0, type=float, help="for a row, from 3 rounds on")
    parser.add_argument("--smoke", action="store_true", help="small data, one round")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    chosen = parser.parse_args()
    if "iqa" not in chosen.peers:
        parser.error("--peers must name iqa, to which the others are compared")
    if chosen.smoke:
        chosen.rounds = 1
    return chosen


def rows_of(chosen):
    """Metrics, cases and element types that are asked for."""
    for metric in chosen.metrics:
        plan = PLAN[metric]
        kind, types = next(pair for pair in KINDS if next(iter(plan)) in pair[0])
        cases = [case for case in chosen.cases or plan if case in kind]
        for case in cases[:1] if chosen.smoke else cases:
            for dtype in chosen.dtypes or plan.get(case) or plan[next(iter(plan))]:
                if dtype in types:
                    yield metric, case, dtype


def main():
    """Measures and prints."""
    chosen = arguments()
    found = {name: find(name, [sys.executable, *chosen.python]) for name in chosen.peers}
    missing = [name for name, peer in found.items() if peer is None]
    if "iqa" in missing:
        raise SystemExit("iqa is not installed")
    everyone = [found[name] for name in PEERS if found.get(name)]
    began = os.getloadavg()[0]
    limits = ceilings()
    results, memory, faults = [], [], []
    with tempfile.TemporaryDirectory() as directory:
        for metric, case, dtype in rows_of(chosen):
            able = [peer for peer in everyone if metric in PEERS[peer.name].metrics]
            order, numbers = write(directory, metric, case, dtype, chosen.smoke)
            about = {"metric": metric, "case": case, "dtype": dtype, "numbers": numbers}
            pair = 2 * numbers * np.dtype(dtype).itemsize
            copies = max(2, MEMORY // pair) if case in LABELS and not chosen.smoke else 1
            for threads in chosen.threads:
                print(*about.values(), f"{threads} threads", file=sys.stderr, flush=True)
                one = {**order, "threads": threads}
                firsts = prepare(able, one, copies, directory, faults)
                seconds = measure(firsts, chosen.rounds, chosen.seconds, threads)
                results.append({**about, "threads": threads, "seconds": seconds})
                if threads == 1 and case in LARGE and dtype in ("float32", "int64"):
                    memory.append({**about, "kilobytes": peak_memory(firsts, one, faults)})
    machine = {
        "processor": processor(),
        "processors": len(os.sched_getaffinity(0)),
        "load": [began, os.getloadavg()[0]],
        "instruction set": found["iqa"].ask("instruction_set"),
        "ceilings": limits,
        "versions": {peer.name: peer.version for peer in everyone},
    }
    for peer in everyone:
        peer.end()
    print_machine(machine, missing)
    for metric in chosen.metrics:
        rows = [one for one in results if one["metric"] == metric]
        if rows:
            print_table(metric, rows, machine)
    if memory:
        print_memory(memory)
    if chosen.json:
        report = {"machine": machine, "speed": results, "peak_memory": memory}
        chosen.json.write_text(json.dumps(report, indent=1) + "\n")
    if faults:
        raise SystemExit("\n".join(["not timed, or not in full:", *faults]))


if __name__ == "__main__":
    main()
