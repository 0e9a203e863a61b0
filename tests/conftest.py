"""The planted world: 60 items, where the right answers are known because they were put there.

Behaviour follows one axis (six groups of ten items; a user stays within one group), text another
(six themes; an item's title shares a word with its theme). An item's group is ``i // 10`` and its
theme ``i % 6``, so knowing both leaves one or two items.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import semrec
from semrec.config import Config
from semrec.data.dataset import Dataset, read_dataset
from semrec.errors import ModelError
from semrec.types import Case, Query

if TYPE_CHECKING:
    from semrec.encoders.decoder import DecoderEncoder

pytest_plugins = ("browser",)  # fixtures of the page's tests

THEMES = ("space", "heist", "wedding", "jungle", "court", "ghost")
N_ITEMS, GROUP = 60, 10
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

os.environ.setdefault("HF_HUB_OFFLINE", "1")
if "PYTEST_XDIST_WORKER" in os.environ:  # others run beside it, and want their core
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def theme(row: int) -> str:
    return THEMES[row % len(THEMES)]


def group(row: int) -> int:
    return row // GROUP


def item_id(row: int) -> str:
    return f"i{row:02d}"


def world_tables() -> tuple[pa.Table, pa.Table]:
    rng = np.random.default_rng(7)
    items = pa.table(
        {
            "item_id": [item_id(row) for row in range(N_ITEMS)],
            "title": [f"{theme(row)} {theme(row)} story number{row}" for row in range(N_ITEMS)],
            "year": pa.array([1960 + row for row in range(N_ITEMS)], pa.int64()),
            "labels": [[theme(row), "even" if row % 2 == 0 else "odd"] for row in range(N_ITEMS)],
            "language": ["en" if row % 3 else "fr" for row in range(N_ITEMS)],
        }
    )
    users, rows, times = [], [], []
    for user in range(180):
        own = (user % 6) * GROUP
        for place, row in enumerate(own + rng.permutation(GROUP)[:6]):
            users.append(f"u{user}")
            rows.append(int(row))
            times.append(1_500_000_000 + 86_400 * user + 3_600 * place)
    events = pa.table(
        {"user_id": users, "item_id": [item_id(row) for row in rows], "timestamp": times}
    )
    return items, events


def write_world(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    items, events = world_tables()
    pq.write_table(items, folder / "items.parquet")
    pq.write_table(events, folder / "interactions.parquet")
    (folder / "dataset.yaml").write_text("name: planted\ntime: clock\n")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes begins first: begun last, it would be waited for alone."""
    long = ("test_real_data.py", "test_demo.py")
    items.sort(key=lambda item: item.path.name not in long)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests neither read nor fill the user's cache."""
    before = os.environ.get("SEMREC_CACHE")
    if before is None:
        os.environ["SEMREC_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["SEMREC_CACHE"]


MadeOnce = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """Makes a folder by name in one of the processes, for all of them: read it, don't write."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def make(name: str, write: Callable[[Path], object]) -> Path:
        folder = shared / "once" / name
        folder.parent.mkdir(exist_ok=True)
        done = folder.with_name(f"{name}.done")
        with folder.with_name(f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                write(folder)
                done.touch()
        return folder

    return make


@pytest.fixture(scope="session")
def world_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("data") / "planted")


@pytest.fixture(scope="session")
def world(world_folder: Path) -> Dataset:
    return read_dataset(world_folder)


def themed_requests(rows: Sequence[int]) -> list[Case]:
    """Requests for the themes of items in the words of their titles; one session event each."""
    return [
        Case(
            case_id=str(place),
            query=Query(intent=f"a {theme(row)} story", session=[item_id((row + 3) % 30)]),
            relevant=(item_id(row),),
            unit=f"d{place}",
        )
        for place, row in enumerate(rows)
    ]


def world_config(**sections: dict[str, object]) -> Config:
    values: dict[str, dict[str, object]] = {
        "encoder": {"kind": "hashing", "dim": 64},
        # Not auto: that takes neighbours alone, which tie on all that is of other groups.
        "behaviour": {
            "kind": "als",
            "factors": 12,
            "regularization": [1.0],
            "alpha": [5.0],
            "decay": [1.0],
            # One choice, as all else here: searching takes two thirds of a build of this world.
            "neighbours": {"kind": "item_knn", "shrink": [10.0], "decay": [1.0]},
        },
        "fusion": {"max_cases": 100},
    }
    for name, section in sections.items():
        values[name] = {**values.get(name, {}), **section}
    return Config(**values)


@pytest.fixture(scope="session")
def artifact(world: Dataset, made_once: MadeOnce) -> Path:
    """An artifact of the planted world; tests that break it copy it first."""
    return made_once("planted", lambda out: semrec.build(world, config=world_config(), out=out))


@pytest.fixture(scope="session")
def rec(artifact: Path) -> semrec.Recommender:
    return semrec.load(artifact)


@pytest.fixture
def without_minilm(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without the packaged MiniLM, where tests are quicker too."""

    def missing() -> None:
        raise ModelError("no MiniLM here")

    monkeypatch.setattr("semrec.evaluate.text_search.packaged", missing)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip("no ../shared/data beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def smollm2(own_cache: None) -> Path:
    """SmolLM2's weights, brought into the tests' cache as anybody would bring them."""
    from semrec.encoders.fetch import fetch

    try:
        return fetch("smollm2").path
    except ModelError as error:
        if "package index doesn't give" not in str(error):
            raise  # what came is wrong
        pytest.skip(f"neither hub nor package index is reachable: {error}")


@pytest.fixture(scope="session")
def decoder(smollm2: Path) -> DecoderEncoder:
    """SmolLM2 as an encoder, as it comes; reading it takes some 20 s."""
    from semrec.encoders.decoder import load_decoder

    return load_decoder("smollm2", device="cpu")


@pytest.fixture(scope="session")
def exported(made_once: MadeOnce) -> Path:
    """MiniLM as a graph, in `float32` and `int8`."""
    from semrec.encoders.onnx_export import export_onnx, quantise
    from semrec.encoders.sentence import load_sentence_encoder

    def export(folder: Path) -> None:
        folder.mkdir()
        export_onnx(load_sentence_encoder("minilm", device="cpu"), folder / "float32")
        quantise(folder / "float32", folder / "int8")

    return made_once("onnx", export)


@pytest.fixture(scope="session")
def distilled(made_once: MadeOnce) -> Path:
    """MiniLM as a vector for each token."""
    from semrec.encoders.distillation import distil, tokens_alone
    from semrec.encoders.sentence import load_sentence_encoder
    from semrec.encoders.static import save_static

    def write(folder: Path) -> None:
        teacher = load_sentence_encoder("minilm", device="cpu")
        texts = [f"a {word} story" for word in THEMES]
        targets = teacher.encode_items(texts)
        save_static(distil(teacher, tokens_alone(teacher), texts, targets), folder)

    return made_once("static", write)


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Networks this small gain nothing by more, and on a busy machine threads wait for another."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
