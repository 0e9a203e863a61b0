"""`semrec data`: fetch, describe, check and import datasets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semrec.cli.options import Json, pair, print_json
from semrec.cli.terminal import Screen
from semrec.errors import DataError, nearest

if TYPE_CHECKING:
    from semrec.data.import_report import ImportOptions, ImportReport

# All but `log` show by themselves; their names are taken, as they were before.
FORMATS = ("auto", "tables", "recbole", "amazon-2023", "log")
OTHERWISE = (
    "Otherwise: --items, --interactions or --tags FILE, --rename FOUND=EXPECTED, --ignore COLUMN, "
    "--split COLUMN=SEPARATOR"
)

data = typer.Typer(no_args_is_help=True, help="Fetch, describe, check and import datasets.")


@data.command("fetch")
def data_fetch(
    name: Annotated[str, typer.Argument(help="movielens")] = "movielens",
    out: Annotated[Path | None, typer.Option(help="Folder; default data/NAME.")] = None,
) -> None:
    """Copy the dataset that comes with semrec, and its terms, into a folder of your own."""
    from semrec.data.dataset import describe
    from semrec.data.sources import fetch

    target = out or Path("data") / name
    Screen().description({**describe(fetch(name, target)), "folder": str(target)})


@data.command("describe")
def data_describe(dataset: Path, as_json: Json = False) -> None:
    """Describe a dataset in numbers."""
    from semrec.data.dataset import describe, read_dataset

    described = describe(read_dataset(dataset))
    print_json(described) if as_json else Screen().description(described)


@data.command("validate")
def data_validate(dataset: Path, as_json: Json = False) -> None:
    """Check a dataset and its requests for whatever a build would stumble over.

    Exit status 1 if a build can't go well; findings come with counts, examples and advice.
    """
    from semrec.data.checking import check
    from semrec.data.dataset import read_dataset

    checked = read_dataset(dataset)
    findings = check(checked)
    valid = all(finding.level != "error" for finding in findings)
    counts = {
        "items": len(checked.catalog),
        "interactions": len(checked.interactions),
        "requests_files": len(checked.intents),
    }
    if as_json:
        listed = [finding.to_dict() for finding in findings]
        print_json({"dataset": str(dataset), "valid": valid, **counts, "findings": listed})
    else:
        screen = Screen()
        for finding in findings:
            screen.line(f"{finding.level}: {finding}")
        screen.line(
            f"{dataset}: {'valid' if valid else 'not valid'}: {counts['items']:,} items, "
            f"{counts['interactions']:,} interactions, {counts['requests_files']} files of requests"
        )
    if not valid:
        raise typer.Exit(1)


@data.command("import")
def data_import(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files, folders, archives: told by their columns.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write.")] = None,
    items: Annotated[
        list[Path], typer.Option(help="A file of items, whatever it looks like.")
    ] = [],
    interactions: Annotated[list[Path], typer.Option(help="One of interactions.")] = [],
    tags: Annotated[list[Path], typer.Option(help="One of tags.")] = [],
    rename: Annotated[list[str], typer.Option(help="FOUND=EXPECTED, a column.")] = [],
    ignore: Annotated[list[str], typer.Option(help="A column to leave out.")] = [],
    split: Annotated[list[str], typer.Option(help="COLUMN=SEPARATOR, labels in text.")] = [],
    event: Annotated[list[str], typer.Option(help="FOUND=EVENT, as purchase=buy; drop.")] = [],
    positive_weight: Annotated[float | None, typer.Option(help="From which one counts.")] = None,
    time: Annotated[str | None, typer.Option(help="clock or order; else by the numbers.")] = None,
    dates: Annotated[str, typer.Option(help="dmy or mdy, of dates such as 03/04/2020.")] = "",
    encoding: Annotated[str, typer.Option(help="Of text files, such as cp1252.")] = "",
    separator: Annotated[str, typer.Option(help="Between values of text files.")] = "",
    columns: Annotated[str, typer.Option(help="Names, if there's no header: a,b,c.")] = "",
    keep_titles: Annotated[bool, typer.Option(help="Leave titles as they stand.")] = False,
    drop_unknown: Annotated[bool, typer.Option(help="Unknown items: also with --strict.")] = False,
    strict: Annotated[bool, typer.Option(help="Refuse what would be left out.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Say what would be done; write nothing.")] = False,
    name: Annotated[str, typer.Option(help="Of the dataset; default the folder's.")] = "",
    licence: Annotated[str, typer.Option(help="Its terms.")] = "",
    kind: Annotated[str, typer.Option(help="Of the items; see configs/kinds.yaml.")] = "",
    form: Annotated[str, typer.Option("--format", help="log: a service's --state.")] = "auto",
    as_json: Json = False,
) -> None:
    """Bring files into a dataset's form: MovieLens, Amazon 2023, RecBole, any table, as downloaded.

    semrec data import ml-latest-small.zip --out data/ml

    semrec data import reviews.jsonl.gz meta.jsonl.gz --out data/shop --dry-run

    A service's log (--format log --interactions STATE --items DATASET) is added to its dataset.
    """
    from semrec.data.import_report import ImportOptions
    from semrec.data.kinds import kinds
    from semrec.data.scans import Reading

    if form not in FORMATS:
        raise DataError(f"--format: unknown {form!r}{nearest(form, FORMATS)}")
    if kind and kind not in kinds():
        raise DataError(f"--kind: unknown {kind!r}{nearest(kind, kinds())}")
    if out is None and not dry_run:
        raise DataError("--out: found nothing, expected a folder to write (or --dry-run)")
    if form == "log":
        _import_log([*interactions, *(files or [])], out, items, name)
        return
    if separator and len(separator.encode()) > 4:
        raise DataError(f"--separator: found {separator!r}, expected at most 4 characters")
    options = ImportOptions(
        name=name or (out.name if out else ""),
        licence=licence,
        kind=kind,
        positive_weight=positive_weight,
        time=time,
        renames=dict(pair(text, "--rename") for text in rename),
        splits=dict(_split(text) for text in split),
        events=dict(pair(text, "--event") for text in event),
        ignored=tuple(ignore),
        dates=dates,
        keep_titles=keep_titles,
        drop_unknown=drop_unknown,
        strict=strict,
        reading=Reading(
            encoding=encoding,
            separator=separator.replace("\\t", "\t"),
            columns=tuple(filter(None, columns.split(","))),
        ),
    )
    roles = {
        path: role
        for role, paths in {"items": items, "interactions": interactions, "tags": tags}.items()
        for path in paths
    }
    paths = [*items, *interactions, *tags, *(files or [])]
    _import(list(dict.fromkeys(paths)), roles, None if dry_run else out, options, as_json)


def _import(
    paths: Sequence[Path],
    roles: dict[Path, str],
    out: Path | None,
    options: ImportOptions,
    as_json: bool,
) -> None:
    from semrec.data.dataset import describe
    from semrec.data.imports import import_files

    if not paths:
        raise DataError("found no files, expected some: semrec data import FILES… --out FOLDER")
    screen = Screen()
    with screen.progress(lines=True) as progress:
        report = import_files(paths, out, options, roles=roles, progress=progress)
    described = {**describe(report.dataset), "folder": str(out)} if report.dataset else {}
    if as_json:
        print_json({**report.to_dict(), "dataset": described or None})
        return
    for line in _lines(report, out):
        screen.line(line)
    if described:
        screen.description(described)


def _lines(report: ImportReport, out: Path | None) -> list[str]:
    """A report in lines: each file, what was left out, and how to say otherwise."""
    lines = []
    for taken in report.files:
        columns = ", ".join(
            known if known == column else f"{known} = {column}"
            for known, column in taken.columns.items()
        )
        lines.append(f"{taken.path}: {f'{taken.role}: {columns}' if taken.role else 'not used'}")
        lines += [f"  {note}" for note in taken.notes]
    lines += report.notes
    lines += [f"left out: {left.count:,} × {left}" for left in report.left_out]
    if report.left_out and out is not None:
        lines.append(f"all of them: {out / 'rejects.csv'}")
    return [*lines, OTHERWISE]


def _import_log(states: Sequence[Path], out: Path | None, items: Sequence[Path], name: str) -> None:
    from semrec.data.dataset import describe
    from semrec.sessions.importing import from_log

    if not items:
        raise DataError("--items: found nothing, expected the dataset that the log is added to")
    if len(states) != 1 or out is None:
        raise DataError("--interactions: expected one folder, a service's --state, and --out")
    made = from_log(states[0], out, data=items[0], name=name)
    Screen().description({**describe(made), "folder": str(out)})


def _split(text: str) -> tuple[str, str]:
    """COLUMN=SEPARATOR; nothing behind = keeps the column whole."""
    column, equals, separator = text.partition("=")
    if not column or not equals:
        raise DataError(f"--split {text!r}: expected two parts with = between them")
    return column, separator
