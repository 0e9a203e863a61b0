"""One table, three writers; and a terminal of any encoding."""

import io
import json
import os
import subprocess
import sys

import pytest
from rich.console import Console
from test_report import EVIL, Page

from semrec.evaluate.table import Column, Table, as_html, as_markdown, for_terminal
from semrec.metrics.significance import Estimate

COLUMNS = (
    Column("system", "{0[name]}"),
    Column("ratio, measured", "{0[ratio].mean:.2f} ×", optional=True),
    Column("wide", "{0[n]:,}", wide=True),
)
ROWS = [
    {"name": "mine", "ratio": Estimate(mean=1.234, low=1, high=2), "n": 1234},
    {"name": EVIL, "n": 0},
]
TABLE = Table(columns=COLUMNS, rows=ROWS, title="A title", notes=["a <note>"])


def printed(table, width=80):
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False)
    for part in for_terminal(table):
        console.print(part)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_a_terminal_has_what_fits():
    lines = printed(TABLE)
    assert lines[0] == "A title"
    assert lines[-1] == "a <note>"
    assert any(line.startswith("mine") and line.endswith("1.23 ×") for line in lines)
    assert not any("1,234" in line for line in lines)
    assert all(len(line) <= 40 for line in printed(TABLE, width=40))
    assert EVIL.replace(" ", "") in "".join(printed(TABLE)).replace(" ", "")  # no markup is read


def test_markdown_has_all_columns_and_no_cell_ends_another():
    header, rule, first, second, _, note = as_markdown(TABLE).splitlines()
    assert header == "| system | ratio, measured | wide |"
    assert rule == "|---|---|---|"
    assert first == "| mine | 1.23 × | 1,234 |"
    assert second.replace("\\|", "").count("|") == 4
    assert note == "a &lt;note>"


def test_html_is_well_formed_and_text_stays_text():
    page = Page(as_html(TABLE, {"mine": "candidate-name"}))
    assert (page.wrong, page.open) == ([], [])
    assert "script" not in page.tags
    assert ("class", "candidate-name") in page.attributes
    assert "1,234" in page.text


def test_what_is_missing_is_an_error_unless_it_may_be():
    with pytest.raises(KeyError):
        as_markdown(Table(columns=COLUMNS[2:], rows=[{"name": "mine"}]))


def test_a_table_of_many_numbers_keeps_its_labels():
    """The columns of `bench scale`: 82 characters with two spaces between."""
    widths = (9, 7, 6, 4, 6, 6, 5, 7, 5, 8)
    numbers = [Column(str(n), f"{{0[{n}]:>{width}}}") for n, width in enumerate(widths, 1)]
    table = Table(columns=(Column("index", "{0[0]}"), *numbers), rows=[("hnsw", *range(10))])
    heading, line = printed(table)
    assert heading.startswith("index")
    assert line.startswith("hnsw")
    assert line.split() == ["hnsw", *map(str, range(10))]
    assert len(line) <= 80


def test_no_heading_where_no_column_has_a_name():
    table = Table(columns=(Column("", "{0[0]}"), Column("", "{0[1]}")), rows=[("a", "b")])
    assert printed(table) == ["a  b"]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_terminal_of_any_encoding_is_written_to(encoding):
    code = """
from semrec.cli.options import print_json
from semrec.cli.terminal import Screen, survive_any_encoding
survive_any_encoding()
Screen().line("“Amélie” – 2 × better… − 1 → 東")
Screen().error("“Amélie” 東")
print_json({"title": "Amélie 東"})
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=True,
    )
    line, *rest = done.stdout.decode(encoding).splitlines()
    nearest = {
        "ascii": '"Amelie" - 2 x better... - 1 > ?',
        "cp1252": "“Amélie” – 2 × better… - 1 > ?",
        "utf-8": "“Amélie” – 2 × better… − 1 → 東",
    }
    assert line == nearest[encoding]
    assert json.loads("".join(rest)) == {"title": "Amélie 東"}  # JSON loses nothing
    assert b"error:" in done.stderr
    assert b"Traceback" not in done.stderr
