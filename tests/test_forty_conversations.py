"""Forty conversations on the demo's artifact, judged turn by turn."""

from forty_conversations import CONVERSATIONS, LOOKED_AT, Told

from semrec.chat.answering import respond
from semrec.chat.conversation import Conversation

MAX_REPLY_WORDS = 45


def complaints(rec, told: Told, turn, before: list[str]) -> list[str]:
    """What doesn't hold after a turn, in words."""
    catalog = rec.catalog
    ids = [item.item_id for item in turn.recommendations.items]
    records = [catalog.record(catalog.row(item_id)) for item_id in ids]
    titles = [str(record["title"]) for record in records]
    labels = [{str(one).casefold() for one in record.get("genres") or ()} for record in records]
    wanted, banned = ({one.casefold() for one in of} for of in (told.every, told.none))
    years = [record.get("year") or 0 for record in records]
    low, high = told.years or (0, 9_999)
    checks = {
        "the list moved": told.same and ids != before,
        "shown again": told.new and set(ids) & set(before),
        f"{len(ids)} items": told.n and len(ids) != told.n,
        f"not {told.every}": wanted and not all(of & wanted for of in labels[:LOOKED_AT]),
        f"one of {told.none}": any(of & banned for of in labels[:LOOKED_AT]),
        f"years {years}": not all(low <= year <= high for year in years),
        f"none of {told.has}": told.has
        and not any(part in title for title in titles[:10] for part in told.has),
        f"shows {told.hasnt}": set(titles) & set(told.hasnt),
        f"doesn't say {told.says}": any(
            one.casefold() not in turn.reply.casefold() for one in told.says
        ),
        f"wishes {turn.conversation.wishes}": told.wishes is not None
        and turn.conversation.wishes != told.wishes,
        "a long reply": len(turn.reply.split()) > MAX_REPLY_WORDS,
    }
    return [f"{what}: {titles} {turn.reply}" for what, wrong in checks.items() if wrong]


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
            state, before = turn.conversation, [item.item_id for item in turn.recommendations.items]
    return found


def test_there_are_forty_of_three_to_six_turns():
    assert len(CONVERSATIONS) == 40
    assert all(3 <= len(turns) <= 6 for turns in CONVERSATIONS)
