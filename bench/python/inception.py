# SPDX-License-Identifier: MIT
"""Features of pictures by FID's network, beside torch-fidelity where that is installed.

    python bench/python/inception.py --threads 1

Weights are random, pictures noise; both resize. Rounds are interleaved and the best one counts, by
processor time on one thread and by the clock on several.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np

import iqa
import iqa.weights


def peer(tensors: dict[str, Any], threads: int) -> Callable[[Any], Any] | None:
    """torch-fidelity's network as a function of pictures, or None."""
    try:
        import torch  # noqa: PLC0415 only this needs it
        from torch_fidelity import feature_extractor_inceptionv3 as module  # noqa: PLC0415
    except ImportError:
        return None
    torch.set_num_threads(threads)
    extractor = module.FeatureExtractorInceptionV3
    with (
        mock.patch.object(module, "load_state_dict_from_url", lambda *_, **__: {}),
        mock.patch.object(extractor, "load_state_dict", lambda *_, **__: None),
    ):
        network = extractor("random", ["2048"])
    network.load_state_dict({n: torch.from_numpy(t) for n, t in tensors.items()}, strict=False)

    def features(pictures: Any) -> Any:
        with torch.inference_mode():
            return network(torch.from_numpy(pictures).permute(0, 3, 1, 2))[0].numpy()

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
    runs = {
        name: iqa.Inception(tensors, context=iqa.Context(stated.threads, instruction_set=name))
        for name in ("avx512", "avx2")
    }
    runs["torch-fidelity"] = peer(tensors, stated.threads)
    runs = {name: run for name, run in runs.items() if run is not None}
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
