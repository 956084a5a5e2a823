# SPDX-License-Identifier: MIT
"""Tensors from __array_interface__, __cuda_array_interface__ and the buffer protocol."""

from __future__ import annotations

import ctypes

from . import _abi
from ._buffer import View
from ._errors import DtypeError, InvalidArgumentError, Misfit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

    Borrowed = tuple[Any, int]
    Strides = Optional[tuple[int, ...]]

_CODES = {"i": 0, "u": 1, "f": 2, "bfloat16": 4, "c": 5, "b": 6}
"""DLPack's codes for the letters of __array_interface__."""

letters = {code: letter for letter, code in _CODES.items()}
"""The other way round."""

_C_TYPES = {
    "b": ctypes.c_byte,
    "h": ctypes.c_short,
    "i": ctypes.c_int,
    "l": ctypes.c_long,
    "q": ctypes.c_longlong,
}
_FORMATS = {
    **{letter: ("i", ctypes.sizeof(kind)) for letter, kind in _C_TYPES.items()},
    **{letter.upper(): ("u", ctypes.sizeof(kind)) for letter, kind in _C_TYPES.items()},
    "e": ("f", 2),
    "f": ("f", 4),
    "d": ("f", 8),
    "?": ("b", 1),
}
"""Letter of __array_interface__ and bytes for the formats of the buffer protocol."""


def borrow_by_interface(array: Any, name: str, writable: bool) -> Borrowed | None:
    """What keeps the tensor alive, and its address; None for what has no such protocol."""
    for attribute, device in (
        ("__array_interface__", _abi.CPU),
        ("__cuda_array_interface__", _abi.CUDA),
    ):
        interface = getattr(array, attribute, None)
        if interface is not None:
            return _from_interface(array, interface, device, name, writable)
    try:
        view = View(array, writable)
    except TypeError:
        return None
    except BufferError:
        if not writable:
            raise
        raise read_only(name) from None
    kind, size = _element_of_format(view, name)
    return _tensor(view.address, _abi.CPU, kind, size, view.shape, view.strides, name, view)


def _from_interface(
    array: Any, interface: dict[str, Any], device: int, name: str, writable: bool
) -> Borrowed:
    if interface.get("mask") is not None:
        raise InvalidArgumentError(f"{name} has a mask, expected one in the argument weights")
    data = interface.get("data")
    owner: Any = array
    if isinstance(data, tuple):
        address, is_read_only = data
    else:  # another object holds the bytes, as in Pillow's images
        owner = View(array if data is None else data, False)
        address, is_read_only = owner.address + interface.get("offset", 0), True
    if writable and is_read_only:
        raise read_only(name)
    code = interface["typestr"]
    order, kind = code[:2]
    if kind == "V" and getattr(getattr(array, "dtype", None), "name", "") == "bfloat16":
        kind = "bfloat16"
    if kind not in _CODES:
        raise DtypeError(f"{name} has element type {code!r}, expected numbers")
    size = int(code[2:])
    if size > 1:
        _check_byte_order(order, name)
    strides = interface.get("strides")
    return _tensor(address, device, kind, size, interface["shape"], strides, name, owner)


def _element_of_format(view: View, name: str) -> tuple[str, int]:
    letter = view.format[-1]
    if len(view.format) > 2 or letter not in _FORMATS:
        raise DtypeError(f"{name} has buffer format {view.format!r}, expected one number")
    _check_byte_order(view.format[0], name)
    return _FORMATS[letter][0], view.itemsize  # 'l' has another size with '=' than without


def _check_byte_order(order: str, name: str) -> None:
    if order in (">", "!"):
        raise Misfit(f"{name} has big-endian elements, expected this machine's byte order")


def read_only(name: str) -> InvalidArgumentError:
    """The error for an output that cannot be written."""
    return InvalidArgumentError(f"{name} is read-only, expected memory that can be written")


def _tensor(
    address: int,
    device: int,
    kind: str,
    size: int,
    shape: tuple[int, ...],
    strides: Strides,
    name: str,
    owner: Any,
) -> Borrowed:
    """A tensor of our own; size and strides are in bytes."""
    if address % size:
        raise Misfit(f"{name} is not aligned to its elements of {size} bytes")
    tensor = _abi.Tensor()
    tensor.data = address
    tensor.device_type = device
    tensor.ndim = len(shape)
    tensor.dtype_code = _CODES[kind]
    tensor.dtype_bits = 8 * size
    tensor.dtype_lanes = 1
    extents = ctypes.c_int64 * len(shape)
    tensor.shape = extents(*shape)
    if strides is not None:
        if any(stride % size for stride in strides):
            raise Misfit(f"{name} has strides of {strides} bytes, expected multiples of {size}")
        tensor.strides = extents(*(stride // size for stride in strides))
    return (tensor, owner), ctypes.addressof(tensor)
