# SPDX-License-Identifier: MIT
"""What tells one metric from another: its functions and its options."""

from __future__ import annotations

import ctypes
import struct

from . import _abi
from ._errors import Error, InvalidArgumentError, ShapeError, error
from ._library import library, ssim_presets
from ._names import unknown
from ._options import choose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ._options import Setter

_STATE_HEADER = struct.Struct("<4sHHII")  # magic, format version, kind, bytes of options, lanes


class Kind:
    """A metric of the library.

    Args:
        name: as in the names of its functions.
        number: as in the state bytes.
        structure: of its options.
        setters: how a keyword argument gets into the structure.
        in_state: the options in the order of the state bytes, by struct's letter.
        prepare: gives the keyword arguments that stand for those given.
    """

    def __init__(
        self,
        name: str,
        number: int,
        structure: Any,
        setters: Mapping[str, Setter],
        in_state: tuple[tuple[str, tuple[str, ...]], ...],
        prepare: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
    ) -> None:
        self.create = getattr(library, f"iqa_{name}_create")
        self._init = getattr(library, f"iqa_{name}_options_init")
        self._number = number
        self._structure = structure
        self._setters = setters
        self._prepare = prepare
        self._in_state = [(letter, name) for letter, names in in_state for name in names]

    def options(self, data_range: Any, layout: str | None, rest: Mapping[str, Any]) -> Any:
        """The structure: a preset or the defaults, and over it each value that is not None."""
        options = self._structure()
        size = ctypes.sizeof(options)
        preset = rest.get("preset")
        if preset is None or "preset" not in self._setters:
            status = self._init(ctypes.byref(options), size)
        else:
            number = choose("preset", preset, ssim_presets)
            status = library.iqa_ssim_options_preset(ctypes.byref(options), size, number)
        if status:
            raise error(status, library.iqa_context_error(None).decode(errors="replace"))
        for name, value in {
            "layout": layout,
            "data_range": data_range,
            **self._prepare(rest),
        }.items():
            if name not in self._setters:
                raise unknown(name, self._setters)
            if value is not None:
                self._setters[name](options, name, value)
        return options

    def wrote(self, state: bytes) -> bool:
        """Whether checked state bytes are of this kind."""
        return bool(_STATE_HEADER.unpack_from(state)[2] == self._number)

    def options_in(self, state: bytes) -> Any:
        """The options in checked state bytes."""
        options = self._structure(ctypes.sizeof(self._structure))
        position = _STATE_HEADER.size
        for letter, name in self._in_state:
            size = getattr(self._structure, name).size
            form = f"<{size // struct.calcsize(letter)}{letter}"
            values = struct.unpack_from(form, state, position)
            setattr(options, name, values if len(values) > 1 else values[0])
            position += size
        return options

    def explain(self, problem: Error, reference: int, options: Any) -> Error:
        """The problem in Python's words, where the library's words are about C's options."""
        tensor = _abi.Tensor.from_address(reference)
        if (
            isinstance(problem, ShapeError)
            and options.layout == _abi.LAYOUTS["HW"]
            and tensor.ndim > 2
        ):
            words = [f"layout={word!r}" for word in _abi.LAYOUTS if len(word) == tensor.ndim]
            shape = tuple(tensor.shape[: tensor.ndim])
            expected = " or ".join(words) or "2 to 5 axes"
            return ShapeError(
                f"reference has shape {shape} but the layout is HW, and what the axes are is never"
                f" guessed: expected {expected}"
            )
        if (
            isinstance(problem, InvalidArgumentError)
            and options.data_low > options.data_high
            and tensor.dtype_code in (_abi.FLOAT, _abi.BFLOAT)
        ):
            return InvalidArgumentError(
                "data_range is not stated, and that of floating-point images cannot be known:"
                " expected a number such as data_range=1.0, or a pair (low, high)"
            )
        return problem
