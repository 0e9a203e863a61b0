"""Every `curl` of the README, run against a service whose items have the README's ids."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import world_config, world_tables
from redis_server import needs
from serving import in_thread

import semrec

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)
CALLS = [
    line
    for block in BLOCKS
    for line in block.replace("\\\n", " ").splitlines()
    if line.startswith("curl ")
]
ADDRESS = "localhost:8000"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """The planted world with item ids that the README names, and genres for labels."""
    folder = tmp_path_factory.mktemp("tour")
    named = dict.fromkeys(re.findall(r"\b\d{2,5}\b", " ".join(CALLS).replace(ADDRESS, "")))
    items, events = world_tables()
    ids = dict(zip(items["item_id"].to_pylist(), named, strict=False))
    for name, table in (("items", items), ("interactions", events)):
        renamed = [ids.get(one, one) for one in table["item_id"].to_pylist()]
        place = table.column_names.index("item_id")
        table = table.set_column(place, "item_id", pa.array(renamed))
        columns = ["genres" if column == "labels" else column for column in table.column_names]
        pq.write_table(table.rename_columns(columns), folder / f"{name}.parquet")
    semrec.build(folder, config=world_config(), out=folder / "artifact")
    with in_thread(folder / "artifact", folder / "state") as client:
        yield client


def test_the_readme_has_calls():
    assert CALLS
    assert all(ADDRESS in call for call in CALLS)


def test_every_call_of_the_readme_is_answered(client):
    needs("curl", shutil.which("curl"))
    for call in CALLS:  # in their order: later ones ask about what earlier ones did
        address = f"{client.base_url.host}:{client.base_url.port}"
        command = shlex.split(call.replace(ADDRESS, address))
        done = subprocess.run([*command, "--fail-with-body"], capture_output=True, text=True)
        assert done.returncode == 0, f"{call}\n{done.stdout}{done.stderr}"
