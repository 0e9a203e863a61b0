"""`text`: what a plain text search finds, the yardstick for requests in words.

Its definition stays as it is when semrec's own changes, so that figures of different days can be
told from one another: the packaged MiniLM in torch, the cosine of an item's text and the request
word for word, what lies in the session left out. Nothing in it is learned, and it knows neither
single words nor popularity.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from semrec.artifact.encoder import cache_file
from semrec.data.catalog import Catalog
from semrec.data.interactions import Interactions
from semrec.encoders.cached import CachedEncoder, uncached
from semrec.encoders.names import MINILM, resolve
from semrec.encoders.onnx import OnnxEncoder
from semrec.encoders.sentence import SentenceEncoder, load_sentence_encoder
from semrec.encoders.weights import fingerprint_of
from semrec.errors import ModelError
from semrec.evaluate.yardsticks import TEXT, own_text
from semrec.index.exact import MARGIN, rescored, top_rows
from semrec.pipeline.resolve import resolve as in_rows
from semrec.prompting import ItemTexts, Prompt, Prompts
from semrec.protocols import Encoder
from semrec.training.item_vectors import embed_items
from semrec.types import (
    BoolArray,
    Case,
    FloatArray,
    Item,
    Progress,
    Query,
    Recommendations,
    Trace,
    silent,
)

# Word for word prompts/item.j2 as it stood at 23e134b: "title (year). labels. text". It isn't
# read from there, because what semrec says of an item may change, and this may not.
ITEM = """\
{{ title }}{% if "year" in attributes %} ({{ attributes.year }}){% endif %}
{%- for name, value in attributes.items() if value is not string and value is iterable -%}
. {{ value | words }}
{%- endfor -%}
{% if text %}. {{ text }}{% endif %}
"""
PROMPTS = Prompts(
    item=Prompt(kind="item", source=ITEM), query=Prompt(kind="query", source="{{ intent }}")
)

LEFT_OUT = f"`{TEXT}` is left out: the packaged MiniLM isn't here (semrec models fetch minilm)"


@dataclass(frozen=True, kw_only=True)
class TextSearch:
    """Exact cosine search over the texts of items.

    A request without words has no answer, and items without text are in none.

    Attributes:
        catalog: The items.
        interactions: Histories of known users, which are left out as a session is.
        encoder: Reads requests.
        vectors: (n_items, dim) unit rows, zeros for items without text.
        has_text: (n_items,) which have one.
    """

    catalog: Catalog
    interactions: Interactions
    encoder: Encoder
    vectors: FloatArray
    has_text: BoolArray

    def recommend_many(self, queries: Iterable[Query]) -> list[Recommendations]:
        """The answers to `queries`, in their order."""
        batch = list(queries)
        vectors = self.encoder.encode_queries([query.intent for query in batch])
        rough = vectors @ self.vectors.T
        return [self._answer(*row) for row in zip(batch, vectors, rough, strict=True)]

    def uncached(self) -> TextSearch:
        """The same with an encoder that remembers nothing: for timing."""
        return replace(self, encoder=uncached(self.encoder))

    def _answer(self, query: Query, vector: FloatArray, rough: FloatArray) -> Recommendations:
        resolved = in_rows(query, self.catalog, self.interactions)
        permitted = self.has_text.copy()
        if resolved.allowed is not None:
            permitted &= resolved.allowed.mask
        permitted[resolved.excluded] = False
        if not query.intent.strip():
            permitted[:] = False
        rows = np.flatnonzero(permitted)
        rows, _ = top_rows(rows, rough[rows], query.k + MARGIN)
        rows, scores = rescored(self.vectors, vector, rows, query.k)
        items = tuple(
            Item(self.catalog.item_ids[row], self.catalog.titles[row], float(score), rank)
            for rank, (row, score) in enumerate(zip(rows, scores, strict=True), start=1)
        )
        return Recommendations(
            items=items, trace=Trace(weights={}, timings_ms={}, notes=resolved.notes)
        )


def text_search(
    catalog: Catalog,
    interactions: Interactions,
    encoder: Encoder | None = None,
    progress: Progress | None = None,
) -> TextSearch:
    """A text search over a catalogue.

    Args:
        catalog: The items.
        interactions: Histories of known users.
        encoder: Another than the packaged MiniLM.
        progress: Called as items are embedded.

    Raises:
        ModelError: If the packaged MiniLM isn't here.
    """
    # `build` keeps vectors under the model's own fingerprint that are rounded: not for this.
    inner = uncached(encoder) if encoder is not None else _with_own_vectors(packaged())
    cached = CachedEncoder(encoder=inner, path=cache_file())
    texts = ItemTexts(prompts=PROMPTS, catalog=catalog)
    vectors, has_text = embed_items(texts, cached, progress or silent)
    return TextSearch(
        catalog=catalog,
        interactions=interactions,
        encoder=cached,
        vectors=vectors,
        has_text=has_text,
    )


def text_systems(
    catalog: Catalog,
    interactions: Interactions,
    cases: Sequence[Case],
    encoders: Iterable[Encoder | None] = (),
    progress: Progress | None = None,
    *,
    required: bool = False,
) -> dict[str, TextSearch]:
    """`text`, and the same by each other encoder.

    Where nothing is asked in words there is nothing to search by, and where the packaged MiniLM
    isn't here, `text` itself isn't among them, unless it is required.

    Args:
        catalog: The items.
        interactions: Histories of known users.
        cases: What is asked.
        encoders: Those of the systems beside it.
        progress: Called as items are embedded.
        required: Whether somebody asked for `text` by name.

    Raises:
        ModelError: If `text` is required and can't be had.
    """
    if not worded(cases) and not required:
        return {}
    systems: dict[str, TextSearch] = {}
    usual = ""
    with suppress(*(() if required else (ModelError,))):
        usual = weights_of(packaged())
        systems[TEXT] = text_search(catalog, interactions, progress=progress)
    for encoder in encoders:
        if encoder is not None and weights_of(encoder) != usual:
            name = own_text(encoder.name)
            if name not in systems:
                systems[name] = text_search(catalog, interactions, encoder, progress)
    return systems


def worded(cases: Iterable[Case]) -> bool:
    """True if anything is asked in words."""
    return any(case.query.intent.strip() for case in cases)


@cache
def packaged() -> SentenceEncoder:
    """The packaged MiniLM, in torch.

    Raises:
        ModelError: If it isn't here; the hub isn't asked.
    """
    return replace(load_sentence_encoder(str(resolve(MINILM, hub=False))), name=MINILM)


def weights_of(encoder: Encoder) -> str:
    """A hash of an encoder's weights and options, in whatever form it computes."""
    inner = uncached(encoder)
    return inner.source if isinstance(inner, OnnxEncoder) else inner.fingerprint


def _with_own_vectors(encoder: SentenceEncoder) -> SentenceEncoder:
    return replace(encoder, fingerprint=fingerprint_of(encoder.fingerprint, system=TEXT))
