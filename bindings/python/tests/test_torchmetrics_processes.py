# SPDX-License-Identifier: MIT
"""iqa.torchmetrics in several processes: uneven shards give the bits of one process."""

from __future__ import annotations

import os
import socket

import pytest

torch = pytest.importorskip("torch")
torchmetrics = pytest.importorskip("torchmetrics")

import iqa  # noqa: E402
import iqa.torchmetrics as ours  # noqa: E402
import iqa.weights  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")

FEATURES = 8
PROCESSES = [1, 2, 3]


def metrics():
    network = ours.Features(FEATURES)
    return {
        "ssim": ours.StructuralSimilarityIndexMeasure(data_range=1.0),
        "psnr": ours.PeakSignalNoiseRatio(data_range=1.0),
        "psnr of each": ours.PeakSignalNoiseRatio(1.0, dim=(1, 2, 3), reduction="none"),
        "mse": ours.MeanSquaredError(),
        "f1": ours.F1Score(task="multiclass", num_classes=5, average="macro"),
        "dice": ours.DiceScore(5, input_format="index"),
        "fid": ours.FrechetInceptionDistance(network),
        "kid": ours.KernelInceptionDistance(network, subset_size=20),
        "inception score": ours.InceptionScore(network),
    }


def feed(metric, name, index):
    """The batch of a number, which is of another size for each."""
    generator = torch.Generator().manual_seed(index)
    size = index % 3 + 1
    if name == "f1":
        preds = torch.rand(size * 10, 5, generator=generator)
        metric.update(preds, torch.randint(0, 5, (size * 10,), generator=generator))
    elif name == "dice":
        metric.update(*torch.randint(0, 5, (2, size, 6, 7), generator=generator))
    elif name in ("fid", "kid"):
        for real in (True, False):
            metric.update(torch.rand(size * 9, FEATURES, generator=generator), real=real)
    elif name == "inception score":
        metric.update(torch.rand(size * 9, FEATURES, generator=generator))
    else:
        x = torch.rand(size, 1, 16, 18, generator=generator)
        metric.update((x + 0.2 * torch.rand(x.shape, generator=generator)).clamp(0, 1), x)


BATCHES = 7


def shard(rank, world):
    """Uneven: the last of three processes has nothing at all."""
    if world == 3:
        return [range(5), range(5, 7), range(0)][rank]
    return range(BATCHES)[rank::world]


def whole():
    values = {}
    for name, metric in metrics().items():
        for index in range(BATCHES):
            feed(metric, name, index)
        values[name] = metric.compute()
    return values


def begin(rank, world, port):
    torch.set_num_threads(1)
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.distributed.init_process_group("gloo", rank=rank, world_size=world)


def in_process(rank, world, port, folder):
    begin(rank, world, port)
    values = {}
    for name, metric in metrics().items():
        for index in shard(rank, world):
            feed(metric, name, index)
        values[name] = metric.compute()
        local = metric.lanes if hasattr(metric, "lanes") else None
        values[name, "again"] = metric.compute()
        if local is not None:  # after the value each process has its own data again
            alone = metrics()[name]
            for index in shard(rank, world):
                feed(alone, name, index)
            assert torch.equal(local, alone.lanes)
    if world > 1:
        sigma = 1.5 + rank
        other = ours.StructuralSimilarityIndexMeasure(data_range=1.0, sigma=sigma)
        feed(other, "ssim", rank)
        with pytest.raises(iqa.IncompatibleError, match="the processes have"):
            other.compute()
        resize = ("clean", "torchmetrics", "pytorch")[rank]
        network = ours.InceptionFeatures(iqa.weights.random(1), 64, resize)
        for kind in (ours.FrechetInceptionDistance, ours.KernelInceptionDistance):
            with pytest.raises(iqa.IncompatibleError, match="the processes have"):
                kind(network).sync()
        step = ours.MeanSquaredError(dist_sync_on_step=True)
        x = torch.arange(4.0) + rank
        value = step(x, torch.zeros(4))
        expected = torch.cat([torch.arange(4.0) + r for r in range(world)]).square().mean()
        assert torch.equal(value, expected)
        assert torch.equal(step.compute(), expected)
    torch.save(values, os.path.join(folder, f"{rank}.pt"))
    torch.distributed.destroy_process_group()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def spawned(function, world, folder):
    arguments = (world, free_port(), str(folder))
    torch.multiprocessing.spawn(function, arguments, nprocs=world)
    return [torch.load(folder / f"{rank}.pt") for rank in range(world)]


@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="PyTorch has no gloo")
@pytest.mark.parametrize("world", PROCESSES)
def test_processes_give_the_bits_of_one(world, tmp_path):
    expected = whole()
    for values in spawned(in_process, world, tmp_path):
        for name, value in expected.items():
            for found in (values[name], values[name, "again"]):
                if name == "psnr of each":  # in the order of the processes
                    found, value = found.sort().values, value.sort().values  # noqa: PLW2901
                pairs = zip(found, value) if isinstance(value, tuple) else [(found, value)]
                for one, other in pairs:
                    assert torch.equal(one, other), name
