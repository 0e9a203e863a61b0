"""The page in a real browser, headless: fixtures (a plugin of conftest), and what a person does."""

import shutil
import time
from contextlib import contextmanager
from importlib.resources import files
from importlib.util import find_spec

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import world_config, world_tables
from redis_server import needs

import semrec

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
PATIENCE_S = 60


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """The planted world with one hostile title, the most chosen one."""
    from serving import in_thread  # not for every test that loads this plugin

    folder = tmp_path_factory.mktemp("page")
    items, events = world_tables()
    titles = items["title"].to_pylist()
    titles[0] = HOSTILE
    items = items.set_column(1, "title", pa.array(titles))
    more = pa.table(
        {
            "user_id": [f"u{user}" for user in range(60)],
            "item_id": ["i00"] * 60,
            "timestamp": [1_400_000_000 + user for user in range(60)],
        }
    )
    (folder / "data").mkdir()
    pq.write_table(items, folder / "data" / "items.parquet")
    pq.write_table(pa.concat_tables([events, more]), folder / "data" / "interactions.parquet")
    semrec.build(folder / "data", config=world_config(), out=folder / "artifact")
    with in_thread(folder / "artifact", folder / "state") as client:
        yield client


class Page:
    """What a person does with the page."""

    def __init__(self, driver, url):
        from selenium.webdriver.common.by import By

        self.driver, self._by = driver, By.CSS_SELECTOR
        driver.get(url)
        self.wait(lambda: self.all(".card"))

    def all(self, css):
        return self.driver.find_elements(self._by, css)

    def one(self, css):
        return self.driver.find_element(self._by, css)

    def texts(self, css):
        # In one step: the page goes on meanwhile.
        return self.driver.execute_script(
            "return Array.from(document.querySelectorAll(arguments[0]), (one) => one.textContent)",
            css,
        )

    def wait(self, condition):
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if found := condition():
                return found
            time.sleep(0.05)
        raise AssertionError("it never came")

    def settled(self):
        self.wait(lambda: not self.all("body.waiting"))
        self.wait(lambda: self.one("#status").text not in ("…", ""))

    def say(self, text):
        from selenium.webdriver.common.keys import Keys

        before = len(self.all(".said.it"))
        self.one("#message").send_keys(text + Keys.ENTER)
        self.wait(lambda: len(self.all(".said.it")) > before)
        self.settled()

    def press(self, css):
        self.driver.execute_script("arguments[0].click()", self.one(css))

    def axe(self):
        """The findings of axe-core, the sizes of targets (WCAG 2.5.8) included."""
        needs("axe", find_spec("axe_playwright_python"))
        source = files("axe_playwright_python") / "axe.min.js"
        self.driver.execute_script(source.read_text(encoding="utf-8"))
        results = self.driver.execute_async_script(
            "axe.run({rules: {'target-size': {enabled: true}}}).then(arguments[0])"
        )
        assert len(results["passes"]) > 15
        return [
            (broken["id"], node["html"], node["failureSummary"])
            for broken in results["violations"]
            for node in broken["nodes"]
        ]

    def errors(self):
        return [e for e in self.driver.get_log("browser") if e["level"] == "SEVERE"]


@contextmanager
def chromium():
    """A headless Chromium, driven; skips where there is none."""
    browser, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    needs("chromium", browser and chromedriver)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu"):
        options.add_argument(f"--{argument}")
    options.add_argument("--window-size=1280,900")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(chromedriver))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def driver():
    with chromium() as driver:
        yield driver


@pytest.fixture
def page(driver, service):
    driver.set_window_size(1280, 900)
    page = Page(driver, str(service.base_url))
    page.errors()
    yield page
    assert page.errors() == []


@contextmanager
def screen(driver, width, height, scheme="light", scale=2):
    """A screen of this size and colour scheme, as a phone's where it is narrow."""
    size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 500}
    feature = {"name": "prefers-color-scheme", "value": scheme}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    try:
        yield
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
