"""Acts carried out: what each does to the conversation. None of them is searched for."""

from __future__ import annotations

from dataclasses import replace

from semrec.chat.acts import Act
from semrec.chat.conversation import Conversation, StateUpdate, bounded


def carry_out(act: Act, conversation: Conversation) -> tuple[Conversation, StateUpdate]:
    """The conversation after an act, and what it changed.

    Greetings, thanks, questions about the list: nothing, so the same list comes again.
    """
    if act.kind == "undo":
        before, gone = conversation.undone()
        undone = bool(conversation.past)
        return before, StateUpdate(before=before.filters, act=act, withdrawn=gone, undone=undone)
    after = _changed(act, conversation)
    if after != conversation:
        after = replace(after, past=(*conversation.past, conversation.state(())))
    if 0 <= act.position < len(conversation.shown):  # "it" is from now on what was asked about
        after = replace(after, focus=conversation.shown[act.position])
    anew = act.kind == "reset"
    before_filters = conversation.filters if act.kind == "release" else after.filters
    return bounded(after), StateUpdate(before=before_filters, act=act, anew=anew)


def _changed(act: Act, conversation: Conversation) -> Conversation:
    passed = (*conversation.passed, *conversation.shown)
    match act.kind:
        case "more":
            return replace(conversation, passed=passed, k=act.n or conversation.k)
        case "count":
            return replace(conversation, k=act.n)
        case "fewer":
            return replace(conversation, k=max(1, len(conversation.shown) // 2))
        case "surprise":
            return replace(conversation, wishes=(), passed=passed)
        case "reset":  # what was liked and rejected is known all the same
            return replace(conversation, wishes=(), filters={}, not_understood=(), passed=(), k=0)
        case "release":
            return replace(conversation, filters={}, not_understood=())
        case _:
            return conversation
