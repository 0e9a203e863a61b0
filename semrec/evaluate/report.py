"""What a comparison found: numbers with intervals, in plain values, Markdown and JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semrec.evaluate.slices import Slice
from semrec.optional import import_pandas

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over cases and its 95 % interval over independent units."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """One system: each metric's estimate, and the share of the catalogue it showed."""

    system: str
    metrics: Mapping[str, Estimate]
    coverage: float | None


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
        ratios: Each other system's NDCG over that one's.
        notes: What the reader should know.
        versions: System → version of its artifact.
        cases_hash: sha256 of the cases.
        slices: Fused against behavioural-only on some of the cases.
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

    def to_dict(self) -> dict[str, Any]:
        """As plain values, with the machine it ran on."""
        values = asdict(self)
        for pair, found in zip(values["pairs"], self.pairs, strict=True):
            pair["verdict"] = found.verdict
        for part, known in zip(values["slices"], self.slices, strict=True):
            part["verdict"] = known.verdict
        values["machine"] = {"cores": os.cpu_count(), "processor": platform.machine()}
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

    def verdict(self) -> str:
        """The comparison in one sentence."""
        pair = self._fused_pair()
        if not self.ratios and pair is not None:
            return (
                f"fused against {self.behavioural_only}: {pair.difference:+.4f} NDCG@{self.k}, "
                f"95 % interval {pair.low:+.4f} to {pair.high:+.4f}: {pair.verdict}"
            )
        if not self.ratios:
            return f"{self.n_cases} cases from {self.n_units} independent units"
        name = (
            "fused"
            if "fused" in self.ratios
            else max(self.ratios, key=lambda system: self.ratios[system].mean)
        )
        ratio = self.ratios[name]
        sure = "better" if ratio.low > 1 else "worse" if ratio.high < 1 else "no difference shown"
        return (
            f"{name} has {ratio.mean:.2f} x the NDCG@{self.k} of behavioural-only "
            f"({self.behavioural_only}), 95 % interval {ratio.low:.2f} to {ratio.high:.2f}: {sure}"
        )

    def _fused_pair(self) -> Pair | None:
        """Fused against the best behavioural-only system, whichever came first."""
        for pair in self.pairs:
            if (pair.first, pair.second) == ("fused", self.behavioural_only):
                return pair
            if (pair.first, pair.second) == (self.behavioural_only, "fused"):
                return Pair(
                    first="fused",
                    second=pair.first,
                    difference=0.0 - pair.difference,  # 0 - 0 is 0, where -0.0 would print
                    low=0.0 - pair.high,
                    high=0.0 - pair.low,
                    p=pair.p,
                    p_holm=pair.p_holm,
                )
        return None

    def to_markdown(self) -> str:
        """Verdict, table, notes."""
        header = ["system", f"R@{self.k}", f"NDCG@{self.k}", "95 % interval", "MRR", "coverage"]
        lines = [self.verdict(), "", _line(header), _line(["---"] * len(header))]
        for row in self.rows:
            found = row.metrics
            cells = [
                row.system,
                f"{found['recall'].mean:.4f}",
                f"{found['ndcg'].mean:.4f}",
                f"{found['ndcg'].low:.4f} to {found['ndcg'].high:.4f}",
                f"{found['mrr'].mean:.4f}",
                "" if row.coverage is None else f"{row.coverage:.1%}",
            ]
            lines.append(_line(cells))
        units = f"{self.n_cases} cases, {self.n_units} independent units"
        rest = f", {self.without_relevant} more without a right answer"
        lines += ["", units + (rest if self.without_relevant else "")]
        lines += [f"- {note}" for note in self.notes]
        if self.slices:
            header = ["slice", "cases", "units", "behavioural", "fused", "difference", "verdict"]
            lines += ["", _line(header), _line(["---"] * len(header))]
            for part in self.slices:
                cells = [
                    part.name,
                    str(part.n_cases),
                    str(part.n_units),
                    f"{part.behavioural:.4f}",
                    f"{part.fused:.4f}",
                    f"{part.low:+.4f} to {part.high:+.4f}",
                    part.verdict,
                ]
                lines.append(_line(cells))
        return "\n".join(lines) + "\n"

    def save(self, folder: str | Path) -> list[Path]:
        """Write ``report.json`` and ``report.md`` into `folder`."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        contents = {
            "report.json": json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n",
            "report.md": self.to_markdown(),
        }
        for name, text in contents.items():
            (folder / name).write_text(text, encoding="utf-8")
        return [folder / name for name in contents]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
