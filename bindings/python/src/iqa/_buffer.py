# SPDX-License-Identifier: MIT
"""The buffer protocol. memoryview would do, but does not tell the address of read-only memory."""

from __future__ import annotations

import ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_RECORDS_READ_ONLY = 0x1C  # PyBUF_RECORDS_RO: format, shape and strides
_WRITABLE = 0x01


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


class View:
    """A held buffer: raises TypeError for what has none, BufferError for what it cannot give."""

    def __init__(self, source: Any, writable: bool) -> None:
        self._buffer = _Buffer()
        self._reference = ctypes.byref(self._buffer)
        flags = _RECORDS_READ_ONLY | (_WRITABLE if writable else 0)
        _get_buffer(source, self._reference, flags)
        self.address = self._buffer.buf or 0
        self.itemsize = self._buffer.itemsize
        self.format = (self._buffer.format or b"B").decode()
        self.shape = tuple(self._buffer.shape[: self._buffer.ndim])
        self.strides = tuple(self._buffer.strides[: self._buffer.ndim])

    def __del__(self, release: Any = _release_buffer) -> None:
        release(self._reference)  # does nothing where the buffer was refused
