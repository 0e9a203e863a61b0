"""Runs notebooks and keeps what they print: ``python tests/run_notebooks.py FILES…``.

Each is run in a copy of its folder, as a reader would run it; cells, outputs and pictures are
written back without what is of this machine alone: counts, times of execution, warnings.
"""

import difflib
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import nbclient
import nbformat

MOST_SECONDS = 600  # for one cell; on an idle machine a whole notebook takes a minute or two
WIDGET = "application/vnd.jupyter.widget-view+json"  # is nothing without its kernel
_TAG, _DIGITS = re.compile(r"<[^>]*>"), re.compile(r"[\d.,%]*\d[\d.,%]*")
_VERSION = re.compile(r"\b[0-9a-f]{12}\b")  # of an artifact: another build's is another
_PROGRESS = re.compile(r"^\[ *[\d.]+ s\].*$", re.MULTILINE)  # as many lines as a machine is slow
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def executed(path, folder):
    """A notebook with its outputs, run in a copy of its folder under `folder`."""
    copy = shutil.copytree(
        path.parent, folder / "notebooks", ignore=shutil.ignore_patterns("artifacts", ".*")
    )
    # The kernel is this Python, and `semrec` in a shell cell the one beside it.
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{before}"
    os.environ["JUPYTER_PLATFORM_DIRS"] = "1"
    notebook = nbformat.read(copy / path.name, as_version=4)
    try:
        nbclient.NotebookClient(
            notebook,
            timeout=MOST_SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": str(copy)}},
        ).execute()
    finally:
        os.environ["PATH"] = before
    return notebook


def kept(notebook):
    """The same notebook with what is worth keeping of its outputs."""
    kernel = notebook.metadata["kernelspec"]
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel})
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type != "code":
            continue
        cell.execution_count = None
        cell.outputs = [
            output
            for output in cell.outputs
            if output.get("name") != "stderr" and WIDGET not in output.get("data", {})
        ]
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = None
            if "metadata" in output:
                output.metadata = nbformat.from_dict({})
            if "text/plain" in output.get("data", {}):
                output.data["text/plain"] = _ADDRESS.sub("", output.data["text/plain"])
    return notebook


def kinds(cell):
    """What a cell gives back: "stream", or the forms of its values."""
    return [
        sorted(output["data"]) if "data" in output else output.output_type
        for output in cell.get("outputs", [])
    ]


def words(cell):
    """The words that a cell gives back; numbers and pictures are another machine's."""
    texts = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        texts += [output.get("text", ""), data.get("text/plain", ""), data.get("text/html", "")]
    text = _PROGRESS.sub("", "\n".join("".join(text) for text in texts))
    return _DIGITS.sub("0", _VERSION.sub("0", _TAG.sub(" ", text))).split()


def likeness(ours, theirs):
    """The share of words that two cells' outputs have in common, in order: 1 is the same."""
    return difflib.SequenceMatcher(None, words(ours), words(theirs), autojunk=False).ratio()


def main():
    for name in sys.argv[1:]:
        path = Path(name)
        with tempfile.TemporaryDirectory() as folder:
            nbformat.write(kept(executed(path, Path(folder))), path)
        print(path, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
