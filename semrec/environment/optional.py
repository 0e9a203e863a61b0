"""Packages that only some callers have installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semrec.errors import ModelError

if TYPE_CHECKING:
    from types import ModuleType


def import_pandas() -> ModuleType:
    """The pandas module.

    Raises:
        ModelError: If it isn't installed.
    """
    try:
        import pandas
    except ImportError:
        raise ModelError("pandas isn't installed: pip install 'semrec[pandas]'") from None
    return pandas
