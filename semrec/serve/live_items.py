"""Items that come and go while a service runs: accepted by one worker, seen by all.

    POST, DELETE → in this worker's recommender, and in the journal → the others replay it

A recommender that is loaded later starts with the journal, so that neither a restart nor another
artifact loses what was accepted. What an artifact has by itself by then is left as it is.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from weakref import WeakKeyDictionary

from semrec.errors import DataError, StateError
from semrec.recommender import Recommender
from semrec.sessions.item_journal import ItemChange, ItemJournal

logger = logging.getLogger(__name__)


class LiveItems:
    """The journal, and how much of it each recommender of this worker has.

    Args:
        journal: The service's.
    """

    def __init__(self, journal: ItemJournal) -> None:
        self._journal = journal
        self._positions: WeakKeyDictionary[Recommender, int] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def catch_up(self, recommender: Recommender) -> None:
        """Take what others accepted into a recommender.

        Raises:
            StateError: If the journal can't be read.
        """
        with self._lock:
            self._replay(recommender)

    def add(self, recommender: Recommender, items: Sequence[Mapping[str, Any]]) -> int:
        """Add items, here and for all workers; how many.

        Raises:
            DataError: If one can't be added; then none is.
            StateError: If the journal can't be written; then none is.
        """
        added: list[Mapping[str, Any]] = []
        with self._lock:
            try:
                with self._journal.writing() as write:
                    self._replay(recommender)
                    recommender.add_items(items)
                    added = list(items)
                    write([ItemChange(added=item) for item in items])
            except StateError:
                if added:
                    recommender.remove_items([str(item["item_id"]) for item in added])
                raise
            self._replay(recommender)
        return len(added)

    def remove(self, recommender: Recommender, item_id: str) -> bool:
        """Remove an item, here and for all workers; False if there is none.

        Raises:
            StateError: If the journal can't be written; then it stays.
        """
        with self._lock:
            with self._journal.writing() as write:
                self._replay(recommender)
                if not _has(recommender, item_id):
                    return False
                write([ItemChange(removed=item_id)])
            self._replay(recommender)
        return True

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def _replay(self, recommender: Recommender) -> None:
        changes, last = self._journal.since(self._positions.get(recommender, 0))
        for are_added, group in groupby(changes, key=lambda change: bool(change.added)):
            if are_added:
                _add(recommender, [change.added for change in group])
            else:
                gone = dict.fromkeys(change.removed for change in group)
                recommender.remove_items([of for of in gone if _has(recommender, of)])
        self._positions[recommender] = last


def _add(recommender: Recommender, items: Sequence[Mapping[str, Any]]) -> None:
    """Add items that aren't there; one that doesn't fit another artifact's columns is left out."""
    missing = [item for item in items if not _has(recommender, str(item["item_id"]))]
    try:
        recommender.add_items(missing)
    except DataError as error:
        if len(missing) == 1:
            logger.error("item left out", extra={"error": str(error)})
            return
        for item in missing:
            _add(recommender, [item])


def _has(recommender: Recommender, item_id: str) -> bool:
    row = recommender.catalog.row(item_id)
    return row is not None and row not in recommender.removed
