"""Keep a library's own bars for reading weights off the caller's screen."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator


@contextlib.contextmanager
def quietly(*, everything: bool = False) -> Iterator[None]:
    """Switch transformers' bars off meanwhile; with `everything`, whatever goes to stderr.

    Reading GGUF draws a bar that no switch turns off.
    """
    from transformers.utils import logging

    was_enabled = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        with contextlib.redirect_stderr(io.StringIO()) if everything else contextlib.nullcontext():
            yield
    finally:
        if was_enabled:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
