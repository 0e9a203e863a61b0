"""The official MCP client for tests that are no coroutines: over HTTP and over stdio."""

import json
import os
import sys
from contextlib import contextmanager

import httpx2
from anyio.from_thread import start_blocking_portal
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from semrec.sessions.item_journal import ItemChange, ItemJournal

# Without sessions since 2026-07-28; before that a handshake, and cancelling by a notification.
HTTP = ("auto", "legacy")


class Caller:
    """A connected client."""

    def __init__(self, portal, client):
        self.portal, self.client = portal, client

    def __getattr__(self, name):
        """A method of the client, waited for."""
        return lambda *args: self.portal.call(getattr(self.client, name), *args)

    def call(self, tool, **arguments):
        """The result, which is the same as data and as text."""
        answer = self.call_tool(tool, arguments)
        assert not answer.is_error, answer.content[0].text
        assert json.loads(answer.content[0].text) == answer.structured_content
        return answer.structured_content

    def refusal(self, tool, **arguments):
        """What is said of a call that is refused: one line."""
        answer = self.call_tool(tool, arguments)
        assert answer.is_error
        assert answer.structured_content is None
        assert len(answer.content[0].text.splitlines()) == 1
        return answer.content[0].text

    def start(self, tool, **arguments):
        """A call that isn't waited for: its future, to cancel or to wait for."""
        return self.portal.start_task_soon(self.client.call_tool, tool, arguments)


@contextmanager
def over_http(url, mode="auto", headers=None):
    with start_blocking_portal() as portal:
        # Clients of this kind are made and closed on the loop that uses them.
        http = httpx2.AsyncClient(headers=headers or {}, timeout=60)
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        with (
            portal.wrap_async_context_manager(http),
            portal.wrap_async_context_manager(Client(transport, mode=mode)) as client,
        ):
            yield Caller(portal, client)


@contextmanager
def over_stdio(*command, log, mode="auto"):
    parameters = StdioServerParameters(
        command=sys.executable, args=list(map(str, command)), env=dict(os.environ)
    )
    with log.open("w") as errors, start_blocking_portal() as portal:
        transport = stdio_client(parameters, errlog=errors)
        with portal.wrap_async_context_manager(Client(transport, mode=mode)) as client:
            yield Caller(portal, client)


def state_with(folder, *items):
    """A service's state in which items were added."""
    journal = ItemJournal(folder)
    with journal.writing() as write:
        write([ItemChange(added=item) for item in items])
    journal.close()
    return folder
