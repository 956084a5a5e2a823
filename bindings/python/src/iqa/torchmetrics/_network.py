# SPDX-License-Identifier: MIT
"""What turns pictures into features: a network of the caller, or features as they are."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from .._errors import ArgumentTypeError, ShapeError, UnavailableError


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


def network_of(feature: Any) -> Module:
    """The network that `feature` stands for.

    A layer of the Inception network, by number or name, needs its weights, which this package
    does not have.
    """
    if isinstance(feature, Module):
        return feature
    if isinstance(feature, (int, str)) and not isinstance(feature, bool):
        raise UnavailableError(
            f"feature is {feature!r}, a layer of the Inception network, whose weights this package"
            " does not have: pass a torch.nn.Module that gives features [N, D], such as"
            " torchmetrics.image.fid.NoTrainInceptionV3, or Features(D) and feed features"
        )
    raise ArgumentTypeError(
        f"feature is {type(feature).__name__}, expected a torch.nn.Module that gives features"
        " [N, D]"
    )


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


def rows_from(network: Module, imgs: Tensor) -> Tensor:
    """The features of pictures as rows."""
    features = network(imgs)
    if not isinstance(features, Tensor):
        raise ArgumentTypeError(f"feature gave {type(features).__name__}, expected a tensor [N, D]")
    features = features.detach()
    return features.unsqueeze(0) if features.ndim == 1 else features
