"""Reranks the top candidates within the remaining latency budget.

    request and candidates in words → worker (never late) → its word and the list's, blended
                                    → the head in its new order

A query's budget never shortens what comes before: where nothing is left for the reranker, the list
stays as it is, and the trace says ``skipped``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from semrec.data.catalog import Catalog
from semrec.deadline import Deadline
from semrec.pipeline.request import Request
from semrec.prompting import Prompt, Prompts
from semrec.rerankers.blending import blended
from semrec.rerankers.worker import Reranked
from semrec.types import FusedQuery, Query, RerankTrace, RowArray, SessionRows

NEWEST = 5  # events of the session that are told
AFTER_MS = 4.0  # for what comes after the reranker, while other requests are at work

Words = Literal["title", "text"]


class Worker(Protocol):
    """Asks a reranker, and leaves at the deadline."""

    def rerank_within(self, request: str, texts: list[str], deadline: Deadline) -> Reranked:
        """Scores of a list by the deadline."""
        ...


@dataclass(frozen=True, kw_only=True)
class Wording:
    """Requests and candidates in a reranker's words.

    Attributes:
        words: What of a candidate.
        prompt: Of kind ``rerank_request``: the request and the session in words.
        prompts: Put items into words.
    """

    words: Words
    prompt: Prompt
    prompts: Prompts

    def request(self, intent: str, session: SessionRows, catalog: Catalog) -> str:
        """A request as the reranker reads it."""
        titles = [catalog.titles[row] for row in session.rows[-NEWEST:]]
        return self.prompt.render(intent=intent.strip(), session=[t for t in titles if t])

    def texts(self, rows: RowArray, catalog: Catalog) -> list[str]:
        """Candidates as the reranker reads them."""
        if self.words == "title":
            return [catalog.titles[row] for row in rows]
        return [self.prompts.text_of(catalog, int(row)) for row in rows]


@dataclass(frozen=True, kw_only=True)
class Reranking:
    """Reranking of a list's top candidates.

    Attributes:
        worker: Runs the reranker, never past a deadline.
        top: So many candidates, at most.
        weights: By kind of query, what the reranker's word counts beside the list's own scores, as
            validation says; a kind of weight 0 isn't scored.
        always: Whether queries that don't say are reranked.
        wording: Puts requests and candidates into words.
        complaint: Why the reranker isn't asked, if it failed its check; empty: it is asked.
    """

    worker: Worker
    top: int
    weights: Mapping[str, float]
    always: bool
    wording: Wording
    complaint: str = ""

    def wanted(self, query: Query, fused: FusedQuery) -> bool:
        """True if this query's list is to be reranked."""
        wanted = self.always if query.rerank is None else query.rerank
        return wanted and fused.kind in self.weights

    def depth(self, query: Query, fused: FusedQuery, k: int) -> int:
        """The number of candidates that a list of `k` is made from."""
        return max(k, self.top) if self.wanted(query, fused) else k

    def rerank(self, request: Request, catalog: Catalog) -> None:
        """Put the head of a request's list in order; scores stay the list's own, falling.

        Args:
            request: With its list; its deadline is when to come back.
            catalog: For titles and texts.
        """
        query, fused = request.query, request.fused
        if fused.kind is None or not self.wanted(query, fused):
            return
        if self.complaint:
            request.rerank = RerankTrace(status="skipped", reason=self.complaint)
            return
        weight = self.weights[fused.kind]
        if weight == 0:
            reason = "validation found no use in it for such queries"
            request.rerank = RerankTrace(reason=reason)
            return
        head = request.rows[: self.top]
        deadline = replace(request.deadline, at_s=request.deadline.at_s - AFTER_MS / 1000)
        if deadline.passed:
            request.rerank = RerankTrace(status="skipped", reason="too little time was left")
            return
        reranked = self.worker.rerank_within(
            self.wording.request(query.intent, request.resolved.session, catalog),
            self.wording.texts(head, catalog),
            deadline,
        )
        order = blended(request.scores[: self.top], reranked.scores, weight)
        request.rows = np.concatenate([head[order], request.rows[self.top :]])
        request.rerank = RerankTrace(
            status=reranked.status,
            scored=int(np.isfinite(reranked.scores).sum()),
            reason=reranked.reason,
            missing=reranked.missing,
            doubled=reranked.doubled,
            invented=reranked.invented,
        )
