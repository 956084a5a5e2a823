# SPDX-License-Identifier: MIT
"""Scores as tables: for a terminal, a notebook, a page or a paper."""

from __future__ import annotations

from ._errors import Error, InvalidArgumentError, ShapeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, Union

    Cell = Union[str, int, float, None]

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}


class ScoreTable:
    """Numbers in rows and columns, each row with a name.

    Printed, and shown by a notebook, it is a table.

    Attributes:
        columns: the names of the columns; the first is that of the rows' names.
        rows: each a name, and a number, or None for a gap, for every other column.
        digits: behind the decimal point of numbers that are not whole.
    """

    __slots__ = ("columns", "digits", "rows")

    def __init__(
        self, columns: Sequence[str], rows: Iterable[Sequence[Cell]], digits: int = 4
    ) -> None:
        self.columns = tuple(columns)
        self.rows = [tuple(row) for row in rows]
        self.digits = digits

    def to_dict(self) -> dict[str, dict[str, Cell]]:
        """For each row by its name the numbers by their columns."""
        return {str(row[0]): dict(zip(self.columns[1:], row[1:])) for row in self.rows}

    def to_markdown(self) -> str:
        """A table of Markdown, as GitHub has it."""
        marks = [":--", *["--:"] * (len(self.columns) - 1)]
        lines = [
            [cell.replace("|", r"\|").replace("\n", " ") for cell in line] for line in self._lines()
        ]
        return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], marks, *lines[1:]])

    def to_latex(self) -> str:
        """A tabular of LaTeX with the rules of the package booktabs."""
        head, *body = (
            " & ".join("".join(_LATEX.get(sign, sign) for sign in cell) for cell in line) + r" \\"
            for line in self._lines()
        )
        form = "l" + "r" * (len(self.columns) - 1)
        begin, end = rf"\begin{{tabular}}{{{form}}}", r"\end{tabular}"
        return "\n".join([begin, r"\toprule", head, r"\midrule", *body, r"\bottomrule", end])

    def to_csv(self) -> str:
        """Lines of values with commas between; numbers with all their digits."""
        import csv  # noqa: PLC0415 few need it
        import io  # noqa: PLC0415

        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([self.columns, *self.rows])
        return text.getvalue()

    def _repr_html_(self) -> str:
        from html import escape  # noqa: PLC0415 few need it

        def line(tag: str, cells: Sequence[str]) -> str:
            first, *others = map(escape, cells)
            right = "".join(f'<{tag} style="text-align: right">{cell}</{tag}>' for cell in others)
            return f'<tr><th style="text-align: left">{first}</th>{right}</tr>'

        head, *body = self._lines()
        rows = "".join(line("td", cells) for cells in body)
        return f"<table><thead>{line('th', head)}</thead><tbody>{rows}</tbody></table>"

    def __repr__(self) -> str:
        lines = self._lines()
        widths = [max(map(len, column)) for column in zip(*lines)]
        return "\n".join(
            "  ".join(
                [f"{name:{widths[0]}}", *(f"{c:>{w}}" for c, w in zip(cells, widths[1:]))]
            ).rstrip()
            for name, *cells in lines
        )

    def _lines(self) -> list[list[str]]:
        return [list(self.columns), *([self._text(cell) for cell in row] for row in self.rows)]

    def _text(self, cell: Cell) -> str:
        if cell is None:
            return ""
        return f"{cell:.{self.digits}f}" if isinstance(cell, float) else str(cell)


class Reported:
    """What has a table: its forms, and the numbers of the table as a picture."""

    __slots__ = ()

    def table(self) -> ScoreTable:
        """The numbers as a table."""
        raise NotImplementedError

    def to_markdown(self, **how: Any) -> str:
        """The table() as Markdown; arguments are those of table()."""
        return self.table(**how).to_markdown()

    def to_latex(self, **how: Any) -> str:
        """The table() as a tabular of LaTeX, for booktabs; arguments are those of table()."""
        return self.table(**how).to_latex()

    def _repr_html_(self) -> str | None:
        try:
            return self.table()._repr_html_()
        except Error:  # nothing was added yet, or the metric is closed: what repr() says will do
            return None


def or_none(read: Callable[[], Any]) -> Any:
    """What is read, or None where there is no such value."""
    try:
        return read()
    except Error:
        return None


def class_names(names: Any, classes: int) -> list[str]:
    """Those of a caller, or numbers."""
    if names is None:
        return [str(number) for number in range(classes)]
    if isinstance(names, (str, bytes)) or not hasattr(names, "__len__"):
        raise InvalidArgumentError(f"names is {names!r}, expected {classes} names")
    if len(names) != classes:
        raise ShapeError(f"names has {len(names)} entries, expected {classes}, one for each class")
    return [str(name) for name in names]


def of_values(values: Mapping[str, Cell], digits: int) -> ScoreTable:
    """A table of one column."""
    return ScoreTable(("", "value"), values.items(), digits)
