"""The names and signatures that people outside call (DESIGN: contracts)."""

import dataclasses
import inspect
import subprocess
import sys

import pandas
import pytest

import semrec


def test_exported_names():
    assert semrec.__all__ == [
        "ArtifactError",
        "Case",
        "ConfigError",
        "DataError",
        "Event",
        "Item",
        "ModelError",
        "Query",
        "QueryError",
        "Recommendations",
        "Recommender",
        "Report",
        "SemrecError",
        "Trace",
        "build",
        "compare",
        "from_frames",
        "load",
    ]
    for name in semrec.__all__:
        assert getattr(semrec, name).__doc__, f"{name} has no docstring"
    assert set(semrec.__all__) <= set(dir(semrec))


def test_importing_submodules_leaves_the_functions_callable():
    import semrec.evaluate.compare
    import semrec.training.build

    assert callable(semrec.build)
    assert callable(semrec.compare)


def test_query_has_the_fields_of_the_contract():
    fields = {field.name: field.default for field in dataclasses.fields(semrec.Query)}
    for name in ("filters", "max_per"):
        assert fields.pop(name) is dataclasses.MISSING  # a fresh mapping each time
    assert fields == {
        "intent": "",
        "session": (),
        "user_id": None,
        "k": 10,
        "exclude": (),
        "budget_ms": None,
        "rerank": None,
        "semantic_weight": None,
        "diversity": None,
        "include_seen": False,
    }
    parameters = inspect.signature(semrec.Query).parameters.values()
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters)


def test_event_and_item_have_the_fields_of_the_contract():
    assert str(inspect.signature(semrec.Event)).startswith(
        "(item_id: 'str', type: 'EventType' = 'view', timestamp: 'float | None' = None, "
        "event_id: 'str | None' = None)"
    )
    assert [field.name for field in dataclasses.fields(semrec.Item)] == [
        "item_id",
        "title",
        "score",
        "rank",
        "explanation",
    ]
    assert [field.name for field in dataclasses.fields(semrec.Recommendations)] == [
        "items",
        "trace",
    ]


def test_what_is_of_another_kind_is_refused_in_words(rec):
    case = semrec.Case(case_id="1", query=semrec.Query(), relevant=("i01",), unit="u")
    frame = pandas.DataFrame({"item_id": ["1"]})
    wrong = {
        r"the dataset is a DataFrame, expected a folder.*from_frames": lambda: semrec.build(frame),
        "the dataset is nothing": lambda: semrec.build(None),
        "no file 'test', expected an intents file": lambda: semrec.compare({"a": rec}, "test"),
        "the artifact is a DataFrame, expected a folder": lambda: semrec.load(frame),
        "cases holds 7": lambda: semrec.compare({"a": rec}, [7]),
        "systems is a Recommender, expected a mapping": lambda: semrec.compare(rec, [case]),
    }
    for message, call in wrong.items():
        with pytest.raises((semrec.DataError, semrec.ArtifactError), match=message):
            call()


def test_what_a_notebook_shows_of_large_values_is_short(rec, world):
    assert repr(world) == "Dataset('planted', 60 items, 1,080 interactions)"
    assert repr(world.interactions).startswith("Interactions(1,080 of ")
    assert repr(world.catalog).startswith("Catalog(60 items: item_id, title, ")
    case = semrec.Case(case_id="1", query=semrec.Query(), relevant=("i01",), unit="u")
    report = semrec.compare({"fused": rec, "popularity": rec.baseline()}, [case])
    assert repr(report) == "Report('fused, popularity'; 1 cases of 1 units)"


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(semrec, "recomend")


def test_import_is_light():
    """No model library, no network, well under 0.2 s of imports."""
    code = (
        "import sys, time; start = time.perf_counter(); import semrec; "
        "spent = time.perf_counter() - start; "
        "heavy = {'torch', 'faiss', 'transformers', 'sentence_transformers', 'fastapi', "
        "'pandas', 'implicit', 'scipy'} & set(sys.modules); print(spent); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.2


def test_types_are_light_too():
    code = (
        "import sys, semrec; semrec.Query(intent='x'); "
        "heavy = {'torch', 'faiss', 'transformers'} & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
