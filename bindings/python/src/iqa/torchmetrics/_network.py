# SPDX-License-Identifier: MIT
"""What turns pictures into features: a network of the caller, or features as they are."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from .._errors import (
    ArgumentTypeError,
    DtypeError,
    InvalidArgumentError,
    ShapeError,
    UnavailableError,
)
from .._inception import Inception, width_of
from ..weights import read
from ._base import own_words


class Features(Module):
    """Takes features [N, D] in the place of pictures, for who has run the network already.

    Args:
        num_features: D.

    Example:
        >>> metric = FrechetInceptionDistance(feature=Features(2048))
        >>> metric.update(features_of_photos, real=True)
    """

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        """The features themselves."""
        if features.ndim != 2 or features.shape[1] != self.num_features:
            raise ShapeError(
                f"imgs has shape {list(features.shape)}, expected features [N, {self.num_features}]"
            )
        return features


class InceptionFeatures(Module):
    """FID's Inception v3 in this library: features that are the same bits everywhere.

    It runs on the CPU, and gives features where the pictures are. A copy has the same network, and
    a pickle the name of the file of weights, which is read again.

    Args:
        weights: see iqa.Inception; also the .pth file of torch-fidelity and pytorch-fid.
        layer: whose features; see iqa.Inception.
        resize: whose resizing; see iqa.Inception.

    Example:
        >>> network = InceptionFeatures("inception.safetensors")
        >>> metric = KernelInceptionDistance(feature=network)
    """

    def __init__(self, weights: Any, layer: str | int = 2048, resize: str = "torchmetrics") -> None:
        super().__init__()
        self.num_features = width_of(layer)
        self._layer = str(layer)
        is_file = isinstance(weights, (str, os.PathLike))
        self._file = os.fspath(weights) if is_file else None
        self._resize = resize
        is_state = is_file and os.fspath(weights).endswith(".pth")
        self._network = Inception(read(weights) if is_state else weights, resize=resize)
        self.eval()

    def train(self, mode: bool = True) -> InceptionFeatures:
        """Stays in evaluation: what a model that holds it is switched to means nothing here."""
        return super().train(False)

    def forward(self, imgs: Tensor) -> Tensor:
        """The features of bytes [N, 3, H, W]."""
        if imgs.dtype != torch.uint8:
            raise DtypeError(
                f"imgs has element type {imgs.dtype}, expected torch.uint8, or normalize=True"
            )
        features = self._network(imgs.detach().cpu(), self._layer, layout="NCHW")
        return torch.from_numpy(features).to(imgs.device)

    @property
    def origin(self) -> dict[str, Any]:
        """Where the features come from, as options of iqa.FID."""
        return self._network.origin(self._layer)

    def __deepcopy__(self, memo: dict[int, Any]) -> InceptionFeatures:
        """The network itself, which no call changes."""
        return self

    def __reduce__(self) -> Any:
        """By the file of the weights; tensors are not kept as the caller gave them."""
        if self._file is None:
            raise TypeError(
                "InceptionFeatures of tensors cannot be pickled: make it of a file of weights"
            )
        return InceptionFeatures, (self._file, self._layer, self._resize)


def network_of(feature: Any, weights: Any = None, antialias: bool = True) -> Module:
    """The network that `feature` stands for.

    A layer of the Inception network, by number or name, needs its weights: those stated, or the
    file that torch-fidelity has downloaded for TorchMetrics.
    """
    if isinstance(feature, Module):
        if weights is not None:
            raise InvalidArgumentError(
                f"feature_extractor_weights_path is {weights!r}, expected None: the network is the"
                " one that feature gives, with its weights"
            )
        return feature
    if not isinstance(feature, (int, str)) or isinstance(feature, bool):
        raise ArgumentTypeError(
            f"feature is {type(feature).__name__}, expected a torch.nn.Module that gives features"
            " [N, D]"
        )
    if weights is None:
        weights = _downloaded(feature)
    with own_words(layer="feature"):
        return InceptionFeatures(weights, feature, "torchmetrics" if antialias else "tensorflow")


_STATE = "inception-2015-12-05-6726825d.pth"  # ends the names of the files


def _downloaded(feature: int | str) -> pathlib.Path:
    """The file of weights in PyTorch's folder of downloads, which TorchMetrics takes too."""
    folder = pathlib.Path(torch.hub.get_dir(), "checkpoints")
    found = next(iter(sorted(folder.glob(f"*{_STATE}"))), None)
    if found is None:
        raise UnavailableError(
            f"feature is {feature!r}, a layer of the Inception network, whose weights this package"
            f" does not have, nor has {folder} the file weights-{_STATE}: pass"
            " InceptionFeatures(weights), another torch.nn.Module that gives features [N, D], or"
            " Features(D) and feed features"
        )
    return found


def origin_of(network: Module) -> dict[str, Any]:
    """Where the features of a network come from, as options of iqa.FID; {}: not stated."""
    return network.origin if isinstance(network, InceptionFeatures) else {}


def features_in(network: Module, size: tuple[int, ...], normalize: bool) -> int:
    """How many features a network gives: as it says, or for a picture of noise."""
    stated = getattr(network, "num_features", None)
    if stated is not None:
        return int(stated)
    if normalize:
        picture = torch.rand(1, *size)
    else:
        picture = torch.randint(0, 255, (1, *size), dtype=torch.uint8)
    return int(network(picture).shape[-1])


def rows_from(network: Module, imgs: Tensor, normalize: bool = False) -> Tensor:
    """The features of pictures as rows.

    Args:
        network: of the caller, which gets pictures as they are, or InceptionFeatures.
        imgs: the pictures.
        normalize: whether those of InceptionFeatures are in [0, 1].
    """
    if normalize and isinstance(network, InceptionFeatures):
        imgs = (imgs * 255).byte()
    features = network(imgs)
    if not isinstance(features, Tensor):
        raise ArgumentTypeError(f"feature gave {type(features).__name__}, expected a tensor [N, D]")
    features = features.detach()
    return features.unsqueeze(0) if features.ndim == 1 else features
