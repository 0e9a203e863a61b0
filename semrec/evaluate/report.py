"""The report of a comparison: figures with intervals, as values, Markdown, HTML and JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semrec.environment.files import write_text
from semrec.environment.optional import import_pandas
from semrec.errors import preview
from semrec.evaluate.examples import Example
from semrec.evaluate.slices import Slice
from semrec.evaluate.yardsticks import (
    LIKED,
    METRIC,
    SESSION,
    SHORT,
    Yardstick,
    below_text,
    is_text,
    outcome,
    parts,
    sentences,
    whole,
)
from semrec.metrics.significance import Estimate

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Row:
    """One system.

    Attributes:
        system: Its name.
        metrics: Each metric at the report's `k`.
        coverage: The share of the catalogue it showed.
        at: Cutoff → each metric there.
        beyond: What its lists are like besides being right (`beyond_accuracy`).
        latency_ms: ``p50`` and ``p95`` of one request at a time, and of how many (``n``).
        faults: What was odd about its answers → in how many: ``raised`` (nothing came back),
            ``short`` (fewer than `k`), ``repeated``, ``unknown``, ``degraded``.
        budget_ms: The time that it had for each answer, if that was limited.
    """

    system: str
    metrics: Mapping[str, Estimate]
    coverage: float | None
    at: Mapping[int, Mapping[str, Estimate]] = field(default_factory=dict)
    beyond: Mapping[str, float] = field(default_factory=dict)
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)
    budget_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two systems' NDCG: first minus second, its interval, p and Holm's adjusted p."""

    first: str
    second: str
    difference: float
    low: float
    high: float
    p: float
    p_holm: float

    @property
    def verdict(self) -> str:
        """``better``, ``worse`` (the first than the second) or ``no difference shown``."""
        if self.low <= 0 <= self.high or self.p_holm > 0.05:
            return "no difference shown"
        return "better" if self.difference > 0 else "worse"


@dataclass(frozen=True, kw_only=True)
class Report:
    """The result of `compare`.

    Attributes:
        k: Cutoff of the metrics.
        seed: Of the resampling.
        n_cases: Cases that were scored.
        n_units: Independent units (dialogs or users) among them.
        without_relevant: Cases without a right answer: asked, not scored.
        rows: One per system, in the order given.
        pairs: Every two systems.
        behavioural_only: The best behavioural-only system.
        ratios: Each other system's NDCG over that one's; of topic cases its precision over that of
            the reference.
        notes: What the reader should know.
        versions: System → version of its artifact.
        cases_hash: sha256 of the cases.
        slices: Candidate against reference on some of the cases.
        reference: The system to beat: of topic cases `text`, of others the best behavioural-only
            one; where it isn't there, the other of these two, else the first.
        candidate: The one that is to beat it: ``fused``, else the best of the others.
        examples: The cases that gained most, then those that lost most.
        kind: What the cases are: ``liked``, or ``asked for`` if all of them are topic cases.
        asked_for: Where there are cases of both kinds, the topic cases' own report; all else here
            is of the others then, but for faults, latency and the hash.
        worded: Candidate against reference on all requests with words, where `text` is asked too.
        origins: System → what it was made of: versions and hashes.
        code_hash: sha256 of semrec's own source.
        command: The command that makes this report again.

    Examples:
        >>> import semrec
        >>> rec = semrec.load("artifacts/films")
        >>> query = semrec.Query(intent="alone in space")
        >>> case = semrec.Case(case_id="1", query=query, relevant=("moon",), unit="dialog 1")
        >>> report = semrec.compare({"fused": rec, "baseline": rec.baseline()}, [case])
        >>> report.measure, report.row("fused").metrics["mrr"].mean
        ('NDCG@10', 1.0)
        >>> [path.name for path in report.save("report")]
        ['report.json', 'report.md', 'report.html']
    """

    k: int
    seed: int
    n_cases: int
    n_units: int
    without_relevant: int
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    behavioural_only: str | None
    ratios: Mapping[str, Estimate]
    notes: tuple[str, ...]
    versions: Mapping[str, str]
    cases_hash: str
    slices: tuple[Slice, ...] = ()
    reference: str | None = None
    candidate: str | None = None
    examples: tuple[Example, ...] = ()
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    code_hash: str = ""
    command: str = ""
    kind: str = LIKED
    asked_for: Report | None = None
    worded: Slice | None = None

    def __repr__(self) -> str:
        systems = ", ".join(row.system for row in self.rows)
        return f"Report({preview(systems)}; {self.n_cases:,} cases of {self.n_units:,} units)"

    @property
    def metric(self) -> str:
        """The metric that verdict, pairs, ratios and slices are of."""
        return METRIC[self.kind]

    @property
    def measure(self) -> str:
        """That metric with its cutoff, as it is written: ``NDCG@10``, ``P@10``."""
        return f"{SHORT[self.metric]}@{self.k}"

    def row(self, system: str) -> Row:
        """The row of a system.

        Raises:
            KeyError: If it isn't in the report.
        """
        return {row.system: row for row in self.rows}[system]

    def pair(self, first: str, second: str) -> Pair | None:
        """Two systems, whichever came first in the report."""
        for pair in self.pairs:
            if (pair.first, pair.second) == (first, second):
                return pair
            if (pair.first, pair.second) == (second, first):
                return Pair(
                    first=first,
                    second=second,
                    difference=0.0 - pair.difference,  # 0 - 0 is 0, where -0.0 would print
                    low=0.0 - pair.high,
                    high=0.0 - pair.low,
                    p=pair.p,
                    p_holm=pair.p_holm,
                )
        return None

    def pairs_seen(self) -> list[Pair]:
        """All pairs, those of the candidate first and seen from it."""
        if self.candidate is None:
            return list(self.pairs)
        own = [self.pair(self.candidate, row.system) for row in self.rows]
        others = [p for p in self.pairs if self.candidate not in (p.first, p.second)]
        return [pair for pair in own if pair is not None] + others

    def regressions(self) -> list[str]:
        """Losses of the candidate: below `text` on requests with words, and slices that it loses.

        A slice counts as lost by a candidate that isn't worse on the whole.
        """
        losses = [] if self.asked_for is None else self.asked_for.regressions()
        losses += below_text(self)
        if self.reference is None or self.candidate is None:
            return losses
        over_all = self.pair(self.candidate, self.reference)
        for part in self.slices:
            if is_text(self.reference) and part.family in (SESSION, "words"):
                continue  # said above
            lost = part.verdict != "too few units" and self.candidate in part.losers
            if lost and over_all is not None and over_all.verdict != "worse":
                losses.append(
                    f"{self.candidate} loses “{part.name}” ({part.n_units:,} units): "
                    f"{self.measure} {part.systems[self.candidate].mean:.4f} against "
                    f"{part.behavioural:.4f} of {self.reference}"
                )
        return losses

    def verdict(self) -> str:
        """The comparison in one sentence; with cases of both kinds it says both."""
        words, _ = outcome(self)
        text = "; ".join(sentences(self))
        return f"{text}: {words}" if words else text

    def yardsticks(self) -> list[Yardstick]:
        """Each kind of cases, what was asked for first: in parts, then as a whole."""
        asked_for = [] if self.asked_for is None else self.asked_for.yardsticks()
        own = whole(self)
        return [*asked_for, *parts(self), *([] if own is None else [own])]

    def to_dict(self) -> dict[str, Any]:
        """As plain values, with the machine it ran on."""
        values = self._as_values()
        values["verdict"] = self.verdict()
        values["outcome"] = outcome(self)[1]
        values["yardsticks"] = [
            {**asdict(yardstick), "verdict": yardstick.verdict} for yardstick in self.yardsticks()
        ]
        values["machine"] = {"cores": os.cpu_count(), "processor": platform.machine()}
        return values

    def _as_values(self) -> dict[str, Any]:
        values = asdict(self)
        for pair, computed in zip(values["pairs"], self.pairs, strict=True):
            pair["verdict"] = computed.verdict
        for part, known in zip(values["slices"], self.slices, strict=True):
            part["verdict"] = known.verdict
        values["regressions"] = self.regressions()
        if self.asked_for is not None:
            values["asked_for"] = self.asked_for._as_values()
        return values

    def to_frame(self) -> pd.DataFrame:
        """One row per system, one column per metric (means)."""
        records = [
            {
                "system": row.system,
                **{f"{m}@{self.k}": estimate.mean for m, estimate in row.metrics.items()},
                "coverage": row.coverage,
            }
            for row in self.rows
        ]
        frame: pd.DataFrame = import_pandas().DataFrame(records)
        return frame

    def to_markdown(self) -> str:
        """Verdict, tables, notes."""
        from semrec.evaluate.report_tables import report_markdown

        return report_markdown(self)

    def to_html(self) -> str:
        """One self-contained page: no script, no request to anywhere."""
        from semrec.evaluate.rendering import report_page

        return report_page(self)

    def _repr_html_(self) -> str:
        from semrec.evaluate.rendering import report_cell

        return report_cell(self)

    def save(self, folder: str | Path) -> list[Path]:
        """Write ``report.json``, ``report.md`` and ``report.html`` into `folder`."""
        folder = Path(folder)
        contents = {
            "report.json": json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n",
            "report.md": self.to_markdown(),
            "report.html": self.to_html(),
        }
        return [write_text(folder / name, text) for name, text in contents.items()]
