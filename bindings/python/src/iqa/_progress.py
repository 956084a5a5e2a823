# SPDX-License-Identifier: MIT
"""Progress of calls on the bars of tqdm and rich."""

from __future__ import annotations

from functools import partial

from ._errors import InvalidArgumentError, UnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Show = Callable[[int, int], object]
    Open = Callable[[], tuple[Show, Callable[[], object]]]


class Reporter:
    """The function progress(done, total) that shows a bar during each call.

    Args:
        begin: gives a function that shows how much is done, and one that takes the bar away.
    """

    def __init__(self, begin: Open) -> None:
        self._begin = begin
        self._total = 0
        self._show: Show | None = None
        self._end: Callable[[], object] | None = None

    def __call__(self, done: int, total: int) -> None:
        """Shows how many pieces of a round of work are done."""
        if self._show is None:
            self._show, self._end = self._begin()
        self._total = total
        self._show(done, total)

    def finish(self, is_complete: bool) -> None:
        """The end of a call: the library reports before each piece, and not behind the last."""
        if self._show is not None and self._end is not None:
            if is_complete:
                self._show(self._total, self._total)
            self._end()
            self._show = None


def reporter(progress: Any) -> Reporter:
    """The function for what is none.

    Args:
        progress: "tqdm" or "rich", or a bar of tqdm or a Progress of rich of the caller's own,
            which stays.
    """
    if isinstance(progress, str) and progress in ("tqdm", "rich"):
        try:
            return Reporter(_new_tqdm() if progress == "tqdm" else _new_rich())
        except ImportError:
            raise UnavailableError(f"progress is {progress!r}, which is not installed") from None
    if hasattr(progress, "add_task") and hasattr(progress, "update"):
        return Reporter(lambda: (_on_rich(progress), lambda: None))
    if hasattr(progress, "reset") and hasattr(progress, "update"):
        return Reporter(lambda: (partial(_on_tqdm, progress), lambda: None))
    raise InvalidArgumentError(
        f"progress is {progress!r}, expected a function of (done, total), 'tqdm', 'rich', a bar of"
        " tqdm or a Progress of rich"
    )


def _new_tqdm() -> Open:
    from tqdm.auto import tqdm  # noqa: PLC0415 importing iqa does not import it

    def begin() -> Any:
        bar = tqdm(unit="piece", leave=False)
        return partial(_on_tqdm, bar), bar.close

    return begin


def _on_tqdm(bar: Any, done: int, total: int) -> None:
    if bar.total != total or done < bar.n:
        bar.reset(total)
    bar.update(done - bar.n)


def _new_rich() -> Open:
    from rich.progress import Progress  # noqa: PLC0415 importing iqa does not import it

    def begin() -> Any:
        progress = Progress(transient=True)
        progress.start()
        return _on_rich(progress), progress.stop

    return begin


def _on_rich(progress: Any) -> Show:
    task = progress.add_task("measuring", total=None)

    def show(done: int, total: int) -> None:
        progress.update(task, completed=done, total=total)

    return show
