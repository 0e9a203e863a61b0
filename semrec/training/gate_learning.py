"""Learns the gate's mixes for requests in words, by the worst ratio to a parent.

real requests in folds (by a fusion that doesn't know their dialogs) | synthetic topics, alone and
    after a stranger's session → learned by the worst ratio to a parent → mixes, or the defaults

A gate learned from synthetic requests alone is worse on real ones than the defaults (LOG.md).
Beside real requests, synthetic topics keep the words from being tuned away. All real requests are
one kind: the few without a session would be the worst by chance, and decide alone.

Each kind has two parents: what the words' vector finds by itself, and what behaviour finds by
itself. A gate is as good as the worst of its ratios to the better parent: whoever maximises one
kind's mean pays with another kind. Half of the units train; only if what was learned is better on
the others it replaces the defaults, learned again from all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semrec.fusion.gate import Gate, GateFeatures
from semrec.training.encoder_selection import EncoderSelection
from semrec.training.folds import FOLDS, Requests
from semrec.training.fusion import reached_in_words
from semrec.training.job import Job, Stage
from semrec.training.preparation import Prepared
from semrec.training.weight_search import Candidates, reduce_cases
from semrec.types import BoolArray, FloatArray

CUTOFF = 10
ROUNDS = 400  # of the search
STEP, MIN_STEP, MAX_STEP = 0.3, 0.05, 1.0  # of the logarithms
GROWN, SHRUNK = 1.5, 0.96  # of a step that was better, and of one that wasn't
CHANGED = 0.3  # share of the parameters that a step changes
MIN_GAIN = 1.02  # of the worst ratio on units that it wasn't trained on: less is noise
MAX_CASES = 1500  # of a kind; they are drawn evenly
# Words and lexical match keep their proportion: synthetic topics are made of the items' own words.
LEARNED = ("texts", "behavioural", "popularity", "domain")

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of request, as arrays padded to the longest list of candidates.

    Attributes:
        name: For the report.
        precision: True: precision at 10 is the measure, everything right is known. False: NDCG.
        signals: (n, m, 6) float32, as `Candidates.signals`.
        present: (n, m) bool: which candidates are real.
        right: (n, m) bool: which of them are right.
        n_relevant: (n,) int64.
        evidence: Of each request.
        trains: (n,) bool: by unit; the others validate.
    """

    name: str
    precision: bool
    signals: FloatArray
    present: BoolArray
    right: BoolArray
    n_relevant: NDArray[np.int64]
    evidence: Sequence[GateFeatures]
    trains: BoolArray

    def __len__(self) -> int:
        return len(self.n_relevant)

    def only(self, mask: BoolArray) -> Kind:
        """The kind with some of its requests."""
        return replace(
            self,
            signals=self.signals[mask],
            present=self.present[mask],
            right=self.right[mask],
            n_relevant=self.n_relevant[mask],
            evidence=[row for row, taken in zip(self.evidence, mask, strict=True) if taken],
            trains=self.trains[mask],
        )

    def mean(self, weights: FloatArray) -> float:
        """The measure's mean; 0 without requests.

        Args:
            weights: (n, 6) float32, or (6,) for all.
        """
        weights = np.broadcast_to(weights, (len(self), weights.shape[-1])).astype(np.float32)
        scores = np.einsum("nms,ns->nm", self.signals, weights)
        scores[~self.present] = -np.inf
        top = np.argpartition(-scores, CUTOFF - 1, axis=1)[:, :CUTOFF]
        order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable")
        hits = np.take_along_axis(self.right, np.take_along_axis(top, order, axis=1), axis=1)
        n_ideal = np.minimum(self.n_relevant, CUTOFF)
        if self.precision:
            values = hits.sum(axis=1) / n_ideal
        else:
            discounts = 1 / np.log2(np.arange(CUTOFF) + 2)
            values = hits @ discounts / np.cumsum(discounts)[n_ideal - 1]
        return float(values.mean()) if len(values) else 0.0


def make_kind(
    name: str, cases: Sequence[Candidates], neighbour_share: float, *, precision: bool
) -> Kind:
    """A kind from its cases' candidates, at most `MAX_CASES` of them."""
    sampled = np.unique(np.linspace(0, len(cases) - 1, min(len(cases), MAX_CASES)).astype(int))
    cases = [cases[i] for i in sampled]
    longest = max(CUTOFF, *(len(case.values) for case in cases))
    signals = np.zeros((len(cases), longest, 6), dtype=np.float32)
    present = np.zeros((len(cases), longest), dtype=bool)
    right = np.zeros((len(cases), longest), dtype=bool)
    for row, case in enumerate(cases):
        n = len(case.values)
        signals[row, :n] = case.signals(neighbour_share)
        present[row, :n] = True
        right[row, : case.n_targets] = True
    return Kind(
        name=name,
        precision=precision,
        signals=signals,
        present=present,
        right=right,
        n_relevant=np.array([case.n_relevant for case in cases], dtype=np.int64),
        evidence=[case.evidence for case in cases],
        trains=np.array([_bit(case.unit) for case in cases], dtype=bool),
    )


def best_parents(gate: Gate, kinds: Sequence[Kind]) -> list[float]:
    """Of each kind: the better parent's measure.

    The parents are what the words' vector finds by itself, and the behavioural baseline.
    """
    words = np.array([1, 0, 0, 0, 0, 0], dtype=np.float32)
    weights = gate.baseline
    behaviour = np.array([0, 0, 0, weights.behavioural, weights.popularity, 0], dtype=np.float32)
    return [max(kind.mean(words), kind.mean(behaviour), 1e-6) for kind in kinds]


def ratios(gate: Gate, kinds: Sequence[Kind], parents: Sequence[float]) -> Array:
    """(n_kinds,): the gate's measure over the better parent's."""
    ours = [kind.mean(_weights(gate, kind.evidence)) for kind in kinds]
    return np.asarray(np.asarray(ours) / np.asarray(parents), dtype=np.float64)


def learn_gate(
    gate: Gate, kinds: Sequence[Kind], rng: np.random.Generator
) -> tuple[Gate, dict[str, dict[str, float]]]:
    """The gate with mixes that suit the kinds better, or as it is.

    Args:
        gate: With tuned `session` and `baseline`, and default mixes.
        kinds: Of requests; none of them empty.
        rng: Draws the search's steps.

    Returns:
        The gate; and for the report, by kind, the default's and the learned gate's ratios to the
        better parent on the units that it wasn't trained on.
    """
    train = [kind.only(kind.trains) for kind in kinds]
    valid = [kind.only(~kind.trains) for kind in kinds]
    learned = _searched(gate, train, rng)
    parents = best_parents(gate, valid)
    before, after = (ratios(tried, valid, parents) for tried in (gate, learned))
    figures = {
        kind.name: {
            "cases": len(kind),
            "default": round(float(before[i]), 4),
            "learned": round(float(after[i]), 4),
        }
        for i, kind in enumerate(kinds)
    }
    is_better = after.min() > 0 and after.min() >= MIN_GAIN * before.min()
    return (_searched(gate, kinds, rng) if is_better else gate), figures


def _searched(gate: Gate, kinds: Sequence[Kind], rng: np.random.Generator) -> Gate:
    """The gate with the best worst ratio that a random search finds.

    Steps grow where they succeed and shrink where they don't (the 1/5 rule of evolution
    strategies: Rechenberg 1973).
    """
    parents = best_parents(gate, kinds)
    best = _pack(gate)
    reached, step = _worst(ratios(gate, kinds, parents)), STEP
    for _ in range(ROUNDS):
        changed = rng.random(len(best)) < CHANGED
        tried = best + np.where(changed, rng.normal(0, step, len(best)), 0.0)
        score = _worst(ratios(_unpack(gate, tried), kinds, parents))
        if score > reached:
            best, reached, step = tried, score, min(step * GROWN, MAX_STEP)
        else:
            step = max(step * SHRUNK, MIN_STEP)
    return _unpack(gate, best)


def _worst(reached: Array) -> float:
    """The worst ratio, and a little of the mean, so that no kind is given away for nothing."""
    return float(reached.min() + 0.1 * reached.mean())


def _weights(gate: Gate, evidence: Sequence[GateFeatures]) -> FloatArray:
    """(n, 6) float32: the gate's weights of each request, in the order of `Kind.signals`."""
    return np.stack(
        [np.array(list(asdict(gate.mix(features)).values()), np.float32) for features in evidence]
    )


def _pack(gate: Gate) -> Array:
    mixes = [getattr(mix, name) for mix in (gate.topical, gate.conversational) for name in LEARNED]
    logs = np.log(np.maximum([*mixes, gate.midpoint, gate.steepness], 1e-3))
    return np.append(logs, gate.rarity)


def _unpack(gate: Gate, values: Array) -> Gate:
    raised = [float(value) for value in np.exp(values[:-1])]
    n = len(LEARNED)
    return replace(
        gate,
        topical=replace(gate.topical, **dict(zip(LEARNED, raised[:n], strict=True))),
        conversational=replace(
            gate.conversational, **dict(zip(LEARNED, raised[n:-2], strict=True))
        ),
        midpoint=raised[-2],
        steepness=raised[-1],
        rarity=float(values[-1]),
    )


def _bit(unit: str) -> int:
    return hashlib.sha256(f"gate {unit}".encode()).digest()[0] % 2


def learn_mixes(
    prepared: Prepared, selected: EncoderSelection, requests: Requests | None, job: Job
) -> tuple[EncoderSelection, Requests | None]:
    """Both with the mixes that suit the requests better, or as they are.

    Args:
        prepared: The configuration.
        selected: With a gate of default mixes, and synthetic topics.
        requests: Real ones, in folds; None: there are none, and the defaults stay.
        job: Whom to tell, what to draw from.
    """
    fusion = prepared.config.fusion
    if requests is None or fusion.gate == "fixed" or not fusion.semantic:
        return selected, requests
    job.report("learn gate", 0, 1)
    kinds = _kinds(selected, requests, fusion.min_cases)
    if all(kind.precision for kind in kinds):
        return selected, requests
    gate, figures = learn_gate(selected.trial.gate, kinds, job.rng_of(Stage.GATE_SEARCH))
    trial = replace(selected.trial, gate=gate)
    reached = reached_in_words(trial, selected.sets, prepared.config)
    job.report("learn gate", 1, 1)
    return (
        replace(selected, trial=trial, tuned=selected.tuned | reached | {"gate": figures}),
        replace(requests, fusions=[replace(fusion, gate=gate) for fusion in requests.fusions]),
    )


def _kinds(selected: EncoderSelection, requests: Requests, least: int) -> list[Kind]:
    """Those with at least so many cases."""
    trial, sets = selected.trial, selected.sets
    by_kind: dict[str, list[Candidates]] = {
        "requests": _by_fold(requests),
        "topics": list(reduce_cases(trial, sets.topics)),
        "topics after strangers": list(reduce_cases(trial, sets.strangers)),
    }
    share = trial.gate.session.neighbour_share
    return [
        make_kind(name, cases, share, precision=name != "requests")
        for name, cases in by_kind.items()
        if len(cases) >= least
    ]


def _by_fold(requests: Requests) -> list[Candidates]:
    """Of each request by the fusion that doesn't know its fold."""
    reduced: list[Candidates] = []
    for fold in range(FOLDS):
        pairs = zip(requests.cases, requests.folds, strict=True)
        reduced += reduce_cases(requests.fusions[fold], [case for case, of in pairs if of == fold])
    return reduced
