"""A phone that watches numbers, as busy-lamp keys do: it subscribes to a hint and is notified."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from secrets import token_hex
from typing import Final

from lab.asterisk import Node
from lab.config import Endpoint
from lab.journal import Journal, JournalEntry
from lab.ports import LOOPBACK
from lab.waiting import PATIENCE

_ECHOED: Final = ("via", "from", "to", "call-id", "cseq")


class Package(Enum):
    """The package of a subscription: its event, its content type, and where the state stands."""

    DIALOG = ("dialog", "application/dialog-info+xml", re.compile("<state>([^<]*)</state>"))
    """``terminated`` (idle and unavailable alike), ``early`` (ringing), ``confirmed``."""

    PRESENCE = ("presence", "application/pidf+xml", re.compile("<note>([^<]*)</note>"))
    """A note, e.g. ``Ready``, ``Ringing``, ``On the phone``, ``On hold``, ``Unavailable``."""


class SubscriptionRefused(Exception):
    """The node does not let the number be watched; the sentence is its answer."""


class Watcher(asyncio.DatagramProtocol):
    """A subscription to one number.

    Attributes:
        journal: The states that it was notified of, in order.
    """

    def __init__(self, pbx: Node, endpoint: Endpoint, number: str, package: Package) -> None:
        self.journal: Journal[str] = Journal(f"{number} to {endpoint.name}", str)
        self._pbx = pbx
        self._endpoint = endpoint
        self._number = number
        self._package = package
        self._call = token_hex(8)
        self._answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def shows(self, word: str, *, after: float = 0.0) -> JournalEntry[str]:
        """Wait for a notification of this state, at an instant or later.

        Raises:
            NeverTold: It was not within `lab.waiting.PATIENCE`.
        """
        return await self.journal.wait(lambda reported: reported == word, word, after=after)

    async def subscribe(self, transport: asyncio.DatagramTransport) -> None:
        """Subscribe from a socket of one's own, and wait until the node has taken the subscription.

        Raises:
            SubscriptionRefused: It does not.
            TimeoutError: It says nothing.
        """
        self._transport = transport
        self._send(self._subscription(*transport.get_extra_info("sockname")))
        async with asyncio.timeout(PATIENCE):
            answer = await self._answer
        if not answer.startswith("SIP/2.0 2"):
            raise SubscriptionRefused(f"{self._number} cannot be watched: {answer}")

    def _subscription(self, host: str, port: int) -> list[str]:
        name, number = self._endpoint.name, self._number
        event, body_type, _ = self._package.value
        return [
            f"SUBSCRIBE sip:{number}@{self._pbx.sip} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{token_hex(8)};rport",
            "Max-Forwards: 70",
            f"From: <sip:{name}@{host}>;tag={token_hex(8)}",
            f"To: <sip:{number}@{host}>",
            f"Call-ID: {self._call}",
            "CSeq: 1 SUBSCRIBE",
            f"Contact: <sip:{name}@{host}:{port}>",
            f"Event: {event}",
            f"Accept: {body_type}",
            "Expires: 600",
        ]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take the answer to the subscription, and every notification."""
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        start, *headers = head.split("\r\n")
        if start.startswith("SIP/2.0"):
            if not self._answer.done():
                self._answer.set_result(start)
            return
        echoed = [line for line in headers if line.partition(":")[0].lower() in _ECHOED]
        self._send(["SIP/2.0 200 OK", *echoed])
        if shown := self._package.value[2].search(body):
            self.journal.write(shown[1])

    def _send(self, lines: list[str]) -> None:
        message = "\r\n".join([*lines, "Content-Length: 0", "", ""])
        self._transport.sendto(message.encode(), (self._pbx.ports.address, self._pbx.ports.sip))


@asynccontextmanager
async def watcher(
    pbx: Node, endpoint: Endpoint, number: str, package: Package = Package.PRESENCE
) -> AsyncIterator[Watcher]:
    """A watcher of a number, as an endpoint of the node that has no password.

    Raises:
        SubscriptionRefused: The number has no hint.
    """
    loop = asyncio.get_running_loop()
    transport, watching = await loop.create_datagram_endpoint(
        lambda: Watcher(pbx, endpoint, number, package), local_addr=(LOOPBACK, 0)
    )
    try:
        await watching.subscribe(transport)
        yield watching
    finally:
        transport.close()
