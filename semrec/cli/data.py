"""`semrec data`: fetch, describe, check and import datasets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semrec.cli.options import Json, pair, print_json
from semrec.cli.terminal import Screen
from semrec.errors import DataError, nearest

if TYPE_CHECKING:
    from semrec.data.dataset import Dataset

# Format of what is imported → options that say nothing there.
FORMATS: dict[str, tuple[str, ...]] = {
    "tables": (),
    "recbole": ("--rename", "--split"),
    "amazon-2023": ("--rename", "--split", "--drop-unknown"),
    "log": ("--rename", "--split", "--drop-unknown", "--positive-weight"),
}

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
def data_validate(dataset: Path) -> None:
    """Check a dataset, and every intents file in it."""
    from semrec.data.dataset import read_dataset
    from semrec.data.intents import read_cases

    found = read_dataset(dataset)
    for path in found.intents:
        read_cases(path)
    Screen().line(
        f"{dataset}: valid: {len(found.catalog)} items, {len(found.interactions)} interactions, "
        f"{len(found.intents)} files of requests"
    )


@data.command("import")
def data_import(
    interactions: Annotated[
        Path, typer.Option(help="Table of interactions; .inter; ratings; a service's --state.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    items: Annotated[
        Path | None,
        typer.Option(help="Table of items; .item; metadata; the dataset that a log is added to."),
    ] = None,
    kind: Annotated[str, typer.Option("--format", help=", ".join(FORMATS))] = "tables",
    rename: Annotated[list[str], typer.Option(help="FOUND=EXPECTED, a column.")] = [],
    split: Annotated[list[str], typer.Option(help="COLUMN=SEPARATOR, a list in text.")] = [],
    name: str = "",
    positive_weight: Annotated[float | None, typer.Option(help="From which one counts.")] = None,
    drop_unknown: Annotated[bool, typer.Option(help="Drop events of unknown items.")] = False,
) -> None:
    """Bring tables, RecBole's files, Amazon Reviews 2023 or a service's log into a dataset's form.

    A log is added to the interactions of the dataset that is given as --items.
    """
    from semrec.data.dataset import describe
    from semrec.data.importers import from_amazon_2023, from_recbole

    given = {"--rename": rename, "--split": split, "--drop-unknown": drop_unknown}
    _check(kind, {**given, "--positive-weight": positive_weight is not None})
    shared: dict[str, Any] = {"name": name or out.name, "positive_weight": positive_weight}
    if kind == "log":
        from semrec.sessions.importing import from_log

        if items is None:
            raise DataError("--items: found nothing, expected the dataset that the log is added to")
        dataset = from_log(interactions, out, data=items, name=name)
    elif kind == "recbole":
        dataset = from_recbole(interactions, out, items=items, drop_unknown=drop_unknown, **shared)
    elif kind == "amazon-2023":
        dataset = from_amazon_2023(interactions, out, metadata=items, **shared)
    elif items is None:
        raise DataError("--items: found nothing, expected a table of items (--format tables)")
    else:
        dataset = _from_tables(
            items,
            interactions,
            out,
            renames=dict(pair(text, "--rename") for text in rename),
            lists=dict(pair(text, "--split") for text in split),
            drop_unknown=drop_unknown,
            **shared,
        )
    Screen().description({**describe(dataset), "folder": str(out)})


def _check(kind: str, given: dict[str, object]) -> None:
    """Refuse an unknown format, and options that it has no use for."""
    if kind not in FORMATS:
        raise DataError(f"--format: unknown {kind!r}{nearest(kind, FORMATS)}")
    for option in FORMATS[kind]:
        if given[option]:
            raise DataError(f"{option} says nothing with --format {kind}; leave it out")


def _from_tables(
    items: Path,
    interactions: Path,
    out: Path,
    *,
    renames: dict[str, str],
    **settings: Any,  # noqa: ANN401
) -> Dataset:
    from semrec.data.formats import read_table
    from semrec.data.sources import from_frames
    from semrec.environment.optional import import_pandas

    import_pandas()
    catalogue, events = (
        read_table(path, ids=("item_id", "user_id"), renames=renames).to_pandas()
        for path in (items, interactions)
    )
    return from_frames(catalogue, events, out, **settings)
