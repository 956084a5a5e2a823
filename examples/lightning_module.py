# SPDX-License-Identifier: MIT
"""A Lightning module that trains with SSIM as its loss and logs the metrics of this library.

Network and data are those of train_with_ssim_loss.py. Shows iqa.torchmetrics with self.log, alone and as a
MetricCollection: Lightning resets the metrics after each epoch and adds up their states over processes. Needs PyTorch,
TorchMetrics, Lightning, NumPy and Pillow.

    python examples/lightning_module.py
"""

import argparse
import logging
import warnings

import lightning
import torch
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics import MetricCollection
from train_with_ssim_loss import Denoiser, crops, photograph

import iqa.torch
from iqa.torchmetrics import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure


class DenoisingModule(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.network = Denoiser()
        self.loss = iqa.torch.SSIMLoss(data_range=1.0)
        self.train_ssim = StructuralSimilarityIndexMeasure(data_range=1.0)
        self.val_metrics = MetricCollection(
            {
                "ssim": StructuralSimilarityIndexMeasure(data_range=1.0),
                "psnr": PeakSignalNoiseRatio(data_range=1.0),
            },
            prefix="val_",
        )

    def training_step(self, batch, _):
        clean, noisy = batch
        restored = self.network(noisy)
        self.train_ssim(restored, clean)
        self.log("train_ssim", self.train_ssim, on_step=False, on_epoch=True)
        return self.loss(clean, restored)

    def validation_step(self, batch, _):
        clean, noisy = batch
        self.val_metrics.update(self.network(noisy).clamp(0, 1), clean)
        self.log_dict(self.val_metrics)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 2e-3)


class Printer(lightning.Callback):
    def on_train_epoch_end(self, trainer, _):
        logged = {name: value.item() for name, value in sorted(trainer.logged_metrics.items())}
        print(f"epoch {trainer.current_epoch}  ", "  ".join(f"{name} {value:.4f}" for name, value in logged.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")  # on the number of workers of so small a set
    lightning.seed_everything(0, verbose=False)

    pictures = [photograph(f"{folder}/chelsea.png") for folder in ("reference", "noise")]
    train = TensorDataset(*crops(*pictures, 256, 32, torch.Generator().manual_seed(0)))
    held_out = TensorDataset(*(photograph(f"{folder}/camera.png") for folder in ("reference", "noise")))
    trainer = lightning.Trainer(
        max_epochs=arguments.epochs,
        accelerator="cpu",
        callbacks=[Printer()],
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        logger=False,
    )
    trainer.fit(DenoisingModule(), DataLoader(train, batch_size=16, shuffle=True), DataLoader(held_out))


if __name__ == "__main__":
    main()
