"""`GET /v1/items/…`: one item, what goes with it, items by their title or their ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import pyarrow.compute as pc
from fastapi import APIRouter, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, Field
from starlette.exceptions import HTTPException

from semrec import types
from semrec.recommender import Recommender
from semrec.serve.disconnect import unless_gone
from semrec.serve.problems import BODY, documented
from semrec.serve.service import LoggedOf, Service, ServiceOf
from semrec.serve.wire import Closed, RecommendResponse, TextId, to_response

MAX_FOUND = 100
ITEM: dict[str, Any] = {
    "item_id": "2571",
    "title": "Matrix, The",
    "attributes": {"year": 1999, "genres": ["Action", "Sci-Fi"]},
}

router = APIRouter(tags=["items"], responses={**BODY, **documented(404)})


class ItemResponse(Closed):
    """An item as the catalogue has it; what it has no value for is left out."""

    model_config = ConfigDict(json_schema_extra={"examples": [ITEM]})

    item_id: str = Field(description="Its id in the catalogue")
    title: str = Field(description="Its title; may be empty")
    text: str | None = Field(default=None, description="What more it says in words")
    attributes: dict[str, Any] = Field(description="What filters can use")


class ItemsResponse(Closed):
    """Items that were looked for."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [ITEM]}]})

    items: list[ItemResponse] = Field(
        description="By title: those that begin so first, then the most touched; "
        "by id: those that there are, in the order of the ids"
    )


@router.get("/v1/items", response_model_exclude_unset=True)
async def find_items(
    service: ServiceOf,
    q: Annotated[
        str | None, Query(max_length=200, description="A part of the title, in any case")
    ] = None,
    k: Annotated[int, Query(ge=1, le=MAX_FOUND, description="How many, by title")] = 10,
    ids: Annotated[
        list[str] | None,
        Query(alias="id", max_length=MAX_FOUND, description="Instead: an item's id; repeatable"),
    ] = None,
) -> ItemsResponse:
    """Items by their title, or those of some ids; an id that no item has is left out."""
    if ids is not None:
        return ItemsResponse(items=await service.compute(lambda rec: _with_ids(rec, ids)))
    if q is None:
        error = {"type": "missing", "loc": ("query", "q"), "msg": "Field required", "input": None}
        raise RequestValidationError([error])
    return ItemsResponse(items=await service.compute(lambda rec: _with_title(rec, q, k)))


@router.get("/v1/items/{item_id:id}/similar")
async def similar_items(
    item_id: TextId,
    request: Request,
    service: ServiceOf,
    logged: LoggedOf,
    k: Annotated[int, Query(ge=1, le=types.MAX_K)] = 10,
) -> RecommendResponse:
    """Items that go with an item: the answer to a session of nothing else."""
    return await unless_gone(request, similar(item_id, k, service, logged))


async def similar(
    item_id: str, k: int, service: Service, logged: dict[str, Any]
) -> RecommendResponse:
    """`k` items that go with an item; what the log says of them joins `logged`.

    Raises:
        HTTPException: If there is no such item.
        BusyError, StateError: As `Service.recommend`.
    """
    _row(service.recommender, item_id)
    served = await service.recommend(types.Query(session=(item_id,), k=k))
    logged["recommendation_id"] = served.recommendation_id
    return to_response(served, trace=False)


@router.get("/v1/items/{item_id:id}", response_model_exclude_unset=True)
async def get_item(item_id: TextId, service: ServiceOf) -> ItemResponse:
    """One item."""
    recommender = service.recommender
    return to_item(recommender, _row(recommender, item_id))


def to_item(recommender: Recommender, row: int) -> ItemResponse:
    """An item on the wire."""
    record = recommender.catalog.record(row)
    item_id, title = record.pop("item_id"), record.pop("title", "")
    text = {"text": record.pop("text")} if "text" in record else {}
    return ItemResponse(item_id=item_id, title=title, attributes=_finite(record), **text)


def _row(recommender: Recommender, item_id: str) -> int:
    row = recommender.catalog.row(item_id)
    if row is None or row in recommender.removed:
        raise HTTPException(404, "there is no item with this id")
    return row


def _with_ids(recommender: Recommender, ids: Sequence[str]) -> list[ItemResponse]:
    rows = [recommender.catalog.row(item_id) for item_id in dict.fromkeys(ids)]
    removed = recommender.removed
    return [to_item(recommender, row) for row in rows if row is not None and row not in removed]


def _with_title(recommender: Recommender, words: str, k: int) -> list[ItemResponse]:
    catalog, words = recommender.catalog, words.strip()
    if not words:
        return []
    titles = catalog.table["title"].combine_chunks()
    holds = pc.match_substring(titles, words, ignore_case=True)
    rows = np.flatnonzero(holds.fill_null(False).to_numpy(zero_copy_only=False))
    rows = rows[~np.isin(rows, recommender.removed)]
    later = [not catalog.titles[row].casefold().startswith(words.casefold()) for row in rows]
    order = np.lexsort((rows, -_counts(recommender)[rows], np.asarray(later, dtype=bool)))
    return [to_item(recommender, int(row)) for row in rows[order[:k]]]


def _counts(recommender: Recommender) -> types.RowArray:
    """(n_items,) int64: people per item."""
    return recommender.interactions.counts


def _finite(record: dict[str, Any]) -> dict[str, Any]:
    """An item's attributes as JSON can say them: infinity is no number there."""
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value
        for name, value in record.items()
    }
