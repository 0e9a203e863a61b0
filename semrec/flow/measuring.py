"""Steps of a run: a candidate is built, and measured beside the champion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from semrec.artifact.folder import MANIFEST, write_run
from semrec.artifact.stored import load
from semrec.config import Config
from semrec.data.dataset import Dataset, read_dataset
from semrec.errors import ArtifactError
from semrec.evaluate.compare import compare
from semrec.evaluate.runners import System, answer
from semrec.evaluate.systems import cases_for, with_cache
from semrec.evaluate.text_search import text_systems
from semrec.flow.gates import BASELINE, CANDIDATE, CHAMPION, Evidence
from semrec.flow.promoting import N_VERSION, UNFINISHED
from semrec.flow.snapshot import drift_of
from semrec.metrics.significance import percentiles
from semrec.recommender import Recommender
from semrec.training.build import build
from semrec.training.synthetic_queries import synthetic_topics
from semrec.types import Case, Progress

N_TIMED = 300  # single requests: p99 is the third-slowest
SYNTHETIC = "held-out next items and synthetic topics: no real requests, give some with --cases"
LOGGED = (
    "requests of the service's log and synthetic topics; people like what they are shown, and look "
    "at what stands first: that favours the artifact that served them"
)


def build_candidate(
    dataset: Dataset,
    config: Config,
    out: Path,
    intents: Sequence[Path] = (),
    progress: Progress | None = None,
    run: str = "",
) -> Path:
    """Build an artifact into a folder of artifacts, named by the first letters of its checksum.

    Args:
        dataset: What is learned from.
        config: The whole configuration.
        out: The folder of artifacts, made where it is absent.
        intents: Files with requests to learn from.
        progress: Called as work proceeds.
        run: Of the flow, for the manifest; ``""``: none.

    Returns:
        Its folder. The same artifact built before is left as it is.

    Raises:
        SemrecError: As `build`; nothing is left behind then.
    """
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out, prefix=UNFINISHED) as temporary:
        made = Path(temporary) / "artifact"
        built = build(dataset, config=config, out=made, intents=intents, progress=progress)
        folder = out / str(built.manifest["checksum"])[:N_VERSION]
        if not (folder / MANIFEST).is_file():
            if run:
                write_run(made, run)
            made.rename(folder)
    return folder


def load_champion(link: Path | None) -> Recommender | None:
    """The artifact that a link leads to; None where there is no link yet.

    Raises:
        ArtifactError: If it leads nowhere, or to what can't be loaded.
    """
    if link is None or not (link.exists() or link.is_symlink()):
        return None
    if not link.exists():
        raise ArtifactError(f"{link}: leads nowhere; turn it to an artifact, or remove it")
    return load(link.resolve())


def measure_candidate(
    data: Path,
    candidate: Path,
    champion: Recommender | None,
    cases: Sequence[str] = (),
    *,
    logged: Sequence[str] = (),
    progress: Progress | None = None,
) -> Evidence:
    """Compare a candidate with champion, baseline and `text` on the same cases.

    Args:
        data: The dataset's folder.
        candidate: An artifact's folder.
        champion: The artifact that serves now; None: there is none.
        cases: Intents files; none: held-out next items (or `logged`) and synthetic topics, and
            the report says so.
        logged: Intents files of a service's log.
        progress: Called as work proceeds.

    Raises:
        DataError: If there is nothing to ask, or champion or candidate learned from the cases.
    """
    recommender = with_cache(load(candidate))
    serving = {} if champion is None else {CHAMPION: with_cache(champion)}
    own = {CANDIDATE: recommender, **serving}
    read = cases_for([*cases, *logged] or "test", own, data)
    notes = (LOGGED,) if logged else ()
    if not cases:
        read, notes = [*read, *topic_cases(recommender)], notes or (SYNTHETIC,)
    systems: dict[str, System] = {
        **serving,
        BASELINE: recommender.baseline(),
        **text_systems(
            recommender.catalog, recommender.interactions, read, [recommender.encoder], progress
        ),
        CANDIDATE: recommender,
    }
    answers = answer(recommender, read, k=20, name=CANDIDATE, timed=N_TIMED, progress=progress)
    report = compare(systems, read, answered={CANDIDATE: answers}, progress=progress)
    report = replace(report, notes=(*notes, *report.notes))
    return Evidence(
        report=report,
        p99_ms=percentiles(answers.latency_ms).get("p99", float("inf")),
        recall=min(recommender.manifest["index"].get("recall", {}).values(), default=1.0),
        drift=None if champion is None else drift_of(read_dataset(data), champion),
    )


def topic_cases(recommender: Recommender) -> list[Case]:
    """Synthetic topics of a catalogue, alone and after a stranger's session."""
    rng = np.random.default_rng(0)
    alone, after = synthetic_topics(recommender.catalog, recommender.interactions, rng)
    return [
        replace(case, case_id=f"{case.case_id}{kind}", topic=case.unit)
        for kind, drawn in (("", alone), (" after a session", after))
        for case in drawn
    ]
