"""What stands around a list: an item's own view, chips, ways out of an empty list, comparisons."""

import pytest
from browser import HOSTILE, Page
from selenium.webdriver.common.keys import Keys
from serving import in_thread


def active(page):
    return page.driver.switch_to.active_element


def test_an_empty_list_offers_what_to_drop_with_counts(page):
    page.say("no jungle, from 2030 or later")  # the planted years end in 2019
    assert page.texts(".nothing .back") == ["Without “year from 2030”: 50 items"]
    page.press(".nothing .back")
    page.wait(lambda: len(page.all(".card")) == 10)
    assert page.texts(".limit span") == ["no jungle"]


def test_where_no_single_limit_is_to_blame_all_can_go(page):
    page.say("no jungle, from 2030 or later")
    page.driver.execute_script("ask('', {filters: {year: {gte: 2030}, language: {any: ['xx']}}})")
    page.wait(lambda: page.texts(".nothing .back") == ["Without any limit"])
    page.press(".nothing .back")
    page.wait(lambda: len(page.all(".card")) == 10)
    assert page.texts(".limit span") == []


def test_a_long_limit_says_how_much_of_it_is_not_shown(page):
    page.say("a space story")
    none = ["jungle", "winter", "even", "odd", "a", "b", "c"]
    page.driver.execute_script("ask('', {filters: {labels: {none: arguments[0]}}})", none)
    page.wait(lambda: page.texts(".limit span"))
    assert page.texts(".limit span") == ["no jungle, winter, even, odd, a and 2 more"]


def test_every_chip_takes_away_what_it_names(page):
    page.say("a space story, no jungle")
    liked, rejected = page.texts(".card .title")[1:3]
    page.press(".card:nth-child(3) .reject")
    page.wait(lambda: page.texts(".event span") == [f"not {rejected}"])
    page.settled()
    page.say(f"I loved “{liked}”")
    assert page.texts(".event span") == [f"not {rejected}", f"♥ {liked}"]
    page.press(f"[aria-label='Take away: ♥ {liked}']")
    page.wait(lambda: page.texts(".event span") == [f"not {rejected}"])
    page.settled()
    page.press(f"[aria-label='Take away: not {rejected}']")
    page.wait(lambda: not page.all(".event"))
    page.settled()
    for wish in page.texts(".wish span"):
        page.press(f"[aria-label='Take away: {wish}']")
        page.wait(lambda gone=wish: gone not in page.texts(".wish span"))
        page.settled()
    assert page.texts(".chip span") == ["no jungle"]
    assert page.texts("#heading") == ["For you"]


def test_an_item_has_a_view_of_its_own(page):
    page.say("a space story")
    opener = page.one(".card:nth-child(2) .title")
    title, why = opener.text, page.texts(".card .why")[1]
    opener.send_keys(Keys.ENTER)
    assert page.one("#item").accessible_name.startswith(title)
    assert page.texts("#item-why") == [why]
    assert page.texts("#item-facts dt") == ["labels", "language"]
    assert page.texts("#item-facts dd")[0].startswith("space, ")
    page.wait(lambda: len(page.all("#item-alike li")) == 6)
    assert page.axe() == []
    other = page.texts("#item-alike button")[0]
    page.press("#item-alike button")
    page.wait(lambda: page.one("#item").accessible_name.startswith(other))
    active(page).send_keys(Keys.ESCAPE)
    assert not page.one("#item").is_displayed()
    assert active(page) == opener


def test_an_item_s_view_leads_to_more_like_it(page):
    title = page.texts(".card .title")[1]
    page.press(".card:nth-child(2) .title")
    page.press("#item .alike")
    page.wait(lambda: page.texts("#heading") == [f"Like “{title}”"])
    assert not page.one("#item").is_displayed()
    assert len(page.all(".card")) == 10


def test_a_hostile_title_is_text_in_every_view(page):
    at = page.texts(".card .title").index(HOSTILE) + 1
    page.press(f".card:nth-child({at}) .title")
    assert HOSTILE in page.texts("#item-title")[0]
    page.press("#item .like")
    page.wait(lambda: page.texts(".event span") == [f"♥ {HOSTILE}"])
    page.press("#item-close")
    assert page.driver.title == "semrec"
    assert not page.all("dialog img, main img, main script")


def test_scrolling_brings_more_than_ten(page):
    page.say("a space story")
    first = page.texts(".card .title")
    page.one(".card:last-child .title").send_keys(Keys.END)
    page.wait(lambda: len(page.all(".card")) > 10)
    page.settled()
    assert page.texts(".card .title")[:10] == first


def test_a_moved_weight_shows_text_fused_and_behaviour_side_by_side(page, service):
    page.say("a ghost story, no jungle")
    page.press(".card:nth-child(3) .like")
    page.wait(lambda: page.all(".event"))
    page.settled()
    assert not page.one("#compare").is_displayed()
    page.press("#tune")
    page.press("#weight-auto")
    page.driver.execute_script(
        "const w = document.getElementById('weight'); w.value = 8;"
        "w.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    page.wait(lambda: page.all("#compare li"))
    headings = ["Text alone", "Fused, 40 % words", "Behaviour alone"]
    assert page.texts("#compare h3") == headings
    session = page.driver.execute_script("return state.session")
    understood = page.driver.execute_script("return state.understood")
    for at, weight in ((1, 1), (3, 0)):
        body = {name: understood[name] for name in ("intent", "filters", "exclude")}
        body |= {"session_id": session, "semantic_weight": weight}
        expected = [i["title"] for i in service.post("/v1/recommend", json=body).json()["items"]]
        shown = page.driver.execute_script(
            "return Array.from(document.querySelectorAll(arguments[0]),"
            " (entry) => entry.firstChild.textContent)",
            f"#compare > div:nth-child({at}) li",
        )
        assert shown == expected
    boxes = [column.rect for column in page.all("#compare > div")]
    assert len({box["y"] for box in boxes}) == 1
    assert page.axe() == []
    page.press("#weight-auto")
    page.wait(lambda: not page.one("#compare").is_displayed())


@pytest.fixture(scope="module")
def operated(service, tmp_path_factory):
    artifact = service.app.state.service.settings.artifact
    state = tmp_path_factory.mktemp("operated") / "state"
    with in_thread(artifact, state, admin_key="owner") as client:
        yield client


def test_an_operator_sees_what_was_served_with_the_admin_key_only(driver, operated):
    operated.post("/v1/recommend", json={"intent": "a space story", "session_id": "a", "k": 2})
    operated.post("/v1/recommend", json={"intent": "a space story", "session_id": "a", "k": 1})
    page = Page(driver, str(operated.base_url))  # one list more: the popular ones
    page.press("#tune")

    def look(key):
        page.driver.execute_script("document.getElementById('admin-key').value = ''")
        page.one("#admin-key").send_keys(key + Keys.ENTER)
        page.wait(lambda: page.texts("#operator-status")[0] not in ("", "…"))

    look("wrong")
    assert "expected a known key" in page.texts("#operator-status")[0]
    assert not page.all("#served table")
    page.errors()  # a 401 is one
    look("owner")
    page.wait(lambda: page.all("#served table"))
    assert page.texts("#operator-status") == ["3 lists in 24 hours, to 1 conversations"]
    served = operated.get("/admin/served", headers={"x-api-key": "owner"}).json()
    assert served["items"][0]["lists"] in (2, 3)
    times = {of["endpoint"]: of for of in served["endpoints"]}
    assert times["POST /v1/recommend"]["answers"] == 3
    assert 0 < times["POST /v1/recommend"]["p50_ms"] <= times["POST /v1/recommend"]["p99_ms"]
    assert page.texts("#served caption") == ["How long answers took", "What was served most"]
    assert page.axe() == []
    page.say("a space story")
    kept = page.driver.execute_script(
        "return JSON.stringify([{...localStorage}, {...sessionStorage}])"
    )
    assert "owner" not in kept
    names = page.driver.execute_script("return Object.keys(localStorage)")
    assert all(name.startswith("semrec:") for name in names)


def test_without_an_admin_key_nobody_sees_what_was_served(service):
    answer = service.get("/admin/served")
    assert answer.status_code == 403
    assert "SEMREC_ADMIN_KEY" in answer.json()["detail"]
