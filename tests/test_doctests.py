"""The examples of the docstrings, run one module after another in a folder with twelve films."""

import doctest
from importlib import import_module

import pytest
from twelve_films import write_films

import semrec

# The first one's example builds the artifact that the others load.
MODULES = tuple(
    dict.fromkeys(
        [
            semrec.build.__module__,
            *(getattr(semrec, name).__module__ for name in semrec.__all__),
            semrec.types.to_query.__module__,
            "semrec.config",
            "semrec.data.dataset",
            "semrec.data.sources",
            *(f"semrec.experiments.{name}" for name in ("analyse", "assign", "credit")),
            *(f"semrec.experiments.{name}" for name in ("exploration", "interleave", "off_policy")),
            "semrec.metrics.ranking",
            "semrec.metrics.significance",
            "semrec.protocols",
        ]
    )
)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture(scope="module")
def folder(tmp_path_factory, own_cache):
    folder = tmp_path_factory.mktemp("examples")
    write_films(folder / "data" / "films")
    (folder / "films.yaml").write_text(
        "encoder: {kind: hashing}\nbehaviour: {kind: none, neighbours: {kind: item_knn}}\n"
    )
    return folder


def test_the_examples_do_as_they_say(folder, monkeypatch, without_minilm):
    monkeypatch.chdir(folder)
    ran = {}
    for name in MODULES:
        ran[name] = doctest.testmod(import_module(name), optionflags=OPTIONS)
    assert not sum(counts.failed for counts in ran.values()), "printed above"
    assert all(counts.attempted for counts in ran.values())
    assert sorted(path.name for path in folder.iterdir()) == [
        "artifacts",
        "data",
        "films.yaml",
        "report",
    ]


@pytest.mark.parametrize("name", semrec.__all__)
def test_every_public_name_has_an_example_that_is_run(name):
    assert ">>> " in getattr(semrec, name).__doc__
