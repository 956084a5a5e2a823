# SPDX-License-Identifier: MIT
"""Features of pictures by FID's network, beside PyTorch's and ONNX Runtime's where installed.

    python bench/python/inception.py --threads 1

PyTorch runs torch-fidelity's network, and ONNX Runtime pytorch-fid's, exported. Weights are random,
pictures noise; all resize. Rounds are interleaved and the best one counts, by processor time on one
thread and by the clock on several. Differences are from the first line.
"""

from __future__ import annotations

import argparse
import io
import pathlib
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import iqa
import iqa.weights

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "bindings" / "python" / "tests"))

import inception_peers as peers  # noqa: E402 it lies there

Run = Callable[[Any], Any]


def pytorch(tensors: dict[str, Any], threads: int) -> Run:
    """torch-fidelity's network."""
    import torch  # noqa: PLC0415 only this needs it

    torch.set_num_threads(threads)
    network = peers.network("torch-fidelity", tensors)
    return lambda pictures: network(pictures)["2048"]


def onnx_runtime(tensors: dict[str, Any], threads: int) -> Run:
    """pytorch-fid's network in ONNX Runtime, on pictures that PyTorch resizes as torch-fidelity."""
    import onnxruntime  # noqa: PLC0415 as above
    import torch  # noqa: PLC0415 as above
    from torch_fidelity import interpolate_compat_tensorflow as resizing  # noqa: PLC0415 as above

    module = peers.pytorch_fid_module(tensors, [3], resize_input=False, normalize_input=False)
    file = io.BytesIO()
    names = {"input_names": ["pictures"], "dynamic_axes": {"pictures": {0: "batch"}}}
    torch.onnx.export(module, (torch.zeros(1, 3, 299, 299),), file, dynamo=False, **names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file.getvalue(), options)

    def features(pictures: Any) -> Any:
        planar = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
        planar = resizing.interpolate_bilinear_2d_like_tensorflow1x(
            planar, size=(299, 299), align_corners=False
        )
        return session.run(None, {"pictures": ((planar - 128) / 128).numpy()})[0][..., 0, 0]

    return features


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--size", type=int, default=512, help="height and width of the pictures")
    stated = parser.parse_args()
    tensors = iqa.weights.random()
    runs: dict[str, Run] = {
        name: iqa.Inception(tensors, context=iqa.Context(stated.threads, instruction_set=name))
        for name in ("avx512", "avx2")
    }
    if peers.present("torch-fidelity"):
        runs["PyTorch"] = pytorch(tensors, stated.threads)
        if peers.present("pytorch-fid") and peers.present("onnxruntime"):
            runs["ONNX Runtime"] = onnx_runtime(tensors, stated.threads)
    shape = (stated.batch, stated.size, stated.size, 3)
    pictures = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    clock = time.process_time if stated.threads == 1 else time.perf_counter
    best, found = dict.fromkeys(runs, np.inf), {}
    for _ in range(1 + stated.rounds):  # the first one warms up
        for name, run in runs.items():
            begin = clock()
            features = run(pictures)
            if name in found:
                best[name] = min(best[name], clock() - begin)
            found[name] = features
    for name, seconds in best.items():
        distance = np.abs(found[name] - found["avx512"]).max() / np.abs(found[name]).max()
        rate = stated.batch / seconds
        print(f"{name:15}{rate:6.1f} pictures a second; differs from the first by {distance:.0e}")


if __name__ == "__main__":
    main()
