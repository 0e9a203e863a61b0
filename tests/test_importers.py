"""Imports: what was planted in a public form comes back from the dataset, or is counted."""

import csv
import gzip
import io
import json
import sys
import zipfile

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import semrec
from semrec import DataError
from semrec.cli import main
from semrec.data.dataset import read_dataset
from semrec.data.import_report import ImportOptions
from semrec.data.imports import import_files


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def lines(*records):
    return "".join(json.dumps(record) + "\n" for record in records)


def imported(folder, *paths, **choices):
    """The report of an import of files, or of the texts of files by name."""
    return import_files(list(paths), folder / "out", ImportOptions(**choices))


def events(dataset):
    """(user, item, moment, weight) of every event, sorted by user, then time."""
    found = dataset.interactions
    return [
        (found.user_ids[user], dataset.catalog.item_ids[row], moment, weight)
        for user, row, moment, weight in zip(
            found.users.tolist(),
            found.rows.tolist(),
            found.timestamps.tolist(),
            found.weights.tolist(),
            strict=True,
        )
    ]


def records(dataset):
    return [dataset.catalog.record(row) for row in range(len(dataset.catalog))]


def rejects(out):
    with (out / "rejects.csv").open(encoding="utf-8", newline="") as file:
        return [
            (row["file"].rsplit("/", 1)[-1], int(row["row"]), row["column"], row["value"])
            for row in csv.DictReader(file)
        ]


def run(monkeypatch, capsys, *arguments):
    """(exit code, what was printed) of a command."""
    monkeypatch.setattr(sys, "argv", ["semrec", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "500")
    with pytest.raises(SystemExit) as left:
        main()
    printed = capsys.readouterr()
    return left.value.code, printed.out + printed.err


# MovieLens

RATINGS = (
    "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,3,0.5,964981247\n2,1,5.0,964982224\n"
)
MOVIES = """movieId,title,genres
1,Toy Story (1995),Adventure|Animation|Children
2,"City of Lost Children, The (Cité des enfants perdus, La) (1995)",(no genres listed)
3,Tom &amp; Jerry,Comedy
"""
TAGS = "userId,movieId,tag,timestamp\n2,1,pixar,1445714994\n2,99,nowhere,1\n"
LINKS = "movieId,imdbId,tmdbId\n1,0114709,862\n"


@pytest.fixture
def latest(tmp_path):
    files = {"ratings.csv": RATINGS, "movies.csv": MOVIES, "tags.csv": TAGS, "links.csv": LINKS}
    for name, text in files.items():
        write(tmp_path / "ml-latest-small" / name, text)
    write(tmp_path / "ml-latest-small" / "README.txt", "userId is a user")
    return tmp_path / "ml-latest-small"


def test_movielens_latest_is_known_by_its_names(tmp_path, latest):
    report = imported(tmp_path, latest)
    dataset = report.dataset
    assert records(dataset) == [
        {
            "item_id": "1",
            "title": "Toy Story",
            "year": 1995,
            "genres": ["Adventure", "Animation", "Children"],
        },
        {
            "item_id": "2",
            "title": "The City of Lost Children (La Cité des enfants perdus)",
            "year": 1995,
        },
        {"item_id": "3", "title": "Tom & Jerry", "genres": ["Comedy"]},
    ]
    assert events(dataset) == [
        ("1", "3", 964981247, 0.5),
        ("1", "1", 964982703, 4.0),
        ("2", "1", 964982224, 5.0),
    ]
    assert dataset.positive_weight == 3.5
    assert [(tag.row, tag.tag, tag.timestamp) for tag in dataset.tags] == [(0, "pixar", 1445714994)]
    roles = {taken.path.rsplit("/", 1)[-1]: taken.role for taken in report.files}
    assert roles["links.csv"] == roles["README.txt"] == ""
    assert rejects(tmp_path / "out") == [("tags.csv", 2, "movieId", "99")]


def test_an_archive_is_as_good_as_its_folder(tmp_path, latest):
    plain = imported(tmp_path, latest).dataset
    with zipfile.ZipFile(tmp_path / "ml.zip", "w") as archive:
        for path in latest.iterdir():
            archive.write(path, f"ml-latest-small/{path.name}")
    packed = import_files([tmp_path / "ml.zip"], tmp_path / "packed", ImportOptions()).dataset
    assert records(packed) == records(plain)
    assert events(packed) == events(plain)
    assert packed.tags == plain.tags


def test_movielens_1m_has_no_header_and_two_colons(tmp_path):
    write(tmp_path / "ratings.dat", "1::1193::5::978300760\n2::661::3::978302109\n")
    movies = "1193::Amélie (2001)::Comedy|Romance\n661::Amour, L' (1998)::Drama\n"
    write(tmp_path / "movies.dat", movies.encode("latin-1"))
    write(tmp_path / "users.dat", "1::F::1::10::48067\n")
    dataset = imported(
        tmp_path, *(tmp_path / name for name in ("ratings.dat", "movies.dat", "users.dat"))
    ).dataset
    assert dataset.catalog.titles == ("Amélie", "L'Amour")
    assert events(dataset) == [("1", "1193", 978300760, 5.0), ("2", "661", 978302109, 3.0)]


def test_movielens_100k_has_a_column_for_each_genre(tmp_path):
    write(tmp_path / "ml-100k" / "u.data", "196\t1\t3\t881250949\n186\t1\t5\t891717742\n")
    flags = "|".join("1" if place in (3, 4, 5) else "0" for place in range(19))
    movie = f"1|Toy Story (1995)|01-Jan-1995||http://us.imdb.com/M/title-exact?Toy|{flags}\n"
    write(tmp_path / "ml-100k" / "u.item", movie.encode("latin-1"))
    write(tmp_path / "ml-100k" / "u.genre", "unknown|0\nAction|1\n")
    dataset = imported(tmp_path, tmp_path / "ml-100k").dataset
    record = dataset.catalog.record(0)
    assert record["title"] == "Toy Story"
    assert record["year"] == 1995
    assert record["genres"] == ["Animation", "Children's", "Comedy"]
    assert record["release_date"] == 788918400
    assert not [name for name in record if name in ("url", "Action")]


# Amazon Reviews 2023

REVIEWS = [
    {
        "rating": 5.0,
        "title": "Such a lovely scent",
        "text": "Not overpowering.",
        "images": [],
        "asin": "B00X",
        "parent_asin": "B00",
        "user_id": "AGKH",
        "timestamp": 1588687728923,
        "helpful_vote": 0,
        "verified_purchase": True,
    },
    {
        "rating": 1.0,
        "title": "no",
        "asin": "B01",
        "parent_asin": "B01",
        "user_id": "AGKH",
        "timestamp": 1588615855070,
    },
]
META = [
    {
        "main_category": "All Beauty",
        "title": "Howard &amp; Co <b>Soap</b>",
        "average_rating": 4.8,
        "features": ["Gentle.", ""],
        "description": ["For <br>the &quot;skin&quot;."],
        "price": 7.5,
        "images": [{"thumb": "https://x"}],
        "store": "Howard",
        "categories": ["Beauty", "Soap & Bath"],
        "details": {"Size": "3"},
        "parent_asin": "B00",
        "bought_together": None,
    },
    {"title": "Brush", "price": "$1,299.00", "categories": [], "parent_asin": "B01"},
    {"title": "Comb", "price": "from 12.99", "parent_asin": "B02", "features": None},
]


def test_amazon_2023_as_downloaded(tmp_path):
    reviews = write(tmp_path / "All_Beauty.jsonl.gz", lines(*REVIEWS))
    meta = write(tmp_path / "meta_All_Beauty.jsonl.gz", lines(*META))
    report = imported(tmp_path, reviews, meta)
    assert records(report.dataset) == [
        {
            "item_id": "B00",
            "title": "Howard & Co Soap",
            "text": 'Gentle.\nFor the "skin".',
            "main_category": "All Beauty",
            "average_rating": 4.8,
            "price": 7.5,
            "store": "Howard",
            "categories": ["Beauty", "Soap & Bath"],
        },
        {"item_id": "B01", "title": "Brush", "price": 1299.0},
        {"item_id": "B02", "title": "Comb"},
    ]
    assert events(report.dataset) == [
        ("AGKH", "B01", 1588615855.07, 1.0),
        ("AGKH", "B00", 1588687728.923, 5.0),
    ]
    assert report.dataset.positive_weight == 3.5
    assert rejects(tmp_path / "out") == [("meta_All_Beauty.jsonl.gz", 3, "price", "from 12.99")]


def test_ratings_alone_make_items_of_the_ids(tmp_path):
    text = "user_id,parent_asin,rating,timestamp,history\n"
    text += "A,B2,5.0,1600000000500,\nA,B1,1,1500000000000,B9\n"
    dataset = imported(tmp_path, write(tmp_path / "X.csv", text)).dataset
    assert dataset.catalog.item_ids == ("B2", "B1")
    assert events(dataset) == [("A", "B1", 1.5e9, 1.0), ("A", "B2", 1600000000.5, 5.0)]


# RecBole

INTER = "user_id:token\tartist_id:token\tlabel:float\ttimestamp:float\n"
INTER += "u1\t10\t1\t900000200\nu1\t007\t0\t900000100\nnan\t10\t1\t900000300.5\n"
ITEM = (
    "artist_id:token\tname:token_seq\trelease_year:token\tclass:token_seq\t"
    'price:float\tcode:token\tv:float_seq\n10\t"Toy" Story, A\t1995\tAnimation '
    "Children's\t—\t007\t1 2\n007\tGoldenEye\tnan\t\t1.5\tnan\t3\n"
)


def test_recbole_with_any_names_of_ids_and_labels(tmp_path):
    inter = write(tmp_path / "lfm.inter", INTER)
    item = write(tmp_path / "lfm.item", ITEM)
    dataset = imported(tmp_path, inter, item, keep_titles=True).dataset
    assert records(dataset) == [
        {
            "item_id": "10",
            "title": '"Toy" Story, A',
            "year": 1995,
            "class": ["Animation", "Children's"],
            "code": "007",
        },
        {"item_id": "007", "title": "GoldenEye", "price": 1.5},
    ]
    assert events(dataset) == [
        ("nan", "10", 900000300.5, 1.0),
        ("u1", "007", 900000100.0, 0.0),
        ("u1", "10", 900000200.0, 1.0),
    ]
    assert len(dataset.positives) == 2, "a label of 0 is no like"


def test_without_times_the_order_of_the_file_is_each_users(tmp_path):
    inter = "user_id:token\tvenue_id:token\nu\tb\nv\tb\nu\ta\nu\tc\n"
    dataset = imported(tmp_path, write(tmp_path / "x.inter", inter)).dataset
    assert not dataset.interactions.clock
    assert events(dataset) == [
        ("u", "b", 0, 1),
        ("u", "a", 1, 1),
        ("u", "c", 2, 1),
        ("v", "b", 0, 1),
    ]
    assert "time: order" in (tmp_path / "out" / "dataset.yaml").read_text()


# Book-Crossing, Yelp, Steam


def test_book_crossing(tmp_path):
    ratings = (
        '"User-ID";"ISBN";"Book-Rating"\n"276725";"034545104X";"0"\n"276726";'
        '"0155061224";"8"\n"2";"034545104X";"10"\n'
    )
    books = (
        '"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher";"Image-URL-S"\n'
        '"034545104X";"Flesh Tones: A \\"Novel\\"; Crime";"M. J. Rose";"2002";"Ballantine";"http://x"\n'
        '"0155061224";"Ren\xe9";"Judith Rae";"0";"Heinle";"http://y"\n'
    )
    write(tmp_path / "BX-Book-Ratings.csv", ratings.encode("latin-1"))
    write(tmp_path / "BX-Books.csv", books.encode("latin-1"))
    write(tmp_path / "BX-Users.csv", '"User-ID";"Location";"Age"\n"1";"nyc, usa";NULL\n')
    dataset = imported(tmp_path, *tmp_path.glob("*.csv")).dataset
    assert records(dataset) == [
        {
            "item_id": "034545104X",
            "title": 'Flesh Tones: A "Novel"; Crime',
            "year": 2002,
            "Book-Author": "M. J. Rose",
            "Publisher": "Ballantine",
        },
        {
            "item_id": "0155061224",
            "title": "René",
            "Book-Author": "Judith Rae",
            "Publisher": "Heinle",
        },
    ]
    assert dataset.positive_weight == 7.0
    assert len(dataset.positives) == 2


def test_yelp(tmp_path):
    business = {
        "business_id": "Pns2",
        "name": "Abby's Diner",
        "city": "Santa Barbara",
        "postal_code": "93101",
        "stars": 5.0,
        "is_open": 0,
        "attributes": {"WiFi": "free"},
        "categories": "Diners, Breakfast & Brunch",
        "hours": None,
    }
    review = {
        "review_id": "r",
        "user_id": "mh_",
        "business_id": "Pns2",
        "stars": 3.0,
        "text": "ok",
        "date": "2018-07-07 22:09:11",
    }
    tip = {"user_id": "x", "business_id": "Pns2", "text": "go", "date": "2013-05-18 02:21:02"}
    write(tmp_path / "y" / "yelp_academic_dataset_business.json", lines(business))
    write(tmp_path / "y" / "yelp_academic_dataset_review.json", lines(review))
    write(tmp_path / "y" / "yelp_academic_dataset_tip.json", lines(tip))
    write(
        tmp_path / "y" / "yelp_academic_dataset_user.json", lines({"user_id": "mh_", "name": "W"})
    )
    write(
        tmp_path / "y" / "yelp_academic_dataset_checkin.json",
        lines({"business_id": "Pns2", "date": "2016-04-26 19:49:16, 2016-08-30 18:36:57"}),
    )
    dataset = imported(tmp_path, tmp_path / "y").dataset
    record = dataset.catalog.record(0)
    assert record["title"] == "Abby's Diner"
    assert record["categories"] == ["Diners", "Breakfast & Brunch"]
    assert record["postal_code"] == "93101"
    assert events(dataset) == [("mh_", "Pns2", 1531001351, 3.0)]


def test_steam_as_python_writes_it(tmp_path):
    reviews = (
        "{u'username': u'Chaos', u'hours': 0.1, u'product_id': u'725280', u'date': "
        "u'2017-12-17', u'text': u'It\\'s ok', u'early_access': False, 'user_id': "
        "u'7656'}\n"
    )
    games = (
        "{u'publisher': u'K', u'genres': [u'Action', u'Indie'], u'app_name': u'Lost "
        "Summoner', u'release_date': u'2018-01-04', u'price': u'Free To Play', u'id': "
        "u'725280'}\n"
    )
    dataset = imported(
        tmp_path,
        write(tmp_path / "steam_reviews.json.gz", reviews),
        write(tmp_path / "steam_games.json.gz", games),
    ).dataset
    record = dataset.catalog.record(0)
    assert record["title"] == "Lost Summoner"
    assert record["genres"] == ["Action", "Indie"]
    assert (record["year"], record["price"]) == (2018, 0)
    assert events(dataset)[0][:3] == ("7656", "725280", 1513468800)


def test_a_users_list_of_items_is_an_event_each(tmp_path):
    user = {
        "user_id": "a",
        "items_count": 2,
        "items": [
            {"item_id": "10", "item_name": "Counter-Strike", "playtime_forever": 6},
            {"item_id": "20", "item_name": "Fortress", "playtime_forever": 0},
        ],
    }
    dataset = imported(tmp_path, write(tmp_path / "australian.json", repr(user) + "\n")).dataset
    assert dataset.catalog.titles == ("Counter-Strike", "Fortress")
    assert [event[1:] for event in events(dataset)] == [("10", 0, 6.0), ("20", 1, 0.0)]
    assert len(dataset.positives) == 1, "never played is no like"


def test_tags_need_neither_users_nor_times(tmp_path):
    files = {
        "user_artists.dat": "userID\tartistID\tweight\n2\t51\t13883\n2\t52\t11690\n",
        "artists.dat": "id\tname\turl\n51\tDuran Duran\thttp://x\n52\tMorcheeba\thttp://y\n",
        "tags.dat": "tagID\ttagValue\n1\tmetal\n",
        "artist_tags.tsv": "artistID\ttag\n52\ttrip hop\n",
    }
    paths = [write(tmp_path / name, text) for name, text in files.items()]
    dataset = imported(tmp_path, *paths).dataset
    assert dataset.catalog.titles == ("Duran Duran", "Morcheeba")
    assert [(tag.row, tag.tag) for tag in dataset.tags] == [(1, "trip hop")]


# Plain tables of any shape

TABLE = [("ü1", "a", "4.5", "1500000000"), ("v", "b,c", "3", "1500000100")]
GOODS = [("a", "Kettle ☕"), ("b,c", 'The "big" one')]
SHAPES = {
    "csv": (".csv", ",", "utf-8"),
    "upper case": (".CSV", ",", "utf-8"),
    "tsv": (".tsv", "\t", "utf-8"),
    "semicolons": (".csv", ";", "utf-8"),
    "pipes": (".txt", "|", "utf-8"),
    "a byte order mark": (".csv", ",", "utf-8-sig"),
    "utf-16": (".csv", ",", "utf-16"),
    "utf-16 without a mark": (".csv", ",", "utf-16-le"),
}


def delimited(rows, separator, end="\n"):
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=end).writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize("shape", SHAPES)
def test_separators_encodings_and_endings(tmp_path, shape, end):
    ending, separator, encoding = SHAPES[shape]
    rated = [("user", "item", "rating", "time"), *TABLE]
    ratings = delimited(rated, separator, end).encode(encoding)
    goods = delimited([("item", "name"), *GOODS], separator, end).encode(encoding)
    files = write(tmp_path / f"r{ending}", ratings), write(tmp_path / f"g{ending}", goods)
    dataset = imported(tmp_path, *files).dataset
    assert dataset.catalog.titles == ("Kettle ☕", 'The "big" one')
    assert events(dataset) == [("v", "b,c", 1500000100, 3.0), ("ü1", "a", 1500000000, 4.5)]


@pytest.mark.parametrize("packed", ["gz", "zst", "bz2", "zip"])
@pytest.mark.parametrize("form", ["csv", "jsonl", "ndjson", "json", "parquet"])
def test_compressions_and_forms(tmp_path, packed, form):
    names = ("user", "item", "rating", "time")
    rows = [dict(zip(names, row, strict=True)) for row in TABLE]
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "r.parquet")
        data = (tmp_path / "r.parquet").read_bytes()
    elif form == "csv":
        data = delimited([names, *TABLE], ",").encode()
    else:
        data = (json.dumps(rows, indent=1) if form == "json" else lines(*rows)).encode()
    path = tmp_path / f"r.{form}.{packed}"
    if packed == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"deep/r.{form}", data)
    elif form == "parquet":
        path = tmp_path / "r.parquet"
    else:
        codec = {"gz": "gzip", "zst": "zstd", "bz2": "bz2"}[packed]
        with pa.CompressedOutputStream(str(path), codec) as out:
            out.write(data)
    assert len(events(imported(tmp_path, path).dataset)) == 2


def test_lines_that_are_not_utf_8_are_cp1252_and_it_is_said(tmp_path):
    data = "item_id,title\na,Amélie\n".encode() + "b,L’œuvre – 5 €\n".encode("cp1252")
    goods = write(tmp_path / "goods.csv", data)
    seen = write(tmp_path / "seen.csv", "user_id,item_id,timestamp\nu,a,1\nu,b,2\n")
    report = imported(tmp_path, goods, seen)
    assert report.dataset.catalog.titles == ("Amélie", "L’œuvre – 5 €")
    assert any("cp1252" in note for taken in report.files for note in taken.notes)


@pytest.mark.parametrize(
    ("cells", "seconds"),
    [
        (["1500000000", "1500000001"], [1500000000, 1500000001]),
        (["1500000000123", "1500000001000"], [1500000000.123, 1500000001]),
        (["1500000000123456", "1500000001000000"], [1500000000.123456, 1500000001]),
        (["1500000000000000000", "1500000001000000000"], [1500000000, 1500000001]),
        (["2020-01-01", "2020-01-02 00:00:01"], [1577836800, 1577923201]),
        (["2020-01-01T02:00:00+02:00", "2020-01-01T00:00:01Z"], [1577836800, 1577836801]),
        (["20200101", "20200102"], [1577836800, 1577923200]),
        (["13/01/2020", "01/02/2020"], [1578873600, 1580515200]),
        (["1/13/2020 1:05 PM", "2/1/2020 12:00 AM"], [1578920700, 1580515200]),
        (["01.02.20 10:00", "31.01.20 10:00"], [1580551200, 1580464800]),
        (["01-Jan-2020", "02-Feb-2020"], [1577836800, 1580601600]),
        (["Posted January 1, 2020.", "Posted February 2, 2020."], [1577836800, 1580601600]),
        (["09 13, 2009", "01 2, 2010"], [1252800000, 1262390400]),
        (
            ["Sat Nov 11 08:12:41 -0800 2017", "Sun Nov 12 00:00:00 +0000 2017"],
            [1510416761, 1510444800],
        ),
        (["Sun, 13 Sep 2020 12:26:40 GMT", "Sun, 13 Sep 2020 14:26:41 +0200"], [1.6e9, 1.6e9 + 1]),
        (["20200913T122640Z", "20200913T142641+0200"], [1.6e9, 1.6e9 + 1]),
        (["3", "1"], [3, 1]),
    ],
)
def test_times_in_every_form(tmp_path, cells, seconds):
    rows = [("user", "item", "date"), *(("u", f"i{n}", cell) for n, cell in enumerate(cells))]
    dataset = imported(tmp_path, write(tmp_path / "x.csv", delimited(rows, ","))).dataset
    assert {item: moment for _, item, moment, _ in events(dataset)} == {
        f"i{n}": moment for n, moment in enumerate(seconds)
    }


def test_dates_that_could_be_either_way_round_are_asked_for(tmp_path):
    path = write(tmp_path / "x.csv", "user,item,date\nu,a,03/04/2020\n")
    with pytest.raises(DataError, match="--dates dmy or --dates mdy"):
        imported(tmp_path, path)
    assert events(imported(tmp_path, path, dates="dmy").dataset)[0][2] == 1585872000


WEIGHTS = {
    "decimal commas": (["4,5", "3,0"], [4.5, 3.0]),
    "booleans": (["True", "False"], [1.0, 0.0]),
    "thousands": (["1,234", "5"], [1234.0, 5.0]),
}


@pytest.mark.parametrize("form", WEIGHTS)
def test_weights_in_other_forms(tmp_path, form):
    cells, expected = WEIGHTS[form]
    rows = [("user", "item", "score"), *(("u", f"i{n}", cell) for n, cell in enumerate(cells))]
    dataset = imported(tmp_path, write(tmp_path / "x.csv", delimited(rows, ";"))).dataset
    assert dataset.interactions.weights.tolist() == expected


@pytest.mark.parametrize(
    ("weights", "threshold", "n_positive"),
    [
        ([0.5, 5, 3.5, 3], 3.5, 2),
        ([0, 1, 1, 0], 0.7, 2),
        ([0, 10, 7, 6], 7.0, 2),
        ([-1, 0, 12, 400], 12.0, 2),
        ([1, 12, 40, 400], None, 4),
        ([2, 2, 2, 2], None, 4),
    ],
)
def test_from_which_weight_an_interaction_counts(tmp_path, weights, threshold, n_positive):
    rows = [("user", "item", "weight"), *(("u", f"i{n}", w) for n, w in enumerate(weights))]
    report = imported(tmp_path, write(tmp_path / "x.csv", delimited(rows, ",")))
    assert report.dataset.positive_weight == threshold
    assert len(report.dataset.positives) == n_positive
    assert any("--positive-weight" in note for note in report.notes) is (threshold is not None)


# Events

EVENTS = "user_id,item_id,timestamp,event\nu,a,1,view\nu,b,2,reject\nu,c,3,Buy\n"


def test_a_reject_never_attracts(tmp_path):
    dataset = imported(tmp_path, write(tmp_path / "x.csv", EVENTS)).dataset
    assert len(dataset.interactions) == 3
    assert [dataset.catalog.item_ids[row] for row in dataset.positives.rows] == ["a", "c"]
    assert dataset.positives.counts.tolist() == [1, 0, 1]


def test_other_events_are_refused_with_the_option_that_maps_them(tmp_path):
    text = EVENTS + "u,d,4,purchase\nu,e,5,purchase\nu,f,6,impression\n"
    path = write(tmp_path / "x.csv", text)
    with pytest.raises(DataError) as caught:
        imported(tmp_path, path)
    assert "'purchase' (2 ×)" in str(caught.value)
    assert "--event purchase=buy --event impression=drop" in str(caught.value)
    report = imported(tmp_path, path, events={"purchase": "buy", "impression": "drop"})
    assert len(report.dataset.interactions) == 5
    assert rejects(tmp_path / "out") == [("x.csv", 6, "event", "impression")]


# What can't be used


def test_every_bad_row_is_listed_with_its_true_number(tmp_path):
    rows = [f"u{n % 50},{n % 7},3,{1_500_000_000 + n}" for n in range(1, 9_001)]
    bad = {7_901: "u,1,3", 7_902: "u,1,x,5", 8_000: ",1,3,5", 8_500: "u,1,3,5,6", 8_900: "u,99,3,5"}
    for row, text in bad.items():
        rows[row - 1] = text
    ratings = write(
        tmp_path / "r.csv", "userId,movieId,rating,timestamp\n" + "\n".join(rows) + "\n"
    )
    movies = write(tmp_path / "m.csv", "movieId,title\n" + "".join(f"{n},T{n}\n" for n in range(7)))
    report = imported(tmp_path, ratings, movies)
    assert len(report.dataset.interactions) == 9_000 - len(bad)
    assert rejects(tmp_path / "out") == [
        ("r.csv", 7_901, "", "u,1,3"),
        ("r.csv", 7_902, "rating", "x"),
        ("r.csv", 8_000, "userId", ""),
        ("r.csv", 8_500, "", "u,1,3,5,6"),
        ("r.csv", 8_900, "movieId", "99"),
    ]
    assert sum(left.count for left in report.left_out) == len(bad)
    with pytest.raises(DataError, match=r"r\.csv: row \d+.*It would be left out"):
        import_files([ratings, movies], tmp_path / "strict", ImportOptions(strict=True))
    assert not (tmp_path / "strict").exists()


def test_lines_that_are_no_json_are_listed(tmp_path):
    text = '{"user": "u", "item": "a", "time": 1}\n{broken\n{"user": "u", "item": "b"}\n[1]\n'
    report = imported(tmp_path, write(tmp_path / "x.jsonl", text))
    assert len(report.dataset.interactions) == 1
    assert [row[:3] for row in rejects(tmp_path / "out")] == [
        ("x.jsonl", 2, ""),
        ("x.jsonl", 3, "time"),
        ("x.jsonl", 4, "user"),
    ]


NEAREST = {
    "blanks": (" 1", "1"),
    "leading zeros": ("001", "1"),
    "case": ("ab", "AB"),
    "accents": ("cafe", "café"),
}


@pytest.mark.parametrize("kind", NEAREST)
def test_an_unknown_id_gets_the_nearest(tmp_path, kind):
    wrong, right = NEAREST[kind]
    rows = [("user", "item", "time"), ("u", "other", 1), ("u", wrong, 2)]
    seen = write(tmp_path / "s.csv", delimited(rows, ","))
    items = [("item", "title"), ("other", "O"), (right, "R")]
    goods = write(tmp_path / "g.csv", delimited(items, ","))
    with pytest.raises(DataError) as caught:
        imported(tmp_path, seen, goods, strict=True)
    assert f"row 2, column 'item': {wrong!r} is not in the catalogue" in str(caught.value)
    assert f"did you mean {right!r}?" in str(caught.value)


def test_ids_that_a_merge_made_floats_find_their_items(tmp_path):
    seen = write(tmp_path / "s.csv", "user,item,time\n1.0,1.0,1\n2.0,2.0,2\n")
    goods = write(tmp_path / "g.csv", "item,title\n1,A\n2,B\n")
    report = imported(tmp_path, seen, goods)
    assert report.dataset.interactions.user_ids == ("1", "2")
    assert events(report.dataset)[0][1] == "1"
    assert any(".0" in note for note in report.notes)


def test_one_odd_cell_in_a_column_refuses_nothing(tmp_path):
    seen = write(tmp_path / "s.csv", "user,item,time\nu,i0,1\n")
    cells = [("item", "title", "weight_g"), *((f"i{n}", f"T{n}", n) for n in range(20))]
    cells[3] = ("i2", "T2", "heavy")
    report = imported(tmp_path, seen, write(tmp_path / "g.csv", delimited(cells, ",")))
    assert report.dataset.catalog.record(3)["weight_g"] == 3
    assert "weight_g" not in report.dataset.catalog.record(2)
    assert rejects(tmp_path / "out") == [("g.csv", 3, "weight_g", "heavy")]


def test_an_id_without_end_is_left_out_and_takes_no_memory(tmp_path):
    rows = [("user", "item", "time"), ("x" * 20_000, "a", 1), *(("u", "a", n) for n in range(50))]
    report = imported(tmp_path, write(tmp_path / "x.csv", delimited(rows, ",")))
    assert len(report.dataset.interactions) == 50
    assert report.left_out[0].reason == "expected at most 512 characters"
    pq.write_table(
        pa.table({"user_id": ["x" * 20_000], "item_id": ["a"], "timestamp": [1]}),
        tmp_path / "out" / "interactions.parquet",
    )
    with pytest.raises(DataError, match=r"row 1, column 'user_id': found 20,000 characters"):
        read_dataset(tmp_path / "out")


REFUSED = {
    "no users": (
        {"m.csv": "movieId,title\n1,x\n"},
        ["no file has users", "m.csv has movieId, title", "--rename"],
    ),
    "nothing": ({"m.csv": ""}, ["m.csv: found nothing in it"]),
    "a strange rename": (
        {"r.csv": RATINGS},
        ["no file has a column 'ratng'; did you mean 'rating'?"],
    ),
    "no item in common": (
        {"r.csv": "user,item,time\nu,x1,1\nu,x2,2\n", "g.csv": "item,title\na,A\n"},
        ["r.csv: row 1, column 'item': 'x1' is not in the catalogue", "No interaction can be used"],
    ),
    "no header": ({"x.csv": "1,2\n3,4\n"}, ["x.csv: row 1", "--columns"]),
    "a column twice": (
        {"x.csv": "user,item,item\nu,a,b\n"},
        ["x.csv: column 'item' is there twice"],
    ),
    "half a list": (
        {"x.json": '[{"user": 1, "item": 2},'},
        ["x.json", "not readable as a JSON list"],
    ),
    "a spreadsheet": (
        {"x.xls": b"\xd0\xcf\x11\xe0\xa1\xb1"},
        ["x.xls: found a spreadsheet", "as CSV"],
    ),
    "no text": ({"x.csv": bytes(range(256)) * 4}, ["x.csv: found bytes that are no text"]),
    "words for ratings": (
        {"x.csv": "user,item,rating,time\nu,a,good,1\nu,b,bad,2\n"},
        ["column 'rating': found 'good', expected a number", "--ignore rating"],
    ),
    "half of a pair": (
        {"g.csv": "item,title\na,A\n", "x.csv": "customer,gadget,when\nu,a,1\n"},
        ["(item_id not recognised)"],
    ),
    "a damaged archive": ({"x.csv.gz": b"\x1f\x8b\x08\x00nonsense"}, ["x.csv.gz: not readable"]),
    "an odd event": (
        {"x.csv": EVENTS},
        ["event 'Buy' is to be 'buyy'; did you mean 'buy'?"],
    ),
}
OPTIONS = {
    "a strange rename": {"renames": {"ratng": "weight"}},
    "an odd event": {"events": {"Buy": "buyy"}},
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_wrong_is_named_and_nothing_written(tmp_path, kind):
    files, parts = REFUSED[kind]
    for name, content in files.items():
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = sorted(tmp_path.iterdir())
    with pytest.raises(DataError) as caught:
        imported(tmp_path, *before, **OPTIONS.get(kind, {}))
    for part in parts:
        assert part in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"xl/workbook.xml": "<x/>"}, "found a spreadsheet"),
        (
            {"inner.zip": "x", "a.png": "x"},
            "found no table in it, but inner.zip, a.png; expected csv",
        ),
    ],
)
def test_an_archive_without_a_table_is_refused(tmp_path, members, words):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(DataError, match=words):
        imported(tmp_path, path, write(tmp_path / "r.csv", RATINGS))


@pytest.mark.parametrize(
    "named", [["d", "d"], ["d", "d/ratings.csv"], ["d", "d/../d"], ["a.zip", "a.zip"]], ids=str
)
def test_what_is_named_twice_is_read_once(tmp_path, named):
    write(tmp_path / "d" / "ratings.csv", RATINGS)
    write(tmp_path / "d" / "movies.csv", MOVIES)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in (tmp_path / "d").iterdir():
            archive.write(path, path.name)
    report = imported(tmp_path, *(tmp_path / name for name in named))
    assert len(report.dataset.interactions) == 3
    assert sum(left.count for left in report.left_out) == 0
    assert any("named twice, read once" in taken.notes for taken in report.files)


@pytest.mark.parametrize("lead", ["sep=;\n", '"sep=;"\n', "# who saw what\n# and when\n", "#"])
def test_lines_before_the_header_are_no_header(tmp_path, lead):
    rows = "user;item;rating;time\nu;a;4,5;1600000000\nu;b;much;1600000001\nu;c;2;1600000002\n"
    imported(tmp_path, write(tmp_path / "x.csv", lead + rows))
    found = events(read_dataset(tmp_path / "out"))
    assert found == [("u", "a", 1.6e9, 4.5), ("u", "c", 1.6e9 + 2, 2.0)]
    assert rejects(tmp_path / "out") == [("x.csv", 2, "rating", "much")]


@pytest.mark.parametrize("orient", ["columns", "index", "records", "split", "table"])
def test_json_as_pandas_writes_it(tmp_path, orient):
    import pandas as pd

    goods = pd.DataFrame({"item_id": [7, 8], "title": ["Heat", "Jaws"]})
    seen = pd.DataFrame({"user_id": ["u", "v"], "item_id": [8, 7], "timestamp": [1, 2]})
    paths = []
    for name, frame in (("goods", goods), ("seen", seen)):
        paths.append(tmp_path / f"{name}.json")
        frame.to_json(paths[-1], orient=orient)
    dataset = imported(tmp_path, *paths).dataset
    assert [r["title"] for r in records(dataset)] == ["Heat", "Jaws"]
    assert events(dataset) == [("u", "8", 1.0, 1.0), ("v", "7", 2.0, 1.0)]


def test_a_broken_list_among_lists_is_left_out_and_told(tmp_path):
    goods = [("item", "title", "genres"), ("a", "A", '["Drama", "War"]'), ("b", "B", '["War'),
             ("c", "C", "[]"), ("d", "D", "['Film']")]  # fmt: skip
    path = write(tmp_path / "g.csv", delimited(goods, ","))
    dataset = imported(tmp_path, path, write(tmp_path / "r.csv", "user,item\nu,a\nu,b\n")).dataset
    assert [r.get("genres") for r in records(dataset)] == [["Drama", "War"], None, None, ["Film"]]
    assert rejects(tmp_path / "out") == [("g.csv", 2, "genres", '["War')]


def test_a_year_in_words_is_left_out_once_and_no_label_is_none(tmp_path):
    goods = "item,title,year,genres\na,A,1995,Drama\nb,B,about 1980,N/A\n"
    paths = write(tmp_path / "g.csv", goods), write(tmp_path / "r.csv", "user,item\nu,a\nu,b\n")
    report = imported(tmp_path, *paths)
    assert records(report.dataset) == [
        {"item_id": "a", "title": "A", "year": 1995, "genres": "Drama"},
        {"item_id": "b", "title": "B"},
    ]
    assert [left.count for left in report.left_out] == [1]


# The command line


def test_the_command_says_what_it_took_for_what(tmp_path, latest, monkeypatch, capsys):
    code, told = run(
        monkeypatch, capsys, "data", "import", latest, "--out", tmp_path / "d", "--dry-run"
    )
    assert code == 0
    assert not (tmp_path / "d").exists()
    assert "item_id = movieId, timestamp, weight = rating" in told
    assert "links.csv: not used" in told
    assert "left out: 1 × " in told
    assert "tags.csv: row 2, column 'movieId': '99' is not in the catalogue" in told
    assert "Otherwise: --items" in told
    code, told = run(
        monkeypatch, capsys, "data", "import", latest, "--out", tmp_path / "d", "--json"
    )
    assert code == 0
    report, _ = json.JSONDecoder().raw_decode(told[told.index("{") :])
    assert report["settings"] == {"name": "d", "positive_weight": 3.5}


def test_the_options_of_before_still_work(tmp_path, monkeypatch, capsys):
    write(tmp_path / "films.csv", "id,title,genres\n1,Alien,Horror|SF\n")
    write(tmp_path / "seen.csv", "user_id,id,timestamp\nu,1,5\nu,2,6\n")
    code, _ = run(
        monkeypatch,
        capsys,
        *("data", "import", "--items", tmp_path / "films.csv"),
        *("--interactions", tmp_path / "seen.csv", "--rename", "id=item_id", "--split", "genres=|"),
        *("--drop-unknown", "--out", tmp_path / "out"),
    )
    assert code == 0
    dataset = read_dataset(tmp_path / "out")
    assert records(dataset) == [{"item_id": "1", "title": "Alien", "genres": ["Horror", "SF"]}]
    inter, item = write(tmp_path / "x.inter", INTER), write(tmp_path / "x.item", ITEM)
    options = ("--format", "recbole", "--interactions", inter, "--items", item)
    assert run(monkeypatch, capsys, "data", "import", *options, "--out", tmp_path / "r")[0] == 0
    code, told = run(monkeypatch, capsys, "data", "import", "--format", "recbol", "--out", "x")
    assert (code, "did you mean 'recbole'?" in told) == (1, True)


# From raw files to a served list, in three commands or cells at most

HASHED = ("--set", "encoder.kind=hashing", "--set", "encoder.dim=64")


def served(artifact, words):
    return semrec.load(artifact).recommend(intent=words, k=3).items


def people(n_users, n_items):
    """(user, item, rating, moment): each likes items of one parity, and one of the other less."""
    rng = np.random.default_rng(5)
    return [
        (user, item, 5.0 if item % 2 == user % 2 else 1.0, 1_400_000_000 + 1_000 * user + order)
        for user in range(1, n_users + 1)
        for order, item in enumerate(rng.choice(n_items, 8, replace=False).tolist())
    ]


def title_of(item):
    return f"{'Heist' if item % 2 else 'Wedding'} number {item}"


def natural_movielens(folder):
    ratings = [("userId", "movieId", "rating", "timestamp"), *people(60, 40)]
    write(folder / "ratings.csv", delimited(ratings, ","))
    movies = [
        (n, f"{title_of(n)} ({1980 + n})", "Crime|Drama" if n % 2 else "Comedy") for n in range(40)
    ]
    write(folder / "movies.csv", delimited([("movieId", "title", "genres"), *movies], ","))
    tags = [(1, n, "clever", 1_400_000_000) for n in range(1, 40, 2)]
    write(folder / "tags.csv", delimited([("userId", "movieId", "tag", "timestamp"), *tags], ","))
    write(folder / "links.csv", LINKS)
    return [folder]


def natural_amazon(folder):
    reviews = [
        {
            **REVIEWS[0],
            "user_id": f"A{u}",
            "parent_asin": f"B{i}",
            "rating": r,
            "timestamp": t * 1000,
        }
        for u, i, r, t in people(60, 40)
    ]
    meta = [{**META[0], "parent_asin": f"B{n}", "title": title_of(n)} for n in range(40)]
    return [
        write(folder / "All_Beauty.jsonl.gz", lines(*reviews)),
        write(folder / "meta_All_Beauty.jsonl.gz", lines(*meta)),
    ]


def natural_recbole(folder):
    header = ("user_id:token", "item_id:token", "rating:float", "timestamp:float")
    items = [(n, title_of(n), "crime drama" if n % 2 else "comedy") for n in range(40)]
    item_header = ("item_id:token", "movie_title:token_seq", "class:token_seq")
    return [
        write(folder / "ml.inter", delimited([header, *people(60, 40)], "\t")),
        write(folder / "ml.item", delimited([item_header, *items], "\t")),
    ]


NATURAL = {"movielens": natural_movielens, "amazon": natural_amazon, "recbole": natural_recbole}


@pytest.mark.parametrize("kind", NATURAL)
def test_three_commands_from_raw_files_to_a_list(tmp_path, monkeypatch, capsys, kind):
    files = NATURAL[kind](tmp_path / "raw")
    data, made = tmp_path / "data", tmp_path / "artifact"
    for command in (
        ("data", "import", *files, "--out", data),
        ("build", data, "--out", made, *HASHED),
        ("recommend", made, "--intent", "a heist", "-k", "3"),
    ):
        code, told = run(monkeypatch, capsys, *command)
        assert code == 0, told
    assert told.count("Heist number") == 3
    assert {item.title.split()[0] for item in served(made, "a heist")} == {"Heist"}


def test_three_cells_from_pandas_to_a_list():
    import pandas as pd

    films = pd.DataFrame(
        {"movieId": range(40), "title": [f"{title_of(n)} ({1980 + n})" for n in range(40)]}
    )
    ratings = pd.DataFrame(people(60, 40), columns=["userId", "movieId", "rating", "timestamp"])
    rec = semrec.build(
        (films, ratings), settings=["encoder.kind=hashing", "encoder.dim=64"], config="default"
    )
    found = rec.recommend(intent="a heist", k=3).items
    assert {item.title.split()[0] for item in found} == {"Heist"}


def test_duckdb_needs_no_extension_from_elsewhere(tmp_path):
    loaded = duckdb.sql("SELECT extension_name FROM duckdb_extensions() WHERE loaded").fetchall()
    assert {"json", "parquet", "icu"} <= {name for (name,) in loaded}
