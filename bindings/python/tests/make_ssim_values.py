# SPDX-License-Identifier: MIT
"""Writes ssim_values.json: what libraries on PyTorch say of the pairs of ssim_pairs.py.

    python make_ssim_values.py

Values of the libraries that are installed replace those in the file; the others stay. Needs torch
(1.13 or later) and any of torchmetrics, pytorch_msssim, piq, monai, pyiqa. TorchMetrics before
1.4.2 is taken for the older preset. Of piq and pyiqa the files of SSIM are imported alone, so that
what their networks need does not have to be there.

Some compute in float32, or with windows or exponents in float32. What float64 would give is
written too, so that the rule can be told from the rounding: "in_float64" is the same code where
torch.float means float64.
"""

from __future__ import annotations

import contextlib
import datetime
import importlib.util
import json
import sys
import types
import warnings
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from ssim_pairs import Pair, pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OUTPUT = Path(__file__).with_name("ssim_values.json")
MULTI_SCALE = 161  # side from which on all take five scales, but those that need 176
Value = tuple[str, dict[str, Any], "Callable[[], Any]"]


def tensors(pair: Pair, kind: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    """The pair as N, C, and the axes of space."""

    def arranged(image: Any) -> torch.Tensor:
        tensor = torch.tensor(image, dtype=kind)
        planes = tensor.permute(2, 0, 1).contiguous() if pair.layout == "HWC" else tensor[None]
        return planes[None]

    return arranged(pair.x), arranged(pair.y)


def has_scales(pair: Pair, least: int = MULTI_SCALE) -> bool:
    """Whether five scales are possible."""
    return pair.layout != "DHW" and min(pair.x.shape[:2]) >= least


def torchmetrics(pair: Pair) -> Iterator[Value]:
    """Functional SSIM and MS-SSIM."""
    of = import_module("torchmetrics.functional.image")
    x, y = tensors(pair)
    old = tuple(map(int, version("torchmetrics").split(".")[:3])) < (1, 4, 2)
    name = "torchmetrics_1_4_1" if old else "torchmetrics"
    ssim = of.structural_similarity_index_measure
    for sigma in (1.5,) if pair.layout == "DHW" else (0.5, 1.5, 2.0):
        yield (
            name,
            {"sigma": sigma},
            lambda s=sigma: ssim(y, x, data_range=pair.data_range, sigma=s),
        )
    if has_scales(pair, 176) and not old:
        ms_ssim = of.multiscale_structural_similarity_index_measure
        yield "ms_ssim_torchmetrics", {}, lambda: ms_ssim(y, x, data_range=pair.data_range)


def pytorch_msssim(pair: Pair) -> Iterator[Value]:
    """Its windows have float32 weights whatever the images are."""
    module = import_module("pytorch_msssim")
    x, y = tensors(pair)
    for sigma in (0.5, 1.5, 2.0):
        yield (
            "pytorch_msssim",
            {"sigma": sigma},
            lambda s=sigma: module.ssim(y, x, data_range=pair.data_range, win_sigma=s),
        )
    if has_scales(pair):
        yield (
            "ms_ssim_pytorch_msssim",
            {},
            lambda: module.ms_ssim(y, x, data_range=pair.data_range),
        )


def piq(pair: Pair) -> Iterator[Value]:
    """Volumes are complex numbers to it."""
    if pair.layout == "DHW":
        return
    files_alone("piq")
    ssim, ms_ssim = import_module("piq.ssim").ssim, import_module("piq.ms_ssim").multi_scale_ssim
    x, y = tensors(pair)
    yield "piq", {}, lambda: ssim(y, x, data_range=pair.data_range)
    yield (
        "piq",
        {"downsample": 1},
        lambda: ssim(y, x, data_range=pair.data_range, downsample=False),
    )
    if has_scales(pair):
        yield "ms_ssim_piq", {}, lambda: ms_ssim(y, x, data_range=pair.data_range)


def monai(pair: Pair) -> Iterator[Value]:
    """It computes in float32."""
    of = import_module("monai.metrics.regression")
    x, y = tensors(pair, torch.float)
    axes = 3 if pair.layout == "DHW" else 2
    metric = of.SSIMMetric(axes, data_range=pair.data_range)
    yield "monai", {}, lambda: metric(y, x).mean()
    if has_scales(pair, 176):
        scales = of.MultiScaleSSIMMetric(2, data_range=pair.data_range)
        yield "ms_ssim_monai", {}, lambda: scales(y, x).mean()
    if axes == 3 and min(pair.x.shape) >= 22:
        weights = (0.4, 0.6)
        scales = of.MultiScaleSSIMMetric(3, data_range=pair.data_range, weights=weights)
        yield "ms_ssim_monai", {"scale_weights": weights}, lambda: scales(y, x).mean()


def pyiqa(pair: Pair) -> Iterator[Value]:
    """It takes images in 0 to 1, and rounds them to levels of 255."""
    if pair.layout == "DHW":
        return
    for package in ("pyiqa", "pyiqa.archs", "pyiqa.utils"):
        files_alone(package)
    arch = import_module("pyiqa.archs.ssim_arch")
    x, y = (image / 255 for image in tensors(pair))
    if not torch.equal((y * 255).round(), y * 255):
        return  # what it rounds is not what it was given
    yield "pyiqa", {}, lambda: arch.SSIM()(y, x).mean()
    if has_scales(pair):
        yield "ms_ssim_pyiqa", {}, lambda: arch.MS_SSIM()(y, x).mean()


PEERS = {
    "torchmetrics": torchmetrics,
    "pytorch-msssim": pytorch_msssim,
    "monai": monai,
    "piq": piq,
    "pyiqa": pyiqa,
}


@contextlib.contextmanager
def float_is_float64() -> Iterator[None]:
    """For a while."""
    before = torch.float, torch.FloatTensor, torch.Tensor.float
    torch.set_default_dtype(torch.float64)
    torch.float, torch.FloatTensor = torch.float64, torch.DoubleTensor
    torch.Tensor.float = torch.Tensor.double
    yield
    torch.set_default_dtype(torch.float32)
    torch.float, torch.FloatTensor, torch.Tensor.float = before


def files_alone(name: str) -> None:
    """Lets files of a package be imported without what its __init__ imports, such as networks."""
    if name not in sys.modules:
        found = importlib.util.find_spec(name)
        package = types.ModuleType(name)
        package.__path__ = found.submodule_search_locations
        sys.modules[name] = package


def main() -> None:
    """Measures with every library that is there."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    known = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {}
    for peer, measure in PEERS.items():
        try:
            number = version(peer)
        except PackageNotFoundError:
            continue
        values = []
        for name, pair in pairs().items():
            for preset, options, run in measure(pair):
                values.append({"pair": name, "preset": preset, "options": options})
                values[-1]["value"] = float(run())
            with float_is_float64():
                in_float64 = [float(run()) for _, _, run in measure(pair)]
            for entry, value in zip(values[-len(in_float64) :], in_float64):
                entry["in_float64"] = value
        known[f"{peer} {number}"] = {
            "torch": torch.__version__,
            "date": datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat(),
            "values": values,
        }
        print(f"{peer} {number}: {len(values)} values")
    OUTPUT.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    main()
