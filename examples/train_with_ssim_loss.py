# SPDX-License-Identifier: MIT
"""A training loop with SSIM as its loss, under automatic mixed precision and torch.compile.

A small network learns to take the noise out of a photograph; a second photograph, which it never sees in training,
tells what it has learned. Shows iqa.torch.SSIMLoss on a bfloat16 output and a float32 target, inside one compiled
graph, and iqa.ssim and iqa.psnr for validation. Needs PyTorch, NumPy and Pillow; uses a GPU where there is one.

    python examples/train_with_ssim_loss.py
    python examples/train_with_ssim_loss.py --steps 2000 --backend aot_eager
"""

import argparse
import pathlib

import numpy as np
import torch
from PIL import Image

import iqa
import iqa.torch

DATA = pathlib.Path(__file__).resolve().parents[1] / "tests" / "data"


def photograph(path):
    """Grey, float32 [1, 1, H, W] from 0 to 1."""
    pixels = np.asarray(Image.open(DATA / path).convert("L"), dtype=np.float32) / 255
    return torch.from_numpy(pixels)[None, None]


def crops(clean, noisy, count, size, generator):
    """The same random squares of both photographs."""
    rows = torch.randint(clean.shape[-2] - size, (count,), generator=generator).tolist()
    columns = torch.randint(clean.shape[-1] - size, (count,), generator=generator).tolist()

    def cut(picture):
        return torch.cat([picture[..., y : y + size, x : x + size] for y, x in zip(rows, columns)])

    return cut(clean), cut(noisy)


class Denoiser(torch.nn.Module):
    """Says what noise there is, and takes it away."""

    def __init__(self, width=16):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(1, width, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.Conv2d(width, width, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.Conv2d(width, 1, 3, padding=1),
        )

    def forward(self, noisy):
        return noisy - self.layers(noisy)


def validate(network, clean, noisy):
    with torch.no_grad():
        restored = network(noisy).clamp(0, 1)
    options = {"data_range": 1.0, "layout": "NCHW"}
    return iqa.ssim(clean, restored, **options), iqa.psnr(clean, restored, **options)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--backend", default="inductor", help="of torch.compile")
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)

    train = [photograph(f"{folder}/chelsea.png").to(device) for folder in ("reference", "noise")]
    held_out = [photograph(f"{folder}/camera.png").to(device) for folder in ("reference", "noise")]
    network = Denoiser().to(device)
    loss = iqa.torch.SSIMLoss(data_range=1.0)
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)

    @torch.compile(backend=arguments.backend, fullgraph=True)
    def loss_of(clean, noisy):
        with torch.autocast(device, torch.bfloat16):
            restored = network(noisy)
        return loss(clean, restored)  # float32 and bfloat16: the wider one is compared

    print("held-out photograph   SSIM      PSNR")
    print("noisy                 {:.4f}    {:.2f} dB".format(*validate(lambda noisy: noisy, *held_out)))
    for step in range(1, arguments.steps + 1):
        optimizer.zero_grad()
        value = loss_of(*crops(*train, 8, 32, generator))
        value.backward()
        optimizer.step()
        if step % max(1, arguments.steps // 4) == 0:
            ssim, psnr = validate(network, *held_out)
            print(f"step {step:<6}           {ssim:.4f}    {psnr:.2f} dB    last loss {value.item():.4f}")


if __name__ == "__main__":
    main()
