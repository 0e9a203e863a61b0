"""The intent in a message: its words without limits, and without those that only talk."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from semrec.intent.conditions import Condition, Has
from semrec.intent.english import FILLERS, USED, USES, USING, word_set
from semrec.intent.spans import Spans
from semrec.intent.tokens import MARKS, read_tokens
from semrec.intent.vocabulary import Vocabulary
from semrec.types import Label

TALK = FILLERS.union(USES, USING, USED) | word_set(
    "hi hello hey thanks thank thx you ok okay yes yeah yep yup no nope nah not sure hmm hm well oh"
    " please pls great good nice cool perfect lovely fine alright right looks look sounds seems"
    " interesting i im ive id me my we a an the it its that this those these them one and but so"
    " or too also then now just really very much more like liked love loved enjoyed enjoy"
    " take pick choose already have had do dont did didnt was is are am"
    " be him her us them actually instead rather maybe let lets show give what how about can"
    " could would will only something anything some any another other others else again for to of"
    " in on with at looking search searching find recommend suggest said mean meant wait were"
    " changed mind got want need hated hate lol haha awesome first second third fourth fifth last"
    " bit little all both should there tonight today she he they has"
    " obviously course better evening morning afternoon whats similar"
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
# "Stranger Things" is a name: in capitals only at the beginning.
_ANY = "|".join(COMPARATIVES)
_COMPARATIVE = re.compile(rf"\b(?:{_ANY})\b|^(?i:{_ANY})\b(?! [A-Z])")
_LESS = re.compile(
    r"\b(?:(?:a (?:bit|little) |much |somewhat )?less|not as|not so) "
    r"(?!than\b|(?:well )?(?:known|popular|famous|mainstream|obscure)\b)",
    re.IGNORECASE,
)
_USE = "|".join(sorted(USES))
_OPENING = re.compile(
    r"^(?:something\s*,|(?:hmm?|um|uh|ah|please|ok|okay|and|but|also|then|now|so|well|thanks|yes|no"
    r"|sorry|oops|i (?:mean|meant|said)|actually|instead|rather"
    r"|hi|hello|hey|make (?:it|that|them)|let[’']?s (?:try|do|go for|have)|(?:how|what) about"
    r"|more(?! like)|i[’']?d (?:rather|prefer)"
    rf"(?: (?:have|{_USE}))?)\b[\s,.!;:?]*|[,.;:!?\s]+"
    # "I want a western" asks for "a western"; "I want to cry", "I need a hug" say how one feels.
    r"|what (?:do you have|have you got|is there) |any (?=good|great|nice|decent)"
    r"|(?:can|could|may) (?:i|we) (?:get|have|see) (?:a list of )?"
    r"|(?:(?:can|could|would) you )?(?:(?:i|we)(?:[’']?d|[’']?m| am| are)? )?(?:really )?"
    r"(?:(?:want|need|like|feel like|get)"
    rf"(?: to (?:find|{_USE}))? (?=(?:an?|some|something|anything|the)\b)"
    r"|(?:recommend|suggest|show|give|find)(?: (?:me|us))? "
    r"|(?:looking for|searching for|in the mood for|are there|let[’']?s go with) (?:any )?)"
    r"(?!(?:an?|some) (?:hug|comfort|good cry|laugh)\b))+",
    re.IGNORECASE,
)
# What is left between phrases that were cut out: "a film, and, and with robots".
# At most eight marks, here and below: a run of thousands would be tried from each of them.
_LEFT_OVER = re.compile(
    r"(?:[\s,;]{1,8}(?:and|or|but))+(?=[\s,;]{1,8}(?:and|or|but)\b|[\s,;.]{0,8}$)", re.I
)
_ALLOWS = re.compile(
    r"(?:ok |okay |but )?(?:[\w’'-]+ ){1,3}(?:is|are|would be) "
    r"(?:fine|ok|okay|alright|all right|no problem)(?: too| with (?:me|us)| by me)*[\s.!]*"
    r"|.{1,60}(?:both|all|either)(?: is| are| would be)? (?:fine|ok|okay|good)[\s.!]*",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"[\s,]{1,8}(?:instead|please|then|thanks|would be (?:nice|great|good|cool|perfect|fun))"
    r"[\s.!?]*$",
    re.IGNORECASE,
)
# "Sad , please, for two": a courtesy between marks, and the space that a cut left before one.
_ASIDE = re.compile(r"[\s,]{1,8}(?:please|thanks)(?=\s*[,.;!?])|\s+(?=[,.;!?])", re.IGNORECASE)


def content_of(text: str) -> str:
    """A message's words as a wish; empty if it only talks ("thanks, looks good")."""
    words = [word for word in read_tokens(text).words if word not in MARKS]
    talks = all(word in TALK or word.isdecimal() for word in words)
    if (talks and not all(map(str.isdecimal, words))) or not words or _allows(text):
        return ""  # "thanks", "he is 7"; "1917" may be a title
    whole = _ASIDE.sub("", _LEFT_OVER.sub("", " ".join(text.split())))
    return _CLOSING.sub("", _OPENING.sub("", whole)).strip(" ,;:-?")


def _allows(text: str) -> bool:
    """True for what only permits: "slow is fine", "subtitles are ok with me"."""
    return _ALLOWS.fullmatch(text.strip()) is not None


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
