"""Synthetic topics: requests that name a label or a phrase, with all items that carry it.

A request that is answered by one drawn item teaches that a popular item is always a good bet. Here
everything that carries the topic is right, as for somebody who asks for "a film about chess". Half
of the topics' worth is that they are asked twice: alone, and after a session of somebody who likes
other things.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from semrec.data.attributes import labelled_items
from semrec.data.catalog import Catalog
from semrec.data.interactions import Interactions
from semrec.lexical.analysis import FILLER, plain_words
from semrec.types import Case, Query

MIN_ITEMS, MAX_SHARE = 3, 0.05  # that carry a topic: fewer judge nothing, more are no topic
N_TOPICS = 300  # of labels and of phrases together
STRANGER = 3  # items in the session that doesn't fit
MAX_TEXTS = 20_000  # that phrases are taken from
OPENERS = ("a film about {}", "{}", "I'm in the mood for {}", "something about {}")


def synthetic_topics(
    catalog: Catalog, events: Interactions, rng: np.random.Generator
) -> tuple[list[Case], list[Case]]:
    """Topic requests, alone and after a stranger's session; a topic is one unit in both.

    Args:
        catalog: Its labels and the two-word phrases of its texts are the topics.
        events: The strangers' sessions are drawn from them; without any there is no second list.
        rng: Draws topics, openers and sessions.
    """
    topics = [*_labels(catalog), *_phrases(catalog)]
    drawn = rng.permutation(len(topics))[:N_TOPICS]
    alone, after = [], []
    users = np.flatnonzero(np.diff(events.starts) >= STRANGER)
    for number, place in enumerate(drawn.tolist()):
        words, rows = topics[place]
        text = OPENERS[int(rng.integers(len(OPENERS)))].format(words)
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
            some = rng.choice(strange, STRANGER, replace=False)
            session = [catalog.item_ids[row] for row in some]
            after.append(replace(case, query=Query(intent=text, session=session)))
    return alone, after


def _labels(catalog: Catalog) -> list[tuple[str, Sequence[int]]]:
    known = labelled_items(catalog.attributes, len(catalog))
    most = MAX_SHARE * len(catalog)
    spans = zip(known.pairs.indptr[:-1], known.pairs.indptr[1:], strict=True)
    return [
        (label, known.pairs.indices[start:end].tolist())
        for (_, label), (start, end) in zip(known.labels, spans, strict=True)
        if MIN_ITEMS <= end - start <= most and len(label) > 2
    ]


def _phrases(catalog: Catalog) -> list[tuple[str, Sequence[int]]]:
    """Two-word phrases of the texts, and the rows that have them."""
    rows: Mapping[str, list[int]] = defaultdict(list)
    for row, text in enumerate(catalog.texts[:MAX_TEXTS]):
        words = plain_words(text)
        pairs = pairwise(words)
        for phrase in Counter(f"{a} {b}" for a, b in pairs if not {a, b} & FILLER):
            rows[phrase].append(row)
    most = MAX_SHARE * len(catalog)
    return [(phrase, some) for phrase, some in rows.items() if MIN_ITEMS <= len(some) <= most]
