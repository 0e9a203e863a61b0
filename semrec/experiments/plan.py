"""The file of experiments, and what a service's folder keeps of it.

```yaml
experiments:
  - {name: gate2, kind: interleave, a: artifacts/v7, b: artifacts/v8, share: 0.1}
  - {name: variety, kind: ab, a: {}, b: {diversity: 0.3}, metric: like_or_buy@10}
  - {name: tail, kind: explore, explore: {from_rank: 6, temperature: 0.1}, share: 0.05}
```
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from semrec.environment.files import write_text
from semrec.errors import ConfigError, QueryError, StateError, nearest
from semrec.types import MAX_K, EventType, Query

FILE = "experiments.yaml"  # in the state's folder
SETTINGS = ("diversity", "include_seen", "max_per", "rerank", "semantic_weight")  # of a query


@dataclass(frozen=True, kw_only=True)
class Metric:
    """Events that count, of the first items of a list.

    Attributes:
        types: Of events.
        k: Positions that are looked at.
    """

    types: tuple[str, ...]
    k: int


def metric_of(text: str) -> Metric:
    """The metric that a text such as ``like_or_buy@10`` names.

    Raises:
        ValueError: If it names none.
    """
    match = re.fullmatch(r"([a-z_]+)@([1-9][0-9]{0,3})", text)
    if match is None or int(match[2]) > MAX_K:
        raise ValueError(f"metric {text!r}: expected types of events and a cutoff: like_or_buy@10")
    types = tuple(match[1].split("_or_"))
    for of in types:
        if of not in get_args(EventType):
            raise ValueError(
                f"metric {text!r}: {of!r} is no event{nearest(of, get_args(EventType))}"
            )
    return Metric(types=types, k=int(match[2]))


class Exploration(BaseModel):
    """The draw of a list's tail.

    Attributes:
        from_rank: The first rank whose item is drawn.
        temperature: Of Plackett-Luce, in spreads of the tail's scores.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_rank: int = Field(default=6, ge=2, le=MAX_K)
    temperature: float = Field(default=0.1, ge=0.01, le=100)


class Experiment(BaseModel):
    """One experiment.

    Attributes:
        name: In the log; what was logged under a name is of one experiment.
        kind: `ab`: a unit gets lists of one arm; `interleave`: lists of both, drafted;
            `explore`: lists whose tail is drawn.
        a: An artifact's folder, or settings of queries on the artifact that is served.
        b: The same of the other arm.
        explore: Of kind `explore`.
        share: Of units that take part.
        unit: Whose hash chooses: `session`, or `user` (the query's ``user_id``).
        metric: Events that count.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    kind: Literal["ab", "interleave", "explore"]
    a: str | dict[str, Any] = Field(default_factory=dict)
    b: str | dict[str, Any] = Field(default_factory=dict)
    explore: Exploration | None = None
    share: float = Field(default=1.0, gt=0, le=1)
    unit: Literal["session", "user"] = "session"
    metric: str = "like_or_buy@10"

    @property
    def artifacts(self) -> list[str]:
        """Folders of the arms that are artifacts."""
        return [arm for arm in (self.a, self.b) if isinstance(arm, str)]

    @model_validator(mode="after")
    def _whole(self) -> Experiment:
        metric_of(self.metric)
        if (self.kind == "explore") != (self.explore is not None):
            raise ValueError("explore goes with kind explore, and only there")
        if self.kind == "explore" and (self.a or self.b):
            raise ValueError("kind explore has no arms: leave a and b out")
        if self.kind != "explore" and self.a == self.b:
            raise ValueError("a and b are the same; expected two artifacts, or two settings")
        for arm in (self.a, self.b):
            _check_settings({} if isinstance(arm, str) else arm)
        return self


def read_experiments(path: Path) -> tuple[Experiment, ...]:
    """The experiments in a file, in its order: a unit is part of the first that takes it.

    Raises:
        ConfigError: If there is no such file, or something in it is wrong.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file of experiments") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: not readable as experiments: {error}") from None
    listed = content.get("experiments") if isinstance(content, dict) else None
    if not isinstance(listed, list) or set(content) != {"experiments"}:
        raise ConfigError(f"{path}: expected a list under the key experiments, and nothing else")
    experiments = tuple(
        _experiment(entry, f"{path}: experiment {i}") for i, entry in enumerate(listed, 1)
    )
    names = [experiment.name for experiment in experiments]
    if len({*names}) < len(names):
        raise ConfigError(f"{path}: two experiments have the same name")
    return experiments


def keep(state: Path, experiments: Sequence[Experiment]) -> None:
    """Keep experiments in a service's folder, beside those that it had: a report needs both.

    Raises:
        ConfigError: If a name is that of another experiment, all but its share the same.
    """
    by_name = {experiment.name: experiment for experiment in _kept(state)}
    for experiment in experiments:
        before = by_name.get(experiment.name, experiment)
        if before.model_copy(update={"share": experiment.share}) != experiment:
            raise ConfigError(
                f"experiment {experiment.name!r} isn't the one that {state} has by this name; only "
                "its share may change: give the new one another name"
            )
        by_name[experiment.name] = experiment
    entries = [experiment.model_dump(mode="json") for experiment in by_name.values()]
    write_text(state / FILE, yaml.safe_dump({"experiments": entries}, allow_unicode=True))


def kept(state: Path, name: str) -> Experiment:
    """An experiment of a service by its name.

    Raises:
        StateError: If the service had none of that name.
    """
    experiments = {experiment.name: experiment for experiment in _kept(state)}
    if name not in experiments:
        raise StateError(f"{state}: no experiment {name!r}{nearest(name, experiments)}")
    return experiments[name]


def _kept(state: Path) -> tuple[Experiment, ...]:
    return read_experiments(state / FILE) if (state / FILE).is_file() else ()


def _experiment(entry: object, where: str) -> Experiment:
    try:
        return Experiment.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{where}: {name + ': ' if name else ''}{first['msg']}") from None


def _check_settings(settings: dict[str, Any]) -> None:
    for name in settings:
        if name not in SETTINGS:
            raise ValueError(f"an arm has no setting {name!r}{nearest(str(name), SETTINGS)}")
    try:
        Query(**settings)
    except QueryError as error:
        raise ValueError(str(error)) from None
