"""Runs of the flow: begun, resumed, listed. Metaflow's state lies in one folder, and nowhere else.

``STATE/.metaflow`` is Metaflow's own, ``STATE/reports/RUN`` has the report of each run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import semrec
from semrec.errors import ConfigError, DataError, ModelError, StateError, nearest
from semrec.flow.promoting import locked
from semrec.flow.steps import Plan

FLOW = "TrainFlow"
S3_ROOT = "METAFLOW_DATASTORE_SYSROOT_S3"
COMPILED_S = 120.0
STEPS = ("start", "build", "evaluate", "gate", "publish", "promote", "end")
PIPELINE = Path(__file__).with_name("pipeline.py")
KEPT = (
    *("dataset", "snapshot", "artifact", "built_by", "comparison", "report"),
    *("verdicts", "passed", "collection", "promoted"),
)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run.

    Attributes:
        run: Its id.
        created: In UTC, ISO 8601.
        finished: True if its last step ended well.
        steps: Names of the steps that ended well, in their order.
        values: Of those in `KEPT` that its steps have reached: plain values.
        tags: Hashes of what went in and came out.
    """

    run: str
    created: str
    finished: bool
    steps: tuple[str, ...]
    values: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


def start_run(plan: Plan, state: Path) -> Run:
    """Run the flow, a process for each step; what it prints goes to stderr.

    Raises:
        ModelError: If Metaflow isn't installed.
        StateError: If another run is under way, or a step failed: then `resume_run` goes on.
    """
    options = {
        "data": plan.data,
        "config": plan.config,
        "settings": json.dumps(list(plan.settings)),
        "intents": json.dumps(list(plan.intents)),
        "cases": json.dumps(list(plan.cases)),
        "out": plan.out,
        "gates": plan.gates,
        "promote": plan.link,
        "engine": plan.index,
        "log": plan.log,
        "since": repr(plan.since_s),
        "home": str(Path.cwd()),
        "reports": str(state.absolute() / "reports"),
    }
    given = [text for name, value in options.items() for text in (f"--{name}", value)]
    return _execute("run", given, state)


def resume_run(run: str, state: Path) -> Run:
    """Go on with a run that ended early, as a new one: steps that ended well aren't run again.

    Raises:
        DataError: If there is no such run.
        ModelError: If Metaflow isn't installed.
        StateError: As `start_run`.
    """
    read_run(run, state)
    return _execute("resume", ["--origin-run-id", run], state)


def read_runs(state: Path) -> list[Run]:
    """All runs, the newest first.

    Raises:
        ModelError: If Metaflow isn't installed.
    """
    if not (state / ".metaflow" / FLOW).is_dir():
        return []
    with _client(state) as metaflow:
        return [_read(run) for run in metaflow.Flow(FLOW)]


def read_run(run: str, state: Path) -> Run:
    """A run by its id.

    Raises:
        DataError: If there is none of that id, naming those that there are.
        ModelError: If Metaflow isn't installed.
    """
    runs = {known.run: known for known in read_runs(state)}
    if run not in runs:
        raise DataError(f"no run {run!r} in {state}{nearest(run, runs)}")
    return runs[run]


def compile_workflow(state: Path, decorators: Sequence[str] = ()) -> dict[str, Any]:
    """The flow as a WorkflowTemplate of Argo Workflows, for a cluster.

    Metaflow stores the flow's code under ``METAFLOW_DATASTORE_SYSROOT_S3``; pods take it there.

    Args:
        state: Metaflow's folder.
        decorators: Of every step, as Metaflow has them: ``kubernetes:image=…``.

    Raises:
        ConfigError: If no S3 is set.
        ModelError: If Metaflow or kubernetes isn't installed.
        StateError: If it can't be compiled, or S3 isn't reached in `COMPILED_S`.
    """
    _require()
    if find_spec("kubernetes") is None:
        raise ModelError("kubernetes isn't installed: pip install 'semrec[argo]'")
    if not os.environ.get(S3_ROOT):
        raise ConfigError(f"{S3_ROOT} isn't set: expected s3://BUCKET/FOLDER, for the flow's code")
    state = state.absolute()
    (state / ".metaflow").mkdir(parents=True, exist_ok=True)
    given = [text for decorator in decorators for text in ("--with", decorator)]
    whole = [sys.executable, str(PIPELINE), "--no-pylint", "--datastore=s3", *given]
    try:
        done = subprocess.run(
            [*whole, "argo-workflows", "create", "--only-json"],
            cwd=state,
            env=environment(state),
            stdout=subprocess.PIPE,
            check=False,
            timeout=COMPILED_S,
        )
    except subprocess.TimeoutExpired:
        raise StateError(
            f"not compiled in {COMPILED_S:.0f} s: is {os.environ[S3_ROOT]} there, and "
            "METAFLOW_S3_ENDPOINT_URL right?"
        ) from None
    if done.returncode:
        raise StateError("not compiled, as is said above")
    template: dict[str, Any] = json.loads(done.stdout)
    return template


def environment(state: Path) -> dict[str, str]:
    """Variables that keep Metaflow to the folder `state`, and let it find this semrec."""
    source = str(Path(semrec.__file__).parents[1])
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        "METAFLOW_USER": "semrec",  # the system's own may be root, which it refuses
        **os.environ,
        "METAFLOW_HOME": str(state / "home"),
        "PYTHONPATH": os.pathsep.join(paths),
    }


def _execute(command: str, options: Sequence[str], state: Path) -> Run:
    _require()
    state = state.absolute()
    (state / ".metaflow").mkdir(parents=True, exist_ok=True)  # else it takes one further up
    id_file = state / "run-id"
    whole = [sys.executable, str(PIPELINE), "--no-pylint", command, "--run-id-file", str(id_file)]
    with locked(state, "run") as lock:
        id_file.unlink(missing_ok=True)
        ended = subprocess.run(
            [*whole, *options],
            cwd=state,
            env=environment(state),
            stdout=sys.stderr,
            check=False,
            pass_fds=(lock,),  # a run that lost its parent still holds off others
        )
        run = id_file.read_text(encoding="utf-8").strip() if id_file.is_file() else ""
    if ended.returncode or not run:
        again = f"; mend it, then: semrec flow resume {run}" if run else ""
        raise StateError(f"run {run or '(none)'} failed, as is said above{again}")
    _tag(run, state)
    return read_run(run, state)


def _tag(run: str, state: Path) -> None:
    """Tag a run with the hashes of what went in and came out."""
    values = read_run(run, state).values
    snapshot = values["snapshot"]
    tags = [
        f"dataset:{snapshot['hash'][:12]}",
        f"config:{snapshot['config'][:12]}",
        f"artifact:{Path(values['artifact']).name}",
        *(["promoted"] if values.get("promoted") else []),
    ]
    with _client(state) as metaflow:
        metaflow.Run(f"{FLOW}/{run}").add_tags(tags)


def _read(run: Any) -> Run:  # noqa: ANN401
    """A run as Metaflow's client has it, as plain values."""
    ended = [step for step in run if step.task is not None and step.task.successful]
    ended.sort(key=lambda step: STEPS.index(step.id))  # resumed ones begin in any order
    values: dict[str, Any] = {}
    for step in ended:
        data = step.task.artifacts
        values |= {name: getattr(data, name).data for name in KEPT if hasattr(data, name)}
    return Run(
        run=run.id,
        created=run.created_at.isoformat(timespec="seconds"),
        finished=bool(run.successful),
        steps=tuple(step.id for step in ended),
        values=values,
        tags=tuple(sorted(run.user_tags)),
    )


@contextmanager
def _client(state: Path) -> Iterator[Any]:
    """Metaflow's client over one folder: it looks for its state from the working directory up."""
    _require()
    os.environ.update(environment(state.absolute()))
    with chdir(state):
        import metaflow

        metaflow.namespace(None)
        yield metaflow


def _require() -> None:
    if find_spec("metaflow") is None:
        raise ModelError("Metaflow isn't installed: pip install 'semrec[flow]'")
