"""The pages made from docstrings, and the links of the texts beside the code."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import semrec

HERE = Path(__file__).resolve().parents[1]
TEXTS = [
    HERE / name
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "docs/architecture.md",
        "docs/models.md",
        "docs/scale.md",
        "configs/README.md",
        "notebooks/LOG.md",
        "notebooks/RESULTS.md",
    )
]
# What a browser fetches by itself, from another place than the page's.
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)[^>]*\ssrc=["']?(?:https?:)?//|"""
    r"""<link[^>]*\shref=["']?(?:https?:)?//|url\(["']?(?:https?:)?//|@import""",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", folder]
    done = subprocess.run(
        [*command, "-f", HERE / "docs" / "mkdocs.yml"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_every_public_name_has_its_place_on_the_pages(site):
    pages = "".join(path.read_text("utf-8") for path in site.glob("*.html"))
    for name in semrec.__all__:
        assert re.search(rf'id="semrec\.[\w.]+\.{name}"', pages), name


@pytest.mark.slow
def test_the_pages_ask_nothing_of_other_places(site):
    for path in [*site.rglob("*.html"), *site.rglob("*.css")]:
        assert not FETCHED.search(path.read_text("utf-8")), path.name


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(HERE).as_posix())
def test_links_lead_somewhere(path):
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = {
        re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif not target.startswith("http"):
            assert (path.parent / target.split("#")[0]).exists(), target


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_files_and_folders_that_are_named_are_there(name):
    text = (HERE / name).read_text("utf-8")
    named = re.findall(r"`([\w./]+/[\w.]*)`", text)
    assert named
    for path in named:
        assert (HERE / path).exists() or (HERE / "semrec" / path).exists(), path


def test_the_glossary_is_short():
    text = (HERE / "docs" / "architecture.md").read_text("utf-8")
    words = re.findall(r"^\| .+ \|$", text.partition("## Glossary")[2], flags=re.MULTILINE)
    assert 1 < len(words) - 1 <= 12  # beside its heading
