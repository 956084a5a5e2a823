# SPDX-License-Identifier: MIT
"""What tells one metric from another: its functions and its options."""

from __future__ import annotations

import ctypes
import struct

from . import _abi
from ._errors import Error, InvalidArgumentError, ShapeError, error
from ._library import library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
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
    """

    def __init__(
        self,
        name: str,
        number: int,
        structure: Any,
        setters: Mapping[str, Setter],
        in_state: tuple[tuple[str, tuple[str, ...]], ...],
    ) -> None:
        self.create = getattr(library, f"iqa_{name}_create")
        self._init = getattr(library, f"iqa_{name}_options_init")
        self._number = number
        self._structure = structure
        self._setters = setters
        self._layout = struct.Struct(
            "<" + "".join(letter * len(names) for letter, names in in_state)
        )
        self._names = [name for _, names in in_state for name in names]

    def options(self, data_range: Any, layout: str | None, rest: Mapping[str, Any]) -> Any:
        """The structure: the library's defaults, and over them each value that is not None."""
        options = self._structure()
        status = self._init(ctypes.byref(options), ctypes.sizeof(options))
        if status:
            raise error(status, library.iqa_context_error(None).decode(errors="replace"))
        for name, value in {"data_range": data_range, "layout": layout, **rest}.items():
            if name not in self._setters:
                words = ", ".join(self._setters)
                raise TypeError(f"there is no option {name!r}; the options are {words}")
            if value is not None:
                self._setters[name](options, name, value)
        return options

    def wrote(self, state: bytes) -> bool:
        """Whether checked state bytes are of this kind."""
        return bool(_STATE_HEADER.unpack_from(state)[2] == self._number)

    def options_in(self, state: bytes) -> Any:
        """The options in checked state bytes."""
        options = self._structure()
        values = self._layout.unpack_from(state, _STATE_HEADER.size)
        for name, value in zip(self._names, values):
            setattr(options, name, value)
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
            expected = " or ".join(words) or "2 to 4 axes"
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
