"""Files as people have them: compression, encoding, separator and header, told by their bytes.

A file becomes a `Table`: a scan that DuckDB runs, all values as text. What DuckDB can't read as
it is (archives, UTF-16, Western encodings, JSON arrays, Python literals) is first written as
UTF-8 into a folder for work.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from semrec.data.columns import headerless
from semrec.data.text_files import (
    CHUNK_BYTES,
    MAX_UNPACKED_BYTES,
    WESTERN,
    Text,
    json_form,
    open_text,
    parsed,
)
from semrec.errors import DataError

READ = "csv tsv txt jsonl ndjson json parquet dat inter item user data"
ENDINGS = READ.split()
MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}
SEPARATORS = ("::", "\t", ";", "|", ",")
MAX_LINE_BYTES = 1 << 25
NAMED_TWICE = "named twice, read once"
OLE = b"\xd0\xcf\x11\xe0"  # how Excel's older files begin
SPREADSHEET = "found a spreadsheet, expected a table of text or parquet; save it as CSV"
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
RECBOLE_TYPES = ("token", "token_seq", "float", "float_seq")


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table that DuckDB can scan.

    Attributes:
        path: The file, as its owner knows it.
        scan: SQL of what stands behind FROM; its rows are in the order of the file.
        columns: Column → SQL of its values as text, NULL where there is none.
        json: True if `scan` has whole objects, in `json`: rows that are no object are NULL.
        skipped: Lines of a header in a delimited file; None for other files.
        types: Column → RecBole's type, or "text" where text must stay text.
        arrow: The table itself, where it needn't be scanned.
        notes: What was converted on the way, and how to say otherwise.
    """

    path: Path
    scan: str
    columns: Mapping[str, str]
    json: bool = False
    skipped: int | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    arrow: pa.Table | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Ways to read files, where their bytes don't say it right.

    Attributes:
        encoding: Name of a codec; empty: told by the bytes.
        separator: What stands between values; empty: told by the first rows.
        columns: Names of the columns of files without a header.
    """

    encoding: str = ""
    separator: str = ""
    columns: tuple[str, ...] = ()


def open_files(paths: Iterable[Path], work: Path, reading: Reading) -> list[Table]:
    """All tables among files, folders and zip archives.

    Args:
        paths: What somebody named; what is named itself must be a table, what lies in a folder or
            an archive is looked at if its ending is a table's.
        work: A folder for what has to be rewritten; tables live as long as it.
        reading: What to read otherwise than the bytes say.

    Raises:
        DataError: If a file isn't there or can't be read.
    """
    tables: list[Table] = []
    numbers: dict[Path, int] = {}
    for path, local in _files(paths, work):
        number = numbers.setdefault(path.resolve(), len(tables))
        if number < len(tables):
            tables[number] = replace(tables[number], notes=(*tables[number].notes, NAMED_TWICE))
            continue
        try:
            tables.append(_open(path, local, work / f"{len(tables)}.txt", reading))
        except FileNotFoundError:
            raise DataError(f"{path}: no such file") from None
        except (OSError, EOFError, LookupError, UnicodeError, pa.ArrowException) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise DataError(f"{path}: not readable: {reason}") from error
    return tables


def arrow_table(path: Path, table: pa.Table, name: str) -> Table:
    """A table in memory; `name` is what DuckDB knows it by."""
    return Table(
        path=path, scan=name, columns=_typed(table.schema), types=_types(table.schema), arrow=table
    )


def _files(paths: Iterable[Path], work: Path) -> Iterator[tuple[Path, Path]]:
    """(path to show, path to read) of each file that may be a table."""
    for path in paths:
        if path.is_dir():
            inside = [p for p in sorted(path.iterdir()) if p.is_file() and is_table(p)]
            yield from _files(inside, work)
        elif path.is_file() and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                members = [m for m in archive.infolist() if is_table(Path(m.filename))]
                if not members:
                    names = archive.namelist()
                    is_excel = any(name.startswith("xl/") for name in names)
                    problem = f"found no table in it, but {', '.join(names[:5])}; expected {READ}"
                    raise DataError(f"{path}: {SPREADSHEET if is_excel else problem}")
                if sum(member.file_size for member in members) > MAX_UNPACKED_BYTES:
                    raise DataError(f"{path}: unpacks to more than {MAX_UNPACKED_BYTES:,} bytes")
                for number, member in enumerate(members):
                    target = work / f"{path.name}-{number}"
                    with archive.open(member) as raw, target.open("wb") as out:
                        shutil.copyfileobj(raw, out, CHUNK_BYTES)
                    yield path / member.filename, target
        else:
            yield path, path


def is_table(path: Path) -> bool:
    """True for a file whose ending is a table's."""
    if path.name.startswith((".", "_")):
        return False
    endings = path.name.lower().removesuffix(".gz").removesuffix(".zst").split(".")
    return endings[-1] in ENDINGS or path.name.startswith("u.")


def _open(path: Path, local: Path, target: Path, reading: Reading) -> Table:
    with local.open("rb") as raw:
        magic = raw.read(4)
    if magic == b"PAR1":
        schema = pq.read_schema(local)
        scan = f"read_parquet({_quoted(local)})"
        return Table(path=path, scan=scan, columns=_typed(schema), types=_types(schema))
    if magic == OLE:
        raise DataError(f"{path}: {SPREADSHEET}")
    packed = next((name for start, name in MAGIC.items() if magic.startswith(start)), None)
    text = open_text(local, packed, reading.encoding)
    sample = text.sample()
    if not any(sample):
        raise DataError(f"{path}: found nothing in it, expected a table")
    if text.encoding == WESTERN and any("\0" in line for line in sample):
        raise DataError(f"{path}: found bytes that are no text, expected a table: {READ}")
    parse = json_form(path, sample)
    if parse or packed == "bz2" or text.encoding != "utf-8":
        with target.open("w", encoding="utf-8", newline="") as out:
            out.writelines(parse(text.lines()) if parse else text.lines())
        local, packed = target, None
        sample = Text(local=target, packed=None, encoding="utf-8").sample()
    opened = f"{_quoted(local)}, compression='{packed or 'none'}'"
    if sample[0].startswith("{"):
        records = [record for line in sample if isinstance(record := parsed(line), dict)]
        keys = dict.fromkeys(key for record in records for key in record)
        return Table(
            path=path,
            scan=f"read_ndjson_objects({opened}, ignore_errors=true)",
            columns={key: json_value(key) for key in keys},
            json=True,
            notes=text.notes,
        )
    return _delimited(path, opened, sample, text, reading)


def json_value(key: str) -> str:
    """SQL of a key's value in `json`, as text: a string's characters, anything else as JSON."""
    quoted = key.replace("~", "~0").replace("/", "~1").replace("'", "''")
    return f"json_extract_string(json, '/{quoted}')"


def _delimited(
    path: Path, opened: str, sample: Sequence[str], text: Text, reading: Reading
) -> Table:
    lead, given = _lead(sample, reading.separator)
    sample = sample[lead:]
    types, quote = _recbole(sample[0]), ""
    if types:
        separator, first = "\t", list(types)
    else:
        separator, first = _separator(sample, given)
        quote = '"' if len(separator) == 1 else ""
    names, header = [name.strip() for name in first], True
    named = reading.columns if len(reading.columns) == len(first) else ()
    if named := named or headerless(path.name, first):
        names, header = list(named), False
    elif len(names) > 1 and all(map(_is_value, names)):
        raise DataError(
            f"{path}: row 1: found {sample[0]!r:.80}, expected names of columns; say them with "
            "--columns user_id,item_id,rating,timestamp"
        )
    if doubled := {name for name in names if names.count(name) > 1}:
        raise DataError(f"{path}: column {min(doubled)!r} is there twice in the header")
    escape = quote and ("\\" if text.backslashes else quote)
    types_ = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(names)))
    scan = (
        f"read_csv({opened}, auto_detect=false, delim={_quoted(separator)}, "
        f"quote={_quoted(quote)}, escape={_quoted(escape)}, header=false, "
        f"skip={lead + header}, columns={{{types_}}}, store_rejects=true, "
        f"max_line_size={MAX_LINE_BYTES})"
    )
    return Table(
        path=path,
        scan=scan,
        columns={name: f"c{n}" for n, name in enumerate(names) if name},
        skipped=lead + header,
        types=types,
        notes=text.notes,
    )


def _lead(rows: Sequence[str], given: str) -> tuple[int, str]:
    """The number of lines before the header (Excel's "sep=;", comments), and the separator."""
    if match := SEPARATOR_LINE.fullmatch(rows[0]):
        return 1, given or match[1]
    n = 0
    while rows[n].startswith("#") and n + 1 < len(rows):
        n += 1
    # A header may begin with the sign too: it has as many values as the rows have.
    return (n if len(_separator(rows, given)[1]) == 1 else 0), given


def _separator(rows: Sequence[str], given: str) -> tuple[str, list[str]]:
    """The separator of values, and the first row's values: most rows have as many as it."""
    best: tuple[float, int, str, list[str]] = (0.0, 0, ",", [rows[0]])
    for separator in [given] if given else SEPARATORS:
        cut = list(_cut(rows, separator))
        first = cut[0] if cut else [rows[0]]
        alike = sum(len(row) == len(first) for row in cut) / max(1, len(cut))
        if given or (len(first) > 1 and (alike, len(first)) > best[:2]):
            best = (alike, len(first), separator, first)
    return best[2], best[3]


def _cut(rows: Sequence[str], separator: str) -> Iterator[list[str]]:
    if len(separator) > 1:
        yield from (row.split(separator) for row in rows if row.strip())
        return
    try:
        yield from filter(None, csv.reader(io.StringIO("\n".join(rows)), delimiter=separator))
    except csv.Error:  # a value longer than csv takes, or a quote that never ends
        return


def _recbole(header: str) -> dict[str, str]:
    """Field → type of a RecBole header; nothing for another one."""
    types = {}
    for word in header.split("\t"):
        name, _, kind = word.strip().rpartition(":")
        if not name or kind not in RECBOLE_TYPES or name in types:
            return {}
        types[name] = kind
    return types


def _is_value(word: str) -> bool:
    """True for what is no name of a column: a number, or nothing."""
    try:
        float(word or "0")
    except ValueError:
        return False
    return True


def _typed(schema: pa.Schema) -> dict[str, str]:
    """Column → SQL of its values as text: whole numbers without a point, lists as JSON."""
    columns = {}
    for field_ in schema:
        name, kind = _column(field_.name), field_.type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if pa.types.is_nested(kind):
            columns[field_.name] = f"CAST(to_json({name}) AS VARCHAR)"
        elif pa.types.is_floating(kind):
            whole = f"{name} = floor({name}) AND abs({name}) < 1e18"
            columns[field_.name] = (
                f"CASE WHEN isnan({name}) THEN NULL WHEN {whole} "
                f"THEN CAST(CAST({name} AS BIGINT) AS VARCHAR) ELSE CAST({name} AS VARCHAR) END"
            )
        else:
            columns[field_.name] = f"CAST({name} AS VARCHAR)"
    return columns


def _types(schema: pa.Schema) -> dict[str, str]:
    """RecBole's types of the columns of text, which stay text whatever they hold, and of floats."""
    types = {}
    for column in schema:
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            types[column.name] = "token"
        elif pa.types.is_floating(kind):
            types[column.name] = "float"
    return types


def _column(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quoted(text: str | Path) -> str:
    return "'" + str(text).replace("'", "''") + "'"
