"""Twelve films and thirty people: the folder in which the examples of the docstrings run."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

FILMS = (
    ("alien", "Alien", 1979, ["Horror", "Sci-Fi"], "a crew far out in space meets a monster"),
    ("aliens", "Aliens", 1986, ["Action", "Sci-Fi"], "marines in space fight monsters"),
    ("blade", "Blade Runner", 1982, ["Sci-Fi", "Thriller"], "a dark city, a hunt for androids"),
    ("solaris", "Solaris", 1972, ["Drama", "Sci-Fi"], "a quiet station in space and a memory"),
    ("moon", "Moon", 2009, ["Drama", "Sci-Fi"], "a man alone in space"),
    ("heat", "Heat", 1995, ["Crime", "Thriller"], "a heist crew and a tired detective"),
    ("rififi", "Rififi", 1955, ["Crime", "Drama"], "a quiet heist, half an hour without a word"),
    ("inside", "Inside Man", 2006, ["Crime", "Thriller"], "a clever bank heist"),
    ("sting", "The Sting", 1973, ["Comedy", "Crime"], "two con men and a clever trick"),
    ("snatch", "Snatch", 2000, ["Comedy", "Crime"], "a stolen diamond and many crooks"),
    ("amelie", "Amelie", 2001, ["Comedy", "Romance"], "a shy waitress makes Paris happy"),
    ("brazil", "Brazil", 1985, ["Comedy", "Sci-Fi"], "a clerk dreams of flying"),
)
N_PEOPLE = 30


def write_films(folder: Path) -> Path:
    """A dataset: everybody saw five films in a row of the list above, a day apart."""
    folder.mkdir(parents=True)
    ids, titles, years, genres, texts = (list(column) for column in zip(*FILMS, strict=True))
    items = {"item_id": ids, "title": titles, "text": texts, "year": years, "genres": genres}
    seen = [
        (f"u{person}", ids[(person + step) % len(ids)], 1_600_000_000 + 86_400 * (person + step))
        for person in range(N_PEOPLE)
        for step in range(5)
    ]
    users, films, times = (list(column) for column in zip(*seen, strict=True))
    pq.write_table(pa.table(items), folder / "items.parquet")
    pq.write_table(
        pa.table({"user_id": users, "item_id": films, "timestamp": times}),
        folder / "interactions.parquet",
    )
    (folder / "dataset.yaml").write_text("name: films\nlicence: free\ntime: clock\n")
    return folder
