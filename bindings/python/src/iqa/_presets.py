# SPDX-License-Identifier: MIT
"""What each library says of one pair of images."""

from __future__ import annotations

from ._errors import ArgumentTypeError, Error
from ._names import named
from ._ssim import ssim
from ._tables import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SSIM_PRESETS = tuple(words("ssim", "preset"))
"""The names that `preset` takes; docs/guide/presets.md tells of each."""


class PresetValues(dict):  # type: ignore[type-arg]
    """Name of a preset to its value, or to the text of the error where it does not apply.

    Printed, it is a table.
    """

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        shown = {
            name: f"{value:.6f}" if isinstance(value, float) else value
            for name, value in self.items()
        }
        return "\n".join(f"{name:{width}}  {text}" for name, text in shown.items())


@named
def ssim_all(
    reference: Any,
    candidate: Any,
    data_range: float | tuple[float, float] | None = None,
    layout: str | None = None,
    **arguments: Any,
) -> PresetValues:
    """What each library would say of two images, or of two batches of images.

    Args:
        reference: as for ssim().
        candidate: as for ssim().
        data_range: as for ssim(). OpenCV's constants are those of 255 whatever the range.
        layout: as for ssim().
        **arguments: context, weights and options, which override those of every preset.

    Returns:
        A dictionary from each name of SSIM_PRESETS to its value, or to the text of the error where
        the preset does not apply, such as five scales of a small image. Printed, it is a table.

    Example:
        >>> iqa.ssim_all(photo, decoded, layout="HWC")
    """
    values = PresetValues()
    for preset in SSIM_PRESETS:
        peak = None if preset == "opencv" else data_range
        try:
            values[preset] = ssim(reference, candidate, peak, layout, preset=preset, **arguments)
        except ArgumentTypeError:  # of no preset
            raise
        except Error as problem:
            values[preset] = str(problem)
    return values
