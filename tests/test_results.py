"""What README and RESULTS.md claim is what the result files say."""

import re
from pathlib import Path

from write_results import details, with_results

HERE = Path(__file__).resolve().parents[1]


def test_the_readmes_results_are_those_of_the_result_files():
    readme = (HERE / "README.md").read_text("utf-8")
    assert with_results(readme) == readme


def test_so_are_all_the_tables():
    assert details() == (HERE / "notebooks" / "RESULTS.md").read_text("utf-8")


def test_no_result_names_a_folder_of_the_machine_that_measured_it():
    for path in (HERE / "notebooks" / "results").glob("*.json"):
        text = path.read_text("utf-8")
        assert not re.search(r"(?<![\w.:/])/(?:home|root|tmp|Users|work|opt)/", text), path.name
