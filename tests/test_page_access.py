"""The page by keyboard and by screen reader: axe without findings, and what axe can't see."""

import pytest
from browser import Page, screen
from selenium.webdriver.common.keys import Keys

SCREENS = [(1280, 900, "light"), (1280, 900, "dark"), (390, 844, "light"), (390, 844, "dark")]


@pytest.mark.parametrize(("width", "height", "scheme"), SCREENS)
def test_axe_finds_nothing(driver, service, width, height, scheme):
    with screen(driver, width, height, scheme):
        page = Page(driver, str(service.base_url))
        assert page.axe() == []
        page.press("#tune")
        page.say("a space story, no jungle, from 1970 or later, nothing cruel")
        page.press(".card:nth-child(2) .like")
        page.wait(lambda: page.all(".said.act"))
        page.settled()
        page.press("#trace summary")
        assert page.axe() == []


def test_a_reply_is_read_out_once_and_whole(page):
    page.driver.execute_script(
        "window.before = []; new MutationObserver((changes) =>"
        " before.push(...changes.map((change) => change.oldValue))"
        ").observe(document.getElementById('log'), {attributeFilter: ['aria-busy'],"
        " attributeOldValue: true})"
    )
    log = page.one("#log")
    assert (log.get_attribute("role"), log.get_attribute("aria-live")) == ("log", "polite")
    page.say("a space story, no jungle")
    page.wait(lambda: page.driver.execute_script("return before") == [None, "true"])
    assert log.get_attribute("aria-busy") == "false"
    assert page.one("#status").get_attribute("role") == "status"
    assert page.one("#status").text.startswith("10 items, ")


def test_every_button_says_what_it_does_and_to_what(page):
    page.say("a space story, no jungle")
    first = page.texts(".card .title")[0]
    names = [button.accessible_name for button in page.all("button") if button.is_displayed()]
    assert all(names)
    assert {f"Like: {first}", f"Not for me: {first}", f"More like {first}"} <= set(names)
    assert {"Send", "Tune", "Start over", "Take away: no jungle"} <= set(names)


def focused(page):
    return page.driver.execute_script("return document.activeElement.id")


def test_the_focus_is_never_lost(page):
    page.one(".examples li:last-child button").send_keys(Keys.ENTER)  # goes with the welcome
    page.settled()
    assert focused(page) == "heading"
    page.say("no jungle")
    assert focused(page) == "message"
    page.one("[aria-label='Take away: no jungle']").send_keys(Keys.ENTER)  # goes itself
    page.wait(lambda: not page.all("[aria-label='Take away: no jungle']"))
    page.settled()
    assert focused(page) == "heading"


def test_one_heading_of_the_first_order_whatever_was_said(page):
    page.say("a space story")
    assert page.texts("h1") == ["semrec"]
    page.press("#anew")
    page.wait(lambda: page.texts("#heading") == ["Popular"])
    assert page.texts("h1") == ["semrec"]
