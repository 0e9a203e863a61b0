"""Requests made up from what is known of an item: for tuning where no real ones are at hand.

A made-up request names one or two of the target's labels or tags (or a few words of its text) and
sometimes its decade, never its title. It only has to be as informative as a real one, so that the
weights it is tuned on are right; nothing else is learned from it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from semrec.data.catalog import Catalog
from semrec.data.dataset import Tag
from semrec.prompting import Prompt

_CHUNKS = re.compile(r"[.,;:!?()\n]+")
MAX_CHUNK_WORDS = 8
MAX_TAGS = 20  # of an item; more would crowd out its text


def tags_by_row(tags: Sequence[Tag], before: float | None) -> dict[int, list[str]]:
    """Each row's tags that were given before a moment (None: all)."""
    found: dict[int, list[str]] = {}
    for tag in tags:
        if before is None or tag.timestamp < before:
            found.setdefault(tag.row, []).append(tag.tag)
    return found


def frequent_tags(tags: Sequence[Tag], before: float | None) -> dict[int, list[str]]:
    """Each row's `MAX_TAGS` most given tags before a moment (None: all), each once."""
    found: dict[int, list[str]] = {}
    for row, given in tags_by_row(tags, before).items():
        counts = Counter(tag.casefold().strip() for tag in given)
        found[row] = [tag for tag, _ in counts.most_common(MAX_TAGS) if tag]
    return found


def make_request(
    row: int,
    catalog: Catalog,
    tags: Mapping[int, Sequence[str]],
    prompt: Prompt,
    rng: np.random.Generator,
) -> str:
    """A request that the item in `row` would answer; ``""`` if nothing is known of it."""
    record = catalog.record(row)
    pieces = [str(p) for name in catalog.attribute_names for p in _labels(record.get(name))]
    if not pieces:
        chunks = [chunk.strip() for chunk in _CHUNKS.split(record.get("text", ""))]
        pieces = [" ".join(chunk.split()[:MAX_CHUNK_WORDS]) for chunk in chunks if chunk]
    some = _draw(pieces, int(rng.integers(1, 3)), rng)
    given = _draw(tags.get(row, ()), int(rng.random() < 0.5), rng)
    if not some and not given:
        return ""
    year = record.get("year")
    decade = int(year) // 10 * 10 if isinstance(year, int) and rng.random() < 0.3 else None
    return prompt.render(labels=[s.lower() for s in some], tags=given, decade=decade)


def synthesise(
    row: int,
    liked: Sequence[int],
    catalog: Catalog,
    tags: Mapping[int, Sequence[str]],
    prompt: Prompt,
    rng: np.random.Generator,
) -> str:
    """A request that the item in `row` would answer, of somebody who liked the items in `liked`.

    Each ingredient is there by chance, so that an encoder learns to do with any of them; ``""``
    if none is.
    """
    record = catalog.record(row)
    pieces = [str(p) for name in catalog.attribute_names for p in _labels(record.get(name))]
    chunks = [chunk.split() for chunk in _CHUNKS.split(record.get("text", ""))]
    snippets = [" ".join(words[:MAX_CHUNK_WORDS]) for words in chunks if len(words) > 2]
    year = record.get("year")
    decade = int(year) // 10 * 10 if isinstance(year, int) and rng.random() < 0.2 else None
    labels = _draw(pieces, int(rng.integers(0, 3)), rng)
    snippet = _draw(snippets, int(rng.random() < 0.25), rng)
    return prompt.render(
        labels=[label.lower() for label in labels],
        tags=_draw(tags.get(row, ()), int(rng.random() < 0.5), rng),
        decade=decade,
        snippet=snippet[0] if snippet else "",
        liked=[catalog.titles[row] for row in liked if catalog.titles[row]],
        variant=int(rng.integers(1_000)),
    )


def _labels(value: Any) -> Sequence[Any]:  # noqa: ANN401
    return value if isinstance(value, list) else ()


def _draw(values: Sequence[str], n: int, rng: np.random.Generator) -> list[str]:
    places = rng.permutation(len(values))[:n]
    return [values[place] for place in places]
