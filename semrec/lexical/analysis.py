"""Text analysis: from a text to index terms, and from a request to its content words.

A request says what it is about in a few content words; the rest is conversation ("hi, I'm looking
for a movie"). The filler goes before the request is encoded and matched: it pulls vectors towards
films about films, and tells nothing apart. What is filler depends on the catalogue: "game" is
among games, and isn't among films. English only; words of other languages all stay.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache

import Stemmer

from semrec.data.kinds import words_of_kind

MAX_TERM_CHARS = 40  # longer ones are no words: addresses, hashes
MAX_REQUEST_TERMS = 64  # the last ones of a long text, where people say what they want
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
# No cache of its own: that one isn't safe between threads. `_stem` has one that is.
_STEMMER = Stemmer.Stemmer("english", 0)

# Words that never say what a request is about.
_FILLER = """
a an the and or but if of in on at to for from by with as is are was were be been being am do does
did doing done have has had having so than then too very just also even still only about around i
i'm i'd i've i'll im ive id me my mine we we're we'd we've us our you you're you'd you've your
yours he him his she her hers it it's its they them their they're this that that's these those
there there's here here's what what's which who whom whose when where why how can can't could
couldn't would wouldn't will won't shall should shouldn't may might must not no nor don't doesn't
didn't isn't aren't wasn't haven't hasn't some any anything all both each few more most other
others another such same own let's let please thanks thank hi hey hello hiya greetings ok okay yes
yeah yep sure well really quite pretty maybe perhaps actually something thing things stuff someone
anyone one ones kind kinds sort sorts type types lot lots bit want wants wanted wanting looking
recommend recommends recommended recommendation recommendations suggest suggests suggested
suggestion suggestions tell know think thought hoping hope wondering tonight today now currently
along lines vein similar like liked likes loved enjoyed enjoying seen saw got get
gets getting give gives show shows find help need needs needed hate hated hates
"""
# Words that are filler around a request and content inside one: "a good movie to watch", and "a
# film about love", "feel-good".
_AMBIGUOUS = """
good great best nice cool awesome amazing excellent favorite favourite title titles mood next
"""
_AMBIGUOUS_VERBS = "love enjoy see feel feeling prefer search searching"
_BEFORE_VERBS = """
i i'm i'd i've i'll we we'd you you'd they he she to would could can can't don't didn't really do
did just also always never and or not might will
"""
FILLER = frozenset(_FILLER.split())
VERBS = frozenset(_AMBIGUOUS_VERBS.split())
AMBIGUOUS = frozenset(_AMBIGUOUS.split())
BEFORE_VERBS = frozenset(_BEFORE_VERBS.split())


def terms_of(text: str) -> list[str]:
    """Index terms of a text: lower case, without accents, stemmed; in order, with repeats.

    Runs of a script without spaces become their pairs of characters.

        terms_of("Robots, falling in love") == ["robot", "fall", "in", "love"]
    """
    return [term for token, _ in _tokens(text) for term in _terms(token.group())]


def plain_words(text: str) -> list[str]:
    """The words of a text in lower case and without accents, in order, with repeats."""
    return [_plain(token.group()) for token, _ in _tokens(text)]


def content_words(text: str, kind: str = "") -> list[str]:
    """The words of a request that say what it is about, as written; none if all are filler.

        content_words("Hi! I'm looking for a good movie about time loops") == ["time", "loops"]

    Args:
        text: The request.
        kind: What the catalogue's items are (`Catalog.kind`), whose names say nothing here.
    """
    return [token.group() for token in content_tokens(text, kind)]


def content_tokens(text: str, kind: str = "") -> list[re.Match[str]]:
    """The same with their places in the text (in Unicode's form NFC)."""
    tokens = list(_tokens(text))
    words = [_plain(token.group()) for token, _ in tokens]
    filler, verbs, ambiguous = fillers(kind)
    kept = []
    for position, (token, is_compound) in enumerate(tokens):
        word, before = words[position], words[position - 1] if position else ""
        is_filler = (
            word in filler
            or (word in verbs and (not before or before in BEFORE_VERBS))
            or (word in ambiguous and before != "about")
        )
        if is_compound or not is_filler:
            kept.append(token)
    return kept


def request_terms(words: list[str]) -> list[str]:
    """Index terms of content words, each once, at most `MAX_REQUEST_TERMS`."""
    terms = dict.fromkeys(term for word in words for term in _terms(word))
    return list(terms)[-MAX_REQUEST_TERMS:]


@cache
def fillers(kind: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Filler, and words that are filler only as verbs, or not behind "about", of a kind of item."""
    uses = words_of_kind("does", kind)
    verbs = frozenset(verb for verb in uses if not verb.endswith("ing"))
    filler = FILLER | words_of_kind("did", kind) | (uses - verbs)
    return filler, VERBS | verbs, AMBIGUOUS | words_of_kind("nouns", kind)


def _tokens(text: str) -> Iterator[tuple[re.Match[str], bool]]:
    """Each token, and whether it is a part of a compound with a hyphen."""
    for match in _TOKEN.finditer(unicodedata.normalize("NFC", text)):
        around = match.string[max(0, match.start() - 1) : match.start()]
        around += match.string[match.end() : match.end() + 1]
        yield match, "-" in around


@lru_cache(maxsize=100_000)
def _plain(token: str) -> str:
    """The token in lower case, without accents and with a straight apostrophe."""
    folded = unicodedata.normalize("NFKD", token.casefold().replace("’", "'"))
    return "".join(char for char in folded if not unicodedata.combining(char))


@lru_cache(maxsize=100_000)
def _terms(token: str) -> tuple[str, ...]:
    """The index terms of a token: none, one, or several of a script without spaces."""
    if _UNSPACED.search(token):
        pairs = [token[at : at + 2] for at in range(max(1, len(token) - 1))]
        return tuple(pairs[:MAX_REQUEST_TERMS])
    plain = _plain(token).removesuffix("'s").replace("'", "")
    if not plain or len(plain) > MAX_TERM_CHARS:
        return ()
    return (str(_STEMMER.stemWord(plain)),) if plain.isascii() else (plain,)
