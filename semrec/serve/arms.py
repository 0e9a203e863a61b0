"""The experiments of a worker: the part that a request has in one, and its list.

    session or user → the first experiment that takes it → one arm's list, both drafted, or a draw

A list without a session is part of none: no event could be credited to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from semrec.deadline import Deadline
from semrec.experiments.assign import Arm, arm_of, enrolled, generator
from semrec.experiments.exploration import draw_order, propensities
from semrec.experiments.interleave import Interleaved, team_draft
from semrec.experiments.plan import Experiment, keep, read_experiments
from semrec.recommender import Recommender
from semrec.serve.engine import Answer, Engine
from semrec.serve.gc_freeze import set_apart
from semrec.sessions.log import Placement, ServedList
from semrec.types import Item, Query, Recommendations


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """An answer, and its part in an experiment.

    Attributes:
        answer: The list.
        query: As it was answered: an arm's settings are in it.
        experiment: Its name; None: the list is part of none.
        arm: As the log has it.
        unit: The session or user whose hash chose.
        teams: Of each item the arm that picked it; empty: all are of the arm.
        propensities: Of each item; empty: nothing was drawn.
    """

    answer: Answer
    query: Query
    experiment: str | None = None
    arm: str | None = None
    unit: str | None = None
    teams: tuple[Arm | None, ...] = ()
    propensities: tuple[float | None, ...] = ()

    def recorded(self, served: ServedList) -> ServedList:
        """The log's record of the list, with its part in the experiment."""
        if self.experiment is None:
            return served
        n = len(served.placements)
        teams = self.teams or (None,) * n
        drawn = self.propensities or (None,) * n
        placements = tuple(
            Placement(
                item_id=placement.item_id,
                position=placement.position,
                team=team,
                propensity=propensity,
            )
            for placement, team, propensity in zip(served.placements, teams, drawn, strict=True)
        )
        return replace(
            served,
            experiment=self.experiment,
            arm=self.arm,
            unit=self.unit,
            placements=placements,
        )


@dataclass(frozen=True, kw_only=True)
class Experiments:
    """The experiments that run, and the artifacts of their arms.

    Attributes:
        experiments: In the order of the file.
        recommenders: By the folder that an arm names.
    """

    experiments: tuple[Experiment, ...] = ()
    recommenders: Mapping[str, Recommender] = field(default_factory=dict)

    def by_version(self, version: str) -> Recommender | None:
        """The recommender of an arm by its artifact's version."""
        return next((of for of in self.recommenders.values() if of.version == version), None)

    async def answer(
        self,
        engine: Engine,
        recommendation_id: str,
        query: Query,
        session_id: str | None,
        deadline: Deadline,
    ) -> Drawn:
        """The answer to a query, as the experiment wants it that its session or user is part of.

        Args:
            engine: Answers.
            recommendation_id: The list's name; what is drawn follows from it.
            query: Stored events included.
            session_id: Whose it is, if that was said.
            deadline: Of the query's budget.

        Raises:
            QueryError, BusyError, ExpiredError: As `Engine.recommend`.
        """
        experiment, unit = self._part(query, session_id)
        if experiment is None:
            return Drawn(answer=await engine.recommend(query, deadline), query=query)
        rng = generator(experiment.name, recommendation_id)
        match experiment.kind:
            case "ab":
                arm = arm_of(experiment.name, unit)
                query = self._query(experiment, arm, query)
                answer = await self._arm(engine, experiment, arm, query, deadline)
                drawn = Drawn(answer=answer, query=query, arm=arm)
            case "interleave":
                drawn = await self._interleaved(engine, experiment, query, deadline, rng)
            case "explore":
                answer = await engine.recommend(query, deadline)
                drawn = _explored(answer, query, experiment, rng)
        return replace(drawn, experiment=experiment.name, unit=unit)

    async def _arm(
        self, engine: Engine, experiment: Experiment, arm: Arm, query: Query, deadline: Deadline
    ) -> Answer:
        """The list of one arm; with the artifact that is served, batched as any other."""
        named = getattr(experiment, arm)
        if not isinstance(named, str):
            return await engine.recommend(query, deadline)
        entered_s = time.monotonic()

        def work(_: Recommender) -> Answer:
            recommender = self.recommenders[named]
            waited_ms = (time.monotonic() - entered_s) * 1000
            ranked = recommender.recommend(_in_time(query, deadline))
            return Answer(recommendations=ranked, recommender=recommender, waited_ms=waited_ms)

        return await engine.run(work, deadline)

    async def _interleaved(
        self,
        engine: Engine,
        experiment: Experiment,
        query: Query,
        deadline: Deadline,
        rng: np.random.Generator,
    ) -> Drawn:
        """Both arms' lists, made after one another on one thread, as one."""
        entered_s = time.monotonic()

        def work(current: Recommender) -> Drawn:
            waited_ms = (time.monotonic() - entered_s) * 1000
            a, b = (self._recommender(experiment, arm, current) for arm in ("a", "b"))
            first, second = (
                recommender.recommend(_in_time(self._query(experiment, arm, query), deadline))
                for arm, recommender in (("a", a), ("b", b))
            )
            # The answer's titles and reasons are of a's catalogue; neither arm gains by what the
            # other can't have.
            of_a, of_b = (
                [item.item_id for item in of.items if _has(a, item) and _has(b, item)]
                for of in (first, second)
            )
            drafted = team_draft(of_a, of_b, query.k, rng)
            answer = Answer(
                recommendations=_as_drafted(first, second, drafted),
                recommender=a,
                waited_ms=waited_ms,
            )
            arm = "ab" if drafted.first == "a" else "ba"
            return Drawn(answer=answer, query=query, arm=arm, teams=drafted.teams)

        return await engine.run(work, deadline)

    def _recommender(self, experiment: Experiment, arm: str, current: Recommender) -> Recommender:
        named = getattr(experiment, arm)
        return self.recommenders[named] if isinstance(named, str) else current

    def _query(self, experiment: Experiment, arm: str, query: Query) -> Query:
        """The query with an arm's settings; what a request says itself stays."""
        settings = getattr(experiment, arm)
        if isinstance(settings, str):
            return query
        unsaid: dict[str, Any] = {
            name: value
            for name, value in settings.items()
            if getattr(query, name) == getattr(_UNSAID, name)
        }
        return replace(query, **unsaid)

    def _part(self, query: Query, session_id: str | None) -> tuple[Experiment | None, str]:
        """The first experiment that takes the session or user, and which it is."""
        for experiment in self.experiments:
            unit = session_id if experiment.unit == "session" else query.user_id
            if session_id and unit and enrolled(experiment.name, unit, experiment.share):
                return experiment, unit
        return None, ""


def load_experiments(
    path: Path, state: Path, current: Recommender, load: Callable[[Path], Recommender]
) -> Experiments:
    """The experiments of a file, with the artifacts of their arms loaded.

    An arm stays what it was at the start, whatever is served later.

    Args:
        path: The file.
        state: The service's folder, which keeps them for reports.
        current: Of the artifact that is served; an arm that names its folder is answered by it.
        load: Loads another artifact.

    Raises:
        ConfigError: If the file is wrong, or an experiment was another one before.
        ArtifactError: If an arm's artifact can't be loaded.
    """
    experiments = read_experiments(path)
    recommenders: dict[str, Recommender] = {}
    loaded = {} if current.path is None else {current.path.resolve(): current}
    for experiment in experiments:
        for named in experiment.artifacts:
            folder = Path(named).resolve()
            if folder not in loaded:
                loaded[folder] = load(folder)
                loaded[folder].recommend(intent="a warm-up request")
            recommenders[named] = loaded[folder]
    keep(state, experiments)
    set_apart()
    return Experiments(experiments=experiments, recommenders=recommenders)


_UNSAID = Query()


def _in_time(query: Query, deadline: Deadline) -> Query:
    """The query with what is left of its budget."""
    return query if query.budget_ms is None else replace(query, budget_ms=deadline.left_ms)


def _has(recommender: Recommender, item: Item) -> bool:
    row = recommender.catalog.row(item.item_id)
    return row is not None and row not in recommender.removed


def _ranked(items: Sequence[Item]) -> tuple[Item, ...]:
    return tuple(replace(item, rank=rank) for rank, item in enumerate(items, start=1))


def _as_drafted(a: Recommendations, b: Recommendations, drafted: Interleaved) -> Recommendations:
    """The answer with an interleaved list: an item's score is of the arm that picked it."""
    of_a, of_b = ({item.item_id: item for item in of.items} for of in (a, b))
    items = [
        (of_b if team == "b" or item_id not in of_a else of_a)[item_id]
        for item_id, team in zip(drafted.items, drafted.teams, strict=True)
    ]
    stages = {**a.trace.timings_ms, **b.trace.timings_ms}
    timings_ms = {
        stage: sum(of.trace.timings_ms.get(stage, 0.0) for of in (a, b)) for stage in stages
    }
    trace = replace(
        a.trace,
        timings_ms=timings_ms,
        notes=tuple(dict.fromkeys((*a.trace.notes, *b.trace.notes))),
        moved=(),
        degraded=a.trace.degraded or b.trace.degraded,
    )
    return Recommendations(items=_ranked(items), trace=trace)


def _explored(
    answer: Answer, query: Query, experiment: Experiment, rng: np.random.Generator
) -> Drawn:
    """The answer with the order of its tail drawn."""
    assert experiment.explore is not None
    head, temperature = experiment.explore.from_rank - 1, experiment.explore.temperature
    items = answer.recommendations.items
    tail = items[head:]
    probable: tuple[float | None, ...] = (None,) * len(items)
    if len(tail) > 1:
        scores = np.array([item.score for item in tail], dtype=np.float64)
        order = draw_order(scores, temperature, rng)
        items = _ranked([*items[:head], *(tail[i] for i in order)])
        drawn = propensities(scores[order], temperature).tolist()
        probable = (*probable[:head], *drawn)
    trace = replace(answer.recommendations.trace, moved=())
    answer = replace(answer, recommendations=Recommendations(items=items, trace=trace))
    return Drawn(answer=answer, query=query, arm="explore", propensities=probable)
