"""Negations and what they cover: "no horror or musicals", "nothing gory"."""

from __future__ import annotations

from semrec.intent.conditions import Has
from semrec.intent.english import (
    ADVERBS,
    NOT_A_KIND,
    word_set,
)
from semrec.intent.reading import (
    JOINTS,
    Phrase,
    read_labels,
    read_language,
    read_phrase,
    read_unknown,
)
from semrec.intent.stated import IDIOM_CUES, MAX_LIST, NEGATION_CUES, ParseState, match
from semrec.intent.tokens import CLAUSE, SENTENCE, Tokens
from semrec.intent.vocabulary import Vocabulary

_ANSWERS = word_set("you youre they people who others many some")
_DESCRIBING = word_set(
    "is was were am im are its thats theyre youre do does did have has had would will could can"
    " hes shes ive ill id be been being might may isnt wasnt"
)
_BARE_NOT = frozenset((("not",), ("not", "like"), ("isnt",), ("arent",), ("not", "having")))
_EXCEPT = word_set("but except for than from excluding exclude")
_VERBS = word_set("is are works will would goes sounds was")
_SUBJECTS = word_set(
    "i im we were am are is really but and please that which id ive so my just do as long must"
    " should"
)


def read_negated(
    t: Tokens,
    place: int,
    cue: tuple[tuple[str, ...], int],
    vocabulary: Vocabulary,
    stated: ParseState,
) -> int:
    """Read what a negation covers: a phrase, or a list of them; returns where to go on."""
    phrase, at = cue
    while t.word(at) in ADVERBS:
        at += 1
    if (phrase == ("no",) and t.word(at) in CLAUSE) or _says_nothing(t, place, phrase):
        return cue[1]
    if phrase == ("non",):
        return _non(t, place, at, vocabulary, stated)
    end = at
    for n_read in range(MAX_LIST):
        covered = _covered(t, place, at, phrase, n_read, vocabulary, stated)
        if covered == at:
            break
        end = covered
        at = _next_in_list(t, end, vocabulary, phrase)
        if at == end:
            break
    if end <= cue[1]:
        return cue[1]
    while place > 0 and t.word(place - 1) in _SUBJECTS:
        place -= 1
    if t.word(end) == "(" and t.word(end + 1).isdecimal() and t.word(end + 2) == ")":
        end += 3  # an unknown title's year
    stated.cut.append((place, end))
    return end


def _covered(
    t: Tokens,
    place: int,
    at: int,
    phrase: tuple[str, ...],
    n_read: int,
    vocabulary: Vocabulary,
    stated: ParseState,
) -> int:
    """Read one negated phrase; returns its end, or `at` if nothing clear stands there."""
    shown_from = at if n_read else place
    found = read_phrase(t, at, vocabulary)
    if found is not None and (found.alone or _goes_on_after_except(t, phrase, found)):
        # "No romantic comedies" leaves either alone, which no filter can say.
        conditions = found.conditions[0] if len(found.conditions) == 1 else ()
        if not any([stated.filters.add(one, negated=True) for one in conditions]):  # noqa: C419
            stated.miss(t.phrase(shown_from, found.end))
        return found.end
    end = _unknown(t, place, at, phrase, n_read)
    if end > at:
        stated.miss(t.phrase(shown_from, end), denied=t.phrase(at, end))
    return end


def _non(t: Tokens, place: int, at: int, vocabulary: Vocabulary, stated: ParseState) -> int:
    """Read "non-English": it denies only the one word."""
    read = read_language(t, at, vocabulary, bare=True)
    labels = None if read else read_labels(t, at, vocabulary)
    end = read.end if read else labels[1] if labels else at
    conditions = [read.condition] if read else list(labels[0][0]) if labels else []
    if not any([stated.filters.add(one, negated=True) for one in conditions]):  # noqa: C419
        return at
    stated.cut.append((place, end))
    return end


def _says_nothing(t: Tokens, place: int, phrase: tuple[str, ...]) -> bool:
    """True if a negation answers, asks or describes instead of stating a wish."""
    before, further = t.word(place - 1), t.word(place - 2)
    if before in _ANSWERS or (before in ("do", "did", "does") and further in _ANSWERS):
        return True
    if before == "to" and phrase[0] in ("hate", "dislike", "avoid"):
        return phrase[0] != "avoid"
    if phrase[0] == "no" and before in ("had", "was", "were", "there", "theres", "got"):
        return True
    if phrase not in _BARE_NOT:
        return False
    if phrase[0] in ("isnt", "arent"):
        before, further = "is", before
        third = t.word(place - 2)
    else:
        third = t.word(place - 3)
    if before not in _DESCRIBING:
        return before in ("it", "that", "this")
    if (before == "its" and further == "as") or (before == "thats" and further not in CLAUSE):
        return False  # "as long as it's not", "a film that's not"
    is_relative = further in ("that", "which", "who") and third not in CLAUSE
    is_condition = further in ("it", "they") and third in ("as", "if")
    return not (before in ("is", "are") and (is_relative or is_condition))


def _goes_on_after_except(t: Tokens, phrase: tuple[str, ...], found: Phrase) -> bool:
    """True if a verb ends what is negated: "everything except horror is fine"."""
    return phrase[-1] in _EXCEPT and t.word(found.end) in _VERBS


def _unknown(t: Tokens, place: int, at: int, phrase: tuple[str, ...], n_read: int) -> int:
    """The end of unknown words that are negated; `at` if it isn't clear that they are."""
    end = read_unknown(t, at)
    if end == at or phrase[0] in ("neither", "nor"):
        return end if n_read and end - at <= 2 else at
    if n_read and end - at > 2 and t.word(at) not in ("anything", "any", "no", "too"):
        return at
    if phrase in _BARE_NOT:
        before = t.word(place - 1)
        is_apart = place == 0 or before in (",", "but", "and", "or", "is", "are")
        has_degree = t.word(at) in ("too", "very", "overly", "super", "any", "so")
        is_one_word = end == at + 1 and t.word(at) not in NOT_A_KIND
        is_degree = has_degree and end == at + 2 and t.word(at + 1) not in NOT_A_KIND
        return end if (is_apart and is_one_word) or is_degree else at
    return end


def _next_in_list(t: Tokens, end: int, vocabulary: Vocabulary, phrase: tuple[str, ...]) -> int:
    """The start of the next of a list of negated phrases; `end` if the list is over."""
    at = end
    if t.word(at) == ",":
        at += 1
    has_joint = t.word(at) in JOINTS
    at += has_joint
    if at == end or t.words[at : at + 1] == [SENTENCE] or at >= len(t):
        return end
    if t.word(at) != "any" and (match(t, at, NEGATION_CUES) or match(t, at, IDIOM_CUES)):
        return end
    found = read_phrase(t, at, vocabulary)
    if found is None:
        goes_on = has_joint and t.word(end) != "," and _is_short(t, end, at)
    elif not found.alone or t.word(at) in ("a", "an", "some"):
        goes_on = t.word(at - 1) in ("or", "nor") and read_unknown(t, at) > at
    elif has_joint:
        goes_on = True
    else:
        # Commas alone: "no gore, horror, war" goes on; "not horror, comedy" may not.
        is_label = all(isinstance(one, Has) for of in found.conditions for one in of)
        goes_on = is_label and t.word(at) != "anything"
        goes_on &= phrase != ("not",) or _closes(t, found.end)
    return at if goes_on else end


def _is_short(t: Tokens, end: int, at: int) -> bool:
    """True if unknown words behind a joint can only go on with the list."""
    n_words = read_unknown(t, at) - at
    if t.word(at) in ("anything", "any"):
        return n_words > 0
    return n_words == 1 or (0 < n_words <= 3 and t.word(end) in ("or", "nor"))


def _closes(t: Tokens, at: int) -> bool:
    return t.word(at) in JOINTS or t.word(at + 1) in JOINTS
