# SPDX-License-Identifier: MIT
"""Precision, recall, density and coverage of two sets of features."""

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
    from ._option_types import PRDCOptions

PRDCValues = namedtuple(
    "PRDCValues",
    (
        *("precision", "recall", "density", "coverage"),
        *("precise", "recalled", "covered", "pairs"),
    ),
)
PRDCValues.__doc__ = """Precision, recall, density and coverage, and the counts behind them.

`precise` rows of the candidate lie in a ball of the reference, `recalled` rows of the reference in
a ball of the candidate; `covered` balls of the reference have a row of the candidate; there are
`pairs` of a ball of the reference and a row of the candidate in it.
"""


def _measure(context: Context | None, options: Any, arrays: dict[str, Any]) -> PRDCValues:
    values = (ctypes.c_double * len(PRDCValues._fields))()
    measure(context, library.iqa_measure_prdc, options, arrays, values, len(values), None)
    parts, counts = values[:4], values[4:]
    return PRDCValues(*parts, *map(int, counts))


@documented("prdc")
@named
def prdc(
    reference: Any,
    candidate: Any,
    *,
    context: Context | None = None,
    **options: Unpack[PRDCOptions],
) -> PRDCValues:
    """Precision and recall (Kynkaanniemi et al. 2019), density and coverage (Naeem et al. 2020).

    The ball of a row of features reaches to its k-th nearest neighbour in its own set. Precision
    is the part of the candidate in balls of the reference, recall that of the reference in balls
    of the candidate, density the mean number of balls of the reference around a row of the
    candidate over k, and coverage the part of the balls of the reference with a row of the
    candidate in them. Features are rounded once to a grid so fine that what is left is far below
    float32's own rounding in sums; from there on distances are whole numbers that are compared
    exactly: the same counts come out whatever the threads, the instruction set and the order of
    rows. No matrix of all pairs is held.

    Args:
        reference: the real features: float16, bfloat16, float32 or float64 [N, D], with any
            strides. They are borrowed, not copied, and measured where they are: on the CPU, or
            both sets on one CUDA device.
        candidate: the generated ones: [M, D].
        k: which neighbour, 5; less than both sets have rows. torch-fidelity's precision and
            recall have 3.
        ball: "open" (the default), as in prdc: a row is inside if it is nearer than the k-th
            neighbour; "closed", as in torch-fidelity: or as near.
        context: threads, instruction set, progress; None for those of a Context().

    Example:
        >>> values = iqa.prdc(real_features, generated_features)
        >>> values.precision, values.coverage
        >>> iqa.prdc(real_features, generated_features, k=3, ball="closed").recall
    """
    arrays = {"reference": reference, "candidate": candidate}
    return _measure(context, made("prdc", options), arrays)


class PRDC(RowSets):
    """Precision, recall, density and coverage of features that come in batches.

    Unlike iqa.FID this keeps a copy of every row in memory, for rows are compared with each
    other: 8 KB for each row of 2048 float32 features. Rows on a CUDA device are kept there, by
    their library (PyTorch, CuPy or JAX).

    Args:
        k, ball: see prdc().
        context: threads, instruction set, progress; None for one of its own.

    Example:
        >>> metric = iqa.PRDC(k=5)
        >>> for images in real_loader:
        ...     metric.update(reference=network(images))
        >>> for images in generated_loader:
        ...     metric.update(candidate=network(images))
        >>> metric.compute().density
    """

    __slots__ = ()

    @named
    def __init__(self, *, context: Context | None = None, **options: Unpack[PRDCOptions]) -> None:
        super().__init__("prdc", options, context)

    def compute(self) -> PRDCValues:
        """The values of all rows so far: see prdc()."""
        return _measure(self._context, self._options, self._tables())
