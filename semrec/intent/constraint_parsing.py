"""Constraints that a text states: negations with their scope, demands, bare limits.

Precision comes first: a label that is merely mentioned, an idiom ("why not"), an answer ("No, too
risqué"), a taste ("I love 80s films") or a description of some film sets no limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from semrec.intent import cues
from semrec.intent.conditions import Condition, Has, Unanswerable
from semrec.intent.cues import BEFORE_NAMES, CONSTRAINTS, MUST, SOFT_AFTER, ConstraintCue
from semrec.intent.english import (
    ADVERBS,
    AFTER_EXCLUSIVE,
    APPROXIMATE,
    FILLERS,
    MADE,
    NOT_A_KIND,
    PHRASE_ENDS,
    RESTRICTIONS,
    SOFT_BEFORE,
    TELLING,
    WISHING,
    word_set,
)
from semrec.intent.moods import Moods
from semrec.intent.parse_state import ParseState
from semrec.intent.plain_labels import read_plain_labels
from semrec.intent.quantities import Limit
from semrec.intent.spans import JOINTS, Phrase, Spans
from semrec.intent.tokens import CLAUSE, SENTENCE, Interval, Match, Tokens
from semrec.intent.vocabulary import Vocabulary

MAX_LIST, MAX_LOOK_BACK, MAX_SUBJECT = 20, 12, 4
# Idioms that end in these say that the phrase behind them is no limit.
_NO_LIMIT = word_set("only just mind necessarily be against to hate")
_ANSWERS = word_set("you youre they people who others many some")
_DESCRIBING = word_set(
    "is was were am im are its thats theyre youre do does did have has had would will could can"
    " hes shes ive ill id be been being might may isnt wasnt"
)
_BARE_NOT = ("not", "not like", "isnt", "arent", "not having")
_FORBIDS = ("must not", "mustnt", "should not", "shouldnt", "better not")
_APART = (",", "but", "and", "or", "is", "are")
_INTO_SCOPE = word_set("the in about set based from made")
_EXCEPT = word_set("but except for than from excluding exclude")
_VERBS = word_set("is are works will would goes sounds was")
_SUBJECTS = word_set(
    "i im we were am are is really but and please that which id ive so my just do as long must"
    " should"
)
_NOT_ALONE = word_set("not the my your his her one if an a was")
_STRONG = ("nothing but", "nothing except", "strictly", "exclusively")
_NO_ITEM = word_set("that this there he she you i we to who")


def parse_constraints(
    t: Tokens, vocabulary: Vocabulary, titles: Sequence[Interval], moods: Moods
) -> ParseState:
    """All constraints that a text states, in one pass over its words.

    Args:
        t: The text.
        vocabulary: What is known.
        titles: Places of titles; nothing is read there.
        moods: Words that mean more than one label where they are denied.
    """
    state = ParseState(Spans(t.without(titles), vocabulary), moods)
    at = 0
    while at < len(t):
        cue = CONSTRAINTS.match(state.spans.t.words, at)
        if cue is None or (cue.value == "negation" and _is_bound(state.spans, at)):
            at = _bare(state, at)
        elif cue.value == "negation":
            at = _negation(state, at, cue)
        elif cue.value == "exclusive":
            at = _exclusive(state, at, cue)
        else:
            covered = cue.phrase.split()[-1] in _NO_LIMIT and state.spans.phrase(cue.end)
            at = covered.end if covered else cue.end
    return state


def _is_bound(spans: Spans, at: int) -> bool:  # "shouldn't cost more than 80 euros"
    return cues.NUMBER_BOUNDS.match(spans.t.words, at) is not None and spans.limit(at) is not None


def _negation(state: ParseState, start: int, cue: Match[ConstraintCue]) -> int:
    """Read what a negation covers: a phrase, or a list of them; returns where to go on."""
    t, at = state.spans.t, cue.end
    while t.word(at) in ADVERBS:
        at += 1
    if (cue.phrase == "no" and t.word(at) in CLAUSE) or _says_nothing(t, start, cue.phrase):
        return cue.end
    if cue.phrase == "non":
        return _non(state, start, at)
    start = _subject(t, start, cue.phrase)
    first = end = at = _scope(state.spans, start, at, cue.phrase)
    for n_read in range(MAX_LIST):
        covered = _negated(state, start, at, cue.phrase, n_read)
        if covered == at:
            break
        end = covered
        at = _next_in_list(state.spans, end, cue.phrase)
        if at == end or (state.spans.is_number(at) and not state.spans.is_number(cue.end)):
            break  # "no horror, and from the nineties" asks for the nineties
    if end == first:
        return cue.end
    while start > 0 and t.word(start - 1) in _SUBJECTS:
        start -= 1
    if t.word(end) == "(" and t.word(end + 1).isdecimal() and t.word(end + 2) == ")":
        end += 3  # an unknown title's year
    state.cut.append((start, end))
    return end


def _negated(state: ParseState, start: int, at: int, cue: str, n_read: int) -> int:
    """Read one negated phrase; returns its end, or `at` if nothing clear stands there."""
    t, shown_from = state.spans.t, at if n_read else start
    if (denial := state.moods.denial(t, at)) is not None:
        state.exclude(denial.value.meant)
        state.denied[t.phrase(shown_from, denial.end)] = denial.value
        return denial.end
    phrase = state.spans.phrase(at)
    # A verb may end what is left out: "everything except horror is fine".
    if phrase and (phrase.alone or (cue.split()[-1] in _EXCEPT and t.word(phrase.end) in _VERBS)):
        # "No romantic comedies" leaves either alone, which no filter can say.
        denied = phrase.conditions[0] if len(phrase.conditions) == 1 else ()
        if not state.exclude(denied):
            state.miss(t.phrase(shown_from, phrase.end))
        else:
            if labels := tuple(has for has in denied if isinstance(has, Has)):
                state.ruled_out[t.phrase(shown_from, phrase.end)] = labels
            state.note_series(t.phrase(shown_from, phrase.end), at, phrase.end)
        return phrase.end
    end = _unknown(state.spans, start, at, cue, n_read)
    if end > at:
        state.miss(t.phrase(shown_from, end), negated=t.phrase(at, end))
        state.note_series(t.phrase(shown_from, end), at, end)
    return end


def _scope(spans: Spans, start: int, at: int, cue: str) -> int:
    """The place of what a bare "not" denies: "not the sequels", "not in black and white"."""
    t = spans.t
    if cue not in _BARE_NOT or spans.phrase(at) is not None:
        return at
    is_apart = start == 0 or t.word(start - 1) in _APART
    if t.word(at) in BEFORE_NAMES:
        return at + 1
    if is_apart and t.word(at) in _INTO_SCOPE:
        return at + (2 if t.word(at + 1) in ("in", "on", "the") else 1)
    return at


def _subject(t: Tokens, start: int, cue: str) -> int:
    """The start of a negation's subject: "the dog must not die" is one statement."""
    floor = max(0, start - MAX_SUBJECT) if cue in _FORBIDS else start
    while start > floor and t.word(start - 1) not in CLAUSE | JOINTS:
        start -= 1
    return start


def _non(state: ParseState, start: int, at: int) -> int:
    """Read "non-English": it denies only the one word."""
    language, labels = state.spans.language(at, bare=True), state.spans.labels(at)
    if language is not None:
        conditions: Sequence[Condition] = (language.condition,)
        end = language.end
    elif labels is not None:
        conditions, end = labels.conditions[0], labels.end
    else:
        return at
    if not state.exclude(conditions):
        return at
    state.cut.append((start, end))
    return end


def _says_nothing(t: Tokens, start: int, cue: str) -> bool:
    """True if a negation answers, asks or describes instead of stating a wish."""
    before, further, third = (t.word(start - n) for n in (1, 2, 3))
    if before in _ANSWERS or (before in ("do", "did", "does") and further in _ANSWERS):
        return True
    if before == "to" and cue in ("hate", "dislike", "avoid"):
        return cue != "avoid"
    if cue.split()[0] == "no" and before in ("had", "was", "were", "there", "theres", "got"):
        return True
    if cue not in _BARE_NOT:
        return False
    if cue in ("isnt", "arent"):
        before, further, third = "is", before, further
    if before not in _DESCRIBING:
        return before in ("it", "that", "this")
    if (before == "its" and further == "as") or (before == "thats" and further not in CLAUSE):
        return False  # "as long as it's not", "a film that's not"
    is_relative = further in ("that", "which", "who") and third not in CLAUSE
    is_condition = further in ("it", "they") and third in ("as", "if")
    goes_on = further in ("that", "which") and start <= 2  # to a list: "that isn't too sad"
    return not (before in ("is", "are") and (is_relative or is_condition or goes_on))


def _unknown(spans: Spans, start: int, at: int, cue: str, n_read: int) -> int:
    """The end of unknown words that are negated; `at` if it isn't clear that they are."""
    t = spans.t
    end = spans.unknown(at)
    if cue in _BARE_NOT and t.word(at - 1) in _INTO_SCOPE - {"about"}:
        return at  # "not the best", "not in a while"
    if cue in _BARE_NOT and t.word(at - 1) in BEFORE_NAMES:  # "not with DiCaprio"
        return end if end <= at + 3 else at
    if end == at or cue in ("neither", "nor"):
        return end if n_read and end - at <= 2 else at
    if n_read and end - at > 2 and t.word(at) not in ("anything", "any", "no", "too"):
        return at
    if cue in _BARE_NOT:
        is_apart = start == 0 or t.word(start - 1) in _APART
        has_degree = t.word(at) in ("too", "very", "overly", "super", "any", "so")
        is_one_word = end == at + 1 and t.word(at) not in NOT_A_KIND
        is_degree = has_degree and end == at + 2 and t.word(at + 1) not in NOT_A_KIND
        opens = start == 0 or t.word(start - 1) == "but"
        is_all = opens and end <= at + 3 and NOT_A_KIND.isdisjoint(t.words[at:end])
        return end if (is_apart and is_one_word) or is_degree or is_all else at
    return end


def _next_in_list(spans: Spans, end: int, cue: str) -> int:
    """The start of the next of a list of negated phrases; `end` if the list is over."""
    t, at = spans.t, end
    at += t.word(at) == ","
    has_joint = t.word(at) in JOINTS
    at += has_joint
    if at == end or t.word(at) == SENTENCE:
        return end
    cue_ahead = CONSTRAINTS.match(t.words, at) if t.word(at) != "any" else None
    if cue_ahead is not None and cue_ahead.value != "exclusive":
        return end
    phrase = spans.phrase(at)
    if phrase is None:
        goes_on = has_joint and t.word(end) != "," and _is_short(spans, end, at)
    elif not phrase.alone or t.word(at) in ("a", "an", "some"):
        goes_on = t.word(at - 1) in ("or", "nor") and spans.unknown(at) > at
    elif has_joint:
        goes_on = True
    else:
        # Commas alone: "no gore, horror, war" goes on; "not horror, comedy" may not.
        is_label = all(isinstance(has, Has) for of in phrase.conditions for has in of)
        closes = t.word(phrase.end) in JOINTS or t.word(phrase.end + 1) in JOINTS
        goes_on = is_label and t.word(at) != "anything" and (cue != "not" or closes)
    return at if goes_on else end


def _is_short(spans: Spans, end: int, at: int) -> bool:
    """True if unknown words behind a joint can only go on with the list."""
    n_words = spans.unknown(at) - at
    if spans.t.word(at) in ("anything", "any"):
        return n_words > 0
    return n_words == 1 or (0 < n_words <= 3 and spans.t.word(end) in ("or", "nor"))


# "only comedies or dramas", "must be a western", "documentaries only"


class _PhraseList(NamedTuple):
    """Phrases joined by "or", "and" or commas, and the place after them."""

    phrases: Sequence[Phrase]
    end: int
    has_or: bool

    def conditions(self, *, all_of: bool = False) -> list[Condition]:
        """Demands of a list: labels of one attribute are alternatives, the rest must hold."""
        conditions = [of[0] for phrase in self.phrases for of in phrase.conditions]
        if len(self.phrases) == 1 or (all_of and not self.has_or):
            return conditions
        labels: dict[str, dict[object, None]] = {}
        others: list[Condition] = []
        for condition in conditions:
            if isinstance(condition, Has):
                labels.setdefault(condition.attribute, {}).update(dict.fromkeys(condition.labels))
            else:
                others.append(condition)
        return [*(Has(attribute=name, labels=tuple(of)) for name, of in labels.items()), *others]


def _exclusive(state: ParseState, start: int, cue: Match[ConstraintCue]) -> int:
    """Read what has to be: "only comedies or dramas"; returns where to go on."""
    t, at = state.spans.t, cue.end
    if _demands_nothing(t, start, cue):
        return at
    is_must = cue.phrase in MUST
    if cue.phrase == "only":
        for _ in range(4):
            at += t.word(at) in AFTER_EXCLUSIVE
    at += t.word(at) in ("either", "both")
    demanded = _list(state.spans, at)
    if demanded is None:
        end = state.spans.unknown(at)
        if (is_must or cue.phrase in _STRONG) and at < end <= at + 3:
            state.miss(t.phrase(start, end))
        return cue.end
    state.require(start, demanded.end, demanded.conditions(all_of=is_must))
    while start > 0 and t.word(start - 1) in ("it", "and", "please", "but", "i"):
        start -= 1
    state.cut.append((start, demanded.end))
    return demanded.end


def _demands_nothing(t: Tokens, start: int, cue: Match[ConstraintCue]) -> bool:
    """True if a cue says something else: "the only comedy", "you must be", "just a comedy"."""
    before, after = t.word(start - 1), t.word(cue.end)
    if after in ("too", "so", "very", "really"):
        return True
    if cue.phrase == "only":
        return before in _NOT_ALONE
    if cue.phrase == "just":
        return after in ("a", "an", "the", "some", "any")
    if cue.phrase == "should be":
        return before not in FILLERS | {"it", "and", "they", "which"}
    if cue.phrase in _STRONG:
        return before in ("was", "is", "are", "were")
    return cue.phrase in MUST and before in _NO_ITEM


def _list(spans: Spans, at: int) -> _PhraseList | None:
    t, phrases = spans.t, list[Phrase]()
    has_or, has_joint, end = False, False, at
    while len(phrases) < MAX_LIST:
        phrase = spans.phrase(at, opinions=True)
        if not phrase or not (phrase.alone or phrase.narrowed or t.word(phrase.end) == "only"):
            break
        phrases.append(phrase)
        end = at = phrase.end
        at += t.word(at) == ","
        has_or |= t.word(at) == "or"
        has_joint |= t.word(at) in JOINTS
        at += t.word(at) in JOINTS
        if at == end:
            break
    if len(phrases) > 1 and not has_joint:  # "only comedies, English": no list
        phrases, end = phrases[:1], phrases[0].end
    return _PhraseList(phrases, end, has_or) if phrases else None


def _only_behind(state: ParseState, start: int) -> int:
    """Read an "only" that stands behind: "comedies only", "comedies or dramas only"."""
    t = state.spans.t
    if "only" not in t.words[start + 1 : start + 10]:
        return start + 1
    demanded = _list(state.spans, start)
    if demanded is None or t.word(demanded.end) != "only":
        return start + 1
    following = t.word(demanded.end + 1)
    if following not in PHRASE_ENDS and following not in RESTRICTIONS:
        return start + 1
    state.require(start, demanded.end, demanded.conditions())
    state.cut.append((start, demanded.end + 1))
    return demanded.end + 1


def _bare(state: ParseState, start: int) -> int:
    """Read a limit that needs no cue, or "comedies only"; returns where to go on."""
    spans = state.spans
    limit = spans.limit(start) or read_plain_labels(spans, start, state.moods.broad)
    if limit is None:
        return _only_behind(state, start)
    if _only_tells(state.spans.t, start, limit):
        return limit.end
    end = limit.end + (state.spans.t.word(limit.end) == "only")
    state.require(start, end, [limit.condition])
    state.cut.append((start, end))
    return end


def _only_tells(t: Tokens, start: int, limit: Limit) -> bool:
    """True if a year or language is taste, memory, setting, question or wish without force."""
    before, is_unanswerable = t.word(start - 1), isinstance(limit.condition, Unanswerable)
    if SOFT_AFTER.match(t.words, limit.end) or before in ("set", "about"):
        return True
    if t.word(start - 2) == "the" and not before.endswith(("s", "best")):
        return True  # "the original from 1982" is one film
    if is_unanswerable and before in ("in", "took", "takes"):
        return True
    at, in_clause, telling, wishes = start - 1, True, False, False
    while at >= max(0, start - MAX_LOOK_BACK) and t.word(at) != SENTENCE:
        word, after = t.word(at), t.word(at + 1)
        in_clause &= word not in CLAUSE
        if in_clause and word in SOFT_BEFORE and start - at <= (1 if word in APPROXIMATE else 3):
            return True
        if word in ("is", "was", "are", "were"):
            telling |= after in ("it", "that", "this", "they")
        elif word in ("i", "we"):
            verb = t.word(at + 2) if after in ADVERBS else after
            telling |= verb in ("like", "love", "enjoy", "do")
        telling |= word in TELLING
        wishes |= word in WISHING or (is_unanswerable and word in MADE)
        at -= 1
    return telling and not wishes
