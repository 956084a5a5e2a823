# SPDX-License-Identifier: MIT
"""SSIM and PSNR beside other programs: the same pictures, in one run.

    python bench/python/compare.py [--python PATH ...] [--json FILE]
    python bench/python/compare.py --metrics ms_ssim gradient mask --cases "1080p RGB" 16x3x256x256
    python bench/python/compare.py --metrics ssim --cases 128x128x128 256x256x256

Each peer runs in a process of its own, and the rounds are interleaved: peer 1, peer 2, ..., peer
1, peer 2, ... so that a busy moment of the machine meets all of them. Figures are medians over the
rounds, in millions of channel pixels per second, with the ratio of iqa's speed to the peer's. A
peer is looked for in this interpreter and then in those that --python names.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from peers import PEERS

DATA = Path(__file__).resolve().parents[2] / "tests" / "data"

CASES = {
    "16x16": ("HW", (16, 16)),
    "256x256": ("HW", (256, 256)),
    "1024x1024": ("HW", (1024, 1024)),
    "1080p RGB": ("HWC", (1080, 1920, 3)),
    "4K RGB": ("HWC", (2160, 3840, 3)),
    "16x3x256x256": ("NCHW", (16, 3, 256, 256)),
    "128x128x128": ("DHW", (128, 128, 128)),
    "256x256x256": ("DHW", (256, 256, 256)),
}
VOLUMES = [name for name, (layout, _) in CASES.items() if layout == "DHW"]


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
    picture = picture[: size[0], : size[1]]
    if layout == "NCHW":
        picture = picture.reshape(shape[0], shape[2], shape[3], shape[1]).transpose(0, 3, 1, 2)
    assert picture.shape == shape, (picture.shape, shape)
    return np.ascontiguousarray(picture)


def write_pictures(directory, case, dtype):
    """Files of the pair, and what a peer has to know of them."""
    layout, shape = CASES[case]
    stem = "camera" if layout in ("HW", "DHW") else "chelsea"
    data_range = {"uint8": 255, "uint16": 65535}.get(dtype, 1.0)
    files = {}
    for key, name in (("x", f"reference/{stem}.png"), ("y", f"jpeg_q50/{stem}.jpg")):
        image = photograph(name, layout, shape)
        image = image / 255 * data_range
        image = (np.rint(image) if data_range > 1 else image).astype(dtype)
        files[key] = str(Path(directory) / f"{key}.npy")
        np.save(files[key], image)
    return {**files, "layout": layout, "data_range": data_range}


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
        """The answer to an order; None also where the peer failed."""
        try:
            self.process.stdin.write(json.dumps({"do": do, **order}) + "\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline() or "null")
        except BrokenPipeError:
            return None

    def end(self):
        """Ends the process."""
        self.process.stdin.close()
        self.process.wait()


def find(name, pythons):
    """The peer, in the first interpreter that has it."""
    for python in pythons:
        peer = Peer(name, python)
        if peer.version is not None:
            return peer
        peer.end()
    print(f"{name} is not installed", file=sys.stderr)
    return None


def measure(peers, order, rounds, seconds):
    """Value and median seconds of each peer, over interleaved rounds."""
    found, times = {}, {}
    for peer in peers:
        answer = peer.ask("prepare", **order)
        if answer is not None:
            found[peer.name] = {"value": answer["value"]}
            times[peer.name] = []
    start = time.perf_counter()
    for done in range(rounds):
        if done >= 3 and time.perf_counter() - start > seconds:
            break
        for peer in peers:
            if peer.name in times:
                times[peer.name].append(peer.ask("time"))
    for name, each in times.items():
        found[name]["seconds"] = statistics.median(each)
        found[name]["fastest"] = min(each)
        found[name]["rounds"] = len(each)
    return found


def peak_memory(peers, order):
    """Kilobytes of one call, each in a fresh process."""
    found = {}
    for peer in peers:
        fresh = Peer(peer.name, peer.python)
        found[peer.name] = fresh.ask("memory", **order)
        fresh.end()
    return found


def processor():
    """The model of the processor."""
    with open("/proc/cpuinfo") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.machine()


def print_table(results, names, memory):
    """The results as Markdown."""
    print("\n| case | " + " | ".join(names) + " |")
    print("|---|" + "---|" * len(names))
    for result in results:
        cells = []
        for name in names:
            one = result["peers"].get(name)
            if one is None:
                cells.append("-")
            elif result["pixels"] <= 256:
                ratio = one["seconds"] / result["peers"]["iqa"]["seconds"]
                cells.append(
                    f"{1e6 * one['seconds']:.1f} us" + f" ({ratio:.0f}x)" * (name != "iqa")
                )
            else:
                speed = result["pixels"] / one["seconds"] / 1e6
                ratio = one["seconds"] / result["peers"]["iqa"]["seconds"]
                cells.append(f"{speed:.4g}" + f" ({ratio:.1f}x)" * (name != "iqa"))
        print(
            f"| {result['metric']} {result['case']} {result['dtype']}, {result['threads']} thread"
            + "s" * (result["threads"] > 1)
            + " | "
            + " | ".join(cells)
            + " |"
        )
    for result in memory:
        cells = [megabytes(result["peers"].get(name)) for name in names]
        about = f"{result['metric']} {result['case']} {result['dtype']}"
        print(f"| peak memory of {about} | " + " | ".join(cells) + " |")


def megabytes(kilobytes):
    """In words; the kernel counts a process's pages only to some hundred kilobytes."""
    if kilobytes is None:
        return "-"
    return "< 0.5 MB" if kilobytes < 512 else f"{kilobytes / 1024:.1f} MB"


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    several = {"nargs": "+", "metavar": "NAME"}
    parser.add_argument("--python", nargs="+", default=[], metavar="PATH", help="interpreters")
    parser.add_argument("--peers", default=list(PEERS), choices=list(PEERS), **several)
    parser.add_argument(
        "--cases", default=[c for c in CASES if c not in VOLUMES], choices=list(CASES), **several
    )
    parser.add_argument("--dtypes", default=["float32", "uint8", "float64"], **several)
    parser.add_argument("--metrics", default=["ssim", "psnr"], **several)
    parser.add_argument("--threads", default=[1, 2], type=int, nargs="+", metavar="N")
    parser.add_argument("--rounds", default=9, type=int, help="at most this many rounds")
    parser.add_argument("--seconds", default=20.0, type=float, help="for a case, from 3 rounds on")
    parser.add_argument("--no-memory", action="store_true", help="leave peak memory out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    chosen = parser.parse_args()
    if "iqa" not in chosen.peers:
        parser.error("--peers must name iqa, to which the others are compared")
    return chosen


def main():
    """Measures and prints."""
    chosen = arguments()
    found = [find(name, [sys.executable, *chosen.python]) for name in chosen.peers]
    peers = [peer for peer in found if peer is not None]
    names = [peer.name for peer in peers]
    results, memory = [], []
    with tempfile.TemporaryDirectory() as directory:
        for case in chosen.cases:
            for dtype in chosen.dtypes:
                order = write_pictures(directory, case, dtype)
                about = {"case": case, "dtype": dtype, "pixels": int(np.prod(CASES[case][1]))}
                for metric in chosen.metrics:
                    for threads in chosen.threads if about["pixels"] > 256 else [1]:
                        one = {**order, "metric": metric, "threads": threads}
                        figures = measure(peers, one, chosen.rounds, chosen.seconds)
                        result = {**about, "metric": metric, "threads": threads, "peers": figures}
                        results.append(result)
                        print(json.dumps(result), file=sys.stderr, flush=True)
                if case in ("1080p RGB", "4K RGB", *VOLUMES) and not chosen.no_memory:
                    for metric in [m for m in chosen.metrics if m in ("ssim", "ms_ssim")]:
                        one = {**order, "metric": metric, "threads": 1}
                        figures = peak_memory(peers, one)
                        memory.append({**about, "metric": metric, "peers": figures})
    machine = {
        "processor": processor(),
        "processors": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "versions": {peer.name: peer.version for peer in peers},
    }
    for peer in peers:
        peer.end()
    print(", ".join(f"{name} {version}" for name, version in machine["versions"].items()))
    print(f"{machine['processor']}, {machine['processors']} processors, load {machine['load']:.1f}")
    print("Millions of channel pixels per second; in brackets, how much faster iqa is")
    print_table(results, names, memory)
    if chosen.json:
        report = {"machine": machine, "speed": results, "peak_memory_kilobytes": memory}
        chosen.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
