"""The small part of English that can't be learned from a catalogue: plain tables.

All entries are as `tokens.read_tokens` leaves words: casefolded, without accents and apostrophes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Phrases = Mapping[str, tuple[tuple[str, ...], ...]]
"""Phrases by their first word, the longest first."""


def word_set(text: str) -> frozenset[str]:
    """The words of a text, for tables that people can read."""
    return frozenset(text.split())


def _in_order(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def phrases(text: str) -> tuple[tuple[str, ...], ...]:
    """Phrases between commas, word by word, for tables that people can read."""
    return tuple(tuple(phrase.split()) for phrase in text.split(","))


def by_first(several: Iterable[tuple[str, ...]]) -> Phrases:
    """Phrases by their first word, the longest first."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for phrase in sorted(set(several), key=len, reverse=True):
        found.setdefault(phrase[0], []).append(phrase)
    return {word: tuple(of) for word, of in found.items()}


def _table(text: str) -> Phrases:
    return by_first(phrases(text))


# Kinds of thing that people write for "item": "horror films", "nothing but war stuff".
FILLERS = word_set(
    "film films movie movies flick flicks picture pictures cinema stuff thing things one ones"
    " title titles genre genres content story stories type kind show shows series book books"
    " novel novels elements element song songs album albums track tracks game games product"
    " products item items"
)
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
RESTRICTIONS = word_set(
    "with about from by where that which who starring set like featuring involving directed of"
    " made on based in over under before after between than when"
)
# A negated phrase without a known label never begins with or contains one of these.
NOT_A_NOUN = word_set(
    "i im id ive ill you youre he she it its we they them him her me us that thats this these"
    " those there theres here what whats which who why when where how is isnt was wasnt were"
    " are arent am be been being do dont does doesnt did didnt have havent has hasnt had hadnt"
    " will wont would wouldnt can cant could couldnt should shouldnt may might must not no"
    " nothing never need one ones if because but so thanks thank thx sorry please way lol haha"
    " problem worries idea clue preference preferences doubt matter luck interest else yes yeah"
    " ok okay nope thing things sure my your his their our the seen heard watched saw watch see"
    " know think thought really anything something everything someone anyone everyone lie"
    " longer reason filter filters limit limits wrong special specific specifically fancy"
    " against beats happens much like to in as at wonder offense rush pressure biggie such"
    " question questions hurry"
)
# Single words after "not" that judge, answer or hedge rather than describe what is wanted.
NOT_A_KIND = word_set(
    "bad good great sure interested really yet much necessarily many familiar now today exactly"
    " quite always even mine fan fantastic fond into too so very worth for enough often anymore"
    " only just big huge entirely completely totally amazing available possible required"
    " important picky fussy certain ready tonight everyone everything again alone far well"
    " clear true"
)
# "not X" and "no X" that state no limit; the whole idiom is stepped over.
IDIOMS = phrases(
    "why not,not only,not just,not necessarily,not sure,not certain,not bad,not too bad"
    ",not so bad,not that bad,not really sure,not to mention,not at all,not yet,if not,or not"
    ",not too picky,not picky,not fussy,not opposed to,not against,not averse to,not too sure"
    ",not too fussy,no problem,no problem with,no idea,no preference,no preferences,no matter"
    ",no doubt,no worries,no thanks,no thank you,no need,no way,no one,no luck,no reason"
    ",no clue,no objection to,no objections to,no issue with,no issues with,no such thing,no go"
    ",no limits,no limit,nothing in particular,nothing particular,nothing specific"
    ",nothing special,nothing against,nothing wrong,nothing wrong with,nothing beats"
    ",nothing better than,nothing fancy,nothing else,nothing much,nothing to,nothing yet"
    ",nothing like,cant go wrong,cannot go wrong,never mind,dont mind,do not mind,doesnt mind"
    ",wouldnt mind,would not mind,dont hate,do not hate,not hate,didnt hate,cant get enough"
    ",cannot get enough,not get enough,cant hate,dont avoid,do not avoid,not avoid"
    ",never tired of,never get tired of,not tired of,not sick of,never sick of,not without"
    ",cant wait,dont care,do not care,dont necessarily,do not necessarily,not have to be"
    ",doesnt have to be,does not have to be,dont have to be,do not have to be,not need to be"
    ",doesnt need to be,does not need to be,not be afraid,whether or not,not being,if only"
    ",only if,not limited to,no longer than ever,love to hate,nothing if not,hate to,hate it"
    ",hate when,dont only,dont just,do not only,do not just,dont always,not always"
    ",not everything,not all,not every,not dislike,not afraid of"
)
# Cue → what follows is not wanted. Adverbs between the words of a cue are stepped over.
NEGATIONS = phrases(
    "no,not,nothing,without,nor,neither,avoid,avoiding,except,except for,anything but"
    ",everything but,all but,anything except,everything except,anything except for"
    ",everything except for,anything other than,other than,apart from,aside from,excluding"
    ",exclude,minus,hate,hates,detest,loathe,despise,dislike,dislikes,cant stand,cannot stand"
    ",can not stand,cant bear,cannot bear,dont like,do not like,doesnt like,does not like"
    ",dont enjoy,do not enjoy,doesnt enjoy,dont love,do not love,dont care for,do not care for"
    ",doesnt care for,dont want,do not want,doesnt want,does not want,dont want to watch"
    ",dont want to see,do not want to watch,do not want to see,dont wanna watch,dont wanna see"
    ",dont feel like,do not feel like,not feeling like,not in the mood for,not in a mood for"
    ",not looking for,not interested in,not into,not in to,not a fan of,not a fan,not fan of"
    ",not fans of,not a big fan of,not a huge fan of,not a great fan of,not the biggest fan of"
    ",not the biggest fan,not keen on,not fond of,not one for,not much for,not much of a fan of"
    ",sick of,tired of,fed up with,bored of,bored with,had enough of,stay away from"
    ",steer clear of,keep away from,leave out,rather not watch,rather not see,rather not have"
    ",rather avoid,could do without,can do without,dont give me,do not give me,dont show me"
    ",do not show me,dont recommend,do not recommend,dont suggest,do not suggest"
    ",dont recommend me,dont suggest me,dont need,never liked,never been into,never show me"
    ",not like,not to watch,not to see,not to have,not want,not wanting,no to,say no to,skip"
    ",skip the,spare me,spare me the,enough with,enough with the,cant do,not that into,skip any"
    ",non,not be,shouldnt be,mustnt be,cant be,cannot be,isnt,arent,no interest in,not having"
    ",hold the,not have any"
)
# Stepped over inside a cue: "don't really like".
ADVERBS = word_set(
    "really actually particularly even ever generally usually normally honestly ever"
)
# Cue → the item has to be what follows.
EXCLUSIVES = phrases(
    "only,just,strictly,exclusively,solely,purely,nothing but,nothing except,nothing other than"
    ",must be,has to be,have to be,needs to be,need to be,got to be,should be,limit it to"
    ",limited to,stick to,sticking to,restrict it to"
)
MUST = frozenset(phrase for phrase in EXCLUSIVES if phrase[-1] == "be")
AFTER_EXCLUSIVE = word_set(
    "want like watch enjoy see show me into looking for need accept interested in the mood to"
    " love give recommend suggest"
)
# A year, decade or language named together with one of these tells of taste, memory or setting.
TELLING = word_set(
    "saw seen watched liked loved enjoyed remember remembered remembers grew hated disliked"
    " loves likes favorite favourite favorites favourites reminds prefer preferred"
)
WISHING = word_set("id would wed d could might ill")
SOFT_BEFORE = word_set(
    "preferably maybe ideally perhaps possibly probably around circa about roughly"
    " approximately say"
)
APPROXIMATE = word_set("around circa about roughly approximately say")  # only directly before
SOFT_AFTER = _table("or so,ish,if possible,or thereabouts,would be nice,is fine,are fine,too")
MADE = word_set("made released filmed shot produced published written out issued dating")

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

# Word of a unit → (kind, how many of the kind's base unit).
UNITS = {
    **dict.fromkeys(("minute", "minutes", "min", "mins"), ("minutes", 1.0)),
    **dict.fromkeys(("hour", "hours", "hr", "hrs", "h"), ("minutes", 60.0)),
    **dict.fromkeys(("second", "seconds", "sec", "secs"), ("minutes", 1 / 60)),
    **dict.fromkeys(("page", "pages"), ("pages", 1.0)),
    **dict.fromkeys(
        ("dollar", "dollars", "bucks", "euro", "euros", "pounds", "$", "€", "£", "usd", "eur"),
        ("price", 1.0),
    ),
    **dict.fromkeys(("star", "stars"), ("stars", 1.0)),
    **dict.fromkeys(("season", "seasons"), ("seasons", 1.0)),
    **dict.fromkeys(("episode", "episodes"), ("episodes", 1.0)),
}
# Words in an attribute's name → the kind of unit that it is measured in.
KINDS = {
    **dict.fromkeys(("runtime", "duration", "length", "minutes"), "minutes"),
    **dict.fromkeys(("pages", "page"), "pages"),
    **dict.fromkeys(("price", "cost", "prices"), "price"),
    **dict.fromkeys(("stars", "rating", "ratings"), "stars"),
    **dict.fromkeys(("seasons", "season"), "seasons"),
    **dict.fromkeys(("episodes", "episode"), "episodes"),
    **dict.fromkeys(("year", "released", "published"), "year"),
}
# A word of an attribute's name that changes its unit: how many base units one of them is.
NAMED_UNITS = {"s": 1 / 60, "sec": 1 / 60, "seconds": 1 / 60, "h": 60.0, "hours": 60.0}

BELOW = _table("under,below,less than,fewer than,shorter than,cheaper than")
AT_MOST = _table("at most,max,maximum,maximum of,a maximum of,up to,within,a max of")
ABOVE = _table("over,above,more than,longer than,exceeding")
AT_LEAST = _table("at least,minimum,minimum of,a minimum of,min")
OR_LESS = _table(
    "or less,or shorter,or under,or below,max,maximum,tops,at most,or fewer,at the most"
)
OR_MORE = _table("or more,or longer,or over,or above,minimum,at least,plus,+,and up,at the least")

BEFORE = _table("before,prior to,earlier than,older than,pre,pre -")
UNTIL = _table("until,till,up to,up until,at most,at the latest")
AFTER = _table("after,later than,newer than,more recent than,younger than,post,post -")
SINCE = _table("since,starting in,starting from,at least,at least from")
ONWARDS = _table(
    "or later,or newer,or after,or more recent,or younger,and later,and newer,and up,and after"
    ",onwards,onward,on,+,upwards,or onwards,at the earliest"
)
BACKWARDS = _table("or earlier,or older,or before,and earlier,and older,and before,at the latest")

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
SYNONYMS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("sci fi", "scifi", "science fiction", "sf", "syfy"),
        ("sci fi", "science fiction", "scifi"),
    ),
    **dict.fromkeys(
        ("animation", "animated", "cartoon", "animations"), ("animation", "animated", "cartoon")
    ),
    **dict.fromkeys(
        ("kids", "kid", "childrens", "children", "family", "for kids", "for children"),
        ("children", "childrens", "kids", "family"),
    ),
    **dict.fromkeys(("romance", "romantic", "love story"), ("romance", "romantic")),
    **dict.fromkeys(("horror", "scary"), ("horror",)),
    **dict.fromkeys(("noir", "film noir"), ("film noir", "noir")),
    **dict.fromkeys(("documentary", "docu", "doc"), ("documentary",)),
    **dict.fromkeys(("thriller", "suspense"), ("thriller", "suspense")),
    **dict.fromkeys(("history", "historical"), ("history", "historical")),
    **dict.fromkeys(("biography", "biopic", "biographical"), ("biography", "biopic")),
    **dict.fromkeys(("mystery", "whodunit", "murder mystery"), ("mystery",)),
    **dict.fromkeys(("comedy", "comedic"), ("comedy",)),
    **dict.fromkeys(("drama", "dramatic"), ("drama",)),
    **dict.fromkeys(("musical",), ("musical", "musicals")),
    **dict.fromkeys(("war", "wartime"), ("war",)),
    **dict.fromkeys(("superhero", "super hero"), ("superhero",)),
    **dict.fromkeys(("fantasy",), ("fantasy",)),
    **dict.fromkeys(("crime",), ("crime",)),
}
# One phrase that means two labels at once.
PAIRS: dict[str, tuple[str, str]] = {
    "rom com": ("romance", "comedy"),
    "romcom": ("romance", "comedy"),
    "dramedy": ("drama", "comedy"),
}
