"""The house: its sizes, its names, and how its docstrings begin."""

import ast
from collections import Counter
from pathlib import Path

import semrec

HOME = Path(semrec.__file__).resolve().parent
FILES = sorted(path for path in HOME.rglob("*.py") if "_packaged" not in path.parts)
ASKING = {"What", "How", "Whether", "Why", "Which", "Who", "Whose", "Where", "When"}
MAX_LINES, MAX_AT_ROOT = 400, 9
MAX_IN_ALL = 33_100  # lowered with every cut


def docstrings(path):
    """(name, docstring) of a module and of all that is defined in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield getattr(node, "name", path.stem), ast.get_docstring(node) or ""


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
    assert sum(lines.values()) <= MAX_IN_ALL
    names = Counter(path.name for path in FILES if path.name != "__init__.py")
    assert not [name for name, n in names.items() if n > 1]
    assert len([path for path in FILES if path.parent == HOME]) <= MAX_AT_ROOT
