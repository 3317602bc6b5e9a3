"""Parties: light SIP phones within this process, controlled by a test, which record what they see.

A party has no sound. It registers, dials, rings, answers, refuses, hangs up, holds and resumes; it obeys the
*talk* and *hold* events if it is controllable; and it is notified of waiting messages. Everything
that it sees goes into its journal, as a word and what belongs to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from itertools import count
from secrets import token_hex
from typing import Any, Final
from urllib.parse import quote

from attrs import define, field

from lab import sip
from lab.asterisk import Node
from lab.config import Endpoint
from lab.journal import Journal, JournalEntry
from lab.ports import LOOPBACK
from lab.sip import SipMessage
from lab.waiting import PATIENCE

Seen = tuple[str, str]
"""A word, such as ``ringing``, and its detail, such as the caller."""

MAKE: Final = "lab-party/1"
"""The ``User-Agent`` of a party."""

_NOWHERE: Final = 9
"""The port to which media goes: that of the discard service, which is never offered."""

_T1: Final = 0.5
"""After how many seconds an unanswered request is sent again (RFC 3261, 17.1); then after twice that."""

_T2: Final = 4.0
"""The longest wait between two of them."""


@define(eq=False)
class PartyCall:
    """One call of a party, ringing or answered.

    Attributes:
        number: Who calls, or what was dialled.
        incoming: Whether the party is called.
        answered: Whether it was answered.
        held: Whether the party holds it.
        over: Whether it is over.
        status: With which SIP status it was refused; 0 while it was not.
        cause: The Q.850 cause with which it ended; empty if none was given.
    """

    number: str
    incoming: bool
    local: str
    remote: str
    target: str
    id: str = field(factory=lambda: token_hex(8))
    answered: bool = False
    held: bool = False
    over: bool = False
    status: int = 0
    cause: str = ""
    invite: SipMessage | None = None
    response: SipMessage | None = None


class Party(asyncio.DatagramProtocol):
    """A phone that is registered as an endpoint, or will be.

    Attributes:
        name: The endpoint's name.
        journal: What it saw: ``ringing``, ``progress``, ``answered``, ``refused``, ``over``, ``messages``.
        calls: Its calls that are not over, in the order in which they came.
        more: Further headers of every call that it makes.
    """

    def __init__(self, pbx: Node, endpoint: Endpoint, *, controllable: bool, rings: bool) -> None:
        self.name = endpoint.name
        self.journal: Journal[Seen] = Journal(endpoint.name, " ".join)
        self.calls: list[PartyCall] = []
        self.more: tuple[tuple[str, str], ...] = ()
        self._pbx = pbx
        self._password = endpoint.password
        self._controllable = controllable
        self._rings = rings
        self._tag = token_hex(8)
        self._registration = token_hex(8)
        self._numbers = count(1)
        self._answers: dict[str, asyncio.Future[SipMessage]] = {}
        self._repeats: dict[str, asyncio.Task[None]] = {}
        self._refused: dict[str, SipMessage] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def use(self, transport: asyncio.DatagramTransport) -> None:
        """Send by this socket."""
        self._transport = transport

    # -- commands -----------------------------------------------------------------------

    async def register(self, seconds: int = 300) -> None:
        """Register its contact, for so many seconds; 0 takes the contact away."""
        address = f"<sip:{self.name}@{self._pbx.sip}>"
        answered = await self._ask(
            "REGISTER",
            f"sip:{self._pbx.sip}",
            (("From", f"{address};tag={self._tag}"), ("To", address), ("Call-ID", self._registration)),
            (("Contact", self._contact), ("Expires", str(seconds)), ("User-Agent", MAKE)),
        )
        if answered.status != 200:
            raise ConnectionError(f"{self.name} is not registered: {answered.start}")

    async def unregister(self) -> None:
        """Take its contact away."""
        await self.register(0)

    def dial(self, number: str) -> PartyCall:
        """Call a number; what comes of it is in the call, and in the journal."""
        target = f"sip:{number}@{self._pbx.sip}"
        local = f"<sip:{self.name}@{self._pbx.sip}>;tag={token_hex(8)}"
        call = PartyCall(number, False, local, f"<{target}>", target)
        self.calls.append(call)
        self._start(self._invite(call))
        return call

    @property
    def ringing(self) -> PartyCall | None:
        """The call for which it rings."""
        return next((call for call in self.calls if call.incoming and not call.answered), None)

    def answer(self, call: PartyCall | None = None) -> None:
        """Answer the call that rings."""
        call = call or self._ringing()
        call.answered = True
        self._respond(call, "200 OK", sip.offer(LOOPBACK, _NOWHERE, "sendrecv"))
        self.journal.write(("answered", call.number))

    def reject(self, status: str = "486 Busy Here") -> None:
        """Refuse the call that rings."""
        call = self._ringing()
        self._refused[call.id] = self._respond(call, status)
        self._end(call, "refused")

    async def hang_up(self, call: PartyCall | None = None) -> None:
        """End a call; one that is dialled is given up."""
        call = call or self.calls[-1]
        if call.answered:
            await self._within(call, "BYE")
            self._end(call, "over")
        elif call.invite is not None:
            kept = ("From", "To", "Call-ID", "Via")
            headers = tuple(pair for name in kept for pair in call.invite.all(name))
            number = call.invite["CSeq"].partition(" ")[0]
            cancel = SipMessage(f"CANCEL {call.target} SIP/2.0", (*headers, ("CSeq", f"{number} CANCEL")))
            self._send(cancel)

    async def hold(self, call: PartyCall | None = None) -> None:
        """Put a call on hold."""
        await self._direct(call or self.calls[-1], held=True)

    async def resume(self, call: PartyCall | None = None) -> None:
        """Take a call back from hold."""
        await self._direct(call or self.calls[-1], held=False)

    async def transfer(self, number: str, call: PartyCall | None = None) -> None:
        """Give a call to a number, unseen."""
        await self._refer(call or self.calls[-1], f"<sip:{number}@{self._pbx.sip}>")

    async def join(self, call: PartyCall, other: PartyCall) -> None:
        """Give a call to whom another call is with, which completes an attended transfer."""
        to, of = (header.partition("tag=")[2] for header in (other.remote, other.local))
        replaces = quote(f"{other.id};to-tag={to};from-tag={of}", safe="")
        await self._refer(call, f"<{other.target.partition(';')[0]}?Replaces={replaces}>")

    async def wait_for(self, word: str, *, after: float = 0.0) -> JournalEntry[Seen]:
        """Wait until it sees something.

        Raises:
            NotReported: It did not within `lab.waiting.PATIENCE`.
        """
        return await self.journal.wait(lambda seen: seen[0] == word, word, after=after)

    # -- requests ------------------------------------------------------------------------------------

    @property
    def _contact(self) -> str:
        host, port = self._transport.get_extra_info("sockname")
        return f"<sip:{self.name}@{host}:{port}>"

    def _request(
        self, method: str, uri: str, number: int, headers: Iterable[tuple[str, str]], body: str = ""
    ) -> SipMessage:
        host, port = self._transport.get_extra_info("sockname")
        via = ("Via", f"SIP/2.0/UDP {host}:{port};branch=z9hG4bK{token_hex(8)};rport")
        typed = (("Content-Type", "application/sdp"),) if body else ()
        fixed = (via, ("Max-Forwards", "70"), ("CSeq", f"{number} {method}"))
        return SipMessage(f"{method} {uri} SIP/2.0", (*fixed, *headers, *typed), body)

    async def _ask(
        self,
        method: str,
        uri: str,
        headers: tuple[tuple[str, str], ...],
        more: tuple[tuple[str, str], ...] = (),
        body: str = "",
        call: PartyCall | None = None,
    ) -> SipMessage:
        """Send a request, with credentials if they are asked for; the final answer."""
        request = self._request(method, uri, next(self._numbers), (*headers, *more), body)
        answered = await self._final(request, call)
        if answered.status == 401:
            self._acknowledge(request, answered)
            credentials = sip.digest(answered["WWW-Authenticate"], self.name, self._password, method, uri)
            given = (("Authorization", credentials),)
            request = self._request(method, uri, next(self._numbers), (*headers, *more, *given), body)
            answered = await self._final(request, call)
        self._acknowledge(request, answered)
        return answered

    async def _final(self, request: SipMessage, call: PartyCall | None) -> SipMessage:
        answered: asyncio.Future[SipMessage] = asyncio.get_running_loop().create_future()
        self._answers[request["CSeq"]] = answered
        if call is not None:
            call.invite = request
        self._send(request)
        self._repeats[request["CSeq"]] = asyncio.create_task(self._send_again(request))
        try:
            async with asyncio.timeout(None if request.method == "INVITE" else PATIENCE):
                return await answered
        except TimeoutError:
            raise TimeoutError(
                f"{self.name} is not answered within {PATIENCE:g} s: {request.start}"
            ) from None
        finally:
            del self._answers[request["CSeq"]]
            self._repeats.pop(request["CSeq"]).cancel()

    async def _send_again(self, request: SipMessage) -> None:
        """Send a request again until it is answered: an Asterisk with too much to do drops new requests."""
        wait = _T1
        while True:
            await asyncio.sleep(wait)
            self._send(request)
            wait = min(2 * wait, _T2)

    def _acknowledge(self, request: SipMessage, answered: SipMessage) -> None:
        if request.method != "INVITE":
            return
        number = request["CSeq"].partition(" ")[0]
        kept = (("From", request["From"]), ("To", answered["To"]), ("Call-ID", request["Call-ID"]))
        headers = (*request.all("Via"), *kept, ("CSeq", f"{number} ACK"), ("Max-Forwards", "70"))
        self._send(SipMessage(f"ACK {request.start.split()[1]} SIP/2.0", headers))

    async def _within(
        self, call: PartyCall, method: str, body: str = "", more: tuple[tuple[str, str], ...] = ()
    ) -> SipMessage:
        """A request within an answered call."""
        headers = (("From", call.local), ("To", call.remote), ("Call-ID", call.id))
        return await self._ask(method, call.target, headers, (("Contact", self._contact), *more), body)

    async def _invite(self, call: PartyCall) -> None:
        headers = (("From", call.local), ("To", call.remote), ("Call-ID", call.id))
        body = sip.offer(LOOPBACK, _NOWHERE, "sendrecv")
        more = (("Contact", self._contact), *self.more)
        answered = await self._ask("INVITE", call.target, headers, more, body, call)
        call.remote, call.status = answered["To"], answered.status
        if answered.status == 200:
            call.answered, call.status = True, 0
            call.target = answered["Contact"].strip("<>")
            self.journal.write(("answered", call.number))
        else:
            self._note_cause(call, answered)
            self._end(call, "refused")

    async def _refer(self, call: PartyCall, target: str) -> None:
        own = f"<sip:{self.name}@{self._pbx.sip}>"
        answered = await self._within(call, "REFER", more=(("Refer-To", target), ("Referred-By", own)))
        if answered.status != 202:
            raise ConnectionError(f"{self.name} may not transfer: {answered.start}")

    async def _direct(self, call: PartyCall, *, held: bool) -> None:
        body = sip.offer(LOOPBACK, _NOWHERE, "sendonly" if held else "sendrecv")
        await self._within(call, "INVITE", body)
        call.held = held

    # -- what comes ----------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take a request or a response."""
        message = sip.parse(data)
        if message.status:
            self._take_answer(message)
            return
        known = next((call for call in self.calls if call.id == message["Call-ID"]), None)
        match message.method, known:
            case "INVITE", None if message["Call-ID"] in self._refused:
                self._send(self._refused[message["Call-ID"]])  # it was asked again
            case "INVITE", None:
                self._called(message)
            case "INVITE", PartyCall(response=response) if response is not None and not known.answered:
                self._send(response)  # it was asked again
            case "INVITE", PartyCall():
                body = sip.offer(LOOPBACK, _NOWHERE, "sendrecv")
                self._send(sip.answer(message, "200 OK", self._tag, self._typed(), body))
            case "CANCEL" | "BYE", PartyCall():
                self._ended(message, known)
            case "NOTIFY", _:
                self._notified(message, known)
            case "ACK", _:
                pass
            case _:
                self._send(sip.answer(message, "200 OK", self._tag))

    def _take_answer(self, message: SipMessage) -> None:
        waiting = self._answers.get(message["CSeq"])
        if repeat := self._repeats.get(message["CSeq"]):
            repeat.cancel()
        if message.status < 200:
            call = next((call for call in self.calls if call.id == message["Call-ID"]), None)
            if call is not None and message.status > 100:
                self.journal.write(("progress", str(message.status)))
        elif waiting is not None and not waiting.done():
            waiting.set_result(message)

    def _called(self, invite: SipMessage) -> None:
        caller = invite["From"].partition("sip:")[2].partition("@")[0]
        local = f"{invite['To']};tag={self._tag}"
        target = invite["Contact"].strip("<>")
        call = PartyCall(caller, True, local, invite["From"], target, invite["Call-ID"], invite=invite)
        self.calls.append(call)
        if self._rings:
            self._respond(call, "180 Ringing")
        self.journal.write(("ringing", caller))

    def _ended(self, message: SipMessage, call: PartyCall) -> None:
        self._send(sip.answer(message, "200 OK", self._tag))
        self._note_cause(call, message)
        if message.method == "CANCEL":
            self._respond(call, "487 Request Terminated")
        self._end(call, "over")

    def _notified(self, message: SipMessage, call: PartyCall | None) -> None:
        event = message["Event"].partition(";")[0]
        if event == "message-summary":
            self._send(sip.answer(message, "200 OK", self._tag))
            self.journal.write(("messages", message.body.partition("Voice-Message: ")[2].partition(" ")[0]))
        elif call is None or not self._controllable:
            self._send(sip.answer(message, "489 Bad Event", self._tag))
        else:
            self._send(sip.answer(message, "200 OK", self._tag))
            self._control(event, call)

    def _control(self, event: str, call: PartyCall) -> None:
        if event == "talk" and not call.answered:
            self.answer(call)
        elif event in ("talk", "hold"):
            self._start(self._direct(call, held=event == "hold"))

    # -- what they stand on --------------------------------------------------------------------------

    def _ringing(self) -> PartyCall:
        call = self.ringing
        assert call is not None, f"{self.name} does not ring"
        return call

    def _typed(self) -> tuple[tuple[str, str], ...]:
        return (("Contact", self._contact), ("Content-Type", "application/sdp"))

    def _respond(self, call: PartyCall, status: str, body: str = "") -> SipMessage:
        assert call.invite is not None
        more = self._typed() if body else (("Contact", self._contact),)
        call.response = sip.answer(call.invite, status, self._tag, more, body)
        self._send(call.response)
        return call.response

    def _note_cause(self, call: PartyCall, message: SipMessage) -> None:
        _, _, cause = message["Reason"].partition("cause=")
        call.cause = cause.partition(";")[0]

    def _end(self, call: PartyCall, word: str) -> None:
        if not call.over:
            call.over = True
            self.calls.remove(call)
            self.journal.write((word, call.number))

    def _send(self, message: SipMessage) -> None:
        self._transport.sendto(bytes(message), (self._pbx.ports.address, self._pbx.ports.sip))

    def _start(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Do nothing more."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._transport.close()


@asynccontextmanager
async def party(
    pbx: Node, endpoint: Endpoint, *, controllable: bool = False, rings: bool = True, port: int = 0
) -> AsyncIterator[Party]:
    """A party that may register as an endpoint of a node; gone when the context closes, its contact is not.

    Args:
        pbx: The node.
        endpoint: As whom.
        controllable: Whether it does what the *talk* and *hold* events tell it.
        rings: Whether it says that it rings; one that does not is like a frozen phone.
        port: Where it listens; any free port if 0.
    """
    transport, made = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Party(pbx, endpoint, controllable=controllable, rings=rings), local_addr=(LOOPBACK, port)
    )
    made.use(transport)
    try:
        yield made
    finally:
        await made.aclose()
