"""Options that several commands share, and the printing of results."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from semrec.cli.terminal import Screen
from semrec.errors import DataError

UNITS_S = {"m": 60, "h": 3_600, "d": 86_400}

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Sets = Annotated[list[str], typer.Option("--set", help="A single value, as a.b=c.")]
ConfigName = Annotated[str, typer.Option("--config", help="A packaged name, or a path.")]


def finish(screen: Screen, report: Any, out: Path | None, *, as_json: bool) -> None:  # noqa: ANN401
    """Print a report and write it, if there is a folder to write it to."""
    written = report.save(out) if out else []
    if as_json:
        print_json(report.to_dict())
    else:
        screen.report(report)
        for path in written:
            screen.line(f"written: {path}")


def command_line() -> str:
    """The command as it can be typed again."""
    return shlex.join(["semrec", *sys.argv[1:]])


def ids(text: str) -> list[str]:
    """The ids in ``ID,ID``."""
    return [item_id.strip() for item_id in text.split(",") if item_id.strip()]


def pair(text: str, option: str) -> tuple[str, str]:
    """The two parts of ``KEY=VALUE``."""
    key, equals, value = text.partition("=")
    if not key or not equals or not value:
        raise DataError(f"{option} {text!r}: expected two parts with = between them")
    return key, value


def seconds(text: str, option: str) -> float:
    """Seconds of a length such as ``30m``, ``1h`` or ``1d``."""
    read = re.fullmatch(r"(\d{1,4})([mhd])", text.strip())
    if read is None or int(read[1]) == 0:
        raise DataError(f"{option} {text!r}: expected a length such as 30m, 1h or 1d")
    return float(int(read[1]) * UNITS_S[read[2]])


def limits(texts: Sequence[str]) -> dict[str, int]:
    """The limits in ``NAME=NUMBER``."""
    named = dict(pair(text, "--max-per") for text in texts)
    for name, number in named.items():
        if not number.isdecimal():
            raise DataError(f"--max-per {name}={number!r}: expected a whole number, such as 3")
    return {name: int(number) for name, number in named.items()}


def print_json(value: Any) -> None:  # noqa: ANN401
    """A result on stdout, as JSON."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # nothing may be lost
        text = json.dumps(value, indent=2, default=str)
    sys.stdout.write(f"{text}\n")
