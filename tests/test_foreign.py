"""Requests in other languages: recognised, and never an English one."""

import pyarrow.parquet as pq
import pytest
from foreign_requests import REQUESTS

from semrec.chat.answering import respond
from semrec.intent.foreign import foreign_language
from semrec.intent.tokens import read_tokens

ENGLISH = (
    "something like La Dolce Vita", "Das Boot", "Amélie", "films like Amélie", "La La Land",
    "Le Samouraï or Les Misérables", "like Y tu mamá también but newer", "El Mariachi", "Con Air",
    "anything like Das Leben der Anderen?", "Sin City", "a film like Au revoir les enfants", "a",
    "Die Hard", "Im Westen nichts Neues is too sad", "con men", "déjà vu", "a French comedy", "",
    "la la la", "Vicky Cristina Barcelona", "something in Spanish with English subtitles",
)  # fmt: skip


def language_of(text):
    return foreign_language(set(read_tokens(text).words))


@pytest.mark.parametrize("language", REQUESTS)
def test_a_request_in_another_language_is_recognised(language):
    assert len(REQUESTS[language]) == 30
    assert [text for text in REQUESTS[language] if language_of(text) != language] == []


@pytest.mark.parametrize("text", ENGLISH)
def test_an_english_one_with_foreign_titles_is_not(text):
    assert language_of(text) == ""


@pytest.mark.parametrize("name", ["redial_valid", "iard_train"])
def test_real_english_requests_are_not(shared_data, name):
    table = pq.read_table(shared_data / "movie-intents" / f"{name}.parquet")
    texts = set(table["last_utterance"].to_pylist())
    assert len(texts) > 500
    assert [text for text in texts if language_of(text)] == []


def test_it_is_said(rec):
    text = "ich suche einen lustigen Film ohne Geister"
    assert "I read English best; this looks like German" in respond(rec, text).reply
    found = rec.recommend(intent=text)
    assert any("looks like German" in note for note in found.trace.notes)
    assert "not_understood" not in found.trace.understood
    assert "English" not in respond(rec, "a ghost story").reply
