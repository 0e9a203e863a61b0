"""A page opened for somebody who waits for it."""

from __future__ import annotations

import sys
import threading
import time
import urllib.error
import urllib.request
import webbrowser

PATIENCE_S, LOOK_S = 120.0, 0.3


def open_when_ready(url: str) -> None:
    """Open a service's page as soon as it is ready, where somebody sits at a terminal."""
    if sys.stdout.isatty():
        threading.Thread(target=_open, args=(url,), daemon=True).start()


def _open(url: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=LOOK_S):
                webbrowser.open(url)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(LOOK_S)
