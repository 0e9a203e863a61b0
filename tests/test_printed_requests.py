"""Whatever request is printed is answered well: by the default build of the demo's own data."""

import json
import re
from pathlib import Path

import pytest
from printed_requests import FOLLOW_UPS, NOT_ASKED, PRINTED, SHOWN
from serving import in_thread

import semrec
from semrec import demo_data
from semrec.cli.demo import REQUESTS

HERE = Path(__file__).resolve().parents[1]
PAGE = HERE / "semrec" / "serve" / "page"
# Templates of the page's examples → what they come to on the demo's popular films.
EXAMPLES = {
    "something like “${items[0].title}”": "something like “{title}”",
    "${labels[1].toLowerCase()} without any ${labels[2].toLowerCase()}": (
        "{second} without any {third}"
    ),
    "something bittersweet from the nineties": "something bittersweet from the nineties",
}
QUOTED = (
    r'--intent\s+"([^"]+)"',
    r'\bintent="([^"]+)"',
    r'"intent":\s*"([^"]+)"',
    r'"message":\s*"([^"]+)"',
    r'\bWORDS = "([^"]+)"',
    r'placeholder="([^"]+)"',
    r'examples=\["([^"]+)"\]',
    r'semrec\.Query\(intent="([^"]+)"',
)
INTENTS = {printed.request["intent"] for printed in PRINTED}


def sources():
    """Whatever a person reads: name → text."""
    paths = [HERE / "README.md", HERE / "configs" / "README.md"]
    paths += [HERE / "semrec" / "__init__.py", *sorted((HERE / "docs").glob("*.md"))]
    paths += sorted((HERE / "semrec" / "cli").glob("*.py"))
    paths += sorted((HERE / "semrec" / "serve").rglob("*.py"))
    paths += sorted(PAGE.glob("*"))
    found = {str(path.relative_to(HERE)): path.read_text("utf-8") for path in paths}
    for path in sorted((HERE / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        found[path.name] = "\n\n".join("".join(cell["source"]) for cell in cells)
    return found


def printed_in(text):
    """The requests in a text: command lines, code, JSON, conversations, the sketch's first line."""
    found = [one for pattern in QUOTED for one in re.findall(pattern, text)]
    found += re.findall(r"^```\n((?:User|Assistant): .+?)\n```", text, re.DOTALL | re.MULTILINE)
    found += re.findall(r'^ "([^"\n]+)" +session: ', text, re.MULTILINE)
    return found


def test_no_request_is_printed_that_is_not_in_the_table():
    known = INTENTS | set(FOLLOW_UPS) | NOT_ASKED
    unknown = {(name, one) for name, text in sources().items() for one in printed_in(text)}
    unknown = {(name, one) for name, one in unknown if one not in known and "{" not in one}
    assert not unknown


def test_every_request_of_the_table_is_printed_somewhere():
    everywhere = "\n".join(sources().values()).replace('\\"', '"')
    examples = {text for text in INTENTS if "without any" in text or "something like “" in text}
    assert {text for text in INTENTS - examples if text not in everywhere} == set()
    assert set(FOLLOW_UPS.values()) <= INTENTS


def test_the_demos_requests_are_in_the_table_session_and_all():
    table = [(one.request["intent"], one.request["session"]) for one in PRINTED]
    for request in REQUESTS:
        assert (request["intent"], request.get("session", [])) in table


def test_the_page_offers_what_is_known_here():
    script = (PAGE / "page.js").read_text("utf-8")
    offered = re.findall(r"said\.push\([`\"](.+?)[`\"]\)", script)
    assert offered == list(EXAMPLES)


@pytest.fixture(scope="module")
def films(made_once):
    """The artifact of the demo's data, as anybody would build it."""
    return made_once(
        "films", lambda out: semrec.build(demo_data.folder(), config="default", out=out)
    )


@pytest.fixture(scope="module")
def asked(films):
    return semrec.load(films)


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.parametrize("printed", PRINTED, ids=lambda printed: printed.name)
def test_a_printed_request_is_answered_with_films_that_fit(asked, printed):
    found = [item.title for item in asked.recommend({**printed.request, "k": SHOWN}).items]
    fitting = [title for title in found if title in printed.fitting]
    assert len(fitting) >= printed.least, f"{len(fitting)} of {found} fit"
    assert not set(found) & set(printed.wrong), f"of {found}"


@pytest.mark.slow
def test_the_titles_of_the_table_are_films_of_the_demo(asked):
    titles = set(asked.catalog.titles)
    named = {title for one in PRINTED for title in (*one.fitting, *one.wrong)}
    assert named <= titles, sorted(named - titles)


@pytest.mark.slow
@pytest.mark.weights
def test_the_pages_examples_on_the_demo_are_in_the_table(asked):
    popular = asked.recommend(k=10).items
    records = [asked.catalog.record(asked.catalog.row(item.item_id)) for item in popular]
    genres = dict.fromkeys(genre for record in records for genre in record.get("genres", ()))
    labels = [genre.lower() for genre in genres if len(genre) > 3]
    fields = {"title": popular[0].title, "second": labels[1], "third": labels[2]}
    assert {form.format(**fields) for form in EXAMPLES.values()} <= INTENTS


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.parametrize(("message", "before"), FOLLOW_UPS.items())
def test_a_printed_second_turn_changes_the_list_as_it_says(films, tmp_path, message, before):
    with in_thread(films, tmp_path / "state") as client:

        def say(text):
            body = {"session_id": "ada", "message": text}
            return client.post("/v1/chat", json=body).raise_for_status().json()

        first, second = say(before), say(message)
    rejected = first["items"][0]["item_id"]
    assert rejected not in [item["item_id"] for item in second["items"]]
    assert {"item_id": rejected, "type": "reject"} in second["understood"]["session"]
    assert second["understood"]["filters"] == {"year": {"gte": 1990, "lte": 1999}}
