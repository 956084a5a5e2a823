# SPDX-License-Identifier: MIT
"""Arrays on CUDA devices: the streams of the libraries that own them, and memory like theirs.

Work on a CUDA device is queued on a stream, and streams do not wait for each other. So what a
call reads has to be complete on the call's stream, and what it wrote, or what is freed after it,
has to wait for that stream: Loan sees to both. No array library is imported.

Streams are addresses of a cudaStream_t; None is the legacy default stream.
"""

from __future__ import annotations

import contextlib
import sys

from . import _abi
from ._errors import InvalidArgumentError, UnavailableError
from ._outputs import empty
from ._tensor import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Any

_LEGACY = 1  # the number of the legacy default stream in DLPack and in __cuda_array_interface__
_PER_THREAD = 2  # and of a thread's default stream; these two never end
_NOTHING_TO_WAIT_FOR = -1


def stream_address(stream: int | None) -> int | None:
    """None for each of the numbers that the legacy default stream has."""
    return None if stream in (0, _LEGACY) else stream


class Owner:
    """The library that owns an array on a CUDA device: here one that tells nothing of streams."""

    waits = False
    """Whether its stream is known, and can be made to wait for another."""

    def __init__(self, array: Any) -> None:
        self._array = array

    @property
    def stream_object(self) -> Any:
        """The present stream as the object that it ends with; None where there is none."""
        return None

    @property
    def stream(self) -> int | None:
        """The stream on which the library works at present."""
        return None

    def device(self) -> AbstractContextManager[object]:
        """Makes the array's device the library's current one."""
        return contextlib.nullcontext()

    def wait_for(self, stream: int | None) -> None:
        """Lets what the library does from now on begin when the stream has done its work."""
        raise NotImplementedError

    def empty(self, name: str, dtype: str, shape: tuple[int, ...]) -> Any:
        """A new array on the same device."""
        kind = type(self._array)
        raise InvalidArgumentError(
            f"{name} is True, expected an array on the images' device to write into, such as"
            f" PyTorch's or CuPy's: none can be made like {kind.__module__}.{kind.__qualname__}"
        )

    def kept(self, name: str) -> Any:
        """The array with its present content, whatever becomes of the memory that it has."""
        kind = type(self._array)
        raise UnavailableError(
            f"{name} cannot be kept for later: expected an array of PyTorch, CuPy or JAX, or all"
            f" rows in one call, not {kind.__module__}.{kind.__qualname__}"
        )

    def joined(self, arrays: list[Any]) -> Any:
        """One array with the rows of several."""
        raise NotImplementedError


class _Torch(Owner):
    waits = True

    def __init__(self, array: Any) -> None:
        super().__init__(array)
        self._torch = sys.modules["torch"]

    @property
    def stream_object(self) -> Any:
        return self._torch.cuda.current_stream(self._array.device)

    @property
    def stream(self) -> int | None:
        return stream_address(self.stream_object.cuda_stream)

    def device(self) -> AbstractContextManager[object]:
        device = self._array.device
        if device.index == self._torch.cuda.current_device():
            return contextlib.nullcontext()
        guard: AbstractContextManager[object] = self._torch.cuda.device(device)
        return guard

    def wait_for(self, stream: int | None) -> None:
        cuda, device = self._torch.cuda, self._array.device
        if stream is None:
            other = cuda.default_stream(device)
        else:
            other = cuda.ExternalStream(stream, device=device)
        cuda.current_stream(device).wait_stream(other)

    def empty(self, name: str, dtype: str, shape: tuple[int, ...]) -> Any:
        torch = self._torch
        return torch.empty(shape, dtype=getattr(torch, dtype), device=self._array.device)

    def kept(self, name: str) -> Any:
        return self._array.detach().clone()

    def joined(self, arrays: list[Any]) -> Any:
        return self._torch.cat(arrays)


class _CuPy(Owner):
    waits = True

    def __init__(self, array: Any) -> None:
        super().__init__(array)
        self._cupy = sys.modules["cupy"]

    @property
    def stream_object(self) -> Any:
        with self._array.device:
            return self._cupy.cuda.get_current_stream()

    @property
    def stream(self) -> int | None:
        return stream_address(self.stream_object.ptr)

    def device(self) -> AbstractContextManager[object]:
        device: AbstractContextManager[object] = self._array.device
        return device

    def wait_for(self, stream: int | None) -> None:
        cuda = self._cupy.cuda
        with self._array.device:
            other = cuda.Stream.null if stream is None else cuda.ExternalStream(stream)
            cuda.get_current_stream().wait_event(other.record())

    def empty(self, name: str, dtype: str, shape: tuple[int, ...]) -> Any:
        with self._array.device:
            return self._cupy.empty(shape, dtype)

    def kept(self, name: str) -> Any:
        with self._array.device:
            return self._array.copy()

    def joined(self, arrays: list[Any]) -> Any:
        with self._array.device:
            return self._cupy.concatenate(arrays)


class _Jax(Owner):
    """Its arrays never change."""

    def kept(self, name: str) -> Any:
        return self._array

    def joined(self, arrays: list[Any]) -> Any:
        return sys.modules["jax"].numpy.concatenate(arrays)


class _Interface(Owner):
    """An array with __cuda_array_interface__ alone, which may name the stream of its content."""

    @property
    def stream(self) -> int | None:
        number = self._array.__cuda_array_interface__.get("stream")
        if number == 0:
            raise InvalidArgumentError(
                "__cuda_array_interface__ has stream 0, expected None, 1 (the legacy default"
                " stream), 2 (the default stream of the thread) or an address"
            )
        return stream_address(number)

    def check(self, name: str, stream: int | None) -> None:
        """Whether what is queued on the stream comes after the array's content."""
        interface = self._array.__cuda_array_interface__
        if interface.get("stream") is not None and self.stream != stream:
            raise InvalidArgumentError(
                f"{name} is written on CUDA stream {interface['stream']}, but the context has"
                f" cuda_stream={stream}: expected the same stream, or an array with __dlpack__"
            )


_KNOWN = (("torch", "Tensor", _Torch), ("cupy", "ndarray", _CuPy), ("jax", "Array", _Jax))


def owner_of(array: Any) -> Owner | None:
    """The owner of an array on a CUDA device; None for one on the CPU, or for no array."""
    if type(array).__module__ == "numpy":  # the quick answer
        return None
    has_dlpack = hasattr(type(array), "__dlpack_device__")
    if has_dlpack:
        try:
            device = array.__dlpack_device__()[0]
        except (BufferError, RuntimeError, ValueError):  # as of PyTorch's meta tensors
            return None
        if device not in (_abi.CUDA, _abi.CUDA_MANAGED):
            return None
    elif not hasattr(array, "__cuda_array_interface__") or hasattr(array, "__array_interface__"):
        return None
    for module, name, kind in _KNOWN:
        if isinstance(array, getattr(sys.modules.get(module), name, ())):
            return kind(array)
    return Owner(array) if has_dlpack else _Interface(array)


class Loan:
    """The arrays of one call, in the order of the stream on which it works.

    Args:
        stream: of the call's context.
        owner: of the images, for new arrays; None on the CPU.
    """

    __slots__ = ("_behind", "_keep", "_owner", "_stream", "must_wait", "stream_may_end")

    def __init__(self, stream: int | None, owner: Owner | None) -> None:
        self._stream = stream
        self._owner = owner
        self._keep: list[Any] = []
        self._behind: list[Owner] = []
        self.must_wait = False
        """Whether the call has to be complete before the arrays' memory may be used again."""
        self.stream_may_end = isinstance(owner, _Interface) and stream not in (None, _PER_THREAD)
        """Whether the stream is known to exist for as long as the arrays only."""

    def borrow(self, array: Any, name: str, writable: bool = False) -> int:
        """The address of the array's tensor, which lives as long as the loan."""
        owner = None if self._owner is None else owner_of(array)
        if owner is None:
            keep, address = borrow(array, name, None, writable)
        else:
            keep, address = self._borrow(owner, array, name, writable)
        self._keep.append(keep)
        return address

    def _borrow(self, owner: Owner, array: Any, name: str, writable: bool) -> tuple[Any, int]:
        number = _LEGACY if self._stream is None else self._stream
        if isinstance(owner, _Interface):
            owner.check(name, self._stream)
        elif owner.waits and owner.stream == self._stream:
            number = _NOTHING_TO_WAIT_FOR
        elif owner.waits:
            self._behind.append(owner)
        self.must_wait = self.must_wait or not owner.waits
        with owner.device():
            return borrow(array, name, number, writable)

    def empty(self, name: str, dtype: str, shape: tuple[int, ...]) -> Any:
        """A new array where the images are."""
        if self._owner is None:
            return empty(dtype, shape)
        return self._owner.empty(name, dtype, shape)

    def queued(self) -> None:
        """Says that the call is queued: what the arrays' libraries do next comes after it."""
        for owner in self._behind:
            owner.wait_for(self._stream)
