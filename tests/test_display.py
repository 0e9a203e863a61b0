"""How lists and progress look in a notebook."""

from semrec import Item, Recommendations, Trace
from semrec.cli.terminal import Screen


def shown(title="Alien", **trace):
    values = {"weights": {"semantic": 0.25, "behavioural": 0.75, "domain": 0.0}, "timings_ms": {}}
    items = (Item("7", title, 1.5, 1),)
    return Recommendations(items=items, trace=Trace(**(values | trace)))._repr_html_()


def test_a_list_is_a_table_with_what_made_it():
    html = shown(timings_ms={"encode": 3.0, "total": 4.2}, notes=("a note",))
    for part in ("Alien", "1.500", "semantic 0.25, behavioural 0.75", "4 ms", "a note"):
        assert part in html
    assert "domain" not in html  # it weighs nothing


def test_titles_and_notes_are_text_and_never_markup():
    html = shown("<script>alert(1)</script>", notes=("<b>",))
    assert "<script>" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;" in html


def test_a_baseline_without_weights_and_times_is_shown_too():
    html = shown(weights={}, timings_ms={})
    assert "Alien" in html
    assert "ms" not in html


def test_no_bars_are_drawn_into_a_file_though_colours_are_forced(monkeypatch, capsys):
    """As in a notebook's shell cell, or in CI."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    with Screen().progress() as progress:
        progress("embed items", 0, 2)
        progress("embed items", 2, 2)
    assert capsys.readouterr().err == ""
