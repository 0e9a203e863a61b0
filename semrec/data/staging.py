"""Interactions and tags in DuckDB: staged as text, checked, converted, and read in batches.

Nothing is held in memory: 20 million rows take what the database may take, whatever they are.
What can't be used goes to the table `rejects` with its file, row, column, value and a reason.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from semrec.data.columns import EVENT, ITEM, TAG, TIME, USER, WEIGHT
from semrec.data.formats import EXPECTED_TIME
from semrec.data.import_report import LeftOut
from semrec.data.interactions import DROP, event_names
from semrec.data.nearest_id import nearest_id
from semrec.data.roles import PARTS, Part
from semrec.data.scans import Table
from semrec.errors import DataError
from semrec.types import MAX_ID_CHARS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = "1GB"
MAX_TAG_CHARS = 1_000
MAX_WEIGHT = 3e38  # of a float32
NOTHING, UNKNOWN_ITEM = "found nothing, expected a value", "is not in the catalogue"
TOO_LONG = f"expected at most {MAX_ID_CHARS} characters"
NO_VALUE = "('', 'nan', 'NaN', 'NULL', 'null', 'None', '<NA>', 'NaT', '\\N', 'NA', '—')"
NAMED_DATES = (
    "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%m %d, %Y",
    "%a %b %d %H:%M:%S %z %Y", "%a, %d %b %Y %H:%M:%S", "%a, %d %b %Y %H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S GMT", "%d/%b/%Y:%H:%M:%S %z", "%Y%m%dT%H%M%S", "%Y%m%dT%H%M%SZ",
    "%Y%m%dT%H%M%S%z",
)  # fmt: skip
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
DAY_FIRST, MONTH_FIRST = "dmy", "mdy"


def connect(work: Path) -> DuckDBPyConnection:
    """A database in a folder for work, with a table for what can't be used."""
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "temp_directory": str(work / "spilled"),
    }
    database = duckdb.connect(str(work / "import.duckdb"), config=config)
    database.execute("SET timezone = 'UTC'; SET preserve_insertion_order = true")
    database.execute("SET errors_as_json = false; SET enable_progress_bar = false")
    database.execute(
        'CREATE TABLE rejects (file INTEGER, "row" BIGINT, "column" VARCHAR, "value" VARCHAR, '
        "reason VARCHAR)"
    )
    return database


def stage(
    database: DuckDBPyConnection,
    name: str,
    tables: Sequence[tuple[int, Table]],
    columns: Mapping[str, str],
) -> None:
    """Read tables of the same columns, one after another, into a new one of text.

    Args:
        database: The database.
        name: The table to make: `file`, `row` from 1 in its file, then `columns`.
        tables: (number, table) of each file.
        columns: Column to make → the column in the files.
    """
    for order, (number, table) in enumerate(tables):
        values = "".join(
            f", nullif({table.columns[column]}, '') AS {quoted(made)}"
            if column in table.columns
            else f", NULL::VARCHAR AS {quoted(made)}"
            for made, column in columns.items()
        )
        broken = "json IS NULL" if table.json else "false"
        scan = table.scan.replace(
            "store_rejects=true",
            f"store_rejects=true, rejects_table='errors_{number}', rejects_scan='scans_{number}'",
        )
        verb = f"INSERT INTO {name}" if order else f"CREATE TABLE {name} AS"
        database.execute(
            f'{verb} SELECT {number} AS file, row_number() OVER () AS "row"{values}, '
            f"{broken} AS broken FROM {scan}"
        )
        if table.skipped is not None:
            _keep_errors(database, name, number, table.skipped)
    database.execute(
        f"INSERT INTO rejects SELECT file, row, '', '', 'expected a JSON object' FROM {name} "
        f"WHERE broken; DELETE FROM {name} WHERE broken; ALTER TABLE {name} DROP broken"
    )


def refuse_fractions(database: DuckDBPyConnection, table: Table, column: str) -> None:
    """Check that ids that are stored as floats are whole numbers.

    Raises:
        DataError: Naming the first that isn't.
    """
    typed = table.skipped is None and not table.json and table.types.get(column) == "float"
    if typed:
        broken = database.execute(
            f'SELECT "row", id FROM (SELECT row_number() OVER () AS "row", {table.columns[column]} '
            f"AS id FROM {table.scan}) WHERE NOT regexp_full_match(id, '-?\\d+') LIMIT 1"
        ).fetchall()
        for row, value in broken:
            raise DataError(
                f"{table.path}: row {row}, column {column!r}: found {value}, expected text or "
                "integers"
            )


def cut_point_zero(database: DuckDBPyConnection, table: str, column: str) -> None:
    """Cut the ".0" off ids that all have it: a column with gaps was written as numbers."""
    query = f"SELECT bool_and(regexp_full_match({column}, '\\d+\\.0')) FROM {table}"
    if database.execute(query).fetchall()[0][0]:
        database.execute(f"UPDATE {table} SET {column} = regexp_replace({column}, '\\.0$', '')")


def match_ids(database: DuckDBPyConnection, table: str) -> int:
    """Cut ".0" off item ids if the catalogue has more of them then; how many rows that were."""
    bare = f"regexp_replace({ITEM}, '\\.0$', '')"
    as_it_is, cut = database.execute(
        f"SELECT count(*) FILTER ({ITEM} IN (FROM known)), "
        f"count(*) FILTER ({bare} IN (FROM known)) "
        f"FROM (SELECT DISTINCT {ITEM} FROM {table})"
    ).fetchall()[0]
    if cut <= as_it_is:
        return 0
    where = f"{ITEM} NOT IN (FROM known) AND {ITEM} <> {bare}"
    n = database.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchall()[0][0]
    database.execute(f"UPDATE {table} SET {ITEM} = {bare} WHERE {where}")
    return int(n)


def check_events(
    database: DuckDBPyConnection,
    columns: Collection[str],
    *,
    dates: str,
    events: Mapping[str, str],
) -> None:
    """Make the table `checked` of the table `raw`, and put what can't be used into the rejects.

    Args:
        database: With `raw` of `columns`, and `known` of the catalogue's `item_id`.
        columns: Known names that the files have.
        dates: "dmy" or "mdy" for dates of numbers alone; empty: told by them.
        events: Name in the files → semrec's name of an event, or "drop".

    Raises:
        DataError: On an event that isn't mapped, or dates that could be either.
    """
    moment = _moment(database, TIME, dates) if TIME in columns else "NULL::DOUBLE"
    checks = [
        *_id_checks(USER),
        *_id_checks(ITEM),
        (ITEM, "known.item_id IS NULL", UNKNOWN_ITEM),
    ]
    if TIME in columns:
        checks += [
            (TIME, f"coalesce({TIME}, '') IN {NO_VALUE}", NOTHING),
            (TIME, "NOT coalesce(moment >= 0 AND isfinite(moment), false)", EXPECTED_TIME),
        ]
    if WEIGHT in columns:
        checks += [
            (WEIGHT, f"coalesce({WEIGHT}, '') IN {NO_VALUE}", NOTHING),
            (WEIGHT, f"NOT coalesce(abs(amount) < {MAX_WEIGHT}, false)", "expected a number"),
        ]
    if EVENT in columns:
        query = f"SELECT {EVENT}, count(*) FROM raw WHERE {EVENT} IS NOT NULL GROUP BY 1 ORDER BY 2"
        named = event_names(database.execute(query).fetchall()[::-1], events)
        database.register("names", pa.table({"said": [*named], "meant": [*named.values()]}))
        checks += [
            (EVENT, f"{EVENT} IS NULL", NOTHING),
            (EVENT, f"meant = '{DROP}'", "left out, as --event says"),
        ]
    amount = number(WEIGHT) if WEIGHT in columns else "1.0"
    meant = "meant" if EVENT in columns else "NULL::VARCHAR AS meant"
    names = f"LEFT JOIN names ON {EVENT} = said" if EVENT in columns else ""
    _make_checked(
        database,
        "checked",
        f"converted.{USER}, converted.{ITEM}, moment, amount, {meant}",
        f"(SELECT *, {moment} AS moment, {amount} AS amount FROM raw) AS converted {names}",
        checks,
    )
    database.execute("DROP TABLE raw")


def _make_checked(
    database: DuckDBPyConnection,
    name: str,
    values: str,
    source: str,
    checks: Sequence[tuple[str, str, str]],
) -> None:
    """Make a table of rows with the first check that they fail, and put those into the rejects.

    Args:
        database: The database.
        name: The table to make; `bad` is NULL where a row can be used.
        values: SQL of its columns.
        source: SQL of the rows, called `converted`.
        checks: (column, test that a bad row passes, reason).
    """
    tests = " ".join(f"WHEN {test} THEN {number}" for number, (_, test, _) in enumerate(checks))
    texts = " ".join(
        f"WHEN {number} THEN left(converted.{column}, 200)"
        for number, (column, _, _) in enumerate(checks)
    )
    database.execute(
        f"CREATE TABLE {name} AS SELECT file, row, {values}, CASE {tests} END AS bad, "
        f"CASE bad {texts} END AS value FROM {source} "
        f"LEFT JOIN known ON converted.{ITEM} = known.{ITEM}"
    )
    database.execute(
        f"INSERT INTO rejects SELECT file, row, ?[bad + 1], value, ?[bad + 1] FROM {name} "
        "WHERE bad IS NOT NULL",
        [[column for column, _, _ in checks], [reason for _, _, reason in checks]],
    )


def check_tags(database: DuckDBPyConnection, columns: Collection[str], dates: str) -> None:
    """Make the table `checked_tags` of `raw_tags`, and put what can't be used into the rejects."""
    timed = TIME in columns
    moment = _moment(database, TIME, dates, "raw_tags") if timed else "0.0::DOUBLE"
    checks = [
        (ITEM, f"converted.{ITEM} IS NULL", NOTHING),
        (ITEM, "known.item_id IS NULL", UNKNOWN_ITEM),
        (TAG, f"{TAG} IS NULL", NOTHING),
        (TAG, f"length({TAG}) > {MAX_TAG_CHARS}", f"longer than {MAX_TAG_CHARS} characters"),
        (TIME, "NOT coalesce(moment >= 0 AND isfinite(moment), false)", EXPECTED_TIME),
    ]
    _make_checked(
        database,
        "checked_tags",
        f"coalesce(converted.{USER}, '') AS {USER}, converted.{ITEM}, {TAG}, moment",
        f"(SELECT *, {moment} AS moment FROM raw_tags) AS converted",
        checks,
    )


def number(column: str) -> str:
    """SQL of a number from text: "3.5", "3,5", "1,234", "true"; NULL for anything else."""
    return (
        f"coalesce(try_cast({column} AS DOUBLE), "
        f"CASE lower({column}) WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 WHEN 'yes' THEN 1.0 "
        "WHEN 'no' THEN 0.0 END, "
        f"CASE WHEN regexp_full_match({column}, '-?\\d{{1,3}}(,\\d{{3}})+') "
        f"THEN try_cast(replace({column}, ',', '') AS DOUBLE) "
        f"WHEN regexp_full_match({column}, '-?\\d+,\\d+') "
        f"THEN try_cast(replace({column}, ',', '.') AS DOUBLE) END)"
    )


def list_rejects(
    database: DuckDBPyConnection, parts: Sequence[Part], item_ids: Sequence[str]
) -> list[LeftOut]:
    """Everything that isn't taken, by file, column and reason, with the first row of each.

    All of it is then in the view `rejected`, with paths and columns as their owner has them.
    """
    paths = [str(part.table.path) for part in parts]
    known_columns = [
        (part.number, known, column)
        for part in parts
        if part.role in PARTS
        for known, column in part.columns().items()
    ]
    database.execute("CREATE TABLE paths (number INTEGER, path VARCHAR)")
    database.executemany("INSERT INTO paths VALUES (?, ?)", list(enumerate(paths)))
    database.execute("CREATE TABLE said (number INTEGER, known VARCHAR, name VARCHAR)")
    database.executemany("INSERT INTO said VALUES (?, ?, ?)", known_columns)
    database.execute(
        'CREATE VIEW rejected AS SELECT rejects.file AS number, path, "row", '
        'coalesce(name, "column") AS said, "value", reason FROM rejects '
        "JOIN paths ON rejects.file = paths.number "
        'LEFT JOIN said ON said.number = rejects.file AND known = "column"'
    )
    rows = database.execute(
        'SELECT path, said, reason, count(*), min("row"), arg_min("value", "row") FROM rejected '
        'GROUP BY number, path, said, reason ORDER BY number, count(*) DESC, min("row")'
    ).fetchall()
    return [
        LeftOut(
            path=path,
            column=column,
            reason=reason,
            count=count,
            row=row,
            value=value or "",
            hint=nearest_id(value, item_ids) if reason == UNKNOWN_ITEM else "",
        )
        for path, column, reason, count, row, value in rows
    ]


def _id_checks(column: str) -> list[tuple[str, str, str]]:
    return [
        (column, f"converted.{column} IS NULL", NOTHING),
        (column, f"length(converted.{column}) > {MAX_ID_CHARS}", TOO_LONG),
    ]


def _moment(database: DuckDBPyConnection, column: str, dates: str, table: str = "raw") -> str:
    """SQL of Unix seconds, or of an order number, from text.

    Raises:
        DataError: If dates such as 03/04/2020 could be either way round.
    """
    value = f"try_cast({column} AS DOUBLE)"
    counts = f"SELECT count({column}), count({value}), count({column}) FILTER "
    n, n_numbers, n_eight = database.execute(
        f"{counts}(length({column}) = 8) FROM {table}"
    ).fetchall()[0]
    n_days = n_pairs = day_first = month_first = 0
    if n_numbers < n or n_eight == n:  # plain numbers, of which there may be millions, are no dates
        whole = (
            f"regexp_full_match({column}, '(19|20)\\d{{6}}') AND try_strptime({column}, '%Y%m%d')"
        )
        pair = r"'^(\d{1,2})[/.-](\d{1,2})[/.-]\d{2,4}'"
        first, second = (f"try_cast(regexp_extract({column}, {pair}, {n}) AS INT)" for n in (1, 2))
        n_days, n_pairs, day_first, month_first = database.execute(
            f"SELECT count(*) FILTER ({whole} IS NOT NULL), count({first}), "
            f"count(*) FILTER ({first} > 12), count(*) FILTER ({second} > 12) FROM {table}"
        ).fetchall()[0]
    if n and n == n_days:
        return f"epoch(try_strptime({column}, '%Y%m%d'))"
    if n_pairs and not dates:
        if bool(day_first) == bool(month_first):
            raise DataError(
                f"column {column!r} has dates whose day and month can't be told apart; "
                "say --dates dmy or --dates mdy"
            )
        dates = DAY_FIRST if day_first else MONTH_FIRST
    order = "%d{0}%m{0}" if dates == DAY_FIRST else "%m{0}%d{0}"
    forms = [
        order.format(sign) + year + clock
        for sign in "/.-"
        for year in ("%y", "%Y")
        for clock in CLOCKS
    ]
    listed = ", ".join(map(text, [*(forms if n_pairs else []), *NAMED_DATES]))
    trimmed = f"regexp_replace({column}, '^Posted |\\.$', '', 'g')"
    return (
        f"CASE WHEN {value} >= 1e17 THEN {value} / 1e9 WHEN {value} >= 1e14 THEN {value} / 1e6 "
        f"WHEN {value} >= 1e11 THEN {value} / 1e3 WHEN {value} IS NOT NULL THEN {value} "
        f"WHEN regexp_matches({column}, '^\\d{{4}}[-/]\\d') "
        f"THEN epoch_us(try_cast({column} AS TIMESTAMPTZ)) / 1e6 "
        f"ELSE epoch_us(try_strptime({trimmed}, [{listed}])::TIMESTAMPTZ) / 1e6 END"
    )


def _keep_errors(database: DuckDBPyConnection, name: str, number: int, skipped: int) -> None:
    """Rows of too few or too many values to the rejects; those behind them move on by one."""
    database.execute(
        f"""
        INSERT INTO rejects SELECT {number}, line - {skipped}, '', left(any_value(csv_line), 200),
            CASE WHEN any_value(error_type) IN ('MISSING COLUMNS', 'TOO MANY COLUMNS')
                THEN 'expected as many values as the header has'
                WHEN any_value(error_type) = 'UNQUOTED VALUE'
                THEN 'expected a quote that is closed, before what comes next'
                ELSE 'expected a row of values: ' || lower(any_value(error_type)) END
        FROM errors_{number} GROUP BY line"""
    )
    errors = database.execute(f"SELECT DISTINCT line - {skipped} FROM errors_{number} ORDER BY 1")
    lost = np.asarray([row for (row,) in errors.fetchall()], dtype=np.int64)
    if not len(lost):
        return
    before = lost - np.arange(1, len(lost) + 1)  # rows that were read before each
    moved = np.unique(before)
    counts = np.searchsorted(before, moved, side="right")
    database.register("moved", pa.table({"before": moved, "lost": counts}))
    database.execute(
        f'UPDATE {name} SET "row" = "row" + '
        f'(SELECT max(lost) FROM moved WHERE before < {name}."row") '
        f'WHERE file = {number} AND "row" > (SELECT min(before) FROM moved)'
    )
    database.unregister("moved")


def quoted(name: str) -> str:
    """A name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A string for SQL."""
    return "'" + value.replace("'", "''") + "'"
