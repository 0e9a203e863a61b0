"""Imports: files or frames become a dataset folder, and a report of what was taken for what.

What a file is follows from its columns (`columns`), how it is read from its bytes (`scans`).
Interactions never lie in memory (`staging`); items do, one column after another (`cells`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from semrec.data import staging
from semrec.data.columns import EVENT, ITEM, TAG, TIME, TITLE, USER, WEIGHT, meanings, plain
from semrec.data.dataset import DatasetSettings, is_canonical
from semrec.data.folders import write_dataset
from semrec.data.formats import read_table
from semrec.data.import_report import ImportOptions, ImportReport, LeftOut, TakenFile
from semrec.data.imported_items import VALUE_LEFT_OUT, json_columns, make_items
from semrec.data.interactions import default_positive_weight
from semrec.data.roles import PARTS, ROLES, Part, assign_roles, require
from semrec.data.scans import Table, open_files
from semrec.errors import DataError
from semrec.types import MAX_ID_CHARS, Progress, silent

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FILES = ("dataset.yaml", "interactions.parquet", "items.parquet")
BATCH_ROWS = 500_000
NO_ROWS = "found no rows, expected at least one item"


def import_files(
    paths: Sequence[Path],
    out: Path | None,
    options: ImportOptions,
    *,
    roles: Mapping[Path, str] | None = None,
    progress: Progress = silent,
) -> ImportReport:
    """Bring files into a dataset's form.

    Args:
        paths: Files, folders and zip archives.
        out: The folder to write; None: a dry run.
        options: Choices that files don't tell.
        roles: File → interactions, items or tags, where its columns tell it wrong.
        progress: Called as work proceeds.

    Raises:
        DataError: If files can't be read or aren't a dataset, `out` holds something else, or with
            `strict` something would be left out; nothing is written then.
    """
    beside = out.parent if out else None
    if beside is not None:
        beside.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=beside, prefix=".semrec-import-") as folder:
        progress("open files", 0, 1)
        tables = open_files(paths, Path(folder), options.reading)
        progress("open files", 1, 1)
        return import_tables(tables, out, options, Path(folder), roles=roles, progress=progress)


def import_tables(
    tables: Sequence[Table],
    out: Path | None,
    options: ImportOptions,
    work: Path,
    *,
    roles: Mapping[Path, str] | None = None,
    progress: Progress = silent,
) -> ImportReport:
    """As `import_files`, of tables that are open; `work` is a folder for the database."""
    with _open(tables, options, work, roles or {}, progress) as opened:
        report, items = _checked(opened)
        if out is None:
            return report
        stems = [*FILES, *(["tags.parquet"] if opened.of("tags") else []), "rejects.csv"]

        def write(made: Path) -> None:
            _write(opened, report, items, made)
            opened.database.close()  # its memory is needed for reading what was written

        return replace(report, dataset=write_dataset(out, options.name, stems, write))


def converted(
    files: Mapping[str, Path], settings: DatasetSettings, work: Path
) -> tuple[dict[str, Path], list[str]]:
    """The files of a dataset folder, of whatever form, as parquet of the one form; and notes.

    No row is left out but tags of items that aren't there; titles stay as they stand.

    Args:
        files: items, interactions and perhaps tags → file.
        settings: The folder's settings.
        work: A folder for what is written.

    Raises:
        DataError: On the first row that can't be used, or if there are no times.
    """
    options = ImportOptions(
        renames=settings.columns, events=settings.events, time=settings.time, keep_titles=True
    )
    roles = {path: stem for stem, path in files.items()}
    tables = open_files(list(files.values()), work, options.reading)
    with _open(tables, options, work, roles, silent) as opened:
        events = opened.of("interactions")[0]
        if TIME not in events.meant and settings.time != "order":
            require(events, (TIME,))
        if is_canonical("items", files["items"], settings.columns):
            opened = replace(opened, items=read_table(files["items"], renames=settings.columns))
        report, items = _checked(opened)
        notes = []
        for left in report.left_out:
            if left.reason.endswith(VALUE_LEFT_OUT):
                notes.append(f"{left} ({left.count:,} such values)")
            elif left.reason != staging.UNKNOWN_ITEM or left.path != str(files.get("tags")):
                count = f"({left.count:,} such rows)"
                raise DataError(f"{left} {count}; `semrec data import` leaves them out")
        _write(opened, report, items, work)
    return {stem: work / f"{stem}.parquet" for stem in files}, notes


@contextmanager
def _open(
    tables: Sequence[Table],
    options: ImportOptions,
    work: Path,
    roles: Mapping[Path, str],
    progress: Progress,
) -> Iterator[_Work]:
    import duckdb  # here: what has no file to import doesn't load it

    parts = assign_roles(tables, options, roles)
    database = staging.connect(work)
    try:
        for part in parts:
            if part.table.arrow is not None:
                database.register(part.table.scan, part.table.arrow)
            for name in (USER, ITEM) if part.role in ROLES else ():
                if name in part.meant:
                    staging.refuse_fractions(database, part.table, part.meant[name][0])
        yield _Work(database=database, parts=parts, options=options, progress=progress)
    except duckdb.Error as error:
        named = ", ".join(str(part.table.path) for part in parts)
        raise DataError(f"{named}: not readable: {str(error).splitlines()[0]}") from error
    finally:
        database.close()


@dataclass(frozen=True, kw_only=True)
class _Work:
    """State that the steps of one import share; `notes` grow with them.

    `items` are those that need no conversion; None: files have them, or nobody does.
    """

    database: DuckDBPyConnection
    parts: Sequence[Part]
    options: ImportOptions
    progress: Progress
    items: pa.Table | None = None
    notes: list[str] = field(default_factory=list)
    file_notes: dict[int, list[str]] = field(default_factory=dict)

    def of(self, name: str) -> list[Part]:
        """The files that play a part."""
        return [part for part in self.parts if part.role == name]

    def stage(self, name: str, parts: Sequence[Part], columns: Mapping[str, str]) -> None:
        """Read files into a table of the database, with progress."""
        self.stage_tables(name, [(part.number, part.table) for part in parts], columns)

    def stage_tables(
        self, name: str, tables: Sequence[tuple[int, Table]], columns: Mapping[str, str]
    ) -> None:
        """As `stage`, of tables with their numbers."""
        stage = f"read {tables[0][1].path.name}"
        self.progress(stage, 0, 1)
        staging.stage(self.database, name, tables, columns)
        self.progress(stage, 1, 1)

    def count(self, query: str) -> Any:  # noqa: ANN401
        """The one value of a query."""
        return self.database.execute(query).fetchall()[0][0]


def _checked(work: _Work) -> tuple[ImportReport, pa.Table]:
    """Stage all files and check every row; the report, and the items as they will be stored."""
    events = work.of("interactions")
    columns = events[0].columns()
    work.stage("raw", events, {**dict.fromkeys(PARTS["interactions"], ""), **_event_columns(work)})
    staging.cut_point_zero(work.database, "raw", USER)
    items = _items(work) if work.items is None else work.items
    work.database.register("catalogue", items)
    work.database.execute(f"CREATE TABLE known AS SELECT {ITEM}::VARCHAR AS {ITEM} FROM catalogue")
    if n := staging.match_ids(work.database, "raw"):
        work.notes.append(f"{columns[ITEM]}: .0 cut off in {n:,} rows, as the items have it")
    work.progress("check interactions", 0, 1)
    options = work.options
    staging.check_events(work.database, columns, dates=options.dates, events=options.events)
    if tags := work.of("tags"):
        work.stage("raw_tags", tags, {**dict.fromkeys(PARTS["tags"], ""), **tags[0].columns()})
        staging.cut_point_zero(work.database, "raw_tags", USER)
        staging.match_ids(work.database, "raw_tags")
        staging.check_tags(work.database, tags[0].columns(), options.dates)
    work.progress("check interactions", 1, 1)
    item_ids = list(map(str, items[ITEM].to_pylist()))
    left_out = staging.list_rejects(work.database, work.parts, item_ids)
    n_events = work.count("SELECT count(*) FROM checked WHERE bad IS NULL")
    refused = left_out if options.strict else []
    if options.drop_unknown:
        known = (columns[ITEM], staging.NOTHING)
        refused = [
            left
            for left in refused
            if left.reason != staging.UNKNOWN_ITEM and (left.column, left.reason) != known
        ]
    if refused or not n_events:
        message = _refusal(events[0].table.path, refused or left_out, n_events)
        if not n_events and left_out and left_out[0].column == columns.get(WEIGHT):
            message += f"; --ignore {columns[WEIGHT]} does without this column"
        raise DataError(message)
    settings = _settings(work, columns)
    report = ImportReport(
        files=_taken(work), left_out=left_out, notes=work.notes, settings=settings
    )
    return report, items


def _write(work: _Work, report: ImportReport, items: pa.Table, folder: Path) -> None:
    """Write the files of a dataset into a folder."""
    pq.write_table(items, folder / "items.parquet")
    _write_events(work, work.of("interactions")[0].columns(), folder / "interactions.parquet")
    if work.of("tags"):
        _write_tags(work, folder / "tags.parquet")
    if report.left_out:
        target = staging.text(str(folder / "rejects.csv"))
        work.database.execute(
            'COPY (SELECT path AS file, "row", said AS "column", "value", reason FROM rejected '
            f'ORDER BY number, "row") TO {target} (HEADER)'
        )
    text = yaml.safe_dump(dict(report.settings), allow_unicode=True)
    (folder / "dataset.yaml").write_text(text, encoding="utf-8")


def _items(work: _Work) -> pa.Table:
    """The items of the files that have them, or else those that somebody touched."""
    parts = work.of("items")
    if not parts:
        work.notes.append("no file of items: those that interactions name")
        title = "any_value(title)" if TITLE in _event_columns(work) else "''"
        return work.database.sql(
            f"SELECT {ITEM}, coalesce({title}, '') AS title FROM raw "
            f"WHERE length({ITEM}) BETWEEN 1 AND {MAX_ID_CHARS} "
            'GROUP BY 1 ORDER BY min(file), min("row")'
        ).to_arrow_table()
    options = work.options
    tables = [(part.number, json_columns(work.database, part.table)) for part in parts]
    present = list(dict.fromkeys(name for _, table in tables for name in table.columns))
    present = [name for name in present if name not in options.ignored]
    work.stage_tables("raw_items", tables, {f"c{n}": name for n, name in enumerate(present)})
    staged = work.database.sql('FROM raw_items ORDER BY file, "row"').to_arrow_table()
    work.database.execute("DROP TABLE raw_items")
    types = {name: kind for _, table in tables for name, kind in table.types.items()}
    if not staged.num_rows:
        first = staging.list_rejects(work.database, work.parts, ())
        raise DataError(str(first[0]) if first else f"{tables[0][1].path}: {NO_ROWS}")
    made = make_items(
        staged.rename_columns(["file", "row", *present]),
        meanings(present, options.renames),
        types,
        options.splits,
        keep_titles=options.keep_titles,
    )
    work.file_notes.setdefault(parts[0].number, []).extend(made.notes)
    if made.rejects:
        names = ("file", "row", "column", "value", "reason")
        columns = dict(zip(names, map(list, zip(*made.rejects, strict=True)), strict=True))
        work.database.register("odd", pa.table(columns))
        work.database.execute("INSERT INTO rejects FROM odd")
    return made.table.rename_columns([options.renames.get(n, n) for n in made.table.column_names])


def _event_columns(work: _Work) -> dict[str, str]:
    """Known name → column of the interactions; titles too, where no file of items has them."""
    part = work.of("interactions")[0]
    titles = part.meant.get(TITLE, ())
    if titles and not work.of("items") and plain(titles[0]) not in ("title", "name", "headline"):
        return {**part.columns(), TITLE: titles[0]}
    return part.columns()


def _refusal(path: Path, left_out: Sequence[LeftOut], n_events: int) -> str:
    """The first that is wrong, how often, and what else is."""
    if not left_out:
        return f"{path}: found no rows, expected at least one interaction"
    first = left_out[0]
    more = "".join(f"; {left.count:,} × {left.column or 'row'} {left.reason}" for left in left_out)
    if not n_events:
        return f"{first}. No interaction can be used{more}"
    return f"{first}. It would be left out, if it weren't strict{more}"


def _settings(work: _Work, columns: Mapping[str, str]) -> dict[str, object]:
    """The content of `dataset.yaml`; what was decided by the numbers is noted."""
    options = work.options
    weight = options.positive_weight
    if weight is None and WEIGHT in columns:
        values, most, least = work.database.execute(
            "SELECT list_sort(list(DISTINCT amount)[1:20]), max(amount), "
            "min(amount) FILTER (amount > 0) FROM checked WHERE bad IS NULL"
        ).fetchall()[0]
        weight = default_positive_weight(values, most, least)
        if weight is not None:
            work.notes.append(
                f"interactions count from {weight:g} on ({columns[WEIGHT]} varies); "
                "else say --positive-weight"
            )
    settings = {
        "name": options.name,
        "licence": options.licence,
        "kind": options.kind,
        "positive_weight": None if weight is None else float(weight),
        "time": options.time or (None if TIME in columns else "order"),
    }
    if TIME not in columns:
        work.notes.append("no column of times: the order of the rows is each user's order")
    return {key: value for key, value in settings.items() if value not in (None, "")}


def _taken(work: _Work) -> list[TakenFile]:
    """Each file with its part."""
    files = []
    for part in work.parts:
        notes = [*part.table.notes, *work.file_notes.get(part.number, ())]
        files.append(
            TakenFile(
                path=str(part.table.path),
                role=part.role if part.role in ROLES else "",
                columns=part.columns() if part.role in ROLES else {},
                notes=notes,
            )
        )
    return files


def _write_events(work: _Work, columns: Collection[str], path: Path) -> None:
    """The rows that can be used, in the order of their files."""
    moment = f'row_number() OVER (PARTITION BY {USER} ORDER BY file, "row") - 1'
    if TIME in columns:
        whole = work.count("SELECT bool_and(moment = floor(moment)) FROM checked WHERE bad IS NULL")
        moment = "CAST(moment AS BIGINT)" if whole else "moment"
    values = [USER, ITEM, f"{moment} AS timestamp"]
    values += ["CAST(amount AS FLOAT) AS weight"] if WEIGHT in columns else []
    values += ["meant AS event"] if EVENT in columns else []
    query = f'SELECT {", ".join(values)} FROM checked WHERE bad IS NULL ORDER BY file, "row"'
    total = work.count("SELECT count(*) FROM checked WHERE bad IS NULL")
    _write_rows(work, query, path, total, "write interactions")


def _write_tags(work: _Work, path: Path) -> None:
    query = (
        f"SELECT {USER}, {ITEM}, {TAG}, moment AS timestamp FROM checked_tags "
        'WHERE bad IS NULL ORDER BY file, "row"'
    )
    total = work.count("SELECT count(*) FROM checked_tags WHERE bad IS NULL")
    _write_rows(work, query, path, total, "write tags")


def _write_rows(work: _Work, query: str, path: Path, total: int, stage: str) -> None:
    """A query's rows as parquet, in batches."""
    batches = work.database.sql(query).to_arrow_reader(BATCH_ROWS)
    done = 0
    with pq.ParquetWriter(path, batches.schema, compression="zstd") as writer:
        for batch in batches:
            work.progress(stage, done, total)
            writer.write_batch(batch)
            done += batch.num_rows
    work.progress(stage, total, total)
