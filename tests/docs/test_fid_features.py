# SPDX-License-Identifier: MIT
"""Runs the programs of docs/guide/fid_features.md from their own text, on pictures, with stand-ins for
the packages that bring networks: small modules with the calls that the programs make, whose
"networks" are sums of pixels."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import iqa

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "guide" / "fid_features.md").read_text()
PROGRAMS = dict(re.findall(r"^## (.*?)\n.*?^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
PICTURES = 70  # more than two batches

STAND_INS = {
    "torch.py": '''
import contextlib
import types

import numpy as np


class Tensor(np.ndarray):
    """What the programs and iqa do with a tensor; NumPy does the rest."""

    is_quantized = requires_grad = False
    is_conj = is_neg = lambda self: False

    def to(self, device):
        assert device == "cpu"
        return self

    def cpu(self):
        return self


class Network:
    """Takes [N, 3, height, width] and gives rows of `count` features: some pixels, mixed."""

    def __init__(self, count):
        self.count = count
        self.fc = None
        self.modes = []

    def eval(self):
        self.modes.append("eval")
        return self

    def to(self, device):
        assert device == "cpu"
        return self

    def __call__(self, pixels):
        assert isinstance(pixels, Tensor) and pixels.ndim == 4 and pixels.shape[1] == 3
        assert pixels.dtype == np.float32 and self.modes == ["eval"] and inference == [True]
        return features(np.asarray(pixels), self.count).view(Tensor)


def features(pixels, count):
    """The same sums of pixels in every stand-in, on the grid so that FID is exact."""
    flat = pixels.reshape(len(pixels), -1)
    places = np.linspace(0, flat.shape[1] - 1, count).astype(int)
    return (np.round((flat[:, places] + flat[:, places[::-1]]) * 2**10) / 2**10).astype(np.float32)


inference = []


@contextlib.contextmanager
def inference_mode():
    inference.append(True)
    yield
    inference.pop()


def stack(tensors):
    return np.stack(tensors).view(Tensor)


def from_numpy(array):
    assert array.dtype == np.float32
    return array.view(Tensor)


def load(repository, name):
    assert (repository, name) == ("facebookresearch/dinov2", "dinov2_vitl14")
    return Network(1024)


nn = types.SimpleNamespace(Identity=object)
hub = types.SimpleNamespace(load=load)
cuda = types.SimpleNamespace(is_available=lambda: False)
''',
    "torchvision/__init__.py": "",
    "torchvision/models.py": """
import numpy as np

import torch


class Weights:
    def transforms(self):
        return lambda picture: (np.asarray(picture.resize((299, 299)), np.float32) / 255).transpose(
            2, 0, 1
        )


class Inception_V3_Weights:
    IMAGENET1K_V1 = Weights()


class Inception(torch.Network):
    def __call__(self, pixels):
        assert isinstance(self.fc, torch.nn.Identity)
        return super().__call__(pixels)


def inception_v3(weights):
    assert weights is Inception_V3_Weights.IMAGENET1K_V1
    return Inception(2048)
""",
    "transformers.py": """
import types

import numpy as np

import torch


class CLIPImageProcessor:
    @classmethod
    def from_pretrained(cls, name):
        assert name == "openai/clip-vit-large-patch14"
        return cls()

    def __call__(self, images, return_tensors):
        assert return_tensors == "pt"
        small = [np.asarray(image.resize((224, 224)), np.float32) / 255 for image in images]
        return {"pixel_values": torch.stack([array.transpose(2, 0, 1) for array in small])}


class CLIPVisionModelWithProjection(torch.Network):
    config = types.SimpleNamespace(projection_dim=768)

    @classmethod
    def from_pretrained(cls, name):
        assert name == "openai/clip-vit-large-patch14"
        return cls(768)

    def __call__(self, pixel_values):
        return types.SimpleNamespace(image_embeds=super().__call__(pixel_values))
""",
    "onnxruntime.py": """
import types

import torch


class InferenceSession:
    def __init__(self, path, providers):
        assert path == "network.onnx"

    def get_inputs(self):
        return [types.SimpleNamespace(name="pixels", shape=["batch", 3, 32, 48])]

    def run(self, outputs, inputs):
        pixels = inputs["pixels"]
        assert outputs is None and pixels.shape[1:] == (3, 32, 48)
        return [torch.features(pixels, 96).reshape(len(pixels), 8, 12)]
""",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Stand-ins, and two folders with crops of photographs, the second ones with noise."""
    folder = tmp_path_factory.mktemp("features")
    for name, code in STAND_INS.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(code)
    random = np.random.default_rng(8)
    for side in ("reference", "noise"):
        (folder / side).mkdir()
        photograph = Image.open(ROOT / "tests" / "data" / side / "chelsea.png")
        for number in range(PICTURES):
            x, y = random.integers(0, 200, 2)
            photograph.crop((x, y, x + 64, y + 96)).save(folder / side / f"{number:03}.png")
    return folder


def run(code: str, folder: pathlib.Path, *arguments: str) -> str:
    package = pathlib.Path(iqa.__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": f"{folder}:{package}"}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
    ).stdout


def test_there_are_all_the_programs() -> None:
    assert [title.split(",")[0] for title in PROGRAMS] == [
        "Inception",
        "CLIP",
        "DINOv2",
        "Any network",
        "Features first",
    ]


@pytest.mark.parametrize("title", [t for t in PROGRAMS if not t.startswith("Features first")])
def test_program_runs_up_to_the_network(title: str, folder: pathlib.Path) -> None:
    near = run(PROGRAMS[title], folder, "reference", "reference")
    name, value, rest = re.match(r"(\S+) (\S+) (.*)", near).groups()
    assert name.startswith("F") and float(value) == 0
    assert rest == f"from {PICTURES} and {PICTURES} pictures"
    far = float(run(PROGRAMS[title], folder, "reference", "noise").split()[1])
    assert 0.1 < far < 10000
    if title.startswith("Inception"):
        assert "FIDParts(" in near and "few pictures" in near


def test_kept_features_are_those_of_the_command_line(folder: pathlib.Path) -> None:
    (title,) = (t for t in PROGRAMS if t.startswith("Features first"))
    value = float(run(PROGRAMS[title], folder, str(folder / "rows.npy")))
    rows = np.load(folder / "rows.npy")
    assert rows.shape == (800, 64) and value == iqa.fid(rows[:400], rows[400:]) > 0


def test_the_digits_of_the_page_on_fid() -> None:
    """The example of docs/guide/fid.md with real features."""
    page = (ROOT / "docs" / "guide" / "fid.md").read_text()
    ((command, expected),) = re.findall(r"```console\n\$ (iqa .*?)\n(.*?)```", page, re.DOTALL)
    program = os.environ.get("IQA_CLI", str(ROOT / "build" / "tools" / "iqa"))
    done = subprocess.run(
        [program, *command.split()[1:]], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout == expected
    (code,) = (
        c for c in re.findall(r"^```python\n(.*?)^```$", page, re.M | re.DOTALL) if "digits" in c
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    )
    lines = [line for line in code.splitlines() if line.startswith("print")]
    promised = [re.search(r"# ([\d.]+): ", line).group(1) for line in lines]
    assert [f"{float(value):.4f}" for value in done.stdout.split()] == promised
