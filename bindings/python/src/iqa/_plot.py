# SPDX-License-Identifier: MIT
"""Pictures of results, drawn by matplotlib, which is imported when one is asked for."""

from __future__ import annotations

from ._errors import InvalidArgumentError, ShapeError, UnavailableError
from ._report import class_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._confusion import ConfusionMatrix

_MOST_CLASSES_WITH_NUMBERS = 20


def _axes(ax: Any) -> Any:
    """The caller's axes, or new ones."""
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot  # noqa: PLC0415 importing iqa does not import it
    except ImportError:
        raise UnavailableError("plots are drawn by matplotlib, which is not installed") from None
    return pyplot.subplots()[1]


def plot_confusion(
    matrix: ConfusionMatrix, ax: Any, names: Any, normalized: str | None, colors: Any
) -> Any:
    """See ConfusionMatrix.plot()."""
    counts = matrix.matrix if normalized is None else matrix.normalized(normalized)
    rows = counts.tolist()
    if counts.ndim != 2:
        raise ShapeError("a multilabel metric has a matrix for each class, expected one matrix")
    names = class_names(names, len(rows))
    ax = _axes(ax)
    image = ax.imshow(rows, cmap=colors, vmin=0, vmax=None if normalized is None else 1)
    ax.figure.colorbar(image, ax=ax)
    places = range(len(rows))
    ax.set_xticks(places, names, rotation=45, ha="right", rotation_mode="anchor")
    ax.set_yticks(places, names)
    ax.set_xlabel("candidate")
    ax.set_ylabel("reference")
    if len(rows) <= _MOST_CLASSES_WITH_NUMBERS:
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                red, green, blue, _ = image.cmap(image.norm(value))
                is_dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5
                text = f"{value:.2f}" if isinstance(value, float) else str(value)
                ax.text(j, i, text, ha="center", va="center", color="w" if is_dark else "k")
    return ax


def plot_map(
    map: Any, ax: Any = None, *, low: float | None = None, high: float = 1.0, colors: Any = "magma"
) -> Any:
    """Draws the map of SSIM: dark where two images differ.

    Args:
        map: of one image, [H, W], [H, W, C] or [C, H, W]; channels are averaged. Those of the map
            of a CUDA tensor are copied.
        ax: matplotlib axes to draw on; None for new ones.
        low: the value of the darkest colour; None for the map's least.
        high: that of the brightest.
        colors: a colour map of matplotlib.

    Returns:
        The axes.

    Example:
        >>> iqa.plot_map(iqa.ssim(photo, decoded, map=True).map)
    """
    import numpy as np  # noqa: PLC0415 importing iqa does not import it

    values = np.asarray(map.cpu() if hasattr(map, "cpu") else map)
    if values.ndim == 3:
        values = values.mean(axis=0 if values.shape[0] < values.shape[2] else 2)
    if values.ndim != 2:
        raise ShapeError(f"map has shape {values.shape}, expected that of one image")
    ax = _axes(ax)
    image = ax.imshow(values, cmap=colors, vmin=low, vmax=high)
    ax.figure.colorbar(image, ax=ax, label="SSIM")
    ax.set_axis_off()
    return ax


def plot_values(
    values: Any,
    ax: Any = None,
    *,
    label: str | None = None,
) -> Any:
    """Draws values: bars for names, lines for sequences.

    Args:
        values: numbers by name, as a collection computes them, are bars; a sequence of numbers,
            such as one for each epoch or image, is a line; a sequence of numbers by name is a line
            for each name.
        ax: matplotlib axes to draw on; None for new ones.
        label: of the axis of values.

    Returns:
        The axes.
    """
    ax = _axes(ax)
    if hasattr(values, "keys"):
        ax.bar(list(values), list(values.values()))
    else:
        steps = list(values.tolist() if hasattr(values, "tolist") else values)
        if not steps:
            raise InvalidArgumentError("values is empty, expected at least one number")
        if hasattr(steps[0], "keys"):
            for name in steps[0]:
                ax.plot([step[name] for step in steps], marker=".", label=name)
            ax.legend()
        else:
            ax.plot(steps, marker=".")
    if label is not None:
        ax.set_ylabel(label)
    return ax
