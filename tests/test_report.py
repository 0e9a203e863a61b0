"""The report as people read it: a page on its own, Markdown, a notebook's cell, plots."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from test_compare import CASES

from semrec import Case, Query
from semrec.evaluate.charts import Scale, axis, ticks
from semrec.evaluate.compare import compare
from semrec.evaluate.runners import SemanticOnly
from semrec.evaluate.scoring import Scoring, summarise
from semrec.evaluate.slices import Slice
from semrec.metrics.significance import Estimate
from semrec.types import Item, Recommendations, Trace

EVIL = "<script>alert('x')</script> | \" onload=x {{ 7 * 7 }}"


class Page(HTMLParser):
    """Tags, attributes and text of a page; raises nothing, so what is nested wrongly is noted."""

    EMPTY = ("meta", "link", "br", "img", "line", "circle")

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text, self.open, self.wrong = [], [], "", [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        if tag not in self.EMPTY and (not self.open or self.open.pop() != tag):
            self.wrong.append(tag)

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def report(rec):
    systems = {
        "baseline": rec.baseline(),
        "semantic-only": SemanticOnly(recommender=rec),
        "fused": rec,
    }
    cases = [replace(case, turn=int(case.case_id[1:]) % 2) for case in CASES]
    found = compare(systems, cases, slices=["labels"], timed=3)
    return replace(found, command="semrec compare artifact --cases 'a & b.parquet'")


@pytest.fixture(scope="module")
def page(report):
    return Page(report.to_html())


def test_a_page_says_the_verdict_first_and_all_its_parts(report, page):
    assert page.wrong == []
    assert page.open == []
    headline = page.text.split("All systems")[0]
    assert report.verdict().rpartition(": ")[0].replace(" x ", " × ") in headline
    assert "36 cases from 18 independent units" in headline
    for part in (
        "Which differences are real",
        "Where, and where not",
        "Quality and latency",
        "What the lists are like",
        "What gained most",
        "semrec compare artifact --cases 'a & b.parquet'",
        report.cases_hash[:16],
        report.code_hash[:16],
    ):
        assert part in page.text
    for row in report.rows:
        assert f"{row.metrics['ndcg'].mean:.4f}" in page.text


def test_a_page_asks_for_nothing_outside(report, page):
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    names = {name for name, _ in page.attributes}
    assert not {"src", "href", "srcset", "action"} & names
    assert not any(name.startswith("on") for name in names)
    html = report.to_html()
    assert "default-src 'none'" in html
    assert not re.search(r"url\(|@import|https?://", html)
    assert len(html.encode()) < 2_000_000


def test_colours_follow_the_reader_and_the_width_is_the_devices(report):
    html = report.to_html()
    assert "prefers-color-scheme: dark" in html
    assert "width=device-width" in html


def test_what_others_wrote_is_text(world):
    cases = [
        Case(
            case_id=EVIL,
            query=Query(intent=EVIL, session=[EVIL]),
            relevant=("i01", EVIL + str(n)),
            unit=f"{EVIL}{n}",
        )
        for n in range(4)
    ]
    lists = {EVIL: [["i02"]] * 4, "good": [["i01"]] * 4}
    found = summarise(
        lists,
        cases,
        Scoring(versions={EVIL: EVIL}),
        notes=[EVIL],
        slices={EVIL: {EVIL: [0, 1]}},
    )
    found = replace(found, command=EVIL, origins={EVIL: dict.fromkeys(ORIGIN, EVIL)})
    page = Page(found.to_html())
    assert "script" not in page.tags
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert page.wrong == []
    assert "{{ 7 * 7 }}" in page.text
    assert "49" not in page.text.split("script")[1][:40]
    cell = Page(found._repr_html_())
    assert "script" not in cell.tags
    table = [line for line in found.to_markdown().splitlines() if line.startswith("|")]
    assert all("<script" not in line for line in table)
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table[:4]}
    assert len(widths) == 1  # a bar in a name ends no cell


ORIGIN = (
    "version",
    "semrec",
    "created",
    "dataset",
    "dataset_hash",
    "config_hash",
    "encoder",
)


def test_a_regression_stands_where_it_is_seen(report):
    lost = Slice(
        name="no words",
        family="words",
        n_cases=300,
        n_units=300,
        behavioural=0.2,
        fused=0.1,
        low=-0.15,
        high=-0.05,
        systems={row.system: Estimate(mean=0.1, low=0.0, high=0.2) for row in report.rows},
        losers=("fused",),
    )
    lossy = replace(report, slices=(lost,))
    (lost_slice,) = lossy.regressions()
    assert lost_slice.startswith(
        "fused loses “no words” (300 units): NDCG@10 0.1000 against 0.2000"
    )
    for text in (lossy.to_html(), lossy.to_markdown(), lossy._repr_html_()):
        assert "fused loses “no words”" in text
    assert lossy.to_dict()["regressions"] == [lost_slice]
    assert replace(report, slices=(replace(lost, n_units=199),)).regressions() == []
    by_another = replace(report, slices=(replace(lost, losers=("semantic-only",)),))
    assert by_another.regressions() == []  # the page is about the candidate


def test_a_report_without_the_rest_is_a_page_too():
    cases = [Case(case_id="1", query=Query(), relevant=("a",), unit="u")]
    alone = summarise({"mine": [[]]}, cases, Scoring(k=5))
    page = Page(alone.to_html())
    assert page.wrong == []
    assert "1 cases from 1 independent units" in page.text
    assert "Which differences" not in page.text


def test_the_headline_is_the_verdict_in_words(report):
    def told(low, high, p=0.01):
        pairs = [
            replace(pair, low=low, high=high, difference=(low + high) / 2, p_holm=p)
            for pair in [report.pair("fused", "baseline")]
        ]
        return replace(
            report, reference="baseline", candidate="fused", pairs=tuple(pairs)
        ).to_html()

    for html, words in (
        (told(0.1, 0.2), "better than"),
        (told(-0.2, -0.1), "worse than"),
        (told(-0.1, 0.1), "not shown to differ from"),
        (told(0.1, 0.2, p=0.2), "not shown to differ from"),
    ):
        assert f"<h1>fused is {words} behavioural-only (baseline)</h1>" in html


def test_slices_of_too_few_units_are_folded_away(report):
    part = report.slices[0]
    few, enough = (replace(part, name=f"of {n}", n_units=n) for n in (199, 200))
    html = replace(report, slices=(few, enough)).to_html()
    shown, folded = html.split("<summary>1 slice of fewer than 200 units")
    assert "of 200<small>" in shown
    assert "of 199<small>" not in shown
    assert "of 199<small>" in folded.split("</details>")[0]


@pytest.mark.parametrize(
    ("low", "high", "want"),
    [
        (0.0, 0.14, [0.0, 0.05, 0.1]),
        (-0.031, 0.022, [-0.02, 0.0, 0.02]),
        (0.0, 0.0, [0.0]),
        (0.0, 3.0, [0.0, 1.0, 2.0, 3.0]),
    ],
)
def test_an_axis_has_round_ticks(low, high, want):
    assert ticks(low, high, 3) == want
    drawn = axis(Scale(low=low, high=high))
    assert [float(text) for text in re.findall(r">([-.\d]+)</text>", drawn)] == want


def test_budgets_have_a_curve_of_their_own(report):
    rows = [replace(report.rows[-1], system=f"in {ms}", budget_ms=ms) for ms in (50.0, 200.0)]
    assert "Quality by time budget" in replace(report, rows=(*report.rows, *rows)).to_html()
    assert "Quality by time budget" not in report.to_html()


# --- notebooks ---


def test_a_report_in_a_cell_has_the_verdict_and_the_table(report):
    cell = Page(report._repr_html_())
    assert cell.wrong == []
    assert "fused has" in cell.text
    assert f"{report.rows[0].metrics['ndcg'].mean:.4f}" in cell.text


def test_a_list_in_a_cell(rec):
    cell = Page(rec.recommend(intent="ghost", session=["i01"], k=3)._repr_html_())
    assert cell.wrong == []
    assert cell.tags.count("tr") == 4
    assert "semantic" in cell.text
    evil = Recommendations(
        items=(Item(EVIL, EVIL, 1.0, 1),),
        trace=Trace(weights={EVIL: 1.0}, timings_ms={}, notes=(EVIL,)),
    )
    assert "script" not in Page(evil._repr_html_()).tags
