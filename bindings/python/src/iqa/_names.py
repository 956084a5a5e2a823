# SPDX-License-Identifier: MIT
"""Keywords that there are not: what other libraries call an option, and typing mistakes."""

from __future__ import annotations

import functools

from ._errors import ArgumentTypeError, Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

_PEERS: dict[str, str | tuple[str, ...]] = {
    "preds": "candidate",
    "y_pred": "candidate",
    "input": "candidate",
    "image_test": "candidate",
    "im1": "reference",
    "im2": "candidate",
    "image0": "reference",
    "image1": "candidate",
    "target": "reference",
    "y_true": "reference",
    "image_true": "reference",
    "real": "reference",
    "fake": "candidate",
    "kernel_size": "size",
    "win_size": "size",
    "window_size": "size",
    "filter_size": "size",
    "gaussian_kernel": "window='gaussian' or window='uniform'",
    "gaussian_weights": "window='gaussian' or window='uniform'",
    "kernel_type": "window",
    "kernel_sigma": "sigma",
    "win_sigma": "sigma",
    "filter_sigma": "sigma",
    "use_sample_covariance": "covariance='sample' or covariance='population'",
    "channel_axis": "layout, such as layout='HWC'",
    "multichannel": "layout, such as layout='HWC'",
    "spatial_dims": "layout, such as layout='NCDHW'",
    "max_val": "data_range",
    "max_value": "data_range",
    "padding": "border",
    "crop_border": "shave",
    "test_y_channel": "luma='bt601_studio'",
    "to_y_channel": "luma='bt601_studio'",
    "convert_to_greyscale": "luma, such as luma='bt601_full'",
    "gradient": "candidate_gradient=True",
    "K": "k1 and k2",
    "K1": "k1",
    "K2": "k2",
    "betas": "scale_weights",
    "power_factors": "scale_weights",
    "normalize": (
        "negative='relu' or negative='simple'",
        "normalized='row', normalized='column' or normalized='all'",
    ),
    "nonnegative_ssim": "negative='relu'",
    "full": "map=True",
    "return_full_image": "map=True",
    "return_contrast_sensitivity": "parts=True",
    "size_average": "per_image=True",
    "reduction": "per_image=True for the value of each image",
    "dim": "per_image=True or per_channel=True",
    "base": "log_base",
    "num_classes": "classes",
    "num_labels": "classes, with task='multilabel'",
    "pos_label": "average='binary', where class 1 is the positive one",
    "weight_type": "generalized_weights",
    "ignore_empty": "convention='monai' or convention='monai_keep_empty'",
    "input_format": (
        "reference_labels='one_hot' and candidate_labels='one_hot'",
        "reference='one_hot' and candidate='one_hot'",
    ),
    "ignore_index": "ignore",
    "ignore_label": "ignore",
    "labels": "excluded, which has the classes to leave out",
    "include_background": "excluded=[0]",
    "sample_weight": "weights",
    "mask": "weights",
    "multidim_average": "batched=True and over='samples'",
    "mdmc_average": "batched=True and over='samples'",
    "feature": "features",
    "coef": "coef0",
    "num_threads": "iqa.Context(threads=...)",
    "n_jobs": "iqa.Context(threads=...)",
}
"""What options of other libraries are here; of several the first that a call has."""

_CALLS = ("reference", "candidate", "weights", "map", "per_image", "per_channel", "iqa", "excluded")
"""Names that an update or a function may have where an option is looked for."""


def unknown(word: str, words: Iterable[str]) -> ArgumentTypeError:
    """The error for a keyword that is none of the words."""
    from difflib import get_close_matches  # noqa: PLC0415 few need it

    words = list(words)
    peers = _PEERS.get(word, ())
    known = (*words, *_CALLS)
    there = [one for one in ((peers,) if isinstance(peers, str) else peers) if _name(one) in known]
    hint = ""
    if there:
        hint = f": here it is {there[0]}"
    elif close := get_close_matches(word, words, 1):
        hint = f" (did you mean {close[0]!r}?)"
    return ArgumentTypeError(
        f"there is no option {word!r}{hint}; the options are {', '.join(words)}"
    )


def _name(there: str) -> str:
    return there.partition(",")[0].partition("=")[0].partition(".")[0].partition(" ")[0]


def named(function: F) -> F:
    """The function, which tells of keywords that it does not have."""
    code = function.__code__
    words = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    takes_others = bool(code.co_flags & 0x08)  # which are looked at elsewhere

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except TypeError as problem:
            if isinstance(problem, Error):
                raise
            for word in options:
                if word not in words and (word in _PEERS or not takes_others):
                    raise unknown(word, [w for w in words if w != "self"]) from None
            raise

    return call  # type: ignore[return-value]
