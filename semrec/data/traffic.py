"""Requests that a service got, word for word, in a dataset's folder: what monitoring compares with.

They tell how people ask, not what they liked: nothing is learned from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from semrec.errors import DataError, QueryError
from semrec.types import Case, Query

TRAFFIC = "traffic.jsonl"


def write_traffic(path: Path, requests: Iterable[tuple[str, Query]]) -> None:
    """Write (unit, query) pairs, a line each.

    Examples:
        >>> path = Path("artifacts") / TRAFFIC
        >>> write_traffic(path, [("visitor-17", Query(intent="a quiet heist"))])
        >>> [case.query.intent for case in read_traffic(path)]
        ['a quiet heist']
    """
    with path.open("w", encoding="utf-8") as file:
        for unit, query in requests:
            values = {"unit": unit, "query": asdict(query)}
            file.write(json.dumps(values, ensure_ascii=False) + "\n")


def read_traffic(path: Path) -> list[Case]:
    """The requests of a file as cases that nothing is right for.

    Raises:
        DataError: Naming the file and the line that is no request.
    """
    cases = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                values = json.loads(line)
                query = Query(**values["query"])
                unit = str(values["unit"])
            except (ValueError, TypeError, KeyError, QueryError) as error:
                raise DataError(
                    f"{path}: line {number}: expected a unit and its query: {error}"
                ) from None
            cases.append(Case(case_id=f"traffic {number}", query=query, relevant=(), unit=unit))
    return cases
