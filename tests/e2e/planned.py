"""A node that carries plans out by itself: nothing of the library runs once the plans are in AstDB."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from attrs import evolve, frozen

from lab.ami import Ami
from lab.asterisk import Node, node
from lab.config import Endpoint
from lab.journal import Told
from lab.patience import until
from lab.phones import Phone, phone
from lab.ports import LOOPBACK
from unique_account import User
from unique_account.adapters.asterisk.installing.plan_entries import FAMILY, Entry, entries
from unique_account.adapters.asterisk.manager.ami import Message
from unique_account.adapters.asterisk.rendered.dialplan import render
from unique_account.core.account import Account
from unique_account.core.events import Event, apply
from unique_account.core.forwarding import Destination, Extension, Mailbox, Refusal
from unique_account.core.routing import Plan, plan

DID: Final = "+33123450001"
OUTSIDE: Final = Extension("2000")
MAILBOX: Final = "1001@default"
ALICE: Final = User(
    id="alice",
    extension="1001",
    deskphone="PJSIP/alice",
    webrtc="PJSIP/alice_w",
    dids=(DID,),
    ring_seconds=2,
    did_ring_seconds={DID: 1},
)
BOB: Final = User(
    id="bob", extension="1002", deskphone="PJSIP/bob", webrtc="PJSIP/bob_w", ring_seconds=2, max_forwards=3
)

DESKPHONE: Final = Endpoint(name="alice", caller_id="1001")
BROWSER: Final = Endpoint(name="alice_w", caller_id="1001", webrtc=True)
IN_ITS_PLACE: Final = Endpoint(name="alice_w", caller_id="1001")
CALLER: Final = Endpoint(name="bob", caller_id="1002")
FILES: Final = {
    "unique_account.conf": render([evolve(ALICE, mailbox=MAILBOX), BOB]),
    "voicemail.conf": "[general]\nformat = wav\n[default]\n1001 => 1234,Alice\n",
}
EXTENSIONS: Final = """
#include unique_account.conf
[default]
include = unique-account-numbers-default
include = unique-account-hints
exten = _2XXX,1,NoOp(arrived)
 same = n,Answer()
 same = n,Wait(30)
"""


def planned(user: User, *events: Event) -> Plan:
    """The plan of a user after events."""
    account = Account(user)
    for event in events:
        account = apply(account, event)
    return plan(account)


async def install(ami: Ami, *plans: Plan) -> None:
    """Write plans into a node's AstDB, as an adapter does."""
    for one in plans:
        for family, key, value in entries(one):
            answer = await ami.act("DBPut", ("Family", family), ("Key", key), ("Val", value))
            assert answer.get("Response") == "Success"


async def register(pbx: Node, name: str, contact: str) -> None:
    """Register an address for an endpoint without a password, and wait until it is taken."""
    lines = [
        f"REGISTER sip:{pbx.sip} SIP/2.0",
        "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-one",
        "Max-Forwards: 70",
        f"From: <sip:{name}@{pbx.sip}>;tag=one",
        f"To: <sip:{name}@{pbx.sip}>",
        "Call-ID: one",
        "CSeq: 1 REGISTER",
        f"Contact: <{contact}>",
        "Expires: 60",
        "Content-Length: 0",
    ]
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=(LOOPBACK, pbx.ports.sip)
    )
    transport.sendto("\r\n".join([*lines, "", ""]).encode())
    await pbx.ami.event("ContactStatus", EndpointName=name, ContactStatus="NonQualified")
    transport.close()


@frozen(weakref_slot=False)
class Planned:
    """A node, the phones that are registered there, and what a call to a number comes to."""

    pbx: Node
    phones: dict[str, Phone]

    async def install(self, *plans: Plan) -> None:
        await install(self.pbx.ami, *plans)

    async def installed(self) -> list[Entry]:
        """What AstDB holds of plans."""
        told = await self.pbx.ami.act("DBGetTree", ("Family", FAMILY))
        number = told["ActionID"]
        await self.pbx.ami.event("DBGetTreeComplete", ActionID=number)
        rows = [
            m for m in self.pbx.ami.messages if m.event == "DBGetTreeResponse" and m["ActionID"] == number
        ]
        return [(FAMILY, row["Key"].removeprefix(f"/{FAMILY}/"), row["Val"]) for row in rows]

    async def no_contact(self, line: Endpoint) -> None:
        """Wait until a line has no contact any more."""

        async def none() -> bool:
            asked = await self.pbx.ami.act("Getvar", ("Variable", f"PJSIP_DIAL_CONTACTS({line.name})"))
            return not asked["Value"]

        await until(none, f"that {line.name} has no contact")

    async def dial(self, number: str, caller: str = "bob") -> float:
        """A call to a number, and the instant before it."""
        start = time.monotonic()
        await self.phones[caller].dial(number)
        return start

    async def rings(self, name: str, start: float) -> float:
        """After how many seconds a phone rings."""
        return (await self.phones[name].event("CALL_INCOMING", after=start)).at - start

    def rang(self, name: str, start: float) -> bool:
        """Whether a phone was called since an instant, so that it rang, or would have."""
        channels = [
            told.what["Channel"]
            for told in self.pbx.ami.journal.told
            if told.at >= start and told.what.event == "Newchannel"
        ]
        return any(channel.startswith(f"PJSIP/{name}-") for channel in channels)

    async def clear(self, start: float, cause: str) -> None:
        """Clear the first leg that rings since an instant, as the network or a watcher does."""
        leg = (await self.pbx.ami.event("DialState", after=start, DialStatus="RINGING")).what["DestChannel"]
        await self.pbx.ami.act("Hangup", ("Channel", leg), ("Cause", cause))

    async def ends(self, start: float, number: str = "1002") -> tuple[Destination, float]:
        """Where the caller's call went that began then, and after how many seconds."""

        def decides(message: Message) -> bool:
            return (
                message.event == "Newexten"
                and message["Context"] in ("unique-account", "default")
                and message.get("CallerIDNum") == number
                and bool(_end(message))
            )

        told: Told[Message] = await self.pbx.ami.journal.wait(decides, "where the call went", after=start)
        end = _end(told.what)
        assert end is not None
        return end, told.at - start

    async def cause(self, start: float) -> str:
        """The cause with which the caller's call ended."""

        def ends(message: Message) -> bool:
            return message.event == "Hangup" and message.get("Channel", "").startswith("PJSIP/bob-")

        told: Told[Message] = await self.pbx.ami.journal.wait(ends, "the end of the call", after=start)
        return told.what["Cause"]


def _end(message: Message) -> Destination | None:
    application, data = message["Application"], message["AppData"]
    match application:
        case "NoOp":
            return Extension(message["Exten"])
        case "TryExec" if data.startswith("VoiceMail("):
            return Mailbox(data.removeprefix("VoiceMail(").partition(",")[0])
        case "Hangup" if data not in ("", "16"):
            return Refusal(int(data))
    return None


@asynccontextmanager
async def node_of(
    *registered: Endpoint,
    known: tuple[Endpoint, ...] = (),
    files: Mapping[str, str] = FILES,
    extensions: str = EXTENSIONS,
) -> AsyncIterator[Planned]:
    """A node without plans, on which these phones are registered, and the caller's."""
    endpoints = (*registered, *known, CALLER)
    named = {endpoint.name for endpoint in endpoints}
    others = tuple(evolve(one, password="") for one in (DESKPHONE, IN_ITS_PLACE) if one.name not in named)
    async with AsyncExitStack() as stack:
        pbx = await stack.enter_async_context(node((*endpoints, *others), extensions, more_files=files))
        phones = {
            endpoint.name: await stack.enter_async_context(phone(pbx, endpoint))
            for endpoint in (*registered, CALLER)
        }
        yield Planned(pbx, phones)
