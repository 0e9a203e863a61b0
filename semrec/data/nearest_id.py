"""The nearest id for one that isn't there: ".0", blanks, case, accents, leading zeros, typos."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Collection

MAX_COMPARED = 20_000  # more ids aren't searched for typos


def nearest_id(unknown: str, known: Collection[str]) -> str:
    """``"; did you mean '1'?"`` for ``'1.0'``, or nothing."""
    wanted = _bare(unknown)
    by_form = {_bare(item_id): item_id for item_id in known} if wanted else {}
    near = by_form.get(wanted)
    if near is None and len(known) <= MAX_COMPARED:
        near = next(iter(difflib.get_close_matches(unknown[:100], known, n=1, cutoff=0.75)), None)
    return f"; did you mean {near!r}?" if near else ""


def _bare(item_id: str) -> str:
    """An id without what tables do to it."""
    letters = unicodedata.normalize("NFKD", item_id).casefold()
    bare = "".join(letter for letter in letters if letter.isalnum() or letter in "._")
    return bare.removesuffix(".0").lstrip("0") or bare
