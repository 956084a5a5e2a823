# SPDX-License-Identifier: MIT
"""Pictures in files, as Pillow reads them, where it reads all of what they hold."""

from __future__ import annotations

from ._errors import CorruptError, Error, InvalidArgumentError, UnavailableError
from ._objects import check_bits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def opened(path: str | bytes, name: str) -> Any:
    """The picture in a file as an image of Pillow.

    Args:
        path: of the file; one that cannot be opened is an OSError, as for open().
        name: what to call it in an error.
    """
    try:
        from PIL import Image  # noqa: PLC0415 importing iqa does not import it
    except ImportError:
        raise UnavailableError(
            f"{name} is the path {path!r}, and pictures in files are read by Pillow, which is not"
            " installed: expected an array, or Pillow"
        ) from None
    with open(path, "rb") as file:
        try:
            image = Image.open(file)
            _check(image, path, name)
            image.load()
        except Error:
            raise
        except Exception as problem:  # Pillow's are many
            raise CorruptError(f"{name} is {path!r}, which Pillow refuses: {problem}") from None
    return image


def _check(image: Any, path: str | bytes, name: str) -> None:
    """Refuses what Pillow would leave a part of."""
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # whose other frames are previews
        raise InvalidArgumentError(
            f"{name} is {path!r}, which has {frames} pictures: expected a file with one"
        )
    check_bits(image, name)
