# SPDX-License-Identifier: MIT
"""Hand-made DLPack producers: both kinds of capsule, any element type and device."""

import ctypes

from iqa._abi import Tensor
from iqa._tensor import _ManagedTensorVersioned

_new = ctypes.pythonapi.PyCapsule_New
_new.restype = ctypes.py_object
_new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]

CPU, CUDA = 1, 2


class Array:
    """Shows the memory of a NumPy array as an element type of its own choice."""

    def __init__(self, memory, code, bits, device=CPU, read_only=False, offset=0):
        self.memory = memory
        self.device_type = device
        self.read_only = read_only
        tensor = self.tensor = Tensor()
        tensor.data = memory.ctypes.data - offset
        tensor.byte_offset = offset
        tensor.device_type = device
        tensor.ndim = memory.ndim
        tensor.dtype_code, tensor.dtype_bits, tensor.dtype_lanes = code, bits, 1
        extents = ctypes.c_int64 * memory.ndim
        tensor.shape = extents(*memory.shape)
        tensor.strides = extents(*(stride // memory.itemsize for stride in memory.strides))

    def __dlpack_device__(self):
        return self.device_type, 0


class VersionedArray(Array):
    """Speaks DLPack 1.0."""

    asked = None

    def __dlpack__(self, *, stream=None, max_version=None):
        self.asked = {"stream": stream, "max_version": max_version}
        self.managed = _ManagedTensorVersioned(major=1, flags=int(self.read_only))
        self.managed.tensor = self.tensor
        return _new(ctypes.addressof(self.managed), b"dltensor_versioned", None)


class OlderArray(Array):
    """Speaks DLPack as it was before 1.0: no max_version, and the tensor comes first."""

    def __dlpack__(self, *, stream=None):
        return _new(ctypes.addressof(self.tensor), b"dltensor", None)


class UnversionedArray(Array):
    """Knows max_version but still gives the older capsule."""

    def __dlpack__(self, *, stream=None, max_version=None):
        return _new(ctypes.addressof(self.tensor), b"dltensor", None)
