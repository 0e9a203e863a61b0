"""Two yardsticks on planted answers: what the words ask for, and what somebody liked."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console
from test_report import Page

from semrec.cli.terminal import Screen
from semrec.evaluate.compare import compare
from semrec.evaluate.scoring import Scoring, summarise
from semrec.evaluate.yardsticks import (
    AFTER,
    WITHOUT,
    Yardstick,
    is_text,
    own_text,
    verdict_of,
    whole,
)
from semrec.metrics.significance import Estimate
from semrec.types import Case, Query


def topic(number, relevant=("a", "b"), session=()):
    return Case(
        case_id=f"t{number}{'s' * bool(session)}",
        query=Query(intent=f"topic {number}", session=session),
        relevant=tuple(relevant),
        unit=f"g{number}",
        topic=f"topic {number}",
    )


def liked(number, intent="words"):
    return Case(
        case_id=f"d{number}", query=Query(intent=intent), relevant=("a",), unit=f"d{number}"
    )


TOPICS = [topic(n, session=session) for n in range(30) for session in ((), ("s",))]
LIKED = [liked(n) for n in range(30)]


def answering(without, after, other=()):
    """A system with one list for topics without a session, one after one, one for the rest."""

    def system(query):
        if "topic" not in query.intent:
            return list(other)
        return list(after if query.events else without)

    return system


def both(fused):
    text, baseline = answering("ax", "ax", "xa"), answering("x", "x", "xa")
    systems = {"baseline": baseline, "text": text, "fused": fused}
    return compare(systems, [*LIKED, *TOPICS])


def part(report, name):
    return next(one for one in report.slices if one.name == name)


# --- what is counted ---


def test_topics_alone_are_measured_by_precision_against_text():
    report = compare(
        {
            "baseline": answering("x", "x"),
            "text": answering("ax", "xa"),
            "fused": answering("ab", "x"),
        },
        TOPICS,
    )
    assert (report.kind, report.metric, report.measure) == ("asked for", "precision", "P@10")
    assert (report.reference, report.candidate) == ("text", "fused")
    assert report.behavioural_only == "baseline"  # text isn't behavioural
    assert report.row("text").metrics["precision"].mean == 1 / 2
    assert report.row("fused").metrics["precision"].mean == (1 + 0) / 2
    assert part(report, WITHOUT).ratios["fused"] == Estimate(mean=2, low=2, high=2)
    assert part(report, AFTER).ratios["fused"] == Estimate(mean=0, low=0, high=0)
    assert report.pair("fused", "text").difference == 0
    assert report.verdict() == (
        "asked for: fused has 2.00 x the P@10 of text (2.00 to 2.00) without a session, "
        "0.00 x (0.00 to 0.00) after one: worse"
    )


def test_a_topic_has_as_many_places_as_it_has_right_items_at_most():
    case = topic(1, [f"i{n}" for n in range(40)])
    few = topic(2, ["i1", "i2", "i3", "i4"])
    found = [f"i{n}" for n in range(3)] + ["x"] * 7
    report = summarise({"one": [found, found]}, [case, few], Scoring())
    assert report.row("one").metrics["precision"].mean == pytest.approx((3 / 10 + 2 / 4) / 2)


def test_both_kinds_are_reported_apart_and_said_in_one_verdict():
    report = both(answering("ab", "ab", "a"))
    asked_for = report.asked_for
    assert (report.kind, report.n_cases, report.n_units) == ("liked", 30, 30)
    assert (asked_for.kind, asked_for.n_cases, asked_for.n_units) == ("asked for", 60, 30)
    assert (report.reference, asked_for.reference) == ("baseline", "text")
    assert report.candidate == asked_for.candidate == "fused"
    assert report.verdict() == (
        "asked for: fused has 2.00 x the P@10 of text (2.00 to 2.00) without a session, "
        "2.00 x (2.00 to 2.00) after one; "
        "liked: fused has 1.58 x the NDCG@10 of behavioural-only (baseline) (1.58 to 1.58): "
        "better on both"
    )
    alone = compare(
        {name: answering("x", "x", own) for name, own in (("baseline", "xa"), ("fused", "a"))},
        LIKED,
    )
    assert report.row("fused").metrics == alone.row("fused").metrics
    assert report.ratios["fused"] == alone.ratios["fused"]
    told = [(one.kind, one.part, one.verdict) for one in report.yardsticks()]
    assert told == [
        ("asked for", WITHOUT, "better"),
        ("asked for", AFTER, "better"),
        ("asked for", "", "better"),
        ("liked", "", "better"),
    ]


@pytest.mark.parametrize(
    ("fused", "words", "came_to"),
    [
        (answering("ab", "ab", "xxa"), "better on asked for, worse on liked", "not better"),
        (answering("x", "x", "a"), "worse on asked for, better on liked", "not better"),
        (answering("x", "x", "xxa"), "worse on both", "worse"),
        (answering("ax", "ax", "a"), "inconclusive on asked for, better on liked", "not better"),
        (answering("ax", "ax", "xa"), "inconclusive on both", "inconclusive"),
    ],
)
def test_better_by_one_yardstick_is_not_enough(fused, words, came_to):
    report = both(fused)
    assert report.verdict().endswith(f": {words}")
    assert report.to_dict()["outcome"] == came_to


def test_equal_on_enough_groups_is_not_worse():
    topics = [topic(n, session=session) for n in range(200) for session in ((), ("s",))]
    text = answering("ax", "ax", "xa")
    systems = {"baseline": text, "text": text, "fused": answering("ax", "ax", "a")}
    report = compare(systems, [*LIKED, *topics])
    assert report.verdict().endswith(": not worse on asked for, better on liked")
    assert report.to_dict()["outcome"] == "better"


@pytest.mark.parametrize(
    ("low", "high", "n_units", "want"),
    [
        (0.001, 0.1, 10, "better"),
        (-0.01, 0.1, 200, "not worse"),
        (-0.011, 0.1, 200, "inconclusive"),
        (-0.01, 0.1, 199, "inconclusive"),
        (-0.1, -0.011, 200, "worse"),
        (-0.1, -0.001, 10, "worse"),
    ],
)
def test_not_worse_is_within_a_twentieth_of_the_reference_on_200_units(low, high, n_units, want):
    told = Yardstick(
        kind="liked",
        measure="NDCG@10",
        candidate="fused",
        reference="baseline",
        n_cases=n_units,
        n_units=n_units,
        ratio=None,
        difference=Estimate(mean=(low + high) / 2, low=low, high=high),
        base=0.2,
    )
    assert told.verdict == want


def test_a_slice_that_is_lost_takes_away_not_worse():
    """400 dialogs in all: equal on the whole, but half of them are answered worse."""
    cases = [liked(n, "word" if n % 2 else "word " * 11) for n in range(400)]
    even = compare(
        {
            "baseline": lambda query: ["a"] if len(query.intent) > 9 else ["x", "a"],
            "fused": lambda query: ["a"] if len(query.intent) < 9 else ["x", "a"],
        },
        cases,
    )
    assert whole(even).verdict == "not worse"
    assert [one.verdict for one in even.slices if one.family == "words"] == ["better", "worse"]
    assert verdict_of(even) == "inconclusive"


def test_intervals_are_over_groups_not_over_cases():
    """Ten topics of one group, all right: as one unit they move together."""
    cases = [replace(topic(n), unit="g0" if n < 10 else f"g{n}") for n in range(20)]
    lists = [["a", "b"]] * 10 + [["x"]] * 10
    report = summarise({"one": lists, "text": [["a"]] * 20}, cases, Scoring())
    assert report.n_units == 11
    wide = report.row("one").metrics["precision"]
    assert wide.high - wide.low > 0.6  # of single cases it would be about 0.44


# --- who is beaten ---


def test_names_of_text_searches():
    assert own_text("sentence-transformers/x-y") == "text (x-y)"
    assert is_text("text")
    assert is_text("text (x-y)")
    assert not is_text("textual")


def test_an_artifact_beside_text_alone_is_the_candidate():
    report = compare({"mine": answering("ab", "ab", "a"), "text": answering("a", "a", "xa")}, LIKED)
    assert (report.reference, report.candidate) == ("text", "mine")
    assert report.verdict().startswith("mine has 1.58 x the NDCG@10 of text, 95 % interval")
    two = {"A": answering("ab", "ab", "xa"), "B": answering("a", "a", "a")}
    told = compare({**two, "text": answering("a", "a", "xa")}, [*LIKED, *TOPICS])
    assert told.candidate == told.asked_for.candidate == "B"  # one system, by both yardsticks


def test_without_text_topics_are_measured_by_what_there_is():
    report = compare({"baseline": answering("a", "a"), "fused": answering("ab", "ab")}, TOPICS)
    assert report.reference == "baseline"
    assert "2.00 x the P@10 of behavioural-only (baseline)" in report.verdict()
    zero = compare({"baseline": answering("x", "x"), "fused": answering("ab", "ab")}, TOPICS)
    assert zero.verdict() == (
        "asked for: fused against baseline: +1.0000 (+1.0000 to +1.0000) P@10: better"
    )


# --- regressions ---


def test_a_regression_says_where_fused_is_below_text():
    report = both(answering("ab", "x", "xxa"))
    assert report.regressions() == [
        "fused is below text on “after a session” (30 units): 0.00 x its P@10 (0.00 to 0.00)",
        "fused is below text on “requests with words” (30 units): "
        "0.79 x its NDCG@10 (0.79 to 0.79)",
    ]
    for text in (report.to_html(), report.to_markdown(), report._repr_html_()):
        assert "fused is below text on “after a session”" in text


def test_no_regression_where_nothing_is_asked_in_words_or_text_is_reached():
    assert both(answering("ax", "ax", "xa")).regressions() == []
    silent = [liked(n, "") for n in range(30)]
    systems = {"baseline": answering("", "", "xa"), "text": answering("", "", "a")}
    report = compare({**systems, "fused": answering("", "", "xxa")}, silent)
    assert report.worded is None
    assert not [one for one in report.regressions() if "below text" in one]


# --- as people read it ---


@pytest.fixture(scope="module")
def two():
    systems = {
        "baseline": answering("x", "x", "xa"),
        "text": answering("ax", "ax", "xa"),
        "text (SmolLM2-135M-Instruct)": answering("xa", "x", "xa"),
        "fused": answering("ab", "ab", "a"),
    }
    return compare(systems, [*LIKED, *TOPICS])


def test_the_page_has_both_kinds_and_is_well_formed(two):
    page = Page(two.to_html())
    assert (page.wrong, page.open) == ([], [])
    headline, rest = page.text.split("What was asked for", 1)
    for one in ("2.00 × the P@10 of text", "Liked: fused has 1.58 ×", "better on both"):
        assert one in headline
    assert (
        "60 requests for topics from 30 independent groups; 30 cases of what was liked" in headline
    )
    assert WITHOUT in rest
    assert AFTER in rest
    assert "What was liked: all systems" in rest
    cell = Page(two._repr_html_())
    assert cell.wrong == []
    assert "over text" in cell.text
    alone = Page(compare({"text": answering("a", "a"), "x": answering("a", "x")}, TOPICS).to_html())
    assert (alone.wrong, alone.open) == ([], [])


def test_markdown_begins_with_the_verdict_and_what_was_asked_for(two):
    text = two.to_markdown()
    assert text.startswith(two.verdict())
    assert text.index("| asked for | P@10 without a session |") < text.index("| liked | R@10 |")
    assert "| fused | 1.0000 | 1.0000–1.0000 | 2.00 (2.00–2.00) |" in text


def test_the_terminal_keeps_to_80_columns(two):
    shown = io.StringIO()
    screen = Screen()
    screen._out = Console(file=shown, width=80, highlight=False)
    screen.report(two)
    lines = shown.getvalue().splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert any("2.00 (2.00–2.00)" in line for line in lines)
    assert "better on both" in shown.getvalue()


def test_values_hold_both_kinds(two):
    values = json.loads(json.dumps(two.to_dict()))
    assert values["verdict"] == two.verdict()
    assert values["asked_for"]["pairs"][0]["verdict"]
    first = values["yardsticks"][0]
    assert (first["kind"], first["part"], first["verdict"]) == ("asked for", WITHOUT, "better")
    assert first["ratio"] == {"mean": 2, "low": 2, "high": 2}
