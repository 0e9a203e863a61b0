"""The intent in a message: its words without limits, and without those that only talk."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from semrec.intent.conditions import Condition, Has
from semrec.intent.english import FILLERS, word_set
from semrec.intent.spans import Spans
from semrec.intent.tokens import MARKS, Tokens, read_tokens
from semrec.intent.vocabulary import Vocabulary
from semrec.types import Label

_TALK = FILLERS | word_set(
    "hi hello hey thanks thank thx you ok okay yes yeah yep yup no nope nah not sure hmm hm well oh"
    " please pls great good nice cool perfect lovely fine alright right looks look sounds seems"
    " interesting i im ive id me my we a an the it its that this those these them one and but so"
    " or too also then now just really very much more like liked love loved enjoyed enjoy watch"
    " watched watching take pick choose seen saw already have had do dont did didnt was is are am"
    " be him her us them actually instead rather maybe let lets see show give what how about can"
    " could would will only something anything some any another other others else again for to of"
    " in on with at looking search searching find recommend suggest said mean meant wait were"
    " changed mind got want need hated hate lol haha awesome first second third fourth fifth last"
    " bit little all both should there tonight today she he they has"
)
# What is said after these adds to what was asked before.
_ADDING = word_set(
    "and plus with without but in set for by from less maybe preferably ideally too starring under"
    " over between until before after no nothing any based about featuring directed made where"
)
# … and behind "something": "something with a twist", but not "something about robots".
_ADDING_BEHIND = word_set("with without in set by from based featuring starring where that for")
POLITE = word_set(
    "ok okay yes yeah well so please thanks now then actually hm hmm oh great cool nice"
)
_TELLING = word_set("seen saw watched know knew liked loved love enjoyed like adored favorite")
_TELLERS = _TELLING | word_set(
    "he she they we has had weve theyve hes shes my our wife husband kids son daughter favourite"
    " often times time twice dozen recently before yesterday night many already"
)
_INSTEAD = word_set("instead actually rather")
_ALIKE = word_set("like similar")
_SOMETHING = word_set(
    "something anything a an bit little much slightly way somewhat make it them be"
)
_MODIFIERS = word_set(
    "dark dumb light slow fast quiet loud funny sad happy weird scary romantic violent gritty cozy"
    " artsy arty epic clean short long old new foreign animated surreal dreamy intense uplifting"
    " gentle clever smart silly strange tense bleak warm cute deep stylish classic recent modern"
    " famous and but very really more less not too so rather quite"
)
_ADJECTIVE = re.compile(r"\w{3,}(?:ful|ous|ish|less|ical|ional|esque|istic)")
_FAMILIAR = FILLERS | word_set(
    "hidden gem gems obscure underrated underseen unknown popular famous mainstream known well more"
    " most lesser"
)
COMPARATIVES = {
    **{
        f"{word[:-1]}ier": word
        for word in word_set(
            "funny happy scary weighty gory gloomy silly crazy sexy cosy cozy moody gritty creepy"
            " bloody dreamy witty sunny sappy cheesy edgy brainy trippy"
        )
    },
    **{
        f"{word}er": word
        for word in word_set(
            "dark dumb light slow fast smart deep warm cold soft calm quiet loud bleak sweet tough"
            " kind wild weird mild"
        )
    },
    "sadder": "sad",
    "gentler": "gentle",
    "stranger": "strange",
    "simpler": "simple",
}
MAX_LEAD = 4  # words in which a message says that it compares
# "Stranger Things" is a name: in capitals only at the beginning.
_ANY = "|".join(COMPARATIVES)
_COMPARATIVE = re.compile(rf"\b(?:{_ANY})\b|^(?i:{_ANY})\b(?! [A-Z])")
_LESS = re.compile(
    r"\b(?:(?:a (?:bit|little) |much |somewhat )?less|not as|not so) "
    r"(?!(?:well )?(?:known|popular|famous|mainstream|obscure)\b)",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"^(?:something\s*,|(?:hmm?|um|uh|ah|please|ok|okay|and|but|also|then|now|so|well|thanks|yes|no|sorry|oops"
    r"|i (?:mean|meant|said)|actually|instead|rather"
    r"|hi|hello|hey|make (?:it|that|them)|let[’']?s (?:try|do|go for|have)|(?:how|what) about"
    r"|more(?! like)|i[’']?d (?:rather|prefer)(?: (?:have|see|watch))?)\b[\s,.!;:?]*|[,.;:!?\s]+"
    # "I want a western" asks for "a western"; "I want to cry", "I need a hug" say how one feels.
    r"|(?:can|could|may) (?:i|we) (?:get|have|see) (?:a list of )?"
    r"|(?:(?:can|could|would) you )?(?:(?:i|we)(?:[’']?d|[’']?m| am| are)? )?(?:really )?"
    r"(?:(?:want|need|like|looking for|searching for|in the mood for|feel like|get)"
    r"(?: to (?:see|watch|find))? (?=(?:an?|some|something|anything|the)\b)"
    r"|(?:recommend|suggest|show|give|find)(?: (?:me|us))? )"
    r"(?!(?:an?|some) (?:hug|comfort|good cry|laugh)\b))+",
    re.IGNORECASE,
)
# What is left between phrases that were cut out: "a film, and, and with robots".
_LEFT_OVER = re.compile(r"(?:[\s,;]+(?:and|or|but))+(?=[\s,;]+(?:and|or|but)\b|[\s,;.]*$)", re.I)
_ALLOWS = re.compile(
    r"(?:ok |okay |but )?(?:[\w’'-]+ ){1,3}(?:is|are|would be) "
    r"(?:fine|ok|okay|alright|all right|no problem)(?: too| with (?:me|us)| by me)*[\s.!]*",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"[\s,]+(?:instead|please|then|thanks|would be (?:nice|great|good|cool|perfect|fun))[\s.!?]*$",
    re.IGNORECASE,
)
# "Sad , please, for two": a courtesy between marks, and the space that a cut left before one.
_ASIDE = re.compile(r"[\s,]+(?:please|thanks)(?=\s*[,.;!?])|\s+(?=[,.;!?])", re.IGNORECASE)


def content_of(text: str) -> str:
    """A message's words as a wish; empty if it only talks ("thanks, looks good")."""
    words = [word for word in read_tokens(text).words if word not in MARKS]
    if all(word in _TALK for word in words) or _allows(text):
        return ""
    whole = _ASIDE.sub("", _LEFT_OVER.sub("", " ".join(text.split())))
    return _CLOSING.sub("", _OPENING.sub("", whole)).strip(" ,;:-?")


def replaces_wishes(t: Tokens) -> bool:
    """True if what is said stands instead of what was said; "actually make it a comedy" adds."""
    if "actually" in t.words and any(
        t.words[at : at + 2] == ["make", "it"] for at in range(len(t))
    ):
        return False
    return not _INSTEAD.isdisjoint(t.words)


def _allows(text: str) -> bool:
    """True for what only permits: "slow is fine", "subtitles are ok with me"."""
    return _ALLOWS.fullmatch(text.strip()) is not None


def adds_to_wishes(t: Tokens) -> bool:
    """True for words that add to what was asked before; False if they name a new topic.

    "also with robots", "set in Paris", "darker", "a bit more upbeat" add; "Christmas movies" and
    "something about robots" replace.
    """
    words = [word for word in t.words if word not in MARKS and word not in POLITE]
    if not words or "also" in words or words[0] in _ADDING:
        return True
    if len(words) > 1 and words[0] == "a" and words[1] in ("bit", "little"):
        return True
    head = [word for word in words[:MAX_LEAD] if word not in _SOMETHING]
    if words[-1] in ("one", "ones") and len(words) <= MAX_LEAD:
        return True  # "a modern one", "funny ones"
    if " would be " in f" {' '.join(words)} ":
        return True  # "British would be nice"
    if words[0] == "make" or (head and head[0] in _ADDING_BEHIND):
        return True
    if head and (head[0] in ("more", "less", "not", "too") or head[0] in COMPARATIVES):
        return True
    if head and all(word in _FAMILIAR for word in head):
        return True
    return len(words) <= MAX_LEAD and _only_modifies(words)


def _only_modifies(words: Sequence[str]) -> bool:
    return all(word in _MODIFIERS or _ADJECTIVE.fullmatch(word) for word in words)


def without_topic(wishes: Sequence[str]) -> tuple[str, ...]:
    """The wishes without the newest that is more than adjectives: "what about poker?"."""
    for at in range(len(wishes) - 1, -1, -1):
        if not _only_modifies(read_tokens(wishes[at]).words):
            return (*wishes[:at], *wishes[at + 1 :])
    return tuple(wishes)


def only_tells(text: str) -> bool:
    """True for talk about titles that asks for nothing; their words are left out here.

    "I've seen … and loved …", "I like …" tell; "something like …" asks.
    """
    words = [word for word in read_tokens(text).words if word not in MARKS]
    if not _TELLING & set(words) or any(word not in _TALK | _TELLERS for word in words):
        return False
    return not any(
        word in _ALIKE and words[at - 1 : at] != ["i"] and "also" not in words[at - 1 : at]
        for at, word in enumerate(words)
    )


def plainly(text: str) -> str:
    """A wish without what only compares: "something funnier" is a wish for something funny."""
    if (less := _LESS.search(text)) is not None:  # "less scary than Alien" is not too scary
        than = text.find(" than ", less.end())
        text = _LESS.sub("not too ", text if than < 0 else text[:than])
    return _COMPARATIVE.sub(lambda match: COMPARATIVES[match.group().lower()], text)


def as_said(phrase: str, text: str) -> str:
    """A denial as it was said, where `plainly` made it of "less" in a text."""
    if phrase in text:
        return phrase
    less = re.escape(phrase.removeprefix("not too "))
    match = re.search(rf"{_LESS.pattern}{less}", text, re.IGNORECASE)
    return match.group() if match else phrase


def labels_of(conditions: Sequence[Condition]) -> set[Label]:
    """The labels that conditions are about."""
    return {(c.attribute, str(n)) for c in conditions if isinstance(c, Has) for n in c.labels}


def without_labels(
    wishes: Sequence[str], labels: Set[Label], vocabulary: Vocabulary
) -> tuple[str, ...]:
    """The wishes without the words that name some labels: those pull no more."""
    if not labels:
        return tuple(wishes)
    left = (_without(wish, labels, vocabulary) for wish in wishes)
    return tuple(wish for wish in left if wish)


def _without(wish: str, labels: Set[Label], vocabulary: Vocabulary) -> str:
    t = read_tokens(wish)
    spans = Spans(t, vocabulary)
    at, kept, parts = 0, 0, []
    while at < len(t):
        read = spans.labels(at)
        named = (
            {(h.attribute, label) for of in read.conditions for h in of for label in h.labels}
            if read
            else set()
        )
        if read and named and named <= labels:
            parts.append(wish[kept : t.starts[at]])
            kept = t.ends[read.end - 1]
        at = read.end if read else at + 1
    if not parts:
        return wish
    return content_of(" ".join((*parts, wish[kept:])))
