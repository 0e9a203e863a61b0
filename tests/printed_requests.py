"""Every request that is printed anywhere, with films that must and must not come first.

As somebody who knows films would say it: `fitting` are well-known films that a good list of five
could hold, `wrong` those that plainly have no place in it.
"""

from dataclasses import dataclass, field

from known_films import (
    BITTERSWEET_NINETIES,
    FAMILY,
    FUNNY,
    HEISTS,
    LIKE_ALIEN,
    LIKE_ALIEN_IN_THE_NINETIES,
    LIKE_SHAWSHANK,
    LOUD_NINETIES,
    LOUD_SPACE,
    NO_HEISTS,
    NOT_FOR_CHILDREN,
    NOT_FUNNY,
    NOTHING_LIKE_ALIEN,
    QUIET_SPACE,
    SPACE,
)

SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Printed:
    """A request, and what five films may answer it.

    Attributes:
        request: As `recommend` takes it.
        fitting: Titles of which `least` must come.
        wrong: Titles of which none may come.
        least: How many.
    """

    request: dict
    fitting: tuple[str, ...]
    wrong: tuple[str, ...]
    least: int = 1
    name: str = field(default="")

    def __post_init__(self):
        asked = self.request.get("intent", "")
        after = ",".join(self.request.get("session", ()))
        object.__setattr__(self, "name", f"{asked[:60]} [{after}]".replace("\n", " / "))


def asked(intent="", session=(), *, fitting, wrong, least=1, **fields):
    request = {"intent": intent, "session": list(session), **fields}
    return Printed(request=request, fitting=fitting, wrong=wrong, least=least)


PRINTED = (
    # The demo.
    asked(
        "a film about time travel",
        fitting=(
            "Twelve Monkeys (a.k.a. 12 Monkeys)",
            "About Time",
            "Back to the Future",
            "Back to the Future Part II",
            "Back to the Future Part III",
            "Bill & Ted's Excellent Adventure",
            "Donnie Darko",
            "Groundhog Day",
            "Looper",
            "Predestination",
            "Primer",
            "The Butterfly Effect",
            "The Terminator",
            "The Time Machine",
            "The Time Traveler's Wife",
            "Time Bandits",
            "Timecrimes (Cronocrímenes, Los)",
        ),
        wrong=(
            "Alien",
            "Forrest Gump",
            "Pulp Fiction",
            "Star Wars: Episode IV - A New Hope",
        ),
        least=3,
    ),
    asked(
        "a clever heist film",
        ("296", "50"),
        fitting=HEISTS,
        wrong=(*NO_HEISTS, "Fight Club", "Pulp Fiction", "The Usual Suspects"),
        least=3,
    ),
    asked(
        "a heartwarming feel-good film",
        fitting=(
            "About a Boy",
            "Amelie (Fabuleux destin d'Amélie Poulain, Le)",
            "Babe",
            "Billy Elliot",
            "Chef",
            "Chocolat",
            "Cool Runnings",
            "Field of Dreams",
            "Finding Neverland",
            "Intouchables",
            "It's a Wonderful Life",
            "Little Miss Sunshine",
            "Love Actually",
            "Millions",
            "Paddington",
            "Remember the Titans",
            "School of Rock",
            "Sing Street",
            "The Blind Side",
            "The Full Monty",
            "The Intern",
            "The Princess Bride",
            "Waking Ned Devine (a.k.a. Waking Ned)",
            "Where the Heart Is",
        ),
        wrong=(*NOT_FUNNY, "American Beauty", "Fight Club", "Pulp Fiction", "Titanic"),
        least=2,
    ),
    # The README.
    asked("a quiet heist film", ("296", "50"), fitting=HEISTS, wrong=NO_HEISTS, least=3),
    asked(
        "a quiet heist film",
        ("296",),
        filters={"year": {"gte": 1990}},
        fitting=HEISTS,
        wrong=(*NO_HEISTS, "Rififi (Du rififi chez les hommes)", "The Killing"),
        least=3,
    ),
    asked("heist", fitting=HEISTS, wrong=NO_HEISTS, least=3),
    asked(
        "funny",
        filters={"year": {"gte": 1990}, "genres": {"none": ["Horror"]}},
        fitting=FUNNY,
        wrong=(*NOT_FUNNY, "Airplane!", "Funny Games", "Funny People"),
        least=2,
    ),
    asked(
        "a thought-provoking sci-fi film, nothing gory",
        ("1240", "541"),
        fitting=QUIET_SPACE,
        wrong=(*LOUD_SPACE, "A Quiet Place", "The Thing"),
    ),
    asked(
        "a thought-provoking sci-fi film", fitting=QUIET_SPACE, wrong=(*LOUD_SPACE, "A Quiet Place")
    ),
    asked(
        session=("1240",),
        fitting=("Aliens", "Predator", "RoboCop", "Terminator 2: Judgment Day", "Total Recall"),
        wrong=("Beauty and the Beast", "Pretty Woman", "Sleepless in Seattle", "The Lion King"),
        least=2,
    ),
    asked(
        "a bittersweet film from the nineties, no horror",
        fitting=BITTERSWEET_NINETIES,
        wrong=LOUD_NINETIES,
    ),
    asked(
        "like Alien (1979), nothing cruel, no musicals, from the nineties",
        fitting=LIKE_ALIEN_IN_THE_NINETIES,
        wrong=(*NOTHING_LIKE_ALIEN, "Aliens", "Prometheus"),
        least=2,
    ),
    asked(
        "something dark and slow, no war films, like Alien",
        ("541",),
        fitting=(*LIKE_ALIEN, "2001: A Space Odyssey", "Solaris (Solyaris)", "Stalker"),
        wrong=(
            "Forrest Gump",
            "Mars Attacks!",
            "Saving Private Ryan",
            "Starship Troopers",
            "Titanic",
        ),
        least=2,
    ),
    asked(
        "User: something like Alien (1979), not too long\n"
        "Assistant: How about Aliens (1986)?\n"
        "User: seen it, hated it. Anything from the seventies?",
        fitting=(
            "2001: A Space Odyssey",
            "Close Encounters of the Third Kind",
            "Dark Star",
            "Invasion of the Body Snatchers",
            "Jaws",
            "Solaris (Solyaris)",
            "Star Wars: Episode IV - A New Hope",
            "The Andromeda Strain",
            "The Exorcist",
            "Westworld",
        ),
        wrong=("Alien", "Aliens", "E.T. the Extra-Terrestrial", "Prometheus"),
        least=2,
    ),
    # The page.
    asked(
        "something like “The Shawshank Redemption”",
        fitting=LIKE_SHAWSHANK,
        wrong=("The Matrix", "The Shawshank Redemption", "Toy Story"),
        least=2,
    ),
    asked(
        "drama without any comedy",
        fitting=(
            "12 Angry Men",
            "A Beautiful Mind",
            "Braveheart",
            "Boyhood",
            "Dead Poets Society",
            "Gladiator",
            "Good Will Hunting",
            "Gran Torino",
            "Million Dollar Baby",
            "Moneyball",
            "Mystic River",
            "One Flew Over the Cuckoo's Nest",
            "Schindler's List",
            "The Godfather",
            "Raging Bull",
            "Rain Man",
            "Taxi Driver",
            "The Green Mile",
            "The King's Speech",
            "The Pianist",
            "The Shawshank Redemption",
            "The Social Network",
            "There Will Be Blood",
        ),
        least=2,
        # "American Beauty" may come: a satire, but a drama by all its records.
        wrong=("Fargo", "Forrest Gump", "Pulp Fiction", "The Matrix"),
    ),
    asked(
        "something bittersweet from the nineties", fitting=BITTERSWEET_NINETIES, wrong=LOUD_NINETIES
    ),
    # The service's documentation.
    asked("thought-provoking science fiction", fitting=QUIET_SPACE, wrong=LOUD_SPACE),
    asked(
        "a bittersweet story from the nineties, nothing with horror",
        fitting=BITTERSWEET_NINETIES,
        wrong=LOUD_NINETIES,
    ),
    # The notebooks; SPACE is the session of most.
    asked("an animated film for kids", fitting=FAMILY, wrong=NOT_FOR_CHILDREN, least=2),
    asked(
        "an animated film for kids",
        ("1214", "541", "1240"),
        fitting=FAMILY,
        wrong=NOT_FOR_CHILDREN,
        least=2,
    ),
    asked(
        session=("1214", "541", "1240"),
        fitting=("Aliens", "Predator", "Terminator 2: Judgment Day", "The Thing", "Total Recall"),
        wrong=("Forrest Gump", "Pretty Woman", "The Lion King", "The Shawshank Redemption"),
        least=2,
    ),
    asked(
        "like Alien (1979), no horror, from the nineties",
        fitting=(*LIKE_ALIEN_IN_THE_NINETIES, "Star Trek: First Contact", "The Matrix"),
        wrong=(*NOTHING_LIKE_ALIEN, "Alien: Resurrection", "Alien³ (a.k.a. Alien 3)"),
    ),
    asked("a clever heist film", fitting=HEISTS, wrong=NO_HEISTS, least=3),
    asked(
        "a thought-provoking sci-fi film, nothing cruel",
        fitting=QUIET_SPACE,
        wrong=(*LOUD_SPACE, "A Quiet Place"),
    ),
    asked(
        "a bank robbery that goes wrong",
        ("1214", "541", "1240"),
        fitting=(*HEISTS, "The Treasure of the Sierra Madre", "A Simple Plan"),
        wrong=(*SPACE, "E.T. the Extra-Terrestrial", "Star Wars: Episode IV - A New Hope"),
    ),
    asked("a comedy", ("356", "318"), fitting=FUNNY, wrong=NOT_FUNNY),
    asked(
        "a murder mystery with a clever detective",
        fitting=(
            "And Then There Were None",
            "Brick",
            "Chinatown",
            "Clue",
            "Death on the Nile",
            "Gosford Park",
            "L.A. Confidential",
            "Laura",
            "Murder by Death",
            "Murder on the Orient Express",
            "Rear Window",
            "Sherlock Holmes",
            "Sherlock Holmes: A Game of Shadows",
            "The Big Sleep",
            "The Girl with the Dragon Tattoo",
            "The Maltese Falcon",
            "The Thin Man",
            "Zodiac",
        ),
        wrong=(
            "Forrest Gump",
            "Psycho",
            "Pulp Fiction",
            "The Fugitive",
            "The Silence of the Lambs",
        ),
        least=2,
    ),
    asked(
        "something funny",
        ("1214", "541"),
        filters={"genres": {"none": ["Horror"]}, "year": {"gte": 1990}},
        fitting=(*FUNNY, "Galaxy Quest", "Men in Black (a.k.a. MIB)"),
        wrong=(*NOT_FUNNY, *SPACE, "Funny Games"),
        least=2,
    ),
    asked(
        "something like Alien, no horror",
        ("541",),
        fitting=(
            "2001: A Space Odyssey",
            "Close Encounters of the Third Kind",
            "The Arrival",
            "Outland",
            "Predator",
            "Prometheus",
            "The Abyss",
            "The Terminator",
        ),
        wrong=("Alien", "Forrest Gump", "The Thing", "Titanic", "Toy Story"),
    ),
    # Moods and audiences.
    asked(
        "a film for my six year old",
        fitting=(
            "101 Dalmatians (One Hundred and One Dalmatians)",
            "Aladdin",
            "Babe",
            "Casper",
            "Finding Nemo",
            "Home Alone",
            "Honey, I Shrunk the Kids",
            "Ice Age",
            "Mary Poppins",
            "Monsters, Inc.",
            "The Santa Clause",
            "Toy Story",
            "Willy Wonka & the Chocolate Factory",
        ),
        wrong=("The 40-Year-Old Virgin", "The Sitter", "The Sixth Sense", "Meet Dave"),
        least=4,
    ),
    asked(
        "something to cheer me up",
        fitting=(
            "Cool Runnings",
            "Hector and the Search for Happiness",
            "Joe Somebody",
            "Little Miss Sunshine",
            "The Intern",
            "The Internship",
            "Yes Man",
        ),
        wrong=("Bring It On", "Fired Up", "The Shining", "Schindler's List"),
        least=3,
    ),
    asked(
        "a film for date night",
        fitting=(
            "Fall",
            "Love Actually",
            "Notting Hill",
            "Pretty Woman",
            "The Notebook",
            "Titanic",
            "When Harry Met Sally...",
        ),
        wrong=("Night of the Living Dead", "Any Given Sunday", "The Matrix"),
        least=3,
    ),
    asked(
        "something warm and comforting",
        fitting=(
            "Akeelah and the Bee",
            "Billy Elliot",
            "Chocolat",
            "Danny Deckchair",
            "Where the Heart Is",
        ),
        wrong=("An Inconvenient Truth", "The Shining", "Warm Bodies", "Any Given Sunday"),
        least=3,
    ),
)

# A second turn: what it is said after, and what must hold of the list.
FOLLOW_UPS = {
    "not the first one, and horror is fine": "a bittersweet film from the nineties, no horror"
}

# Never answered with films that anybody sees: a field's name is wrong, a model is to be warm.
NOT_ASKED = {
    *("something like Alien", "a warm-up", "a warm-up request", "Find a title"),
    *("Admin key", "Say what you’re looking for…"),  # fields of the page
    "a bittersweet story",  # what is understood of a longer one
}
