"""Acts of a conversation: what each is said by, what it does, and what it leaves alone."""

from dataclasses import replace

import pytest

from semrec.chat.acts import MAX_ACT_WORDS, read_act, read_count
from semrec.chat.answering import respond
from semrec.chat.conversation import Conversation
from semrec.chat.phrasing import limits_in_words
from semrec.intent.tokens import read_tokens, words_of

SHOWN = [words_of(title) for title in ("Heat", "The Usual Suspects", "Seven")]
SAID = {
    "greet": "hi|Hello there!|hey, how are you?|Good morning|hi again",
    "thank": "thanks|thanks, that's perfect|Thank you so much!|looks good|great|perfect, thanks"
    "|ok|cheers|nice one|thanks a lot|these are great|just what I was looking for, thanks",
    "leave": "bye|that's all, thanks|see you later|good night|I'm done|have a nice evening",
    "help": "help|what can you do?|how does this work?|who are you|what can I ask?|are you a bot?",
    "more": "more|more please|show me more|give me 5 more|next page|more like these|what else?"
    "|ten more|a few more|any others?|continue|the next five",
    "count": "only 3|just three|top 5|only 3 please|make it 5|three films|just one|at most 4",
    "fewer": "fewer|too many|fewer results please",
    "surprise": "something completely different|I can't decide|something everyone likes"
    "|surprise me|whatever|I don't know|anything|you choose|no idea|something random",
    "undo": "undo|undo that|go back|wait, go back|never mind|oops|the previous list|take that back",
    "reset": "reset|start over|clear everything|new search|let's start over|forget everything",
    "release": "anything goes|no limits|drop the filters|remove all filters please",
    "why": "why?|why the first one?|why Heat?|how come these|can you explain why you picked the"
    " second one?|explain the first",
    "ask": "who directed it?|what is it about?|what's the first one about|when was Heat made?"
    "|how long is it?|is it scary?|tell me more about the third one|who is in it",
}
NOT_ACTS = [
    one
    for several in (
        "hi, a comedy please|more comedies|3 comedies|less violent|back to the future|12 monkeys",
        "what is a good heist film?|is there anything newer?|five easy pieces|love it",
        "whatever works|big",
        "the second one looks good|I love the first one|what about horror?",
        "how about something funny",
        "good night and good luck|a good comedy|no|hmm|more upbeat|more like the second one",
        "thanks, now a drama|something else|why not a comedy|show me the best|anything newer",
        "the help",
        "help me find a western|no limits on the year|undoing fate|stop making sense|hello dolly",
    )
    for one in several.split("|")
]


@pytest.mark.parametrize(
    ("kind", "message"), [(kind, one) for kind, said in SAID.items() for one in said.split("|")]
)
def test_an_act_is_recognised(kind, message):
    act = read_act(read_tokens(message), SHOWN)
    assert act is not None
    assert act.kind == kind


@pytest.mark.parametrize("message", NOT_ACTS)
def test_a_request_is_no_act(message):
    assert read_act(read_tokens(message), SHOWN) is None


@pytest.mark.parametrize(
    ("message", "n"),
    [
        ("recommend 3 comedies", 3),
        ("show me five thrillers from the 90s", 5),
        ("can you suggest a couple of films about war", 2),
        ("give me the top 10 horror films", 10),
        ("what are your top 3 westerns", 3),
        ("only 4, newer than 1980", 4),
        ("just two guys and a girl", 0),
        ("a film from 1990", 0),
        ("give me two hours of fun", 0),
        ("something like 12 Monkeys", 0),
        ("recommend 500 films", 0),
    ],
)
def test_a_number_of_items_is_read_off_a_request(message, n):
    found = read_count(read_tokens(message))
    assert (found[0] if found else 0) == n


def test_a_number_that_opens_a_title_is_no_count(rec):
    assert read_act(read_tokens("more " * MAX_ACT_WORDS + "more"), SHOWN) is None


def ids(turn):
    return [item.item_id for item in turn.recommendations.items]


@pytest.fixture
def first(rec):
    return respond(rec, "a space story")


@pytest.mark.parametrize(
    "message", ["thanks, that's perfect", "hello", "what can you do?", "bye", "why the first one?",
                "what is the second one about?"]
)  # fmt: skip
def test_what_is_only_said_leaves_list_and_state(rec, first, message):
    turn = respond(rec, message, first.conversation)
    assert ids(turn) == ids(first)
    # "It" is from now on what was asked about; nothing else is another.
    at = "second" in message
    assert turn.conversation == replace(first.conversation, focus=ids(first)[at])
    assert turn.reply != first.reply


def test_more_shows_others_and_a_count_holds(rec, first):
    more = respond(rec, "more", first.conversation)
    assert len(ids(more)) == 10
    assert not set(ids(more)) & set(ids(first))
    three = respond(rec, "only 3", more.conversation)
    assert ids(three) == ids(more)[:3]
    five = respond(rec, "give me five more", three.conversation)
    assert len(ids(five)) == 5
    assert not set(ids(five)) & {*ids(first), *ids(three)}
    asked = respond(rec, "recommend 4 court stories")
    assert len(ids(asked)) == 4
    assert "4" not in asked.conversation.intent


def test_undo_takes_back_turn_by_turn_events_and_all(rec, first):
    liked = respond(rec, "the second one looks good, no jungle", first.conversation)
    three = respond(rec, "only 3", liked.conversation)
    back = respond(rec, "undo", three.conversation)
    assert ids(back) == ids(liked)
    again = respond(rec, "undo that", back.conversation)
    assert ids(again) == ids(first)
    assert again.conversation.session == ()
    assert again.conversation.filters == {}
    assert [(e.item_id, e.type) for e in again.update.withdrawn] == [(ids(first)[1], "like")]
    nothing = respond(rec, "undo", Conversation())
    assert "nothing to take back" in nothing.reply


def test_reset_release_and_surprise(rec, first):
    limited = respond(rec, "no jungle, from the 70s", first.conversation)
    free = respond(rec, "anything goes", limited.conversation)
    assert free.conversation.filters == {}
    assert free.conversation.wishes == limited.conversation.wishes
    surprised = respond(rec, "surprise me", limited.conversation)
    assert surprised.conversation.wishes == ()
    assert surprised.conversation.filters == limited.conversation.filters
    assert not set(ids(surprised)) & set(ids(limited))
    anew = respond(rec, "reset", limited.conversation)
    assert (anew.conversation.wishes, anew.conversation.filters) == ((), {})


def test_questions_are_answered_from_the_record(rec, first):
    catalog = rec.catalog
    record = catalog.record(catalog.row(ids(first)[1]))
    year = respond(rec, "when was the second one made?", first.conversation)
    assert str(record["year"]) in year.reply
    assert first.recommendations.items[1].title in year.reply
    director = respond(rec, "who directed it?", first.conversation)
    assert director.reply.startswith("I don’t know directors here.")
    why = respond(rec, "why the first one?", first.conversation)
    assert why.reply.startswith(f"“{first.recommendations.items[0].title}”: ")


@pytest.mark.parametrize(
    ("messages", "wishes"),
    [
        (["a space story", "Court dramas"], ["Court dramas"]),
        (["a space story", "make it a ghost story instead"], ["a ghost story"]),
        (["a space story", "also with ghosts"], ["a space story", "with ghosts"]),
        (["a space story", "darker"], ["a space story", "dark"]),
        (["a space story", "something funnier"], ["a space story", "something funny"]),
        (["a space story", "set in a castle"], ["a space story", "set in a castle"]),
        (["a space story", "a bit more upbeat"], ["a space story", "a bit more upbeat"]),
        (["a space story", "thanks!"], ["a space story"]),
        (["a space story", "something about a wedding"], ["something about a wedding"]),
        (
            ["a space story", "something older, black and white"],
            ["a space story", "black and white"],
        ),
        (["a space story", "something with a twist"], ["a space story", "something with a twist"]),
        (["a space story", "actually make it a comedy"], ["a space story", "a comedy"]),
        (["a space story", "about a heist"], ["a space story", "about a heist"]),
        (["a space story", "psychological"], ["a space story", "psychological"]),
        (["a space story", "about a heist", "what about ghosts?"], ["a space story", "ghosts"]),
        (["a space story", "how about a jungle"], ["a jungle"]),
        (["a space story", "slow is fine"], ["a space story"]),
        (["a space story", "I've seen Heist heist story number7"], ["a space story"]),
        (["a space story", "not too scary for him"], ["a space story"]),
        (["I want a space story, please, for two"], ["a space story, for two"]),
        (["can you recommend me a space story?"], ["a space story"]),
        (["what should I watch tonight?"], []),
        (["a space story", "a jungle would be cool"], ["a space story", "a jungle"]),
        (["a space story", "jungle is cool"], ["a space story"]),
        (["a space story", "fictional", "hmm, what about a heist then"], ["fictional", "a heist"]),
        (["a space story", "that isn't too jungle"], ["a space story"]),
        (["a space story", "like from the 60s"], ["a space story"]),
        (["a space story", "more serious ones"], ["a space story", "serious ones"]),
        (["a space story", "I like Tom Cruise"], ["a space story"]),
        (["a space story", "I've seen Heat, The Witch and Midsommar"], ["a space story"]),
        (["a space story", "fact or fiction, both fine"], ["a space story"]),
        (["good evening, what's on?"], []),
        (["something cheap", "a ghost"], ["something cheap", "a ghost"]),
        (["a space story", "a ghost"], ["a ghost"]),
        (["what do you have about ghosts?"], ["about ghosts"]),
        (["anything like Stranger Things"], ["anything like Stranger Things"]),
        (["a space story", "the one with the most ghosts"], None),
        (["a space story", "what about something quieter?"], ["a space story", "something quiet"]),
        (["a space story", "my kids are 6 and 9"], None),
        (["a space story", "he is 7"], ["a space story"]),
        (["a space story", "black comedy?"], ["a space story", "black comedy"]),
        (["a space story", "slow burn"], None),
        (["a space story", "maybe a comedy"], ["a space story", "maybe a comedy"]),
        (["show me the one about a jungle"], ["the one about a jungle"]),
        (["a space story", "not scary, for him"], ["a space story"]),
        (["a space story", "a modern one"], ["a space story", "a modern one"]),
        (["a space story", "British would be nice"], ["a space story", "British"]),
        (["a space story", "clean, no jungle"], ["a space story", "clean"]),
        (["a space story", "the second one sounds fun"], ["a space story"]),
    ],
)
def test_the_newest_wish_leads_and_older_ones_stay_where_it_adds(rec, messages, wishes):
    conversation = Conversation()
    for message in messages:
        conversation = respond(rec, message, conversation).conversation
    assert list(conversation.wishes) == (messages if wishes is None else wishes)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("hmm interesting", "not sure what you’d like"),
        ("i hated it", "not sure what you’d like"),
        ("ich suche eine Komödie", "I read English best"),
    ],
)
def test_a_message_without_a_wish_gets_a_question(rec, message, says):
    assert says in respond(rec, message).reply


def test_which_is_best_is_answered_with_the_first(rec):
    first = respond(rec, "a space story")
    best = respond(rec, "which one is the best?", first.conversation)
    assert best.reply.startswith(f"“{first.recommendations.items[0].title}”: ")
    assert best.recommendations.items == first.recommendations.items


@pytest.mark.parametrize("message", ["not too scary for him", "not so long", "not scary, for him"])
def test_a_limit_refuses_none_of_what_was_shown(rec, message):
    first = respond(rec, "a space story")
    assert respond(rec, message, first.conversation).conversation.session == ()


@pytest.mark.parametrize("denial", ["no jungle", "less jungle", "not so jungle", "not the jungle"])
def test_a_denial_is_read_back_as_it_was_said(rec, denial):
    turn = respond(rec, f"a story, {denial}")
    assert denial in turn.reply.lower()
    assert turn.conversation.filters == {"labels": {"none": ["jungle"]}}


def test_what_is_rejected_is_named_however_much_it_is(rec):
    titles = [rec.catalog.titles[row] for row in (3, 9, 15)]
    turn = respond(
        rec, f"a court drama, no jungle. I hated {titles[0]}, {titles[1]} and {titles[2]}"
    )
    assert f"“{titles[0]}” and “{titles[1]}” and 1 more" in turn.reply


def test_a_long_list_of_labels_is_named_by_its_first(rec):
    labels = {"none": ["odd", *(f"label {n}" for n in range(9))]}
    assert limits_in_words({"labels": labels}, rec.catalog, None) == ["no odd and the like"]


def test_a_correction_is_read_without_its_opening(rec):
    assert respond(rec, "sorry, I meant a jungle").conversation.wishes == ("a jungle",)
