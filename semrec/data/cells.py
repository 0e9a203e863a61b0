"""Columns of items, from what stands in their cells: lists, numbers, dates, text without markup.

All cells come as text; None is an empty one. Lists and objects come as JSON, or as Python writes
them. A cell that doesn't fit its column is left out and told.
"""

from __future__ import annotations

import ast
import html
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from semrec.data.columns import YEAR, known_as, plain
from semrec.data.kinds import words_of_all

Cells = Sequence[str | None]

NO_TEXT = frozenset(["", "\\N", "nan", "NaN", "null", "NULL", "<NA>", "NaT", "—"])
NO_NUMBER = NO_TEXT | {"None", "none", "NA", "N/A", "n/a", "#N/A", "-", "?", "unknown"}
NO_LABEL = frozenset(
    ["", "(no genres listed)", "no genres listed", "nan", "null", "None", "N/A", "n/a", "#N/A"]
)
LISTS = """
genre genres category categories tag tags keyword keywords label labels style styles language
languages country countries topic topics subject subjects shelf shelves specs features mood moods
theme themes ingredients class classes
"""
LIST_NAMES = words_of_all("lists") | frozenset(LISTS.split())
NUMBER_NAMES = frozenset(
    ["price", "listprice", "originalprice", "discountprice", "cost", "msrp", "amount"]
)
PRICE = re.compile(
    r"(?:(?:US|CA|AU)?\s?[$€£¥₹]|USD|EUR|GBP|Rs\.?)?\s*(-?\d[\d.,' ]*)\s*(?:[$€£¥₹]|USD|EUR|GBP)?"
)
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
DATES = ("%d-%b-%Y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%b %Y", "%B %Y", "%Y/%m/%d")
MARKUP = re.compile(
    r"<(script|style)\b.*?</\1\s*>|<!--.*?-->|</?(?:a|abbr|b|big|blockquote|br|center|cite|code|"
    r"dd|div|dl|dt|em|font|h[1-6]|hr|i|img|li|ol|p|pre|small|span|strong|sub|sup|table|tbody|td|"
    r"th|thead|tr|u|ul)\b[^<>]*>",
    re.IGNORECASE | re.DOTALL,
)
TITLE_YEAR = re.compile(r"(.*\S)\s*\((1[89]\d\d|20\d\d)(?:\s*[-–]\s*(?:\d{4})?)?\)\s*", re.DOTALL)
ARTICLES = (
    "The|A|An|La|Le|Les|L'|El|Los|Las|Lo|Il|Gli|I|Der|Die|Das|Den|Det|De|Het|Een|Ein|Eine|Un|Une|"
    "Una|Uno|O|Os|As|En|Ett|Et"
)
TURNED = re.compile(rf"(?:^|(?<=\())([^()]+?), ({ARTICLES})(?=\s*[()]|$)")
NAMED_BY = ("name", "title", "label", "tag", "genre", "category", "description", "value")
# Shares of the cells that decide on a column.
MOST, HALF, SPLIT = 0.9, 0.5, 0.1
MAX_LABEL_CHARS = 40  # longer parts on average: the separator belongs to prose
MAX_NUMBER = 2.0**63


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column as it is stored, and what wasn't taken.

    Attributes:
        values: One for each cell; None: the column can't be used at all.
        odd: (place of a cell, what was expected there) where one wasn't taken.
        note: What was made of the column, if it wasn't taken as it stood.
    """

    values: pa.Array | None
    odd: Sequence[tuple[int, str]] = ()
    note: str = ""


def make_column(name: str, cells: Cells, kind: str = "", separator: str | None = None) -> Column:
    """An attribute of numbers, booleans, text or lists of text.

    Args:
        name: The column; some names say what it is (price, genres, year).
        cells: Its cells.
        kind: RecBole's type; "token": text that only a number's name makes a number.
        separator: What stands between labels; empty: cells aren't lists; None: told by them.
    """
    filled = [cell for cell in cells if cell is not None and cell.strip() not in NO_TEXT]
    if not filled:
        return Column(values=pa.nulls(len(cells), pa.string()))
    if kind == "token_seq" and separator is None:
        return _lists(cells, str.split, "")
    if note := _unusable(filled, kind):
        return Column(values=None, note=note)
    opened = _share(filled, lambda cell: cell.lstrip().startswith("["))
    closed = _share(filled, lambda cell: labels_in(cell) is not None)
    if separator is None and opened >= MOST and closed >= HALF:  # "[1995] Heat" is no list
        return _lists(cells, labels_in, "")
    separator = _separator(name, filled) if separator is None else separator
    if separator:
        cut = separator
        return _lists(cells, lambda cell: cell.split(cut), f"split at {cut!r}")
    if _share(filled, lambda cell: moment(cell) is not None) >= MOST:
        return _checked(cells, moment, "a date", "dates as Unix seconds")
    if _says_number(name, filled, kind):
        return _numbers(name, cells)
    if kind != "token" and all(cell.strip().casefold() in ("true", "false") for cell in filled):
        return Column(values=pa.array([_boolean(cell) for cell in cells], pa.bool_()))
    return Column(values=pa.array([_label(cell) for cell in cells], pa.string()))


def _unusable(filled: Sequence[str], kind: str) -> str:
    """Words on a column that no attribute can be made of; nothing for others."""
    if kind == "float_seq":
        return "sequences of numbers can't be used: left out"
    if _share(filled, lambda cell: cell.lstrip().startswith("{")) >= MOST:
        return "objects can't be used: left out"
    words = [word for cell in filled for word in labels_in(cell) or [cell]]
    if _share(words, lambda word: word.startswith(("http://", "https://"))) >= MOST:
        return "addresses say nothing in words: left out"
    return ""


def _says_number(name: str, filled: Sequence[str], kind: str) -> bool:
    """True for a column of numbers or prices, by its type, its name, or most of its cells."""
    if kind == "float" or plain(name) in NUMBER_NAMES or known_as(name) == YEAR:
        return True
    if kind != "token" and _share(filled, _is_number) >= MOST:
        return True
    priced = any(sign in cell for cell in filled for sign in "$€£¥₹")
    return priced and _share(filled, lambda cell: price(cell) is not None) >= MOST


def years(cells: Cells) -> Column:
    """Years of numbers ("1995", "1995.0") and dates; 0 is none."""

    def year(cell: str) -> int | None:
        word = cell.strip().removesuffix(".0")
        if word.lstrip("-").isdecimal() and len(word) <= 5:
            return int(word) if -4000 <= int(word) <= 2100 else None
        seconds = moment(cell)
        return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC).year

    zero = [None if cell is not None and cell.strip() in ("0", "0.0") else cell for cell in cells]
    return _checked(zero, year, "a year", "")


def clean_text(text: str) -> str:
    """Text without HTML's tags and entities."""
    for _ in range(2):  # "&amp;amp;" is found where somebody escaped twice
        text = html.unescape(text) if "&" in text else text
    if "<" in text:
        text = MARKUP.sub(" ", text)
        text = "\n".join(" ".join(line.split()) for line in text.splitlines()).strip()
    return text.replace("\xa0", " ").strip()


def clean_title(title: str) -> tuple[str, int | None]:
    """A title as it is said, and the year that stood behind it: "Matrix, The (1999)"."""
    title, year = clean_text(title), None
    if dated := TITLE_YEAR.fullmatch(title):
        title, year = dated[1], int(dated[2])
    if ", " in title:
        title = TURNED.sub(lambda m: m[2] + ("" if m[2].endswith("'") else " ") + m[1], title)
    return title, year


def price(cell: str) -> float | None:
    """The number of "$7.50", "1.234,50 €", "1,299"; 0 of "Free"; None: it is none."""
    word = cell.strip()
    if word.casefold().startswith("free"):
        return 0.0
    matched = PRICE.fullmatch(word)
    if matched is None:
        return float(word) if NUMBER.fullmatch(word) and abs(float(word)) < MAX_NUMBER else None
    digits = matched[1].replace("'", "").replace(" ", "")
    points, commas = digits.rfind("."), digits.rfind(",")
    if commas > points:  # a comma before other than three digits is a point
        thousands = points < 0 and re.fullmatch(r"-?\d{1,3}(,\d{3})+", digits)
        digits = digits.replace(".", "")
        digits = digits.replace(",", "" if thousands else ".")
    digits = digits.replace(",", "")
    try:
        return float(digits) if abs(float(digits)) < MAX_NUMBER else None
    except ValueError:
        return None


def moment(cell: str) -> float | None:
    """Unix seconds of a date, in UTC unless it says otherwise; None: it is none."""
    word = cell.strip()
    try:
        date = datetime.fromisoformat(word) if DATE.fullmatch(word) else None
    except ValueError:
        date = None
    for form in () if date or not word or len(word) > 20 else DATES:
        try:
            date = datetime.strptime(word, form)
        except ValueError:
            continue
        break
    if date is None:
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _lists(cells: Cells, labels: Callable[[str], list[str] | None], note: str) -> Column:
    lists: list[list[str]] = []
    odd = []
    for row, cell in enumerate(cells):
        parsed = [] if cell is None or cell.strip() in NO_TEXT else labels(cell)
        if parsed is None:
            odd.append((row, "a list"))
        cleaned = [clean_text(label) for label in parsed or ()]
        lists.append(list(dict.fromkeys(label for label in cleaned if label not in NO_LABEL)))
    return Column(values=pa.array(lists, pa.list_(pa.string())), odd=odd, note=note)


def labels_in(cell: str) -> list[str] | None:
    """The labels of a cell that is a list, as JSON or as Python writes it; objects by name."""
    if not cell.lstrip().startswith("["):
        return None
    for parse in (json.loads, ast.literal_eval):
        try:
            parsed = parse(cell.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        return list(_flat(parsed)) if isinstance(parsed, list) else None
    return None


def _flat(values: list[Any]) -> list[str]:
    labels: list[str] = []
    for value in values:
        if isinstance(value, list | tuple):
            labels += _flat(list(value))
        elif isinstance(value, dict):
            named = [value[key] for key in NAMED_BY if isinstance(value.get(key), str)]
            labels += (named or [v for v in value.values() if isinstance(v, str)])[:1]
        elif value is not None and value == value:
            labels.append(str(value))
    return labels


def _separator(name: str, filled: Sequence[str]) -> str:
    """The sign between the labels of a column; empty if its cells aren't lists."""
    for separator in "|;,":
        if separator != "|" and plain(name) not in LIST_NAMES:
            continue
        cut = [cell.split(separator) for cell in filled if separator in cell]
        parts = sum(map(len, cut))
        short = sum(map(len, filled)) <= MAX_LABEL_CHARS * (parts + len(filled) - len(cut))
        if len(cut) >= SPLIT * len(filled) and short:
            return separator
    return ""


def _numbers(name: str, cells: Cells) -> Column:
    expected = "a year" if known_as(name) == YEAR else "a number"
    made = _checked(cells, price, expected, "", missing=NO_NUMBER)
    values = made.values
    if values is not None and all(v is None or v == int(v) for v in values.to_pylist()):
        values = values.cast(pa.int64())
    return Column(values=values, odd=made.odd)


def _checked(
    cells: Cells,
    convert: Callable[[str], float | None],
    expected: str,
    note: str,
    missing: frozenset[str] = NO_TEXT,
) -> Column:
    values, odd = [], []
    for row, cell in enumerate(cells):
        number = None if cell is None or cell.strip() in missing else convert(cell)
        if number is None and cell is not None and cell.strip() not in missing:
            odd.append((row, expected))
        values.append(number)
    whole = all(value is None or value == int(value) for value in values)
    made = [None if v is None else int(v) for v in values] if whole else values
    return Column(values=pa.array(made, pa.int64() if whole else pa.float64()), odd=odd, note=note)


def _label(cell: str | None) -> str | None:
    if cell is None or cell.strip() in NO_TEXT:
        return None
    cleaned = clean_text(cell)
    return None if cleaned in NO_LABEL else cleaned


def _boolean(cell: str | None) -> bool | None:
    word = "" if cell is None else cell.strip().casefold()
    return None if word in NO_TEXT else word == "true"


def _is_number(cell: str) -> bool:
    word = cell.strip()
    if not NUMBER.fullmatch(word) or not abs(float(word)) < MAX_NUMBER:
        return False
    return not (len(word) > 1 and word[0] == "0" and word[1].isdecimal())  # 007 is a code


def _share(cells: Sequence[str], test: Callable[[str], bool]) -> float:
    return sum(map(test, cells)) / len(cells)
