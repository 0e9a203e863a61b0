"""A reranker's sanity check: pairs of texts that any reranker can tell apart."""

from __future__ import annotations

from collections.abc import Sequence

from semrec.deadline import Deadline
from semrec.protocols import Reranker
from semrec.rerankers.score_collector import ScoreCollector

# A request, a text that answers it, and one that doesn't.
GOLDEN = (
    ("a story about astronauts in space", "Journey to the Stars: Mission to Mars", "The Wedding"),
    ("something scary with ghosts", "The Haunted House", "Learn to Cook Pasta"),
    ("something for my dry hair", "Moisturising shampoo for dry hair", "Red nail polish"),
    ("a place to eat sushi tonight", "Tokyo Sushi Bar", "Joe's Car Repair"),
    ("music for dancing, techno please", "Berlin Techno Dance Mix", "Quiet Piano for Sleeping"),
    ("a book about the Second World War", "D-Day: The Battle for Normandy", "Baking with Kids"),
    ("a cartoon for small children", "The Little Cartoon Rabbit", "Prison Murders: Uncut"),
    ("running shoes for a marathon", "Lightweight marathon running shoes", "Garden hose, 20 m"),
)
MAX_MS = 5_000.0  # per pair
FAILS = "it fails"  # how a complaint begins about one that can't be asked at all


def complaint(
    reranker: Reranker,
    pairs: Sequence[tuple[str, str, str]] = GOLDEN,
    *,
    longest_ms: float = MAX_MS,
) -> str | None:
    """A reason not to ask a reranker; None if nothing is wrong with it.

    Every second pair has the right text last, so that who goes by the place alone is no better than
    chance.

    Args:
        reranker: Asked once per pair.
        pairs: Of a request, a right and a wrong text.
        longest_ms: Time for one pair.
    """
    leads = []
    for number, (request, right, wrong) in enumerate(pairs):
        texts = [right, wrong] if number % 2 == 0 else [wrong, right]
        collector = ScoreCollector.of(2)
        try:
            for scored in reranker.rerank(request, texts, Deadline.within(longest_ms)):
                collector.add(scored)
        except Exception as error:
            return f"{FAILS}: {type(error).__name__}: {error}"
        if collector.n_scored < 2:
            return f"it gives no finite scores for {request!r} within {longest_ms:.0f} ms"
        lead = float(collector.scores[0] - collector.scores[1])
        leads.append(lead if number % 2 == 0 else -lead)
    n_right, n_wrong = sum(lead > 0 for lead in leads), sum(lead < 0 for lead in leads)
    if n_right + n_wrong == 0:
        return "its scores are constant: it tells no text from another"
    if 4 * n_wrong >= 3 * len(leads):
        return f"its scores look reversed: the wrong text leads in {n_wrong} of {len(leads)} pairs"
    if 2 * n_right <= len(leads):
        return f"it is no better than chance: right in {n_right} of {len(leads)} pairs"
    return None
