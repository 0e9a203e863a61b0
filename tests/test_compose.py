"""The files of a deployment fit together: names, ports, mounted files, semrec's own commands."""

import re
from pathlib import Path

import pytest
import typer
import yaml

from semrec.cli import app
from semrec.serve.app import make_app
from semrec.serve.settings import Settings, make_settings

HERE = Path(__file__).resolve().parents[1]
COMPOSE = yaml.safe_load((HERE / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
OURS = [name for name, of in SERVICES.items() if of.get("image") == "semrec"]
NGINX = (HERE / "configs" / "deployment" / "nginx.conf").read_text()
PROMETHEUS = yaml.safe_load((HERE / "configs" / "deployment" / "prometheus.yaml").read_text())


@pytest.mark.parametrize("name", OURS)
def test_a_command_is_one_that_semrec_takes(name):
    command, *arguments = SERVICES[name]["command"].split()
    parsed = typer.main.get_command(app).commands[command].make_context(command, arguments)
    assert str(parsed.params["artifact"]) == "/artifacts/current"


@pytest.mark.parametrize("name", OURS)
def test_addresses_name_services_of_the_file(name):
    for host in re.findall(r"//([\w-]+):\d+", SERVICES[name]["command"]):
        assert host in SERVICES
    for other in SERVICES[name]["depends_on"]:
        assert other in SERVICES


def test_what_is_mounted_is_there_or_a_volume():
    for name, of in SERVICES.items():
        for volume in of.get("volumes", ()):
            source = volume.split(":")[0]
            if source == "./artifacts":
                continue
            if source.startswith("."):
                assert (HERE / source).is_file(), name
            else:
                assert source in COMPOSE["volumes"], name


def test_the_proxy_and_prometheus_know_every_service():
    serving = [f"{name}:8000" for name in OURS if name != "publish"]
    assert re.findall(r"server ([\w-]+:\d+);", NGINX) == serving
    jobs = {job["job_name"]: job["static_configs"] for job in PROMETHEUS["scrape_configs"]}
    assert jobs["semrec"][0]["targets"] == serving
    paths = make_app(Settings(artifact=Path("none"))).openapi()["paths"]
    assert {"/health/ready", "/v1/recommend", "/metrics"} <= set(paths)
    assert "/admin/ { return 404; }" in NGINX


def test_states_are_each_services_own():
    states = [
        volume.split(":")[0]
        for name in OURS
        for volume in SERVICES[name]["volumes"]
        if volume.endswith(":/state")
    ]
    assert len(states) == len(set(states)) == 2


def test_keys_that_are_left_empty_are_no_keys(monkeypatch):
    """As compose hands them on when nobody set them."""
    for name in SERVICES["semrec-1"]["environment"]:
        monkeypatch.setenv(name, "")
    settings = make_settings(artifact=Path("none"))
    assert settings.api_keys == []
    assert settings.admin_key is None


def test_the_image_installs_extras_that_there_are():
    docker = (HERE / "Dockerfile").read_text()
    extras = re.search(r"'\.\[(.*)\]'", docker)[1].split(",")
    assert all(f"\n{extra} = [" in (HERE / "pyproject.toml").read_text() for extra in extras)
    for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", docker, re.MULTILINE):
        assert all((HERE / name).exists() for name in copied.split())
