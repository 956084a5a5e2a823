# SPDX-License-Identifier: MIT
"""KID, the kernel distance of two sets of features, and the Inception Score of class scores."""

from __future__ import annotations

import ctypes
from collections import namedtuple

from ._documentation import documented
from ._library import library
from ._names import named
from ._options import made
from ._rows import RowSets, measure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Unpack

    from ._context import Context
    from ._option_types import InceptionScoreOptions, KIDOptions

MeanStd = namedtuple("MeanStd", ("mean", "std"))
MeanStd.__doc__ = """Mean and standard deviation of the values of subsets or splits.

The deviation is divided by their number n; times sqrt(n / (n - 1)) it is the sample's.
"""


def _mean_and_deviation(
    context: Context | None, function: Any, options: Any, **arrays: Any
) -> MeanStd:
    mean, deviation = ctypes.c_double(), ctypes.c_double()
    measure(context, function, options, arrays, ctypes.byref(mean), ctypes.byref(deviation))
    return MeanStd(mean.value, deviation.value)


@documented("kid")
@named
def kid(
    reference: Any,
    candidate: Any,
    *,
    context: Context | None = None,
    **options: Unpack[KIDOptions],
) -> MeanStd:
    """The kernel inception distance of two arrays of features (Binkowski et al. 2018).

    The squared maximum mean discrepancy with the kernel (gamma x.y + coef0)^degree, for each of
    several random subsets of both sets; their mean and standard deviation are given. The rows of
    a subset follow from the seed by a rule that docs/guide/fid.md has. With subsets=0 all rows are
    compared once, which is the more accurate number. The same bits come out whatever the threads
    and the instruction set. No matrix of all pairs is held.

    Args:
        reference: the real features: float16, bfloat16, float32 or float64 [N, D], with any
            strides. They are borrowed, not copied, and measured where they are: on the CPU, or
            both sets on one CUDA device.
        candidate: the generated ones: [M, D].
        degree: of the kernel, 1 to 16; 3.
        gamma: of the kernel, above 0; None (the default) for 1 / D.
        coef0: of the kernel, 0 or more; 1.
        estimator: "unbiased" (the default) leaves out pairs of a row with itself, and may be
            slightly negative; "biased" takes them in.
        subsets: how many, 100; 0 for all rows at once.
        subset_size: rows of a subset, of each set; 1000.
        seed: 0 to 2^64 - 1; 0.
        draw_by: "index" (the default): rows in another order are drawn otherwise; "content": which
            rows are drawn follows from their numbers, so that their order changes no value.
        context: threads, instruction set, progress; None for those of a Context().

    Example:
        >>> mean, std = iqa.kid(real_features, generated_features)
        >>> iqa.kid(real_features, generated_features, subsets=0).mean
    """
    arrays = {"reference": reference, "candidate": candidate}
    return _mean_and_deviation(context, library.iqa_measure_kid, made("kid", options), **arrays)


class KID(RowSets):
    """KID of features that come in batches.

    Unlike iqa.FID this keeps a copy of every row in memory, for KID compares rows with each
    other: 8 KB for each row of 2048 float32 features. Rows on a CUDA device are kept there, by
    their library (PyTorch, CuPy or JAX).

    Args:
        degree, gamma, coef0, estimator, subsets, subset_size, seed, draw_by: see kid(). With
            draw_by="content" batches and their order change no value.
        context: threads, instruction set, progress; None for one of its own.

    Example:
        >>> metric = iqa.KID()
        >>> for images in real_loader:
        ...     metric.update(reference=network(images))
        >>> for images in generated_loader:
        ...     metric.update(candidate=network(images))
        >>> mean, std = metric.compute()
    """

    __slots__ = ()

    @named
    def __init__(self, *, context: Context | None = None, **options: Unpack[KIDOptions]) -> None:
        super().__init__("kid", options, context)

    def compute(self) -> MeanStd:
        """KID of all rows so far: see kid()."""
        return _mean_and_deviation(
            self._context, library.iqa_measure_kid, self._options, **self._tables()
        )


@documented("inception_score")
@named
def inception_score(
    scores: Any, *, context: Context | None = None, **options: Unpack[InceptionScoreOptions]
) -> MeanStd:
    """The Inception Score of generated images (Salimans et al. 2016).

    exp of the mean over rows of KL(p_i || p), with p_i the class probabilities of a row and p
    their mean, for each of several splits of the rows; mean and standard deviation of these
    values are given. Split s of S has the rows floor(s N / S) ... floor((s + 1) N / S) - 1.

    Args:
        scores: what the classifier says: float16, bfloat16, float32 or float64 [N, C], on the
            CPU or on a CUDA device, with any strides.
        kind: "logits" (the default), of which the softmax is taken, or "probabilities".
        splits: how many; 10.
        shuffle: True (the default) takes the rows in a random order, for they often come by class.
            It follows from the seed by a rule that docs/guide/fid.md has.
        seed: 0 to 2^64 - 1; 0.
        draw_by: "index" (the default) or "content", by which the order of the rows changes no
            value: see kid().
        context: threads, instruction set, progress; None for those of a Context().

    Example:
        >>> mean, std = iqa.inception_score(logits)
    """
    how = made("inception_score", options)
    return _mean_and_deviation(context, library.iqa_measure_inception_score, how, scores=scores)
