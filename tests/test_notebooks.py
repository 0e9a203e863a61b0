"""The notebooks: clean as they are kept in git, and run as a reader would run them."""

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_SECONDS = 600  # for one cell; on an idle machine a whole notebook takes a minute or two

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path):
    return json.loads(path.read_text("utf-8"))["cells"]


def prose(path):
    return ["".join(cell["source"]) for cell in cells(path) if cell["cell_type"] == "markdown"]


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= 5


@every_notebook
def test_outputs_are_stripped(path):
    for cell in cells(path):
        assert not cell.get("outputs"), cell["source"]
        assert cell.get("execution_count") is None
        assert cell["metadata"] == {}


@every_notebook
def test_metadata_says_python_and_nothing_of_a_machine(path):
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    assert json.loads(path.read_text("utf-8"))["metadata"] == {"kernelspec": kernel}
    assert [cell["id"] for cell in cells(path)] == [str(n) for n in range(len(cells(path)))]


@every_notebook
def test_no_absolute_paths(path):
    text = path.read_text("utf-8")
    assert not re.search(r"(?<![\w.:/])(?:/(?:home|root|tmp|Users|work|opt)/|[A-Z]:\\\\)", text)


@every_notebook
def test_it_reads_as_a_document(path):
    """A title first, prose before the code, an end that says how to go on, no walls of code."""
    first, *_, last = cells(path)
    assert first["cell_type"] == last["cell_type"] == "markdown"
    assert "".join(first["source"]).startswith("# ")
    assert "".join(last["source"]).startswith("## What to do next")
    assert sum(text.startswith("# ") for text in prose(path)) == 1
    for cell in cells(path):
        assert cell["cell_type"] == "markdown" or len(cell["source"]) <= 20, cell["source"][0]


@every_notebook
def test_links_lead_somewhere(path):
    for text in prose(path):
        for target in re.findall(r"\]\(([^)]+)\)", text):
            assert target.startswith("https://") or (FOLDER / target).is_file(), target


@pytest.mark.slow
@pytest.mark.weights
@every_notebook
def test_it_runs(path, tmp_path, monkeypatch):
    """In a copy of the folder; a cell that raises fails."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    folder = shutil.copytree(
        FOLDER, tmp_path / "notebooks", ignore=shutil.ignore_patterns("artifacts", ".*")
    )
    # The kernel is this Python, and `semrec` in a shell cell the one beside it.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    notebook = nbformat.read(folder / path.name, as_version=4)
    nbclient.NotebookClient(
        notebook,
        timeout=MOST_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in shown)
