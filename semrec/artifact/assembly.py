"""From configuration and arrays to a working recommender."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from semrec.artifact.encoder import as_punctual
from semrec.behaviour.neighbours import Neighbours
from semrec.config import Config, DiversityConfig
from semrec.data.catalog import Catalog
from semrec.data.interactions import Interactions
from semrec.encoders.static import StaticEncoder
from semrec.fusion.behavioural import BehaviouralBlocks
from semrec.fusion.fitting import fit_block, standardised_popularity
from semrec.fusion.fused import FusedBlocks
from semrec.fusion.gate import Gate
from semrec.index.exact import ExactIndex
from semrec.intent.audience import load_audience
from semrec.intent.intent_parser import IntentParser, learn_vocabulary
from semrec.lexical.bm25 import BM25
from semrec.pipeline.diversity import Diversity
from semrec.pipeline.rerank import Reranking
from semrec.pipeline.stages import Pipeline
from semrec.prompting import Prompts
from semrec.protocols import Encoder, Index, Interpreter, RequestReader, VectorModel
from semrec.ranking.ranker import Ranker
from semrec.recommender import Recommender


@dataclass(frozen=True, kw_only=True)
class Parts:
    """All that an artifact holds, in memory.

    Attributes:
        catalog: The items.
        interactions: What was learned from.
        prompts: Item and query prompt.
        behaviour: The behavioural model's vectors.
        neighbours: What stands beside them, or None.
        fusion: Blocks and gate.
        intent_parser: Reads requests, or None.
        index: Over `fusion.items()`.
        untouched_every: Places kept for items without events.
        lexical: Matches words, or None.
        ranker: Reorders the head of the fused list, or None.
        stand_in: Reads requests that a slow encoder has no time for, or None.
        diversity: Of lists whose queries don't say.
    """

    catalog: Catalog
    interactions: Interactions
    prompts: Prompts
    behaviour: VectorModel
    neighbours: Neighbours | None
    fusion: FusedBlocks
    intent_parser: IntentParser | None
    index: Index
    untouched_every: int
    lexical: BM25 | None = None
    ranker: Ranker | None = None
    stand_in: StaticEncoder | None = None
    diversity: Diversity = field(default_factory=Diversity)


def make_intent_parser(
    config: Config, catalog: Catalog, interactions: Interactions, audience: Path | None = None
) -> IntentParser | None:
    """The parser of requests over this catalogue; of equal titles the more popular one counts.

    Args:
        config: What is read, and the table of moods and audiences.
        catalog: The items.
        interactions: What was done.
        audience: An artifact's own table; None: as configured.

    Raises:
        ConfigError: If the table can't be read.
    """
    if not config.intent.enabled:
        return None
    table = load_audience(str(audience or config.intent.audience))
    return learn_vocabulary(catalog, interactions.counts, table)


def make_diversity(config: DiversityConfig, chosen: Mapping[str, Any]) -> Diversity:
    """The diversity of lists whose queries don't say.

    Args:
        config: As configured.
        chosen: The strength that a build chose, and its figures; empty if it chose none.
    """
    strength = config.strength
    if strength == "auto":
        strength = float(chosen.get("strength", 0.0))
    return Diversity(strength=strength, max_per=config.max_per)


def make_baseline(
    *,
    catalog: Catalog,
    interactions: Interactions,
    prompts: Prompts,
    vectors: VectorModel,
    neighbours: Neighbours | None,
    gate: Gate,
) -> Pipeline:
    """A behavioural-only pipeline."""
    counts = interactions.counts
    fusion = BehaviouralBlocks(
        behavioural=fit_block(vectors.item_vectors, counts > 0),
        popularity=standardised_popularity(counts.astype(np.float32)),
        behaviour=vectors,
        neighbours=neighbours,
        gate=gate,
    )
    items = fusion.items()  # the blocks are views of it, so as not to lie in memory twice
    fusion = replace(fusion, behavioural=replace(fusion.behavioural, vectors=items[:, :-1]))
    return Pipeline(
        catalog=catalog,
        interactions=interactions,
        encoder=None,
        prompts=prompts,
        fusion=fusion,
        # Never-seen items would pass everything with a negative score: they are left out.
        index=ExactIndex(vectors=items, searchable=counts > 0),
        baseline=None,
    )


def make_recommender(
    parts: Parts,
    encoder: Encoder,
    manifest: Mapping[str, Any] | None = None,
    path: Path | None = None,
    interpreter: Interpreter | None = None,
    reranking: Reranking | None = None,
    reader: RequestReader | None = None,
) -> Recommender:
    """A recommender and the baseline that belongs to it."""
    intent_parser = parts.intent_parser
    if intent_parser is not None:
        intent_parser = replace(intent_parser, interpreter=interpreter)
    baseline = make_baseline(
        catalog=parts.catalog,
        interactions=parts.interactions,
        prompts=parts.prompts,
        vectors=parts.behaviour,
        neighbours=parts.neighbours,
        gate=parts.fusion.gate,
    )
    pipeline = Pipeline(
        catalog=parts.catalog,
        interactions=parts.interactions,
        encoder=encoder if parts.stand_in is None else as_punctual(encoder),
        stand_in=parts.stand_in,
        prompts=parts.prompts,
        fusion=parts.fusion,
        index=parts.index,
        baseline=replace(baseline, manifest=manifest or {}, path=path),
        intent_parser=intent_parser,
        untouched_every=parts.untouched_every,
        lexical=parts.lexical,
        ranker=parts.ranker,
        reranking=reranking,
        diversity=parts.diversity,
        reader=reader,
        manifest=manifest or {},
        path=path,
    )
    return Recommender(pipeline)
