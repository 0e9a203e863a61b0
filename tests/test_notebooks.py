"""The notebooks: kept with what they print, and run as a reader would run them."""

import json
import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")
from run_notebooks import executed, kept, kinds, likeness, words  # noqa: E402

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MIN_LIKENESS = 0.5  # of a cell's words: another processor breaks ties otherwise

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path):
    return json.loads(path.read_text("utf-8"))["cells"]


def prose(path):
    return ["".join(cell["source"]) for cell in cells(path) if cell["cell_type"] == "markdown"]


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= 5


@every_notebook
def test_outputs_are_kept(path):
    """So that a reader sees what comes out before running anything."""
    outputs = [output for cell in cells(path) for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    for output in outputs:
        assert output["output_type"] != "error"
        assert output.get("name") != "stderr"
        assert output.get("execution_count") is None
    for cell in cells(path):
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
def test_it_runs_and_gives_what_is_kept(path, tmp_path):
    """A cell that raises fails; other machines give other numbers, and lists with other ties."""
    notebook = kept(executed(path, tmp_path))
    for before, now in zip(nbformat.read(path, as_version=4).cells, notebook.cells, strict=True):
        assert kinds(now) == kinds(before), now.source
        assert likeness(before, now) >= MIN_LIKENESS, (now.source, words(now), words(before))
