"""Builds on a dataset as large as MovieLens 25M, and writes seconds, peak memory and the notes.

    python tests/large_build.py 20000000 FOLDER notebooks/results/large-build.json

Drawn from one seed: 60,000 films, some 160,000 people who each came at one time of 25 years and
rated 20 films or more, mostly of the two genres they like; popularity falls by Zipf's law. Ratings
are as frequent as MovieLens'. Texts are short: a title, two genres, and up to three tags.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from large_import import SEED, measured

N_USERS, N_ITEMS, N_TAGS = 160_000, 60_000, 1_000_000
FIRST, LAST, STAY_S = 800_000_000, 1_590_000_000, 30 * 86_400
NAMES = """
Action Adventure Animation Children Comedy Crime Documentary Drama Fantasy Film-Noir Horror
Musical Mystery Romance Sci-Fi Thriller War Western
"""
NOUNS = """
amber autumn bridge captain carnival castle city cold crown desert dragon empire engine fire
forest garden ghost glass harbour heart hunter iron island jewel king lake lantern letter light
machine midnight mirror moon mountain night ocean orchard paper pilot queen rain river road rose
salt shadow ship silver sky snow song star stone storm summer tower train violin voyage wall
water wind winter wolf
"""
GENRES, WORDS = NAMES.split(), NOUNS.split()
SHARES = (1.6, 3.1, 1.6, 6.6, 5.1, 19.6, 12.7, 26.6, 8.8, 14.3)  # per cent: 0.5 stars to 5


def write_dataset(folder: Path, n_events: int) -> int:
    """Write items, interactions and tags; how many events there are without repeated ones."""
    rng = np.random.default_rng(SEED)
    genres = rng.integers(0, len(GENRES), (N_ITEMS, 2))
    words = np.array(WORDS)[rng.integers(0, len(WORDS), (N_ITEMS, 6))].tolist()
    items = {
        "item_id": [str(item) for item in range(N_ITEMS)],
        "title": [f"The {a} {b} of the {c}".title() for a, b, c, *_ in words],
        "year": rng.integers(1930, 2020, N_ITEMS).tolist(),
        "genres": [sorted({GENRES[a], GENRES[b]}) for a, b in genres.tolist()],
    }
    pq.write_table(pa.table(items), folder / "items.parquet")
    chance = 1 / (np.arange(N_ITEMS) + 100.0) ** 1.5  # the first film is seen by half of them
    n_written = write_interactions(folder, n_events, rng, genres, chance)
    tagged = draw(chance, N_TAGS, rng)
    kinds = rng.integers(3, 6, N_TAGS)
    tags = {
        "user_id": rng.integers(0, N_USERS, N_TAGS).astype(str),
        "item_id": tagged.astype(str),
        "tag": [words[item][kind] for item, kind in zip(tagged, kinds, strict=True)],
        "timestamp": rng.integers(FIRST, LAST, N_TAGS),
    }
    pq.write_table(pa.table(tags), folder / "tags.parquet")
    return n_written


def draw(chance: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    total = np.cumsum(chance)
    return np.searchsorted(total, rng.random(n) * total[-1], side="right").clip(max=len(total) - 1)


def write_interactions(
    folder: Path, n_events: int, rng: np.random.Generator, genres: np.ndarray, chance: np.ndarray
) -> int:
    """Half of what somebody rates has a genre that they like."""
    sizes = rng.lognormal(0, 1.1, N_USERS)
    # Some 30 % of the draws are films that somebody has rated already.
    sizes = 20 + (sizes * (1.37 * n_events - 20 * N_USERS) / sizes.sum()).astype(np.int64)
    sizes = np.minimum(sizes, 5_000)
    members = [np.flatnonzero((genres == genre).any(axis=1)) for genre in range(len(GENRES))]
    people = np.array_split(np.arange(N_USERS), 40)
    schema = pa.schema(
        {
            "user_id": pa.string(),
            "item_id": pa.string(),
            "timestamp": pa.int64(),
            "weight": pa.float32(),
        }
    )
    n_written = 0
    with pq.ParquetWriter(folder / "interactions.parquet", schema) as writer:
        for some in people:
            users = np.repeat(some, sizes[some])
            rows = draw(chance, len(users), rng)
            liked = rng.integers(0, len(GENRES), (N_USERS, 2))
            wanted = np.where(rng.random(len(users)) < 0.5, liked[users, users % 2], -1)
            for genre, items in enumerate(members):
                places = np.flatnonzero(wanted == genre)
                rows[places] = items[draw(chance[items], len(places), rng)]
            users, rows = np.divmod(np.unique(users * N_ITEMS + rows), N_ITEMS)  # each film once
            came = rng.integers(FIRST, LAST, N_USERS)
            stars = rng.choice(np.arange(1, 11) / 2, len(users), p=np.array(SHARES) / 100)
            columns = [
                pa.array(users.astype(str)),
                pa.array(rows.astype(str)),
                pa.array(came[users] + rng.integers(0, STAY_S, len(users))),
                pa.array(stars.astype(np.float32)),
            ]
            writer.write_table(pa.table(columns, schema=schema))
            n_written += len(users)
    return n_written


def main() -> None:
    n_events, folder, result = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    data, artifact = folder / "data", folder / "artifact"
    data.mkdir(parents=True, exist_ok=True)
    n_written = write_dataset(data, n_events)
    cost = measured(
        sys.executable, "-m", "semrec", "build", str(data), "--out", str(artifact), *sys.argv[4:]
    )
    manifest = json.loads((artifact / "manifest.json").read_text("utf-8"))
    report = {"items": N_ITEMS, "events": n_written, **cost, "notes": manifest["notes"]}
    result.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
