"""The report of an experiment: is the split right, what did the arms get, do they differ?"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semrec.errors import DataError, StateError
from semrec.experiments.analyse import adjusted, check_ratio, paired, sign_p, unpaired
from semrec.experiments.assign import generator
from semrec.experiments.credit import Credited, credited
from semrec.experiments.exploration import draw_order, propensities
from semrec.experiments.off_policy import OffPolicy, off_policy
from semrec.experiments.plan import Experiment, Metric, kept, metric_of
from semrec.sessions.experiment_log import UnitCounts, events_before, units_of
from semrec.sessions.log import Log, open_log

Values = NDArray[np.float64]
N_DRAWS = 4  # orders that a model's mean reward is taken over


@dataclass(frozen=True, kw_only=True)
class Explored:
    """Lists whose tails have the same length.

    Attributes:
        scores: (n, length) in the order that was shown.
        logged: (n,) probability of the order.
        rewards: (n,) items with credit.
        units: (n,) number of the session or user.
    """

    scores: Values
    logged: Values
    rewards: Values
    units: NDArray[np.int64]


def experiment_report(
    state: Path, name: str, *, metric: str = "", temperature: float | None = None
) -> dict[str, Any]:
    """Analyse an experiment from the log of its service.

    Args:
        state: The folder that `semrec serve --state` kept.
        name: The experiment's.
        metric: Events that count, such as ``like_or_buy@10``; empty: the experiment's own.
        temperature: Of an exploration, the policy that is estimated, 0: lists as they were ranked;
            None: half of what was drawn with.

    Returns:
        Plain values. Kind ``ab``: means per unit, ``difference`` (b less a) and the same with
        ``cuped``; ``interleave``: ``difference`` of credit within units and ``sign_p``;
        ``explore``: ``ips``, ``snips``, ``dr`` and the ``effective`` sample size, in lists.

    Raises:
        StateError: If there is no log, no such experiment, or no list of it.
        DataError: If the split is broken, there is too little, or no estimate is possible.
    """
    experiment = kept(state, name)
    try:
        measure = metric_of(metric or experiment.metric)
    except ValueError as error:
        raise DataError(str(error)) from None
    if temperature is not None and (experiment.kind != "explore" or not 0 <= temperature <= 100):
        raise DataError("a temperature is of experiments of kind explore, from 0 to 100")
    log = open_log(state)
    try:
        units = units_of(log, name)
        if not units:
            raise StateError(f"{state}: no list of experiment {name!r} in its log yet, or any more")
        analysed = {
            "ab": lambda: _ab(log, experiment, measure, units),
            "interleave": lambda: _interleave(log, experiment, measure, units),
            "explore": lambda: _explore(log, experiment, measure, temperature),
        }[experiment.kind]()
    finally:
        log.close()
    return {
        "experiment": name,
        "kind": experiment.kind,
        "metric": metric or experiment.metric,
        "unit": experiment.unit,
        "lists": sum(unit.n_lists for unit in units),
        "units": len({unit.unit for unit in units}),
        **analysed,
    }


def _ab(
    log: Log, experiment: Experiment, metric: Metric, units: Sequence[UnitCounts]
) -> dict[str, Any]:
    arms = {unit.unit: unit.arm for unit in units}
    if len(arms) < len(units):
        raise DataError(
            f"{len(units) - len(arms)} units got lists of both arms; they were assigned twice, and "
            "nothing can be read out of that"
        )
    n = Counter(arms.values())
    ratio_p = check_ratio([n["a"], n["b"]])
    counts: Counter[str] = Counter()
    for listed in credited(log, experiment.name, metric, silent=False):
        counts[listed.shown.unit] += len(listed.positions)
    values = np.array([counts[unit.unit] for unit in units], dtype=np.float64)
    n_before = events_before(log, experiment.name)
    before = np.array([n_before.get(unit.unit, 0) for unit in units], dtype=np.float64)
    in_b = np.array([unit.arm == "b" for unit in units])
    reduced = adjusted(values, before)
    difference = unpaired(values[~in_b], values[in_b])
    return {
        "arms": {
            arm: {"units": n[arm], "mean": float(values[of].mean())}
            for arm, of in (("a", ~in_b), ("b", in_b))
        },
        "ratio_p": ratio_p,
        "difference": asdict(difference),
        "cuped": asdict(unpaired(reduced[~in_b], reduced[in_b])),
    }


def _interleave(
    log: Log, experiment: Experiment, metric: Metric, units: Sequence[UnitCounts]
) -> dict[str, Any]:
    first: Counter[str] = Counter()
    for unit in units:
        first[unit.arm[:1]] += unit.n_lists
    ratio_p = check_ratio([first["a"], first["b"]])
    differences = dict.fromkeys((unit.unit for unit in units), 0)
    for listed in credited(log, experiment.name, metric, silent=False):
        differences[listed.shown.unit] += listed.by_team
    values = np.array(list(differences.values()), dtype=np.float64)
    return {
        "first_picks": {"a": first["a"], "b": first["b"]},
        "ratio_p": ratio_p,
        "prefer": {"a": int((values < 0).sum()), "b": int((values > 0).sum())},
        "difference": asdict(paired(values)),
        "sign_p": sign_p(values),
    }


def _explore(
    log: Log, experiment: Experiment, metric: Metric, temperature: float | None
) -> dict[str, Any]:
    assert experiment.explore is not None
    drawn_with = experiment.explore.temperature
    wanted = drawn_with / 2 if temperature is None else temperature
    groups = _explored(credited(log, experiment.name, metric, silent=True), experiment)
    target = np.concatenate([propensities(of.scores, wanted).prod(axis=1) for of in groups])
    features = np.concatenate([_discounted(of.scores) for of in groups])
    rng = generator(experiment.name, "model")
    expected = np.concatenate([_expected(of.scores, wanted, rng) for of in groups])
    rewards = np.concatenate([of.rewards for of in groups])
    units = np.concatenate([of.units for of in groups])
    slopes = _fitted(features, rewards, units)
    estimates: OffPolicy = off_policy(
        rewards,
        np.concatenate([of.logged for of in groups]),
        target,
        predicted=slopes[:, 0] + slopes[:, 1] * features,
        expected=slopes[:, 0] + slopes[:, 1] * expected,
        units=units,
    )
    return {
        "drawn_with": drawn_with,
        "temperature": wanted,
        "logged_mean": float(rewards.mean()),
        **asdict(estimates),
    }


def _explored(lists: Iterable[Credited], experiment: Experiment) -> list[Explored]:
    """The lists by the length of their tails."""
    assert experiment.explore is not None
    head = experiment.explore.from_rank - 1
    numbers: dict[str, int] = {}
    # Flat: a million tuples would be looked at by the garbage collector again and again.
    groups: dict[int, tuple[array[float], array[float], array[int], array[int]]] = {}
    for listed in lists:
        shown = listed.shown
        tail = [score for _, score in shown.scored[head:]] or [0.0]
        if len(tail) not in groups:
            groups[len(tail)] = array("d"), array("d"), array("q"), array("q")
        scores, logged, rewards, units = groups[len(tail)]
        chances = [placement["propensity"] or 1.0 for placement in shown.placements[head:]]
        scores.extend(tail)
        logged.append(prod(chances))
        rewards.append(len(listed.positions))
        units.append(numbers.setdefault(shown.unit, len(numbers)))
    return [
        Explored(
            scores=np.array(scores).reshape(-1, length),
            logged=np.array(logged),
            rewards=np.array(rewards, dtype=np.float64),
            units=np.array(units),
        )
        for length, (scores, logged, rewards, units) in groups.items()
    ]


def _discounted(scores: Values) -> Values:
    """(n,): the scores of (n, length) tails, the more the further up they stand."""
    discounted: Values = scores @ (1 / np.log2(np.arange(scores.shape[1]) + 2))
    return discounted


def _expected(scores: Values, temperature: float, rng: np.random.Generator) -> Values:
    """(n,): the mean of `_discounted` over orders that a temperature draws."""
    if temperature == 0:
        return _discounted(-np.sort(-scores, axis=1))
    drawn = [
        _discounted(np.take_along_axis(scores, draw_order(scores, temperature, rng), axis=1))
        for _ in range(N_DRAWS)
    ]
    mean: Values = np.mean(drawn, axis=0)
    return mean


def _fitted(features: Values, rewards: Values, units: NDArray[np.int64]) -> Values:
    """(n, 2): intercept and slope of rewards by features, for each list of the other half's."""
    slopes = np.zeros((len(rewards), 2))
    for half in (0, 1):
        of = units % 2 == half
        if of.any() and (~of).any():
            x = np.column_stack([np.ones((~of).sum()), features[~of]])
            slopes[of] = np.linalg.lstsq(x, rewards[~of], rcond=None)[0]
    return slopes
