"""A conversation in one text: who said what, the last words last, what was rejected gone."""

import pytest
from conftest import item_id, theme

from semrec.intent.intent_parser import MAX_TURNS, Turn, read_turns, rejects


def test_turns_are_told_apart_and_lines_go_on():
    text = "\nUser: hello\nsomething dark\n\nAssistant: like Alien: the film?\nuser:  yes "
    assert read_turns(text) == [
        Turn(asks=True, text="hello\nsomething dark"),
        Turn(asks=False, text="like Alien: the film?"),
        Turn(asks=True, text="yes "),
    ]


@pytest.mark.parametrize(
    "text",
    ["", "a quiet film", "Alien: Covenant is great", "note: no horror\nUser: hi", "Assistant: hi"],
)
def test_other_texts_are_no_conversation(text):
    assert read_turns(text) == []


def test_only_the_last_turns_are_read():
    assert len(read_turns("User: hi\n" * (MAX_TURNS + 50))) == MAX_TURNS


@pytest.mark.parametrize(
    "text",
    [
        "hated it",
        "I didn't like it at all",
        "No thanks, something funnier",
        "not that one",
        "hmm, not my thing",
        "Nah. Anything older?",
        "it was awful",
        "I've seen it and it was terrible",
    ],
)
def test_a_rejection_is_heard(text):
    assert rejects(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "loved it!",
        "No, I haven't seen it",
        "seen it, it's great",
        "I have not seen that one, is it good?",
        "yes",
        "no, what is it about?",
    ],
)
def test_an_answer_or_a_question_rejects_nothing(text):
    assert not rejects(text)


def conversation(answer):
    return (
        "User: a ghost story, no jungle please\n"
        'Assistant: How about "space space story number30"?\n'
        f"User: {answer}"
    )


def test_what_was_offered_joins_the_session_and_the_other_is_not_listened_to(rec):
    found = rec.recommend(intent=conversation("seen it. older than 1990 please"), k=10)
    assert found.trace.understood["session"] == [item_id(30)]
    assert found.trace.understood["filters"]["labels"] == {"none": ["jungle"]}
    assert "How about" not in found.trace.understood["intent"]
    assert "space" not in found.trace.understood["intent"]
    assert item_id(30) not in [item.item_id for item in found.items]


def test_what_was_rejected_does_not_pull_and_never_comes_back(rec):
    found = rec.recommend(intent=conversation("hated it"), k=40)
    assert found.trace.understood["session"] == [{"item_id": item_id(30), "type": "reject"}]
    assert item_id(30) not in [item.item_id for item in found.items]
    assert "session_length" not in found.trace.evidence  # nothing pulls but the words
    assert theme(int(found.items[0].item_id[1:])) == "ghost"


def test_a_limit_of_the_other_is_no_limit(rec):
    text = "User: a ghost story\nAssistant: no ghost then?\nUser: why not"
    assert "filters" not in rec.recommend(intent=text).trace.understood
