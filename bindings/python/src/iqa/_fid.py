# SPDX-License-Identifier: MIT
"""The Frechet distance of two sets of features."""

from __future__ import annotations

import ctypes
import json
import os
from collections import namedtuple
from functools import partial

from . import _abi
from ._context import context_of
from ._copies import Copies, as_rows, borrow_rows, columns_of
from ._cuda import owner_of
from ._documentation import documented
from ._errors import (
    ArgumentTypeError,
    CorruptError,
    DtypeError,
    IncompatibleError,
    InvalidArgumentError,
)
from ._kind import Kind
from ._library import library
from ._metric import Metric
from ._names import named
from ._options import made, sequence
from ._outputs import empty
from ._report import or_none
from ._tables import word_for
from ._tensor import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Union

    from typing_extensions import Unpack

    from ._context import Context
    from ._option_types import FIDOptions

    Statistics = Union[tuple[Any, Any], str, os.PathLike[str]]

FIDParts = namedtuple(
    "FIDParts",
    (
        "value",
        "raw",
        "mean_term",
        "trace_reference",
        "trace_candidate",
        "trace_term",
        "rank_reference",
        "rank_candidate",
    ),
)
FIDParts.__doc__ = """The value and what it is made of.

value = mean_term + trace_reference + trace_candidate - 2 trace_term, or 0 where rounding made
that negative, as raw tells. The ranks are those of the covariances.
"""
_PARTS = FIDParts._fields

FIDLine = namedtuple("FIDLine", ("value", "slope"))
FIDLine.__doc__ = "FID for a set without end, and the slope of the line over 1 / rows."

FIDEstimate = namedtuple("FIDEstimate", ("value", "standard_error"))
FIDEstimate.__doc__ = "FID without its bias of order 1 / rows, and its standard error."

_SIDES = {"reference": 0, "candidate": 1}


def _floating(rows: dict[str, Any]) -> Mapping[str, Any]:
    return {side: as_rows(numbers, side) for side, numbers in rows.items()}


@documented("fid")
class FID(Metric):
    """The Frechet distance of two sets of features, streamed in batches (Heusel et al. 2017).

    The reference set is the real one, the candidate set the generated one. With the features of
    the Inception network the distance is FID; with those of DINOv2 it is FD-DINOv2. Each feature
    is rounded once to the nearest multiple of 2^-fraction_bits; from there on the moments are
    exact integers. So the distance has the same bits whatever the batches, the order of the
    rows, the order of merges, the threads and the instruction set, and is exactly 0 for equal
    sets. Memory does not grow with the number of rows: 34 MB for each set of 2048 features.

    Args:
        features: numbers in a row; 2048.
        fraction_bits: p of the grid 2^-p, -120 to 120; 24. Features must lie within
            127 * 2^(24 - p); where they are too small for the grid, compute() refuses and says
            which p suits them.
        word_bits: 32 (the default), or 24: faster, for features within 127 * 2^(16 - p).
        weights, layer, resize: where the features come from, which Inception.origin() gives.
            Metrics with another origin are not merged, nor are those with and without one.
        context: threads, instruction set, progress; None for one of the metric's own.

    Example:
        >>> network = iqa.Inception("inception.safetensors", resize="clean")
        >>> metric = iqa.FID(**network.origin())
        >>> for images in real_loader:
        ...     metric.update(reference=network(images))
        >>> for images in generated_loader:
        ...     metric.update(candidate=network(images))
        >>> metric.compute()
    """

    __slots__ = ()

    _kind = Kind("fid", 16)

    @named
    def __init__(
        self,
        features: int = 2048,
        *,
        context: Context | None = None,
        **options: Unpack[FIDOptions],
    ) -> None:
        self._begin(context)
        self._create(made("fid", {"features": features, **options}))

    @named
    def update(self, reference: Any = None, candidate: Any = None) -> None:  # type: ignore[override]
        """Adds rows of features to one set or to both.

        Args:
            reference: float16, bfloat16, float32 or float64 [N, features], with any strides, or
                None. It is borrowed, not copied; integers, lists and the arrays of h5py, zarr
                and others are copied, in pieces of bounded size.
            candidate: the same for the other set; N and the element type may differ.
        """
        try:
            self._update_rows(reference, candidate)
        except DtypeError:
            if owner_of(reference) or owner_of(candidate):
                raise
        else:
            return
        sides = [
            Copies({side: rows}, _floating, batched=True)
            for side, rows in (("reference", reference), ("candidate", candidate))
            if rows is not None
        ]

        def update(metric: FID, part: slice | None) -> None:
            given: dict[str, Any] = {}
            for copies in sides:
                if part is None or part.start == 0 or part.start < copies.length:
                    given |= copies.piece(part)
            metric._update_rows(**given)

        self._all_or_none(max((copies.parts for copies in sides), key=len), update)

    def _update_rows(self, reference: Any = None, candidate: Any = None) -> None:
        loan = self._lend(reference, candidate)
        x = None if reference is None else loan.borrow(reference, "reference")
        y = None if candidate is None else loan.borrow(candidate, "candidate")
        self._queue(loan, x, y, None)

    def _wait(self) -> None:
        self._read("fid_rows_reference")

    @property
    def parts(self) -> FIDParts:
        """The value and what it is made of. Computed once for each state, however often read."""
        ranks = ("rank_reference", "rank_candidate")
        values = [self._read(name if name == "value" else f"fid_{name}") for name in _PARTS]
        return FIDParts(*(int(v) if n in ranks else v for n, v in zip(_PARTS, values)))

    @property
    def rows(self) -> tuple[int, int]:
        """How many rows were added to the reference set and to the candidate set."""
        return int(self._read("fid_rows_reference")), int(self._read("fid_rows_candidate"))

    @property
    def rank_deficient(self) -> bool:
        """Whether a covariance has a rank below the number of features.

        The value is accurate then too, but as an estimate for more rows it is biased upwards.
        """
        return bool(int(self._read("fid_flags")) & _abi.FID_RANK_DEFICIENT)

    @property
    def rounding(self) -> float:
        """How far rounding the features to the grid has moved the distance at most.

        Where that is more than a thousandth of what the distance is made of, the distance is
        refused, and more fraction_bits are needed; this number is there all the same.
        """
        return self._read("fid_rounding")

    def statistics(self, side: str) -> tuple[Any, Any]:
        """Mean [D] and covariance [D, D] of "reference" or "candidate" as float64 arrays.

        These are the arrays mu and sigma of the statistics files of other FID programs.
        """
        _side(side)
        return self._array(f"fid_mean_{side}", 1), self._array(f"fid_covariance_{side}", 2)

    def save_statistics(self, path: str | os.PathLike[str], side: str) -> None:
        """Writes mean and covariance of a side as a file of NumPy, arrays mu and sigma (.npz).

        Other FID programs read it, as does fid_from_statistics. What merges exactly is to_bytes().
        Where the origin of the features is stated, the array origin has it, as JSON in bytes.
        """
        import numpy as np  # noqa: PLC0415 importing iqa does not import it

        mu, sigma = self.statistics(side)
        arrays = {"mu": mu, "sigma": sigma}
        if self.origin is not None:
            arrays["origin"] = np.frombuffer(json.dumps(self.origin).encode(), np.uint8)
        np.savez(path, **arrays)

    @property
    def origin(self) -> dict[str, str] | None:
        """Where the features come from: weights (their digest), layer, resize; None: not stated."""
        options = self._options if self._options is not None else self._resolved()
        if options.weights == 0:
            return None
        return {
            "weights": f"{options.weights:016x}",
            "layer": word_for("fid", "layer", options.layer),
            "resize": word_for("fid", "resize", options.resize),
        }

    def _array(self, field: str, axes: int) -> Any:
        number, function, count = _abi.FIELDS[field], library.iqa_metric_read, ctypes.c_size_t()
        self._context.call(function, self._open(), number, None, 0, ctypes.byref(count))
        length = count.value if axes == 1 else round(count.value**0.5)
        result = empty("float64", (length,) * axes)
        keep, tensor = borrow(result, field, writable=True)
        memory = _abi.Tensor.from_address(tensor).data
        self._context.call(function, self._open(), number, memory, count.value, None)
        del keep
        return result

    def to_dict(self) -> dict[str, Any]:
        """The value, what it is made of and the numbers of rows; None without a value."""
        parts = or_none(lambda: self.parts)
        rows = dict(zip(("rows_reference", "rows_candidate"), self.rows))
        return {**dict(zip(_PARTS, parts or [None] * len(_PARTS))), **rows}

    def _repr_html_(self) -> str | None:
        return None  # the value takes seconds, and repr() tells how many rows there are

    def reset(self, side: str | None = None) -> None:
        """Forgets all data, or one set and keeps the other: "reference" or "candidate"."""
        if side is None:
            super().reset()
        else:
            self._context.call(library.iqa_fid_reset_side, self._open(), _side(side))

    def __repr__(self) -> str:
        if not self._handle:
            return "<iqa.FID, closed>"
        reference, candidate = self.rows
        return f"<iqa.FID, {reference} reference rows, {candidate} candidate rows>"


def _side(side: str) -> int:
    if side not in _SIDES:
        raise InvalidArgumentError(f"side is {side!r}, expected 'reference' or 'candidate'")
    return _SIDES[side]


@named
def fid(
    reference: Any,
    candidate: Any,
    *,
    context: Context | None = None,
    **options: Unpack[FIDOptions],
) -> float:
    """The Frechet distance of two arrays of features.

    Args:
        reference: the real features: float16, bfloat16, float32 or float64 [N, D].
        candidate: the generated ones: [M, D].
        context: threads, instruction set, progress; None for those of a Context().
        **options: fraction_bits and word_bits; see FID.

    Example:
        >>> iqa.fid(real_features, generated_features)
    """
    features = columns_of(reference, "reference")
    with FID(features, context=context, **options) as metric:
        metric.update(reference, candidate)
        return metric.compute()


@named
def fid_from_statistics(
    reference: Statistics, candidate: Statistics, *, context: Context | None = None
) -> FIDParts:
    """The Frechet distance of two sets of which mean and covariance are known.

    Files that state where their features come from have to state the same.

    Args:
        reference: mean [D] and covariance [D, D] of the real features, or the path of a
            statistics file (.npz) that has them as the arrays mu and sigma.
        candidate: the same of the generated features.
        context: threads, instruction set, progress.

    Example:
        >>> iqa.fid_from_statistics("real.npz", metric.statistics("candidate")).value
    """
    context = context_of(context)
    mean_reference, covariance_reference, origin = _statistics(reference, "reference")
    mean_candidate, covariance_candidate, other = _statistics(candidate, "candidate")
    if origin is not None and other is not None and origin != other:
        raise IncompatibleError(
            f"the reference features come from {_text_of(origin)}; the candidate features from"
            f" {_text_of(other)}"
        )
    given = {
        "mean_reference": mean_reference,
        "covariance_reference": covariance_reference,
        "mean_candidate": mean_candidate,
        "covariance_candidate": covariance_candidate,
    }
    borrowed = [borrow_rows(array, name, wide=True) for name, array in given.items()]
    values = (ctypes.c_double * len(_PARTS))()
    context.call(
        library.iqa_fid_from_statistics,
        context.handle,
        *(address for _, address in borrowed),
        values,
        len(values),
        None,
    )
    return FIDParts(*values[:6], *map(int, values[6:]))


def _text_of(origin: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {word}" for name, word in origin.items())


def _statistics(given: Statistics, name: str) -> tuple[Any, Any, dict[str, str] | None]:
    """Mean, covariance, and the origin of a file that states it."""
    if not isinstance(given, (str, os.PathLike)):
        try:
            mean, covariance = given
        except (TypeError, ValueError):
            raise ArgumentTypeError(
                f"{name} is {given!r}, expected mean and covariance, or the path of a file with"
                " them"
            ) from None
        return mean, covariance, None
    import numpy as np  # noqa: PLC0415 importing iqa does not import it

    try:
        file = np.load(given)
    except OSError:
        raise
    except Exception as problem:  # NumPy's are many
        path = os.fspath(given)
        raise CorruptError(f"{name} is {path!r}, which NumPy refuses: {problem}") from None
    if missing := {"mu", "sigma"}.difference(getattr(file, "files", ())):
        raise InvalidArgumentError(
            f"{name} is {os.fspath(given)!r}, which lacks {' and '.join(sorted(missing))}; expected"
            " a statistics file, with the arrays mu and sigma"
        )
    with file:
        origin = None
        if "origin" in file.files:
            try:
                origin = dict(json.loads(file["origin"].tobytes()))
            except (TypeError, ValueError):
                raise CorruptError(
                    f"{name} is {os.fspath(given)!r}, whose array origin is no JSON object"
                ) from None
        return file["mu"], file["sigma"], origin


def fid_extrapolate(shards: Sequence[FID]) -> FIDLine:
    """FID for a set without end: it falls as rows are added, nearly in proportion to 1 / N.

    For the candidate rows of the first shard, of the first two, and so on, FID is computed
    against the reference rows of all shards; the line through these values over 1 / N is
    followed to 1 / N = 0 (Chong and Forsyth, CVPR 2020).

    Args:
        shards: metrics with the same options, two or more of them with candidate rows. The
            first should have several times as many as there are features.

    Example:
        >>> iqa.fid_extrapolate(shards).value
    """
    return FIDLine(*_from_shards(library.iqa_fid_extrapolate, shards))


def fid_jackknife(shards: Sequence[FID]) -> FIDEstimate:
    """FID with an error bar: each shard's candidate rows are left out once.

    The spread of these values tells how much the choice of candidate rows matters. The
    reference rows, of all shards, are taken as they are.

    Args:
        shards: metrics with the same options; ten or more of equal size are a good number.

    Example:
        >>> value, error = iqa.fid_jackknife(shards)
    """
    return FIDEstimate(*_from_shards(library.iqa_fid_jackknife, shards))


def _from_shards(function: Any, shards: Sequence[FID]) -> tuple[float, float]:
    shards = sequence("shards", shards, "metrics")
    for index, shard in enumerate(shards):
        if not isinstance(shard, FID):
            raise ArgumentTypeError(f"shards[{index}] is {type(shard).__name__}, expected iqa.FID")
    if not shards:
        raise InvalidArgumentError("shards is empty, expected at least 2 metrics")
    handles = (ctypes.c_void_p * len(shards))(*(shard._open() for shard in shards))
    first, second = ctypes.c_double(), ctypes.c_double()
    call = partial(function, handles, len(shards), ctypes.byref(first), ctypes.byref(second))
    # Inside a call of every other context, so that all are held; the first one has the error text.
    contexts = dict.fromkeys(shard._context for shard in shards)
    for context in contexts:
        call = partial(context.call, call)
    call()
    return first.value, second.value
