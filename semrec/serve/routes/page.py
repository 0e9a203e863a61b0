"""`GET /`: the chat page, four files as they are. Nothing is loaded from anywhere else."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

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

router = APIRouter(include_in_schema=False)


@router.get("/")
async def page() -> FileResponse:
    """The page."""
    return FileResponse(FOLDER / "page.html", media_type="text/html", headers=HEADERS)


@router.get("/page.css")
async def style() -> FileResponse:
    """The page's style sheet."""
    return FileResponse(FOLDER / "page.css", media_type="text/css", headers=HEADERS)


@router.get("/list.js")
async def list_script() -> FileResponse:
    """The script of the list beside the conversation."""
    return FileResponse(FOLDER / "list.js", media_type="text/javascript", headers=HEADERS)


@router.get("/page.js")
async def script() -> FileResponse:
    """The script of the conversation."""
    return FileResponse(FOLDER / "page.js", media_type="text/javascript", headers=HEADERS)
