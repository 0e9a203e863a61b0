"""Wishes that stand, and what a message does to them: it adds, replaces, or tells of titles.

"Christmas films" names a topic and replaces; "darker", "set in Paris", "with a dog", "he is seven"
say more of the one that stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from semrec.chat.intent_texts import COMPARATIVES, TALK, content_of
from semrec.intent.english import DETERMINERS, FILLERS, NAMED_BY, USED, word_set
from semrec.intent.tokens import MARKS, Tokens, read_tokens

MAX_LEAD = 4  # words in which a message says that it adds

# A message that begins so adds to what was asked before …
_ADDING = NAMED_BY | word_set(
    "and plus with without but in set for by from less preferably ideally too under over between"
    " until before after no nothing any based about directed made where make"
    " my our he she they hes shes theyre easy simple"
)
# … and so does one that has one of these,
_ANYWHERE = word_set("also maybe perhaps")
# or, behind "something", one of these: "something with a twist", not "something about robots".
_BEHIND_SOMETHING = NAMED_BY | word_set(
    "with without in set by from based where that for more less not too"
)
_SOMETHING = word_set("something anything a an bit little much slightly way somewhat it them be")
_MODIFIERS = word_set(
    "dark dumb light slow fast quiet loud funny sad happy weird scary romantic violent gritty cozy"
    " artsy arty epic clean short long old new foreign animated surreal dreamy intense uplifting"
    " gentle clever smart silly strange tense bleak warm cute deep stylish classic recent modern"
    " famous cheap expensive heavy sturdy compact durable waterproof small big wide narrow soft"
    " thin thick and but very really more less not too so rather quite"
)
_ADJECTIVE = re.compile(r"\w{3,}(?:ful|ous|ish|less|ical|ional|esque|istic)")
_FAMILIAR = FILLERS | word_set(
    "hidden gem gems obscure underrated underseen unknown popular famous mainstream known well more"
    " most lesser"
)
_POLITE = word_set(
    "ok okay yes yeah well so please thanks now then actually hm hmm oh great cool nice"
)
_INSTEAD = word_set("instead actually rather")
_HOW_ABOUT = (["how", "about"], ["what", "about"])
_TELLING = USED | word_set("know knew liked loved love enjoyed like adored favorite")
_TELLERS = _TELLING | word_set(
    "we had weve theyve hes shes wife husband kids son daughter favourite often times time twice"
    " dozen recently before yesterday night many"
)
_AROUND_A_LABEL = DETERMINERS | FILLERS
_ALIKE = word_set("like similar")


def adds_to_wishes(t: Tokens) -> bool:
    """True for words that add to what was asked before; False if they name a new topic.

    >>> adds_to_wishes(read_tokens("a bit more upbeat, set in Paris"))
    True
    >>> adds_to_wishes(read_tokens("something about robots"))
    False
    """
    words = _said(t)
    asks = words[:2] in _HOW_ABOUT
    words = words[2:] if asks else words
    head = [word for word in words[:MAX_LEAD] if word not in _SOMETHING]
    is_short = len(words) <= MAX_LEAD
    return (
        not words
        or words[0] in _ADDING
        or not _ANYWHERE.isdisjoint(words)
        or words[:2] in (["a", "bit"], ["a", "little"], ["the", "one"], ["the", "ones"])
        or " would be " in f" {' '.join(words)} "  # "British would be nice"
        or (is_short and words[-1] in ("one", "ones"))  # "a modern one"
        or (is_short and not asks and t.text.rstrip().endswith("?"))  # "Italian?"
        or bool(head and (head[0] in _BEHIND_SOMETHING or head[0] in COMPARATIVES))
        or bool(head and _FAMILIAR.issuperset(head))
        or (is_short and _only_modifies(words))
    )


def replaces_wishes(t: Tokens) -> bool:
    """True if what is said stands instead of what was said; "actually make it a comedy" adds."""
    makes = _said(t)[:2] == ["make", "it"] and "instead" not in t.words
    return not _INSTEAD.isdisjoint(t.words) and not makes


def asks_how_about(t: Tokens) -> bool:
    """True for "what about poker?": it takes the place of the newest topic alone."""
    words = _said(t)
    rest = [word for word in words[2:] if word not in _SOMETHING]
    compares = bool(rest) and (rest[0] in COMPARATIVES or _only_modifies(rest))
    return words[:2] in _HOW_ABOUT and not compares


def without_topic(wishes: Sequence[str]) -> tuple[str, ...]:
    """The wishes without the newest that is more than adjectives."""
    for at in range(len(wishes) - 1, -1, -1):
        if not _only_modifies(read_tokens(wishes[at]).words):
            return (*wishes[:at], *wishes[at + 1 :])
    return tuple(wishes)


def is_mood(wish: str, moods: Iterable[str]) -> bool:
    """True if a wish is one of some moods and nothing else: "slow burn" after "a mystery"."""
    return any(not content_of(wish.casefold().replace(mood.casefold(), " ")) for mood in moods)


def bare_label(wish: str) -> str:
    """The words of a wish in the singular, without those around a label: of "a comedy" one."""
    return " ".join(word for word in read_tokens(wish).stems if word not in _AROUND_A_LABEL)


def only_tells(text: str) -> bool:
    """True for talk about titles that asks for nothing; their words are left out here.

    "I've seen … and loved …", "I like …" tell; "something like …" asks.
    """
    words = [word for word in read_tokens(text).words if word not in MARKS]
    if not _TELLING & set(words) or any(word not in TALK | _TELLERS for word in words):
        return False
    return not any(
        word in _ALIKE and words[at - 1 : at] != ["i"] and "also" not in words[at - 1 : at]
        for at, word in enumerate(words)
    )


def _said(t: Tokens) -> list[str]:
    return [word for word in t.words if word not in MARKS and word not in _POLITE]


def _only_modifies(words: Sequence[str]) -> bool:
    return all(word in _MODIFIERS or _ADJECTIVE.fullmatch(word) for word in words)
