# SPDX-License-Identifier: MIT
"""What tells one metric from another: its functions and its options."""

from __future__ import annotations

import ctypes
import struct

from . import _abi
from ._errors import Error, InvalidArgumentError, ShapeError
from ._library import library
from ._options import choose, fill
from ._tables import table, unpack, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

STATE_HEADER = struct.Struct("<4sHHII")  # magic, format version, kind, bytes of options, lanes


class Kind:
    """A metric of the library.

    Args:
        name: as in the names of its functions, and of its options.
        number: as in the state bytes.
        prepare: gives the keyword arguments that stand for those given.
    """

    def __init__(
        self,
        name: str,
        number: int,
        prepare: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
    ) -> None:
        self.create = getattr(library, f"iqa_{name}_create")
        self.table = table(name)
        self._number = number
        self._prepare = prepare

    def options(self, data_range: Any, layout: str | None, rest: Mapping[str, Any]) -> Any:
        """The structure: a preset or the defaults, and over it each value that is not None."""
        preset = rest.get("preset")
        if preset is not None and "preset" in self.table.options:
            preset = choose("preset", preset, self.table.options["preset"].words)
        else:
            preset = None
        given = {"layout": layout, "data_range": data_range, **self._prepare(rest)}
        known = self.table.keywords
        stated = {n: value for n, value in given.items() if value is not None or n not in known}
        return fill(self.table, self.table.standard(preset), stated)

    def wrote(self, state: bytes) -> bool:
        """Whether checked state bytes are of this kind."""
        return bool(STATE_HEADER.unpack_from(state)[2] == self._number)

    def options_in(self, state: bytes) -> Any:
        """The options in checked state bytes."""
        options = self.table.structure(ctypes.sizeof(self.table.structure))
        first, count = STATE_HEADER.size, STATE_HEADER.unpack_from(state)[3]
        # Fields that came later are 0 where the bytes end before them.
        written = state[first : first + count].ljust(ctypes.sizeof(options), b"\0")
        for name, value in unpack(self.table.in_state, written, 0)[0].items():
            setattr(options, name, value)
        return options

    def explain(self, problem: Error, reference: int, options: Any) -> Error:
        """The problem in Python's words, where the library's words are about C's options."""
        tensor = _abi.Tensor.from_address(reference)
        layouts = words("ssim", "layout")
        if isinstance(problem, ShapeError) and options.layout == layouts["HW"] and tensor.ndim > 2:
            fitting = [f"layout={word!r}" for word in layouts if len(word) == tensor.ndim]
            shape = tuple(tensor.shape[: tensor.ndim])
            expected = " or ".join(fitting) or "2 to 5 axes"
            return ShapeError(
                f"reference has shape {shape} but the layout is HW, and what the axes are is never"
                f" guessed: expected {expected}"
            )
        if (
            isinstance(problem, InvalidArgumentError)
            and "images cannot be known" in str(problem)
            and options.data_low > options.data_high
            and tensor.dtype_code in (_abi.FLOAT, _abi.BFLOAT)
        ):
            return InvalidArgumentError(
                "data_range is not stated, and that of floating-point images cannot be known:"
                " expected a number such as data_range=1.0, or a pair (low, high)"
            )
        return problem
