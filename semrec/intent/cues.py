"""Cues: phrases that announce something, and what. For a new way to say it, add a line here.

All are as `tokens.read_tokens` leaves words: casefolded, without accents and apostrophes. The
longest phrase that stands at a place counts.
"""

from __future__ import annotations

from typing import Literal

from semrec.data.kinds import words_of_all
from semrec.intent.english import ADVERBS, NAMED_BY, NOUNS, USED, USES, USING, word_set
from semrec.intent.tokens import PhraseTable

_USE, _USED = ("/".join(sorted(words)) for words in (USES, USED))  # "watch", "read"; "watched", …

# "not X" and "no X" that state no limit; the whole idiom is stepped over.
IDIOMS = (
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
    ",not in a long time,not in a while,not in ages,not in years"
    ",not everything,not all,not every,not dislike,not afraid of"
)
# Cue → what follows is not wanted. Adverbs between the words of a cue are stepped over.
NEGATIONS = (
    "no,not,nothing,without,nor,neither,avoid,avoiding,except,except for,anything but"
    ",everything but,all but,anything except,everything except,anything except for"
    ",everything except for,anything other than,other than,apart from,aside from,excluding"
    ",exclude,minus,hate,hates,detest,loathe,despise,dislike,dislikes,cant stand,cannot stand"
    ",can not stand,cant bear,cannot bear,dont like,do not like,doesnt like,does not like"
    ",dont enjoy,do not enjoy,doesnt enjoy,dont love,do not love,dont care for,do not care for"
    ",doesnt care for,dont want,do not want,doesnt want,does not want"
    f",dont want to {_USE},do not want to {_USE},dont wanna {_USE}"
    ",dont feel like,do not feel like,not feeling like,not in the mood for,not in a mood for"
    ",not looking for,not interested in,not into,not in to,not a fan of,not a fan,not fan of"
    ",not fans of,not a big fan of,not a huge fan of,not a great fan of,not the biggest fan of"
    ",not the biggest fan,not keen on,not fond of,not one for,not much for,not much of a fan of"
    ",sick of,tired of,fed up with,bored of,bored with,had enough of,stay away from"
    ",steer clear of,keep away from,leave out,rather not have"
    f",rather not {_USE},not to {_USE}"
    ",rather avoid,could do without,can do without,dont give me,do not give me,dont show me"
    ",do not show me,dont recommend,do not recommend,dont suggest,do not suggest"
    ",dont recommend me,dont suggest me,dont need,never liked,never been into,never show me"
    ",not like,not to have,not want,not wanting,no to,say no to,skip"
    ",skip the,spare me,spare me the,enough with,enough with the,cant do,not that into,skip any"
    ",non,not be,shouldnt be,mustnt be,cant be,cannot be,isnt,arent,no interest in,not having"
    ",hold the,not have any,enough of,ok enough,okay enough,thats enough,must not,mustnt"
    ",should not,shouldnt,better not,must not be,should not be"
)
# Cue → the item has to be what follows.
EXCLUSIVES = (
    "only,just,strictly,exclusively,solely,purely,nothing but,nothing except,nothing other than"
    ",must be,has to be,have to be,needs to be,need to be,got to be,should be,limit it to"
    ",limited to,stick to,sticking to,restrict it to"
)
MUST = frozenset(cue for cue in EXCLUSIVES.split(",") if cue.endswith("be"))
ConstraintCue = Literal["idiom", "exclusive", "negation"]
CONSTRAINTS: PhraseTable[ConstraintCue] = PhraseTable(
    {IDIOMS: "idiom", EXCLUSIVES: "exclusive", NEGATIONS: "negation"}, between=ADVERBS
)

# Behind a year or a number: it is a wish, not a limit.
SOFT_AFTER = PhraseTable(
    {"or so,ish,if possible,or thereabouts,would be nice,is fine,are fine,too": True}
)
# Before a number with a unit → whether it is an upper bound, and whether the number is left out.
NUMBER_BOUNDS = PhraseTable(
    {
        "under,below,less than,fewer than,shorter than,cheaper than,lighter than,smaller than"
        ",less expensive than": (True, True),
        "at most,max,maximum,maximum of,a maximum of,up to,within,a max of,max ."
        ",not/no more expensive than,not heavier than,not/shouldnt/cant/mustnt cost more than"
        ",should/must not cost more than,budget,budget of/is,budget of at most": (True, False),
        "over,above,more than,longer than,exceeding,heavier than,bigger than,larger than"
        ",more expensive than": (False, True),
        "at least,minimum,minimum of,a minimum of,min": (False, False),
    }
)
# Behind a number with a unit → whether it is an upper bound.
NUMBER_BOUNDS_BEHIND = PhraseTable(
    {
        "or less,or shorter,or under,or below,max,maximum,tops,at most,or fewer,at the most": True,
        "or more,or longer,or over,or above,minimum,at least,plus,+,and up,at the least": False,
    }
)
# Before a year or decade → on which side of it the years lie that are meant.
YEAR_BOUNDS: PhraseTable[Literal["before", "until", "after", "since"]] = PhraseTable(
    {
        "before,prior to,earlier than,older than,pre,pre -": "before",
        "until,till,up to,up until,at most,at the latest": "until",
        "after,later than,newer than,more recent than,younger than,post,post -": "after",
        "since,starting in,starting from,at least,at least from": "since",
    }
)
# Behind a year or decade.
YEAR_BOUNDS_BEHIND: PhraseTable[Literal["until", "since"]] = PhraseTable(
    {
        "or later,or newer,or after,or more recent,or younger,and later,and newer,and up,and after"
        ",onwards,onward,on,+,upwards,or onwards,at the earliest": "since",
        "or earlier,or older,or before,and earlier,and older,and before,at the latest": "until",
    }
)

# What a message of a conversation does to limits that stand; "how about horror" is a wish, too.
RETRACTIONS: PhraseTable[Literal["drop", "allow", "wish", "indifferent"]] = PhraseTable(
    {
        "forget,forget about,forget the,never mind,nevermind,ignore,drop,scrap,lose,lift,remove"
        ",cancel,undo,take back,doesnt have to be,does not have to be,dont have to be"
        ",do not have to be,doesnt need to be,does not need to be,need not be,not necessarily"
        "": "drop",
        "dont mind,do not mind,doesnt mind,wouldnt mind,no problem with,fine with,ok with"
        ",okay with,cool with,good with,open to,up for,allow,allowing,im not against": "allow",
        "how about,what about,why not,maybe,lets try,lets see,give me,show me,make it,make that"
        ",switch to,change it to,change that to,go with,go for,lets do,lets say": "wish",
        "dont care about,do not care about,regardless of,whatever,any,no matter,no limit on"
        ",no limits on": "indifferent",
    },
    between=ADVERBS,
)
# Behind the name of an attribute: it may be anything.
NO_MATTER = PhraseTable({"doesnt matter,does not matter,isnt important": True})
RESETS = PhraseTable(
    {
        "start over,start again,start afresh,start from scratch,from scratch,new search"
        ",forget everything,forget all of that,forget all that,clear everything,reset everything"
        "": True
    },
    between=ADVERBS,
)
# Asks for other items than those that are shown.
OTHERS = PhraseTable(
    {
        "something else,anything else,what else,other ones,some others,show me others,others"
        ",another one,none of these,none of those,none of them,not those,not these,not them"
        ",show me more,more options,more suggestions,next ones,different ones"
        f",{_USED} them all,{_USED} all of them/these/those,{_USED} these/those/them": True
    },
    between=ADVERBS,
)
# Refuses what was offered, at the beginning of an answer.
REFUSALS = PhraseTable(
    {
        "not that,not this,not those,not it,not them,not my,not for,no thanks,no thank,nope,nah"
        ",something else,anything else,another one,not interested": True
    }
)
# Words that lead up to a title.
_NOT_BEFORE = word_set("see eat wear used")  # "I used to love Alien"
BEFORE_TITLE = USES.union(USING, USED) - _NOT_BEFORE | word_set(
    "like liked loved love loves likes enjoys adores enjoyed enjoy hated hate disliked dislike"
    " called named titled unlike adore adored finished stand"
)
# Words that rule out the title behind them.
RULING_OUT = word_set("no not but except without skip avoid besides minus nor")
# … some of them always, and "but" behind one of these: "anything but Titanic".
WITHOUT = word_set("except without skip avoid minus")
ALL = word_set("anything everything all any anyone everyone")
# Words of an opinion before a title that is ruled out: they say nothing else.
OPINION = (USES | USED) | word_set(
    "i ive really just anything everything absolutely also have already did didnt dont do not to"
    " want please"
)
# Before people's names: how many words in capitals make one of them.
BEFORE_NAMES = {**dict.fromkeys(NAMED_BY, 1), "by": 1, "with": 2}
# The same before names that are liked, or were seen.
TASTES = {
    **dict.fromkeys(words_of_all("tells"), 1),
    **dict.fromkeys(("like", "love", "loved", "liked", "enjoyed"), 2),
}
NO_NAME = word_set("i im ive no yes yeah ok okay oh and but")
BEFORE_SAME = NAMED_BY | word_set("by from with")
PEOPLE = words_of_all("people") | word_set("maker creator")
# May stand behind a title that its words alone tell.
BEHIND_TITLE = word_set(
    "and or but with only please though from in except not no that which because so also instead"
    " was is were if for"
)
# ... and those that do only behind one of these.
BEFORE_TITLE_AFTER = {
    "to": word_set("similar close compared akin comparable"),
    "as": word_set("such"),
    "of": word_set("vein fan fans lines style spirit reminded me tired sick sort"),
    "than": word_set("better other more funnier darker scarier lighter"),
}
# May stand between such a word and the title.
BETWEEN_TITLE = NOUNS | word_set(
    "both original first new old also really actually already just even things stuff something"
    " either"
)
# Words around a title that say how it is meant: what speaks against it, what for it …
AGAINST = word_set(
    "hated hate hates disliked dislike dislikes unlike avoid despise despised detest loathe sick"
    " tired bored disappointed skip"
)
IN_FAVOUR = word_set(
    "liked loved love loves like likes enjoyed enjoy adored adore favorite favourite fan fans into"
    " close similar vein stand bear care finish lines such"
)
YET_TO_SEE = USES.union(USING, {"try", "rent"})
NOT = word_set(
    "not didnt dont doesnt never nothing isnt wasnt werent couldnt cant cannot havent hasnt hadnt"
    " hardly wouldnt no nor neither aint"
)
# … and, behind "was", judges it.
BAD = word_set(
    "awful boring terrible bad horrible stupid dumb overrated disappointing meh dull lame annoying"
    " weak trash garbage worst tedious flimsy leaky uncomfortable useless"
)
BAD_VERDICT = word_set("sucked sucks bored disappointed annoyed")
GOOD = word_set(
    "good great my for fun funny really it very that impressed enjoyable much sturdy comfortable"
    " comfy reliable"
)
GOES_ON = word_set("and but though although because which") | {","}
MEANS_IT = word_set("it that this them either very much at one")
BEING = word_set("was is were are felt seemed got")

# How well known what is asked for should be.
FAMILIARITY: PhraseTable[Literal["less", "more"]] = PhraseTable(
    {
        "hidden/forgotten/overlooked/undiscovered gem/gems,deep cut/cuts,under/below the radar"
        ",less/lesser/little known,less well known,not well known,not so/too/very well known"
        ",not widely known,unknown,underrated,underseen,overlooked,obscure,more obscure"
        ",off the beaten path/track,less/not popular/famous/mainstream"
        ",not too/so/very popular/famous/mainstream/known,nothing popular/mainstream/famous"
        ",nothing too popular/mainstream/famous": "less",
        "popular,more/most/very popular,famous,more/most/very famous,well known,very well known"
        ",better/best known,mainstream,more mainstream,less obscure/unknown,not/nothing obscure"
        ",not too/so obscure,nothing too obscure,crowd pleaser/pleasers/pleasing": "more",
    }
)
