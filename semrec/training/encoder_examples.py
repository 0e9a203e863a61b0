"""Training examples of an encoder: real requests where there are some, synthetic ones too.

training dialogs:    request → each item that was right
interactions:        what was done before, an item's labels, tags, text → that item
behavioural model:   for each example an item that goes with the session but wasn't right
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from semrec.data.catalog import Catalog
from semrec.data.dataset import Dataset
from semrec.data.interactions import Interactions
from semrec.encoders.training_examples import Example
from semrec.pipeline.resolve import in_words, resolve
from semrec.prompting import Prompt, Prompts
from semrec.protocols import SparseModel, VectorModel
from semrec.training.synthetic_queries import synthesise
from semrec.types import Case, FloatArray, RowArray, SessionRows

MAX_RIGHT = 5  # of one request; a list of fifty would drown the others
MAX_LIKED = 3  # titles named in a made-up request
SESSION = 20  # events before a made-up request
SPARE = 4  # popular items drawn for a hard negative where behaviour offers none
HARD = 50  # a hard negative is drawn from so many best: the very best are often right


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An example that has no negative yet, and the rows of its session."""

    query: str
    row: int
    group: str
    session: RowArray


def dialog_drafts(
    cases: Sequence[Case], dataset: Dataset, prompts: Prompts, rng: np.random.Generator
) -> list[Draft]:
    """One for each request and item that was right for it."""
    catalog, drafts = dataset.catalog, []
    for case in cases:
        if not case.query.intent.strip():
            continue
        session = resolve(case.query, catalog, dataset.interactions).session
        text = in_words(case.query.intent, session, catalog, prompts)
        for row in rng.permutation(catalog.rows(case.relevant))[:MAX_RIGHT].tolist():
            drafts.append(Draft(query=text, row=row, group=case.unit, session=session.rows))
    return drafts


def made_up_drafts(
    n: int,
    events: Interactions,
    catalog: Catalog,
    tags: Mapping[int, Sequence[str]],
    prompts: Prompts,
    prompt: Prompt,
    rng: np.random.Generator,
) -> list[Draft]:
    """At most `n` requests for items that users touched, made up from what is known of them.

    Items come as often as they were touched. Negatives do too, since most are other requests'
    items: so nobody is pushed away for being popular, as real requests wouldn't (LOG.md).
    """
    followers = np.setdiff1d(np.arange(len(events)), events.starts)  # these have a predecessor
    drawn = rng.permutation(followers)[:n]
    made: list[tuple[int, str]] = []
    sessions: list[RowArray] = []
    users: list[int] = []
    for position in drawn.tolist():
        user = int(events.users[position])
        row = int(events.rows[position])
        before = events.rows[max(events.starts[user], position - SESSION) : position]
        before = before[before != row]
        named = rng.permutation(before)[: int(rng.integers(0, MAX_LIKED + 1))].tolist()
        text = synthesise(row, named, catalog, tags, prompt, rng)
        if text:
            made.append((row, text))
            sessions.append(before)
            users.append(user)
    return [
        Draft(
            query=prompts.query_text(text, [catalog.titles[row] for row in session]),
            row=row,
            group=f"user {user}",
            session=session,
        )
        for (row, text), session, user in zip(made, sessions, users, strict=True)
    ]


def with_negatives(
    drafts: Sequence[Draft],
    vectors: VectorModel,
    neighbours: SparseModel | None,
    counts: RowArray,
    has_text: Sequence[bool],
    rng: np.random.Generator,
) -> list[Example]:
    """The drafts with hard negatives: what behaviour would have offered, or else what is popular.

    Args:
        drafts: Those whose item has no text are left out.
        vectors: The behavioural model.
        neighbours: What stands beside it.
        counts: (n_items,) people who touched each item.
        has_text: For each row whether it can be told in words.
        rng: Draws.
    """
    wanted: dict[str, set[int]] = {}
    for draft in drafts:
        wanted.setdefault(draft.group, set()).add(draft.row)
    telling = np.asarray(has_text)
    if not telling.any():
        return []
    popular = np.sqrt(counts * telling).astype(np.float64) + 1e-9 * telling
    popular /= popular.sum()
    often = rng.choice(len(counts), (len(drafts), SPARE), p=popular).tolist()
    examples = []
    for draft, spare in zip(drafts, often, strict=True):
        if not telling[draft.row]:
            continue
        near = _offered(SessionRows.of(draft.session), vectors, neighbours)
        near = rng.permutation(near).tolist()
        avoid = wanted[draft.group] | set(draft.session.tolist())
        pool = [*near, *spare]
        fitting = (row for row in pool if row not in avoid and telling[row])
        negative = next(fitting, draft.row)  # its own item: masked, so it says nothing
        examples.append(
            Example(query=draft.query, row=draft.row, negative=negative, group=draft.group)
        )
    return examples


def _offered(
    session: SessionRows, vectors: VectorModel, neighbours: SparseModel | None
) -> RowArray:
    """The `HARD` rows that go best with a session; none if behaviour knows nothing of it."""
    vector: FloatArray = vectors.session_vector(session)
    if vector.any():
        scores = vectors.item_vectors @ vector
        n = min(HARD, len(scores))
        return np.argpartition(-scores, n - 1)[:n].astype(np.int64)
    if neighbours is None:
        return np.zeros(0, dtype=np.int64)
    near = neighbours.nearest(session)
    return near.rows[np.argsort(-near.scores)[:HARD]]
