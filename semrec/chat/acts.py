"""Acts of a conversation: thanks, more, why, undo. They are done, never searched for.

A message that does nothing else is an act; "thanks, anything newer?" is a request. Only short
messages are looked at, so reading one takes a few microseconds and is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from semrec.chat.attribute_questions import asked_attribute
from semrec.data.kinds import kinds
from semrec.intent.english import NOUNS, USES, word_set
from semrec.intent.references import ORDINALS, read_references
from semrec.intent.tokens import MARKS, Tokens
from semrec.intent.vocabulary import Vocabulary

ActKind = Literal[
    "greet", "thank", "leave", "help", "why", "ask", "more", "count", "fewer", "surprise", "undo",
    "reset", "release",
]  # fmt: skip
MAX_ACT_WORDS, MAX_COUNT, MAX_BEST_WORDS = 16, 100, 8

_NUMBERS = {
    word: n
    for n, word in enumerate(
        (
            *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
            *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
            *("eighteen", "nineteen", "twenty"),
        ),
        start=1,
    )
} | {"couple": 2, "few": 3, "dozen": 12}
_N = rf"(?:\d{{1,3}}|(?:a )?(?:{'|'.join(_NUMBERS)}))"
_KIND = (
    rf"(?:{'|'.join(sorted(NOUNS))}|items?|series|results?|ones?|titles?|options?|picks?|suggestions?"
    r"|recommendations?|things?|examples?)"
)
_USE = "|".join(sorted(USES))
_OF_LIST = rf"(?:of (?:them|these|those)|like (?:this|these|those|that|them)|{_KIND})"
_LEAD = (
    r"(?:(?:ok|okay|well|so|and|but|please|oh|um|ah|ha|hm|great|cool|nice|good|now|actually|yes"
    r"|yeah|then|alright|right|sorry|wait|thanks|thank you|hey|hi|hello"
    r"|(?:can|could|would|will) you) )*"
)
_TAIL = (
    r"(?: (?:please|pls|thanks|thank you|then|now|again|for me|today|tonight|though|mate|ok|okay"
    r"|if (?:you can|possible)|so much|very much|a lot|for now))*"
)
_GIVE = (
    r"(?:(?:can|may) i )?(?:(?:show|give|see|have|load|get|list|find|recommend|suggest|name|pick"
    r"|fetch|want|need|id like|i want|i need|ill have|let me|lets)(?: to)?(?: see)? )?"
    r"(?:(?:me|us) )?"
)
_ONLY = (
    r"(?:(?:only|just|the|top|best|max|maximum|at most|no more than|up to|exactly|make it"
    r"|limit (?:it |that |them )?to|keep it to) )+"
)
# An act → the ways to say it, each the whole message between `_LEAD` and `_TAIL`.
_WAYS: Mapping[ActKind, tuple[str, ...]] = {
    "greet": (
        r"(?:hi|hello|hey|hiya|howdy|yo|greetings|good (?:morning|evening|afternoon|day))"
        r"(?: (?:there|again|you|everyone|all|how are you|doing|today|whats up|nice to meet))*",
    ),
    "leave": (
        r"bye(?: bye)?|goodbye|ciao|cheerio|farewell|take care|good ?night",
        r"see (?:you|ya)(?: (?:later|soon|around))?",
        r"(?:thats|that is|that will be|thatll be) (?:all|it|everything)",
        r"im (?:done|all set)|(?:i )?(?:gotta|have to|need to|must) go",
        r"have a (?:good|nice|great) (?:day|night|evening|one|weekend)",
    ),
    "help": (
        r"help(?: me)?(?: out)?|instructions|commands",
        r"what (?:can|do|could|should) (?:you|i) (?:do|ask|say|know|type|offer)"
        r"(?: (?:you|here|for|about|me|now))*",
        r"how (?:does|do|did) (?:this|it|that|you) work",
        r"(?:who|what) (?:are you|is this|can this do)|whats this",
        r"how (?:do|can|should) i (?:use|ask|start|do|search)(?: (?:this|you|it|that))?",
        r"are you (?:an? )?(?:bot|human|robot|ai|person|real|chatgpt|llm)",
    ),
    "undo": (
        r"undo(?: (?:that|it|this|(?:the )?last(?: one)?))?|oops|scratch that",
        r"(?:go )?back|never ?mind(?: that)?|revert(?: that| it)?|(?:no )?cancel(?: that| it)?",
        r"(?:take|bring|put) (?:that|it|this) back|forget (?:that|it|what i (?:just )?said)",
        r"(?:go back to |show |bring back )?(?:the |my )?(?:last|previous|old|earlier|prior)"
        r" (?:list|results?|ones?|step|page|turn|suggestions)",
    ),
    "reset": (
        r"(?:reset|restart|clear|wipe)(?: (?:it|all|everything|that|this|the (?:chat|list)))?",
        r"(?:lets )?start(?: all)? (?:over|again|fresh|anew|afresh|from scratch|new)",
        r"begin again|from scratch|(?:a )?new (?:search|conversation|chat|topic|start)",
        r"forget (?:everything|all(?: of (?:it|that))?)(?: i (?:have )?said)?",
    ),
    "release": (
        r"anything goes|no (?:limits?|filters?|restrictions?|rules)(?: (?:any ?more|at all))?",
        r"(?:drop|remove|clear|forget|lift) (?:all )?(?:the |my |any )?"
        r"(?:limits?|filters?|restrictions?|rules|conditions)",
    ),
    "surprise": (
        r"surprise(?: (?:me|us))?(?: with (?:something|anything))?|dealers choice|just pick",
        r"you (?:choose|pick|decide)|your (?:choice|pick|call)|(?:its )?up to you|whatever",
        r"(?:im )?feeling lucky|(?:pick )?(?:something|anything)(?: random)?|random",
        r"something (?:unexpected|surprising|(?:(?:completely|totally|entirely) )?different)"
        r"|pick (?:something|anything|one)",
        r"(?:something|anything) (?:everyone|everybody|we (?:all|both)) (?:likes?|loves?|enjoys?)",
        r"(?:i|we) (?:cant|cannot|can not) (?:decide|choose)",
        r"(?:i )?(?:dont|do not) (?:care|mind|know)(?: (?:what|which|either))?"
        rf"(?: to (?:{_USE}))?",
        r"(?:i have )?no idea|idk|im (?:bored|not sure|undecided|easy)|not sure",
    ),
    "fewer": (
        rf"(?:fewer|less)(?: {_OF_LIST})?|not so many|(?:thats )?too many|(?:a )?shorter list",
    ),
    "more": (
        rf"{_GIVE}(?:a (?:few|couple) |some |any |even |(?P<more>{_N}) )?more(?: {_OF_LIST})*",
        rf"(?:show |see |give me |go to )?(?:the )?next(?: (?:page|list|batch|set|{_KIND}))?",
        rf"(?:the )?next (?P<next>{_N})(?: {_KIND})?|keep going|continue|go on|load more",
        r"(?:and )?what else(?: (?:do you have|is there|have you got))?",
        r"(?:any|are there any|is there any|anything) (?:more|others|else)|(?:a )?longer list",
    ),
    "count": (
        rf"{_GIVE}{_ONLY}(?P<only>{_N})(?: {_OF_LIST})?"
        r"(?: (?:will do|is enough|are enough|is fine|max|maximum|at most|only))?",
        rf"(?P<enough>{_N}) (?:is|are) enough|(?P<few>{_N}) {_KIND}",
    ),
}
_ACTS = tuple(
    (kind, re.compile(f"{_LEAD}(?:{'|'.join(ways)}){_TAIL}")) for kind, ways in _WAYS.items()
)
_THANKS = word_set("thanks thank thx ty cheers ta thankyou")
_PRAISE = word_set(
    "perfect great lovely awesome brilliant excellent wonderful fantastic amazing nice cool good"
    " super sweet ok okay fine wow neat yes yep yeah sure helpful"
)
_AROUND = word_set(
    "you so much very a lot bunch that thats this is these are those was were just what i wanted"
    " needed looking for exactly works work me sounds looks look all set it its the list really"
    " love them one will do does job now then well done answer answers choice choices suggestion"
    " helps suggestions recommendation recommendations picks selection again oh and your help im"
    " happy with"
)
_WHY = re.compile(
    rf"{_LEAD}(?:why(?! not\b)|how come|explain|what makes|on what grounds|reason for)\b"
)
_ASK = re.compile(
    rf"{_LEAD}(?:who|whos|what|whats|when|where|which|how|is|was|are|does|did|has|do|tell me"
    r"|say more|more about|describe|give me more (?:on|about|details))\b"
)
# "Which one is best?", "what would you pick?": about the first one.
_BEST = re.compile(
    rf"{_LEAD}(?:which|whats?)\b.*\b"
    rf"(?:best|most popular|pick|choose|start|(?:you|i|we) (?:recommend|take|{_USE}))\b"
)
_PRONOUN = re.compile(r"\b(?:it|its|this|that|he|she|they|them)\b")
_CAST = re.compile(r"\bwho(?:s| is| was) in\b")
_TOPICS = (
    *(
        (topic, question.words)
        for kind in kinds().values()
        for topic, question in kind.questions.items()
    ),
    ("year", word_set("year when released old new recent date decade")),
    ("minutes", word_set("long length runtime minutes duration hours pages")),
    ("language", word_set("language spoken subtitles subtitled dubbed")),
    ("country", word_set("country where")),
    ("price", word_set("price cost costs much expensive cheap")),
    ("rating", word_set("rating rated score good reviews best popular famous")),
    (
        "about",
        word_set("about plot story happens premise synopsis summary more describe details"),
    ),
    ("labels", word_set("genre genres kind type sort category violent scary sad funny")),
)
_WANT_N = re.compile(
    rf"{_LEAD}(?:(?:recommend|suggest|give|show|list|find|name|pick|get|i want|i need|id like"
    rf"|ill take|whats|what are)(?: me| us)? (?:(?:just|only|exactly|the|your|top|best|some) )*"
    rf"|(?:the |your )?(?:top|best) )({_N}) "
)
_ONLY_N = re.compile(rf"{_LEAD}{_ONLY}({_N}) ")
_AFTER_ONLY_N = MARKS | word_set("from newer older before after in and but with without no")
_MEASURES = word_set(
    "years year hours hour minutes minute mins min stars star dollars euros pounds percent d am pm"
    " times more other others"
)


@dataclass(frozen=True, kw_only=True)
class Act:
    """An act.

    Attributes:
        kind: One of `ActKind`.
        n: The number of items that is asked for; 0: none is said.
        position: The shown item that is asked about, from 0; -1: the one that was talked of last.
        topic: Of a question about an item: "director", "year", "about", …, or an attribute.
    """

    kind: ActKind
    n: int = 0
    position: int = -1
    topic: str = ""


def read_act(
    t: Tokens, shown: Sequence[Sequence[str]], vocabulary: Vocabulary | None = None
) -> Act | None:
    """The act that a message is; None if it says something else, or more.

    Args:
        t: The message.
        shown: The words of each shown item's title, in the list's order.
        vocabulary: Attributes that may be asked about; None: those that every catalogue may have.

    >>> from semrec.intent.tokens import read_tokens
    >>> read_act(read_tokens("show me five more, please"), [])
    Act(kind='more', n=5, position=-1, topic='')
    >>> read_act(read_tokens("five easy pieces"), [])
    """
    words = [word for word in t.words if word not in MARKS]
    if not words or len(words) > MAX_ACT_WORDS:
        return None
    text = " ".join(words)
    for kind, pattern in _ACTS:
        if (match := pattern.fullmatch(text)) is not None:
            return Act(kind=kind, n=next(filter(None, map(_number, match.groups())), 0))
    if shown and (question := _question(t, text, shown, vocabulary)) is not None:
        return question
    return Act(kind="thank") if _thanks(t, words, shown) else None


def read_count(t: Tokens) -> tuple[int, tuple[int, int]] | None:
    """A number of items that a request asks for, and the span (first, end) of its word.

    >>> from semrec.intent.tokens import read_tokens
    >>> read_count(read_tokens("recommend 3 comedies"))
    (3, (1, 2))
    """
    positions = [i for i, word in enumerate(t.words) if word not in MARKS]
    words = [t.words[i] for i in positions]
    head = " ".join(words[: MAX_ACT_WORDS - 1]) + " "
    match = _WANT_N.match(head) or _ONLY_N.match(head)
    if match is None:
        return None
    end = len(match.group().split())
    n_words = len(match.group(1).split())
    n = _number(match.group(1))
    if not n or end >= len(words) or words[end] in _MEASURES:
        return None
    if words[end - 2 : end] == ["the", "one"]:
        return None  # "the one about the pianist"
    if match.re is _ONLY_N and t.word(positions[end - 1] + 1) not in _AFTER_ONLY_N:
        return None  # "just two guys and a girl"
    return n, (positions[end - n_words], positions[end - 1] + 1)


def _number(text: str | None) -> int:
    """The number that a word says, at most `MAX_COUNT`; 0 if it says none."""
    if not text:
        return 0
    n = int(text) if text.isdecimal() else _NUMBERS[text.removeprefix("a ")]
    return n if n <= MAX_COUNT else 0


def _thanks(t: Tokens, words: Sequence[str], shown: Sequence[Sequence[str]]) -> bool:
    """True for thanks and praise of the list; praise of one item is an event."""
    spoken = set(words)
    if not spoken & (_THANKS | _PRAISE) or spoken - _THANKS - _PRAISE - _AROUND:
        return False
    return not any(reference.taken != "asked" for reference in read_references(t, shown))


def _question(
    t: Tokens, text: str, shown: Sequence[Sequence[str]], vocabulary: Vocabulary | None
) -> Act | None:
    words, why = text.split(), _WHY.match(text) is not None
    if not why and _ASK.match(text) is None:
        return None
    positions = [at for reference in read_references(t, shown) for at in reference.positions]
    positions += [ORDINALS[word] for word in words if ORDINALS.get(word, len(shown)) < len(shown)]
    position = positions[0] if positions else -1
    if why:
        return Act(kind="why", position=position)
    if not positions and len(words) <= MAX_BEST_WORDS and _BEST.match(text):
        return Act(kind="why", position=0)
    if not positions and not _PRONOUN.search(text):
        return None
    if vocabulary is not None and (name := asked_attribute(t, vocabulary)):
        return Act(kind="ask", position=position, topic=name)
    for topic, cues in _TOPICS:
        if cues & set(words) or (topic == "cast" and _CAST.search(text)):
            return Act(kind="ask", position=position, topic=topic)
    return Act(kind="ask", position=position, topic="unknown") if positions else None
