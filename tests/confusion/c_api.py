# SPDX-License-Identifier: MIT
"""The confusion metrics of the C library for NumPy arrays, through ctypes and nothing else."""

from __future__ import annotations

import ctypes
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
HEADER = (ROOT / "include" / "iqa_c.h").read_text()


def _constants() -> dict[str, int]:
    """Every enumerator of the header, by name."""
    found = re.findall(r"\b(IQA_[A-Z0-9_]+) = (-?(?:0x[0-9a-f]+|\d+))", HEADER)
    return {name: int(value, 0) for name, value in found}


C = _constants()
_library = ctypes.CDLL(os.environ.get("IQA_LIBRARY", str(ROOT / "build" / "libiqa_c.so")))
_library.iqa_status_name.restype = ctypes.c_char_p
_library.iqa_context_error.restype = ctypes.c_char_p


class Tensor(ctypes.Structure):
    """iqa_tensor."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("dtype_code", ctypes.c_uint8),
        ("dtype_bits", ctypes.c_uint8),
        ("dtype_lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class ContextOptions(ctypes.Structure):
    """iqa_context_options, as far as it is needed."""

    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("threads", ctypes.c_int32),
        ("instruction_set", ctypes.c_int32),
        ("padding", ctypes.c_int32),
    ]


class Reading(ctypes.Structure):
    """iqa_confusion_reading."""

    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("average", ctypes.c_int32),
        ("over", ctypes.c_int32),
        ("empty", ctypes.c_int32),
        ("zero_division", ctypes.c_int32),
        ("generalized_weights", ctypes.c_int32),
        ("beta", ctypes.c_double),
        ("excluded", ctypes.POINTER(ctypes.c_uint8)),
        ("excluded_count", ctypes.c_int64),
    ]


class Options(ctypes.Structure):
    """iqa_confusion_options."""

    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("classes", ctypes.c_int32),
        ("task", ctypes.c_int32),
        ("reference", ctypes.c_int32),
        ("candidate", ctypes.c_int32),
        ("class_axis", ctypes.c_int32),
        ("batched", ctypes.c_int32),
        ("counts", ctypes.c_int32),
        ("out_of_range", ctypes.c_int32),
        ("ignore", ctypes.c_int32),
        ("ignore_label", ctypes.c_int64),
        ("threshold", ctypes.c_double),
        ("top_k", ctypes.c_int32),
        ("weighted", ctypes.c_int32),
        ("keep_samples", ctypes.c_int32),
        ("score", ctypes.c_int32),
        ("reading", ctypes.POINTER(Reading)),
    ]


class Extras(ctypes.Structure):
    """iqa_update_extras."""

    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("per_image", ctypes.POINTER(Tensor)),
        ("per_channel", ctypes.POINTER(Tensor)),
        ("map", ctypes.POINTER(Tensor)),
        ("weights", ctypes.POINTER(Tensor)),
        ("counts", ctypes.POINTER(Tensor)),
    ]


class Failure(Exception):
    """A status other than IQA_OK, with the library's text."""

    def __init__(self, status: str, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text


def tensor(array: np.ndarray) -> Tensor:
    """A view of the array's memory; it keeps the array alive."""
    codes = {"i": 0, "u": 1, "f": 2, "b": 6}
    shape = (ctypes.c_int64 * max(array.ndim, 1))(*array.shape)
    strides = (ctypes.c_int64 * max(array.ndim, 1))(*(s // array.itemsize for s in array.strides))
    view = Tensor(
        array.ctypes.data, 1, 0, array.ndim, codes[array.dtype.kind], 8 * array.itemsize, 1, shape, strides, 0
    )
    view.keep = array
    return view


def _optional(array: np.ndarray | None) -> Any:
    return None if array is None else ctypes.pointer(tensor(array))


def reading(preset: str | None = None, **fields: Any) -> Reading:
    """A reading from the defaults or a convention; `average="MACRO"` and the like by name."""
    own = Reading()
    if preset is None:
        _library.iqa_confusion_reading_init(ctypes.byref(own), ctypes.c_size_t(ctypes.sizeof(own)))
    else:
        _library.iqa_confusion_reading_preset(
            ctypes.byref(own), ctypes.c_size_t(ctypes.sizeof(own)), C["IQA_CONVENTION_" + preset]
        )
    families = {"average": "AVERAGE", "over": "OVER", "empty": "EMPTY", "zero_division": "ZERO_DIVISION"}
    families["generalized_weights"] = "WEIGHTS"
    excluded = fields.pop("excluded", None)
    for name, value in fields.items():
        setattr(own, name, C[f"IQA_{families[name]}_{value}"] if name in families else value)
    if excluded is not None:
        mask = (ctypes.c_uint8 * len(excluded))(*(int(bool(e)) for e in excluded))
        own.excluded = ctypes.cast(mask, ctypes.POINTER(ctypes.c_uint8))
        own.excluded_count = len(excluded)
        own.keep = mask
    return own


class Context:
    """iqa_context."""

    def __init__(self, threads: int = 1, instruction_set: int = 255) -> None:
        self.handle = ctypes.c_void_p()
        options = ContextOptions(16, threads, instruction_set, 0)
        options.struct_size = 12
        status = _library.iqa_context_create(ctypes.byref(options), ctypes.byref(self.handle))
        assert status == 0

    def check(self, status: int) -> None:
        """Raises unless the status is IQA_OK."""
        if status != 0:
            text = _library.iqa_context_error(self.handle).decode()
            raise Failure(_library.iqa_status_name(status).decode(), text)

    def __del__(self) -> None:
        _library.iqa_context_destroy(self.handle)


class Confusion:
    """A confusion metric. Options by name: `reference="ARGMAX"`, `out_of_range="DROP"` and the like."""

    def __init__(
        self,
        classes: int,
        context: Context | None = None,
        read: Reading | None = None,
        ignore: int | None = None,
        handle: ctypes.c_void_p | None = None,
        **fields: Any,
    ) -> None:
        self.context = context or Context()
        self.classes = classes
        self.shape = (classes, 2, 2) if fields.get("task") == "MULTILABEL" else (classes, classes)
        self.handle = handle or ctypes.c_void_p()
        if handle is not None:
            return
        options = Options()
        _library.iqa_confusion_options_init(ctypes.byref(options), ctypes.c_size_t(ctypes.sizeof(options)))
        options.classes = classes
        families = {"task": "TASK", "reference": "LABELS", "candidate": "LABELS", "counts": "COUNTS"}
        families |= {"out_of_range": "OUT_OF_RANGE", "score": "SCORE"}
        for name, value in fields.items():
            setattr(options, name, C[f"IQA_{families[name]}_{value}"] if name in families else value)
        if ignore is not None:
            options.ignore = 1
            options.ignore_label = ignore
        if read is not None:
            options.reading = ctypes.pointer(read)
        self.context.check(
            _library.iqa_confusion_create(self.context.handle, ctypes.byref(options), ctypes.byref(self.handle))
        )

    def update(
        self,
        reference: Any,
        candidate: Any,
        weights: np.ndarray | None = None,
        **outputs: np.ndarray,
    ) -> Confusion:
        """Adds labels; outputs are per_image, per_channel and counts."""
        arrays = [np.asarray(a) for a in (reference, candidate)]
        extras = Extras(ctypes.sizeof(Extras), None, None, None, _optional(weights), None)
        for name, array in outputs.items():
            setattr(extras, name, _optional(array))
        views = [tensor(a) for a in arrays]
        self.context.check(
            _library.iqa_metric_update(
                self.handle, ctypes.byref(views[0]), ctypes.byref(views[1]), ctypes.byref(extras)
            )
        )
        return self

    def _two_calls(self, call: Any, kind: Any) -> np.ndarray:
        count = ctypes.c_size_t()
        self.context.check(call(None, ctypes.c_size_t(0), ctypes.byref(count)))
        out = np.zeros(count.value, kind)
        self.context.check(call(out.ctypes.data_as(ctypes.c_void_p), count, ctypes.byref(count)))
        return out

    def score(self, name: str, how: Reading | None = None, **fields: Any) -> Any:
        """A number, or an array where the average is NONE."""
        own = how if how is not None else reading(**fields)
        out = self._two_calls(
            lambda buffer, capacity, count: _library.iqa_confusion_score(
                self.handle, C["IQA_SCORE_" + name], ctypes.byref(own), buffer, capacity, count
            ),
            np.float64,
        )
        return out if own.average == C["IQA_AVERAGE_NONE"] and C["IQA_SCORE_" + name] <= 6 else float(out[0])

    def field(self, name: str) -> np.ndarray:
        """A field of iqa_metric_read()."""
        return self._two_calls(
            lambda buffer, capacity, count: _library.iqa_metric_read(
                self.handle, C["IQA_FIELD_CONFUSION_" + name], buffer, capacity, count
            ),
            np.float64,
        )

    def matrix(self) -> np.ndarray:
        """The counts, C x C, or C x 2 x 2."""
        return self.field("MATRIX").reshape(self.shape)

    def compute(self) -> float:
        """The headline value."""
        value = ctypes.c_double()
        self.context.check(_library.iqa_metric_compute(self.handle, ctypes.byref(value)))
        return value.value

    def lanes(self) -> np.ndarray:
        """The state."""
        return self._two_calls(
            lambda buffer, capacity, count: _library.iqa_metric_lanes(self.handle, buffer, capacity, count),
            np.int64,
        )

    def add_lanes(self, lanes: np.ndarray) -> None:
        """Adds a state."""
        self.context.check(
            _library.iqa_metric_add_lanes(
                self.handle, lanes.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(lanes.size)
            )
        )

    def serialize(self) -> bytes:
        """The state as bytes."""
        return self._two_calls(
            lambda buffer, capacity, count: _library.iqa_metric_serialize(self.handle, buffer, capacity, count),
            np.uint8,
        ).tobytes()

    def merge(self, other: Confusion) -> None:
        """Adds the other's counts."""
        self.context.check(_library.iqa_metric_merge(self.handle, other.handle))

    def reset(self) -> None:
        """Forgets all."""
        self.context.check(_library.iqa_metric_reset(self.handle))

    def __del__(self) -> None:
        _library.iqa_metric_destroy(self.handle)


def deserialize(data: bytes, classes: int, context: Context | None = None) -> Confusion:
    """A metric from its bytes."""
    context = context or Context()
    handle = ctypes.c_void_p()
    context.check(
        _library.iqa_metric_deserialize(context.handle, data, ctypes.c_size_t(len(data)), ctypes.byref(handle))
    )
    return Confusion(classes, context, handle=handle)
