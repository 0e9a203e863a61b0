"""Items that come and go, events and requests in any order, beside a model of sets and dicts."""

import pytest
from conftest import N_ITEMS, item_id
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

import semrec
from semrec import DataError, Event
from semrec.types import MAX_K

YEARS = st.integers(1960, 2030)
TYPES = st.sampled_from(["view", "like", "play", "buy", "reject"])
IDS = st.sampled_from([item_id(row) for row in range(0, N_ITEMS, 7)] + ["7", "8", "9", "nobody"])


@pytest.mark.parametrize("n", [8, pytest.param(100, marks=pytest.mark.slow)])
def test_a_running_recommender_agrees_with_a_plain_model(artifact, n):
    class Running(RuleBasedStateMachine):
        def __init__(self):
            super().__init__()
            self.rec = semrec.load(artifact, verify="size")
            self.years = {item_id(row): 1960 + row for row in range(N_ITEMS)}
            self.session = []

        @rule(item=IDS, year=YEARS)
        def add(self, item, year):
            number = int(item) if item.isdigit() else item
            record = {"item_id": number, "title": f"a ghost of {year}", "year": year}
            if item in self.years:
                with pytest.raises(DataError, match="already there"):
                    self.rec.add_items([record])
            else:
                assert self.rec.add_items([record]) == 1
                self.years[item] = year

        @rule(items=st.lists(IDS, max_size=3, unique=True))
        def remove(self, items):
            if set(items) <= set(self.years):
                assert self.rec.remove_items(items) == len(items)
                for item in items:
                    del self.years[item]
            else:
                with pytest.raises(DataError, match="no item"):
                    self.rec.remove_items(items)

        @rule(item=IDS, type=TYPES)
        def happen(self, item, type):
            self.session.append(Event(item, type))

        @precondition(lambda self: self.session)
        @rule()
        def forget(self):
            self.session.clear()

        @rule(words=st.sampled_from(["", "a ghost", "heist"]), low=YEARS, seen=st.booleans())
        def ask(self, words, low, seen):
            found = self.rec.recommend(
                words,
                session=self.session,
                filters={"year": {"gte": low}},
                k=MAX_K,
                include_seen=seen,
            )
            gone = {e.item_id for e in self.session if e.type == "reject" or not seen}
            right = {item for item, year in self.years.items() if year >= low} - gone
            assert sorted(item.item_id for item in found.items) == sorted(right)
            assert [item.rank for item in found.items] == list(range(1, len(right) + 1))
            titles = {item.item_id: item.title for item in found.items}
            assert all(titles[i] == f"a ghost of {self.years[i]}" for i in titles if i.isdigit())

    run_state_machine_as_test(
        Running,
        settings=settings(
            max_examples=n,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
