"""A small HTTP client for load: connections that stay open, answers as status and time.

A general client takes more of the CPU than what it measures.
"""

from __future__ import annotations

import asyncio
from collections import deque


class Connection(asyncio.Protocol):
    """One connection with at most one request on its way."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """It is closed; who waits is told."""
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("closed without an answer"))

    @property
    def open(self) -> bool:
        """True if a request can be sent."""
        return self._transport is not None

    async def ask(self, request: bytes) -> int:
        """The status of the answer to a whole request.

        Raises:
            ConnectionError: If there is none.
        """
        if self._transport is None:
            raise ConnectionError("closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """More of the answer; its length is always told."""
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        _, _, after = head.lower().partition(b"content-length:")
        if len(rest) >= int(after.split(b"\r\n", 1)[0]):
            self._buffer = b""
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(int(head[9:12]))


class Client:
    """As many connections as there are requests on their way."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._idle: deque[Connection] = deque()

    async def post(self, path: str, body: bytes, timeout_s: float) -> int:
        """The status of a JSON request's answer.

        Raises:
            OSError: If there is none (also within the time).
        """
        request = (
            f"POST {path} HTTP/1.1\r\nhost: {self._host}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        ).encode() + body
        connection = await self._connection()
        try:
            status = await asyncio.wait_for(connection.ask(request), timeout_s)
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return status

    def close(self) -> None:
        """Hang up everywhere."""
        for connection in self._idle:
            connection.close()

    async def _connection(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                return connection
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(Connection, self._host, self._port)
        return made
