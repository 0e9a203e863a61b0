"""A table, and three ways to write it: for a terminal, as Markdown, as HTML."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import rich.table
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from rich.console import RenderableType
from rich.text import Text

WIDTH = 80  # characters of a line in a terminal
MIN_HEADING = 12  # columns of a terminal: a heading isn't broken below it

# Titles, requests and names come from others: everything that is filled in is escaped.
PAGES = Environment(
    loader=PackageLoader("semrec.evaluate"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        name: Its heading.
        form: A format string that takes a row and writes its cell; with a format after a colon
            the column is of numbers and stands to the right.
        optional: A row without the value has an empty cell; else it is an error.
        wide: Left out where a line has 80 characters.
        style: In a terminal, as rich has it.
    """

    name: str
    form: str
    optional: bool = False
    wide: bool = False
    style: str = ""

    @property
    def is_text(self) -> bool:
        """True if it reads from the left."""
        return ":" not in self.form

    def cell(self, row: object) -> str:
        """The cell of a row."""
        try:
            return self.form.format(row)
        except (KeyError, TypeError, AttributeError):  # absent, or None
            if self.optional:
                return ""
            raise


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows by column, and what to say below them.

    Attributes:
        columns: The columns; without any name there is no heading.
        rows: Values that the columns' forms take: records, mappings or sequences.
        title: Stands above it.
        notes: Stand below it, a line each.
    """

    columns: Sequence[Column]
    rows: Sequence[object]
    title: str = ""
    notes: Sequence[str] = ()

    def cells(self, columns: Sequence[Column] | None = None) -> list[list[str]]:
        """The cells of each row, of all columns or of some."""
        return [[column.cell(row) for column in columns or self.columns] for row in self.rows]


def for_terminal(table: Table) -> Iterator[RenderableType]:
    """The table within 80 columns, then its notes."""
    columns = [column for column in table.columns if not column.wide]
    cells = table.cells(columns)
    longest = [
        max(map(len, texts)) for texts in zip([c.name for c in columns], *cells, strict=True)
    ]
    grid = rich.table.Table(
        box=None,
        pad_edge=False,
        collapse_padding=sum(longest) + 2 * (len(columns) - 1) > WIDTH,
        show_header=any(column.name for column in columns),
        title=Text(table.title) if table.title else None,
        title_justify="left",
    )
    for i, column in enumerate(columns):
        if column.is_text:
            least = min(MIN_HEADING, longest[i])
            grid.add_column(Text(column.name), overflow="fold", style=column.style, min_width=least)
            continue
        width = max([MIN_HEADING, *(len(row[i]) for row in cells)])
        heading = Text(textwrap.fill(column.name, width))
        grid.add_column(heading, justify="right", no_wrap=True, style=column.style)
    for row in cells:
        grid.add_row(*map(Text, row))
    if columns:
        yield grid
    for note in table.notes:
        yield Text(note, style="dim")


def as_markdown(table: Table) -> str:
    """The table with all columns, then its notes."""
    header = [column.name for column in table.columns]
    lines = [_line(header), f"|{'---|' * len(header)}", *map(_line, table.cells())]
    return "\n".join([*lines, *(f"\n{plain(note)}" for note in table.notes)])


def as_html(table: Table, kinds: Mapping[str, str] | None = None) -> Markup:
    """The table with all columns, then its notes.

    Args:
        table: What is shown.
        kinds: Text of a cell → the class that it is shown in.
    """
    page = PAGES.get_template("table.html.j2")
    return Markup(page.render(table=table, kinds=kinds or {}))


def plain(text: str) -> str:
    """Text that stays in its place in Markdown: no line break, no end of a cell, no tag."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(plain, cells))} |"
