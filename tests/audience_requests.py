"""Fifty requests that name a mood, an occasion or an audience, and twenty that only look so.

Written before the code that passes them. Labels are those of movielens-small.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class AudienceRequest:
    """A request and what a person who knows films would expect of the list.

    Attributes:
        text: The request.
        must: Labels of which each of at least three of the first five has one; none: any will do.
        never: Labels that none of the first ten has.
    """

    text: str
    must: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


def _r(text: str, must: str = "", never: str = "") -> AudienceRequest:
    return AudienceRequest(text=text, must=tuple(must.split()), never=tuple(never.split()))


GRIM = "Horror Thriller Crime War"
CHILD = "Children Animation"
LIGHT = "Comedy Romance Children Animation Musical"
MEANT = (
    # small children
    _r("something for my six year old", CHILD, GRIM),
    _r("a film for my 4-year-old daughter", CHILD, GRIM),
    _r("movie night with the kids", CHILD, GRIM),
    _r("what can I watch with my kids tonight?", CHILD, GRIM),
    _r("my toddler wants a movie", CHILD, GRIM),
    _r("a kid-friendly adventure", CHILD, GRIM),
    _r("suitable for children, with animals", CHILD, GRIM),
    _r("my son is 7 and loves dinosaurs", "", GRIM),
    _r("for my nephew, he is five", CHILD, GRIM),
    _r("my kids love space", CHILD, GRIM),
    _r("a scary film for my 5 year old", CHILD, GRIM),
    _r("babysitting two little girls, need a film", CHILD, GRIM),
    _r("a birthday party of eight year olds", CHILD, GRIM),
    _r("a film about pirates for my kids", CHILD, GRIM),
    _r("for the grandkids", CHILD, GRIM),
    # families
    _r("family movie night", CHILD, GRIM),
    _r("a family-friendly comedy", "Comedy", GRIM),
    _r("something the whole family can watch", CHILD, GRIM),
    _r("a Christmas film for the whole family", CHILD, GRIM),
    _r("family film", CHILD, GRIM),
    # other company
    _r("something to watch with my grandma", "", "Horror"),
    _r("a movie I can watch with my parents", "", "Horror"),
    _r("with my mother-in-law", "", "Horror"),
    _r("date night", "Romance", "Horror War"),
    _r("first date movie", "Romance", "Horror War"),
    _r("for Valentine's day", "Romance", "Horror War"),
    # comfort
    _r("something comforting", LIGHT, GRIM),
    _r("cozy movie for a rainy Sunday", LIGHT, GRIM),
    _r("can't sleep, something calm", "", GRIM),
    _r("I can't sleep", "", GRIM),
    _r("something soothing before bed", "", GRIM),
    _r("I'm sick in bed with the flu", LIGHT, GRIM),
    _r("I've had a terrible day, cheer me up", LIGHT, GRIM),
    _r("feel good movie", f"{LIGHT} Drama", GRIM),
    _r("feeling anxious, need something gentle", "", GRIM),
    _r("something lighthearted", LIGHT),
    _r("something wholesome", f"{LIGHT} Drama", GRIM),
    _r("heartwarming, please", f"{LIGHT} Drama", GRIM),
    _r("just got dumped, make me feel better", LIGHT, "Horror War"),
    _r("a relaxing film after work", LIGHT, GRIM),
    _r("my dog died, I need comfort", "", GRIM),
    _r("hungover, something easy", "Comedy", "Horror War"),
    _r("I scare easily", "", "Horror"),
    _r("I'm squeamish, a thriller please", "Thriller", "Horror"),
    # moods that want something of the kind
    _r("make me laugh", "Comedy", "Horror"),
    _r("I want a good cry", "Drama Romance", "Horror"),
    _r("keep me on the edge of my seat", "Thriller Action", ""),
    _r("scare me", "Horror Thriller", ""),
    _r("something to fall in love to", "Romance", "Horror War"),
    _r("Halloween night with friends", "Horror", ""),
)
# Nothing of the kind is meant: no mood is read, nothing is ruled out.
NOT_MEANT = (
    _r("a film about a child soldier"),
    _r("Rosemary's Baby"),
    _r("family secrets thriller"),
    _r("kids these days"),
    _r("a horror film with creepy kids"),
    _r("a war drama with a child who survives"),
    _r("a father searching for his daughter"),
    _r("a mother who would do anything for her son"),
    _r("crime family saga"),
    _r("the mafia and family"),
    _r("a six year old boy sees ghosts"),
    _r("a film about the whole family of a murderer"),
    _r("like The Family Man"),
    _r("a western about revenge for a child"),
    _r("a cozy village hides a murder"),
    _r("a bad day at the office turns into murder"),
    _r("a dark film about grandparents"),
    _r("a thriller about insomnia"),
    _r("a couple's date night goes terribly wrong"),
    _r("children of the corn"),
)
