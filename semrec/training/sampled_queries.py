"""Requests that look real, made of an artifact's own sessions and titles, and what they come to.

They say how broadly an index has to search, and how long it takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from semrec.errors import DataError
from semrec.fusion.fused import FusedBlocks
from semrec.pipeline.resolve import in_words, resolve
from semrec.recommender import Recommender
from semrec.training.candidates import queries_of
from semrec.training.weight_search import TuningCase
from semrec.types import NO_MATCH, Case, FloatArray, LexicalMatch, Query


def requests(recommender: Recommender, cases: Sequence[Case], n: int, seed: int) -> list[Query]:
    """`n` requests with words: the cases', over and over, or real sessions with a title each."""
    rng = np.random.default_rng(seed)
    real = [case.query for case in cases if case.query.intent.strip()]
    if cases and not real:
        raise DataError("none of the cases has words")
    if real:
        real = [real[i] for i in rng.permutation(len(real))]
        return [real[i % len(real)] for i in range(n)]
    catalog, events = recommender.catalog, recommender.interactions
    if not len(events):
        raise DataError("the artifact has no interactions to make requests of; give --cases")
    queries: list[Query] = []
    users = np.flatnonzero(np.diff(events.starts))  # who only rejected has no history
    for user in rng.choice(users, size=n).tolist():
        history = events.rows[events.starts[user] : events.starts[user + 1]]
        end = int(rng.integers(len(history)))
        session = [catalog.item_ids[row] for row in history[max(0, end - 5) : end]]
        titles = [catalog.titles[row] for row in (history[end], rng.integers(len(catalog)))]
        text = f"something like {titles[0]} but more like {titles[1]}, number {len(queries)}"
        queries.append(Query(intent=text, session=session))
    return queries


def encoded_case(recommender: Recommender, query: Query) -> TuningCase:
    """A request in rows, its words encoded.

    Raises:
        DataError: If there is no encoder.
    """
    resolved = resolve(query, recommender.catalog, recommender.interactions)
    text = in_words(query.intent, resolved.session, recommender.catalog, recommender.prompts)
    if recommender.encoder is None:
        raise DataError("this recommender is behavioural-only: it has no encoder")
    return TuningCase(
        intent=recommender.encoder.encode_queries([text])[0] if text else None,
        session=resolved.session,
        targets=np.zeros(0, np.int64),
        excluded=resolved.excluded,
        match=NO_MATCH,
    )


def matched(recommender: Recommender, query: Query) -> LexicalMatch:
    """A request's words, matched as words."""
    if recommender.lexical is None:
        return NO_MATCH
    return recommender.lexical.match(query.intent, kind=recommender.catalog.kind)


def query_vectors(recommender: Recommender, queries: Sequence[Query]) -> dict[str, FloatArray]:
    """(n, dim) float32 by name: what requests put to the index, at each weight."""
    cases = [replace(encoded_case(recommender, q), match=matched(recommender, q)) for q in queries]
    return queries_of(fusion_of(recommender), cases)


def fusion_of(recommender: Recommender) -> FusedBlocks:
    """The fusion, which makes query vectors.

    Raises:
        DataError: If texts have no part in it.
    """
    if not isinstance(recommender.fusion, FusedBlocks):
        raise DataError("this recommender is behavioural-only: nothing is fused in it")
    return recommender.fusion
