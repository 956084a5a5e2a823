# SPDX-License-Identifier: MIT
"""Copies of what the library does not take as it lies.

Those are other element types and byte orders, memory that is not aligned, lists, and objects that
give an array only when asked for one, such as those of pandas, xarray, h5py and zarr. NumPy makes
them, piece by piece along the first axis, and no number changes its value: what has no equal in a
type that the library takes is refused.
"""

from __future__ import annotations

import math

from . import _abi
from ._errors import DeviceError, DtypeError, InvalidArgumentError, Misfit, NumericError, ShapeError
from ._interfaces import letters
from ._objects import resolve
from ._tensor import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    Numbers = Any  # numpy.ndarray

MOST = 2**22
"""Elements of a piece: 32 MiB of float64. A piece has one image, sample or row at least."""


class Source:
    """An argument as arrays of NumPy: all of it, or pieces along its first axis."""

    def __init__(self, array: Any, name: str) -> None:
        self._name = name
        array = resolve(array, name)
        try:
            keep, address = borrow(array, name)
        except Misfit:
            lazy = hasattr(array, "shape") and hasattr(array, "__getitem__")
            self._array = array if lazy else _numbers(array, name)
            self._is_bfloat16 = False
        else:
            tensor = _abi.Tensor.from_address(address)
            if tensor.device_type != _abi.CPU:
                raise DeviceError(f"{name} is not on the CPU, where other arrays are copied to")
            self._is_bfloat16 = tensor.dtype_code == _abi.BFLOAT
            if not self._is_bfloat16 and tensor.dtype_code not in letters:
                raise DtypeError(
                    f"{name} has element type {array.dtype}, expected one that NumPy has too, such"
                    " as float32"
                )
            self._array = _numbers(_Shown(tensor, keep), name)
        self.shape: tuple[int, ...] = tuple(self._array.shape)

    @property
    def pieces(self) -> Iterator[slice]:
        """Where pieces begin and end."""
        step = max(1, MOST // max(1, math.prod(self.shape[1:])))
        return (slice(first, first + step) for first in range(0, self.shape[0], step))

    def numbers(self, part: slice | None = None) -> Numbers:
        """A piece, or all, in this machine's byte order; bfloat16 as float32."""
        array = self._array
        if part is not None:
            array = getattr(array, "iloc", array)[part]  # pandas has a meaning for plain brackets
        numbers = _numbers(array, self._name)
        if self._is_bfloat16:
            return (numbers.astype("u4") << 16).view("f4")
        return numbers


class _Shown:
    """A borrowed tensor for NumPy; bfloat16 as its bits."""

    def __init__(self, tensor: _abi.Tensor, keep: Any) -> None:
        self._keep = keep
        size = tensor.dtype_bits // 8
        shape = tuple(tensor.shape[: tensor.ndim])
        strides = tuple(s * size for s in tensor.strides[: tensor.ndim]) if tensor.strides else None
        letter = "u" if tensor.dtype_code == _abi.BFLOAT else letters[tensor.dtype_code]
        self.__array_interface__ = {
            "version": 3,
            "typestr": f"={letter}{size}",
            "shape": shape,
            "strides": strides,
            "data": ((tensor.data or 0) + tensor.byte_offset, True),
        }


def _numbers(array: Any, name: str) -> Numbers:
    try:
        import numpy as np  # noqa: PLC0415 importing iqa does not import it
    except ImportError:
        raise Misfit(
            f"{name} has to be copied to be read, which takes NumPy: expected an array of a type"
            " and byte order that the library takes, or NumPy"
        ) from None
    try:
        numbers = np.asanyarray(array)
    except Exception as problem:  # of whatever library the object is
        raise InvalidArgumentError(f"{name} cannot be read as an array: {problem}") from problem
    numbers = np.asarray(resolve(numbers, name))
    kind, size = numbers.dtype.kind, numbers.dtype.itemsize
    if numbers.dtype.name == "bfloat16":
        return numbers.astype("f4")
    if kind not in "biuf" or size > 8:
        raise DtypeError(
            f"{name} has element type {numbers.dtype.name}, expected real numbers of up to 64 bits"
        )
    return numbers


def _exact(numbers: Numbers, name: str, limit: int, of: str) -> None:
    """Refuses integers that lie beyond a limit of the type which takes them."""
    if numbers.dtype.itemsize < 4 or numbers.size == 0:
        return
    for value in (int(numbers.min()), int(numbers.max())):
        if not -limit <= value <= limit:
            raise NumericError(f"{name} has the number {value}, which {of} does not hold exactly")


def as_rows(numbers: Numbers, name: str) -> Numbers:
    """Features or scores as floating-point numbers, integers of up to 16 bits as float32."""
    if numbers.dtype.kind == "f":
        return _plain(numbers)
    _exact(numbers, name, 2**53, "float64")
    return numbers.astype("f4" if numbers.dtype.itemsize < 4 else "f8")


def as_weights(numbers: Numbers, name: str) -> Numbers:
    """Weights as float32 or float64; masks of bool stay."""
    if numbers.dtype.kind == "b" or numbers.dtype.name == "uint8":
        return _plain(numbers)
    numbers = as_rows(numbers, name)
    return numbers.astype("f4") if numbers.dtype.itemsize == 2 else numbers


def as_float_weights(numbers: Numbers, name: str) -> Numbers:
    """Weights of labels: float32 or float64."""
    numbers = as_weights(numbers, name)
    return numbers if numbers.dtype.kind == "f" else numbers.astype("f4")


def as_labels(numbers: Numbers, name: str) -> Numbers:
    """Class numbers as integers of a type that the library takes."""
    if numbers.dtype.kind == "f":
        import numpy as np  # noqa: PLC0415 importing iqa does not import it

        with np.errstate(invalid="ignore"):  # of numbers beyond int64, which are told below
            labels = numbers.astype("i8")
        other = labels.astype(numbers.dtype) != numbers
        if numbers.dtype.itemsize > 2:  # 2^63, which some machines clamp to the largest label
            other |= numbers >= 2.0**63
        if other.any():
            place = [int(i) for i in np.unravel_index(int(other.argmax()), other.shape)]
            raise NumericError(
                f"{name} has the number {numbers[tuple(place)]} at {place}, which is no label:"
                " expected whole numbers, or that the options say it is scores"
            )
        return labels
    return _plain(numbers)


def as_scores(numbers: Numbers, name: str) -> Numbers:
    """Scores of classes, whose types the library takes all."""
    return _plain(numbers)


def as_images(pair: Mapping[str, Numbers], range_is_stated: bool) -> dict[str, Numbers]:
    """Two images of one type, which the library takes.

    Args:
        pair: the images by their names.
        range_is_stated: whether the data range is; only the library's own types have a span.
    """
    import numpy as np  # noqa: PLC0415 importing iqa does not import it

    (first, x), (second, y) = pair.items()
    types = list(dict.fromkeys((x.dtype.name, y.dtype.name)))
    wider = np.promote_types(x.dtype, y.dtype).name
    floats = (x.dtype.kind == "f") + (y.dtype.kind == "f")
    if floats == 1 or (not floats and wider not in types):
        raise DtypeError(
            f"{second} has element type {y.dtype.name} but {first} has {x.dtype.name}; expected"
            " equal types, two of floating point, or integers of which one type holds the other"
        )
    target = wider if floats else _OWN.get(wider, "float64")
    if not floats and not range_is_stated and types != [target]:
        raise InvalidArgumentError(
            f"data_range is not stated, and that of {' beside '.join(types)} images cannot be"
            " known: expected a number such as data_range=255, or a pair (low, high)"
        )
    for name, image in pair.items():
        if not floats:
            _exact(image, name, 2**53, "float64")
    return {name: np.require(image, target, "A") for name, image in pair.items()}


_OWN = {"bool": "uint8", "int8": "int16", "uint8": "uint8", "int16": "int16", "uint16": "uint16"}
"""The type of the library that holds integers of a type, where one does."""


def _plain(numbers: Numbers) -> Numbers:
    """The same numbers in this machine's byte order, aligned."""
    import numpy as np  # noqa: PLC0415 importing iqa does not import it

    return np.require(numbers, numbers.dtype.newbyteorder("="), "A")


def borrow_rows(array: Any, name: str, wide: bool = False) -> tuple[Any, int]:
    """What keeps rows of numbers alive, and the address of their tensor.

    Args:
        array: of any library.
        name: what to call it in an error.
        wide: whether only float64 will do.
    """
    try:
        keep, address = borrow(array, name)
        tensor = _abi.Tensor.from_address(address)
        fits = tensor.dtype_bits == 64 if wide else tensor.dtype_bits <= 64
        floats = tensor.dtype_code in (_abi.FLOAT, _abi.BFLOAT)
        if (fits and floats) or tensor.device_type != _abi.CPU:
            return keep, address
    except Misfit:
        pass
    numbers = as_rows(Source(array, name).numbers(), name)
    return borrow(numbers.astype("f8") if wide else numbers, name)


def columns_of(array: Any, name: str) -> int:
    """D of rows [N, D], which are not copied for this."""
    try:
        _keep, address = borrow(array, name)
        tensor = _abi.Tensor.from_address(address)
        shape: tuple[int, ...] = tuple(tensor.shape[: tensor.ndim])
    except Misfit:
        shape = Source(array, name).shape
    if len(shape) != 2:
        raise ShapeError(f"{name} has {len(shape)} axes, expected [N, D]")
    return shape[1]


class Copies:
    """Copies of the arguments of one update.

    Args:
        arguments: the arrays by their names.
        convert: how the numbers of a name become what the library takes.
        batched: whether pieces may be cut off along the first axis.
    """

    def __init__(
        self,
        arguments: Mapping[str, Any],
        convert: Callable[[dict[str, Numbers]], Mapping[str, Numbers]],
        batched: bool,
    ) -> None:
        self._sources = {name: Source(array, name) for name, array in arguments.items()}
        self._convert = convert
        lead = next(iter(self._sources.values()))
        self.length = lead.shape[0] if batched and lead.shape else 0
        self.elements = sum(math.prod(source.shape) for source in self._sources.values())
        self.parts = list(lead.pieces) if self.length else [None]

    def check_shapes(self, name: str, other: str, axes: int | None = None) -> None:
        """Refuses two arguments that differ in shape, or in the first axes of it."""
        one, two = (self._sources[of].shape[:axes] for of in (name, other))
        if one != two:
            shapes = (list(self._sources[of].shape) for of in (name, other))
            raise ShapeError(f"{name} has shape {next(shapes)} but {other} has {next(shapes)}")

    def piece(self, part: slice | None) -> Mapping[str, Numbers]:
        """The converted arguments; what has one entry for the whole batch is in every piece."""
        return self._convert(
            {
                name: source.numbers(part if source.shape[:1] == (self.length,) else None)
                for name, source in self._sources.items()
            }
        )


def piece_of(output: Any, part: slice | None) -> Any:
    """The part of an output that a piece fills; True and the like are for each piece alike."""
    return output if part is None or output is None or isinstance(output, bool) else output[part]


def joined(pieces: tuple[Any, ...], wanted: Any) -> Any:
    """The output of all pieces: the caller's array, or the new ones as one."""
    if wanted is not True:
        return None if wanted is False else wanted
    if len(pieces) == 1:
        return pieces[0]
    import numpy as np  # noqa: PLC0415 importing iqa does not import it

    return np.concatenate(pieces)
