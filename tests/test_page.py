"""The page in a real browser, headless: what people see and do, and what no text can do to it."""

import time
from pathlib import Path

import pytest
from browser import HOSTILE, PATIENCE_S, Page, screen
from serving import in_thread

import semrec


def test_it_opens_with_popular_items_and_something_to_say(page):
    assert page.one("h1").text == "semrec"
    assert page.one(".welcome h2").text == "What are you looking for?"
    assert page.texts("#heading") == ["Popular"]
    assert len(page.all(".card")) == 10
    assert len(page.all(".examples button")) >= 2
    page.press(".examples li:last-child button")
    page.settled()
    assert page.texts("#heading") == ["Something bittersweet from the nineties"[:21]]


def test_a_message_gives_a_list_a_reply_and_what_holds(page):
    page.say("a space story, no jungle")
    assert page.texts(".said.you > span") == ["a space story, no jungle"]
    assert page.texts(".said.it > span")[0].startswith("A space story, no jungle: “")
    assert page.texts(".chip span") == ["a space story", "no jungle"]
    assert page.texts(".card .year")[0].isdecimal()
    assert "space" in page.texts(".card .facts")[0]
    assert any("Space, as you asked" in why for why in page.texts(".card .why"))
    assert all("jungle" not in title for title in page.texts(".card .title"))


def test_a_limit_is_taken_away_by_its_button(page):
    page.say("no jungle, from 1990 or later")
    assert len(page.all(".limit")) == 2
    page.press("[aria-label='Take away: no jungle']")
    page.wait(lambda: page.texts(".limit span") == ["year from 1990"])
    page.say("no court")
    assert sorted(page.texts(".limit span")) == ["no court", "year from 1990"]


def test_a_like_counts_once_turns_into_a_rejection_and_can_be_taken_back(page, service):
    def events():
        session = page.driver.execute_script("return state.session")
        return [e["type"] for e in service.get(f"/v1/sessions/{session}").json()["events"]]

    page.say("a space story")
    page.driver.execute_script(
        "const b = document.querySelector('.card:nth-child(2) .like'); b.click(); b.click()"
    )
    page.wait(lambda: page.texts(".event"))
    assert events() == ["like"]
    page.press(".event button")
    page.wait(lambda: not page.texts(".event"))
    page.settled()
    assert events() == []
    title = page.texts(".card .title")[1]
    page.press(".card:nth-child(2) .title")  # the view of an item has the same buttons
    page.press("#item .like")
    page.wait(lambda: page.texts(".event span") == [f"♥ {title}"])
    page.press("#item .reject")
    page.wait(lambda: page.texts(".event span") == [f"not {title}"])
    pressed = [b.get_attribute("aria-pressed") for b in page.all("#item .like, #item .reject")]
    assert pressed == ["false", "true"]
    page.settled()
    assert events() == ["reject"]
    page.press("#item-close")
    page.press(".said.act:last-of-type .small")
    page.wait(lambda: not page.texts(".event"))
    page.settled()
    assert events() == []


def test_a_reload_keeps_the_conversation_and_start_over_ends_it(page):
    page.say("a space story, no jungle")
    said, titles = page.texts(".said > span"), page.texts(".card .title")
    assert "#" in page.driver.current_url
    page.driver.refresh()
    page.wait(lambda: page.texts(".card .title") == titles)
    assert page.texts(".said > span") == said
    assert page.texts(".limit span") == ["no jungle"]
    page.press("#anew")
    page.wait(lambda: page.texts("#heading") == ["Popular"])
    assert page.texts(".said > span") == []
    assert "#" not in page.driver.current_url


def test_back_and_forward_lead_from_one_conversation_to_another(page):
    page.say("a space story, no jungle")
    said, titles = page.texts(".said > span"), page.texts(".card .title")
    page.press("#anew")
    page.wait(lambda: page.texts("#heading") == ["Popular"])
    page.say("a ghost story")
    page.driver.back()
    page.wait(lambda: page.texts("#heading") == ["Popular"])
    assert page.texts(".said > span") == []
    page.driver.back()
    page.wait(lambda: page.texts(".card .title") == titles)
    assert page.texts(".said > span") == said
    assert page.texts(".limit span") == ["no jungle"]


def test_earlier_conversations_are_gone_on_with_or_forgotten(page, service):
    page.driver.execute_script("localStorage.clear(); localStorage.setItem('semrec:broken', '{')")
    page.press("#past")
    assert page.one("#earlier-none").is_displayed()
    page.press("#earlier-close")
    page.say("a space story, no jungle")
    first, titles = page.driver.current_url.split("#")[1], page.texts(".card .title")
    page.press("#anew")
    page.wait(lambda: page.texts("#heading") == ["Popular"])
    page.say("a ghost story")
    page.press("#past")
    opening = page.texts("#earlier-list li > button:first-child")
    assert opening == ["a ghost story", "a space story, no jungle"]  # the newest first
    assert page.axe() == []
    page.press("#earlier-list li:last-child > button")
    page.wait(lambda: page.texts(".card .title") == titles)
    assert page.driver.current_url.endswith(first)
    page.press("#past")
    assert page.texts("[aria-current]") == ["a space story, no jungle"]
    page.press("#earlier-list li:last-child .small")
    page.wait(lambda: page.texts("#earlier-list li > button:first-child") == ["a ghost story"])
    page.wait(lambda: page.texts("#heading") == ["Popular"])
    assert service.get(f"/v1/sessions/{first}").json()["events"] == []
    page.driver.refresh()
    assert "#" not in page.driver.current_url


def test_messages_sent_quickly_each_get_an_answer(page):
    from selenium.webdriver.common.keys import Keys

    for text in ("a space story", "no jungle", "only 3"):
        page.one("#message").send_keys(text + Keys.ENTER)
    page.wait(lambda: len(page.all(".said.it")) == 3)
    page.settled()
    assert page.texts(".said.it > span")[2].startswith("3 it is.")
    assert len(page.all(".card")) == 3


def test_titles_are_found_as_one_types_and_the_list_comes_back(page):
    page.say("a space story")
    before = page.texts(".card .title")
    page.one("#find").send_keys("jungle")
    page.wait(lambda: page.texts("#heading") == ["Titles with “jungle”"])
    assert all("jungle" in title for title in page.texts(".card .title"))
    page.press(".card:nth-child(1) .alike")
    page.wait(lambda: page.texts("#heading")[0].startswith("Like “"))
    page.press(".back")
    page.wait(lambda: page.texts(".card .title") == before)


def test_more_than_ten_are_shown_when_asked_for(page):
    page.say("a space story")
    first = page.texts(".card .title")
    page.press("#further")
    page.wait(lambda: len(page.all(".card")) == 20)
    assert page.texts(".card .title")[:10] == first


def test_a_message_can_be_edited_and_a_service_that_is_away_loses_none(page):
    from selenium.webdriver.common.keys import Keys

    page.say("a space story")
    page.press(".said.you .small")
    assert page.one("#message").get_attribute("value") == "a space story"
    page.driver.execute_script("document.getElementById('message').value = ''")
    network(page, offline=True)
    page.one("#message").send_keys("no jungle" + Keys.ENTER)
    page.wait(lambda: page.all(".trouble .small"))
    assert "doesn’t answer" in page.texts(".trouble > span")[0]
    assert page.one("#message").get_attribute("value") == "no jungle"
    network(page, offline=False)
    page.press(".trouble .small")
    page.wait(lambda: page.texts(".limit span") == ["no jungle"])
    assert {e["source"] for e in page.errors()} == {"network"}


def network(page, *, offline, latency_ms=0):
    page.driver.execute_cdp_cmd("Network.enable", {})
    of = {"offline": offline, "latency": latency_ms}
    of |= {"downloadThroughput": -1, "uploadThroughput": -1}
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", of)


def test_a_short_list_leaves_the_page_its_height(page):
    page.say("only 1 space story, no jungle")
    page.say("only 1")
    box = page.one("main").rect
    height = page.driver.execute_script("return innerHeight")
    assert box["y"] + box["height"] >= height - 1
    sizes = page.driver.execute_script(
        "return Array.from(document.querySelectorAll('button'), (b) => b.getBoundingClientRect())"
        ".filter((box) => box.width).map((box) => Math.min(box.width, box.height))"
    )
    assert min(sizes) >= 24


def test_after_300_ms_dots_say_that_an_answer_comes(page):
    from selenium.webdriver.common.keys import Keys

    page.driver.execute_script(
        "window.dots = []; const dots = document.getElementById('typing');"
        "new MutationObserver(() => window.dots.push(!dots.hidden))"
        ".observe(dots, {attributeFilter: ['hidden']})"
    )
    network(page, offline=False, latency_ms=600)
    page.one("#message").send_keys("a space story" + Keys.ENTER)
    page.wait(lambda: page.one("#typing").is_displayed())
    assert not page.all(".said.it")
    network(page, offline=False)
    page.wait(lambda: page.all(".said.it"))
    page.settled()
    shown, *later = page.driver.execute_script("return window.dots")
    assert shown
    assert not any(later)


def test_a_late_answer_stays_out_of_the_next_conversation(page):
    from selenium.webdriver.common.keys import Keys

    network(page, offline=False, latency_ms=600)
    page.one("#message").send_keys("a space story" + Keys.ENTER)
    page.wait(lambda: page.one("#typing").is_displayed())
    page.press("#anew")
    network(page, offline=False)
    page.wait(lambda: page.texts("#heading") == ["Popular"] and page.all(".card"))
    assert not page.all("body.waiting")
    page.say("a ghost story")  # messages are answered in their order: the late one is done by then
    assert page.texts(".said > span")[0] == "a ghost story"
    assert len(page.all(".said")) == 2
    assert page.texts("#heading") == ["A ghost story"]


def test_the_link_of_a_conversation_is_copied(page):
    page.driver.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]},
    )
    page.say("a space story")
    page.press("#share")
    page.wait(lambda: page.texts("#share") == ["Link copied"])
    copied = page.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert copied == page.driver.current_url
    assert len(copied.partition("#")[2]) == 32  # 128 bits


def test_on_a_phone_an_answer_comes_into_view(driver, service):
    with screen(driver, 390, 844):
        page = Page(driver, str(service.base_url))
        page.say("a space story")
        page.driver.execute_script("document.scrollingElement.scrollTop = 1200")
        page.say("no jungle")
        for css in (".said.it:last-of-type", "#heading"):
            top, bottom = page.driver.execute_script(
                "const box = [...document.querySelectorAll(arguments[0])].at(-1)"
                ".getBoundingClientRect(); return [box.top, box.bottom]",
                css,
            )
            assert 0 <= top < bottom <= 844 - 90, css  # above the message's box


@pytest.mark.parametrize("button", ["like", "reject"])
def test_the_buttons_change_the_next_list(page, button):
    page.say("a space story")
    before = page.texts(".card .title")
    page.press(f".card:nth-child(2) .{button}")
    page.wait(lambda: before[1] not in page.texts(".card .title"))
    assert page.texts(".said.act > span")[0].endswith(before[1])
    if button == "like":
        assert page.texts(".event span") == [f"♥ {before[1]}"]


def test_sliders_change_the_list_and_the_trace_says_how_it_came_about(page):
    page.say("a ghost story")
    page.press("#tune")
    page.press("#weight-auto")
    page.driver.execute_script(
        "const w = document.getElementById('weight'); w.value = 0;"
        "w.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    page.wait(lambda: "words and text" not in page.one("#weights").get_attribute("textContent"))
    assert page.texts("#weight-shown") == ["0 % words"]
    stages = page.texts(".stage span:first-child")
    assert stages[0] == "queue"
    assert stages[-1] == "total"
    assert {"understand", "search"} <= set(stages)
    assert all(spent.endswith(" ms") for spent in page.texts(".stage span:last-child"))
    page.driver.execute_script(
        "const b = document.getElementById('budget'); b.value = 25;"
        "b.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    assert page.texts("#budget-shown") == ["500 ms"]
    page.settled()


def test_variety_changes_the_list_and_the_trace_says_so(page):
    page.say("a ghost story")
    before = page.texts(".card .title")
    assert page.texts("#variety-shown") == ["as set up"]
    assert "moved up for variety" not in page.texts("#about")[0]
    page.press("#tune")

    def vary(steps):
        page.driver.execute_script(
            "const v = document.getElementById('variety'); v.value = arguments[0];"
            "v.dispatchEvent(new Event('input', {bubbles: true}))",
            steps,
        )

    vary(9)
    page.wait(lambda: page.texts(".card .title") != before)
    page.settled()
    assert page.texts("#variety-shown") == ["90 %"]
    assert page.texts(".card .title")[0] == before[0]
    assert "moved up for variety: " in page.texts("#about")[0]
    assert page.axe() == []
    vary(0)
    page.wait(lambda: page.texts(".card .title") == before)
    assert page.texts("#variety-shown") == ["0 %"]
    page.settled()


def test_no_text_is_ever_run(page):
    assert HOSTILE in page.texts(".card .title")
    page.say(HOSTILE)
    page.say(f"loved “{HOSTILE}”, no {HOSTILE}")
    assert page.texts(".said.you > span")[0] == HOSTILE
    assert page.driver.title == "semrec"
    assert not page.all("main img, main script")


def test_nothing_is_loaded_from_elsewhere(page, service):
    page.say("a space story")
    loaded = page.driver.execute_script(
        "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    )
    assert len(loaded) > 3
    assert all(name.startswith((str(service.base_url), "data:")) for name in loaded)
    policy = service.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    folder = Path(semrec.__file__).parent / "serve" / "page"
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 400
        assert "innerHTML" not in text
        assert "http" not in text.replace('"http://www.w3.org', "")


def test_it_works_by_keyboard(page):
    from selenium.webdriver.common.keys import Keys

    active = page.driver.switch_to.active_element
    assert active.get_attribute("id") == "message"
    active.send_keys("a space story" + Keys.ENTER)
    page.wait(lambda: page.all(".said.it"))
    page.settled()
    reached = []
    for _ in range(12):
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
        active = page.driver.switch_to.active_element
        reached.append(active.get_attribute("aria-label") or active.text)
        if reached[-1].startswith("Like: "):
            break
    assert reached[-1].startswith("Like: "), reached
    before = page.texts(".card .title")
    active.send_keys(Keys.ENTER)
    page.wait(lambda: page.texts(".card .title") != before)
    page.one("body").send_keys("/")
    assert page.driver.switch_to.active_element.get_attribute("id") == "message"


@pytest.mark.parametrize(("width", "height"), [(390, 844), (320, 640), (1280, 900)])
def test_nothing_runs_over_the_edge_whatever_the_screen(driver, service, width, height):
    with screen(driver, width, height):
        page = Page(driver, str(service.base_url))
        page.say("a space story, no jungle, from 1970 or later")
        over = page.driver.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert over <= 0
        box = page.one("#ask").rect
        assert box["width"] > 0.7 * width or width > 500


def test_it_is_dark_where_that_is_wanted(driver, service):
    def colours(scheme):
        with screen(driver, 1280, 900, scheme):
            Page(driver, str(service.base_url))
            style = "getComputedStyle(document.body)"
            return driver.execute_script(f"return [{style}.color, {style}.backgroundColor]")

    light, dark = colours("light"), colours("dark")
    assert brightness(light[1]) > 200 > 80 > brightness(light[0])
    assert brightness(dark[0]) > 200 > 80 > brightness(dark[1])


def brightness(colour):
    return sum(int(part) for part in colour[4:-1].split(",")) / 3


def test_a_key_is_asked_for_where_one_is_needed(driver, service, tmp_path):
    artifact = service.app.state.service.settings.artifact
    with in_thread(artifact, tmp_path / "state", api_keys=["secret"]) as guarded:
        driver.get(str(guarded.base_url))
        until = time.monotonic() + PATIENCE_S
        while driver.execute_script("return document.getElementById('key-setting').hidden"):
            assert time.monotonic() < until
            time.sleep(0.05)
        driver.execute_script(
            "const k = document.getElementById('key'); k.value = 'secret';"
            "k.dispatchEvent(new Event('change'))"
        )
        while not driver.find_elements("css selector", ".card"):
            assert time.monotonic() < until
            time.sleep(0.05)
        driver.get_log("browser")


def test_the_picture_of_the_readme_is_made_here(driver, service):
    from picture import MAX_BYTES, PICTURE, picture

    png = picture(driver, str(service.base_url), ["a space story, no jungle"])
    assert png.startswith(b"\x89PNG")
    assert 10_000 < len(png) <= MAX_BYTES
    assert PICTURE.stat().st_size <= MAX_BYTES
    assert f"docs/{PICTURE.name}" in (PICTURE.parents[1] / "README.md").read_text("utf-8")
