"""Products of a made-up outdoor shop: kinds, brands, facets, and the sentences that say them.

Facets are what a product can do beyond its attributes ("stands without pegs"). A description says
a product's facets in its own words; a request asks for them in others (`FACETS`).
"""

from dataclasses import dataclass

import numpy as np

ACTIVITIES = (
    "hiking", "trekking", "camping", "climbing", "mountaineering",
    "bikepacking", "trail running", "ski touring", "paddling", "family trips",
)  # fmt: skip
COLOURS = (
    "black", "grey", "navy", "blue", "teal", "green", "olive", "sand", "orange", "red", "yellow",
)  # fmt: skip
SEASONS = ("summer", "three-season", "winter", "all-year")
SIZED = {"tent": ("1-person", "2-person", "3-person", "4-person", "6-person")}
SIZED |= {"daypack": ("14 l", "18 l", "22 l", "28 l"), "dry bag": ("5 l", "10 l", "20 l", "35 l")}
SIZED |= {"trekking pack": ("45 l", "55 l", "65 l", "75 l"), "rope": ("40 m", "60 m", "70 m")}
SIZED |= {"map": ("1:25,000", "1:50,000")}
SIZED |= {"bike bag": ("4 l", "9 l", "14 l"), "bottle": ("0.5 l", "0.7 l", "1 l")}
PLACES = ("Tirol", "Skye", "Jotunheimen", "Corsica", "Picos", "Tatra", "Dolomites", "Lofoten")
# A facet → sentences of descriptions, and phrases of requests.
FACETS = {
    "wide": ("Generous toe box that leaves room for broad feet.|Built on a roomy last, so nothing"
             " pinches at the forefoot.", "for wide feet|with plenty of room for my toes"),
    "ankle": ("A high cuff holds the joint on loose stones.|Stiff sides keep you from twisting a"
              " foot.", "with good ankle support"),
    "grip": ("Sticky rubber that holds on wet slabs.|Deep lugs bite into mud and slick rock.",
             "with good grip on wet rock"),
    "freestanding": ("Stands by itself, on rock or sand.|Needs neither pegs nor guy lines.",
                     "that stands without pegs"),
    "quick": ("Up in three minutes, inner and outer at once.|Colour-coded poles: the first pitch"
              " takes no manual.", "quick to pitch"),
    "storm": ("Stayed up in gusts that flattened its neighbours.|Low, steep walls shrug off gales.",
              "for stormy weather|that survives strong wind"),
    "dog": ("The floor takes claws without a scratch.|A washable lining for four-legged company.",
            "for sleeping with my dog"),
    "packs_small": ("Goes into a pouch no bigger than a loaf.|Takes up hardly any room in a"
                    " rucksack.",
                    "that packs down small"),
    "gloves": ("Large toggles that can be worked with mittens on.|Every buckle opens with numb,"
               " covered hands.", "easy to use with gloves on"),
    "recycled": ("The fabric was plastic bottles before.|Made from discarded fishing nets.",
                 "made from recycled material"),
    "vegan": ("No leather and no animal glue.|Plant-based all through, without wool or hide.",
              "vegan"),
    "quiet": ("Hardly rustles when you turn over.|Soft outside that makes no sound.",
              "that doesn't crackle"),
    "breathable": ("Lets sweat out on steep climbs.|Vents under the arms dump heat.",
                   "breathable for hard climbs"),
    "helmet": ("The hood goes over a helmet.|Cut high at the neck, with room above for hard hats.",
               "that fits over a helmet"),
    "dry_back": ("A sprung mesh keeps air between load and spine.|Ventilated carrying system for"
                 " hot days.", "that doesn't make my back sweat"),
    "bladder": ("A sleeve for a two-litre drinking bladder.|Hose port on both sides.",
                "with room for a hydration bladder"),
    "bright": ("Its beam reaches 200 metres.|Throws enough lumens to run a forest path at"
               " midnight.", "bright enough to run at night"),
    "red_light": ("A red mode keeps eyes used to the dark.|Switches to red so as not to wake the"
                  " hut.", "with a red light"),
    "rechargeable": ("Charges over USB-C.|No batteries to buy: any power bank fills it.",
                     "rechargeable"),
    "fast_boil": ("Half a litre is bubbling in two minutes.|A heat exchanger makes tea almost at"
                  " once.", "that boils water fast"),
    "simmer": ("The flame goes down to a whisper for risotto.|A fine valve for sauces and eggs.",
               "for real cooking, not just boiling water"),
    "wind_flame": ("The burner sits deep behind a guard and doesn't blow out.|Keeps burning on a"
                   " gusty ridge.", "that works in wind"),
    "tall": ("Cut long, for people of 1.95 m.|Extra length for legs that stick out elsewhere.",
             "for a tall person"),
    "women": ("Shaped for women.|Women's fit, with a shorter back.", "for women"),
    "side": ("Egg-shaped, so knees can be drawn up.|Thick at the hip, where you lie when you turn.",
             "for side sleepers"),
    "cold": ("Comfortable down to minus 18 °C.|Made for nights when the bottle freezes.",
             "for freezing nights"),
    "beginner": ("Forgiving and easy to learn on.|The one our instructors hand to novices.",
                 "for a beginner"),
    "grows": ("Sleeves can be let out as years go by.|Adjusts over three sizes of childhood.",
              "that grows with my child"),
    "reflective": ("Shiny strips all round catch headlights.|Prints light up when a car comes.",
                   "that drivers see in the dark"),
    "easy_clean": ("Nothing sticks to it, a wipe is enough.|Goes into the dishwasher.",
                   "easy to clean"),
    "itch": ("Feels soft on bare skin and doesn't scratch.|So fine that sensitive skin likes it.",
             "that doesn't itch"),
    "odour": ("Still fresh after four days in the hills.|Keeps smell away without silver.",
              "that doesn't smell after days"),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of product, such as tents.

    Attributes:
        noun: Its name in titles and requests.
        category: Its name in the shop.
        activities: What it is used for.
        materials: What it may be made of.
        price: The cheapest and the dearest, in euros.
        weight_g: The lightest and the heaviest, in grams.
        waterproof: Share of products that are.
        facets: What some of its products can do.
    """

    noun: str
    category: str
    activities: tuple[str, ...]
    materials: tuple[str, ...]
    price: tuple[int, int]
    weight_g: tuple[int, int]
    waterproof: float
    facets: tuple[str, ...]


def kinds():
    """The shop's kinds, in the order of its departments."""
    lines = [line.split("|") for line in KINDS.strip().splitlines()]
    return [
        Kind(
            noun=noun,
            category=category,
            activities=tuple(ACTIVITIES[int(digit)] for digit in activities),
            materials=tuple(materials.split(",")),
            price=tuple(map(int, price.split("-"))),
            weight_g=tuple(map(int, weight.split("-"))),
            waterproof=float(waterproof),
            facets=tuple(facets.split(",")),
        )
        for noun, category, activities, materials, price, weight, waterproof, facets in lines
    ]


# noun | category | places in ACTIVITIES | materials | euros | grams | waterproof | facets
KINDS = """
tent|Tents|0123459|nylon,polyester,cotton|90-900|900-6500|.8|freestanding,quick,storm,dog,packs_small,recycled
tarp|Tarps|01258|nylon,polyester|40-260|300-1400|.9|storm,packs_small,recycled
sleeping bag|Sleeping bags|12479|down,polyester|60-650|450-2200|.1|cold,side,tall,women,packs_small,recycled
sleeping mat|Sleeping mats|12459|foam,nylon,polyester|25-240|250-1200|.3|quiet,side,cold,packs_small,tall
stove|Stoves|01245|steel,aluminium,titanium|25-260|70-900|0|fast_boil,simmer,wind_flame,packs_small,gloves
cookset|Cookware|1259|steel,aluminium,titanium|20-180|180-1300|0|easy_clean,packs_small,simmer
mug|Mugs|0259|steel,titanium,plastic|8-50|60-350|0|easy_clean,packs_small
water filter|Water filters|0158|plastic|25-180|60-600|0|packs_small,beginner,gloves
bottle|Bottles|02569|steel,plastic,aluminium|9-55|90-480|0|easy_clean,gloves
hiking boots|Hiking boots|014|leather,suede,polyester|90-340|800-1900|.7|wide,ankle,grip,vegan,women
trail shoes|Trail shoes|06|polyester,mesh|70-210|420-820|.35|wide,grip,breathable,women,vegan
approach shoes|Approach shoes|034|suede,leather,polyester|90-210|600-1100|.3|grip,wide,women
sandals|Sandals|089|rubber,leather|35-140|350-800|.1|wide,grip,vegan,women
rain jacket|Rain jackets|0156|nylon,polyester|60-480|150-750|1|breathable,packs_small,helmet,recycled,reflective,women
down jacket|Down jackets|1347|down,nylon|110-520|220-800|.1|packs_small,helmet,cold,women,recycled
fleece|Fleeces|0127|polyester,wool|35-200|200-600|0|recycled,quiet,women,odour,tall
trousers|Trousers|0147|nylon,polyester,cotton|40-260|220-700|.25|breathable,tall,women,recycled
base layer|Base layers|14670|merino wool,polyester|30-130|110-320|0|itch,odour,women,breathable
gloves|Gloves|0457|wool,leather,polyester|18-160|40-320|.4|cold,women,reflective
socks|Socks|016|merino wool,polyester|10-40|40-140|.05|itch,odour,women
hat|Hats|0278|merino wool,cotton,polyester|12-60|30-150|.15|itch,cold,reflective,helmet
daypack|Daypacks|0369|nylon,polyester,canvas|35-190|350-1300|.3|dry_back,bladder,women,recycled,reflective
trekking pack|Trekking packs|147|nylon,polyester|110-420|1100-2700|.25|dry_back,bladder,women,tall,recycled
dry bag|Dry bags|158|nylon,polyester|10-80|50-600|1|packs_small,recycled,gloves
bike bag|Bike bags|5|nylon,polyester|30-220|150-900|.8|reflective,packs_small,gloves
head torch|Head torches|0346|plastic,aluminium|18-190|35-280|.5|bright,red_light,rechargeable,gloves,helmet
lantern|Lanterns|29|plastic,steel|15-90|90-600|.4|rechargeable,red_light,easy_clean
rope|Ropes|34|nylon,polyester|80-290|1800-4700|.5|beginner,recycled
harness|Harnesses|347|nylon,polyester|45-160|230-620|0|beginner,gloves,women,breathable
climbing helmet|Climbing helmets|347|plastic,foam|50-150|170-420|0|breathable,beginner,women
map|Maps|015|paper,plastic|8-25|60-130|.5|beginner,packs_small
compass|Compasses|0147|plastic,aluminium|12-110|25-150|.8|gloves,beginner
trekking poles|Trekking poles|0147|aluminium,carbon|30-210|320-640|0|packs_small,gloves,women,tall
snowshoes|Snowshoes|47|aluminium,plastic|90-330|1400-2400|.5|gloves,grip,beginner,women
kids' jacket|Kids' jackets|9|polyester,nylon|30-140|180-480|.7|grows,reflective,recycled
kids' boots|Kids' boots|9|suede,polyester|40-110|400-800|.6|wide,ankle,grip,grows
kids' sleeping bag|Kids' sleeping bags|9|polyester,down|35-150|500-1100|.1|grows,cold,itch
child carrier|Child carriers|9|nylon,polyester|120-340|1900-3500|.2|dry_back,tall,women
"""  # noqa: E501
# Brand → how dear it is, 0 to 1.
BRANDS = {
    "Fjellvind": .8, "Norrbekk": .9, "Alpenrot": .7, "Tarnwick": .5, "Kestrel & Moss": .6,
    "Bivac": .45, "Cairnhold": .4, "Lumenta": .55, "Sorrel": .35, "Dunmore": .3, "Hvitur": .95,
    "Pico Alto": .6, "Redstart": .25, "Ondra": .75, "Wayfold": .5, "Trekka": .1, "Basecamp": .15,
    "Solvik": .65, "Marmotte": .55, "Larchwood": .4, "Gritstone": .7, "Outset": .05,
}  # fmt: skip
PLAIN_LINES = "Ridge,Drift,Ember,Summit,Halo,Nomad,Vista,Storm,Haven,Swift,Echo,Flint,Comet,Atlas"
SYLLABLES = ("skar tin ul ve nor bal ka ris fen ol mur tal gar sten jo hal", "va dra mi kon len no"
             " rek da li to ram bo", " n r s k l x")  # fmt: skip
OPENINGS = (
    "Thought out for {activity}.", "We take it along for {activity}.", "Tried on {activity} for a"
    " whole year.", "Simple, and made to last.", "A classic of {brand}.",
    "Made with care and easily mended.", "Our staff take theirs on {activity} days.",
    "For {season} days outside.", "Good for {activity} and at home on any bus.",
)  # fmt: skip
# Only these have a season; the rest of the shop is for all the year.
SEASONAL = {"Tents", "Sleeping bags", "Sleeping mats", "Hiking boots", "Rain jackets", "Fleeces"}
SEASONAL |= {"Down jackets", "Trousers", "Base layers", "Gloves", "Socks", "Hats", "Kids' jackets"}
SEASONAL |= {"Kids' boots", "Kids' sleeping bags", "Trail shoes"}
ANIMAL = {"leather", "suede", "down", "wool", "merino wool"}
SEASON_WORDS = {"summer": "warm", "three-season": "spring to autumn"}
SEASON_WORDS |= {"winter": "snowy", "all-year": "all"}


@dataclass(frozen=True, kw_only=True)
class Product:
    """A product, with what the shop's table doesn't say: its facets."""

    sku: str
    kind: Kind
    name: str
    size: str
    activities: tuple[str, ...]
    brand: str
    colour: str
    material: str
    season: str
    price: float
    weight_g: int
    waterproof: bool
    year: int
    facets: tuple[str, ...]
    description: str


def line_names(rng):
    """Names of product lines, each once: words of the language among made-up ones."""
    first, second, last = (part.split(" ") for part in SYLLABLES)
    made = {
        f"{rng.choice(first)}{rng.choice(second)}{rng.choice(last)}".capitalize()
        for _ in range(900)
    }
    return [*PLAIN_LINES.split(","), *sorted(made)]


def make_products(rng, n):
    """`n` products, no two of the same name, in the order of their numbers."""
    lines, all_kinds = line_names(rng), kinds()
    line_of = {brand: rng.choice(len(lines), 60, replace=False) for brand in BRANDS}
    products, names = [], set()
    while len(products) < n:
        kind = all_kinds[int(rng.integers(len(all_kinds)))]
        brand = str(rng.choice(list(BRANDS)))
        size = str(rng.choice(SIZED[kind.noun])) if kind.noun in SIZED else ""
        line = lines[int(rng.choice(line_of[brand]))]
        of = str(rng.choice(PLACES)) if kind.noun == "map" else ""
        mark = str(rng.choice(["", "", "", "", "Pro", "II"])) if not of else ""
        name = " ".join(filter(None, (of or line, mark, size, kind.noun)))
        if name in names:
            name = f"{brand} {name}"
        if name in names:
            continue
        names.add(name)
        products.append(
            _product(
                rng, kind, brand, name, size, f"{kind.category[:2].upper()}{1001 + len(products)}"
            )
        )
    return products


def _product(rng, kind, brand, name, size, sku):
    level = float(np.clip(BRANDS[brand] + rng.normal(0, 0.15), 0, 1))
    bulk = SIZED[kind.noun].index(size) / (len(SIZED[kind.noun]) - 1) if size else rng.random()
    lightness = float(np.clip(0.5 * level + 0.5 * rng.random(), 0, 1))
    weight = float(np.clip(0.6 * bulk + 0.4 * (1 - lightness) + rng.normal(0, 0.06), 0, 1))
    worth = float(np.clip(0.75 * level + 0.25 * bulk, 0, 1)) ** 1.3
    price = kind.price[0] + worth * (kind.price[1] - kind.price[0])
    season = str(rng.choice(SEASONS, p=[0.25, 0.4, 0.2, 0.15]))
    if kind.category not in SEASONAL:
        season = "all-year"
    material = str(rng.choice(kind.materials))
    possible = [f for f in kind.facets if f != "vegan" or material not in ANIMAL]
    n_facets = min(int(rng.choice([1, 2, 3], p=[0.3, 0.5, 0.2])), len(possible))
    facets = sorted(rng.choice(possible, n_facets, replace=False).tolist())
    if "cold" in facets and kind.category in SEASONAL:
        season = "winter"
    n_activities = min(int(rng.integers(1, 4)), len(kind.activities))
    activities = tuple(rng.choice(kind.activities, n_activities, replace=False).tolist())
    sentences = [str(rng.choice(FACETS[facet][0].split("|"))) for facet in facets]
    if rng.random() < 0.5 or len(sentences) == 1:
        opening = str(rng.choice(OPENINGS))
        words = {"noun": kind.noun, "brand": brand, "season": SEASON_WORDS[season]}
        sentences.insert(0, opening.format(activity=activities[0], **words))
    return Product(
        sku=sku,
        kind=kind,
        name=name[0].upper() + name[1:],
        size=size,
        activities=activities,
        brand=brand,
        colour=str(rng.choice(COLOURS)),
        material=material,
        season=season,
        price=round(price) - 0.05 if price < 60 else float(round(price / 5) * 5 - 1),
        weight_g=int(round(kind.weight_g[0] + weight * (kind.weight_g[1] - kind.weight_g[0]), -1)),
        waterproof=bool(rng.random() < kind.waterproof),
        year=int(rng.integers(2016, 2026)),
        facets=tuple(facets),
        description=" ".join(sentences[:3]),
    )
