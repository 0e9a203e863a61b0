"""The gate's mixes for requests in words, learned from real requests and synthetic topics.

real requests in folds (by a fusion that doesn't know their dialogs) | synthetic topics, alone and
    after a stranger's session → learned by the worst ratio to a parent → mixes, or the defaults

Synthetic requests alone teach a gate that is worse on real ones than the defaults (LOG.md). Beside
real requests, synthetic topics keep the words from being tuned away. All real requests are one
kind: the few without a session would be the worst by chance, and decide alone.
"""

from __future__ import annotations

from dataclasses import replace

from semrec.training.encoder_selection import EncoderSelection
from semrec.training.folds import FOLDS, Requests
from semrec.training.fusion import reached_in_words
from semrec.training.gate_search import Kind, learn_gate, make_kind
from semrec.training.preparation import Prepared
from semrec.training.random_streams import Stage, rng_of
from semrec.training.weight_search import Candidates, reduce_cases
from semrec.types import Progress


def learn_mixes(
    prepared: Prepared, settled: EncoderSelection, requests: Requests | None, report: Progress
) -> tuple[EncoderSelection, Requests | None]:
    """Both with the mixes that suit the requests better, or as they are.

    Args:
        prepared: The configuration.
        settled: With a gate of default mixes, and synthetic topics.
        requests: Real ones, in folds; None: there are none, and the defaults stay.
        report: Called as it proceeds.
    """
    fusion = prepared.config.fusion
    if requests is None or fusion.gate == "fixed" or not fusion.semantic:
        return settled, requests
    report("learn gate", 0, 1)
    kinds = _kinds(settled, requests, fusion.min_cases)
    if all(kind.precision for kind in kinds):
        return settled, requests
    rng = rng_of(prepared.config.seed, Stage.GATE_SEARCH)
    gate, told = learn_gate(settled.trial.gate, kinds, rng)
    trial = replace(settled.trial, gate=gate)
    reached = reached_in_words(trial, settled.sets, prepared.config)
    report("learn gate", 1, 1)
    return (
        replace(settled, trial=trial, tuned=settled.tuned | reached | {"gate": told}),
        replace(requests, fusions=[replace(one, gate=gate) for one in requests.fusions]),
    )


def _kinds(settled: EncoderSelection, requests: Requests, least: int) -> list[Kind]:
    """Those with at least so many cases."""
    trial, sets = settled.trial, settled.sets
    found: dict[str, list[Candidates]] = {
        "requests": _by_fold(requests),
        "topics": list(reduce_cases(trial, sets.topics)),
        "topics after strangers": list(reduce_cases(trial, sets.strangers)),
    }
    share = trial.gate.session.neighbour_share
    return [
        make_kind(name, cases, share, precision=name != "requests")
        for name, cases in found.items()
        if len(cases) >= least
    ]


def _by_fold(requests: Requests) -> list[Candidates]:
    """Of each request by the fusion that doesn't know its fold."""
    found: list[Candidates] = []
    for fold in range(FOLDS):
        pairs = zip(requests.cases, requests.folds, strict=True)
        found += reduce_cases(requests.fusions[fold], [one for one, of in pairs if of == fold])
    return found
