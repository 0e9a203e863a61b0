"""The small part of English that can't be learned from a catalogue: plain tables.

The words of a kind of item, films or books, are configuration (`configs/kinds.yaml`).

All entries are as `tokens.read_tokens` leaves words: casefolded, without accents and apostrophes.
"""

from __future__ import annotations

from collections.abc import Mapping

from semrec.data.kinds import kinds, words_of_all
from semrec.intent.tokens import CLAUSE


def word_set(text: str) -> frozenset[str]:
    """The words of a text, for tables that people can read."""
    return frozenset(text.split())


def _in_order(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Kinds of thing that people write for "item": "horror films", "nothing but war stuff".
NOUNS = words_of_all("nouns")
FILLERS = NOUNS | word_set(
    "stuff thing things one ones title titles genre genres content series story stories type kind"
    " elements element item items"
)
# What people do with an item, and have done: "watch", "read"; "watched", "read".
_DOES = words_of_all("does") | {"see"}
USES = frozenset(word for word in _DOES if not word.endswith("ing"))
USING, USED = _DOES - USES, words_of_all("did") | {"seen", "saw"}
NAMED_BY = words_of_all("named_by")  # before the name of somebody who made one: "starring"
# What may stand before a label without narrowing it.
DETERMINERS = word_set(
    "a an any more all some such other another too very so overly really super extremely"
    " typical anything particularly especially even"
)
# What may stand before a label that must be: it narrows further, and stays in the words.
OPINIONS = word_set(
    "good great old new classic best top funny fun nice decent recent modern big short long"
    " popular famous well known really very quality underrated"
)
# After a negated label these begin something else, so the label stands alone.
FOLLOWERS = word_set(
    "please but though tho thanks thank today tonight this because so just only at whatsoever"
    " either anymore for as if i im id we my me lol then or and nor instead however whatever"
    " right now really unless since anyway ok okay pls plz though although rather also maybe"
    " preferably ideally no not nothing never without"
)
# ... and these narrow it ("no comedies with Adam Sandler"), which no filter can negate.
RESTRICTIONS = NAMED_BY | word_set(
    "with about from by where that which who set like involving directed of made on based in"
    " over under before after between than when"
)
# Words and marks behind which a noun phrase has ended.
PHRASE_ENDS = CLAUSE | FOLLOWERS
# A negated phrase without a known label never begins with or contains one of these.
NOT_A_NOUN = word_set(
    "i im id ive ill you youre he she it its we they them him her me us that thats this these"
    " those there theres here what whats which who why when where how is isnt was wasnt were"
    " are arent am be been being do dont does doesnt did didnt have havent has hasnt had hadnt"
    " will wont would wouldnt can cant could couldnt should shouldnt may might must not no"
    " nothing never need one ones if because but so thanks thank thx sorry please way lol haha"
    " problem worries idea clue preference preferences doubt matter luck interest else yes yeah"
    " ok okay nope thing things sure my your his their our the heard know think thought really"
    " anything something everything someone anyone everyone lie"
    " longer reason filter filters limit limits wrong special specific specifically fancy"
    " against beats happens much like to in as at wonder offense rush pressure biggie such"
    " question questions hurry"
) | (USES | USED)
# Single words after "not" that judge, answer or hedge rather than describe what is wanted.
NOT_A_KIND = word_set(
    "bad good great sure interested really yet much necessarily many familiar now today exactly"
    " quite always even mine fan fantastic fond into too so very worth for enough often anymore"
    " only just big huge entirely completely totally amazing available possible required"
    " important picky fussy certain ready tonight everyone everything again alone far well"
    " clear true"
)
# Stepped over inside a cue: "don't really like".
ADVERBS = word_set(
    "really actually particularly even ever generally usually normally honestly ever"
)
AFTER_EXCLUSIVE = USES | word_set(
    "want like enjoy show me into looking for need accept interested in the mood to love give"
    " recommend suggest"
)
# A year, decade or language named together with one of these tells of taste, memory or setting.
TELLING = USED | word_set(
    "liked loved enjoyed remember remembered remembers grew hated disliked loves likes favorite"
    " favourite favorites favourites reminds prefer preferred"
)
WISHING = word_set("id would wed d could might ill")
SOFT_BEFORE = word_set(
    "preferably maybe ideally perhaps possibly probably around circa about roughly"
    " approximately say"
)
APPROXIMATE = word_set("around circa about roughly approximately say")  # only directly before
MADE = words_of_all("made") | word_set("made released produced published out issued dating")

NUMBERS = {
    **dict(
        zip(
            _in_order(
                "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
                " fifteen sixteen seventeen eighteen nineteen"
            ),
            range(1, 20),
            strict=True,
        )
    ),
    **dict(
        zip(
            _in_order("twenty thirty forty fifty sixty seventy eighty ninety"),
            range(20, 100, 10),
            strict=True,
        )
    ),
    "hundred": 100,
    "a": 1,
    "an": 1,
    "half": 0.5,
}
# Decades whose century needn't be said; "twenties" and "20s" are the 1920s.
DECADES = {
    **dict(
        zip(
            _in_order("twenties thirties forties fifties sixties seventies eighties nineties"),
            range(1920, 2000, 10),
            strict=True,
        )
    ),
    **{f"{tens}s": 1900 + tens for tens in range(20, 100, 10)},
    "noughties": 2000,
    "aughts": 2000,
    "naughties": 2000,
    "00s": 2000,
    "10s": 2010,
}
CENTURIES = {"19th": 1800, "nineteenth": 1800, "20th": 1900, "twentieth": 1900, "21st": 2000}
CENTURIES["last"], CENTURIES["this"], CENTURIES["twenty-first"] = 1900, 2000, 2000

# Language → codes: ISO 639-1 and what else catalogues use for it (639-2, TMDB's cn).
LANGUAGES: dict[str, tuple[str, ...]] = {
    name: tuple(codes.split())
    for name, codes in {
        "english": "en eng",
        "french": "fr fra fre",
        "german": "de deu ger",
        "spanish": "es spa",
        "italian": "it ita",
        "portuguese": "pt por",
        "dutch": "nl nld dut",
        "danish": "da dan",
        "swedish": "sv swe",
        "norwegian": "no nb nn nor",
        "finnish": "fi fin",
        "icelandic": "is isl ice",
        "polish": "pl pol",
        "czech": "cs ces cze",
        "slovak": "sk slk",
        "hungarian": "hu hun",
        "romanian": "ro ron rum",
        "bulgarian": "bg bul",
        "serbian": "sr srp",
        "croatian": "hr hrv",
        "bosnian": "bs bos",
        "slovenian": "sl slv",
        "greek": "el ell gre",
        "turkish": "tr tur",
        "russian": "ru rus",
        "ukrainian": "uk ukr",
        "estonian": "et est",
        "latvian": "lv lav",
        "lithuanian": "lt lit",
        "arabic": "ar ara",
        "hebrew": "he iw heb",
        "persian": "fa fas per",
        "farsi": "fa fas per",
        "hindi": "hi hin",
        "urdu": "ur urd",
        "bengali": "bn ben",
        "tamil": "ta tam",
        "telugu": "te tel",
        "chinese": "zh cn zho chi",
        "mandarin": "zh cmn",
        "cantonese": "cn yue",
        "japanese": "ja jpn",
        "korean": "ko kor",
        "vietnamese": "vi vie",
        "thai": "th tha",
        "indonesian": "id ind",
        "latin": "la lat",
    }.items()
}

# What people write → labels that may mean it; the first that the catalogue has is taken.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    word.strip(): tuple(labels)
    for kind in kinds().values()
    for words, labels in kind.synonyms.items()
    for word in words.split(",")
}
# One phrase that means two labels at once.
PAIRS: Mapping[str, tuple[str, str]] = {
    phrase: labels for kind in kinds().values() for phrase, labels in kind.pairs.items()
}
