"""Forty conversations on the demo's artifact, judged turn by turn."""

from forty_conversations import CONVERSATIONS, LOOKED_AT, Told

from semrec.chat.answering import respond
from semrec.chat.conversation import Conversation

MAX_REPLY_WORDS = 45


def complaints(rec, told: Told, turn, before: list[str]) -> list[str]:
    """What doesn't hold after a turn, in words."""
    catalog = rec.catalog
    ids = [item.item_id for item in turn.found.items]
    records = [catalog.record(catalog.row(item_id)) for item_id in ids]
    titles = [str(record["title"]) for record in records]
    labels = [{str(one).casefold() for one in record.get("genres") or ()} for record in records]
    found = []
    if told.same and ids != before:
        found.append("the list moved")
    if told.new and set(ids) & set(before):
        found.append("shown again")
    if told.n and len(ids) != told.n:
        found.append(f"{len(ids)} items")
    wanted, banned = ({one.casefold() for one in of} for of in (told.every, told.none))
    if wanted and not all(of & wanted for of in labels[:LOOKED_AT]):
        found.append(f"not {told.every}: {titles[:LOOKED_AT]}")
    if any(of & banned for of in labels[:LOOKED_AT]):
        found.append(f"one of {told.none}: {titles[:LOOKED_AT]}")
    if told.years and not all(
        told.years[0] <= (record.get("year") or 0) <= told.years[1] for record in records
    ):
        found.append(f"years {[record.get('year') for record in records]}")
    if told.has and not any(part in title for title in titles[:10] for part in told.has):
        found.append(f"none of {told.has}: {titles}")
    if shown := [title for title in titles if title in told.hasnt]:
        found.append(f"shows {shown}")
    if missing := [one for one in told.says if one.casefold() not in turn.reply.casefold()]:
        found.append(f"doesn't say {missing}: {turn.reply}")
    if told.wishes is not None and turn.conversation.wishes != told.wishes:
        found.append(f"wishes {turn.conversation.wishes}")
    if len(turn.reply.split()) > MAX_REPLY_WORDS:
        found.append(f"a reply of {len(turn.reply.split())} words")
    return found


def judged(rec) -> list[str]:
    """Every complaint about the forty, with the turn that it is about."""
    found = []
    for conversation in CONVERSATIONS:
        state, before = Conversation(), []
        said = []
        for told in conversation:
            turn = respond(rec, told.text, state, k=10)
            said.append(told.text)
            found += [f"{' / '.join(said)}: {one}" for one in complaints(rec, told, turn, before)]
            state, before = turn.conversation, [item.item_id for item in turn.found.items]
    return found


def test_there_are_forty_of_three_to_six_turns():
    assert len(CONVERSATIONS) == 40
    assert all(3 <= len(turns) <= 6 for turns in CONVERSATIONS)
