"""`POST /admin/items`, `DELETE /admin/items/{item_id}`: the catalogue, while the service runs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.exceptions import HTTPException

from semrec.errors import DataError
from semrec.serve.bodies import JsonRoute
from semrec.serve.problems import BODY, documented
from semrec.serve.service import ServiceOf
from semrec.serve.wire import Body, Closed, TextId

MAX_ITEMS = 1_000

router = APIRouter(
    route_class=JsonRoute, tags=["admin"], responses={**BODY, **documented(403, 404, 503)}
)


class NewItems(Body):
    """Items to add, each with its `item_id` and any of the catalogue's columns."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"items": [{"item_id": "new", "title": "A quiet heist", "year": 2026}]}]
        }
    )

    items: list[dict[str, Any]] = Field(
        min_length=1, max_length=MAX_ITEMS, description="All are added, or none"
    )


class AddedResponse(Closed):
    """The number of items that were added."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"added": 1}]})

    added: int = Field(description="All of them; every worker has them within half a second")


class RemovedResponse(Closed):
    """The item that was removed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"removed": "new"}]})

    removed: str = Field(description="Its id; no worker lists it after half a second")


@router.post("/admin/items")
async def add_items(service: ServiceOf, body: NewItems) -> AddedResponse:
    """Add items to the catalogue that is served; they are found by their words at once.

    They are kept in the state's folder: a restart and another artifact have them too.
    """
    try:
        added = await service.compute(lambda rec: service.items.add(rec, body.items))
    except DataError as error:
        raise HTTPException(422, str(error)) from None
    return AddedResponse(added=added)


@router.delete("/admin/items/{item_id:id}")
async def remove_item(item_id: TextId, service: ServiceOf) -> RemovedResponse:
    """Remove an item from the catalogue that is served."""
    if not await service.compute(lambda rec: service.items.remove(rec, item_id)):
        raise HTTPException(404, "there is no item with this id")
    return RemovedResponse(removed=item_id)
