"""Nothing is dropped in silence: each content word of a request ends in something that is shown.

A request is made of phrases, each with words that must end somewhere: in a limit, a wish, a title,
an act, or in "can't check".
"""

import re
from itertools import repeat

import pytest
from conftest import world_config
from hypothesis import given, settings
from hypothesis import strategies as st
from twelve_films import write_films

import semrec
from semrec.chat.answering import respond
from semrec.cli.terminal import Screen
from semrec.types.display import understood_lines

# What is asked for; its words end in the wish.
WISHES = (
    "a heist",
    "a quiet film",
    "something about memory",
    "clever crooks",
    "a flurble",
    "robots",
)
# A limit that the catalogue can check → the limit.
LIMITS = {
    "no horror": ("genres", "Horror"),
    "not too romantic": ("genres", "Romance"),
    "without crime": ("genres", "Crime"),
    "from the nineties": ("year", None),
    "before 1980": ("year", None),
    "newer than 1999": ("year", None),
    "between 1970 and 1985": ("year", None),
}
# What it can't check → words that must be said.
UNCHECKED = {
    "no subtitles": ("subtitles",),
    "nothing gory": ("gory",),
    "under 90 minutes": ("90", "minutes"),
    "at least 2 hours long": ("2", "hours"),
    "1h30 max": ("90", "minutes"),
    "at most 20 dollars": ("20", "dollars"),
    "in Finnish": ("Finnish",),
    "in 4K": ("4K",),
    "with Sandra Bullock": ("Sandra", "Bullock"),
    "with sandra bullock": ("bullock",),
    "by Tarkovsky": ("Tarkovsky",),
    "starring gosling": ("gosling",),
    "on Netflix": ("Netflix",),
    "shot in Iceland": ("Iceland",),
    "without zorbs": ("zorbs",),
}
TITLES = {"like Blade Runner": "blade", "like Inside Man": "inside", "like The Sting": "sting"}
JOINTS = (" ", ", ", ", and ", "; ")


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = write_films(tmp_path_factory.mktemp("films") / "data")
    return semrec.build(folder, config=world_config())


@st.composite
def requests(draw):
    """A wish, and phrases after it in any order."""
    phrases = draw(
        st.lists(st.sampled_from([*LIMITS, *UNCHECKED, *TITLES]), max_size=5, unique=True)
    )
    joint = draw(st.sampled_from(JOINTS))
    return draw(st.sampled_from(WISHES)), phrases, joint


def whole(phrase, asked):
    """A phrase as it was said: of one too long to show the first words are shown."""
    if not phrase.endswith(" …"):
        return phrase
    start = asked.index(phrase.removesuffix(" …"))
    return asked[start:]


def missing(wish, phrases, joint, understood, asked):
    """Words of a request that ended nowhere."""
    unchecked = " ".join(map(whole, understood.get("not_understood", ()), repeat(asked))).casefold()
    searched = understood.get("intent", asked).casefold()
    session = [
        one if isinstance(one, str) else one["item_id"] for one in understood.get("session", ())
    ]
    left = [word for word in wish.casefold().split() if word not in searched]
    for phrase in phrases:
        if phrase in unchecked or (phrase.casefold() in searched and joint == " "):
            continue  # "no horror from the nineties", "no horror like Alien" may be one phrase
        if phrase in LIMITS:
            name, value = LIMITS[phrase]
            limit = understood.get("filters", {}).get(name, {})
            if not limit or (name == "genres" and value not in limit.get("none", ())):
                left.append(phrase)
        elif phrase in UNCHECKED:
            said = f"{unchecked} {searched}" if joint == " " else unchecked
            left += [word for word in UNCHECKED[phrase] if word.casefold() not in said]
        elif TITLES[phrase] not in session:
            left.append(phrase)
    return left


@settings(deadline=None, max_examples=150)
@given(request=requests())
def test_each_content_word_ends_somewhere(films, request):
    wish, phrases, joint = request
    text = joint.join([wish, *phrases])
    found = films.recommend(intent=text, k=3)
    assert not missing(wish, phrases, joint, found.trace.understood, text), found.trace.understood


@settings(deadline=None, max_examples=150)
@given(request=requests())
def test_a_reply_says_what_it_cannot_check(films, request):
    wish, phrases, joint = request
    turn = respond(films, joint.join([wish, *phrases]))
    unchecked = [phrase for phrase in phrases if phrase in UNCHECKED and joint != " "]
    said = turn.reply.casefold()
    unsaid = [p for p in unchecked if not all(w.casefold() in said for w in UNCHECKED[p])]
    assert not unsaid or re.search(r"or \d+ more here", said), turn.reply


def test_the_command_line_and_a_notebook_show_it(films, capsys):
    found = films.recommend(intent="a heist like The Sting, no horror, by Tarkovsky", k=2)
    lines = dict(understood_lines(found.trace.understood, {"sting": "The Sting"}))
    assert lines["limits"] == "genres no Horror"
    assert (lines["like"], lines["can’t check"]) == ("The Sting", "“by Tarkovsky”")
    Screen().recommendations(found, {"sting": "The Sting"})
    printed = capsys.readouterr().out
    assert "can’t check: “by Tarkovsky”" in printed
    assert all(len(line) <= 80 for line in printed.splitlines())
    assert "can’t check: “by Tarkovsky”" in found._repr_html_()


def test_text_in_a_notebook_stays_text(films):
    found = films.recommend(intent="no <script>alert(1)</script> zorbs", k=2)
    assert "<script>" not in found._repr_html_()
