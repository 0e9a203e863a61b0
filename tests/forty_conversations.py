"""Forty conversations of three to six turns about films, and what must hold after each turn.

Written before the code that passes them. `Told` says what a person who reads along would expect.
"""

from __future__ import annotations

from dataclasses import dataclass

LOOKED_AT = 5  # of a list


@dataclass(frozen=True, kw_only=True)
class Told:
    """One message, and what must hold after it.

    Attributes:
        text: The message.
        same: Whether the list is the one before.
        new: Whether nothing of the list before is shown again.
        n: The list's length; 0: any.
        every: Labels that each of the first five has one of.
        none: Labels that none of the first five has.
        years: The first and the last year of the whole list.
        has: Titles, or parts of them, of which one is among the first ten.
        hasnt: Titles that aren't shown.
        says: Words of the reply, in any case.
        wishes: What is asked for after it, if that is known exactly.
    """

    text: str
    same: bool = False
    new: bool = False
    n: int = 0
    every: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    years: tuple[int, int] | None = None
    has: tuple[str, ...] = ()
    hasnt: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    wishes: tuple[str, ...] | None = None


def _t(text: str, **holds: object) -> Told:
    return Told(text=text, **holds)  # type: ignore[arg-type]


NINETIES = (1990, 1999)
GRIM = ("Horror", "Thriller", "Crime", "War")
CONVERSATIONS: tuple[tuple[Told, ...], ...] = (
    # thanks, greetings, help: said, and nothing moves
    (
        _t("hi", says=("hi",)),
        _t("a heist film from the nineties", years=NINETIES),
        _t("thanks, that's perfect", same=True, says=("welcome",)),
        _t("bye", same=True, says=("bye",)),
    ),
    (
        _t("a western", every=("Western",)),
        _t("looks good", same=True),
        _t("what can you do?", same=True, says=("undo", "more")),
        _t("no comedies", none=("Comedy",)),
    ),
    (
        _t("good evening"),
        _t("something with submarines"),
        _t("great, thanks!", same=True),
        _t("more", new=True),
        _t("thank you so much", same=True),
    ),
    # more, counts
    (
        _t("a musical", every=("Musical",)),
        _t("only 3", n=3),
        _t("3 more", new=True, n=3),
        _t("show me ten more", new=True, n=10),
    ),
    (
        _t("recommend 3 comedies", n=3, every=("Comedy",)),
        _t("just one", n=1),
        _t("next page", new=True, n=1),
        _t("undo", n=1),
    ),
    (
        _t("top 5 westerns", n=5, every=("Western",)),
        _t("more", new=True, n=5, every=("Western",)),
        _t("something else", new=True),
    ),
    (
        _t("documentaries about music", n=10),
        _t("too many", n=5),
        _t("give me 20 more", n=20, new=True),
    ),
    (
        _t("samurai films"),
        _t("more like these", new=True),
        _t("and more", new=True),
        _t("go back"),
        _t("reset", wishes=()),
    ),
    # why, questions
    (
        _t("a film about chess", has=("Chess", "Bobby Fischer", "Queen of Katwe", "Pawn")),
        _t("why the first one?", same=True, says=("“",)),
        _t("what is the second one about?", same=True, says=("“",)),
        _t("who directed it?", same=True, says=("don’t know directors",)),
    ),
    (
        _t("films about boxing", has=("Rocky", "Raging Bull", "Million Dollar Baby", "Ali")),
        _t("when was the first one made?", same=True, says=("19", "20")[:0]),
        _t("is it scary?", same=True),
        _t("how long is the third one?", same=True, says=("don’t know",)),
    ),
    (
        _t("time travel"),
        _t("tell me more about the second one", same=True),
        _t("who is in it?", same=True, says=("don’t know",)),
        _t("ok", same=True),
    ),
    # undo, reset, release
    (
        _t("a comedy from the eighties", every=("Comedy",), years=(1980, 1989)),
        _t("no romance", none=("Romance",)),
        _t("undo that", years=(1980, 1989)),
        _t("undo", wishes=()),
        _t("undo", says=("nothing to take back",)),
    ),
    (
        _t("a comedy", every=("Comedy",)),
        _t("make it a drama instead", every=("Drama",)),
        _t("undo", every=("Comedy",)),
    ),
    (
        _t("westerns before 1970", years=(1900, 1969)),
        _t("no war", none=("War",)),
        _t("anything goes"),
        _t("start over", wishes=()),
    ),
    (
        _t("the first list of thrillers", every=("Thriller",)),
        _t("the second one looks good", says=("more like",)),
        _t("undo", every=("Thriller",)),
    ),
    (
        _t("crime films from the seventies", years=(1970, 1979)),
        _t("never mind", wishes=()),
        _t("children's films", every=("Children",), none=("Horror",)),
    ),
    # the newest wish leads
    (
        _t("sad French films"),
        _t("any language is fine"),
        _t("Christmas movies", wishes=("Christmas movies",), has=("Christmas", "Santa", "Noël")),
        _t("also for children", has=("Christmas", "Santa", "Noël", "Grinch", "Home Alone")),
    ),
    (
        _t("a quiet film about grief"),
        _t("something about robots", wishes=("something about robots",)),
        _t("funnier"),
        _t("from the 80s", years=(1980, 1989)),
    ),
    (
        _t("zombie films", has=("Dead", "Zombie", "28 Days")),
        _t("rather vampires", has=("Vampire", "Dracula", "Bram Stoker", "Blood", "Nosferatu")),
        _t("but no comedies", none=("Comedy",)),
        _t("comedies are fine after all"),
    ),
    (
        _t("space operas"),
        _t("what about westerns?", every=("Western",)),
        _t("in black and white"),
        _t("newer please"),
    ),
    (
        _t("a drama", every=("Drama",)),
        _t("more upbeat"),
        _t("less violent"),
        _t("set in Paris"),
    ),
    (
        _t("pirates", has=("Pirate", "Treasure", "Captain", "Hook", "Cutthroat")),
        _t("instead something with dinosaurs", has=("Jurassic", "Dinosaur", "Land Before")),
        _t("newer than 2000", years=(2000, 2100)),
    ),
    # limits come, stay and go
    (
        _t("only horror please", every=("Horror",)),
        _t("from the nineties", every=("Horror",), years=NINETIES),
        _t("make it the eighties", every=("Horror",), years=(1980, 1989)),
        _t("any year is fine", every=("Horror",)),
    ),
    (
        _t("no horror, no thrillers", none=("Horror", "Thriller")),
        _t("something about the sea", none=("Horror", "Thriller")),
        _t("thrillers are ok after all", none=("Horror",)),
    ),
    (
        _t("a romantic comedy", every=("Comedy", "Romance")),
        _t("nothing after 1960", years=(1900, 1960)),
        _t("thanks", same=True),
        _t("more", new=True, years=(1900, 1960)),
    ),
    (
        _t("animation only", every=("Animation",)),
        _t("no musicals", every=("Animation",), none=("Musical",)),
        _t("only 2", n=2),
        _t("the first one looks good"),
    ),
    # for whom, and moods
    (
        _t("something for my six year old", none=GRIM),
        _t("with animals", none=GRIM),
        _t("more", new=True, none=GRIM),
    ),
    (
        _t("something comforting", none=GRIM),
        _t("newer than 1990", none=GRIM, years=(1990, 2100)),
        _t("surprise me", new=True),
    ),
    (
        _t("cheer me up", none=("Horror", "War")),
        _t("seen it", says=("seen",)),
        _t("something else", new=True, none=("Horror", "War")),
    ),
    (
        _t("a film for date night"),
        _t("no horror please", none=("Horror",)),
        _t("hm, surprise me", new=True, none=("Horror",)),
    ),
    # titles
    (
        _t("like The Dark Knight", hasnt=("The Dark Knight",)),
        _t("no Batman Begins", hasnt=("The Dark Knight", "Batman Begins")),
        _t("more", new=True, hasnt=("The Dark Knight", "Batman Begins")),
    ),
    (
        _t("like the matrix", hasnt=("The Matrix",), says=("more like “the matrix”",)),
        _t("not The Terminator", hasnt=("The Matrix", "The Terminator")),
        _t("why the first one?", same=True),
    ),
    (
        _t("i loved the godfather", hasnt=("The Godfather",)),
        _t("anything but Goodfellas", hasnt=("The Godfather", "Goodfellas")),
        _t("from the nineties", years=NINETIES, hasnt=("Goodfellas",)),
    ),
    (
        _t("like Alien, but not Aliens", hasnt=("Alien", "Aliens")),
        _t("hated Titanic", hasnt=("Titanic",)),
        _t("no Predator", hasnt=("Alien", "Aliens", "Predator")),
    ),
    (
        _t("not The Shining, I've seen it", hasnt=("The Shining",)),
        _t("a haunted house story", hasnt=("The Shining",)),
        _t("seen the first one"),
    ),
    (
        _t("something like Teh Matrx", hasnt=("The Matrix",)),
        _t("something like Jurasic Park", hasnt=("Jurassic Park",)),
        _t("thanks", same=True),
    ),
    (
        _t(
            "like Toy Story", hasnt=("Toy Story",), has=("Toy Story 2", "Toy Story 3", "Bug's Life")
        ),
        _t("no Toy Story 2", hasnt=("Toy Story", "Toy Story 2")),
        _t("seen Toy Story 3", hasnt=("Toy Story", "Toy Story 2", "Toy Story 3")),
    ),
    # what can't be checked is said
    (
        _t("by Tarkovsky", says=("can’t check",)),
        _t("with Bruce Willis", says=("can’t check",)),
        _t("1h30 max", says=("can’t check",)),
    ),
    (
        _t("a comedy under 100 minutes", every=("Comedy",), says=("can’t check",)),
        _t("less known", every=("Comedy",), hasnt=("Forrest Gump", "Men in Black (a.k.a. MIB)")),
        _t("start over", wishes=()),
    ),
    (
        _t("only westerns from before 1900", says=("without year",)),
        _t("any year is fine", every=("Western",)),
        _t("help", same=True),
    ),
)
