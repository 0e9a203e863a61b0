"""Models served elsewhere by real servers, and what requests see when one is away."""

import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from conftest import world_config
from model_server import serving
from redis_server import free_port
from serving import in_thread

import semrec
from semrec.encoders.embeddings_endpoint import EndpointEncoder
from semrec.endpoint import Address, Addresses, Endpoint

HERE = Path(__file__).parent


def asked_of(client, stop, found):
    """Ask in words until told to stop: `found` gets each status, and if the list was degraded."""
    number = 0
    while not stop.is_set():
        body = {"intent": f"a wedding story {number}", "budget_ms": 200}
        answer = client.post("/v1/recommend", json=body)
        found.append((answer.status_code, answer.json().get("degraded")))
        number += 1
        time.sleep(0.02)


@contextmanager
def load_on(client):
    """Two clients that ask; what they get."""
    found, stop = [], threading.Event()
    threads = [threading.Thread(target=asked_of, args=(client, stop, found)) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def until_latest(found, degraded, seconds=10.0):
    """Until what comes in from now on is degraded, or isn't."""
    end, seen = time.monotonic() + seconds, len(found)
    while len(found) < seen + 4 or any(is_degraded != degraded for _, is_degraded in found[-4:]):
        assert time.monotonic() < end, found[seen:]
        time.sleep(0.02)


def until_trusted(client, value, seconds=10.0):
    """Until the metrics say whether the encoder is trusted."""
    end = time.monotonic() + seconds
    while f'semrec_trusted{{part="encoder"}} {value}' not in client.get("/metrics").text:
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
def test_an_encoder_that_is_killed_or_hangs_costs_no_request(world, tmp_path):
    """Under load: no error, degraded lists meanwhile, whole ones within ten seconds after."""
    artifact, port = tmp_path / "artifact", free_port()
    url = f"http://127.0.0.1:{port}/v1/embeddings"
    with serving(port):
        said = {"kind": "endpoint", "model": "hashing", "url": url}
        semrec.build(world, config=world_config(encoder=said), out=artifact)
    with in_thread(artifact, tmp_path / "state", encoder_url=url) as client, load_on(client) as got:
        until_latest(got, degraded=True)  # it wasn't there at the start
        with serving(port) as server:
            until_latest(got, degraded=False)
            server.mode = "slow"
            until_latest(got, degraded=True)
            server.mode = "right"
            until_latest(got, degraded=False)
            server.mode = "error"
            until_latest(got, degraded=True)
        until_trusted(client, "0.0")
        with serving(port):
            until_latest(got, degraded=False)
            until_trusted(client, "1.0")
            said = client.get("/metrics").text
    for outcome in ("answered", "late", "failed"):
        count = f'semrec_endpoint_seconds_count{{outcome="{outcome}",part="encoder"}} '
        assert float(said.split(count)[1].split()[0]) > 0
    assert {status for status, _ in got} == {200}


@contextmanager
def llama_server(gguf, port):
    """llama.cpp's own server, on one core."""
    command = [sys.executable, HERE / "llama_server.py", gguf, str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 120
        while True:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200:
                    break
            except httpx.HTTPError:
                assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def gguf(smollm2):
    pytest.importorskip("xllamacpp")
    return next(smollm2.rglob("*.gguf")) if smollm2.is_dir() else smollm2


@pytest.mark.slow
def test_llama_cpps_server_embeds_and_is_found_again_after_a_kill(gguf, world, tmp_path):
    port = free_port()
    url = f"http://127.0.0.1:{port}/v1/embeddings"
    artifact = tmp_path / "artifact"
    said = {"kind": "endpoint", "model": "smollm2", "url": url}
    there = Addresses(encoder=Address(url=url))
    with llama_server(gguf, port):
        semrec.build(world, config=world_config(encoder=said), out=artifact)
        rec = semrec.load(artifact, addresses=there)
        assert not rec.recommend(intent="a wedding story").trace.degraded
    assert rec.recommend(intent="a court story").trace.degraded
    with llama_server(gguf, port):
        end = time.monotonic() + 10
        while rec.recommend(intent="a jungle story").trace.degraded:
            assert time.monotonic() < end
            time.sleep(0.05)


@pytest.mark.slow
def test_llama_cpps_server_gets_texts_that_are_too_long_for_it_in_pieces(gguf):
    """It answers 500 to a text over its batch of 512 tokens."""
    port = free_port()
    with llama_server(gguf, port):
        address = Address(url=f"http://127.0.0.1:{port}/v1/embeddings")
        endpoint = Endpoint(address=address, what="encoder")
        encoder = EndpointEncoder(endpoint=endpoint, model="smollm2", dim=576, waits_s=())
        long, short = "a ghost story " * 400, "a ghost story"
        vectors = encoder.encode_items([short, long, short])
        endpoint.close()
    np.testing.assert_allclose(vectors[0], vectors[2], atol=1e-4)
    assert np.isfinite(vectors).all()
