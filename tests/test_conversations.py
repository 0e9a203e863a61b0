"""Conversations: limits add up and go again, the list is talked about, nothing grows."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import item_id, world_config
from scripted_conversations import N_TURNS, scripted_conversations

import semrec
from semrec.chat.answering import Message, replayed, respond
from semrec.chat.conversation import MAX_EVENTS, MAX_WISHES_CHARS, Conversation
from semrec.chat.state_update import update_state
from semrec.data.catalog import Catalog
from semrec.data.dataset import read_dataset
from semrec.recommender import Recommender
from semrec.types import BoolArray, Event


@pytest.fixture(scope="module")
def films(shared_data: Path) -> Recommender:
    """movielens-small, learned from a part of its users with a small encoder."""
    dataset = read_dataset(shared_data / "movielens-small")
    some = dataset.interactions.where(dataset.interactions.users < 20)
    config = world_config(fusion={"max_cases": 50}, behaviour={"kind": "als"})
    return semrec.build(replace(dataset, interactions=some), config=config)


def permitted(catalog: Catalog, filters: Any) -> BoolArray:
    mask = catalog.mask(filters)
    return np.ones(len(catalog), dtype=bool) if mask is None else mask


def said(rec: Recommender, *messages: str) -> Conversation:
    conversation = Conversation()
    for message in messages:
        conversation = respond(rec, message, conversation).conversation
    return conversation


def test_100_conversations_keep_every_limit_and_let_go_of_those_taken_back(
    films: Recommender,
) -> None:
    catalog = films.catalog
    n_taken_back = 0
    scripts = scripted_conversations()
    assert len(scripts) == 100
    for script in scripts:
        assert len(script) == N_TURNS
        conversation, seen = Conversation(), []
        for turn in script:
            answer = respond(films, turn.text, conversation, k=10)
            conversation = answer.conversation
            seen.append(turn.text)
            allowed = permitted(catalog, turn.limits)
            rows = catalog.rows(item.item_id for item in answer.recommendations.items)
            assert allowed[rows].all(), (seen, turn.limits, conversation.filters)
            if allowed.sum() > 50:
                assert len(rows) == 10
            if turn.takes_back:  # what it ruled out may come again
                n_taken_back += 1
                assert not (allowed & ~permitted(catalog, conversation.filters)).any(), seen
            # What was read is what was applied: no wish states a limit once more.
            applied = answer.recommendations.trace.understood.get("filters", {})
            assert np.array_equal(
                permitted(catalog, applied), permitted(catalog, conversation.filters)
            )
    assert n_taken_back > 80


@pytest.mark.parametrize(
    ("messages", "filters"),
    [
        (["no jungle", "no court either"], {"labels": {"none": ["jungle", "court"]}}),
        (["no jungle", "jungle is fine"], {}),
        (["no jungle or court", "forget the no court rule"], {"labels": {"none": ["jungle"]}}),
        (["no jungle", "only jungle please"], {"labels": {"any": ["jungle"]}}),
        (["only jungle", "no jungle"], {"labels": {"none": ["jungle"]}}),
        (["only jungle", "it doesn't have to be jungle"], {}),
        (["only jungle", "court is fine too"], {"labels": {"any": ["jungle", "court"]}}),
        (["from the 90s", "make it the 80s"], {"year": {"gte": 1980, "lte": 1989}}),
        (["from the 90s", "the eighties are fine too"], {"year": {"gte": 1980, "lte": 1999}}),
        (["from 1990 or later", "older ones are ok"], {}),
        (["from the 90s", "before 1995"], {"year": {"gte": 1990, "lte": 1994}}),
        (["not in French", "how about French then?"], {"language": {"any": ["fr"]}}),
        (["in French", "in English"], {"language": {"any": ["en"]}}),
        (["no jungle", "actually only space"], {"labels": {"none": ["jungle"], "any": ["space"]}}),
        (["no jungle, from the 90s", "drop all the limits"], {}),
        (["no jungle", "don't show me jungle"], {"labels": {"none": ["jungle"]}}),
        (["no jungle", "start over"], {}),
        (["no jungle, no court", "jungle and court are fine"], {}),
        (["no jungle", "no court or jungle is fine"], {"labels": {"none": ["jungle", "court"]}}),
        (["from the 90s", "no limit on the year"], {}),
    ],
)
def test_limits_add_up_give_way_and_go(
    rec: Recommender, messages: list[str], filters: dict[str, Any]
) -> None:
    assert said(rec, *messages).filters == filters


@pytest.mark.parametrize(
    ("message", "places", "type_"),
    [
        ("the second one looks good", [1], "like"),
        ("number 3 is great", [2], "like"),
        ("the first two sound good", [0, 1], "like"),
        ("not the third one", [2], "reject"),
        ("not that one", [0], "reject"),
        ("hated it", [0], "reject"),
        ("seen it", [0], "view"),
        ("I've seen the last one", [9], "view"),
        ("what is the first one about?", [], ""),
        ("the first court film I saw was good", [], ""),
        ("not for kids", [], ""),
    ],
)
def test_the_list_is_talked_about(
    rec: Recommender, message: str, places: list[int], type_: str
) -> None:
    first = respond(rec, "a space story")
    shown = [item.item_id for item in first.recommendations.items]
    turn = respond(rec, message, first.conversation)
    assert [(e.item_id, e.type) for e in turn.update.events] == [(shown[p], type_) for p in places]
    assert not {shown[place] for place in places} & {
        item.item_id for item in turn.recommendations.items
    }


def test_a_title_of_the_list_is_enough(rec: Recommender) -> None:
    first = respond(rec, "a space story")
    title = first.recommendations.items[3].title
    turn = respond(rec, f"{title} was awful", first.conversation)
    assert turn.update.events == (Event(first.recommendations.items[3].item_id, "reject"),)
    assert f"ithout “{title}”" in turn.reply


def test_the_last_word_on_an_item_counts(rec: Recommender) -> None:
    first = respond(rec, "a space story")
    out = respond(rec, "not the second one", first.conversation)
    taken = first.recommendations.items[1].item_id
    assert taken not in {item.item_id for item in out.recommendations.items}
    events = (*out.conversation.session, Event(taken, "like"))
    again = replace(out.conversation, session=events).query()
    assert again.events[-1].type == "like"
    assert all(event.type == "like" for event in again.events)


def test_something_else_shows_other_items(rec: Recommender) -> None:
    first = respond(rec, "a space story", k=5)
    other = respond(rec, "something else please", first.conversation, k=5)
    shown = {item.item_id for item in first.recommendations.items}
    assert not shown & {item.item_id for item in other.recommendations.items}
    assert other.update.others


def test_newer_is_measured_on_what_was_shown(rec: Recommender) -> None:
    first = respond(rec, "a space story", k=5)
    years = [1960 + int(item.item_id[1:]) for item in first.recommendations.items]
    turn = respond(rec, "something newer?", first.conversation, k=5)
    assert turn.conversation.filters == {"year": {"gte": int(np.median(years)) + 1}}
    older = respond(rec, "or rather something older", turn.conversation, k=5)
    newest = max(1960 + int(item.item_id[1:]) for item in turn.recommendations.items)
    assert older.conversation.filters["year"]["lte"] < newest
    assert respond(rec, "shorter", first.conversation).update.not_understood == ("shorter",)


def test_what_is_ruled_out_no_longer_pulls(rec: Recommender) -> None:
    assert said(rec, "a ghost at sea", "no ghost please").intent == "a at sea"
    assert said(rec, "something in space", "thanks, great!").intent == "something in space"


def test_nothing_that_fits_is_said_with_a_way_out(rec: Recommender) -> None:
    turn = respond(rec, "only jungle, from before 1900")
    assert turn.recommendations.items == ()
    assert "without year" in turn.reply


def test_the_reply_names_only_what_is_known(rec: Recommender) -> None:
    first = respond(rec, "a space story, no jungle, nothing gory")
    titles = [item.title for item in first.recommendations.items[:2]]
    assert first.reply == (
        f"A space story, no jungle: “{titles[0]}” comes first (Space), "
        f"then “{titles[1]}”. I can’t check “nothing gory” here."
    )
    assert "Jungle allowed again" in respond(rec, "jungle is fine", first.conversation).reply


def test_understood_can_be_edited_and_sent_back(rec: Recommender) -> None:
    conversation = said(rec, "a space story, no jungle")
    told = conversation.understood()
    assert conversation.edited(told) == conversation
    edited = conversation.edited({**told, "filters": {"year": {"gte": 2000}}, "intent": "a heist"})
    assert edited.query().filters == {"year": {"gte": 2000}}
    assert edited.wishes == ("a heist",)
    for wrong in ({"filter": {}}, {"filters": 3}, {"session": "i01"}, {"not_understood": 1}):
        with pytest.raises(semrec.QueryError):
            conversation.edited(wrong)


def test_a_conversation_can_be_written_down(rec: Recommender) -> None:
    import json

    conversation = said(rec, "a space story, no jungle", "the second one looks good", "newer")
    assert Conversation.from_dict(json.loads(json.dumps(conversation.to_dict()))) == conversation


def test_messages_sent_whole_amount_to_the_same(rec: Recommender) -> None:
    first = respond(rec, "a space story, no jungle")
    listed = "\n".join(f"{i.rank}. “{i.title}”" for i in first.recommendations.items)
    messages = [
        Message("system", "only court stories"),
        Message("user", "a space story, no jungle"),
        Message("assistant", f"{first.reply}\n{listed}"),
        Message("user", "not the second one, and from 1980 or later"),
    ]
    conversation, update = replayed(messages, rec.intent_parser, rec.catalog)
    assert update.events == (Event(first.recommendations.items[1].item_id, "reject"),)
    assert conversation.filters == {"labels": {"none": ["jungle"]}, "year": {"gte": 1980}}


def test_nothing_grows_with_the_turns(rec: Recommender) -> None:
    conversation = Conversation()
    for place in range(300):
        message = f"a {'long ' * 50}ghost story {place}, not the second one, something else"
        conversation = respond(rec, message, conversation).conversation
    assert len(conversation.intent) <= MAX_WISHES_CHARS + 10
    assert len(conversation.session) <= MAX_EVENTS
    assert len(str(conversation.to_dict())) < 60_000


@pytest.mark.parametrize("text", ["", " ", "?!", "\ud800", "1." * 500, "no " * 500, "the " * 500])
def test_no_message_is_an_error(rec: Recommender, text: str) -> None:
    turn = respond(rec, text, said(rec, "a space story"))
    assert turn.reply


def test_a_long_message_is_read_in_time(rec: Recommender) -> None:
    began = time.perf_counter()
    update_state(
        Conversation(shown=(item_id(1),)),
        "no jungle is fine, " * 5_000,
        rec.intent_parser,
        rec.catalog,
    )
    assert time.perf_counter() - began < 30  # linear; the machine may be busy
