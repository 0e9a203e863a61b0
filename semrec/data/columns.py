"""Names that the field's files give to their columns, and the part that a file plays by them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

USER, ITEM, TIME, WEIGHT, EVENT, TAG = "user_id", "item_id", "timestamp", "weight", "event", "tag"
TITLE, TEXT, YEAR = "title", "text", "year"

# Name → what stands for it, best first; compared without case, blanks and signs.
KNOWN: Mapping[str, Sequence[str]] = {
    name: words.split()
    for name, words in {
        USER: """userid user uid reviewerid customerid customer visitorid memberid accountid
            profileid steamid clientid playerid listenerid readerid username reviewer member
            viewer sessionid""",
        ITEM: """itemid item parentasin asin movieid movie productid product bookid isbn
            businessid artistid venueid gameid appid songid trackid articleid newsid recipeid
            videoid sku iid contentid showid animeid jokeid poiid goodsid restaurantid beerid
            listingid albumid gmapid placeid tmdbid tconst stockcode""",
        TIME: """timestamp unixreviewtime time datetime date ts createdat eventtime
            ratingtimestamp reviewtime reviewdate timestampcreated unixtime watchedat playedat
            ratedat dateadded posted eventtimestamp eventdate starttime viewedat invoicedate
            orderdate purchasedate at occurredat happenedat loggedat""",
        WEIGHT: """weight rating ratings stars overall bookrating label playcount plays score
            reviewscore userrating listencount recommend isrecommended votedup count quantity
            playtimeforever hours clicks preference reviewrating starrating value""",
        EVENT: """event eventtype behavior behaviortype behaviorname behaviour behaviourtype
            action actiontype interaction interactiontype""",
        TAG: "tag tagname tagvalue",
        TITLE: """title movietitle booktitle itemname venuename productname producttitle name
            gamename appname tracktitle trackname songname songtitle artistname headline
            primarytitle itemtitle originaltitle""",
        TEXT: """text features description abstract overview summary plot synopsis about body
            content shortdescription detaileddescription aboutthegame productdescription
            longdescription plotsummary blurb""",
        YEAR: """year releaseyear yearofpublication publicationyear originalpublicationyear
            startyear publishyear movieyear releasedate publicationdate publishdate
            datepublished daterelease pubdate""",
    }.items()
}
MEANING = {word: name for name, words in KNOWN.items() for word in words}
FLAGS_OF_100K = """
    unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy
    Film-Noir Horror Musical Mystery Romance Sci-Fi Thriller War Western
"""
GENRES_OF_100K = FLAGS_OF_100K.split()
RATINGS = ("user_id", "item_id", "rating", "timestamp")
# Files without a header, by their names.
HEADERLESS: Sequence[tuple[str, Sequence[str]]] = (
    (r"u\.data|u[1-5ab]\.(base|test)", RATINGS),
    (
        r"u\.item",
        ["movie_id", "movie_title", "release_date", "video_release_date", "url", *GENRES_OF_100K],
    ),
    (r"u\.user", ["user_id", "age", "gender", "occupation", "zip_code"]),
    (r"ratings\.dat", ["userId", "movieId", "rating", "timestamp"]),
    (r"movies\.dat", ["movieId", "title", "genres"]),
    (r"tags\.dat", ["userId", "movieId", "tag", "timestamp"]),
    (r"users\.dat", ["userId", "gender", "age", "occupation", "zip"]),
    (r"steam-200k\.csv", ["user_id", "item", "behavior", "value", "unused"]),
)
SMALLEST_TIME_S = 100_000_000
NO_ITEMS = ("tagid", "genreid", "reviewid")  # ids, but of something else


def plain(name: str) -> str:
    """A column's name without case, accents, blanks and signs."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in letters if letter.isalnum())


def known_as(name: str) -> str:
    """The name that semrec has for a column; empty for a name that nobody knows."""
    return MEANING.get(plain(name), "")


def headerless(file: str, first: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns of a file without a header, if its name or its first row tells them."""
    name = file.lower().removesuffix(".gz").removesuffix(".zst")
    for pattern, columns in HEADERLESS:
        if re.fullmatch(pattern, name) and len(columns) == len(first):
            return tuple(columns)
    if len(first) in (3, 4) and not any(map(known_as, first)):
        numbers = [_number(word) for word in first[2:]]
        if None not in numbers and (len(first) == 3 or (numbers[-1] or 0) >= SMALLEST_TIME_S):
            return RATINGS[: len(first)]
    return ()


def meanings(
    names: Iterable[str], renames: Mapping[str, str], ignored: Iterable[str] = ()
) -> dict[str, list[str]]:
    """Known name → the columns that stand for it, best first.

    Args:
        names: The columns of a file.
        renames: Column → the name that it is to have.
        ignored: Columns that are to be left out.
    """
    left = [name for name in names if name not in set(ignored)]
    renamed = [name for name in left if name in renames]
    meant: dict[str, list[str]] = {}
    for name in renamed:
        meant.setdefault(renames[name], []).append(name)
    for name in sorted(left, key=_rank):
        if name not in renames and (known := known_as(name)):
            meant.setdefault(known, []).append(name)
    # An id that nobody knows is an item's, if there is no other.
    unknown = [name for name in left if name not in renames and not known_as(name)]
    others = [n for n in unknown if plain(n).endswith("id") and plain(n) not in NO_ITEMS]
    if ITEM not in meant and others:
        exact = [name for name in others if plain(name) == "id"]
        if exact or len(others) == 1 or TITLE in meant:
            meant[ITEM] = [(exact or others)[0]]
    return meant


def role(meant: Mapping[str, Sequence[str]]) -> str:
    """The part that a file plays: interactions, items, tags, users, or nothing."""
    if ITEM in meant and TAG in meant and WEIGHT not in meant and TITLE not in meant:
        return "tags"
    if ITEM in meant and USER in meant:
        return "interactions"
    if ITEM in meant:
        return "items"
    return "users" if USER in meant else ""


def _rank(name: str) -> int:
    known = known_as(name)
    return KNOWN[known].index(plain(name)) if known else 0


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
