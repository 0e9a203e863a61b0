"""Public forms of recommendation data: RecBole's atomic files and Amazon Reviews 2023.

Knows these files and what their columns mean; `from_frames` checks and writes the dataset.
All is read as text and converted here, so that an error names the file that the user has.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from semrec.data.dataset import Dataset
from semrec.data.formats import MILLISECONDS_FROM, numbers, refuse_nulls, seconds
from semrec.data.sources import from_frames
from semrec.environment.optional import import_pandas
from semrec.errors import DataError, nearest
from semrec.types import BoolArray

if TYPE_CHECKING:
    import pandas as pd

FIELD_TYPES = ("token", "token_seq", "float", "float_seq")
EVENT_FIELDS = {"user_id": "token", "item_id": "token", "timestamp": "float", "rating": "float"}
TITLES = ("title", "movie_title", "item_name", "venue_name", "name")  # the first found is taken
TEXTS = ("text", "description", "abstract", "overview", "summary")
AMAZON = {name: name for name in ("user_id", "parent_asin", "rating", "timestamp")}
MAX_NUMBER = 2.0**63  # from_frames makes whole numbers 64-bit integers


def from_recbole(
    source: str | Path,
    out: str | Path,
    *,
    items: str | Path | None = None,
    name: str = "",
    positive_weight: float | None = None,
    drop_unknown: bool = False,
) -> Dataset:
    """Write RecBole's atomic files as a dataset folder and read it back.

    `rating` becomes the weight; without `timestamp` the order of the file counts. Titles and
    texts are taken as they stand. Other fields of items are attributes; a `float_seq` has no form
    as one and is left out. In the items an empty value or `nan` is no value.

    Args:
        source: `NAME.inter`, or a folder with one.
        out: The folder; absent, empty, or a dataset written before.
        items: `NAME.item`; None: the one beside `NAME.inter`, or else the ids seen.
        name: What the dataset is called.
        positive_weight: Rating from which an interaction counts.
        drop_unknown: Leave out interactions with items that aren't in `NAME.item`.

    Raises:
        DataError: Naming file, row and field; nothing is written then.
    """
    source = Path(source)
    found = sorted(source.glob("*.inter")) if source.is_dir() else [source]
    if len(found) != 1 or found[0].suffix != ".inter":
        names = ", ".join(path.name for path in found[:5]) or "none"
        raise DataError(f"{source}: found {names}; expected one .inter file: give its path")
    inter, beside = found[0], found[0].with_suffix(".item")
    items = Path(items) if items is not None else beside if beside.is_file() else None
    columns = _fields(inter, EVENT_FIELDS)
    table = _read_text(inter, {name: columns[name] for name in EVENT_FIELDS if name in columns})
    events = _events(inter, table)
    catalogue = _recbole_items(items) if items else _seen(events)
    if drop_unknown and not events["item_id"].isin(catalogue["item_id"]).any():
        raise DataError(f"{inter}: no interaction has an item of {items}; give its own .item")
    settings = {"name": name, "positive_weight": positive_weight, "drop_unknown": drop_unknown}
    if "timestamp" not in events:
        events["timestamp"] = events.groupby("user_id").cumcount()
        settings["time"] = "order"
    return _write(catalogue, events, Path(out), (items or inter, inter), settings)


def from_amazon_2023(
    ratings: str | Path,
    out: str | Path,
    *,
    metadata: str | Path | None = None,
    name: str = "",
    positive_weight: float | None = None,
) -> Dataset:
    """Write ratings of Amazon Reviews 2023 as a dataset folder and read it back.

    All items of the metadata are kept, unrated ones too; rated ones without it have no title.

    Args:
        ratings: `X.csv` or `X.csv.gz`, rating-only; columns such as `history` are ignored.
        out: The folder; absent, empty, or a dataset written before.
        metadata: `meta_X.jsonl` or `meta_X.jsonl.gz`; None: items are the ids seen.
        name: What the dataset is called.
        positive_weight: Rating from which an interaction counts.

    Raises:
        DataError: Naming file, row and column; nothing is written then.
    """
    ratings = Path(ratings)
    header = _header(ratings)
    if any(header.replace('"', "").split(",").count(name) != 1 for name in AMAZON):
        raise DataError(f"{ratings}: header: found {header!r:.99}, expected {','.join(AMAZON)}")
    table = _read_text(ratings, AMAZON, ",", '"')
    events = _events(ratings, table, item="parent_asin", milliseconds=True)
    catalogue = _seen(events)
    if metadata is not None:
        described = _amazon_items(Path(metadata))
        others = catalogue[~catalogue["item_id"].isin(described["item_id"])]
        catalogue = import_pandas().concat([described, others], ignore_index=True)
    sources = (Path(metadata or ratings), ratings)
    settings = {"name": name, "positive_weight": positive_weight, "time": "clock"}
    return _write(catalogue, events, Path(out), sources, settings)


def _write(
    items: pd.DataFrame,
    events: pd.DataFrame,
    out: Path,
    sources: Sequence[Path],
    settings: Mapping[str, Any],
) -> Dataset:
    """As `from_frames`; what is wrong is told of the files that items and events came from."""
    try:
        return from_frames(items, events, out, **settings)
    except DataError as error:
        told = str(error)
        for stem, path in zip(("items", "interactions"), sources, strict=True):
            told = told.replace(str(out / f"{stem}.parquet"), str(path))
        raise DataError(told) from None


def _events(
    path: Path, table: pa.Table, *, item: str = "item_id", milliseconds: bool = False
) -> pd.DataFrame:
    """`user_id`, `item_id` and what there is of `timestamp` and `weight`, checked."""
    import_pandas()  # the one clear error, before Arrow asks for it
    for name in ("user_id", item):
        refuse_nulls(path, table, name)
    columns = {"user_id": table["user_id"], "item_id": table[item]}
    if "rating" in table.column_names:
        found = _floats(path, table, "rating")
        columns["weight"] = numbers(path, pa.table({"rating": found}), "rating")
    if "timestamp" in table.column_names:
        found = _floats(path, table, "timestamp")
        if milliseconds:  # seconds, taken for them, would all lie in January 1970
            good = (found >= MILLISECONDS_FROM) & (found <= MILLISECONDS_FROM * 1000)
            _refuse(path, table, "timestamp", ~good, "Unix milliseconds (seconds? times 1000)")
            found = found / 1000
        columns["timestamp"] = seconds(path, pa.table({"timestamp": found}))
    frame: pd.DataFrame = pa.table(columns).to_pandas()
    return frame


def _seen(events: pd.DataFrame) -> pd.DataFrame:
    """Items of which only the ids are known, in order of appearance."""
    seen: pd.DataFrame = events[["item_id"]].drop_duplicates(ignore_index=True)
    return seen.assign(title="")


def _recbole_items(path: Path) -> pd.DataFrame:
    columns = _fields(path, {"item_id": "token"})
    columns = {
        name: column for name, column in columns.items() if not column.endswith(":float_seq")
    }
    table = _read_text(path, columns)
    words = table.to_pydict()
    item_ids = words.pop("item_id")
    # RecBole's own converters write a missing value as nan.
    words = {name: ["" if w == "nan" else w for w in column] for name, column in words.items()}
    title = next((name for name in TITLES if name in words), None)
    made = {"item_id": item_ids, "title": words.pop(title) if title else ""}
    if texts := [words.pop(name) for name in TEXTS if name in words]:
        made["text"] = ["\n".join(filter(None, row)) for row in zip(*texts, strict=True)]
    for name, column in words.items():
        if columns[name].endswith(":float"):
            made[name] = _floats(path, table, name)
        elif columns[name].endswith(":token_seq") and name not in TITLES:
            made[name] = [[part for part in word.split(" ") if part] for word in column]
        else:
            made[name] = [word or None for word in column]
    frame: pd.DataFrame = import_pandas().DataFrame(made)
    return frame


class _AmazonItem(BaseModel):
    parent_asin: str = Field(min_length=1)
    title: str | None = None
    features: list[str] | None = None
    description: list[str] | None = None
    categories: list[str] | None = None
    main_category: str | None = None
    store: str | None = None
    price: Any = None


def _amazon_items(path: Path) -> pd.DataFrame:
    found: list[dict[str, Any]] = []
    for line in filter(str.strip, _lines(path)):
        try:
            item = _AmazonItem.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, (f"row {len(found) + 1}", *first["loc"])))
            raise DataError(
                f"{path}: {where}: found {first['input']!r:.60}; {first['msg']}"
            ) from None
        row = item.model_dump(include={"title", "categories", "main_category", "store"})
        texts = filter(None, [*(item.features or ()), *(item.description or ())])
        row |= {"text": "\n".join(texts), "price": _price(item.price)}
        found.append({"item_id": item.parent_asin, **row})
    if not found:
        raise DataError(f"{path}: found no rows, expected at least one item")
    frame: pd.DataFrame = import_pandas().DataFrame(found)
    return frame


def _price(value: object) -> float | None:
    """The number; None where there is none: "from 12.99" and "—" stand there too."""
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if abs(found) < MAX_NUMBER else None  # NaN isn't either


def _fields(path: Path, expected: Mapping[str, str]) -> dict[str, str]:
    """Field → `field:type`; tokens among `expected` must be there, all with the type it says."""
    fields: dict[str, str] = {}
    for place, word in enumerate(_header(path).split("\t"), start=1):
        name, _, kind = word.rpartition(":")
        if not name or kind not in FIELD_TYPES or name in fields:
            again = "twice" if name in fields else "without a known type"
            raise DataError(
                f"{path}: header, column {place}: found {word!r:.60} {again}, expected name:type "
                f"with a tab before the next; types: {', '.join(FIELD_TYPES)}"
            )
        fields[name] = word
    for name, kind in expected.items():
        if name not in fields and kind == "token":
            raise DataError(f"{path}: header: no field {name}:{kind}{nearest(name, fields)}")
        if name in fields and fields[name] != f"{name}:{kind}":
            raise DataError(f"{path}: header: found {fields[name]}, expected {name}:{kind}")
    return fields


def _header(path: Path) -> str:
    line, end, _ = next(_lines(path), "").partition("\n")
    if not line or not end:
        found = "no rows after the header" if line else "nothing in the first line"
        raise DataError(f"{path}: found {found}, expected a header and at least one row")
    return line


def _lines(path: Path) -> Iterator[str]:
    try:
        with (
            gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as raw,
            io.TextIOWrapper(raw, encoding="utf-8-sig") as lines,
        ):
            yield from lines
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not readable as UTF-8 text: {error}") from error


def _read_text(
    path: Path, columns: Mapping[str, str], delimiter: str = "\t", quote: str | bool = False
) -> pa.Table:
    """The columns name → column in the file, all as text; there is at least one row."""
    texts = dict.fromkeys(columns.values(), pa.string())
    wrong: list[Any] = []

    def note(row: Any) -> str:  # noqa: ANN401
        wrong.append(row)
        return "error"

    parsing = pyarrow.csv.ParseOptions(
        delimiter=delimiter, quote_char=quote, invalid_row_handler=note
    )
    try:
        table = pyarrow.csv.read_csv(
            str(path),
            pyarrow.csv.ReadOptions(use_threads=False),  # only then rows have their numbers
            parsing,
            pyarrow.csv.ConvertOptions(include_columns=list(texts), column_types=texts),
        )
    except (pa.ArrowException, OSError, KeyError) as error:
        if wrong:
            raise DataError(
                f"{path}: row {wrong[0].number - 1}: found {wrong[0].actual_columns} columns, "
                f"expected {wrong[0].expected_columns} as in the header"
            ) from None
        raise DataError(f"{path}: not readable: {error}") from error
    if not table.num_rows:
        raise DataError(f"{path}: found no rows after the header, expected at least one row")
    return table.rename_columns(list(columns))


def _floats(path: Path, table: pa.Table, name: str) -> NDArray[np.float64]:
    """(n,) float64: a column of text as numbers, NaN where it says nothing or nan."""
    words = table[name].to_pandas()
    found = import_pandas().to_numeric(words, errors="coerce").to_numpy(dtype=np.float64)
    missing = words.isin(["", "nan", "NaN"]).to_numpy()
    _refuse(path, table, name, ~(np.abs(found) < MAX_NUMBER) & ~missing, "a number")
    return np.asarray(found)


def _refuse(path: Path, table: pa.Table, name: str, bad: BoolArray, expected: str) -> None:
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        value = table[name][row].as_py()
        raise DataError(
            f"{path}: row {row + 1}, column {name!r}: found {value!r:.60}, expected {expected}"
        )
