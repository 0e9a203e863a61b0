"""Gates: bounds that a candidate keeps to, or it isn't promoted.

quality   not worse than champion and baseline, by paired intervals, on both yardsticks
slices    no slice lost against the champion by more than the margin
latency   p99 of single requests
recall    of an index that isn't exact
drift     of the dataset from what the champion learned from
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from semrec.errors import ConfigError, nearest
from semrec.evaluate.report import Report
from semrec.evaluate.slices import MARGIN, MIN_UNITS
from semrec.evaluate.yardsticks import ASKED_FOR, LIKED
from semrec.flow.snapshot import Drift

CANDIDATE, CHAMPION, BASELINE, TEXT = "fused", "champion", "baseline", "text"
"""Systems of a run's report; the candidate is called as `compare` calls what is to be better."""

Opponent = Literal["champion", "baseline", "text"]
Kind = Literal["liked", "asked for"]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class QualityGate(_Closed):
    """The candidate against others: the interval's lower end, as a share of their measure."""

    against: tuple[Opponent, ...] = ("champion", "baseline")
    yardsticks: tuple[Kind, ...] = Field(default=("liked", "asked for"), min_length=1)
    lower_end_at_least: float = Field(default=-MARGIN, ge=-1, le=1)
    min_units: int = Field(default=MIN_UNITS, ge=2)  # fewer prove nothing but a gain


class SlicesGate(_Closed):
    """Slices that may be lost against the champion: wholly below it, by `margin` at the lower end.

    Without a margin a slice would be lost by the hundredth that many cases can show.
    """

    lost: int = Field(default=0, ge=0)
    margin: float = Field(default=MARGIN, ge=0, le=1)
    min_units: int = Field(default=MIN_UNITS, ge=2)


class LatencyGate(_Closed):
    """Milliseconds of single warm requests on the machine that evaluates."""

    p99_ms: float = Field(gt=0)


class DriftGate(_Closed):
    """Bounds of `Drift`."""

    items_gone: float = Field(default=0.1, ge=0, le=1)
    attributes_gone: int = Field(default=0, ge=0)
    popularity: float = Field(default=0.5, ge=0, le=1)


class Gates(_Closed):
    """The gates of a run; one that is null is open."""

    quality: QualityGate | None = QualityGate()
    slices: SlicesGate | None = SlicesGate()
    latency: LatencyGate | None = None
    recall: float | None = Field(default=0.97, ge=0, le=1)
    drift: DriftGate | None = DriftGate()


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Measurements of a candidate.

    Attributes:
        report: Of `compare`: the candidate as ``fused``, beside ``champion`` (unless it is the
            first), ``baseline`` and, where its weights are here, ``text``.
        p99_ms: Of single requests.
        recall: The least of the index's; 1 where it is exact.
        drift: Of the dataset; None: there is no champion.
    """

    report: Report
    p99_ms: float
    recall: float
    drift: Drift | None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A gate's verdict.

    Attributes:
        gate: Its name, such as ``quality (liked) against champion``.
        passed: True if the candidate keeps to the bound.
        figure: What was measured; None: nothing could be.
        bound: What it is held to; None: nothing is.
        reason: Both, in words.
    """

    gate: str
    passed: bool
    figure: float | None
    bound: float | None
    reason: str


def load_gates(path: str | Path | None) -> Gates:
    """The gates of a YAML file; None: the default ones.

    Raises:
        ConfigError: If it can't be read, or naming the key that is unknown or wrong.

    Examples:
        >>> load_gates(None).quality.lower_end_at_least
        -0.05
    """
    if path is None:
        return Gates()
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not readable as YAML: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: found {type(values).__name__}, expected `gate: bounds` lines")
    try:
        return Gates.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        *parents, key = map(str, first["loc"])
        where = ".".join([*parents, key])
        if first["type"] == "extra_forbidden":
            hint = nearest(key, Gates.model_fields) if not parents else ""
            raise ConfigError(f"{path}: unknown key {where!r}{hint}") from None
        raise ConfigError(f"{path}: {where}: found {first['input']!r}; {first['msg']}") from None


def check_gates(gates: Gates, evidence: Evidence) -> list[Verdict]:
    """The verdict of each gate; a candidate is promoted only if all have passed.

    A gate against the champion passes where there is none. All else that can't be measured fails.
    """
    verdicts: list[Verdict] = []
    if gates.quality is not None:
        verdicts += _quality(gates.quality, evidence.report)
    if gates.slices is not None:
        verdicts.append(_slices(gates.slices, evidence.report))
    if gates.latency is not None:
        bound = gates.latency.p99_ms
        verdicts.append(_at_most("latency p99", evidence.p99_ms, bound, " ms"))
    if gates.recall is not None:
        passed = evidence.recall >= gates.recall
        verdicts.append(_said("recall", passed, evidence.recall, gates.recall, "at least"))
    if gates.drift is not None:
        verdicts += _drift(gates.drift, evidence.drift)
    return verdicts


def _quality(gate: QualityGate, report: Report) -> Iterator[Verdict]:
    own = {part.kind: part for part in (report, report.asked_for) if part is not None}
    for kind in gate.yardsticks:
        for opponent in gate.against:
            # Who uses no words is measured by what people liked, a text search by words.
            if (kind, opponent) in {(ASKED_FOR, BASELINE), (LIKED, TEXT)}:
                continue
            name = f"quality ({kind}) against {opponent}"
            yield _not_worse(name, gate, own.get(kind), opponent)


def _not_worse(name: str, gate: QualityGate, report: Report | None, opponent: str) -> Verdict:
    """Verdict by the paired bootstrap over units: a gain, or not worse than by the margin."""
    bound = gate.lower_end_at_least
    if report is None:
        reason = "no cases of this yardstick: give some with --cases, or leave it out of yardsticks"
        return Verdict(gate=name, passed=False, figure=None, bound=bound, reason=reason)
    pair = report.pair(CANDIDATE, opponent)
    if pair is None:
        passed = opponent == CHAMPION
        missing = f"the report has no {opponent}: leave it out of quality.against"
        reason = "no champion yet" if passed else missing
        return Verdict(gate=name, passed=passed, figure=None, bound=bound, reason=reason)
    base = report.row(opponent).metrics[report.metric].mean
    lower = pair.low / base if base else pair.low
    gained = pair.low > 0 and lower >= bound
    enough = report.n_units >= gate.min_units
    reason = (
        f"{report.measure} {base + pair.difference:.4f} against {base:.4f}, of {report.n_units:,} "
        f"units; lower end {lower:+.1%} of it, at least {bound:+.1%}"
    )
    if not enough and not gained:
        reason += f"; fewer than {gate.min_units:,} units prove no tie"
    passed = gained or (enough and lower >= bound)
    return Verdict(gate=name, passed=passed, figure=lower, bound=bound, reason=reason)


def _slices(gate: SlicesGate, report: Report) -> Verdict:
    reports = [part for part in (report, report.asked_for) if part is not None]
    parts = [(part, part.over.get(CHAMPION)) for each in reports for part in each.slices]
    measured = [
        (part.name, over)
        for part, over in parts
        if over is not None and part.n_units >= gate.min_units
    ]
    lost = [
        f"“{name}” {mean:.2f} x ({low:.2f} to {high:.2f})"
        for name, (mean, low, high) in measured
        if high < 1 and low < 1 - gate.margin
    ]
    reason = f"{len(lost)} of {len(measured)} slices lost, at most {gate.lost}"
    return Verdict(
        gate="slices",
        passed=len(lost) <= gate.lost,
        figure=float(len(lost)),
        bound=float(gate.lost),
        reason=": ".join([reason, *filter(None, [", ".join(lost)])]),
    )


def _drift(gate: DriftGate, drift: Drift | None) -> list[Verdict]:
    if drift is None:
        reason = "no champion yet"
        return [Verdict(gate="drift", passed=True, figure=None, bound=None, reason=reason)]
    gone = _at_most("drift: attributes gone", len(drift.attributes_gone), gate.attributes_gone)
    if drift.attributes_gone:
        names = ", ".join(drift.attributes_gone)
        gone = Verdict(**{**vars(gone), "reason": f"{gone.reason}: {names}"})
    return [
        _at_most("drift: items gone", drift.items_gone, gate.items_gone),
        gone,
        _at_most("drift: popularity", drift.popularity, gate.popularity),
    ]


def _at_most(gate: str, figure: float, bound: float, unit: str = "") -> Verdict:
    return _said(gate, figure <= bound, figure, bound, "at most", unit)


def _said(
    gate: str, passed: bool, figure: float, bound: float, sense: str, unit: str = ""
) -> Verdict:
    reason = f"{figure:.4g}{unit}, {sense} {bound:.4g}{unit}"
    return Verdict(
        gate=gate, passed=passed, figure=float(figure), bound=float(bound), reason=reason
    )
