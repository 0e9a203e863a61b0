"""Real requests with the lists that they would get from somebody who doesn't know their dialogs.

requests → folds by dialog → for each fold a fusion whose domain popularity doesn't count it

What learns from lists is measured on lists that it hasn't seen: those of a fold, by what has
learned from the others. Nothing may know the fold's dialogs then, neither the model nor the domain
popularity in the lists that it learns from: in those lists what the fold's people wanted would
stand ahead and be right in none, and the model would learn to avoid just that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from semrec.data.intents import fold_of, unit_hash
from semrec.fusion.fitting import standardised_popularity
from semrec.fusion.fused import FusedBlocks
from semrec.training.encoder_selection import EncoderSelection
from semrec.training.preparation import Prepared
from semrec.training.weight_search import TuningCase
from semrec.types import Case

FOLDS = 5
WHOLE = FOLDS  # in place of a fold: none is left out


@dataclass(frozen=True, kw_only=True)
class Requests:
    """Real requests in folds.

    Attributes:
        cases: The requests, embedded.
        intents: Their words.
        folds: Of each its dialog's fold.
        fusions: The fusion over the validation's training events for each fold that is left out,
            and the one that leaves out none.
    """

    cases: Sequence[TuningCase]
    intents: Sequence[str]
    folds: Sequence[int]
    fusions: Sequence[FusedBlocks]


def in_folds(prepared: Prepared, selected: EncoderSelection, cases: Sequence[Case]) -> Requests:
    """Requests in folds.

    Args:
        prepared: Data and prompts.
        selected: The encoder, and the fusion with the tuned gate.
        cases: Some of its requests, with what turned out right.
    """
    dialogs = (*prepared.train_queries, *prepared.valid_queries)
    fusions = []
    for left_out in (*range(FOLDS), WHOLE):
        counted = [case for case in dialogs if fold_of(case.unit, FOLDS) != left_out]
        wanted, fusion = prepared.wanted(counted), selected.trial
        if wanted is not None:
            fusion = replace(fusion, domain=standardised_popularity(wanted))
        fusions.append(fusion)
    return Requests(
        cases=prepared.encoded(cases, selected.encoder),
        intents=[case.query.intent for case in cases],
        folds=[fold_of(case.unit, FOLDS) for case in cases],
        fusions=fusions,
    )


def real_requests(prepared: Prepared, seen: Collection[str] = ()) -> list[Case]:
    """Requests with words and with something right.

    Args:
        prepared: Requests, understood.
        seen: Hashed ids of dialogs that are left out: what the encoder was trained on is nearer to
            it than what it will meet.
    """
    return [
        case
        for case in (*prepared.train_queries, *prepared.valid_queries)
        if case.relevant and case.query.intent.strip() and unit_hash(case.unit) not in seen
    ]
