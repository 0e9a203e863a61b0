"""Times of a turn's own work, beside the recommendation: `python tests/turn_work.py ARTIFACT FILE`.

FILE holds dialogs (`dialog_id`, `turn`, `last_utterance`); prints CPU milliseconds of reading a
message and of wording the reply.
"""

import sys
import time
from pathlib import Path

import semrec
from semrec.bench.chat_turns import read_dialogs
from semrec.chat.answering import START, answered
from semrec.chat.state_update import update_state
from semrec.metrics.significance import percentiles

MAX_DIALOGS = 150


def own_work(rec, dialogs):
    """CPU milliseconds by part, of each turn."""
    spent = {"read": [], "reply": [], "both": []}
    for dialog in dialogs:
        conversation = START
        for message in dialog:
            began = time.process_time()
            conversation, update = update_state(
                conversation, message, rec.intent_parser, rec.catalog
            )
            read = time.process_time() - began
            found = rec.recommend(conversation.query())
            began = time.process_time()
            conversation = answered(rec, conversation, update, found).conversation
            reply = time.process_time() - began
            for name, seconds in (("read", read), ("reply", reply), ("both", read + reply)):
                spent[name].append(seconds * 1000)
    return spent


if __name__ == "__main__":
    recommender = semrec.load(sys.argv[1])
    dialogs = read_dialogs(Path(sys.argv[2]))[:MAX_DIALOGS]
    own_work(recommender, dialogs[:10])  # everything is loaded
    for name, ms in own_work(recommender, dialogs).items():
        found = percentiles(ms, (50, 95))
        p50, p95 = found["p50"], found["p95"]
        sys.stdout.write(f"{name:<6} n {len(ms)}  p50 {p50:.2f} ms  p95 {p95:.2f} ms\n")
