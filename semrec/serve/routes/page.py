"""`GET /`: the chat page, its files as they are. Nothing is loaded from anywhere else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

FOLDER = Path(__file__).resolve().parents[1] / "page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}

# Sent as one: on a first visit each file more costs a round trip.
SCRIPTS = ("base", "list", "chips", "item", "compare", "operator", "earlier", "page")

router = APIRouter(include_in_schema=False)


def _sends(names: Sequence[str], kind: str) -> Callable[[], Awaitable[Response]]:
    # From memory: reading a file takes three hops between threads.
    content = b"\n".join((FOLDER / name).read_bytes() for name in names)

    async def send() -> Response:
        return Response(content, media_type=kind, headers=HEADERS)

    return send


router.get("/")(_sends(["page.html"], "text/html"))
router.get("/page.css")(_sends(["page.css"], "text/css"))
router.get("/page.js")(_sends([f"{name}.js" for name in SCRIPTS], "text/javascript"))
