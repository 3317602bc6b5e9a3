"""A manager interface that answers at once what a process of a group asks, and keeps what it is given.

It knows the phones of its users, AstDB and the sessions, as far as the adapter uses them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

BOOTED: Final = b"Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n"
_STATE: Final = b"DEVICE_STATE(Custom:unique_account_"
_NUMBERS: Final = 100_000
"""The first user's number."""

Shown = Callable[["FakeNode", int, bytes], None]
"""Called with a node, a user and the state that a hint was set to."""

Answered = Callable[[bytes], None]
"""Called with the channel of a user whose dialled code was answered."""


def number_of(user: int) -> str:
    """A user's number."""
    return str(_NUMBERS + user)


class FakeNode:
    """One node with its users, every so-many-th of all.

    Attributes:
        index: Which one it is.
        sessions: Those that are logged in or about to be.
        actions: How many actions it was given.
        states: The state of each user's deskphone.
    """

    def __init__(self, index: int, users: range, shown: Shown, answered: Answered) -> None:
        self.index = index
        self.sessions: list[Session] = []
        self.actions = 0
        self.states = dict.fromkeys(users, b"NOT_INUSE")
        self.shown = shown
        self.answered = answered
        self.database: dict[bytes, bytes] = {}
        self.globals: dict[bytes, bytes] = {b"UNIQUE_ACCOUNT_KEY": b"5f3b"}
        self.has_canary = False
        self.opened = 0

    async def listen(self) -> int:
        """Listen on a port of loopback, which is returned."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Session(self), "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def report(self, event: bytes) -> None:
        """Send an event to all who listen."""
        for session in self.sessions:
            if session.listens:
                session.transport.write(event)


class Session(asyncio.Protocol):
    """A session of the manager interface."""

    def __init__(self, node: FakeNode) -> None:
        self._node = node
        self._rest = b""
        self.listens = False
        self.account = b""
        self.began = int(time.time())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._node.opened += 1
        self.number = 20 + self._node.opened
        self._node.sessions.append(self)
        transport.write(b"Asterisk Call Manager/11.0.0\r\n")

    def connection_lost(self, _: Exception | None) -> None:
        if self in self._node.sessions:
            self._node.sessions.remove(self)

    def data_received(self, data: bytes) -> None:
        *actions, self._rest = (self._rest + data).split(b"\r\n\r\n")
        self._node.actions += len(actions)
        self.transport.write(b"".join(map(self._answer, actions)))

    def end(self) -> None:
        """Carry out nothing of it any more."""
        self.connection_lost(None)
        self.transport.abort()

    def _answer(self, action: bytes) -> bytes:
        first, number, *headers = action.split(b"\r\n")
        name = first[8:]
        if name == b"Setvar":
            self._set(headers)
        elif name != b"DialplanExtensionAdd" or b"canary" in action:
            handle = _ANSWERS.get(name)
            if handle is not None:
                given = dict(header.split(b": ", 1) for header in headers if b": " in header)
                return handle(self, self._node, number, given)
        return b"Response: Success\r\n%b\r\n\r\n" % number

    def _set(self, headers: list[bytes]) -> None:
        """A hint's state, a global variable, or the answer to a dialled code."""
        if headers[0].startswith(b"Channel: "):
            self._node.answered(headers[0][9:])
            return
        variable, value = headers[0][10:], headers[1][7:]
        if not variable.startswith(_STATE):
            self._node.globals[variable] = value
        elif (text := variable[len(_STATE) : -1]).isdigit():
            self._node.shown(self._node, int(text) - _NUMBERS, value)


Headers = dict[bytes, bytes]


def _listed(number: bytes, items: Iterable[bytes]) -> bytes:
    body = b"".join(b"%b\r\n%b\r\n\r\n" % (item, number) for item in items)
    start = b"Response: Success\r\nEventList: start\r\n%b\r\n\r\n" % number
    return start + body + b"Event: ListComplete\r\nEventList: Complete\r\n%b\r\n\r\n" % number


def _error(number: bytes, reason: bytes) -> bytes:
    return b"Response: Error\r\nMessage: %b\r\n%b\r\n\r\n" % (reason, number)


def _success(number: bytes, *lines: bytes) -> bytes:
    return b"\r\n".join((b"Response: Success", *lines, number)) + b"\r\n\r\n"


def _challenge(_: Session, __: FakeNode, number: bytes, ___: Headers) -> bytes:
    return _success(number, b"Challenge: 168230411")


def _log_in(session: Session, _: FakeNode, number: bytes, given: Headers) -> bytes:
    session.account = given[b"Username"]
    session.listens = given.get(b"Events") != b"off"
    return _success(number) + (BOOTED if session.listens else b"")


def _ping(_: Session, __: FakeNode, number: bytes, ___: Headers) -> bytes:
    return _success(number, b"Ping: Pong", b"Timestamp: %.6f" % time.time())


def _devices(_: Session, node: FakeNode, number: bytes, __: Headers) -> bytes:
    form = b"Event: DeviceStateChange\r\nDevice: PJSIP/u%d\r\nState: %b"
    return _listed(number, (form % each for each in node.states.items()))


def _contacts(_: Session, node: FakeNode, number: bytes, __: Headers) -> bytes:
    form = b"Event: ContactList\r\nEndpoint: u%d\r\nUri: sip:u%d@127.0.0.1\r\nStatus: NonQualified"
    return _listed(number, (form % (user, user) for user in node.states))


def _endpoints(_: Session, node: FakeNode, number: bytes, __: Headers) -> bytes:
    form = b"Event: EndpointList\r\nObjectName: u%d\r\nContacts: u%d/sip:u%d@127.0.0.1,\r\nDeviceState: %b"
    browser = b"Event: EndpointList\r\nObjectName: u%d_w\r\nContacts: \r\nDeviceState: Unavailable"
    phones = (form % (user, user, user, state) for user, state in node.states.items())
    return _listed(number, (*phones, *(browser % user for user in node.states)))


def _none(_: Session, __: FakeNode, number: bytes, ___: Headers) -> bytes:
    return _listed(number, ())


def _put(_: Session, node: FakeNode, number: bytes, given: Headers) -> bytes:
    node.database[b"/%b/%b" % (given[b"Family"], given[b"Key"])] = given[b"Val"]
    return _success(number)


def _delete(_: Session, node: FakeNode, number: bytes, given: Headers) -> bytes:
    node.database.pop(b"/%b/%b" % (given[b"Family"], given[b"Key"]), None)
    return _success(number)


def _get(_: Session, node: FakeNode, number: bytes, given: Headers) -> bytes:
    value = node.database.get(b"/%b/%b" % (given[b"Family"], given[b"Key"]))
    if value is None:
        return _error(number, b"Database entry not found")
    return _listed(number, [b"Event: DBGetResponse\r\nVal: %b" % value])


def _tree(_: Session, node: FakeNode, number: bytes, given: Headers) -> bytes:
    prefix = b"/%b/%b" % (given[b"Family"], given.get(b"Key", b""))
    form = b"Event: DBGetTreeResponse\r\nKey: %b\r\nVal: %b"
    return _listed(number, (form % entry for entry in node.database.items() if entry[0].startswith(prefix)))


def _variable(_: Session, node: FakeNode, number: bytes, given: Headers) -> bytes:
    return _success(number, b"Value: " + node.globals.get(given[b"Variable"], b""))


def _command(_: Session, node: FakeNode, number: bytes, given: Headers) -> bytes:
    words = given[b"Command"].split()
    lines = []
    if words[:2] == [b"manager", b"show"]:
        lines = [_row(session) for session in node.sessions]
    elif words[:2] == [b"manager", b"kick"]:
        for session in list(node.sessions):
            if session.number == int(words[3]):
                session.end()
    return _success(number, b"Message: Command output follows", *(b"Output: " + line for line in lines))


def _row(session: Session) -> bytes:
    """A session as the console lists it."""
    name, age = session.account[:15].decode(), int(time.time()) - session.began
    rights = f"{0:<8}  {4095:010}  {4095:010}"
    row = f"  {name:<15}  {'127.0.0.1':<55}  {session.began:<10}  {age:<10}  {session.number:<8}  {rights}"
    return row.encode()


def _place(_: Session, node: FakeNode, number: bytes, __: Headers) -> bytes:
    node.has_canary = True
    return _success(number)


def _extension(_: Session, node: FakeNode, number: bytes, __: Headers) -> bytes:
    return _success(number, b"Hint: Custom:canary" if node.has_canary else b"Hint: ", b"Status: 0")


_ANSWERS: Final[dict[bytes, Callable[[Session, FakeNode, bytes, Headers], bytes]]] = {
    b"Challenge": _challenge,
    b"Command": _command,
    b"CoreShowChannels": _none,
    b"DBDel": _delete,
    b"DBGet": _get,
    b"DBGetTree": _tree,
    b"DBPut": _put,
    b"DeviceStateList": _devices,
    b"DialplanExtensionAdd": _place,
    b"ExtensionState": _extension,
    b"Getvar": _variable,
    b"Login": _log_in,
    b"PJSIPShowContacts": _contacts,
    b"PJSIPShowEndpoints": _endpoints,
    b"Ping": _ping,
}
