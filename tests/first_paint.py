"""How soon the page is of use: `python tests/first_paint.py ARTIFACT` prints a line each.

Milliseconds from the navigation's start, in headless Chromium on loopback, nothing cached: until
something is painted (one can type), and until the frame after the first list is there.
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from browser import Page, chromium
from serving import Process

N_LOADS = 20
OBSERVE = """
new MutationObserver((_, observer) => {
  if (!document.querySelector('.card')) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.listed = performance.now(); }));
}).observe(document, {childList: true, subtree: true});
"""
PAINTED = "return performance.getEntriesByName('first-contentful-paint').map((e) => e.startTime)[0]"


def first_paints_ms(driver, url, n_loads=N_LOADS):
    """(n_loads, 2) milliseconds until something, and until the first list, is painted."""
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": OBSERVE})
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
    times_ms = []
    for _ in range(n_loads):
        page = Page(driver, url)
        listed_ms = page.wait(lambda: driver.execute_script("return window.listed"))
        painted_ms = page.wait(lambda: driver.execute_script(PAINTED))
        times_ms.append((painted_ms, listed_ms))
    return np.array(times_ms)


def main(artifact):
    with (
        tempfile.TemporaryDirectory() as folder,
        Process(artifact, Path(folder) / "state") as service,
        chromium() as driver,
    ):
        first_paints_ms(driver, service.url, 1)  # the browser and the service are warm then
        times_ms = first_paints_ms(driver, service.url)
    for what, of in zip(("something", "a list"), times_ms.T, strict=True):
        p50, p95 = np.quantile(of, [0.5, 0.95])
        line = f"{what} is painted after {p50:.0f} ms (p50), {p95:.0f} ms (p95)"
        sys.stdout.write(f"{line}; load average {os.getloadavg()[0]:.1f}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
