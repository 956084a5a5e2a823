# SPDX-License-Identifier: MIT
"""How far features of pictures, and FID, lie from those of torch-fidelity and pytorch-fid.

    python bench/python/inception_peers.py

All have the same random weights. Three tables: the distance of each layer's features from a run in
float64, ours and the peer's own in float32; how much features move between batch sizes and numbers
of threads; FID of two sets of crops of the shipped photographs. A distance is the largest
difference over the largest feature.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from typing import Any

import numpy as np

import iqa
import iqa.weights

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "bindings" / "python" / "tests"))

import inception_peers as peers  # noqa: E402 it lies there


def crops(picture: Any, count: int, size: int) -> Any:
    """Squares out of a picture, each at another place."""
    height, width = picture.shape[0] - size, picture.shape[1] - size
    places = [(i * 37 % (height + 1), i * 23 % (width + 1)) for i in range(count)]
    return np.stack([picture[y : y + size, x : x + size] for y, x in places])


def distance(found: Any, expected: Any) -> float:
    """The largest difference over the largest number."""
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def print_accuracy(tensors: Any, pictures: Any) -> None:
    """The distances from a run in float64."""
    print(f"Distance of {len(pictures)} crops' features from a run in float64")
    for peer, layers in peers.LAYERS.items():
        reference = peers.network(peer, tensors, "float64")(pictures)
        theirs = peers.network(peer, tensors)(pictures)
        network = iqa.Inception(tensors, resize=peers.RESIZES[peer])
        mine = dict(zip(layers, network(pictures, list(layers)), strict=True))
        for layer in layers:
            own = [distance(side[layer], reference[layer]) for side in (mine, theirs)]
            print(f"{peer:15}{layer:16} ours {own[0]:.1e}   float32 of theirs {own[1]:.1e}")


def print_moves(tensors: Any, pictures: Any) -> None:
    """What batch sizes and threads do to features."""
    import torch  # noqa: PLC0415 the tables need peers, --help does not

    def in_batches(run: Any, size: int) -> Any:
        batches = [pictures[i : i + size] for i in range(0, len(pictures), size)]
        return np.concatenate([run(batch) for batch in batches])

    print(f"\nHow far features of layer 2048 move from those of batch {len(pictures)}, 1 thread")
    sizes, threads = (1, 3, len(pictures)), (1, 2)
    for peer in ("iqa", *peers.LAYERS):
        found = {}
        for count in threads:
            if peer == "iqa":
                run = iqa.Inception(tensors, context=iqa.Context(count))
            else:
                torch.set_num_threads(count)
                run = lambda batch, net=peers.network(peer, tensors): net(batch)["2048"]  # noqa: E731
            for size in sizes:
                found[count, size] = in_batches(run, size)
        first = found[1, len(pictures)]
        moves = "   ".join(
            f"{count} threads, batch {size}: {distance(features, first):.1e}"
            for (count, size), features in found.items()
        )
        print(f"{peer:15}{moves}")


def print_fid(tensors: Any, real: Any, fake: Any) -> None:
    """FID of two sets, with the features of each and its own formula."""
    from pytorch_fid.fid_score import calculate_frechet_distance  # noqa: PLC0415

    print(f"\nFID of two sets of {len(real)} crops, layer 2048")
    for peer in peers.LAYERS:
        theirs = peers.network(peer, tensors)
        moments = []
        for pictures in (real, fake):
            batches = [theirs(pictures[i : i + 20])["2048"] for i in range(0, len(pictures), 20)]
            features = np.concatenate(batches).astype(np.float64)
            moments += [features.mean(axis=0), np.cov(features, rowvar=False)]
        expected = calculate_frechet_distance(*moments)
        mine = iqa.fid_of_images(real, fake, tensors, resize=peers.RESIZES[peer])
        relative = abs(mine / expected - 1)
        print(f"{peer:15} theirs {expected:.10g}   ours {mine:.10g}   relative {relative:.1e}")


def main() -> None:
    """Prints the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crops", type=int, default=200, help="pictures in each set of FID's")
    parser.add_argument("--size", type=int, default=64, help="height and width of a crop")
    stated = parser.parse_args()
    from PIL import Image  # noqa: PLC0415 as above

    paths = sorted((REPOSITORY / "tests" / "data" / "reference").glob("*.png"))[:2]
    photographs = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    sets = [crops(picture, stated.crops, stated.size) for picture in photographs]
    tensors = iqa.weights.random()
    some = np.concatenate([side[:4] for side in sets])
    print_accuracy(tensors, some)
    print_moves(tensors, some)
    print_fid(tensors, *sets)


if __name__ == "__main__":
    main()
