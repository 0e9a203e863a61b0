"""The demo's data stays where it is: no other build reads any of it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import write_world

import semrec

HOME = Path(semrec.__file__).resolve().parent

BUILD = """
import sys, semrec
built = semrec.build("data", config="quick.yaml", out="made")
assert built.recommend(intent="a ghost story", k=3).items
assert not any(name.startswith("semrec.cli.demo") for name in sys.modules)
"""
QUICK = """
encoder: {kind: hashing, dim: 64}
behaviour: {factors: 12, regularization: 1, alpha: 5, decay: 1}
"""


@pytest.mark.slow
def test_a_build_of_other_data_does_without_the_demos(tmp_path):
    """Its keywords are what topic requests are judged by: an artifact must know nothing of them.

    Built by a copy of the package that has no such folder.
    """
    bare = shutil.copytree(
        HOME,
        tmp_path / "code" / "semrec",
        ignore=shutil.ignore_patterns("demo_data", "__pycache__"),
    )
    for kind in ("prompts", "configs"):
        found = HOME / "_packaged" / kind
        shutil.copytree(found if found.is_dir() else HOME.parent / kind, bare.parent / kind)
    write_world(tmp_path / "data")
    (tmp_path / "quick.yaml").write_text(QUICK)
    done = subprocess.run(
        [sys.executable, "-c", BUILD],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(bare.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (bare / "demo_data").exists()


WITHOUT_PANDAS = """
import sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name == "pandas":
            raise ImportError(name)
sys.meta_path.insert(0, Without())
from semrec.data.sources import fetch
print(len(fetch("movielens", "mine").catalog))
"""


def test_the_demos_data_is_there_without_pandas(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PANDAS],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "9742", done.stderr


def test_what_is_built_of_the_demos_data_says_so():
    """So that whoever asks topics of such an artifact can see it."""
    from semrec.data.dataset import read_dataset
    from semrec.demo_data import folder

    assert read_dataset(folder()).name == "movielens-keywords"
