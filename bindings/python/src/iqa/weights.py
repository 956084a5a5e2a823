# SPDX-License-Identifier: MIT
"""Weights of FID's Inception v3 as .safetensors files, which iqa.Inception reads.

    python -m iqa.weights convert pt_inception-2015-12-05-6726825d.pth inception.safetensors
    python -m iqa.weights random --seed 1 random.safetensors

convert takes the state dictionaries that pytorch-fid and torch-fidelity load; it needs PyTorch.
Random weights make features that mean nothing, and are for tests. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import ctypes
import itertools
import math
import sys

from ._errors import ArgumentTypeError, Error, InvalidArgumentError, UnavailableError
from ._inception import Inception
from ._library import library

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any

_GOLDEN = 0x9E3779B97F4A7C15

_SPREADS = {
    "bn.weight": (0.2, 1.0),
    "bn.bias": (0.1, 0.0),
    "bn.running_mean": (0.1, 0.0),
    "bn.running_var": (0.5, 1.0),
    "fc.weight": (0.02, 0.0),
    "fc.bias": (0.1, 0.0),
}
"""How far the numbers of a tensor spread, and about what."""


def random(seed: int = 1) -> dict[str, Any]:
    """Weights from a seed, by name: the same bits everywhere.

    Maps keep an ordinary range, so that features of different pictures differ.
    """
    import numpy as np  # noqa: PLC0415 importing iqa does not import it

    tensors = {}
    for index, (name, shape) in enumerate(shapes().items()):
        count = math.prod(shape)
        first = (seed * 1_000_003 + index) << 32
        state = np.arange(first, first + count, dtype=np.uint64) * np.uint64(_GOLDEN)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
        uniform = (state >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1)
        spread, middle = _spread(name, shape)
        tensors[name] = (np.float32(middle) + np.float32(spread) * uniform).reshape(shape)
    return tensors


def _spread(name: str, shape: tuple[int, ...]) -> tuple[float, float]:
    if name.endswith("conv.weight"):
        return math.sqrt(6 / math.prod(shape[1:])), 0.0
    return _SPREADS[".".join(name.split(".")[-2:])]


def shapes() -> dict[str, tuple[int, ...]]:
    """The shape of each tensor that the network takes, by its name."""
    found = {}
    axes, extents = ctypes.c_int32(), (ctypes.c_int64 * 4)()
    for index in itertools.count():
        name = library.iqa_network_weight(index, ctypes.byref(axes), extents)
        if name is None:
            return found
        found[name.decode()] = tuple(extents[: axes.value])
    raise AssertionError  # counting has no end


def read(source: str | os.PathLike[str]) -> dict[str, Any]:
    """The tensors of a .pth file that the network takes, by name; needs PyTorch."""
    try:
        import torch  # noqa: PLC0415 only this needs it
    except ImportError:
        raise UnavailableError(f"{source} is read by PyTorch, which is not installed") from None
    state = torch.load(source, map_location="cpu", weights_only=True)
    if not hasattr(state, "items"):
        raise ArgumentTypeError(
            f"{source} holds {type(state).__name__}, expected a state dictionary: tensors by name"
        )
    wanted = shapes()
    missing = next((name for name in wanted if name not in state), None)
    if missing is not None:
        raise InvalidArgumentError(
            f"{source} has no {missing}: expected the weights of FID's Inception v3, as pytorch-fid"
            " and torch-fidelity load them"
        )
    return {name: state[name].to(torch.float32).numpy() for name in wanted}


def convert(source: str, target: str) -> str:
    """Writes the tensors of a .pth file that the network takes; their digest is returned."""
    return _save(read(source), target)


def _save(tensors: dict[str, Any], target: str) -> str:
    with Inception(tensors) as network:  # checks them
        digest = network.digest
    try:
        from safetensors.numpy import save_file  # noqa: PLC0415 only this needs it
    except ImportError:
        raise UnavailableError(
            f"{target} is written by the package safetensors, which is not installed"
        ) from None
    save_file(tensors, target)
    return digest


def main(arguments: list[str] | None = None) -> int:
    """The command line; an exit status is returned."""
    parser = argparse.ArgumentParser(
        prog="python -m iqa.weights",
        description="Weights of FID's Inception v3 as .safetensors files. Nothing is downloaded.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    of_file = commands.add_parser("convert", help="from the .pth file of another program")
    of_file.add_argument("source", metavar="IN.pth")
    of_seed = commands.add_parser("random", help="for tests: their features mean nothing")
    of_seed.add_argument("--seed", type=int, default=1)
    for command in (of_file, of_seed):
        command.add_argument("target", metavar="OUT.safetensors")
    stated = parser.parse_args(arguments)
    try:
        if stated.command == "convert":
            digest = convert(stated.source, stated.target)
        else:
            digest = _save(random(stated.seed), stated.target)
    except (Error, OSError) as problem:
        print(f"iqa.weights: {problem}", file=sys.stderr)
        return 2
    print(f"{stated.target}: weights {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
