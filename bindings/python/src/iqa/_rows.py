# SPDX-License-Identifier: MIT
"""Rows of features and class scores: calls over them, and copies of those that come in batches."""

from __future__ import annotations

import ctypes

from . import _abi
from ._context import Context, context_of
from ._copies import borrow_rows
from ._cuda import Loan, owner_of
from ._errors import (
    DeviceError,
    DtypeError,
    InvalidArgumentError,
    ShapeError,
    UnavailableError,
)
from ._names import named
from ._options import made
from ._tensor import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SIDES = ("reference", "candidate")
_FLOATS = {(_abi.FLOAT, 16), (_abi.BFLOAT, 16), (_abi.FLOAT, 32), (_abi.FLOAT, 64)}


def measure(
    context: Context | None, function: Any, options: Any, arrays: dict[str, Any], *results: Any
) -> None:
    """The call, on the device and in the order of the stream of arrays on a CUDA device."""
    owners = (owner_of(array) for array in arrays.values())
    owner = next((owner for owner in owners if owner is not None), None)
    if owner is None:
        context = context_of(context)
        borrowed = [_rows_on_cpu(array, name) for name, array in arrays.items()]
        tensors = [address for _keep, address in borrowed]
    else:
        if context is None:
            context = Context(cuda_stream=owner.stream)
        context = context_of(context)
        loan = Loan(context.cuda_stream, owner)
        tensors = [
            ctypes.addressof(array) if isinstance(array, _abi.Tensor) else loan.borrow(array, name)
            for name, array in arrays.items()
        ]
    context.call(
        function,
        context.handle,
        ctypes.byref(options),
        *tensors,
        *results,
    )


def _rows_on_cpu(array: Any, name: str) -> tuple[Any, int]:
    if isinstance(array, _abi.Tensor):
        return array, ctypes.addressof(array)
    return borrow_rows(array, name)


class RowSets:
    """Both sets of a metric that compares rows with each other, as they come in batches."""

    __slots__ = ("_context", "_options", "_sides")

    def __init__(self, kind: str, options: dict[str, Any], context: Context | None) -> None:
        self._context = context if context is None else context_of(context)
        self._options = made(kind, options)
        self._sides = {side: _Rows(side) for side in _SIDES}

    @named
    def update(self, reference: Any = None, candidate: Any = None) -> None:
        """Adds rows of features to one set or to both, or nothing if one of them is not valid.

        Args:
            reference: float16, bfloat16, float32 or float64 [N, D], with any strides, or None;
                D, the element type and the device as in the first batch of that set.
            candidate: the same for the other set.
        """
        given = {"reference": reference, "candidate": candidate}
        tables = {
            side: self._sides[side].checked(array)
            for side, array in given.items()
            if array is not None
        }
        if not tables:
            raise InvalidArgumentError("reference and candidate are both None; one of them may be")
        for side, batch in tables.items():
            self._sides[side].add(*batch)

    def _tables(self) -> dict[str, Any]:
        """All rows of each set."""
        reference, candidate = self._sides.values()
        return {"reference": reference.table(candidate), "candidate": candidate.table(reference)}

    @property
    def rows(self) -> tuple[int, int]:
        """How many rows were added to the reference set and to the candidate set."""
        return self._sides["reference"].count, self._sides["candidate"].count

    def reset(self, side: str | None = None) -> None:
        """Forgets all rows, or those of one set: "reference" or "candidate"."""
        if side is not None and side not in _SIDES:
            raise InvalidArgumentError(f"side is {side!r}, expected 'reference' or 'candidate'")
        for name in _SIDES if side is None else (side,):
            self._sides[name] = _Rows(name)

    def __repr__(self) -> str:
        name = type(self).__name__
        return "<iqa.{}, {} reference rows, {} candidate rows>".format(name, *self.rows)


class _Rows:
    """Copies of the rows of one set: one behind the other, or, on a CUDA device, batch by batch."""

    __slots__ = ("_batches", "_memory", "columns", "count", "device", "dtype", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0
        self.columns = 0  # until the first batch
        self.dtype = (_abi.FLOAT, 32)
        self.device = (_abi.CPU, 0)
        self._memory = bytearray()
        # With the stream that each is made on, and the object that this stream ends with.
        self._batches: list[tuple[Any, int | None, Any]] = []

    def checked(self, array: Any) -> tuple[Any, _abi.Tensor]:
        """What keeps the batch, and its tensor."""
        owner = owner_of(array)
        if owner is None:
            keep, address = borrow_rows(array, self.name)
        else:
            with owner.device():
                keep, address = borrow(array, self.name)
        tensor = _abi.Tensor.from_address(address)
        device = (tensor.device_type, tensor.device_id)
        if owner is None and tensor.device_type != _abi.CPU:
            raise UnavailableError(f"{self.name} is neither on the CPU nor on a CUDA device")
        shape = tuple(tensor.shape[: tensor.ndim])
        if len(shape) != 2 or (self.columns and shape[1] != self.columns):
            columns = self.columns or "D"
            raise ShapeError(f"{self.name} has shape {list(shape)}; expected [N, {columns}]")
        dtype = (tensor.dtype_code, tensor.dtype_bits)
        if dtype not in _FLOATS or (self.columns and dtype != self.dtype):
            expected = "the element type of the first batch" if self.columns else "a floating point"
            raise DtypeError(f"{self.name} has another element type than {expected}")
        if self.columns and device != self.device:
            raise DeviceError(f"{self.name} is on another device than the first batch")
        return keep if owner is None else (owner, keep, owner.kept(self.name)), tensor

    def add(self, keep: Any, tensor: _abi.Tensor) -> None:
        """Adds the rows of a checked batch."""
        rows, columns = tensor.shape[:2]
        self.columns, self.dtype = columns, (tensor.dtype_code, tensor.dtype_bits)
        self.device = (tensor.device_type, tensor.device_id)
        self.count += rows
        if tensor.device_type != _abi.CPU:
            owner, _, kept = keep
            self._batches.append((kept, owner.stream, owner.stream_object))
            return
        row_stride, step = tensor.strides[:2] if tensor.strides else (columns, 1)
        size = tensor.dtype_bits // 8
        address = (tensor.data or 0) + tensor.byte_offset
        if step == 1 and row_stride == columns:
            self._memory += ctypes.string_at(address, rows * columns * size)
        else:
            for row in range(rows):
                self._memory += _strided(address + row * row_stride * size, columns, step, size)

    def table(self, other: _Rows) -> Any:
        """All rows as one array or tensor; without any, a tensor where the other set is."""
        if self._batches:
            return self._joined()
        columns = self.columns or other.columns or 1
        tensor = _abi.Tensor()
        if self.count:
            tensor.data = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        tensor.device_type, tensor.device_id = self.device if self.count else other.device
        tensor.ndim = 2
        tensor.dtype_code, tensor.dtype_bits = self.dtype
        tensor.dtype_lanes = 1
        tensor.shape = (ctypes.c_int64 * 2)(self.count, columns)
        return tensor

    def _joined(self) -> Any:
        """The batches as one, once, on the present stream of their library."""
        last: Any = owner_of(self._batches[-1][0])
        if len(self._batches) > 1:
            for stream in {stream for _, stream, _ in self._batches} - {last.stream}:
                last.wait_for(stream)
            rows = last.joined([batch for batch, *_ in self._batches])
            self._batches = [(rows, last.stream, last.stream_object)]
        return self._batches[0][0]


def _strided(address: int, count: int, step: int, size: int) -> bytes:
    """Numbers at a distance of `step` as bytes without gaps."""
    if count == 0 or step == 0:
        return ctypes.string_at(address, size if count else 0) * count
    span = (count - 1) * abs(step) + 1
    lowest = address if step > 0 else address + (count - 1) * step * size
    numbers: Any = memoryview(ctypes.string_at(lowest, span * size))
    return bytes(numbers.cast({2: "H", 4: "I", 8: "Q"}[size])[::step].tobytes())
