# SPDX-License-Identifier: MIT
"""iqa.torchmetrics in Lightning's Trainer: uneven shards give the bits of one process."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
torchmetrics = pytest.importorskip("torchmetrics")
lightning = pytest.importorskip("lightning")

import iqa.torchmetrics as ours  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")

SHARDS = {1: [(0, 13)], 2: [(0, 5), (5, 13)], 3: [(0, 9), (9, 10), (10, 13)]}


class Compared(lightning.LightningModule):
    """Logs a metric as Lightning does it, and a collection by hand."""

    def __init__(self):
        super().__init__()
        self.ssim = ours.StructuralSimilarityIndexMeasure(data_range=1.0)
        self.scores = torchmetrics.MetricCollection(
            [ours.MeanSquaredError(), ours.PeakSignalNoiseRatio(1.0)], prefix="val_"
        )

    def val_dataloader(self):
        generator = torch.Generator().manual_seed(1)
        target = torch.rand(13, 1, 16, 16, generator=generator)
        noise = torch.rand(target.shape, generator=generator)
        begin, end = SHARDS[self.trainer.world_size][self.trainer.global_rank]
        pairs = torch.utils.data.TensorDataset((target + 0.2 * noise).clamp(0, 1), target)
        part = torch.utils.data.Subset(pairs, range(begin, end))
        return torch.utils.data.DataLoader(part, batch_size=2)

    def validation_step(self, batch, _):
        self.ssim(*batch)
        self.log("ssim", self.ssim, on_step=False, on_epoch=True)
        self.scores.update(*batch)

    def on_validation_epoch_end(self):
        self.log_dict(self.scores.compute())
        self.scores.reset()


def logged(folder, devices):
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=devices,
        strategy="ddp_spawn" if devices > 1 else "auto",
        use_distributed_sampler=False,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )
    return trainer.validate(Compared(), verbose=False)[0]


def test_uneven_shards_give_the_bits_of_one_process(tmp_path):
    expected = logged(tmp_path, 1)
    assert set(expected) == {"ssim", "val_MeanSquaredError", "val_PeakSignalNoiseRatio"}
    for devices in (2, 3):
        assert logged(tmp_path, devices) == expected
