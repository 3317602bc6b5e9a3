"""A manager interface that does what a test says, over real sockets: what we use of Asterisk's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from hashlib import md5

from attrs import define

from unique_account.adapters.asterisk import ManagerLogin
from unique_account.adapters.asterisk.ami.codec import Decoder
from unique_account.adapters.asterisk.ami.message import Message

SECRET = "a-secret-that-nobody-may-see"
CHALLENGE = "168230411"
KEY = "5f3b"
BOOTED = "Event: FullyBooted\r\nStatus: Fully Booted"
Reply = Callable[[Message], list[str]]


@define(eq=False)
class Session:
    """A connection, as Asterisk lists it.

    Attributes:
        number: Its place among all connections so far.
        writer: Where its answers go.
        descriptor: Its file descriptor.
        began: When it began, in connections so far.
        account: As whom it is logged in; empty until it is.
        looks: How often it is still listed although it is to end; None if it is not.
        ended: Whether nothing of it is carried out any more.
    """

    number: int
    writer: asyncio.StreamWriter
    descriptor: int
    began: int
    account: str = ""
    looks: int | None = None
    ended: bool = False

    def end(self) -> None:
        """Carry out nothing of it any more."""
        self.ended = True
        self.writer.transport.abort()


class ScriptedNode:
    """Answers actions, and tells what it is told to tell.

    Attributes:
        actions: Every action so far.
        devices: The status of each device.
        contacts: The contact that each endpoint has registered.
        endpoints: Of each endpoint, the contacts with their AORs, between commas, and its state.
        channels: The headers of each live channel.
        database: AstDB.
        hints: What each hint follows.
        states: The custom device states.
        globals: The global variables of the dialplan.
        replies: What is answered to an action, in place of what is usual.
        unanswered: The actions that are not answered.
        gives_back: How much of a value `DBGet` tells.
        make: The make of every phone.
        opened: How many connections there were.
        sessions: The sessions of now, each as long as Asterisk lists it.
        lingers: How many looks at the list a session survives that is to end.
        carried_out: Called with each action that is carried out, and its session.
    """

    def __init__(self) -> None:
        self.actions: list[Message] = []
        self.devices: dict[str, str] = {}
        self.contacts: dict[str, str] = {}
        self.endpoints = dict.fromkeys(("alice", "alice_w"), ("", "Unavailable"))
        self.channels: dict[str, str] = {}
        self.database: dict[str, str] = {}
        self.hints: dict[str, str] = {}
        self.states: dict[str, str] = {}
        self.replies: dict[str, Reply] = {}
        self.unanswered: set[str] = set()
        self.globals: dict[str, str] = {"UNIQUE_ACCOUNT_KEY": KEY}
        self.make = "Yealink SIP-T46S 66.84"
        self.gives_back = 5000
        self.opened = 0
        self.sessions: list[Session] = []
        self.lingers = 0
        self.carried_out: Callable[[Session, Message], object] = lambda _, __: None
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._port = 0
        self._news = asyncio.Event()

    @property
    def login(self) -> ManagerLogin:
        """Where it is, and as whom to log in."""
        return ManagerLogin(username="tester", secret=SECRET, port=self._port)

    async def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, and cut every connection."""
        if self._server is not None:
            self._server.close()
            self.cut()
            await self._server.wait_closed()
            self._server = None

    def cut(self) -> None:
        """Cut every connection."""
        for writer in self._writers:
            writer.transport.abort()

    def write(self, data: bytes) -> None:
        """Send bytes to everybody."""
        for writer in self._writers:
            writer.write(data)

    def report(self, *messages: str) -> None:
        """Send messages to everybody."""
        self.write(b"".join(f"{message}\r\n\r\n".encode() for message in messages))

    def given(self, action: str) -> list[Message]:
        """The actions of a name so far."""
        return [message for message in self.actions if message.get("Action") == action]

    async def asked(self, action: str, times: int = 1) -> None:
        """Wait until an action was given so often."""
        while len(self.given(action)) < times:
            self._news.clear()
            await self._news.wait()

    def listed(self) -> list[str]:
        """The sessions as the console lists them; one that lingers may carry out one more action."""
        for session in self.sessions:
            if session.looks is not None:
                session.looks -= 1
                if session.looks < 0:
                    session.end()
        self.sessions = [session for session in self.sessions if not session.ended]
        return [
            f"  {session.account[:15]:<15}  {'127.0.0.1':<55}  {1_767_600_000 + session.began:<10}  "
            f"{self.opened - session.began:<10}  {session.descriptor:<8}  {0:<8}  {4095:010}  {4095:010}"
            for session in self.sessions
        ]

    def end(self, descriptor: int) -> str:
        """Let the session of a descriptor end, as soon as it is asked to."""
        for session in self.sessions:
            if session.descriptor == descriptor:
                session.looks = self.lingers if session.looks is None else session.looks
                if not session.looks:
                    session.end()
                return "Kicking manager session"
        return "No manager session found"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        session = Session(self.opened, writer, 20 + self.opened, self.opened)
        self.sessions.append(session)
        self._writers.add(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        decoder = Decoder()
        with suppress(OSError, asyncio.CancelledError):
            while data := await reader.read(65536):
                for message in decoder.feed(data):
                    assert isinstance(message, Message)
                    if not session.ended:
                        self._answer(message, session)
        session.ended = True
        self._writers.discard(writer)
        writer.close()

    def _answer(self, action: Message, session: Session) -> None:
        self.actions.append(action)
        self.carried_out(session, action)
        self._news.set()
        name = action["Action"]
        if name in self.unanswered:
            return
        reply = self.replies.get(name) or _USUAL.get(name, lambda _, __: ["Response: Success"])
        reported = reply(action) if name in self.replies else reply(self, action)  # type: ignore[call-arg, arg-type]
        if name == "Login" and reported[0].startswith("Response: Success"):
            session.account = action["Username"]
        number = f"\r\nActionID: {action['ActionID']}"
        for message in reported:
            own = "" if message == BOOTED else number
            session.writer.write(f"{message}{own}\r\n\r\n".encode())
        if session.looks is not None:
            session.end()


def refused(reason: str) -> Reply:
    """An answer that refuses."""
    return lambda _: [f"Response: Error\r\nMessage: {reason}"]


def _list(items: list[str], end: str) -> list[str]:
    return ["Response: Success\r\nEventList: start", *items, f"Event: {end}\r\nEventList: Complete"]


def _challenge(_: ScriptedNode, __: Message) -> list[str]:
    return [f"Response: Success\r\nChallenge: {CHALLENGE}"]


def _log_in(_: ScriptedNode, action: Message) -> list[str]:
    key = md5(f"{CHALLENGE}{SECRET}".encode(), usedforsecurity=False).hexdigest()
    if (action.get("Username"), action.get("Key")) != ("tester", key):
        return ["Response: Error\r\nMessage: Authentication failed"]
    events = [] if action.get("Events") == "off" else [BOOTED]
    return ["Response: Success\r\nMessage: Authentication accepted", *events]


def _ping(_: ScriptedNode, __: Message) -> list[str]:
    return ["Response: Success\r\nPing: Pong\r\nTimestamp: 1767600000.000000"]


def _devices(node: ScriptedNode, _: Message) -> list[str]:
    items = [
        f"Event: DeviceStateChange\r\nDevice: {name}\r\nState: {state}"
        for name, state in node.devices.items()
    ]
    return _list(items, "DeviceStateListComplete")


def _contacts(node: ScriptedNode, _: Message) -> list[str]:
    if not node.contacts:
        return ["Response: Error\r\nMessage: No Contacts found\n"]
    items = [
        f"Event: ContactList\r\nEndpoint: {name}\r\nUri: {uri}\r\nStatus: NonQualified"
        for name, uri in node.contacts.items()
    ]
    return _list(items, "ContactListComplete")


def _endpoints(node: ScriptedNode, _: Message) -> list[str]:
    items = [
        f"Event: EndpointList\r\nObjectName: {name}\r\nContacts: {contacts}\r\nDeviceState: {state}"
        for name, (contacts, state) in node.endpoints.items()
    ]
    return _list(items, "EndpointListComplete")


def _channels(node: ScriptedNode, _: Message) -> list[str]:
    items = [f"Event: CoreShowChannel\r\n{headers}" for headers in node.channels.values()]
    return _list(items, "CoreShowChannelsComplete")


def _endpoint(node: ScriptedNode, _: Message) -> list[str]:
    detail = f"Event: ContactStatusDetail\r\nStatus: NonQualified\r\nUserAgent: {node.make}"
    return _list(["Event: EndpointDetail\r\nObjectName: alice", detail], "EndpointDetailComplete")


def _mailbox(_: ScriptedNode, action: Message) -> list[str]:
    counts = "UrgMessages: 1\r\nNewMessages: 1\r\nOldMessages: 1"
    return [
        f"Response: Success\r\nMessage: Mailbox Message Count\r\nMailbox: {action['Mailbox']}\r\n{counts}"
    ]


def _put(node: ScriptedNode, action: Message) -> list[str]:
    node.database[f"/{action['Family']}/{action['Key']}"] = action["Val"]
    return ["Response: Success"]


def _delete(node: ScriptedNode, action: Message) -> list[str]:
    found = node.database.pop(f"/{action['Family']}/{action['Key']}", None)
    return [
        "Response: Success" if found else "Response: Error\r\nMessage: Database entry could not be deleted"
    ]


def _get(node: ScriptedNode, action: Message) -> list[str]:
    value = node.database.get(f"/{action['Family']}/{action['Key']}")
    if value is None:
        return ["Response: Error\r\nMessage: Database entry not found"]
    return _list([f"Event: DBGetResponse\r\nVal: {value[: node.gives_back]}"], "DBGetComplete")


def _tree(node: ScriptedNode, action: Message) -> list[str]:
    place = "/".join(("", action["Family"], *(action.all("Key"))))
    items = [
        f"Event: DBGetTreeResponse\r\nKey: {key}\r\nVal: {value}"
        for key, value in node.database.items()
        if f"{key}/".startswith(f"{place}/")
    ]
    return _list(items, "DBGetTreeComplete")


def _set(node: ScriptedNode, action: Message) -> list[str]:
    node.states[action["Variable"].removeprefix("DEVICE_STATE(").removesuffix(")")] = action["Value"]
    return ["Response: Success"]


def _variable(node: ScriptedNode, action: Message) -> list[str]:
    uniqueids = {
        f"{headers}\r\n".partition("Channel: ")[2].partition("\r\n")[0]: uniqueid
        for uniqueid, headers in node.channels.items()
    }
    if "Channel" not in action:
        return [f"Response: Success\r\nValue: {node.globals.get(action['Variable'], '')}"]
    if action["Channel"] not in {*uniqueids, *uniqueids.values()}:
        return ["Response: Error\r\nMessage: No such channel"]
    value = uniqueids.get(action["Channel"], action["Channel"]) if action["Variable"] == "UNIQUEID" else ""
    return [f"Response: Success\r\nValue: {value}"]


def _add(node: ScriptedNode, action: Message) -> list[str]:
    node.hints[action["Extension"]] = action["Application"]
    return ["Response: Success"]


def _remove(node: ScriptedNode, action: Message) -> list[str]:
    known = node.hints.pop(action["Extension"], None)
    return ["Response: Success" if known else "Response: Error\r\nMessage: Failed to remove it"]


def _command(node: ScriptedNode, action: Message) -> list[str]:
    match action["Command"].split():
        case ["manager", "show", "connected"]:
            lines = node.listed()
        case ["manager", "kick", "session", descriptor]:
            lines = [node.end(int(descriptor))]
        case _:
            lines = []
    output = "".join(f"\r\nOutput: {line}" for line in lines)
    return [f"Response: Success\r\nMessage: Command output follows{output}"]


def _extension(node: ScriptedNode, action: Message) -> list[str]:
    return [f"Response: Success\r\nHint: {node.hints.get(action['Exten'], '')}\r\nStatus: 0"]


_USUAL: dict[str, Callable[[ScriptedNode, Message], list[str]]] = {
    "Challenge": _challenge,
    "Login": _log_in,
    "Ping": _ping,
    "DeviceStateList": _devices,
    "PJSIPShowContacts": _contacts,
    "PJSIPShowEndpoints": _endpoints,
    "CoreShowChannels": _channels,
    "MailboxCount": _mailbox,
    "PJSIPShowEndpoint": _endpoint,
    "DBPut": _put,
    "DBDel": _delete,
    "DBGet": _get,
    "DBGetTree": _tree,
    "Setvar": _set,
    "Getvar": _variable,
    "DialplanExtensionAdd": _add,
    "DialplanExtensionRemove": _remove,
    "ExtensionState": _extension,
    "Command": _command,
}


@asynccontextmanager
async def scripted_node() -> AsyncIterator[ScriptedNode]:
    """A node that listens; gone when the context closes."""
    node = ScriptedNode()
    await node.start()
    try:
        yield node
    finally:
        await node.stop()
