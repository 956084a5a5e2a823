# SPDX-License-Identifier: MIT
"""FID, KID and the Inception Score."""

from __future__ import annotations

import copy
import math
import zlib
from typing import Any

import torch
import torchmetrics
from torch import Tensor
from torch.nn import Module

from .._errors import IncompatibleError, InvalidArgumentError, NoDataError
from .._fid import FID
from .._kid import inception_score, kid
from .._metric import Metric
from ._base import ExactMetric, all_agree, flag, own_words, whole
from ._network import features_in, network_of, origin_of, rows_from


class FrechetInceptionDistance(ExactMetric):
    """FID as torchmetrics.image.fid.FrechetInceptionDistance has it, from exact moments.

    Args:
        feature: a torch.nn.Module that gives features [N, D]; Features(D) to feed features; a
            layer of the Inception network, by number.
        reset_real_features: False to keep the real side in reset().
        normalize: whether pictures are in [0, 1]; the Inception network gets them as bytes.
        input_img_size: of the noise that tells D of a network that does not say it.
        feature_extractor_weights_path: of the Inception network, as InceptionFeatures takes them;
            None for the file that torch-fidelity has downloaded.
        antialias: whether pictures for the Inception network are resized without aliasing.
        fraction_bits: p of the grid 2^-p to which features are rounded; see iqa.FID. Features
            have to lie within 127 * 2^(24 - p).
        **kwargs: of torchmetrics.Metric.
    """

    higher_is_better = False
    plot_lower_bound = 0.0
    feature_network = "inception"

    def __init__(
        self,
        feature: int | Module = 2048,
        reset_real_features: bool = True,
        normalize: bool = False,
        input_img_size: tuple[int, int, int] = (3, 299, 299),
        feature_extractor_weights_path: str | None = None,
        antialias: bool = True,
        *,
        fraction_bits: int = 24,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        flag("normalize", normalize)
        flag("reset_real_features", reset_real_features)
        flag("antialias", antialias)
        self.inception = network_of(feature, feature_extractor_weights_path, antialias)
        self.normalize = normalize
        self.reset_real_features = reset_real_features
        self.antialias = antialias
        self.used_custom_model = isinstance(feature, Module)
        self._fraction_bits = fraction_bits
        self._num_features = features_in(self.inception, input_img_size, normalize)
        self._result_dtype: torch.dtype | None = None
        self._begin("rows")

    def _made(self, form: str) -> list[Metric]:
        options = {"features": self._num_features, **origin_of(self.inception)}
        return [FID(**options, fraction_bits=self._fraction_bits)]

    def update(self, imgs: Tensor, real: bool) -> None:
        """Adds pictures, or what else the network takes, to one of the sides."""
        features = rows_from(self.inception, imgs, self.normalize)
        with own_words(reference="real features", candidate="fake features"):
            self._metric.update(**{"reference" if real else "candidate": features})
        self._result_dtype = features.dtype

    def compute(self) -> Tensor:
        """The distance."""
        try:
            value = self._value(self._metric.compute())
        except NoDataError:
            real, fake = self._metric.rows
            raise NoDataError(
                f"{real} real and {fake} fake images were added, expected more than one sample of"
                " each for FID"
            ) from None
        return value.double() if self._result_dtype == torch.float64 else value

    def _forget(self) -> None:
        if self.reset_real_features:
            super()._forget()
        else:
            self._metric.reset("candidate")


class _Rows(torchmetrics.Metric):
    """Keeps all rows of features, as TorchMetrics does.

    They are drawn by their content, so that the value does not depend on batches and processes.
    """

    full_state_update = False
    is_differentiable = False
    feature_network = "inception"

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """One value or several, as TorchMetrics draws them; see ExactMetric.plot()."""
        return self._plot(val, ax)

    def _sync_dist(self, *args: Any, **kwargs: Any) -> None:
        """Gathers; a process without rows has to know how long they are."""
        group = kwargs.get("process_group") or self.process_group
        is_distributed = torch.distributed.is_initialized()
        if is_distributed:
            origin = zlib.crc32(repr(origin_of(self.inception)).encode())
            if not all_agree(torch.tensor([origin], device=self.device), group):
                raise IncompatibleError(
                    f"the processes have {type(self).__name__} with features of different weights,"
                    " layers or resizings"
                )
        for name in self._defaults if is_distributed else ():
            kept = getattr(self, name)
            columns = torch.tensor([kept[0].shape[1] if kept else 0], device=self.device)
            torch.distributed.all_reduce(columns, torch.distributed.ReduceOp.MAX, group)
            if not kept:
                setattr(self, name, [torch.empty(0, int(columns), device=self.device)])
        super()._sync_dist(*args, **kwargs)

    def _side(self, name: str) -> Tensor:
        """All rows, in a type that the library takes."""
        kept = getattr(self, name)
        if not isinstance(kept, Tensor):
            if not kept:
                raise NoDataError(f"no {name.replace('_', ' ')} were added")
            kept = kept[0] if len(kept) == 1 else torch.cat(kept)
        return kept if kept.dtype == torch.float64 else kept.float()

    def _pair(self, found: Any, stretch: float = 1.0) -> tuple[Tensor, Tensor]:
        values = torch.tensor([found.mean, found.std * stretch], dtype=torch.float64)
        mean, std = values.to(self.device, self.dtype)
        return mean, std


class KernelInceptionDistance(_Rows):
    """KID as torchmetrics.image.kid.KernelInceptionDistance has it.

    The subsets follow from `seed`, not from PyTorch's generator.

    Args:
        feature: InceptionFeatures or another torch.nn.Module that gives features [N, D];
            Features(D) to feed features; a layer of the Inception network, by number, with the
            weights that torch-fidelity has downloaded.
        subsets: how many.
        subset_size: rows of a subset, of each set.
        degree: of the kernel.
        gamma: of the kernel; None for 1 / D.
        coef: of the kernel.
        reset_real_features: False to keep the real side in reset().
        normalize: whether pictures for the Inception network are in [0, 1].
        seed: of the subsets.
        **kwargs: of torchmetrics.Metric.
    """

    higher_is_better = False
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0

    def __init__(
        self,
        feature: str | int | Module = 2048,
        subsets: int = 100,
        subset_size: int = 1000,
        degree: int = 3,
        gamma: float | None = None,
        coef: float = 1.0,
        reset_real_features: bool = True,
        normalize: bool = False,
        *,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.inception = network_of(feature)
        whole("subsets", subsets, 1)
        whole("subset_size", subset_size, 1)
        whole("degree", degree, 1)
        if gamma is not None and not (isinstance(gamma, float) and gamma > 0):
            raise InvalidArgumentError(f"gamma is {gamma!r}, expected None or a float above 0")
        if not (isinstance(coef, float) and coef > 0):
            raise InvalidArgumentError(f"coef is {coef!r}, expected a float above 0")
        flag("reset_real_features", reset_real_features)
        flag("normalize", normalize)
        self.subsets = subsets
        self.subset_size = subset_size
        self.degree = degree
        self.gamma = gamma
        self.coef = coef
        self.reset_real_features = reset_real_features
        self.normalize = normalize
        self.seed = seed
        self.used_custom_model = True
        self.add_state("real_features", [], dist_reduce_fx="cat")
        self.add_state("fake_features", [], dist_reduce_fx="cat")

    def update(self, imgs: Tensor, real: bool) -> None:
        """Adds pictures, or what else the network takes, to one of the sides."""
        rows = rows_from(self.inception, imgs, self.normalize)
        (self.real_features if real else self.fake_features).append(rows)

    def compute(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation over the subsets."""
        options: dict[str, Any] = {"gamma": self.gamma, "coef0": self.coef, "seed": self.seed}
        sides = self._side("real_features"), self._side("fake_features")
        with own_words(reference="real features", candidate="fake features"):
            found = kid(
                *sides,
                subsets=self.subsets,
                subset_size=self.subset_size,
                degree=self.degree,
                draw_by="content",
                **options,
            )
        return self._pair(found)

    def reset(self) -> None:
        """Forgets the rows; those of the real side only where reset_real_features says so."""
        kept = None if self.reset_real_features else copy.copy(self.real_features)
        super().reset()  # which clears lists
        if kept is not None:
            self.real_features = kept


class InceptionScore(_Rows):
    """The Inception Score as torchmetrics.image.inception.InceptionScore has it.

    The order in which images are split follows from `seed`, not from PyTorch's generator.

    Args:
        feature: InceptionFeatures(weights, "logits_unbiased") or another torch.nn.Module that
            gives logits [N, C]; Features(C) to feed logits; a layer of the Inception network, by
            name, with the weights that torch-fidelity has downloaded.
        splits: how many.
        normalize: True for pictures in [0, 1], which the network gets as bytes.
        seed: of the order.
        **kwargs: of torchmetrics.Metric.
    """

    higher_is_better = True
    plot_lower_bound = 0.0

    def __init__(
        self,
        feature: str | int | Module = "logits_unbiased",
        splits: int = 10,
        normalize: bool = False,
        *,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.inception = network_of(feature)
        whole("splits", splits, 1)
        flag("normalize", normalize)
        self.splits = splits
        self.normalize = normalize
        self.seed = seed
        self.add_state("features", [], dist_reduce_fx="cat")

    def update(self, imgs: Tensor) -> None:
        """Adds pictures, or what else the network takes."""
        imgs = (imgs * 255).byte() if self.normalize else imgs
        self.features.append(rows_from(self.inception, imgs))

    def compute(self) -> tuple[Tensor, Tensor]:
        """Mean and sample standard deviation over the splits."""
        rows = self._side("features")
        with own_words(scores="logits"):
            found = inception_score(rows, splits=self.splits, seed=self.seed, draw_by="content")
        count = self.splits
        return self._pair(found, math.sqrt(count / (count - 1)) if count > 1 else math.nan)
