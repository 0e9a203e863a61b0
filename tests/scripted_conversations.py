"""100 conversations of 5 turns with the limits that hold after each: written by chance.

A script draws what somebody wants next, states a limit, takes one back, likes or rejects what was
shown, or asks for something else, and says it in one of several ways. `limits` are what a person
who reads along would expect to hold in every item that is shown.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from templated_requests import DECADES, GENRES, LANGUAGES, MOODS, TOPICS

N_TURNS = 5


@dataclass(frozen=True, kw_only=True)
class ScriptedTurn:
    """What is said, what has to hold from then on, and whether it takes a limit back."""

    text: str
    limits: Mapping[str, Any]
    takes_back: bool = False


class Script:
    """One conversation as it is made up."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.banned: list[str] = []
        self.languages_banned: list[str] = []
        self.only: str | None = None
        self.years: tuple[int | None, int | None] = (None, None)

    def turns(self) -> list[ScriptedTurn]:
        made = [self.turn(self.opening)]
        while len(made) < N_TURNS:
            choices = [self.ban, self.ban, self.decade, self.since, self.ban_language, self.chat]
            if self.only is None and not self.banned:
                choices.append(self.demand)
            if len(made) > 1:
                choices += [back for back in self.what_can_be_taken_back() for _ in range(3)]
            made.append(self.turn(self.rng.choice(choices)))
        return made

    def turn(self, act: Any) -> ScriptedTurn:
        text = act()
        return ScriptedTurn(
            text=text, limits=self.limits(), takes_back=act.__name__.startswith("take_back")
        )

    def limits(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.banned:
            found["genres"] = {"none": list(self.banned)}
        if self.only:
            found.setdefault("genres", {})["any"] = [self.only]
        bounds = dict(zip(("gte", "lte"), self.years, strict=True))
        if any(self.years):
            found["year"] = {name: year for name, year in bounds.items() if year is not None}
        if self.languages_banned:
            codes = [code for name in self.languages_banned for code in LANGUAGES[name]]
            found["language"] = {"none": codes}
        return found

    def say(self, *ways: str) -> str:
        return self.rng.choice(ways)

    def genre(self) -> str:
        taken = {*self.banned, self.only}
        return self.rng.choice([label for label in sorted(GENRES) if label not in taken])

    # what is said

    def opening(self) -> str:
        mood, topic = self.rng.choice(MOODS), self.rng.choice(TOPICS)
        return self.say(
            f"Hi! I'm looking for something {mood}",
            f"a {mood} film about {topic}",
            f"what can you recommend about {topic}?",
            f"something {mood} for tonight please",
        )

    def chat(self) -> str:
        place = self.rng.choice(("first", "second", "third", "4th"))
        topic = self.rng.choice(TOPICS)
        return self.say(
            f"the {place} one looks good",
            "not that one",
            "hated it",
            "thanks, but something else please",
            f"not the {place} one",
            f"I've seen the {place} one",
            f"rather something about {topic}",
            "what else do you have?",
            f"more like the {place} one",
            "ok, show me others",
        )

    def ban(self) -> str:
        label = self.genre()
        several, one, stuff = GENRES[label]
        self.banned.append(label)
        return self.say(
            f"no {stuff} please",
            f"but nothing with {stuff}" if " " not in stuff else f"but no {stuff}",
            f"I don't like {several}",
            f"please no {several}",
            f"I hate {several}, leave those out",
            f"not {one}, please",
            f"and I'm tired of {several}",
            f"without any {stuff}",
        )

    def demand(self) -> str:
        label = self.genre()
        several, one, _ = GENRES[label]
        self.only = label
        return self.say(f"only {several}", f"{several} only, please", f"it has to be {one}")

    def decade(self) -> str:
        decade = self.rng.choice(sorted(DECADES))
        words = self.rng.choice(DECADES[decade])
        if any(self.years):
            self.years = (decade, decade + 9)
            return self.say(
                f"make it the {words}", f"from the {words} instead", f"let's try the {words}"
            )
        self.years = (decade, decade + 9)
        return self.say(f"something from the {words}", f"from the {words} please")

    def since(self) -> str:
        year = self.rng.randrange(1960, 1995)
        if any(self.years):
            return self.chat()
        self.years = (year, None)
        return self.say(
            f"from {year} or later",
            f"nothing older than {year}",
            f"it should be from {year} or newer",
        )

    def ban_language(self) -> str:
        names = [name for name in sorted(LANGUAGES) if name != "English"]
        name = self.rng.choice([name for name in names if name not in self.languages_banned])
        self.languages_banned.append(name)
        return self.say(f"no {name} films", f"not in {name}", f"nothing in {name} please")

    # what is taken back

    def what_can_be_taken_back(self) -> list[Any]:
        found: list[Any] = []
        if self.banned:
            found.append(self.take_back_genre)
        if any(self.years):
            found.append(self.take_back_years)
        if self.languages_banned:
            found.append(self.take_back_language)
        if self.only:
            found.append(self.take_back_demand)
        return found

    def take_back_genre(self) -> str:
        label = self.rng.choice(self.banned)
        several, _, stuff = GENRES[label]
        self.banned.remove(label)
        return self.say(
            f"actually {stuff} {'are' if stuff.endswith('s') else 'is'} fine",
            f"{several} are ok after all",
            f"I don't mind {several}",
            f"how about {several} then?",
            f"forget the no {stuff} rule",
            f"okay, I'm fine with {several}",
            f"well, {several} would be fine too",
        )

    def take_back_years(self) -> str:
        low, high = self.years
        self.years = (None, None)
        ways = ["any year is fine", "the year doesn't matter", "forget about the year"]
        if low is not None and high is not None:
            words = self.rng.choice(DECADES[low])
            ways += [f"forget the {words}", f"it doesn't have to be from the {words}"]
        return self.rng.choice(ways)

    def take_back_language(self) -> str:
        name = self.rng.choice(self.languages_banned)
        self.languages_banned.remove(name)
        if not self.languages_banned:
            ways = ("any language is ok", f"{name} is fine", f"I don't mind {name} films")
        else:
            ways = (
                f"{name} is fine",
                f"actually {name} films are ok",
                f"I don't mind {name} films",
            )
        return self.say(*ways)

    def take_back_demand(self) -> str:
        assert self.only is not None
        several, one, _ = GENRES[self.only]
        self.only = None
        return self.say(
            f"it doesn't have to be {one}", f"forget the {several}", "any genre is fine"
        )


def scripted_conversations(n: int = 100, seed: int = 23) -> list[list[ScriptedTurn]]:
    """`n` conversations, always the same ones."""
    rng = random.Random(seed)
    return [Script(rng).turns() for _ in range(n)]
