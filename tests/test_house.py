"""The house: its sizes, its names, and how its docstrings begin."""

import ast
import re
from collections import Counter
from pathlib import Path

import semrec

HOME = Path(semrec.__file__).resolve().parent
FILES = sorted(path for path in HOME.rglob("*.py") if "_packaged" not in path.parts)
ASKING = {"What", "How", "Whether", "Why", "Which", "Who", "Whose", "Where", "When"}
MAX_LINES, MAX_AT_ROOT = 400, 9
MAX_FUNCTION_LINES, MAX_PARAMETERS = 60, 7
# Lines of each folder: lowered with every cut, raised only by a feature.
FOLDERS = {
    ".": 1_650,
    "artifact": 1_840,
    "behaviour": 1_270,
    "bench": 2_660,
    "chat": 2_400,
    "cli": 2_630,
    "data": 4_930,
    "demo_data": 20,
    "encoders": 3_100,
    "environment": 340,
    "experiments": 1_000,
    "evaluate": 3_560,
    "flow": 1_290,
    "fusion": 950,
    "index": 2_100,
    "intent": 5_220,
    "lexical": 490,
    "metrics": 310,
    "monitor": 820,
    "pipeline": 1_600,
    "ranking": 560,
    "rerankers": 1_470,
    "serve": 5_690,
    "sessions": 1_470,
    "training": 4_440,
    "types": 855,
}
# Functions that may be longer, or take more: each with its reason.
LONG = {
    "cli/data.py:data_import": "its options are its parameters",
    "evaluate/compare.py:compare": "public: half of it names its options and says what they are",
}
MANY = {
    "evaluate/ablate.py:ablate": "public: its options are its parameters",
    "evaluate/compare.py:compare": "public: its options are its parameters",
    "evaluate/crossfit.py:crossfit": "public: its options are its parameters",
    "training/build.py:build": "public: its options are keywords, as the CLI has them",
}
# Words that are nobody's but ours → the field's, which take their place in names and docstrings.
RETIRED = {
    "judge judges judged judging judgement judgements unjudged": "rerank, score, validate",
    "settle settles settled settling": "select",
    "teach teaches taught teaching lesson lessons schooling": "train, training set",
    "ground": "search context",
    "hear hears heard hearing ear": "dialogue state update",
    "tally tallies": "collector, counts",
    "oddity oddities": "data-quality notes",
    "prototype prototypes": "label centroids",
    "remembering": "query cache",
    "reserve": "cold slots",
    "strengthened": "imputation",
    "warmth": "popularity correlation",
    "shallow": "layer truncation",
    "pace": "throughput",
    "guarding": "admission control",
    "observing": "access log",
    "understanding": "parsed intent",
}
# Keys of a configuration, which are a contract, and where they are read.
STILL = {
    "config.py": "judge unjudged",
    "training": "judge unjudged",
}

# Names that tell a reader nothing: each thing has a name by what it is (rows, index, query, …).
EMPTY = {"found", "place", "places", "told", "asked", "one", "some"}
# How many things of a folder are still called so: these numbers only fall.
STILL_EMPTY = {"chat": 1}  # `asked` in the template of an explanation


def docstrings(path):
    """(name, docstring) of a module and of all that is defined in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield getattr(node, "name", path.stem), ast.get_docstring(node) or ""


def n_example_lines(docstring):
    """Lines of a docstring from its examples on: no budget counts what a reader of code skips."""
    return len(docstring.partition("\nExamples:\n")[2].splitlines())


def test_a_docstring_names_a_thing_or_says_what_is_done():
    asking = [
        f"{path.relative_to(HOME)}: {name}"
        for path in FILES
        for name, text in docstrings(path)
        if text and text.split()[0].rstrip(",:;") in ASKING
    ]
    assert not asking


def test_no_file_is_long_and_none_is_called_like_another():
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert not [path for path, n in lines.items() if n > MAX_LINES]
    names = Counter(path.name for path in FILES if path.name != "__init__.py")
    assert not [name for name, n in names.items() if n > 1]
    assert len([path for path in FILES if path.parent == HOME]) <= MAX_AT_ROOT


def test_folders_keep_to_their_lines():
    lines: Counter[str] = Counter()
    for path in FILES:
        folder = path.relative_to(HOME).parts[0] if path.parent != HOME else "."
        examples = sum(n_example_lines(text) for _, text in docstrings(path))
        lines[folder] += len(path.read_text(encoding="utf-8").splitlines()) - examples
    assert {name: n for name, n in lines.items() if n > FOLDERS.get(name, 0)} == {}


def test_functions_are_short_and_take_little():
    long, many = set(), set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            name = f"{path.relative_to(HOME).as_posix()}:{node.name}"
            taken = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            n_taken = len([one for one in taken if one.arg not in {"self", "cls"}])
            examples = n_example_lines(ast.get_docstring(node) or "")
            if node.end_lineno - node.lineno - examples >= MAX_FUNCTION_LINES:
                long.add(name)
            # A command's options are its parameters: typer reads them there.
            if n_taken > MAX_PARAMETERS and not name.startswith("cli/"):
                many.add(name)
    assert long == set(LONG), "cut them, or take the cut ones out of LONG"
    assert many == set(MANY), "bundle what goes together, or take the mended ones out of MANY"


def words_of(path):
    """The words of a file's names and docstrings, in small letters."""
    words = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for field in ("name", "id", "arg", "attr", "asname"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                words.update(re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name))
    for _, text in docstrings(path):
        words.update(re.findall(r"[A-Za-z]+", text))
    return {word.lower() for word in words}


def test_words_that_were_retired_stay_away():
    retired = {word: term for words, term in RETIRED.items() for word in words.split()}
    found = {}
    for path in FILES:
        name = path.relative_to(HOME)
        if used := words_of(path) & retired.keys() - set(STILL.get(name.parts[0], "").split()):
            found[name.as_posix()] = {word: retired[word] for word in sorted(used)}
    assert not found, "say what the field says"


def names_bound(path):
    """The names that a file gives: to functions, classes, parameters, variables, fields."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name


def test_names_say_what_a_thing_is():
    empty: Counter[str] = Counter()
    for path in FILES:
        names = [name for name in names_bound(path) if name.strip("_").lower() in EMPTY]
        empty[path.relative_to(HOME).parts[0]] += len(names)
    assert {name: n for name, n in empty.items() if n > STILL_EMPTY.get(name, 0)} == {}
