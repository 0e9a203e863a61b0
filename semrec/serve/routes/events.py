"""`POST /v1/events`, and the sessions that they make."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from semrec.serve.bodies import JsonRoute
from semrec.serve.problems import BODY
from semrec.serve.service import ServiceOf
from semrec.serve.wire import WHEN, Body, Closed, Id, Seconds, TextId, WireEvent
from semrec.types import Event, EventType

MAX_EVENTS = 1_000

router = APIRouter(route_class=JsonRoute, tags=["sessions"])


class SessionEvent(Body):
    """Something that was done in a session. Sent again with the same `event_id` it counts once."""

    event_id: Id = Field(description="Its own id, within the session")
    session_id: Id = Field(description="The session")
    item_id: Id = Field(description="The item")
    type: EventType = Field(default="view", description="What was done; a reject never attracts")
    timestamp: Seconds | None = Field(default=None, description=f"{WHEN}; null: now")


class EventsRequest(Body):
    """Events of any sessions; those of one session in their order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "events": [
                        {
                            "event_id": "e-1",
                            "session_id": "visitor-17",
                            "item_id": "2571",
                            "type": "like",
                            "timestamp": "2024-05-01T12:00:00Z",
                        }
                    ]
                }
            ]
        }
    )

    events: list[SessionEvent] = Field(
        min_length=1, max_length=MAX_EVENTS, description="All of them are kept, or none"
    )


class EventsResponse(Closed):
    """Numbers of events that were new, and that were there already."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"accepted": 1, "duplicates": 0}]})

    accepted: int = Field(description="New ones")
    duplicates: int = Field(description="Those that were there already")


class SessionResponse(Closed):
    """The events of a session, oldest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "session_id": "visitor-17",
                    "events": [{"item_id": "2571", "type": "like", "timestamp": 1714564800.0}],
                }
            ]
        }
    )

    session_id: str = Field(description="As asked")
    events: list[WireEvent] = Field(description="Oldest first")


class ErasedResponse(Closed):
    """Numbers of what was erased: a session's events, and the lists that were served in it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"session_id": "visitor-17", "events": 1, "recommendations": 3}]
        }
    )

    session_id: str = Field(description="As asked")
    events: int = Field(description="Events that were erased")
    recommendations: int = Field(description="Lists that were erased")


@router.post("/v1/events", responses=BODY)
async def add_events(body: EventsRequest, service: ServiceOf) -> EventsResponse:
    """Keep events. Once they are acknowledged, the next request of any worker sees them."""
    by_session: dict[str, list[Event]] = {}
    for sent in body.events:
        event = Event(sent.item_id, sent.type, sent.timestamp, sent.event_id)
        by_session.setdefault(sent.session_id, []).append(event)
    accepted = await service.add_events(by_session)
    return EventsResponse(accepted=accepted, duplicates=len(body.events) - accepted)


@router.get("/v1/sessions/{session_id:id}", responses=BODY)
async def get_session(session_id: TextId, service: ServiceOf) -> SessionResponse:
    """The newest events of a session; none for an unknown one."""
    events = await run_in_threadpool(service.sessions.get, session_id)
    return SessionResponse(
        session_id=session_id,
        events=[
            WireEvent(
                item_id=event.item_id,
                type=event.type,
                timestamp=event.timestamp,
                event_id=event.event_id,
            )
            for event in events
        ],
    )


@router.delete("/v1/sessions/{session_id:id}/events/{event_id:id}", responses=BODY)
async def erase_event(session_id: Id, event_id: Id, service: ServiceOf) -> ErasedResponse:
    """Take one event back, such as a like: the next request doesn't see it, nor does the log."""
    erased = await service.erase_events(session_id, [event_id])
    return ErasedResponse(session_id=session_id, events=erased, recommendations=0)


@router.delete("/v1/sessions/{session_id:id}", responses=BODY)
async def erase_session(session_id: TextId, service: ServiceOf) -> ErasedResponse:
    """Forget a session: its events and the lists served in it, in the log too."""
    stored = await run_in_threadpool(service.sessions.erase, session_id)
    logged, recommendations = await run_in_threadpool(service.log.erase, session_id)
    return ErasedResponse(
        session_id=session_id, events=max(stored, logged), recommendations=recommendations
    )
