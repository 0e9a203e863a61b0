"""The rules of configs/monitoring, in a real Prometheus that scrapes a real service."""

import shutil
import subprocess
import time
from pathlib import Path

import httpx
import pytest
import yaml
from redis_server import free_port, needs
from serving import in_thread
from test_monitor import monitored, write_lists  # noqa: F401 (a fixture)

import semrec
from semrec.types import Query

RULES = Path(__file__).resolve().parents[1] / "configs" / "monitoring" / "rules.yaml"


def test_promtool_takes_the_rules():
    needs("prometheus", shutil.which("promtool"))
    done = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "5 rules" in done.stdout


@pytest.mark.slow
def test_prometheus_fires_the_alert_of_what_drifts(monitored, tmp_path):  # noqa: F811
    needs("prometheus", shutil.which("prometheus"))
    rec = semrec.load(monitored)
    hour_s = time.time() // 3_600 * 3_600 - 3_600
    write_lists(tmp_path / "state", rec, [Query(intent="ich suche einen guten Film")] * 80, hour_s)
    port = free_port()
    with in_thread(monitored, tmp_path / "state", monitor_every=1) as client:
        client.app.state.service.look_at_drift()
        scrape = {
            "job_name": "semrec",
            "static_configs": [{"targets": [client.base_url.netloc.decode()]}],
        }
        every = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config = {"global": every, "rule_files": [str(RULES)], "scrape_configs": [scrape]}
        (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(config))
        options = [f"--config.file={tmp_path / 'prometheus.yaml'}"]
        options += [f"--storage.tsdb.path={tmp_path}", f"--web.listen-address=127.0.0.1:{port}"]
        server = subprocess.Popen(["prometheus", *options], stderr=subprocess.DEVNULL)
        try:
            firing, until = {}, time.monotonic() + 60
            while not firing:
                assert time.monotonic() < until, "no alert"
                assert server.poll() is None, "Prometheus ended"
                time.sleep(0.5)
                try:
                    alerts = httpx.get(f"http://127.0.0.1:{port}/api/v1/alerts").json()
                except httpx.TransportError:
                    continue
                firing = {
                    (alert["labels"]["alertname"], alert["labels"].get("signal"))
                    for alert in alerts["data"]["alerts"]
                    if alert["state"] == "firing"
                }
        finally:
            server.kill()
            server.wait()
    assert ("SemrecDrift", "languages") in firing
    assert {name for name, _ in firing} == {"SemrecDrift"}
