# SPDX-License-Identifier: MIT
"""Borrows other libraries' arrays: DLPack, __array_interface__, __cuda_array_interface__, the buffer protocol.

No array library is imported and nothing is copied. borrow() returns the address of an iqa_tensor and the object that
keeps it alive; the caller holds that object during the call.
"""

from __future__ import annotations

import ctypes

from . import _abi
from ._errors import DtypeError, InvalidArgumentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_VERSION = (1, 0)  # of DLPack: the newest whose structures this file knows
_READ_ONLY = 1  # bit of DLManagedTensorVersioned.flags


class _ManagedTensorVersioned(ctypes.Structure):
    """The part of DLPack's DLManagedTensorVersioned before its end."""

    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("manager", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", _abi.Tensor),
    ]


_TENSOR_OFFSET = _ManagedTensorVersioned.tensor.offset

_pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_of.restype = ctypes.c_void_p
_pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]

_unversioned: set[type] = set()
"""Types whose __dlpack__ does not know max_version."""


def borrow(array: Any, name: str, stream: int | None = None, writable: bool = False) -> tuple[Any, int]:
    """What keeps the tensor alive, and its address.

    Args:
        array: any array.
        name: what to call it in an error.
        stream: the CUDA stream that will read it, if it is not the default one.
        writable: whether the library will write to it.
    """
    kind = type(array)
    if hasattr(kind, "__dlpack__"):
        try:
            return _from_dlpack(array, kind, name, stream, writable)
        except BufferError:  # such as NumPy's foreign byte order: an older protocol may say it better
            borrowed = _from_other_protocol(array, kind, name, writable)
            if borrowed is None:
                raise
            return borrowed
    borrowed = _from_other_protocol(array, kind, name, writable)
    if borrowed is None:
        raise TypeError(
            f"{name} is {kind.__module__}.{kind.__qualname__}, expected an array with __dlpack__,"
            " __array_interface__ or the buffer protocol"
        )
    return borrowed


def _from_dlpack(array: Any, kind: type, name: str, stream: int | None, writable: bool) -> tuple[Any, int]:
    arguments = {}
    if stream is not None and array.__dlpack_device__()[0] == _abi.CUDA:
        arguments["stream"] = stream
    if kind in _unversioned:
        capsule = array.__dlpack__(**arguments)
        return capsule, _pointer_of(capsule, b"dltensor")
    try:
        capsule = array.__dlpack__(max_version=_MAX_VERSION, **arguments)
    except TypeError:
        capsule = array.__dlpack__(**arguments)
        _unversioned.add(kind)
    try:
        pointer = _pointer_of(capsule, b"dltensor_versioned")
    except ValueError:
        return capsule, _pointer_of(capsule, b"dltensor")
    if writable and _ManagedTensorVersioned.from_address(pointer).flags & _READ_ONLY:
        raise _read_only(name)
    return capsule, pointer + _TENSOR_OFFSET


def _from_other_protocol(array: Any, kind: type, name: str, writable: bool) -> tuple[Any, int] | None:
    interface = getattr(array, "__array_interface__", None)
    if interface is not None:
        return _from_interface(array, interface, _abi.CPU, name, writable)
    interface = getattr(array, "__cuda_array_interface__", None)
    if interface is not None:
        return _from_interface(array, interface, _abi.CUDA, name, writable)
    try:
        view = _View(array, writable)
    except TypeError:  # no buffer protocol
        return None
    except BufferError:
        if not writable:
            raise
        raise _read_only(name) from None
    element = _element_of_format(view.format, name)
    return _tensor(view.address, _abi.CPU, element, view.itemsize, view.shape, view.strides, name, view)


def _from_interface(
    array: Any, interface: dict[str, Any], device: int, name: str, writable: bool
) -> tuple[Any, int]:
    data = interface.get("data")
    owner = array
    if isinstance(data, tuple):
        address, read_only = data
    else:  # another object holds the bytes, as in Pillow's images
        owner = _View(array if data is None else data, False)
        address, read_only = owner.address + interface.get("offset", 0), True
    if writable and read_only:
        raise _read_only(name)
    order, letter, size = interface["typestr"][0], interface["typestr"][1], int(interface["typestr"][2:])
    if letter == "V" and getattr(getattr(array, "dtype", None), "name", "") == "bfloat16":
        letter = "bfloat16"
    element = (_CODES.get(letter), 8 * size)
    if element[0] is None:
        raise DtypeError(f"{name} has element type {interface['typestr']!r}, expected numbers")
    _check_byte_order(order if size > 1 else "|", name)
    shape = interface["shape"]
    return _tensor(address, device, element, size, shape, interface.get("strides"), name, (owner, interface))


_CODES = {"i": 0, "u": 1, "f": 2, "bfloat16": 4, "c": 5, "b": 6}
"""Letters of __array_interface__ to DLPack's codes."""

_FORMATS = {
    **{letter: (0, 8 * ctypes.sizeof(kind)) for letter, kind in zip("bhilq", (
        ctypes.c_byte, ctypes.c_short, ctypes.c_int, ctypes.c_long, ctypes.c_longlong))},
    **{letter: (1, 8 * ctypes.sizeof(kind)) for letter, kind in zip("BHILQ", (
        ctypes.c_ubyte, ctypes.c_ushort, ctypes.c_uint, ctypes.c_ulong, ctypes.c_ulonglong))},
    "e": (2, 16),
    "f": (2, 32),
    "d": (2, 64),
    "?": (6, 8),
}  # fmt: skip
"""Formats of the buffer protocol to DLPack's code and bits."""


def _element_of_format(form: str, name: str) -> tuple[int, int]:
    letter = form[-1]
    if len(form) > 2 or letter not in _FORMATS:
        raise DtypeError(f"{name} has buffer format {form!r}, expected one number")
    if len(form) == 2:
        _check_byte_order(form[0], name)
    code, bits = _FORMATS[letter]
    if letter in "lL" and form[0] in "=<":  # the standard size, not the machine's
        bits = 32
    return code, bits


def _check_byte_order(order: str, name: str) -> None:
    if order in ">!":
        raise DtypeError(f"{name} has big-endian elements, expected the byte order of this machine")


def _read_only(name: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"{name} is read-only, expected memory that can be written")


def _tensor(
    address: int,
    device: int,
    element: tuple[int, int],
    itemsize: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...] | None,
    name: str,
    owner: Any,
) -> tuple[Any, int]:
    """A tensor of our own; strides are in bytes."""
    ndim = len(shape)
    tensor = _abi.Tensor()
    tensor.data = address
    tensor.device_type = device
    tensor.ndim = ndim
    tensor.dtype_code, tensor.dtype_bits = element
    tensor.dtype_lanes = 1
    tensor.shape = (ctypes.c_int64 * ndim)(*shape)
    if strides is not None:
        if any(stride % itemsize for stride in strides):
            raise DtypeError(f"{name} has strides of {strides} bytes, expected multiples of {itemsize}")
        tensor.strides = (ctypes.c_int64 * ndim)(*(stride // itemsize for stride in strides))
    return (tensor, owner), ctypes.addressof(tensor)


class _Buffer(ctypes.Structure):
    """Py_buffer."""

    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
        ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
        ("suboffsets", ctypes.POINTER(ctypes.c_ssize_t)),
        ("internal", ctypes.c_void_p),
    ]


_get_buffer = ctypes.pythonapi.PyObject_GetBuffer
_get_buffer.restype = ctypes.c_int
_get_buffer.argtypes = [ctypes.py_object, ctypes.c_void_p, ctypes.c_int]
_release_buffer = ctypes.pythonapi.PyBuffer_Release
_release_buffer.restype = None
_release_buffer.argtypes = [ctypes.c_void_p]

_RECORDS_READ_ONLY = 0x1C  # PyBUF_RECORDS_RO: format, shape and strides
_WRITABLE = 0x01


class _View:
    """A held buffer. memoryview would do, but does not tell the address of read-only memory."""

    def __init__(self, source: Any, writable: bool) -> None:
        buffer = self._buffer = _Buffer()
        _get_buffer(source, ctypes.byref(buffer), _RECORDS_READ_ONLY | (_WRITABLE if writable else 0))
        self.address = buffer.buf or 0
        self.itemsize = buffer.itemsize
        self.format = (buffer.format or b"B").decode()
        self.shape = tuple(buffer.shape[: buffer.ndim]) if buffer.ndim else ()
        self.strides = tuple(buffer.strides[: buffer.ndim]) if buffer.ndim else ()

    def __del__(self, release: Any = _release_buffer, reference: Any = ctypes.byref) -> None:
        release(reference(self._buffer))  # does nothing when the buffer was refused
