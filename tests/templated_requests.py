"""300 requests with the limits that they state: templates as people write them, filled by chance.

Written before the parser and by someone who meant each sentence: `filters` is what a person would
expect to hold in every item of the answer, `unanswerable` what no attribute of movielens-small
can answer (so it has to be shown as not understood). A genre that is merely mentioned is no limit.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

# label → (several, one, as a substance)
GENRES = {
    "Action": ("action movies", "an action movie", "action"),
    "Animation": ("cartoons", "an animated film", "animation"),
    "Children": ("kids' movies", "a children's film", "children's films"),
    "Comedy": ("comedies", "a comedy", "comedy"),
    "Crime": ("crime films", "a crime film", "crime"),
    "Documentary": ("documentaries", "a documentary", "documentaries"),
    "Drama": ("dramas", "a drama", "drama"),
    "Fantasy": ("fantasy films", "a fantasy film", "fantasy"),
    "Film-Noir": ("film noirs", "a film noir", "noir"),
    "Horror": ("horror movies", "a horror film", "horror"),
    "Musical": ("musicals", "a musical", "musicals"),
    "Mystery": ("mysteries", "a mystery", "mystery"),
    "Romance": ("romantic movies", "a romance", "romance"),
    "Sci-Fi": ("science fiction movies", "a sci-fi film", "sci-fi"),
    "Thriller": ("thrillers", "a thriller", "thrillers"),
    "War": ("war movies", "a war film", "war films"),
    "Western": ("westerns", "a western", "westerns"),
}
LANGUAGES = {
    "French": ["fr"],
    "Japanese": ["ja"],
    "Italian": ["it"],
    "Russian": ["ru"],
    "German": ["de"],
    "Spanish": ["es"],
    "Korean": ["ko"],
    "Danish": ["da"],
    "Swedish": ["sv"],
    "English": ["en"],
}
DECADES = {
    1950: ("fifties", "1950s", "50s"),
    1960: ("sixties", "1960s", "'60s"),
    1970: ("seventies", "1970s", "70's"),
    1980: ("eighties", "1980s", "80s"),
    1990: ("nineties", "1990s", "'90s"),
    2000: ("2000s", "2000s", "noughties"),
}
MOODS = ("funny", "slow and thoughtful", "clever", "moving", "tense", "light-hearted", "dark")
TOPICS = ("a bank heist", "time travel", "a chess player", "two brothers", "life at sea", "lawyers")


@dataclass(frozen=True, kw_only=True)
class Templated:
    """A request and what it states."""

    template: int
    text: str
    filters: Mapping[str, Any] = field(default_factory=dict)
    unanswerable: tuple[str, ...] = ()


class Slots:
    """Values for one request, each drawn when it is first asked for."""

    def __init__(self, rng: random.Random) -> None:
        self.labels = rng.sample(sorted(GENRES), 3)
        self.several = [GENRES[label][0] for label in self.labels]
        self.one = [GENRES[label][1] for label in self.labels]
        self.stuff = [GENRES[label][2] for label in self.labels]
        self.languages = rng.sample(sorted(LANGUAGES), 2)
        self.codes = [LANGUAGES[name] for name in self.languages]
        self.decade = rng.choice(sorted(DECADES))
        self.decade_words = rng.choice(DECADES[self.decade])
        self.year = rng.randrange(1950, 2012)
        self.until = self.year + rng.randrange(1, 7)
        self.mood = rng.choice(MOODS)
        self.topic = rng.choice(TOPICS)


def none(*labels: str) -> dict[str, Any]:
    return {"genres": {"none": list(labels)}}


def years(low: int | None = None, end: int | None = None) -> dict[str, Any]:
    """From `low`, before `end`."""
    bounds = {"gte": low, "lt": end}
    return {"year": {name: year for name, year in bounds.items() if year is not None}}


Made = tuple[str, dict[str, Any]] | tuple[str, dict[str, Any], tuple[str, ...]]
TEMPLATES: tuple[Callable[[Slots], Made], ...] = (
    # genres that must not be
    lambda s: (f"something {s.mood}, no {s.stuff[0]}", none(s.labels[0])),
    lambda s: (f"No {s.stuff[0]} or {s.several[1]} please", none(*s.labels[:2])),
    lambda s: (f"anything but {s.several[0]}", none(s.labels[0])),
    lambda s: (
        f"I hate {s.several[0]}, what else is good for a quiet night?",
        none(s.labels[0]),
    ),
    lambda s: (f"My wife can't stand {s.several[0]}. Something {s.mood}?", none(s.labels[0])),
    lambda s: (f"a {s.mood} film without any {s.stuff[0]}", none(s.labels[0])),
    lambda s: (f"A film about {s.topic} that is not {s.one[0]}", none(s.labels[0])),
    lambda s: (f"we're sick of {s.several[0]}, got something {s.mood}?", none(s.labels[0])),
    lambda s: (
        f"a movie about {s.topic}. No {s.several[0]}, {s.several[1]} or {s.several[2]}.",
        none(*s.labels),
    ),
    lambda s: (f"neither {s.several[0]} nor {s.several[1]}", none(*s.labels[:2])),
    lambda s: (
        f"not {s.stuff[0]}, not {s.stuff[1]}, just something {s.mood}",
        none(*s.labels[:2]),
    ),
    lambda s: (f"Everything except {s.several[0]} is fine with me", none(s.labels[0])),
    lambda s: (f"i'm not in the mood for {s.one[0]} tonight", none(s.labels[0])),
    lambda s: (
        f"Please don't give me {s.several[0]}, I'd rather see something about {s.topic}",
        none(s.labels[0]),
    ),
    lambda s: (f"{s.mood} movies, but I really don't like {s.several[0]}", none(s.labels[0])),
    # genres that must be
    lambda s: (f"only {s.several[0]} please", {"genres": s.labels[0]}),
    lambda s: (f"{s.several[0]} only, preferably {s.mood}", {"genres": s.labels[0]}),
    lambda s: (f"It has to be {s.one[0]} about {s.topic}", {"genres": s.labels[0]}),
    lambda s: (f"Strictly {s.several[0]} for our movie night", {"genres": s.labels[0]}),
    lambda s: (f"nothing but {s.several[0]}!", {"genres": s.labels[0]}),
    lambda s: (
        f"just {s.several[0]} or {s.several[1]}, {s.mood} ones",
        {"genres": {"any": s.labels[:2]}},
    ),
    lambda s: (
        f"must be {s.one[0]}, must not be {s.one[1]}",
        {"genres": {"any": [s.labels[0]], "none": [s.labels[1]]}},
    ),
    # years
    lambda s: (
        f"something {s.mood} from the {s.decade_words}",
        years(s.decade, s.decade + 10),
    ),
    lambda s: (f"{s.decade_words} movies about {s.topic}", years(s.decade, s.decade + 10)),
    lambda s: (
        f"a {s.mood} one from the early {s.decade_words}",
        years(s.decade, s.decade + 4),
    ),
    lambda s: (
        f"Looking for a late {s.decade_words} film about {s.topic}",
        years(s.decade + 7, s.decade + 10),
    ),
    lambda s: (f"A film about {s.topic} made before {s.year}", years(end=s.year)),
    lambda s: (f"{s.topic}, released after {s.year}", years(s.year + 1)),
    lambda s: (
        f"Something about {s.topic}, from between {s.year} and {s.until}",
        years(s.year, s.until + 1),
    ),
    lambda s: (f"{s.mood} movies {s.year}-{s.until}", years(s.year, s.until + 1)),
    lambda s: (f"nothing older than {s.year}", years(s.year)),
    lambda s: (f"A {s.mood} film, no older than {s.year}", years(s.year)),
    lambda s: (
        f"a {s.mood} one, but not from the {s.decade_words}",
        {"year": {"none": list(range(s.decade, s.decade + 10))}},
    ),
    lambda s: (f"what's {s.mood} and came out since {s.year}?", years(s.year)),
    lambda s: (
        f"I'm after something {s.mood}. Nothing after {s.year} though.",
        years(None, s.year + 1),
    ),
    lambda s: (f"films from {s.year} about {s.topic}", years(s.year, s.year + 1)),
    lambda s: (f"something {s.mood}, {s.year} or newer", years(s.year)),
    # languages
    lambda s: (f"a {s.mood} movie in {s.languages[0]}", {"language": {"any": s.codes[0]}}),
    lambda s: (f"{s.languages[0]} films about {s.topic}", {"language": {"any": s.codes[0]}}),
    lambda s: (
        f"A {s.languages[0]}-language movie, {s.mood} if possible",
        {"language": {"any": s.codes[0]}},
    ),
    lambda s: (f"something {s.mood}, not in {s.languages[0]}", {"language": {"none": s.codes[0]}}),
    lambda s: (
        f"{s.languages[0]} or {s.languages[1]} cinema about {s.topic}",
        {"language": {"any": s.codes[0] + s.codes[1]}},
    ),
    # several at once
    lambda s: (
        f"No {s.languages[0]} films, no {s.several[0]}",
        {"language": {"none": s.codes[0]}, **none(s.labels[0])},
    ),
    lambda s: (
        f"I don't want to watch {s.several[0]} or {s.several[1]}, "
        f"and it should be from {s.year} or later",
        {**none(*s.labels[:2]), **years(s.year)},
    ),
    lambda s: (
        f"only {s.several[0]} from the {s.decade_words}",
        {"genres": s.labels[0], **years(s.decade, s.decade + 10)},
    ),
    lambda s: (
        f"I'm not a fan of {s.several[0]}; show me something from the {s.decade_words}",
        {**none(s.labels[0]), **years(s.decade, s.decade + 10)},
    ),
    lambda s: (
        f"please avoid {s.several[0]} and {s.several[1]} and anything from before {s.year}",
        {**none(*s.labels[:2]), **years(s.year)},
    ),
    lambda s: (
        f"{s.one[0]} from {s.year} to {s.until}, nothing in {s.languages[0]}",
        {"language": {"none": s.codes[0]}, **years(s.year, s.until + 1)},
    ),
    lambda s: (
        f"{s.languages[0]} {s.several[0]} from the {s.decade_words}, no {s.several[1]}",
        {
            "language": {"any": s.codes[0]},
            **none(s.labels[1]),
            **years(s.decade, s.decade + 10),
        },
    ),
    # no limit at all
    lambda s: (f"why not {s.one[0]} about {s.topic}?", {}),
    lambda s: (f"I don't mind {s.several[0]}, as long as they're {s.mood}", {}),
    lambda s: (f"not only {s.several[0]}, also {s.mood} {s.several[1]}", {}),
    lambda s: (f"I'm not sure what I want, maybe {s.one[0]}?", {}),
    lambda s: (f"I like {s.several[0]} and {s.several[1]}", {}),
    lambda s: (f"no preference, something {s.mood} about {s.topic}", {}),
    # what no attribute answers
    lambda s: (f"something {s.mood}, nothing gory", {}, ("gory",)),
    lambda s: (f"a film about {s.topic}, under two hours", {}, ("two hours",)),
    lambda s: (
        f"no {s.stuff[0]} and no jump scares",
        none(s.labels[0]),
        ("jump scares",),
    ),
    lambda s: (
        f"less than 90 minutes, from the {s.decade_words}",
        years(s.decade, s.decade + 10),
        ("90 minutes",),
    ),
)


def templated_requests(n: int = 300, seed: int = 4) -> list[Templated]:
    """`n` requests, the templates in turn, always the same ones."""
    rng = random.Random(seed)
    made = []
    for place in range(n):
        template = place % len(TEMPLATES)
        text, filters, *rest = TEMPLATES[template](Slots(rng))
        made.append(
            Templated(
                template=template,
                text=text,
                filters=filters,
                unanswerable=tuple(rest[0]) if rest else (),
            )
        )
    return made
