"""The control interface of baresip: commands, their answers and events, as JSON in netstrings."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import suppress
from itertools import count
from typing import Any

from lab.journal import Journal
from lab.ports import LOOPBACK
from lab.waiting import PATIENCE, until

PhoneEvent = dict[str, Any]
"""What a phone reported: its ``type``, e.g. ``CALL_ESTABLISHED``, and more."""


class CommandFailed(Exception):
    """A phone did not carry out a command."""


class Control:
    """A connection to one baresip.

    Attributes:
        journal: Every event so far.
    """

    def __init__(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.journal: Journal[PhoneEvent] = Journal(name, _kind)
        self._reader = reader
        self._writer = writer
        self._tokens = count(1)
        self._answers: dict[str, asyncio.Future[PhoneEvent]] = {}
        self._listening = asyncio.create_task(self._listen())

    async def command(self, name: str, parameters: str = "") -> str:
        """Give a command; what is said to it.

        Raises:
            CommandFailed: It is refused.
            TimeoutError: Nothing is said within `lab.waiting.PATIENCE`.
        """
        token = str(next(self._tokens))
        answer = self._answers[token] = asyncio.get_running_loop().create_future()
        self._send({"command": name, "params": parameters, "token": token})
        async with asyncio.timeout(PATIENCE):
            reported = await answer
        if not reported["ok"]:
            raise CommandFailed(f"{name} {parameters} is refused: {reported.get('data')}")
        return str(reported.get("data", ""))

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        await asyncio.gather(self._writer.wait_closed(), return_exceptions=True)

    def _send(self, asked: dict[str, str]) -> None:
        payload = json.dumps(asked).encode()
        self._writer.write(b"%d:%s," % (len(payload), payload))

    async def _listen(self) -> None:
        connection = self._writer.get_extra_info("socket")
        while not self._reader.at_eof():
            # baresip waits for the acknowledgement of one message before it sends the next, and the
            # system would delay that by 40 ms; it forgets this setting from time to time.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            length = await self._reader.readuntil(b":")
            payload = await self._reader.readexactly(int(length[:-1]) + 1)
            reported = json.loads(payload[:-1])
            if "response" in reported:
                self._answers.pop(reported["token"]).set_result(reported)
            else:
                self.journal.write(reported)


def _kind(event: PhoneEvent) -> str:
    return str(event["type"])


async def connect(name: str, port: int) -> Control:
    """Connect to the baresip that is about to listen on a port of loopback.

    Raises:
        TimeoutError: It did not within `lab.waiting.PATIENCE`.
    """
    opened: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def listens() -> bool:
        with suppress(ConnectionRefusedError):
            opened.append(await asyncio.open_connection(LOOPBACK, port))
        return bool(opened)

    await until(listens, f"the start of {name}")
    return Control(name, *opened[0])
