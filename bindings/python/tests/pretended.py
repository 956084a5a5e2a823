# SPDX-License-Identifier: MIT
"""PyTorch and CuPy as they look to iqa, with "CUDA" arrays in the memory of the host.

Each records what it is asked for in `calls`; `current` is the address of the current stream.
"""

import contextlib
import types
import weakref

import numpy as np
from capsules import CUDA, VersionedArray

DTYPES = {"f4": (2, 32), "f8": (2, 64), "u1": (1, 8), "i8": (0, 64)}


def show(kind, memory, **more):
    """The memory as an array of the kind, which says that it is on a CUDA device."""
    return kind(memory, *DTYPES[memory.dtype.str[1:]], CUDA, **more)


class Stream(types.SimpleNamespace):
    """A stream, which ends when nobody has its object any more: weak references tell."""


class Library:
    """What both have in common."""

    def __init__(self, name, array):
        self.calls = []
        self.current = 0x70
        self.streams = []
        self.array = type(array, (VersionedArray,), {"__module__": name, "device": self.device(1)})
        self.module = types.ModuleType(name)
        setattr(self.module, array, self.array)
        self.array.detach = lambda shown: shown
        self.array.clone = self.array.copy = lambda shown: self.show(shown.memory.copy())
        self.module.cat = self.module.concatenate = self.joined

    def show(self, memory):
        """The memory as one of its arrays."""
        return show(self.array, memory)

    def new(self, dtype, shape):
        """A new array."""
        self.calls.append(("empty", dtype, shape))
        return self.show(np.full(shape, -7, dtype))

    def created(self, address, **parts):
        """A new stream's object."""
        stream = Stream(address=address, **parts)
        self.streams.append(weakref.ref(stream))
        return stream

    def joined(self, arrays):
        """The rows of all in a new array."""
        self.calls.append(("joined", len(arrays)))
        return self.show(np.concatenate([array.memory for array in arrays]))

    def waited(self):
        """Pairs of streams: which one was made to wait for which."""
        return [call[1:] for call in self.calls if call[0] == "wait"]


class Torch(Library):
    """The calls of PyTorch that iqa makes. Device 1 is not the current one."""

    def __init__(self):
        super().__init__("torch", "Tensor")
        self.module.cuda = types.SimpleNamespace(
            current_device=lambda: 0,
            device=self.guard,
            current_stream=lambda device: self.stream(self.current),
            default_stream=lambda device: self.stream(0),
            ExternalStream=lambda address, device: self.stream(address),
        )
        for dtype in ("float32", "float64", "int64"):
            setattr(self.module, dtype, dtype)
        self.module.empty = lambda shape, dtype, device: self.new(dtype, shape)
        self.array.is_quantized = self.array.requires_grad = False
        self.array.is_conj = self.array.is_neg = lambda _: False

    def device(self, index):
        return types.SimpleNamespace(type="cuda", index=index)

    def stream(self, address):
        return self.created(
            address,
            cuda_stream=address,
            wait_stream=lambda other: self.calls.append(("wait", address, other.cuda_stream)),
        )

    @contextlib.contextmanager
    def guard(self, device):
        self.calls.append(("device", device.index))
        yield


class CuPy(Library):
    """The calls of CuPy that iqa makes."""

    def __init__(self):
        super().__init__("cupy", "ndarray")
        self.module.cuda = types.SimpleNamespace(
            get_current_stream=lambda: self.stream(self.current),
            Stream=types.SimpleNamespace(null=self.stream(0)),
            ExternalStream=self.stream,
        )
        self.module.empty = lambda shape, dtype: self.new(dtype, shape)

    def device(self, index):
        return contextlib.nullcontext(index)

    def stream(self, address):
        return self.created(
            address,
            ptr=address,
            record=lambda: address,
            wait_event=lambda other: self.calls.append(("wait", address, other)),
        )
