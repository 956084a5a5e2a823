# SPDX-License-Identifier: MIT
"""What turns pictures into features: a network of the caller, or features as they are."""

from __future__ import annotations

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

    It runs on the CPU, and gives features where the pictures are.

    Args:
        weights: see iqa.Inception.
        layer: whose features; see iqa.Inception.
        resize: whose resizing; see iqa.Inception.

    Example:
        >>> network = InceptionFeatures("inception.safetensors")
        >>> metric = KernelInceptionDistance(feature=network)
    """

    def __init__(self, weights: Any, layer: str | int = 2048, resize: str = "torchmetrics") -> None:
        super().__init__()
        self._network = Inception(weights, resize=resize)
        self._layer = str(layer)
        self.num_features = width_of(layer)

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
        """Refuses: the weights are not kept as the caller gave them."""
        raise TypeError("InceptionFeatures cannot be pickled: make it anew from its weights")


def network_of(feature: Any, weights: Any = None, antialias: bool = True) -> Module:
    """The network that `feature` stands for.

    A layer of the Inception network, by number or name, needs its weights, which this package
    does not have.
    """
    if isinstance(feature, Module):
        if weights is not None:
            raise InvalidArgumentError(
                f"feature_extractor_weights_path is {weights!r}, expected None: the network is the"
                " one that feature gives, with its weights"
            )
        return feature
    if isinstance(feature, (int, str)) and not isinstance(feature, bool):
        if weights is not None:
            return InceptionFeatures(
                weights, feature, "torchmetrics" if antialias else "tensorflow"
            )
        raise UnavailableError(
            f"feature is {feature!r}, a layer of the Inception network, whose weights this package"
            " does not have: pass InceptionFeatures(weights), another torch.nn.Module that gives"
            " features [N, D], or Features(D) and feed features"
        )
    raise ArgumentTypeError(
        f"feature is {type(feature).__name__}, expected a torch.nn.Module that gives features"
        " [N, D]"
    )


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
