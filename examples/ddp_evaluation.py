# SPDX-License-Identifier: MIT
"""An evaluation on several processes that gives the bits of one.

Each process measures its share of the pairs; compute() adds the integer states of all. Shows iqa.torchmetrics under
torch.distributed: the pairs are not padded to equal shares, and none counts twice. Needs PyTorch, TorchMetrics, NumPy
and Pillow.

    python examples/ddp_evaluation.py
    torchrun --nproc_per_node 3 examples/ddp_evaluation.py
"""

import os
import pathlib

import numpy as np
import torch
from PIL import Image
from torch import distributed
from torchmetrics import MetricCollection

from iqa.torchmetrics import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure

DATA = pathlib.Path(__file__).resolve().parents[1] / "tests" / "data"


def pairs():
    """Every distorted 8-bit photograph with its reference."""
    for reference in sorted((DATA / "reference").glob("*.png")):
        for distorted in sorted(DATA.glob(f"*/{reference.stem}.*")):
            if distorted.parent.name not in ("reference", "labels"):
                yield distorted, reference


def tensor(path):
    pixels = np.asarray(Image.open(path).convert("RGB"), dtype=np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)[None]


def main():
    rank, count = 0, 1
    if "RANK" in os.environ:  # started by torchrun
        distributed.init_process_group("gloo")
        rank, count = distributed.get_rank(), distributed.get_world_size()

    metrics = MetricCollection(
        {
            "ssim": StructuralSimilarityIndexMeasure(data_range=1.0),
            "psnr": PeakSignalNoiseRatio(data_range=1.0),
        }
    )
    share = list(pairs())[rank::count]
    for distorted, reference in share:
        metrics.update(tensor(distorted), tensor(reference))
    print(f"process {rank} of {count} measured {len(share)} pairs")

    values = metrics.compute()  # every process gets the values of all pairs
    if rank == 0:
        for name, value in values.items():
            print(f"{name}  {value.item():.6f}  {value.item().hex()}")
    if count > 1:
        distributed.destroy_process_group()


if __name__ == "__main__":
    main()
