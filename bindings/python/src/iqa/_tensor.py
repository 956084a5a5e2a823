# SPDX-License-Identifier: MIT
"""Borrows the arrays of other libraries.

No array library is imported and nothing is copied, except by _objects.py what memory does not say
and by _copies.py what the library does not take. The caller holds what keeps the tensor alive
for as long as its address is used; a DLPack capsule is borrowed too, never consumed.
"""

from __future__ import annotations

import ctypes

from . import _abi
from ._errors import DtypeError, InvalidArgumentError, Misfit
from ._interfaces import borrow_by_interface, read_only
from ._objects import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Borrowed = tuple[Any, int]

_NEWEST = (1, 0)  # version of DLPack whose structures this file knows
_READ_ONLY = 1  # bit of flags
_IMMUTABLE = ("jax", "jaxlib")  # whose arrays no one may write to, whatever their capsules say


class _ManagedTensorVersioned(ctypes.Structure):
    """DLPack's DLManagedTensorVersioned. The older DLManagedTensor begins with its tensor."""

    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("manager", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", _abi.Tensor),
    ]


_TENSOR_OFFSET = _ManagedTensorVersioned.tensor.offset


class _ExchangeTable(ctypes.Structure):
    """DLPack's DLPackExchangeAPI, up to the functions that are used here."""

    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("older", ctypes.c_void_p),
        ("allocate", ctypes.c_void_p),
        ("managed_tensor_of_object", ctypes.c_void_p),
        ("object_of_managed_tensor", ctypes.c_void_p),
        ("tensor_of_object", ctypes.c_void_p),
    ]


_Fill = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_void_p)
"""Of tensor_of_object, which raises what a Python function would."""

_pointer_in = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_in.restype = ctypes.c_void_p
_pointer_in.argtypes = [ctypes.py_object, ctypes.c_char_p]

_older: set[type] = set()
"""Types whose __dlpack__ does not know max_version."""

_ways: dict[type, Callable[[Any], Borrowed | None]] = {}
"""By type, once one was borrowed: borrow() of NumPy's and PyTorch's arrays, to be read only.

A way is for arrays on the CPU whose memory is all that they mean, and gives None for others.
"""


def borrow_quickly(reference: Any, candidate: Any) -> tuple[Borrowed, Borrowed] | None:
    """A pair of usual arrays, to be read only; None where borrow() has to be asked."""
    try:
        x, y = _ways[type(reference)](reference), _ways[type(candidate)](candidate)
    except KeyError:
        return None
    return None if x is None or y is None else (x, y)


def _of_numpy(array: Any) -> Borrowed | None:
    try:
        capsule = array.__dlpack__(max_version=_NEWEST)
    except BufferError:
        return None
    return capsule, _pointer_in(capsule, b"dltensor_versioned") + _TENSOR_OFFSET


def _by_exchange(kind: type) -> Callable[[Any], Borrowed | None]:
    """Of PyTorch's tensors: a function of DLPack's exchange table fills a structure.

    The tensor keeps what the structure points to. A PyTorch without that table has no quick way.
    """
    try:
        table = _pointer_in(kind.__dlpack_c_exchange_api__, b"dlpack_exchange_api")
    except (AttributeError, ValueError):
        return lambda _: None
    exchange = _ExchangeTable.from_address(table)
    if exchange.major != _NEWEST[0] or not exchange.tensor_of_object:
        return lambda _: None
    fill = _Fill(exchange.tensor_of_object)

    def borrow_tensor(array: Any) -> Borrowed | None:
        tensor = _abi.Tensor()
        address = ctypes.addressof(tensor)
        try:
            fill(array, address)
        except Exception:  # what it raises for a tensor that is no plain memory
            return None
        if tensor.device_type != _abi.CPU or array.is_neg():  # is_conj() is of complex numbers
            return None
        return tensor, address

    return borrow_tensor


_FINDERS: dict[tuple[str, str], Callable[[type], Callable[[Any], Borrowed | None]]] = {
    ("numpy", "ndarray"): lambda _: _of_numpy,
    ("torch", "Tensor"): _by_exchange,
}


def borrow(array: Any, name: str, stream: int | None = None, writable: bool = False) -> Borrowed:
    """What keeps the tensor alive, and the tensor's address.

    Args:
        array: an array of any library.
        name: what to call it in an error.
        stream: the number that DLPack has for the CUDA stream on which it will be used; None for
            an array on the CPU, or where the content does not matter.
        writable: whether it will be written to.
    """
    meant = resolve(array, name)
    if writable and meant is not array:
        raise InvalidArgumentError(
            f"{name} is more than the memory that it shows, expected a plain array to write into"
        )
    try:
        return _borrow(meant, name, stream, writable)
    except Misfit as problem:
        if writable:
            raise DtypeError(str(problem)) from None
        raise


def _borrow(array: Any, name: str, stream: int | None, writable: bool) -> Borrowed:
    kind = type(array)
    if writable and kind.__module__.partition(".")[0] in _IMMUTABLE:
        raise read_only(name)
    if kind.__module__ == "numpy" and not getattr(array.flags, "aligned", True):
        raise Misfit(f"{name} is not aligned to its elements")
    has_dlpack = hasattr(kind, "__dlpack__")
    if has_dlpack:
        try:
            return _from_dlpack(array, kind, name, stream, writable)
        except (BufferError, RuntimeError, ValueError) as problem:
            # Another protocol may do, or say better what is wrong.
            if stream is not None:  # but none has the order of streams
                raise InvalidArgumentError(f"{name} cannot be borrowed: {problem}") from None
            refusal = problem
    borrowed = borrow_by_interface(array, name, writable)
    if borrowed is not None:
        return borrowed
    if has_dlpack:
        raise InvalidArgumentError(f"{name} cannot be borrowed: {refusal}")
    problem_kind = Misfit if hasattr(array, "__array__") or kind in (list, tuple) else DtypeError
    raise problem_kind(
        f"{name} is {kind.__module__}.{kind.__qualname__}, expected an array with __dlpack__,"
        " __array_interface__, __cuda_array_interface__, the buffer protocol or __array__"
    )


def _from_dlpack(array: Any, kind: type, name: str, stream: int | None, writable: bool) -> Borrowed:
    arguments = {} if stream is None else {"stream": stream}
    if kind in _older:
        capsule = array.__dlpack__(**arguments)
        return capsule, _pointer_in(capsule, b"dltensor")
    try:
        capsule = array.__dlpack__(max_version=_NEWEST, **arguments)
    except TypeError:
        capsule = array.__dlpack__(**arguments)
        _older.add(kind)
    try:
        pointer = _pointer_in(capsule, b"dltensor_versioned")
    except ValueError:  # the capsule has the other name
        return capsule, _pointer_in(capsule, b"dltensor")
    if writable and _ManagedTensorVersioned.from_address(pointer).flags & _READ_ONLY:
        raise read_only(name)
    if kind not in _ways and (find := _FINDERS.get((kind.__module__, kind.__name__))) is not None:
        _ways[kind] = find(kind)
    return capsule, pointer + _TENSOR_OFFSET
