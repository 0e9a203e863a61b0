"""Steps of a run, between files: each takes paths and words, and gives back plain values.

What a later step needs lies in files, so that a run which was killed goes on from there. Torch is
imported by the steps that need it: each is a process, and waits some seconds for it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from semrec.artifact.folder import read_manifest
from semrec.config import Config, load_config
from semrec.data.checking import check, refuse_unbuildable
from semrec.data.dataset import read_dataset
from semrec.endpoint import index_at
from semrec.environment.files import write_text
from semrec.flow.gates import Evidence, check_gates, load_gates
from semrec.flow.promoting import N_VERSION, promote
from semrec.flow.snapshot import describe_snapshot
from semrec.index.milvus_server import server_at
from semrec.sessions.importing import COMPARED, next_version

EVIDENCE, VERDICTS = "evidence.json", "verdicts.json"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A run's inputs, and what it is to turn.

    Attributes:
        data: The dataset's folder.
        config: Name of a packaged configuration, or a path.
        settings: Single values of it.
        intents: Files of requests to learn from.
        cases: Files of requests to compare on; none: held-out next items and synthetic topics.
        out: The folder of artifacts.
        gates: A file of gates; ``""``: the default ones.
        link: The link to turn; ``""``: none, and there is no champion.
        index: Where the candidate's rows are published before that; ``""``: nowhere.
        log: A service's ``--state``, which is imported first; ``""``: none is.
        since_s: The Unix second from which on the log's requests count.
    """

    data: str
    config: str = "default"
    settings: Sequence[str] = ()
    intents: Sequence[str] = ()
    cases: Sequence[str] = ()
    out: str
    gates: str = ""
    link: str = ""
    index: str = ""
    log: str = ""
    since_s: float = 0.0

    @property
    def logged_cases(self) -> tuple[str, ...]:
        """The file of the log's requests to compare on, if the dataset has one."""
        path = Path(self.data) / COMPARED
        return (str(path),) if path.is_file() else ()

    @property
    def learns_all(self) -> bool:
        """True if there are requests to compare on: no events need be held out then."""
        return bool(self.cases or self.logged_cases)


def import_step(plan: Plan) -> str:
    """The dataset that the run goes on with: the log's new version of it, or itself.

    Raises:
        SemrecError: As `next_version`.
    """
    if not plan.log:
        return plan.data
    return str(next_version(Path(plan.log), Path(plan.data), plan.since_s))


def snapshot_step(plan: Plan) -> dict[str, Any]:
    """The dataset's snapshot, with the champion's version beside it.

    Raises:
        SemrecError: If dataset, configuration, gates or champion can't be used: known now, rather
            than after a build.
    """
    dataset = read_dataset(plan.data)
    refuse_unbuildable(check(dataset), dataset.name)
    config = _config(plan)
    load_gates(plan.gates or None)
    if plan.index:
        server_at(plan.index)
    link = _link(plan)
    champion = "" if link is None or not link.exists() else _version(link.resolve())
    return {**describe_snapshot(dataset), "config": config.hash, "champion": champion}


def build_step(plan: Plan, run: str) -> tuple[str, str]:
    """The candidate's folder, as an absolute path, and by which run it was built.

    Args:
        plan: As of the whole run.
        run: This one, for the manifest. The same artifact built before keeps the one that built it.
    """
    from semrec.flow.measuring import build_candidate

    intents = [Path(path) for path in plan.intents]
    dataset = read_dataset(plan.data)
    folder = build_candidate(dataset, _config(plan), Path(plan.out), intents, run=run)
    return str(folder.resolve()), read_manifest(folder, verify="size").run


def evaluate_step(plan: Plan, candidate: str, folder: Path) -> str:
    """Measure a candidate; its report and the evidence lie in `folder` then.

    Returns:
        The verdict of the comparison, in words.
    """
    from semrec.flow.measuring import load_champion, measure_candidate

    evidence = measure_candidate(
        Path(plan.data),
        Path(candidate),
        load_champion(_link(plan)),
        plan.cases,
        logged=plan.logged_cases,
    )
    evidence.report.save(folder)
    write_text(folder / EVIDENCE, json.dumps(asdict(evidence)))
    return evidence.report.verdict()


def gate_step(plan: Plan, folder: Path) -> list[dict[str, Any]]:
    """The verdicts of all gates on what was measured, as plain values."""
    evidence = TypeAdapter(Evidence).validate_json((folder / EVIDENCE).read_bytes())
    verdicts = [asdict(v) for v in check_gates(load_gates(plan.gates or None), evidence)]
    write_text(folder / VERDICTS, json.dumps(verdicts, indent=1))
    return verdicts


def publish_step(plan: Plan, candidate: str) -> str:
    """Publish a candidate's rows; the collection's name."""
    from semrec.training.publication import publish_artifact

    return str(publish_artifact(Path(candidate), index_at(plan.index))["collection"])


def promote_step(plan: Plan, candidate: str, run: str) -> str:
    """Turn the link to the candidate; its version. A link that leads there stays as it is."""
    link = Path(plan.link)
    if link.resolve() != Path(candidate):
        promote(link, Path(candidate), run)
    return _version(Path(candidate))


def _config(plan: Plan) -> Config:
    """The candidate's configuration; without cases, events are left to ask about."""
    config = load_config(plan.config, plan.settings)
    if not plan.learns_all and config.split.test == "none":
        return load_config(plan.config, [*plan.settings, "split.test=time"])
    return config


def _link(plan: Plan) -> Path | None:
    return Path(plan.link) if plan.link else None


def _version(artifact: Path) -> str:
    return read_manifest(artifact, verify="size").checksum[:N_VERSION]
