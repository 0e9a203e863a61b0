"""Units of amounts: words that say them, names of attributes that hold them, more and less of them.

Each kind of amount has a base unit: minutes, grams, millimetres, litres. An amount is compared only
with an attribute whose unit is known, by a word of its name ("weight_g", "price_eur") or because
there is but one that people mean ("price", "runtime").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semrec.intent.tokens import PhraseTable

CURRENCIES: Mapping[str, str] = {
    "usd": "usd dollar dollars $",
    "eur": "eur euro euros €",
    "gbp": "gbp quid £",
    "chf": "chf franken",
}
SYMBOLS = {
    word: kind for kind, words in CURRENCIES.items() for word in words.split() if not word.isalpha()
}
# (kind, base units in one) → the words for it.
_WORDS: Mapping[tuple[str, float], str] = {
    ("minutes", 1.0): "minute minutes min mins",
    ("minutes", 60.0): "hour hours hr hrs h",
    ("minutes", 1 / 60): "second seconds sec secs",
    ("grams", 1.0): "g gram grams gramme grammes gr",
    ("grams", 1000.0): "kg kgs kilo kilos kilogram kilograms",
    ("grams", 453.592): "lb lbs",
    ("grams", 28.3495): "oz ounce ounces",
    ("millimetres", 1.0): "mm millimetre millimetres millimeter millimeters",
    ("millimetres", 10.0): "cm centimetre centimetres centimeter centimeters",
    ("millimetres", 1000.0): "m metre metres meter meters",
    ("millimetres", 1e6): "km kilometre kilometres kilometer kilometers",
    ("millimetres", 25.4): "inch inches",
    ("millimetres", 304.8): "ft foot feet",
    ("litres", 1.0): "l litre litres liter liters",
    ("litres", 0.001): "ml millilitre millilitres milliliter milliliters",
    ("pages", 1.0): "page pages",
    ("stars", 1.0): "star stars",
    ("seasons", 1.0): "season seasons",
    ("episodes", 1.0): "episode episodes",
    ("price", 1.0): "bucks pounds",
    **{(kind, 1.0): words for kind, words in CURRENCIES.items()},
}
# Word of a unit → (kind, how many of the kind's base unit).
UNITS = {word: unit for unit, words in _WORDS.items() for word in words.split()}
_LAST = UNITS | {"s": ("minutes", 1 / 60)}  # at the end of an attribute's name
# Words in an attribute's name → the kind of amount that it holds.
_KINDS = {
    **dict.fromkeys(("runtime", "duration", "length", "minutes"), "minutes"),
    **dict.fromkeys(("pages", "page"), "pages"),
    **dict.fromkeys(("price", "cost", "prices"), "price"),
    **dict.fromkeys(("stars", "rating", "ratings"), "stars"),
    **dict.fromkeys(("seasons", "season"), "seasons"),
    **dict.fromkeys(("episodes", "episode"), "episodes"),
    **dict.fromkeys(("year", "released", "published"), "year"),
    **dict.fromkeys(("weight", "mass"), "grams"),
    **dict.fromkeys(("volume", "capacity"), "litres"),
}
# Without a unit in the name nobody knows which of them the numbers are in.
_OF_MANY_UNITS = ("grams", "litres")
# Words → kind of amount, and whether more of it is wanted than what is shown has.
COMPARATIVES = PhraseTable(
    {
        "shorter,too long": ("minutes", False),
        "longer,too short": ("minutes", True),
        "newer,more recent,too old": ("year", True),
        "older,too new,too recent,too modern": ("year", False),
        "cheaper,less expensive,not as/so expensive,too expensive/pricey/dear": ("price", False),
        "pricier,more expensive,dearer,too cheap": ("price", True),
        "lighter,less heavy,not as/so heavy,too heavy": ("grams", False),
        "heavier": ("grams", True),
        "smaller,too big/large": ("litres", False),
        "bigger,larger,roomier,too small": ("litres", True),
    }
)
# Words of questions → the kind of amount that answers: "how heavy is it?".
SPOKEN_OF = {
    **dict.fromkeys(("heavy", "weigh", "weighs", "weight", "light"), "grams"),
    **dict.fromkeys(("cost", "costs", "price", "expensive"), "price"),
    **dict.fromkeys(("big", "large", "volume", "capacity"), "litres"),
}
# These say something else too ("a lighter mood"): only where an attribute holds the amount.
ALSO_MOODS = frozenset(("grams", "litres"))


def amounts_of(words: Sequence[str]) -> dict[str, float | None]:
    """Kinds of amounts that an attribute holds → base units in 1 of its numbers; None: unknown.

    Args:
        words: The words of its name.

    >>> amounts_of(["weight", "g"]), amounts_of(["weight"])
    ({'grams': 1.0}, {'grams': None})
    """
    kinds = {_KINDS[word] for word in words if word in _KINDS}
    kind, factor = _LAST.get(words[-1], ("", 1.0)) if words else ("", 1.0)
    if "price" in kinds or kind in CURRENCIES:
        named = [UNITS[word][0] for word in words if word in UNITS]
        own = [currency for currency in named if currency in CURRENCIES]
        return dict.fromkeys(("price", *(own or CURRENCIES)), 1.0)
    if kind:
        return {kind: factor}
    return {of: None if of in _OF_MANY_UNITS else 1.0 for of in sorted(kinds)}
