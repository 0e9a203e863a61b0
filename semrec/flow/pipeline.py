"""The flow: the order of a run's steps, as Metaflow runs, resumes and compiles it.

    start (import a log, snapshot) → build → evaluate → gate → publish → promote → end
                                               ↘ end, if a gate fails
    publish only with an index elsewhere, promote only with a link

A file of its own that Metaflow executes, a process for each step. Only words, numbers and paths
are kept between steps.
"""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

from metaflow import FlowSpec, JSONType, Parameter, card, current, step
from metaflow.cards import Markdown

from semrec.flow import steps


class TrainFlow(FlowSpec):
    """From a dataset to an artifact that serves, if it keeps to the gates."""

    data = Parameter("data", required=True, help="The dataset's folder.")
    config = Parameter("config", default="default", help="A packaged name, or a path.")
    settings = Parameter("settings", type=JSONType, default="[]", help="Single values, a list.")
    intents = Parameter("intents", type=JSONType, default="[]", help="Requests to learn from.")
    cases = Parameter("cases", type=JSONType, default="[]", help="Requests to compare on.")
    out = Parameter("out", default="artifacts", help="The folder of artifacts.")
    gates = Parameter("gates", default="", help="A file of gates.")
    link = Parameter("promote", default="", help="The link to turn.")
    # Not `index`: that is Metaflow's own, of a loop.
    log = Parameter("log", default="", help="A service's --state, imported first.")
    since = Parameter("since", type=float, default=0.0, help="From when on requests count.")
    engine = Parameter("engine", default="", help="Where rows are published before that.")
    home = Parameter("home", default=".", help="What relative paths are relative to.")
    reports = Parameter("reports", default="reports", help="The folder of reports.")

    def plan(self) -> steps.Plan:
        """The parameters, as the steps take them; once it is known, with the run's own dataset."""
        return steps.Plan(
            data=getattr(self, "dataset", self.data),
            config=self.config,
            settings=self.settings,
            intents=self.intents,
            cases=self.cases,
            out=self.out,
            gates=self.gates,
            link=self.link,
            index=self.engine,
            log=self.log,
            since_s=self.since,
        )

    @step
    def start(self) -> None:
        """Import a log, if there is one; look at dataset, configuration, gates and champion."""
        with chdir(self.home):
            self.dataset = steps.import_step(self.plan())
            self.snapshot = steps.snapshot_step(self.plan())
        self.next(self.build)

    @step
    def build(self) -> None:
        """Build the candidate."""
        with chdir(self.home):
            run = f"{current.flow_name}/{current.run_id}"
            self.artifact, self.built_by = steps.build_step(self.plan(), run)
        self.next(self.evaluate)

    @step
    def evaluate(self) -> None:
        """Compare it with champion, baseline and text search."""
        with chdir(self.home):
            folder = Path(self.reports).absolute() / current.run_id
            self.comparison = steps.evaluate_step(self.plan(), self.artifact, folder)
        self.report = str(folder)
        self.next(self.gate)

    @card(type="blank")
    @step
    def gate(self) -> None:
        """Hold it to the gates; the report is the step's card."""
        with chdir(self.home):
            self.verdicts = steps.gate_step(self.plan(), Path(self.report))
        text = (Path(self.report) / "report.md").read_text(encoding="utf-8")
        current.card.append(Markdown(text))
        self.passed = all(verdict["passed"] for verdict in self.verdicts)
        wanted = {"publish": self.engine, "promote": self.link, "end": True}
        self.onward = next(name for name, of in wanted.items() if of) if self.passed else "end"
        self.next(
            {"publish": self.publish, "promote": self.promote, "end": self.end}, condition="onward"
        )

    @step
    def publish(self) -> None:
        """Put its rows into the index elsewhere: whoever follows the link finds them there."""
        with chdir(self.home):
            self.collection = steps.publish_step(self.plan(), self.artifact)
        self.after = "promote" if self.link else "end"
        self.next({"promote": self.promote, "end": self.end}, condition="after")

    @step
    def promote(self) -> None:
        """Turn the link."""
        with chdir(self.home):
            self.promoted = steps.promote_step(self.plan(), self.artifact, current.run_id)
        self.next(self.end)

    @step
    def end(self) -> None:
        """Nothing is left to do."""


if __name__ == "__main__":
    TrainFlow()
