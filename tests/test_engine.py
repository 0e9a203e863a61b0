"""The engine: who waits, who is refused, who never reaches the recommender."""

import asyncio
import threading
import time

import pytest

from semrec.deadline import Deadline
from semrec.errors import QueryError
from semrec.serve.engine import BusyError, Engine, ExpiredError
from semrec.types import Query, Recommendations, Trace


class Slow:
    """Answers when it is let; notes what reached it."""

    reranking = None
    waits = False

    def __init__(self):
        self.go, self.began = threading.Event(), threading.Event()
        self.batches = []

    def recommend_many(self, queries):
        self.batches.append([query.intent for query in queries])
        self.began.set()
        self.go.wait(10)
        if any(query.intent == "wrong" for query in queries):
            raise QueryError("wrong")
        trace = Trace(weights={}, timings_ms={})
        return [Recommendations(items=(), trace=trace) for _ in queries]


@pytest.fixture
def slow():
    return Slow()


@pytest.fixture
def engine(slow):
    made = Engine(lambda: slow, threads=1, max_queue=4, max_batch=3)
    yield made
    slow.go.set()
    made.close()


def ask(engine, intent, budget_ms=None):
    query = Query(intent=intent, budget_ms=budget_ms)
    return asyncio.ensure_future(engine.recommend(query, Deadline.within(budget_ms)))


async def first(engine, slow):
    """A request that holds the only thread."""
    task = ask(engine, "first")
    await asyncio.to_thread(slow.began.wait, 10)
    return task


def test_what_waits_is_answered_together(engine, slow):
    async def scene():
        tasks = [await first(engine, slow), *(ask(engine, f"{n}") for n in range(4))]
        await asyncio.sleep(0)
        slow.go.set()
        return await asyncio.gather(*tasks)

    assert len(asyncio.run(scene())) == 5
    assert slow.batches == [["first"], ["0", "1", "2"], ["3"]]


def test_a_budget_is_kept_beside_a_query_whose_reranking_takes_a_second():
    class Reranks(Slow):
        reranking = "slow"
        waits = False

        def recommend_many(self, queries):
            if any(query.intent == "no budget" for query in queries):
                time.sleep(1)
            return super().recommend_many(queries)

    slow = Reranks()
    engine = Engine(lambda: slow, threads=2, max_queue=9, max_batch=9)

    async def in_ms(task, began_s):
        await task
        return (time.monotonic() - began_s) * 1000

    async def scene():
        held = [ask(engine, f"{n}") for n in range(2)]
        while len(slow.batches) < 2:
            await asyncio.sleep(0.01)
        began_s = time.monotonic()
        queued = [
            ask(engine, intent, budget_ms)
            for intent, budget_ms in [("no budget", None), *((f"{n}", 500) for n in range(3))]
        ]
        await asyncio.sleep(0)
        slow.go.set()
        await asyncio.gather(*held)
        return await asyncio.gather(*(in_ms(task, began_s) for task in queued))

    patient, *punctual = asyncio.run(scene())
    assert patient >= 1000
    assert max(punctual) < 500
    assert max(map(len, slow.batches)) == 1
    engine.close()


def test_what_isnt_reranked_is_still_answered_together(slow):
    slow.reranking = "there"
    engine = Engine(lambda: slow, threads=1, max_queue=9, max_batch=9)

    async def scene():
        held = await first(engine, slow)
        plain = [Query(intent=f"{n}", rerank=False) for n in range(2)]
        queries = [*plain, Query(intent="reranked"), *plain]
        tasks = [asyncio.ensure_future(engine.recommend(q, Deadline())) for q in queries]
        await asyncio.sleep(0)
        slow.go.set()
        await asyncio.gather(held, *tasks)

    asyncio.run(scene())
    assert slow.batches == [["first"], ["0", "1"], ["reranked"], ["0", "1"]]
    engine.close()


def test_a_full_queue_refuses_and_has_room_again(engine, slow):
    async def scene():
        held = [await first(engine, slow), *(ask(engine, f"{n}") for n in range(4))]
        await asyncio.sleep(0)
        assert engine.full
        with pytest.raises(BusyError):
            await engine.recommend(Query(), Deadline())
        slow.go.set()
        await asyncio.gather(*held)
        assert not engine.full
        await engine.recommend(Query(), Deadline())

    asyncio.run(scene())


def test_whose_budget_passed_never_reaches_the_recommender(engine, slow):
    async def scene():
        held = await first(engine, slow)
        late, patient = ask(engine, "late", budget_ms=5), ask(engine, "patient", budget_ms=60_000)
        await asyncio.sleep(0.1)
        slow.go.set()
        await asyncio.gather(held, patient)
        with pytest.raises(ExpiredError):
            await late

    asyncio.run(scene())
    assert slow.batches == [["first"], ["patient"]]


def test_no_budget_is_too_small_where_a_thread_is_free(engine, slow):
    slow.go.set()
    until = time.monotonic() + 10
    while not engine._idle and time.monotonic() < until:
        time.sleep(0.01)
    assert (
        asyncio.run(engine.recommend(Query(budget_ms=0), Deadline.within(0))).recommendations.items
        == ()
    )


def test_who_is_gone_never_reaches_the_recommender(engine, slow):
    async def scene():
        held = await first(engine, slow)
        gone, there = ask(engine, "gone"), ask(engine, "there")
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        slow.go.set()
        await asyncio.gather(held, there)

    asyncio.run(scene())
    assert slow.batches == [["first"], ["there"]]


def test_who_is_gone_makes_room_at_once(slow):
    depths = []
    engine = Engine(lambda: slow, threads=1, max_queue=2, max_batch=3, on_depth=depths.append)

    async def scene():
        held = await first(engine, slow)
        gone, there = ask(engine, "gone"), ask(engine, "there")
        await asyncio.sleep(0)
        assert engine.full
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        await asyncio.sleep(0)
        assert depths[-1] == 1
        late = ask(engine, "late")
        await asyncio.sleep(0)
        assert engine.full
        slow.go.set()
        await asyncio.gather(held, there, late)

    asyncio.run(scene())
    assert slow.batches == [["first"], ["there", "late"]]
    engine.close()


def test_one_wrong_request_of_a_batch_hurts_no_other(engine, slow):
    async def scene():
        held = await first(engine, slow)
        tasks = [ask(engine, "right"), ask(engine, "wrong"), ask(engine, "also right")]
        await asyncio.sleep(0)
        slow.go.set()
        await held
        return await asyncio.gather(*tasks, return_exceptions=True)

    right, wrong, also = asyncio.run(scene())
    assert isinstance(wrong, QueryError)
    assert right.recommendations.items == also.recommendations.items == ()


def test_a_batch_has_one_recommender(slow):
    other, current = Slow(), []
    engine = Engine(lambda: current[-1], threads=1, max_queue=9, max_batch=9)

    async def scene():
        current.append(slow)
        held = await first(engine, slow)
        tasks = [ask(engine, f"{n}") for n in range(4)]
        await asyncio.sleep(0)
        current.append(other)
        slow.go.set()
        other.go.set()
        await held
        return {answer.recommender for answer in await asyncio.gather(*tasks)}

    assert asyncio.run(scene()) == {other}
    engine.close()


def test_other_work_runs_alone_and_its_errors_come_back(engine, slow):
    def broken(_recommender):
        raise ValueError("broken")

    async def scene():
        assert await engine.run(lambda recommender: recommender) is slow
        with pytest.raises(ValueError, match="broken"):
            await engine.run(broken)

    asyncio.run(scene())


def test_closing_finishes_what_was_accepted(slow):
    engine = Engine(lambda: slow, threads=1, max_queue=9, max_batch=2)

    async def scene():
        held = [await first(engine, slow), *(ask(engine, f"{n}") for n in range(3))]
        await asyncio.sleep(0)
        closing = asyncio.create_task(asyncio.to_thread(engine.close))
        await asyncio.sleep(0.05)
        with pytest.raises(BusyError):
            await engine.recommend(Query(), Deadline())
        slow.go.set()
        await closing
        return await asyncio.gather(*held)

    assert len(asyncio.run(scene())) == 4


def test_threads_share_what_waits(slow):
    engine = Engine(lambda: slow, threads=2, max_queue=20, max_batch=20)

    async def scene():
        tasks = [ask(engine, f"{n}") for n in range(2)]
        until = time.monotonic() + 10
        while len(slow.batches) < 2 and time.monotonic() < until:
            await asyncio.sleep(0.01)
        tasks += [ask(engine, f"later {n}") for n in range(6)]
        await asyncio.sleep(0)
        slow.go.set()
        await asyncio.gather(*tasks)

    asyncio.run(scene())
    assert max(len(batch) for batch in slow.batches) <= 3
    engine.close()
