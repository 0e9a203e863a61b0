"""A made-up outdoor shop, written as a shop would have it: ``python outdoor_shop.py FOLDER``.

Some 3,000 products, 2,500 customers and a year of their visits, from a seed: `products.csv`,
`events.csv`, and requests of which the script knows the right answers: `topics.csv` (all that
carries what the words ask for), `searches.csv` (typed before a purchase; right is what was bought)
and `learn.csv` (earlier searches of other customers, to learn from). NumPy alone.
"""

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from outdoor_products import ACTIVITIES, BRANDS, COLOURS, FACETS, make_products

FROM_S = 1_735_689_600  # 2025-01-01
DAY_S, DAYS = 86_400, 365
N_SHOWN, N_BEFORE = 20, 10
CUT_DAY = 330  # purchases from here on are the searches of the test
MIN_RIGHT, MAX_RIGHT = 4, 80
# Days of the year around which an activity is at its height.
SEASON_OF = {"ski touring": 20, "mountaineering": 200, "paddling": 190, "camping": 195}
# What is often bought some weeks after what.
NEXT = {
    "Tents": ("Sleeping mats", "Sleeping bags", "Lanterns"),
    "Sleeping bags": ("Sleeping mats", "Tents"),
    "Stoves": ("Cookware", "Mugs"),
    "Hiking boots": ("Socks", "Trekking poles"),
    "Ropes": ("Harnesses", "Climbing helmets"),
    "Daypacks": ("Bottles", "Rain jackets"),
    "Trekking packs": ("Dry bags", "Water filters"),
    "Kids' jackets": ("Kids' boots", "Child carriers"),
    "Bike bags": ("Head torches", "Tarps"),
}
PRODUCT_COLUMNS = [
    "sku",
    "name",
    "category",
    "activities",
    "brand",
    "colour",
    "material",
    "season",
    "price",
    "weight_g",
    "waterproof",
    "launched",
    "description",
]


@dataclass(frozen=True, kw_only=True)
class Customer:
    """What somebody likes: activities, how dear, brands, a colour, and for whom."""

    activities: dict
    level: float
    brands: tuple
    colour: str
    has_kids: bool


@dataclass(frozen=True, kw_only=True)
class Shop:
    """Products by column, as customers look at them."""

    products: list
    category: np.ndarray
    level: np.ndarray
    heaviness: np.ndarray
    popularity: np.ndarray
    by_category: dict


def make_shop(rng, n_products):
    """A shop of `n_products`."""
    products = make_products(rng, n_products)
    category = np.array([product.kind.category for product in products])
    by_category = {str(name): np.flatnonzero(category == name) for name in np.unique(category)}
    level, heaviness = np.empty((2, len(products)))
    for rows in by_category.values():  # how dear and how heavy a product is among its kind
        for ranks, of in ((level, "price"), (heaviness, "weight_g")):
            values = np.array([getattr(products[row], of) for row in rows])
            ranks[rows] = values.argsort(kind="stable").argsort() / max(len(rows) - 1, 1)
    return Shop(
        products=products,
        category=category,
        level=level,
        heaviness=heaviness,
        popularity=rng.normal(0, 1.0, len(products)),
        by_category=by_category,
    )


def make_customer(rng):
    """Somebody with a taste."""
    chosen = rng.choice(len(ACTIVITIES) - 1, int(rng.integers(1, 4)), replace=False)
    shares = rng.dirichlet(np.full(len(chosen), 1.5))
    return Customer(
        activities={ACTIVITIES[i]: float(s) for i, s in zip(chosen, shares, strict=True)},
        level=float(rng.random()),
        brands=tuple(rng.choice(list(BRANDS), 3, replace=False).tolist()),
        colour=str(rng.choice(COLOURS)),
        has_kids=bool(rng.random() < 0.25),
    )


def utility(shop, customer, rows):
    """(n,) float: how well products suit somebody."""
    of = [shop.products[row] for row in rows]
    suits = np.array([sum(customer.activities.get(a, 0) for a in p.activities) for p in of])
    brand = np.array([p.brand in customer.brands for p in of])
    colour = np.array([p.colour == customer.colour for p in of])
    distance = np.abs(shop.level[rows] - customer.level)
    return 2.0 * suits + 1.6 * brand + 0.5 * colour - 3.5 * distance + 0.5 * shop.popularity[rows]


def _category(rng, shop, customer, bought):
    """What somebody looks for on a visit: what goes with the last purchase, or what suits."""
    if bought and bought[-1] in NEXT and rng.random() < 0.6:
        fitting = [name for name in NEXT[bought[-1]] if name in shop.by_category]
        if fitting:
            return str(rng.choice(fitting))
    names = sorted(shop.by_category)
    weights = []
    for name in names:
        kind = shop.products[shop.by_category[name][0]].kind
        weight = sum(customer.activities.get(a, 0) for a in kind.activities)
        if kind.activities == ("family trips",):
            weight = 0.6 * customer.has_kids
        weights.append((weight + 0.01) * (0.2 if name in bought else 1))
    weights = np.array(weights)
    return str(rng.choice(names, p=weights / weights.sum()))


def _day(rng, customer):
    """A day of the year, nearer to the season of an activity than by chance."""
    activity = str(rng.choice(list(customer.activities)))
    if activity in SEASON_OF and rng.random() < 0.6:
        return float((SEASON_OF[activity] + rng.normal(0, 35)) % DAYS)
    return float(rng.random() * DAYS)


def visit(rng, shop, customer, category):
    """(row, action) of a visit in their order: looks down a list, may buy what suits best."""
    rows = shop.by_category[category]
    likes = utility(shop, customer, rows)
    by_popularity = shop.popularity[rows] + rng.normal(0, 0.8, len(rows))
    shown = np.argsort(-(by_popularity + 0.5 * likes))[:N_SHOWN]
    seen = 1 / np.log2(np.arange(len(shown)) + 2)
    look = 1 / (1 + np.exp(-(likes[shown] - likes[shown].mean())))
    viewed = shown[rng.random(len(shown)) < 0.9 * seen * look]
    actions = [(int(rows[at]), "view") for at in viewed]
    if not len(viewed):
        return []
    best = int(viewed[np.argmax(likes[viewed] + rng.gumbel(0, 0.7, len(viewed)))])
    if rng.random() < 0.55:
        actions.append((int(rows[best]), "add_to_cart"))
        if rng.random() < 0.75:
            actions.append((int(rows[best]), "purchase"))
    return actions


def make_events(rng, shop, customers):
    """(customer, row, action, Unix seconds) of a year, in the order of time."""
    events = []
    for number, customer in enumerate(customers):
        n_visits = 2 + int(rng.poisson(6 * rng.gamma(2, 0.5)))
        bought = []
        for day in sorted(_day(rng, customer) for _ in range(min(n_visits, 40))):
            category = _category(rng, shop, customer, bought)
            second = FROM_S + int(day * DAY_S)
            for row, action in visit(rng, shop, customer, category):
                events.append((number, row, action, second))
                second += int(rng.integers(10, 200))
                if action == "purchase":
                    bought.append(category)
    return sorted(events, key=lambda event: event[3])


# --- requests


def _wishes(shop, row):
    """(words, does a row's product grant it) for wishes that a product grants."""
    p, of = shop.products[row], shop.products
    cap = 10 * (int(p.price * 1.25) // 10 + 1)
    wishes = [
        (f"for {p.activities[0]}", lambda o: p.activities[0] in of[o].activities),
        (f"under {cap} euros", lambda o: of[o].price < cap),
        (f"by {p.brand}", lambda o: of[o].brand == p.brand),
        (f"in {p.colour}", lambda o: of[o].colour == p.colour),
    ]
    if len(p.kind.materials) > 1:
        wishes.append((f"made of {p.material}", lambda o: of[o].material == p.material))
    if p.season in ("winter", "summer"):
        suits = (p.season, "all-year")
        wishes.append((f"for {p.season}", lambda o: of[o].season in suits))
    if p.kind.weight_g[1] > 1000:
        grams = 500 * (p.weight_g // 500 + 1)
        said = f"{grams} grams" if grams % 1000 else f"{grams // 1000} kilos"
        said = "a kilo" if grams == 1000 else said
        wishes.append((f"under {said}", lambda o: of[o].weight_g < grams))
    for facet in p.facets:
        asked = FACETS[facet][1].split("|")
        words = asked[len(p.name) % len(asked)]
        wishes.append((words, lambda o, facet=facet: facet in of[o].facets))
    if p.kind.noun == "tent" and p.size != "6-person":
        words = f"for {dict(zip('1234', ('one', 'two', 'three', 'four'), strict=True))[p.size[0]]}"
        wishes += [(words, lambda o: of[o].size == p.size)] * 3
    # Before the noun:
    if p.waterproof and 0 < p.kind.waterproof < 1:
        wishes.append(("waterproof", lambda o: of[o].waterproof))
    if shop.heaviness[row] < 1 / 3 and p.kind.weight_g[1] > 400:
        wishes.append(("light", lambda o: shop.heaviness[o] < 1 / 3))
    if shop.level[row] < 1 / 3:
        wishes.append(("cheap", lambda o: shop.level[o] < 1 / 3))
    return wishes


def _words(product, wishes):
    """A request: "a waterproof tent for two under 300 euros"."""
    noun = product.kind.noun
    adjectives = [words for words, _ in wishes if words in ("waterproof", "light", "cheap")]
    phrase = [*adjectives, noun, *(words for words, _ in wishes if words not in adjectives)]
    is_plural = noun.endswith("s") and not noun.endswith("ss")
    article = [] if is_plural else ["an" if phrase[0][0] in "aeiou" else "a"]
    return " ".join([*article, *phrase])


def topic(rng, shop, row):
    """(words, rows of all that carry what they ask for) of a request like a product."""
    wishes = _wishes(shop, row)
    n = min(int(rng.choice([1, 2, 3], p=[0.45, 0.4, 0.15])), len(wishes))
    chosen = {}
    for at in sorted(rng.choice(len(wishes), n, replace=False)):
        chosen[wishes[int(at)][0]] = wishes[int(at)][1]
    product = shop.products[row]
    rows = shop.by_category[product.kind.category]
    right = [int(r) for r in rows if all(grant(r) for grant in chosen.values())]
    return _words(product, list(chosen.items())), right


def topics(rng, shop, events, n):
    """Rows of `topics.csv`: each topic without a session and after a stranger's."""
    sessions = _histories(events, FROM_S + CUT_DAY * DAY_S)
    strangers = [history for _, history in sorted(sessions.items()) if len(history) >= 3]
    rows, seen = [], set()
    while len(seen) < n:
        words, right = topic(rng, shop, int(rng.integers(len(shop.products))))
        session = strangers[int(rng.integers(len(strangers)))][-3:]
        if words in seen or not MIN_RIGHT <= len(right) <= MAX_RIGHT:
            continue
        number = len(seen)
        seen.add(words)
        for name, before in (("", ()), ("-after", session)):
            of = [row for row in right if row not in before]
            rows.append((f"t{number}{name}", words, before, of, f"topic-{number}", words, ""))
    return rows


def searches(rng, shop, events, learn_share):
    """Rows of `searches.csv`, and of `learn.csv` a share: no customer is in both."""
    test, learn, before = [], [], {}
    for number, row, action, second in events:
        history = before.setdefault(number, [])
        if action == "purchase":
            product, is_test = shop.products[row], number % 2 == 1
            late = second >= FROM_S + CUT_DAY * DAY_S
            wishes = _wishes(shop, row)
            wish = wishes[int(rng.integers(len(wishes)))]
            typed = (product.kind.noun, _words(product, [wish]))[int(rng.random() < 0.7)]
            if late == is_test and (late or rng.random() < learn_share):
                earlier = [r for r, s in history if s < second - 3600 and r != row]
                session = list(dict.fromkeys(reversed(earlier)))[:N_BEFORE][::-1]
                name = f"s{len(test) if late else len(learn)}"
                into = test if late else learn
                into.append((name, typed, session, [row], f"customer-{number}", "", ""))
        history.append((row, second))
    return test, learn


def _histories(events, until_s):
    histories = {}
    for number, row, _, second in events:
        if second < until_s and row not in histories.setdefault(number, []):
            histories[number].append(row)
    return histories


# --- files


def write_shop(
    folder, *, seed=7, n_products=3000, n_customers=2500, n_topics=300, learn_share=0.15
):
    """Write the shop's files; the same seed and numbers give the same bytes.

    Args:
        folder: Where to; made if it isn't there.
        seed: Of all that is drawn.
        n_products: How many products.
        n_customers: How many customers.
        n_topics: How many topics; their requests are twice as many.
        learn_share: Share of the earlier searches that is written into `learn.csv`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rngs = [np.random.default_rng([seed, stage]) for stage in range(5)]
    shop = make_shop(rngs[0], n_products)
    customers = [make_customer(rngs[1]) for _ in range(n_customers)]
    events = make_events(rngs[2], shop, customers)
    _write(folder / "products.csv", PRODUCT_COLUMNS, map(_line, shop.products))
    _write(
        folder / "events.csv",
        ("customer", "sku", "action", "at"),
        (
            (f"c{number:04}", shop.products[row].sku, action, _iso(second))
            for number, row, action, second in events
        ),
    )
    test, learn = searches(rngs[4], shop, events, learn_share)
    asked = topics(rngs[3], shop, events, n_topics)
    for name, rows in (("topics", asked), ("searches", test), ("learn", learn)):
        _write_requests(folder / f"{name}.csv", shop, rows)


def _line(p):
    return (
        p.sku, p.name, p.kind.category, "|".join(p.activities), p.brand, p.colour, p.material,
        p.season, f"{p.price:.2f}", p.weight_g, str(p.waterproof).lower(), p.year, p.description,
    )  # fmt: skip


def _iso(second):
    return f"{np.datetime64(second, 's')}Z"


def _write_requests(path, shop, rows):
    def skus(of):
        return " ".join(shop.products[row].sku for row in of)

    columns = ("intent_id", "text", "session", "relevant", "dialog_id", "topic", "split")
    _write(
        path,
        columns,
        ((i, text, skus(s), skus(right), *rest) for i, text, s, right, *rest in rows),
    )


def _write(path, columns, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", help="where to write")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    write_shop(arguments.folder, seed=arguments.seed)
