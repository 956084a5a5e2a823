# SPDX-License-Identifier: MIT
"""Where and how to run."""

from __future__ import annotations

import ctypes
import threading

from . import _abi
from ._cuda import stream_address
from ._errors import ArgumentTypeError, CancelledError, InUseError, InvalidArgumentError, error
from ._library import library
from ._names import named
from ._options import converted, integer
from ._tables import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Context:
    """Threads, instruction set, CUDA stream and callbacks of the metrics that are made with it.

    A context, with its metrics, is used by one thread at a time: a call that finds it in use by
    another thread raises InUseError. To use many threads, give each its own context or metric
    and merge the metrics at the end. Nothing in a context changes a bit of any result.

    Args:
        threads: CPU threads of one call, or None for as many as the process may use.
        instruction_set: the highest to use: "baseline", "avx2", "avx512" or "best".
        cuda_stream: address of the cudaStream_t for CUDA tensors; None is the legacy default
            stream. It must exist for as long as the context and its metrics. Only metrics without
            a context follow the current stream of PyTorch or CuPy, which they then keep alive.
        progress: called as progress(done, total) from time to time during an update; "tqdm" or
            "rich" for a bar of that library, or a bar of your own: tqdm's, or rich's Progress. An
            exception that it raises, such as iqa.CancelledError or KeyboardInterrupt, cancels
            the update, which leaves the metric as it was, and comes out of the update.
        log: called as log(message) with what is worth telling and no error, such as fewer
            threads than asked for.
    """

    __slots__ = (
        "__weakref__",
        "_callbacks",
        "_finish",
        "_is_silent",
        "_lock",
        "_raised",
        "cuda_stream",
        "handle",
        "stream_object",
    )

    handle: ctypes.c_void_p
    stream_object: Any
    _destroy = library.iqa_context_destroy

    def __new__(cls, *_: Any, **__: Any) -> Context:
        """A context without a handle, which can be finalized where its arguments are refused."""
        context = super().__new__(cls)
        context.handle = ctypes.c_void_p()
        context.stream_object = None  # what ends the CUDA stream with itself
        return context

    @named
    def __init__(
        self,
        threads: int | None = None,
        instruction_set: str = "best",
        *,
        cuda_stream: int | None = None,
        progress: Callable[[int, int], object] | str | Any | None = None,
        log: Callable[[str], object] | None = None,
    ) -> None:
        self.cuda_stream = _stream(cuda_stream)
        self._lock = threading.Lock()
        self._raised: list[BaseException] = []
        options = _abi.ContextOptions()
        library.iqa_context_options_init(ctypes.byref(options), ctypes.sizeof(options))
        described = table("context").options
        options.threads = converted(described["threads"], "threads", threads)
        options.instruction_set = converted(
            described["instruction_set"], "instruction_set", instruction_set
        )
        options.cuda_stream = self.cuda_stream
        self._finish: Callable[[bool], None] | None = None
        self._is_silent = progress is None and log is None
        if progress is not None and not callable(progress):
            from ._progress import reporter  # noqa: PLC0415 few need it

            progress = reporter(progress)
            self._finish = progress.finish
        if progress is not None:
            options.progress = _progress_callback(progress, self._raised)
        if log is not None:
            options.log = _log_callback(log)
        self._callbacks = (options.progress, options.log)
        status = library.iqa_context_create(ctypes.byref(options), ctypes.byref(self.handle))
        if status:
            raise error(status, library.iqa_context_error(None).decode(errors="replace"))

    @property
    def threads(self) -> int:
        """How many CPU threads a large call uses."""
        return int(library.iqa_context_thread_count(self.handle))

    @property
    def instruction_set(self) -> str:
        """The instruction set in use: "baseline", "avx2" or "avx512"."""
        return str(library.iqa_context_instruction_set(self.handle).decode())

    def call(self, function: Any, *arguments: Any) -> None:
        """Calls a function of the library and raises what it reports. The metrics use it."""
        if not self._lock.acquire(False):
            raise _in_use()
        try:
            status = function(*arguments)
            if self._finish is not None:
                self._finish(status == 0)
            if status:
                self._fail(status)
        finally:
            self._lock.release()

    def try_update(self, metric: Any, reference: int, candidate: int) -> bool:
        """An update of borrowed arrays, the quick way; False where nothing has happened.

        That is so where the library refuses it, or a caller's function would be called twice.
        """
        if not self._is_silent:
            return False
        if not self._lock.acquire(False):
            raise _in_use()
        try:
            return bool(library.iqa_metric_update(metric, reference, candidate, None) == 0)
        finally:
            self._lock.release()

    def _fail(self, status: int) -> None:
        if self._raised and status == CancelledError.status:
            raise self._raised.pop()
        raise error(status, library.iqa_context_error(self.handle).decode(errors="replace"))

    def __del__(self) -> None:
        address, self.handle.value = self.handle.value, None
        self._destroy(address)

    def __repr__(self) -> str:
        return f"<iqa.Context, {self.threads} threads, {self.instruction_set}>"


def _in_use() -> InUseError:
    return InUseError(
        "the context is in use by another thread: give each thread its own iqa.Context or metric,"
        " and merge the metrics"
    )


def context_of(context: Context | None) -> Context:
    """The caller's context, or a new one."""
    if context is None:
        return Context()
    if not isinstance(context, Context):
        raise ArgumentTypeError(f"context is {context!r}, expected an iqa.Context, or None")
    return context


def _stream(stream: int | None) -> int | None:
    address = 0 if stream is None else integer("cuda_stream", stream, 128)
    if not 0 <= address < 2**64:
        raise InvalidArgumentError(f"cuda_stream is {address}, expected an address, or None")
    return stream_address(address)


def _log_callback(log: Callable[[str], object]) -> Any:
    from ._words import in_python  # noqa: PLC0415 few need its imports

    return _abi.LogFunction(lambda _, text: log(in_python(text.decode(errors="replace"))))


def _progress_callback(progress: Callable[[int, int], object], raised: list[BaseException]) -> Any:
    def report(_: object, done: int, total: int) -> int:
        try:
            progress(done, total)
        except BaseException as problem:  # Ctrl-C too has to come out of update
            raised[:] = [problem]
            return 1
        return 0

    return _abi.ProgressFunction(report)
