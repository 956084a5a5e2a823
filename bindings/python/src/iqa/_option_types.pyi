# SPDX-License-Identifier: MIT
"""The types of options: written by make_option_types.py, so that nobody has to edit them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, Protocol, TypedDict, overload

from typing_extensions import Unpack

from ._context import Context
from ._outputs import Result

class SSIMOptions(TypedDict, total=False):
    preset: str
    window: Literal["gaussian", "uniform", "blocks"]
    border: Literal["valid", "reflect", "symmetric", "replicate", "zero"]
    size: int | Literal["auto", "auto_ceiling"] | tuple[int | Literal["auto", "auto_ceiling"], ...]
    sigma: float | tuple[float, ...]
    truncate: float
    k1: float
    k2: float
    spacing: float | tuple[float, ...]
    covariance: Literal["population", "sample"]
    arithmetic: Literal["auto", "float64"]
    nonfinite: Literal["error", "propagate", "mask"]
    luma: Literal["none", "bt601_full", "bt601_studio", "bt709_full", "bt709_studio"]
    luma_rounded: bool
    shave: int
    downsample: int | Literal["auto"]
    shrink: Literal["symmetric", "floor", "zero", "replicate"]
    scales: int
    scale_weights: Sequence[float]
    product: Literal["channel", "image"]
    negative: Literal["keep", "relu", "simple", "relu_map"]
    contrast_border: Literal["valid", "reflect", "symmetric", "replicate", "zero"]
    mask_mode: Literal["convolution", "map"]
    coverage: float
    parts: bool

class PSNROptions(TypedDict, total=False):
    aggregate: Literal["psnr_of_mean_mse", "mean_of_psnr"]
    nonfinite: Literal["error", "propagate", "mask"]
    log_base: float
    cap: float | None
    luma: Literal["none", "bt601_full", "bt601_studio", "bt709_full", "bt709_studio"]
    luma_rounded: bool
    shave: int
    gradient: Literal["psnr", "mse"]

class ErrorsOptions(TypedDict, total=False):
    measure: Literal[
        "mean_absolute_error",
        "mean_squared_error",
        "root_mean_squared_error",
        "nrmse_euclidean",
        "nrmse_min_max",
        "nrmse_mean",
        "signal_to_noise_ratio",
    ]
    nonfinite: Literal["error", "propagate", "mask"]
    luma: Literal["none", "bt601_full", "bt601_studio", "bt709_full", "bt709_studio"]
    luma_rounded: bool
    shave: int
    alone: bool

class FIDOptions(TypedDict, total=False):
    fraction_bits: int
    word_bits: int
    weights: int
    layer: Literal["64", "192", "768", "2048", "logits", "logits_unbiased"]
    resize: Literal["tensorflow", "pytorch", "clean", "none", "torchmetrics"]

class KIDOptions(TypedDict, total=False):
    degree: int
    gamma: float | None
    coef0: float
    estimator: Literal["unbiased", "biased"]
    subsets: int
    subset_size: int
    seed: int
    draw_by: Literal["index", "content"]

class PRDCOptions(TypedDict, total=False):
    ball: Literal["open", "closed"]
    k: int

class InceptionScoreOptions(TypedDict, total=False):
    kind: Literal["logits", "probabilities"]
    splits: int
    shuffle: bool
    seed: int
    draw_by: Literal["index", "content"]

class NetworkOptions(TypedDict, total=False):
    resize: Literal["tensorflow", "pytorch", "clean", "none", "torchmetrics"]
    at_once: int

class Reading(TypedDict, total=False):
    convention: str
    average: Literal["none", "micro", "macro", "weighted", "binary", "pairs", None]
    over: Literal["elements", "samples"]
    empty: Literal[
        "skip",
        "zero",
        "one",
        "nan",
        "as_ratio",
        "skip_in_averages",
        "one_else_zero",
        "skip_unreferenced",
        "skip_ignored_in_iou",
    ]
    zero_division: Literal["zero", "one", "nan", "skip"]
    generalized_weights: Literal["square", "simple", "linear"]
    beta: float
    excluded: Iterable[int]

class ConfusionOptions(Reading, total=False):
    task: Literal["multiclass", "multilabel"]
    reference: Literal["index", "one_hot", "argmax", "threshold"]
    candidate: Literal["index", "one_hot", "argmax", "threshold"]
    class_axis: int
    batched: bool
    counts: Literal["matrix", "per_class"]
    out_of_range: Literal["error", "drop", "wrong"]
    top_k: int
    weighted: bool
    keep_samples: bool
    score: Literal[
        "accuracy",
        "precision",
        "recall",
        "specificity",
        "f",
        "dice",
        "iou",
        "balanced_accuracy",
        "frequency_weighted_iou",
        "generalized_dice",
        "mcc",
        "kappa",
        "kappa_linear",
        "kappa_quadratic",
        None,
    ]
    threshold: float
    ignore: int | None

class SSIMFunction(Protocol):
    @overload
    def __call__(
        self,
        reference: Any,
        candidate: Any,
        data_range: float | tuple[float, float] | None = None,
        layout: str | None = None,
        *,
        context: Context | None = None,
        per_image: Literal[False] = False,
        per_channel: Literal[False] = False,
        map: Literal[False] = False,
        weights: Any = None,
        candidate_gradient: Literal[False] = False,
        reference_gradient: Literal[False] = False,
        **options: Unpack[SSIMOptions],
    ) -> float: ...
    @overload
    def __call__(
        self,
        reference: Any,
        candidate: Any,
        data_range: float | tuple[float, float] | None = None,
        layout: str | None = None,
        *,
        context: Context | None = None,
        per_image: Any = False,
        per_channel: Any = False,
        map: Any = False,
        weights: Any = None,
        candidate_gradient: Any = False,
        reference_gradient: Any = False,
        **options: Unpack[SSIMOptions],
    ) -> Result: ...

def as_ssim(function: Callable[..., Any]) -> SSIMFunction: ...

class PSNRFunction(Protocol):
    @overload
    def __call__(
        self,
        reference: Any,
        candidate: Any,
        data_range: float | tuple[float, float] | None = None,
        layout: str | None = None,
        *,
        context: Context | None = None,
        per_image: Literal[False] = False,
        per_channel: Literal[False] = False,
        weights: Any = None,
        candidate_gradient: Literal[False] = False,
        reference_gradient: Literal[False] = False,
        **options: Unpack[PSNROptions],
    ) -> float: ...
    @overload
    def __call__(
        self,
        reference: Any,
        candidate: Any,
        data_range: float | tuple[float, float] | None = None,
        layout: str | None = None,
        *,
        context: Context | None = None,
        per_image: Any = False,
        per_channel: Any = False,
        weights: Any = None,
        candidate_gradient: Any = False,
        reference_gradient: Any = False,
        **options: Unpack[PSNROptions],
    ) -> Result: ...

def as_psnr(function: Callable[..., Any]) -> PSNRFunction: ...
