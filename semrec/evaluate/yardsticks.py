"""Two yardsticks: what somebody liked, and what the words ask for.

A system is better only if it is better by one of them and not worse by the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from semrec.evaluate.slices import MARGIN, MIN_UNITS
from semrec.metrics.significance import Estimate
from semrec.types import Case

if TYPE_CHECKING:
    from semrec.evaluate.report import Report

TEXT = "text"
LIKED, ASKED_FOR = "liked", "asked for"
METRIC = {LIKED: "ndcg", ASKED_FOR: "precision"}
SHORT = {"ndcg": "NDCG", "precision": "P"}
SESSION = "session"
WITHOUT, AFTER = "without a session", "after a session"


def own_text(encoder: str) -> str:
    """The name of the text search by another encoder."""
    return f"{TEXT} ({encoder.rpartition('/')[2]})"


def is_text(system: str) -> bool:
    """True if a name is that of a text search."""
    return system == TEXT or system.startswith(f"{TEXT} (")


def text_among(systems: Iterable[str]) -> str | None:
    """The text search to measure by: `text`, else the first by another encoder."""
    names = [name for name in systems if is_text(name)]
    return TEXT if TEXT in names else next(iter(names), None)


def kind_of(case: Case) -> str:
    """The yardstick that a case belongs to."""
    return LIKED if case.topic is None else ASKED_FOR


def by_kind(cases: Sequence[Case]) -> dict[str, list[int]]:
    """Places of the cases of each kind, liked first; a kind without cases isn't there."""
    indices = {
        kind: [index for index, case in enumerate(cases) if kind_of(case) == kind]
        for kind in (LIKED, ASKED_FOR)
    }
    return {kind: own for kind, own in indices.items() if own}


@dataclass(frozen=True, kw_only=True)
class Yardstick:
    """The candidate beside the system to beat, on the cases of a kind or on a part of them.

    Attributes:
        kind: ``liked`` or ``asked for``.
        part: ``without a session``, ``after a session``, or ``""`` for all of the kind.
        measure: ``NDCG@10`` or ``P@10``.
        candidate: The system that is to be better.
        reference: The system to beat.
        n_cases: How many cases.
        n_units: Independent units among them.
        ratio: The candidate's measure over the reference's; None where that is 0.
        difference: The candidate's measure minus the reference's.
        base: The reference's measure.
        real: Whether a difference stands all tests, where there is one besides the interval.
    """

    kind: str
    part: str = ""
    measure: str
    candidate: str
    reference: str
    n_cases: int
    n_units: int
    ratio: Estimate | None
    difference: Estimate
    base: float
    real: bool = True

    @property
    def verdict(self) -> str:
        """In a word or two: better, not worse, worse or inconclusive."""
        if self.difference.low > 0 and self.real:
            return "better"
        if self.n_units >= MIN_UNITS and self.difference.low >= -MARGIN * self.base:
            return "not worse"
        return "worse" if self.difference.high < 0 and self.real else "inconclusive"

    def figures(self) -> str:
        """The ratio with its interval, or the difference where there is none."""
        if self.ratio is None:
            gap = self.difference
            return f"{gap.mean:+.4f} ({gap.low:+.4f} to {gap.high:+.4f})"
        return f"{self.ratio.mean:.2f} x ({self.ratio.low:.2f} to {self.ratio.high:.2f})"


def whole(report: Report) -> Yardstick | None:
    """All cases of a report's own kind; None if nothing is compared."""
    if report.reference is None or report.candidate is None:
        return None
    pair = report.pair(report.candidate, report.reference)
    assert pair is not None
    return Yardstick(
        kind=report.kind,
        measure=report.measure,
        candidate=report.candidate,
        reference=report.reference,
        n_cases=report.n_cases,
        n_units=report.n_units,
        ratio=report.ratios.get(report.candidate),
        difference=Estimate(mean=pair.difference, low=pair.low, high=pair.high),
        base=report.row(report.reference).metrics[report.metric].mean,
        real=pair.p_holm <= 0.05,
    )


def parts(report: Report) -> list[Yardstick]:
    """The parts of what was asked for: without a session, and after one."""
    if report.kind != ASKED_FOR or report.reference is None or report.candidate is None:
        return []
    rows = []
    for part in report.slices:
        if part.family == SESSION:
            mean = part.fused - part.behavioural
            rows.append(
                Yardstick(
                    kind=report.kind,
                    part=part.name,
                    measure=report.measure,
                    candidate=report.candidate,
                    reference=report.reference,
                    n_cases=part.n_cases,
                    n_units=part.n_units,
                    ratio=part.ratios.get(report.candidate),
                    difference=Estimate(mean=mean, low=part.low, high=part.high),
                    base=part.behavioural,
                )
            )
    return rows


def verdict_of(report: Report) -> str:
    """A report's verdict by its own kind: better, not worse, worse or inconclusive.

    Not worse is only what is so on every slice with enough units.
    """
    all_of_it = whole(report)
    if all_of_it is None:
        return ""
    verdict = all_of_it.verdict
    if "worse" in [part.verdict for part in parts(report)]:
        return "worse"
    held = all(part.verdict not in ("worse", "unclear") for part in report.slices)
    return "inconclusive" if verdict == "not worse" and not held else verdict


def outcome(report: Report) -> tuple[str, str]:
    """The last words of a verdict, and what they come to: better, not worse, worse or unclear."""
    own = verdict_of(report)
    if not own:
        return "", ""
    if report.asked_for is None:
        if report.kind == LIKED:
            pair = report.pair(str(report.candidate), str(report.reference))
            assert pair is not None
            return pair.verdict, pair.verdict
        return own, own
    kinds = {ASKED_FOR: verdict_of(report.asked_for), LIKED: own}
    verdicts = list(kinds.values())
    if verdicts[0] == verdicts[1]:
        return f"{own} on both", own
    words = ", ".join(f"{verdict} on {kind}" for kind, verdict in kinds.items())
    if "better" in verdicts:
        return words, "better" if "not worse" in verdicts else "not better"
    return words, "worse" if "worse" in verdicts else "inconclusive"


IN_WORDS = {
    "better": "better than",
    "worse": "worse than",
    "not worse": "not worse than",
    "inconclusive": "not shown to differ from",
    "no difference shown": "not shown to differ from",
}


def headline(report: Report) -> str:
    """The verdict in words, of each kind of cases; empty if nothing is compared."""
    if whole(report) is None:
        return ""
    if report.asked_for is None:
        return f"{report.candidate} is {IN_WORDS[outcome(report)[1]]} {_opponent(report)}"
    kinds = [
        f"{IN_WORDS[verdict_of(part)]} {_opponent(part)} at what was {part.kind}"
        for part in (report.asked_for, report)
    ]
    return f"{report.candidate} is {' and '.join(kinds)}"


def sentences(report: Report) -> list[str]:
    """The verdict without its last words, one sentence a kind, what was asked for first."""
    if report.asked_for is not None:
        return [f"{ASKED_FOR}: {_parted(report.asked_for)}", f"{LIKED}: {_short(report)}"]
    if report.kind == ASKED_FOR and whole(report) is not None:
        return [f"{ASKED_FOR}: {_parted(report)}"]
    row = whole(report)
    if row is None:
        return [f"{report.n_cases} cases from {report.n_units} independent units"]
    if row.ratio is None:
        low, high = row.difference.low, row.difference.high
        return [
            f"{row.candidate} against {row.reference}: {row.difference.mean:+.4f} "
            f"{row.measure}, 95 % interval {low:+.4f} to {high:+.4f}"
        ]
    return [
        f"{row.candidate} has {row.ratio.mean:.2f} x the {row.measure} of {_opponent(report)}, "
        f"95 % interval {row.ratio.low:.2f} to {row.ratio.high:.2f}"
    ]


def _short(report: Report) -> str:
    row = whole(report)
    if row is None:
        return f"{report.n_cases} cases from {report.n_units} independent units"
    if row.ratio is None:
        return f"{row.candidate} against {row.reference}: {row.figures()} {row.measure}"
    interval = f"({row.ratio.low:.2f} to {row.ratio.high:.2f})"
    return (
        f"{row.candidate} has {row.ratio.mean:.2f} x the {row.measure} of {_opponent(report)} "
        f"{interval}"
    )


def _parted(report: Report) -> str:
    """Both parts of what was asked for in one sentence."""
    halves = parts(report)
    if not halves or any(part.ratio is None for part in halves):
        return _short(report)
    first, *rest = halves
    assert first.ratio is not None
    low, high = first.ratio.low, first.ratio.high
    begun = (
        f"{first.candidate} has {first.ratio.mean:.2f} x the {first.measure} of "
        f"{_opponent(report)} ({low:.2f} to {high:.2f}) {first.part}"
    )
    return ", ".join([begun, *(f"{part.figures()} after one" for part in rest)])


def _opponent(report: Report) -> str:
    """The system to beat, and what it stands for."""
    named = report.reference == report.behavioural_only
    return f"behavioural-only ({report.reference})" if named else str(report.reference)


def below_text(report: Report) -> list[str]:
    """Requests with words on which the candidate is below the text search, a line each."""
    text = text_among(row.system for row in report.rows)
    if text is None or report.candidate is None or report.candidate == text:
        return []
    if report.kind == ASKED_FOR:
        looked_at = [part for part in report.slices if part.family == SESSION]
    else:
        looked_at = [report.worded] if report.worded is not None else []
        looked_at += [
            part
            for part in report.slices
            if part.family == "words" and part.name != "no words" and part.n_units >= MIN_UNITS
        ]
    losses = []
    for part in looked_at:
        mean, low, high = part.over.get(text, (1.0, 1.0, 1.0))
        if high < 1:
            losses.append(
                f"{report.candidate} is below {text} on “{part.name}” ({part.n_units:,} units): "
                f"{mean:.2f} x its {report.measure} ({low:.2f} to {high:.2f})"
            )
    return losses
