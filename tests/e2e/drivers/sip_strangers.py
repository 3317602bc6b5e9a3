"""Callers with any text in their SIP addresses, as a trunk or any SIP client can send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Final
from urllib.parse import quote

from attrs import frozen

from lab import sip
from lab.asterisk import Node
from lab.sip import SipMessage
from lab.waiting import PATIENCE

TRUNK_ADDRESS: Final = "127.0.0.2"
"""From where the calls of the trunk come."""

_NOWHERE: Final = 9


@frozen(weakref_slot=False, kw_only=True)
class CallerIdentity:
    """The addresses that a stranger sends: any text, line breaks included.

    Attributes:
        dialled: The number dialled.
        caller: The number of the caller, in ``From``.
        asserted: The number in ``P-Asserted-Identity``; empty: there is no such header.
    """

    dialled: str
    caller: str
    asserted: str = ""


class Stranger(asyncio.DatagramProtocol):
    """A SIP client without credentials, which calls and gives up on request."""

    def __init__(self, pbx: Node) -> None:
        self._pbx = pbx
        self._answers: dict[str, asyncio.Queue[SipMessage]] = {}

    def use(self, transport: asyncio.DatagramTransport) -> None:
        """Send by this socket."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take a response; a request ends nothing here."""
        message = sip.parse(data)
        waiting = self._answers.get(message["Call-ID"])
        if message.status and waiting is not None and message["CSeq"].endswith("INVITE"):
            waiting.put_nowait(message)
        elif message.method:
            self._send(sip.answer(message, "200 OK", "stranger"))

    async def call(self, disguise: CallerIdentity, *, until: asyncio.Future[None] | None = None) -> int:
        """A call that is given up at the future, if it is not over before; the final status.

        Raises:
            TimeoutError: There is no final response.
        """
        invite = self._invite(disguise)
        answers = self._answers[invite["Call-ID"]] = asyncio.Queue()
        self._send(invite)
        if until is not None:
            until.add_done_callback(lambda _: self._send(_cancel(invite)))
        async with asyncio.timeout(PATIENCE):
            while (answer := await answers.get()).status < 200:
                pass
        self._send(_acknowledged(invite, answer))
        if answer.status == 200:
            self._send(_over(invite, answer))
        return answer.status

    def _invite(self, disguise: CallerIdentity) -> SipMessage:
        host, port = self._transport.get_extra_info("sockname")
        target = f"sip:{quote(disguise.dialled, safe='*+')}@{self._pbx.sip}"
        via = f"SIP/2.0/UDP {host}:{port};branch=z9hG4bK{token_hex(8)};rport"
        asserted = (("P-Asserted-Identity", f"<sip:{quote(disguise.asserted, safe='')}@{host}>"),)
        return SipMessage(
            f"INVITE {target} SIP/2.0",
            (
                ("Via", via),
                ("Max-Forwards", "70"),
                ("From", f"<sip:{quote(disguise.caller, safe='')}@{host}>;tag={token_hex(4)}"),
                ("To", f"<{target}>"),
                ("Call-ID", token_hex(8)),
                ("CSeq", "1 INVITE"),
                ("Contact", f"<sip:x@{host}:{port}>"),
                *(asserted if disguise.asserted else ()),
                ("Content-Type", "application/sdp"),
            ),
            sip.offer(host, _NOWHERE, "sendrecv"),
        )

    def _send(self, message: SipMessage) -> None:
        self._transport.sendto(bytes(message), (self._pbx.ports.address, self._pbx.ports.sip))


def _cancel(invite: SipMessage) -> SipMessage:
    kept = tuple(
        pair for name in ("Via", "Max-Forwards", "From", "To", "Call-ID") for pair in invite.all(name)
    )
    return SipMessage(f"CANCEL {invite.start.split()[1]} SIP/2.0", (*kept, ("CSeq", "1 CANCEL")))


def _acknowledged(invite: SipMessage, answer: SipMessage) -> SipMessage:
    kept = tuple(pair for name in ("Via", "Max-Forwards", "From", "Call-ID") for pair in invite.all(name))
    to = ("To", answer["To"])
    return SipMessage(f"ACK {invite.start.split()[1]} SIP/2.0", (*kept, to, ("CSeq", "1 ACK")))


def _over(invite: SipMessage, answer: SipMessage) -> SipMessage:
    via = ("Via", f"{invite['Via'].partition(';')[0]};branch=z9hG4bK{token_hex(8)};rport")
    kept = tuple(pair for name in ("Max-Forwards", "From", "Call-ID") for pair in invite.all(name))
    target = answer["Contact"].strip("<>")
    return SipMessage(f"BYE {target} SIP/2.0", (via, *kept, ("To", answer["To"]), ("CSeq", "2 BYE")))


@asynccontextmanager
async def stranger(pbx: Node, address: str) -> AsyncIterator[Stranger]:
    """A stranger who calls from an address on loopback."""
    transport, made = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Stranger(pbx), local_addr=(address, 0)
    )
    made.use(transport)
    try:
        yield made
    finally:
        transport.close()
