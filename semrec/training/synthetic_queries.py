"""Synthetic requests, made up from what is known of an item: for tuning where no real ones are.

A synthetic request names one or two of the target's labels or tags (or a few words of its text) and
sometimes its decade, never its title. It only has to be as informative as a real one, so that the
weights it is tuned on are right; nothing else is learned from it.

A request that is answered by one drawn item trains that a popular item is always a good bet. For a
synthetic topic everything that carries it is right, as for somebody who asks for "a film about
chess". Half of the topics' worth is that they are asked twice: alone, and after a session of
somebody who likes other things.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from semrec.data.attributes import labelled_items
from semrec.data.catalog import Catalog
from semrec.data.dataset import Tag
from semrec.data.interactions import Interactions
from semrec.data.kinds import kinds
from semrec.lexical.analysis import fillers, plain_words
from semrec.prompting import Prompt
from semrec.types import Case, Query

_CHUNKS = re.compile(r"[.,;:!?()\n]+")
MAX_CHUNK_WORDS = 8
MAX_TAGS = 20  # of an item; more would crowd out its text


def tags_by_row(tags: Sequence[Tag], before: float | None) -> dict[int, list[str]]:
    """Each row's tags that were given before a moment (None: all)."""
    by_row: dict[int, list[str]] = {}
    for tag in tags:
        if before is None or tag.timestamp < before:
            by_row.setdefault(tag.row, []).append(tag.tag)
    return by_row


def frequent_tags(tags: Sequence[Tag], before: float | None) -> dict[int, list[str]]:
    """Each row's `MAX_TAGS` most given tags before a moment (None: all), each once."""
    by_row: dict[int, list[str]] = {}
    for row, given in tags_by_row(tags, before).items():
        counts = Counter(tag.casefold().strip() for tag in given)
        by_row[row] = [tag for tag, _ in counts.most_common(MAX_TAGS) if tag]
    return by_row


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
    labels = _draw(pieces, int(rng.integers(1, 3)), rng)
    given = _draw(tags.get(row, ()), int(rng.random() < 0.5), rng)
    if not labels and not given:
        return ""
    year = record.get("year")
    decade = int(year) // 10 * 10 if isinstance(year, int) and rng.random() < 0.3 else None
    return prompt.render(labels=[s.lower() for s in labels], tags=given, decade=decade)


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
    drawn = rng.permutation(len(values))[:n]
    return [values[i] for i in drawn]


MIN_ITEMS, MAX_SHARE = 3, 0.05  # that carry a topic: fewer measure nothing, more are no topic
N_TOPICS = 300  # of labels and of phrases together
STRANGER = 3  # items in the session that doesn't fit
MAX_TEXTS = 20_000  # that phrases are taken from
OPENERS = ("something with {}", "{}", "I'm looking for {}", "something about {}")


def synthetic_topics(
    catalog: Catalog, events: Interactions, rng: np.random.Generator
) -> tuple[list[Case], list[Case]]:
    """Topic requests, alone and after a stranger's session; a topic is one unit in both.

    Args:
        catalog: Its labels and the two-word phrases of its texts are the topics.
        events: The strangers' sessions are drawn from them; without any there is no second list.
        rng: Draws topics, openers and sessions.
    """
    topics = [*_label_topics(catalog), *_phrase_topics(catalog)]
    drawn = rng.permutation(len(topics))[:N_TOPICS]
    known = kinds().get(catalog.kind)
    openers = OPENERS if known is None else known.openers
    alone, after = [], []
    users = np.flatnonzero(np.diff(events.starts) >= STRANGER)
    for number, index in enumerate(drawn.tolist()):
        words, rows = topics[index]
        text = openers[int(rng.integers(len(openers)))].format(words)
        case = Case(
            case_id=f"topic-{number}",
            query=Query(intent=text),
            relevant=tuple(catalog.item_ids[row] for row in rows),
            unit=f"topic {words}",
        )
        alone.append(case)
        if not len(users):
            continue
        user = int(rng.choice(users))
        liked = events.rows[events.starts[user] : events.starts[user + 1]]
        strange = np.setdiff1d(liked, rows)
        if len(strange) >= STRANGER:
            chosen = rng.choice(strange, STRANGER, replace=False)
            session = [catalog.item_ids[row] for row in chosen]
            after.append(replace(case, query=Query(intent=text, session=session)))
    return alone, after


def _label_topics(catalog: Catalog) -> list[tuple[str, Sequence[int]]]:
    known = labelled_items(catalog.attributes, len(catalog))
    most = MAX_SHARE * len(catalog)
    spans = zip(known.pairs.indptr[:-1], known.pairs.indptr[1:], strict=True)
    return [
        (label, known.pairs.indices[start:end].tolist())
        for (_, label), (start, end) in zip(known.labels, spans, strict=True)
        if MIN_ITEMS <= end - start <= most and len(label) > 2
    ]


def _phrase_topics(catalog: Catalog) -> list[tuple[str, Sequence[int]]]:
    """Two-word phrases of the texts, and the rows that have them."""
    rows: Mapping[str, list[int]] = defaultdict(list)
    filler, *_ = fillers(catalog.kind)
    for row, text in enumerate(catalog.texts[:MAX_TEXTS]):
        words = plain_words(text)
        pairs = pairwise(words)
        for phrase in Counter(f"{a} {b}" for a, b in pairs if not {a, b} & filler):
            rows[phrase].append(row)
    most = MAX_SHARE * len(catalog)
    return [(phrase, of) for phrase, of in rows.items() if MIN_ITEMS <= len(of) <= most]
