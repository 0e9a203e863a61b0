"""Text files: how they are packed and encoded, and JSON of any form as JSON lines."""

from __future__ import annotations

import ast
import codecs
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from semrec.data.columns import ITEM, known_as
from semrec.errors import DataError

BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
WESTERN = "western"  # UTF-8 where a line is, else cp1252
# `"5\" disk"`; but of `"C:\",` and `"C:\""` the cell ends in a backslash.
_ESCAPED_QUOTE = re.compile(rb'\\"(?=[^",;\t|\r\n])')
SAMPLE_BYTES, SAMPLE_ROWS, CHUNK_BYTES = 1 << 20, 1_000, 1 << 22
MAX_UNPACKED_BYTES = 1 << 38  # an archive that unpacks to more is refused


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text file: how it is packed and encoded, and whether quotes are escaped by backslashes."""

    local: Path
    packed: str | None
    encoding: str
    backslashes: bool = False
    notes: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """Its lines, with their ends."""
        with pa.input_stream(str(self.local), compression=self.packed) as stream:
            if self.encoding == WESTERN:
                yield from map(_western, io.BufferedReader(stream))
            else:
                yield from io.TextIOWrapper(stream, encoding=self.encoding, newline="")

    def sample(self) -> list[str]:
        """The first lines that aren't blank, without their ends."""
        size, lines = 0, list[str]()
        for line in self.lines():
            for part in line.splitlines() if "\r" in line else [line.rstrip("\n")]:
                lines += [part] if part.strip() else []
            size += len(line)
            if len(lines) >= SAMPLE_ROWS or size > SAMPLE_BYTES:
                break
        return lines[:SAMPLE_ROWS]


def open_text(local: Path, packed: str | None, given: str) -> Text:
    """Reads a file once to tell its encoding."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    utf8, backslashes, size = True, 0, 0
    with pa.input_stream(str(local), compression=packed) as stream:
        start = chunk = stream.read(CHUNK_BYTES)
        while chunk:
            size += len(chunk)
            backslashes += len(_ESCAPED_QUOTE.findall(chunk))
            if size > MAX_UNPACKED_BYTES:
                raise OSError(f"it unpacks to more than {MAX_UNPACKED_BYTES:,} bytes")
            try:
                utf8 = utf8 and decoder.decode(chunk) is not None
            except UnicodeDecodeError:
                utf8 = False
            chunk = stream.read(CHUNK_BYTES)
    nulls = start[:1000].count(0) > len(start[:1000]) // 4  # UTF-16 without a mark
    encoding, notes = "utf-8", tuple[str, ...]()
    if given:
        encoding = codecs.lookup(given).name
    elif marked := [name for mark, name in BOMS.items() if start.startswith(mark)]:
        encoding = marked[0]
    elif nulls:
        encoding = "utf-16-be" if start[:1] == b"\0" else "utf-16-le"
    elif not utf8:
        encoding = WESTERN
        notes = ("lines that aren't UTF-8 are read as cp1252; else say --encoding NAME",)
    return Text(
        local=local, packed=packed, encoding=encoding, backslashes=backslashes > 0, notes=notes
    )


def _western(line: bytes) -> str:
    """A line in UTF-8 if it is, else in cp1252, else in latin-1, which has all bytes."""
    for codec in ("utf-8", "cp1252"):
        try:
            return line.decode(codec)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")


Rewrite = Callable[[Iterator[str]], Iterator[str]]


def json_form(path: Path, sample: Sequence[str]) -> Rewrite | None:
    """A way to make lines JSON lines, if they aren't; None too for what isn't JSON."""
    if sample[0].lstrip().startswith("["):
        return lambda lines: _json_lines(_array(path, "".join(lines)))
    if not sample[0].lstrip().startswith("{"):
        return None
    for parse in (json.loads, _literal):
        records = [record for line in sample if isinstance(record := parsed(line, parse), dict)]
        if len(records) == 1 and (rows := _pandas_rows(records[0])):
            return lambda _lines: _json_lines(rows)
        if records and parse is json.loads and not _nested(records[0]):
            return None
        if records:
            return partial(_rewritten, parse)
    raise DataError(
        f"{path}: row 1: found {sample[0]!r:.60}, expected one JSON object a line, or a list"
    )


def _rewritten(parse: Callable[[str], Any], lines: Iterator[str]) -> Iterator[str]:
    return _json_lines(parsed(line, parse) for line in lines if line.strip())


def _json_lines(records: Iterable[Any]) -> Iterator[str]:
    """One line for each record; a user's list of items becomes one line for each of them."""
    for record in records:
        inner = _nested(record) if isinstance(record, dict) else None
        rows = [{**record, inner: None, **row} for row in record[inner]] if inner else [record]
        yield from (json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)


def _nested(record: Mapping[str, Any]) -> str | None:
    """The key of a list of objects with items' ids, in an object that has none itself."""
    if any(known_as(key) == ITEM for key in record):
        return None
    for key, value in record.items():
        rows = value if isinstance(value, list) and value else [None]
        if all(isinstance(row, dict) and any(known_as(k) == ITEM for k in row) for row in rows):
            return key
    return None


def _pandas_rows(record: Mapping[str, Any]) -> list[Any]:
    """The rows of a table that pandas wrote as one object, by columns or by index; else none."""
    columns, data = record.get("columns"), record.get("data")
    if isinstance(columns, list) and isinstance(data, list):  # orient="split"
        return [dict(zip(map(str, columns), row, strict=False)) for row in data]
    values = list(record.values())
    if not values or not all(isinstance(value, dict) for value in values):
        return []
    if any(map(known_as, record)):  # its default: column → index → value
        keys = dict.fromkeys(key for column in values for key in column)
        return [{name: column.get(key) for name, column in record.items()} for key in keys]
    return values if any(map(known_as, values[0])) else []


def _array(path: Path, text: str) -> list[Any]:
    try:
        return list(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not readable as a JSON list: {error}") from None


def _literal(text: str) -> Any:  # noqa: ANN401
    return ast.literal_eval(text.strip())


def parsed(line: str, parse: Callable[[str], Any] = json.loads) -> Any:  # noqa: ANN401
    """The value that a line stands for; None if there is none."""
    try:
        return parse(line)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
