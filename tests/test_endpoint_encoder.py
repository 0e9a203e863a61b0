"""An encoder that is served elsewhere: rude servers, other models, and lists without it."""

import time

import numpy as np
import pytest
from conftest import world_config
from model_server import DIM, serving

import semrec
from semrec.deadline import NEVER, Deadline
from semrec.encoders.cached import CachedEncoder
from semrec.encoders.embeddings_endpoint import EndpointEncoder, measured_dim
from semrec.encoders.hashing import HashingEncoder
from semrec.encoders.watched import CANARY, WatchedEncoder, refuse_another
from semrec.endpoint import Address, Addresses, Endpoint, EndpointError
from semrec.errors import ArtifactError, ConfigError, ModelError
from semrec.training.shards import encode_shard

TEXTS = [f"a ghost story number{n}" for n in range(20)]
OWN = HashingEncoder(dim=DIM)


@pytest.fixture
def server():
    with serving() as server:
        yield server


def encoder_of(server, **options):
    endpoint = Endpoint(address=Address(url=f"{server.url}/embeddings"), what="encoder")
    options = {"waits_s": (), **options}
    return EndpointEncoder(endpoint=endpoint, model="hashing", dim=DIM, **options)


def texts_asked(server):
    return [body["input"] for _, _, body, _ in server.asked]


def answering(change):
    """A mode: the right answer's entries, changed."""
    return lambda body, answer: (200, {"data": change(answer["data"])})


def test_it_asks_in_batches_over_one_connection_in_the_form_that_servers_know(server):
    vectors = encoder_of(server, batch_size=8, query_prompt="find: ").encode_queries(TEXTS)
    asked = [(path, body) for path, _, body, _ in server.asked]
    assert [len(body["input"]) for _, body in asked] == [8, 8, 4]
    assert asked[0][0] == "/v1/embeddings"
    want = {"model": "hashing", "input": ["find: " + t for t in TEXTS[:8]]}
    assert asked[0][1] == {**want, "encoding_format": "base64"}
    assert len({client for *_, client in server.asked}) == 1
    np.testing.assert_allclose(vectors, OWN.encode_items(["find: " + t for t in TEXTS]), atol=1e-6)


def test_a_server_that_gives_numbers_all_the_same_is_understood(server):
    server.packs = False
    vectors = encoder_of(server).encode_items(TEXTS)
    np.testing.assert_allclose(vectors, OWN.encode_items(TEXTS), atol=1e-6)


def test_what_is_refused_is_asked_in_halves(server):
    def three_at_most(body, answer):
        return (413, {}) if len(body["input"]) > 3 else (200, answer)

    server.mode = three_at_most
    vectors = encoder_of(server).encode_items(TEXTS)
    np.testing.assert_allclose(vectors, OWN.encode_items(TEXTS), atol=1e-6)


def test_a_text_that_is_refused_is_cut_items_at_the_end_and_requests_at_the_start(server):
    def short_ones(body, answer):
        return (500, {}) if any(len(text) > 300 for text in body["input"]) else (200, answer)

    server.mode = short_ones
    text = "first " + "middle " * 200 + "last"
    encoder = encoder_of(server, query_prompt="find: ")
    encoder.encode_items(["short", text])
    assert ["short"] in texts_asked(server)
    assert texts_asked(server)[-1][0].startswith("first middle")
    encoder.encode_queries([text])
    assert texts_asked(server)[-1][0].startswith("find: ")
    assert texts_asked(server)[-1][0].endswith("middle last")


def test_vectors_come_by_their_index_whatever_their_order(server):
    server.mode = answering(lambda data: data[::-1])
    vectors = encoder_of(server).encode_items(TEXTS)
    np.testing.assert_allclose(vectors, OWN.encode_items(TEXTS), atol=1e-6)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda data: data[:-1], "19 vectors for 20 texts"),
        (lambda data: [*data, data[0]], "21 vectors for 20 texts"),
        (lambda data: [data[0]] * len(data), "20 vectors for 20 texts"),
        (lambda data: None, "0 vectors for 20 texts"),
        (lambda data: [{**one, "index": [1]} for one in data], "20 vectors for 20 texts"),
        (lambda data: [{**one, "index": None} for one in data], "20 vectors for 20 texts"),
        (lambda data: [{**data[0], "embedding": [float("nan")] * DIM}, *data[1:]], "NaN"),
        (lambda data: [{**data[0], "embedding": [0.0] * DIM}, *data[1:]], "zeros"),
        (lambda data: [{**data[0], "embedding": "AAAAAA=="}, *data[1:]], "not equally many"),
        (lambda data: [{**data[0], "embedding": "no vector"}, *data[1:]], "not equally many"),
        (lambda data: [{**data[0], "embedding": {"a": 1}}, *data[1:]], "not equally many"),
        (lambda data: [{**one, "embedding": 3.5} for one in data], "aren't lists"),
        (lambda data: [{**one, "embedding": [1.0, 2.0]} for one in data], "have 2 numbers, expect"),
    ],
)
def test_what_are_no_vectors_of_this_model_is_told(server, change, found):
    server.mode = answering(change)
    with pytest.raises(EndpointError, match=found):
        encoder_of(server).encode_items(TEXTS)


@pytest.mark.parametrize("mode", ["error", "truncated", "hang up", b"<html>", b"[1]", "redirect"])
def test_a_server_that_fails_is_told_by_host_alone(server, mode):
    server.mode = mode
    with pytest.raises(ModelError, match=r"encoder at 127\.0\.0\.1:\d+: ") as raised:
        encoder_of(server).encode_items(["a"])
    assert "secret" not in str(raised.value)


def test_a_build_waits_for_a_server_that_is_busy(server):
    answers = iter([429, 503])

    def busy_at_first(body, answer):
        return next(answers, 200), answer

    server.mode = busy_at_first
    found = encoder_of(server, waits_s=(0.01, 0.01)).encode_items(["a"])
    np.testing.assert_allclose(found, OWN.encode_items(["a"]), atol=1e-6)


def test_the_length_of_vectors_is_asked(server):
    assert measured_dim(encoder_of(server).endpoint, "hashing") == DIM


def other_model(body, answer):
    """Vectors of unit length, of other texts."""
    there = OWN.encode_items([text[::-1] + " x" for text in body["input"]])
    return 200, {"data": [{"index": i, "embedding": v.tolist()} for i, v in enumerate(there)]}


# --- as it serves ---


def watched(server, **options):
    encoder = encoder_of(server)
    options = {"again_s": 0.02, **options}
    return WatchedEncoder(encoder, OWN.encode_items(CANARY), **options)


def until(true, seconds=10.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def answers(encoder):
    return encoder.encode_within(["a"], Deadline.within(500)) is not None


def test_another_model_is_refused_when_it_is_loaded(server):
    server.mode = other_model
    with pytest.raises(ModelError, match="another model"):
        watched(server)


def test_another_model_is_found_out_while_it_serves(server):
    encoder = watched(server, every_s=0.05)
    assert answers(encoder)
    server.mode = other_model
    until(lambda: not answers(encoder))
    assert "another model" in encoder.complaint
    server.mode = "right"
    until(lambda: answers(encoder))


@pytest.mark.parametrize("mode", ["error", "truncated", "hang up", b"[1]"])
def test_one_that_fails_is_asked_again_only_when_its_canary_is_right(server, mode):
    encoder = watched(server)
    server.mode = mode
    until(lambda: not answers(encoder) and encoder.complaint)
    server.mode = other_model
    time.sleep(0.1)
    assert not answers(encoder)
    server.mode = "right"
    until(lambda: answers(encoder))


def test_one_that_hangs_is_left_at_the_deadline_and_not_waited_for_again(server, monkeypatch):
    monkeypatch.setattr("semrec.encoders.watched.CHECK_MS", 100.0)
    encoder = watched(server)
    server.mode = "slow"
    start = time.monotonic()
    assert encoder.encode_within(["a"], Deadline.within(100)) is None
    assert 0.1 <= time.monotonic() - start < 0.5
    until(lambda: encoder.complaint)
    start = time.monotonic()
    assert encoder.encode_within(["a"], Deadline.within(2_000)) is None
    assert time.monotonic() - start < 0.5
    server.mode = "right"
    until(lambda: answers(encoder))


def test_a_request_that_is_too_long_for_the_endpoint_is_asked_by_its_end(server):
    """And whatever becomes of it, others go on being read."""

    def short_ones(body, answer):
        return (413, {}) if any(len(text) > 600 for text in body["input"]) else (200, answer)

    encoder = watched(server)
    server.mode = short_ones
    assert encoder.encode_within(["moon " * 1_000 + "ghost"], Deadline.within(500)) is not None
    assert len(texts_asked(server)[-1][0]) == 500
    server.mode = lambda body, answer: (422, {}) if "bad" in body["input"] else (200, answer)
    assert encoder.encode_within(["bad"], Deadline.within(500)) is None
    assert answers(encoder)


def test_too_little_time_for_one_request_is_no_fault_of_the_endpoint(server):
    encoder = watched(server)
    assert encoder.encode_within(["a"], Deadline.within(0)) is None
    assert encoder.encode_within(["a"], NEVER) is not None


def test_one_that_is_away_at_the_start_is_trusted_when_it_comes():
    with serving() as server:
        port = server.server_address[1]
    encoder = watched(server)
    assert not answers(encoder)
    with serving(port):
        until(lambda: answers(encoder))


def test_kept_vectors_of_another_model_are_refused(server, tmp_path):
    cached = CachedEncoder(encoder=encoder_of(server), path=tmp_path / "vectors.sqlite")
    refuse_another(cached)
    refuse_another(cached)
    server.mode = other_model
    with pytest.raises(ModelError, match="another model under the same name"):
        refuse_another(cached)


# --- in a recommender ---


@pytest.fixture(scope="module")
def elsewhere():
    with serving() as server:
        yield server


@pytest.fixture
def there(elsewhere):
    """The server, in its right mind."""
    elsewhere.mode = "right"
    elsewhere.asked.clear()
    return elsewhere


@pytest.fixture(scope="module")
def remote(world, elsewhere, tmp_path_factory):
    """An artifact of the planted world, its texts embedded elsewhere."""
    out = tmp_path_factory.mktemp("remote") / "artifact"
    said = {"kind": "endpoint", "model": "hashing", "url": f"{elsewhere.url}/embeddings"}
    said["key_variable"] = "ENCODER_TEST_KEY"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENCODER_TEST_KEY", "secret-key")
        semrec.build(world, config=world_config(encoder=said), out=out)
    return out


def addresses(server):
    return Addresses(encoder=Address(url=f"{server.url}/embeddings"))


ASKED = ({"intent": "a wedding story"}, {"intent": "ghost", "session": ["i21"]}, {"k": 3})


def lists(rec):
    return [[item.item_id for item in rec.recommend(asked).items] for asked in ASKED]


def test_lists_are_those_of_the_same_encoder_here(remote, there, rec):
    assert lists(semrec.load(remote, addresses=addresses(there))) == lists(rec)


def test_neither_address_nor_key_nor_its_name_is_in_the_artifact(remote, there):
    host = there.url.split("/")[2].encode()
    for path in remote.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert host not in content
        assert b"ENCODER_TEST_KEY" not in content
        assert b"secret-key" not in content


def test_without_an_address_it_says_where_to_say_one(remote):
    with pytest.raises(ConfigError, match="serve --encoder-url URL, or SEMREC_ENCODER_URL"):
        semrec.load(remote)


def test_the_environment_may_say_it(remote, there, monkeypatch, rec):
    monkeypatch.setenv("SEMREC_ENCODER_URL", f"{there.url}/embeddings")
    assert lists(semrec.load(remote)) == lists(rec)


def test_shards_find_it_there_too(world, there, monkeypatch, tmp_path):
    monkeypatch.setenv("SEMREC_ENCODER_URL", f"{there.url}/embeddings")
    said = {"kind": "endpoint", "model": "hashing"}
    encode_shard(world, world_config(encoder=said), tmp_path)
    found = np.load(tmp_path / "vectors-00000.npy")
    assert found.shape == (len(world.catalog), DIM)


def test_another_model_at_the_address_is_refused(remote, there):
    there.mode = other_model
    with pytest.raises(ModelError, match="another model"):
        semrec.load(remote, addresses=addresses(there))


def test_lists_go_on_without_it_degraded_and_within_the_budget(remote, there):
    rec = semrec.load(remote, addresses=addresses(there))
    there.mode = "slow"
    start = time.monotonic()
    recs = rec.recommend(intent="a wedding story", budget_ms=150)
    assert time.monotonic() - start < 0.15 + 0.1
    assert recs.trace.degraded
    assert any("a quick one stood in for it" in note for note in recs.trace.notes)
    assert all("wedding" in item.title for item in recs.items[:5])
    alone = rec.with_parts(stand_in=None).recommend(intent="a wedding story", budget_ms=150)
    assert any("words alone" in note for note in alone.trace.notes)
    assert all("wedding" in item.title for item in alone.items[:5])
    assert not rec.recommend(session=["i21"], budget_ms=150).trace.degraded


def test_a_request_that_was_read_is_remembered_and_one_that_was_not_is_not(remote, there):
    rec = semrec.load(remote, addresses=addresses(there))
    assert not rec.recommend(intent="a court story").trace.degraded
    there.mode = "error"
    assert not rec.recommend(intent="a court story").trace.degraded
    assert rec.recommend(intent="a jungle story").trace.degraded
    there.mode = "right"
    until(lambda: not rec.recommend(intent="a jungle story").trace.degraded)


def test_a_build_says_where_an_address_belongs(world):
    said = {"kind": "endpoint", "model": "hashing"}
    with pytest.raises(ConfigError, match=r"encoder\.url, or SEMREC_ENCODER_URL"):
        semrec.build(world, config=world_config(encoder=said))
    with pytest.raises(ConfigError, match=r"rerank\.url, or SEMREC_RERANK_URL"):
        semrec.build(world, config=world_config(rerank={"kind": "chat", "model": "m"}))


def test_an_address_that_an_artifact_names_is_refused(world, tmp_path):
    from test_artifacts import rewritten

    out = tmp_path / "artifact"
    semrec.build(world, config=world_config(), out=out)
    stolen = {"kind": "endpoint", "url": "http://192.0.2.7/v1/rerank", "key_variable": "HOME"}

    def change(manifest):
        manifest["config"]["rerank"].update(stolen)

    rewritten(out, change)
    with pytest.raises(ArtifactError, match=r"192\.0\.2\.7.* in rerank; .*SEMREC_RERANK_URL"):
        semrec.load(out)
    with serving() as server:
        mine = Addresses(rerank=Address(url=f"{server.url}/rerank"))
        rec = semrec.load(out, addresses=mine)
        rec.recommend(intent="a ghost story", rerank=True)
        assert [path for path, *_ in server.asked] in ([], ["/v1/rerank"] * len(server.asked))


@pytest.mark.slow
def test_a_reranker_that_nobody_placed_is_not_asked_and_that_is_said(world, tmp_path):
    out = tmp_path / "artifact"
    with serving() as server:
        said = {"kind": "endpoint", "model": "judge", "url": f"{server.url}/rerank"}
        semrec.build(world, config=world_config(rerank=said), out=out)
    recs = semrec.load(out).recommend(intent="a ghost story", rerank=True)
    assert len(recs.items) == 10
    assert recs.trace.degraded
    assert "SEMREC_RERANK_URL" in recs.trace.rerank.reason
