"""A node whose users' accounts a real service keeps, with SIP parties as phones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final

from attrs import evolve, frozen

from lab.asterisk import Node, node
from lab.config import Endpoint
from lab.parties import MAKE, Party, party
from lab.patience import until
from lab.ports import LOOPBACK
from unique_account import User
from unique_account.adapters.asterisk import AsteriskPbx, ManagerLogin, render
from unique_account.adapters.asterisk.manager.words import LINE_STATUSES
from unique_account.adapters.memory import MemoryAccounts, MemoryCti, MemoryObserver
from unique_account.bootstrap import bootstrap
from unique_account.core.account import Account
from unique_account.core.machine import Device
from unique_account.core.routing import DEFAULT_OWNER, plan
from unique_account.service import Service

ALICE: Final = User(
    id="alice",
    extension="1001",
    deskphone="PJSIP/alice",
    webrtc="PJSIP/alice_w",
    mailbox="1001@default",
    ring_seconds=3,
)
BOB: Final = User(id="bob", extension="1002", deskphone="PJSIP/bob", webrtc="PJSIP/bob_w", ring_seconds=3)
MAILBOX: Final = {"mailboxes": "1001@default"}
DESKPHONE: Final = Endpoint(name="alice", caller_id="1001", options=MAILBOX)
WEBRTC: Final = Endpoint(name="alice_w", caller_id="1001", options=MAILBOX)
COLLEAGUE: Final = Endpoint(name="bob", caller_id="1002")
UNUSED: Final = Endpoint(name="bob_w")
THIRD: Final = Endpoint(name="carol", caller_id="1003")
WATCHER: Final = Endpoint(name="lamp", password="")
EXTENSIONS: Final = """
#include unique_account.conf
[default]
include = unique-account-numbers-default
include = unique-account-hints
exten = 1003,1,Dial(PJSIP/carol,30)
exten = 1098,1,VoiceMail(1001@default,s)
exten = 1099,1,Dial(PJSIP/alice,30)
"""


def files(users: Iterable[User]) -> dict[str, str]:
    """The files of a node for these users."""
    return {
        "unique_account.conf": render(users),
        "voicemail.conf": "[general]\nformat = wav\n[default]\n1001 => 1234,Alice\n",
    }


def manager_login(pbx: Node) -> ManagerLogin:
    """As whom to log in to a node of the lab."""
    return ManagerLogin(username=pbx.user, secret=pbx.secret, port=pbx.ports.ami)


@frozen(weakref_slot=False)
class Live:
    """A node, a service that keeps the accounts of Alice and Bob, and the phones.

    Attributes:
        wire: What connects the two.
        alice: Alice's deskphone, which obeys the talk and hold events.
        browser: A party in the place of Alice's browser.
        bob: Bob's deskphone.
        carol: The deskphone of somebody without an account.
    """

    pbx: Node
    wire: Wire
    adapter: AsteriskPbx
    service: Service
    cti: MemoryCti
    observer: MemoryObserver
    alice: Party
    browser: Party
    bob: Party
    carol: Party

    def account(self, user: str = "alice") -> Account:
        """A user's account now."""
        return self.service.account(user)

    async def agrees(self) -> None:
        """Wait until accounts and node say the same of every line, call and plan."""

        async def so() -> bool:
            return [await self._at_node(user) for user in ("alice", "bob")] == [
                self._in_account(user) for user in ("alice", "bob")
            ]

        await until(so, "that the accounts agree with the node")

    async def _at_node(self, user: str) -> list[object]:
        interfaces = [self.account(user).user.interface(device) for device in Device]
        states = [
            (await self.pbx.ami.act("Getvar", ("Variable", f"DEVICE_STATE({interface})")))["Value"]
            for interface in interfaces
        ]
        channels = (await self.pbx.cli("core show channels concise")).splitlines()
        calls = sum(line.startswith(tuple(f"{one}-" for one in interfaces)) for line in channels)
        try:
            plan = (await self.adapter.installed(DEFAULT_OWNER)).get(user)
        except ConnectionError:
            plan = None
        return [[LINE_STATUSES[state] for state in states], calls, plan]

    def _in_account(self, user: str) -> list[object]:
        account = self.account(user)
        return [[account.line(device).status for device in Device], len(account.calls), plan(account)]


class Wire:
    """A wire between an adapter and a manager interface, that can be cut, and on which others can talk."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ends: set[asyncio.StreamWriter] = set()
        self._clients: set[asyncio.StreamWriter] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection in both directions."""
        try:
            node_reader, node_writer = await asyncio.open_connection(LOOPBACK, self._port)
        except OSError:  # the node is down
            writer.transport.abort()
            return
        self._clients.add(writer)
        self._ends |= {writer, node_writer}
        await asyncio.gather(_copy(reader, node_writer), _copy(node_reader, writer))
        self._clients.discard(writer)
        self._ends -= {writer, node_writer}

    def cut(self) -> None:
        """Cut every connection."""
        for end in self._ends:
            end.transport.abort()

    def garble(self, garbage: bytes) -> None:
        """Let the adapters hear garbage."""
        for client in self._clients:
            client.write(garbage)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


@asynccontextmanager
async def wire(pbx: Node) -> AsyncIterator[tuple[Wire, ManagerLogin]]:
    """A wire to a node, and where its other end is."""
    carrier = Wire(pbx.ports.ami)
    server = await asyncio.start_server(carrier.carry, LOOPBACK, 0)
    login = evolve(manager_login(pbx), port=server.sockets[0].getsockname()[1])
    try:
        yield carrier, login
    finally:
        server.close()
        carrier.cut()


@asynccontextmanager
async def live(
    *users: User, more: Iterable[Endpoint] = (), extensions: str = EXTENSIONS, pjsip: str = ""
) -> AsyncIterator[Live]:
    """A node with a service, both of which have begun; every phone is registered but the browser.

    Args:
        users: Who has an account; Alice and Bob if nobody is named.
        more: Further endpoints.
        extensions: The dialplan beside the rendered one.
        pjsip: What comes at the end of ``pjsip.conf``.
    """
    users = users or (ALICE, BOB)
    endpoints = (DESKPHONE, WEBRTC, COLLEAGUE, THIRD, WATCHER, UNUSED)
    async with AsyncExitStack() as stack:
        pbx = await stack.enter_async_context(
            node(
                (*endpoints, *more),
                extensions,
                more_files=files(users),
                appended={"pjsip.conf": pjsip},
                prompts=True,
            )
        )
        phones = {
            one.name: await stack.enter_async_context(party(pbx, one, obeys=one is DESKPHONE))
            for one in endpoints[:4]
        }
        for name in ("alice", "bob", "carol"):
            await phones[name].register()
        observer, cti, accounts = MemoryObserver(), MemoryCti(), MemoryAccounts()
        await accounts.add(users)
        carrier, login = await stack.enter_async_context(wire(pbx))
        adapter = AsteriskPbx(login, observer, obeying=(MAKE,))
        service = await stack.enter_async_context(
            bootstrap(accounts=accounts, pbxs=(adapter,), cti=cti, observer=observer)
        )
        named = (phones["alice"], phones["alice_w"], phones["bob"], phones["carol"])
        yield Live(pbx, carrier, adapter, service, cti, observer, *named)
