# SPDX-License-Identifier: MIT
"""One exception class for each status of the library."""

from __future__ import annotations


class Error(Exception):
    """A call that the library refused. `status` is the number of iqa_c.h, the message its text."""

    status: int = -1


class InvalidArgumentError(Error, ValueError):
    """An option out of its domain, or a metric or context that is closed."""

    status = 1


class ShapeError(Error, ValueError):
    """Ranks or extents disagree, or an image is smaller than the window."""

    status = 2


class DtypeError(Error, TypeError):
    """An element type that the metric does not take."""

    status = 3


class Misfit(DtypeError):
    """Numbers that lie as the library cannot take them, though a copy could: never seen outside."""


class ArgumentTypeError(InvalidArgumentError, TypeError):
    """A keyword that there is not, or an argument that is no such thing as expected."""


class InUseError(Error, RuntimeError):
    """The context is in use by another thread."""


class DeviceError(Error, ValueError):
    """The arrays of one call live on different devices."""

    status = 4


class UnavailableError(Error, RuntimeError):
    """A device without a backend: no CUDA in this build, no driver, no such device."""

    status = 5


class NoDataError(Error, RuntimeError):
    """A result was asked for before the first update."""

    status = 6


class IncompatibleError(Error, ValueError):
    """Merged or restored from another metric, other options or a later format."""

    status = 7


class CorruptError(Error, ValueError):
    """Truncated or altered state bytes."""

    status = 8


class BufferSizeError(Error, ValueError):
    """An output buffer is too small."""

    status = 9


class NumericError(Error, ValueError):
    """Non-finite samples under nonfinite="error", or arithmetic that overflowed."""

    status = 10


class CancelledError(Error):
    """The progress callable asked to stop."""

    status = 11


class OutOfMemoryError(Error, MemoryError):
    """The library could not get memory."""

    status = 12


class CudaError(Error, RuntimeError):
    """A CUDA call failed."""

    status = 13


class InternalError(Error, RuntimeError):
    """A defect of the library."""

    status = 14


_CLASSES = {kind.status: kind for kind in Error.__subclasses__()}


def error(status: int, text: str) -> Error:
    """The exception for a status."""
    from ._words import in_python  # noqa: PLC0415 nothing but an error needs its imports

    kind, text = _CLASSES.get(status), in_python(text)
    if kind is not None:
        return kind(text)
    unknown = Error(text)
    unknown.status = status
    return unknown
