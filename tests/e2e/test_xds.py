"""Two nodes with a trunk between them: users of the one are called through the other."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import pytest
from attrs import frozen

from lab.asterisk import Node, node
from lab.config import Endpoint
from lab.parties import Party, PartyCall, party
from lab.ports import LOOPBACK, port
from lab.waiting import until
from tests.e2e.drivers.trunks import found
from tests.e2e.fixtures.planned_node import install, planned
from tests.event_loop import in_loop
from unique_account import User
from unique_account.adapters.asterisk import render
from unique_account.adapters.asterisk.ami.message import Message
from unique_account.core.events import Event, ForwardingChanged
from unique_account.core.forwarding import Forward, Forwarding

pytestmark = pytest.mark.e2e

ALICE: Final = User(
    id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w", max_forwards=4
)
CAROL: Final = User(
    id="carol",
    extension="1003",
    deskphone="PJSIP/carol",
    webrtc="PJSIP/carol_w",
    media_server="mds1",
    max_forwards=4,
)
HOME: Final = {"alice": "default", "bob": "default", "carol": "mds1"}
OTHER: Final = {"default": "mds1", "mds1": "default"}
EXTENSIONS: Final = """
#include unique_account.conf
[default]
include = unique-account-numbers-default
"""
SOON: Final = 1.0


@frozen(weakref_slot=False)
class Two:
    """Two nodes, and a phone of each user."""

    nodes: dict[str, Node]
    phones: dict[str, Party]

    async def install(self, user: User, *events: Event) -> None:
        """Install the plan of a user after events where the user is at home."""
        await install(self.nodes[user.media_server].ami, planned(user, *events))

    async def rings(self, name: str, start: float) -> float:
        """After how many seconds a phone rings."""
        return (await self.phones[name].wait_for("ringing", after=start)).at - start

    async def refused(self, caller: str, start: float) -> tuple[PartyCall, float]:
        """The call of a phone that is refused, and after how many seconds."""
        call = self.phones[caller].calls[-1]
        reported = await self.phones[caller].wait_for("refused", after=start)
        return call, reported.at - start


@asynccontextmanager
async def two_nodes(qualify: str = "1") -> AsyncIterator[Two]:
    """Both nodes, each asking so often, in seconds, whether the other is there."""
    ports = {name: port() for name in OTHER}
    async with AsyncExitStack() as stack:
        nodes = {}
        for name, other in OTHER.items():
            trunk = Endpoint(
                name=other,
                password="",
                context="unique-account-trunk",
                options={"from_user": name, "send_pai": "yes", "trust_id_inbound": "yes"},
                aor_options={
                    "contact": f"sip:{LOOPBACK}:{ports[other]}",
                    "qualify_frequency": qualify,
                    "qualify_timeout": "0.5",
                },
            )
            own = [
                Endpoint(name=phone, password="", caller_id=phone)
                for phone, home in HOME.items()
                if home == name
            ]
            text = render([ALICE, CAROL], {other: f"PJSIP/{other}"})
            nodes[name] = await stack.enter_async_context(
                node(
                    (trunk, *own),
                    EXTENSIONS,
                    name=name,
                    more_files={"unique_account.conf": text},
                    sip=ports[name],
                )
            )
        phones = {}
        for phone, home in HOME.items():
            endpoint = Endpoint(name=phone, password="")
            phones[phone] = await stack.enter_async_context(party(nodes[home], endpoint))
            await phones[phone].register()
        if qualify != "0":
            for name, other in OTHER.items():
                await found(nodes[name], other)
        yield Two(nodes, phones)


class TestCalls:
    """R6, H6: a user of another node is called through the trunk, and the legs are joined."""

    @in_loop
    async def test_the_phone_there_rings_and_answers(self) -> None:
        async with two_nodes() as at:
            await at.install(CAROL)
            start = time.monotonic()
            call = at.phones["bob"].dial("1003")
            assert await at.rings("carol", start) < SOON
            at.phones["carol"].answer()
            await at.phones["bob"].wait_for("answered", after=start)
            first = (await at.nodes["default"].ami.event("Newchannel", after=start)).what["Linkedid"]
            joined = await at.nodes["mds1"].ami.event("CEL", after=start, EventName="unique_account_call")
            assert first in joined.what["Extra"]
            assert first != joined.what["LinkedID"]
            await at.phones["bob"].hang_up(call)

    @in_loop
    async def test_its_rules_hold_for_callers_of_the_other_node(self) -> None:
        async with two_nodes() as at:
            await at.install(CAROL, ForwardingChanged(Forwarding(do_not_disturb=True)))
            start = time.monotonic()
            at.phones["bob"].dial("1003")
            call, seconds = await at.refused("bob", start)
            assert (call.status, seconds < SOON) == (480, True)


class TestForwards:
    """R13: the count of forwards travels with the call, and is believed from trunks only."""

    @in_loop
    async def test_a_forward_loop_across_two_nodes_ends_with_a_refusal(self) -> None:
        async with two_nodes() as at:
            await at.install(ALICE, ForwardingChanged(Forwarding(unconditional=Forward("1003"))))
            await at.install(CAROL, ForwardingChanged(Forwarding(unconditional=Forward("1001"))))
            start = time.monotonic()
            at.phones["bob"].dial("1001")
            await at.refused("bob", start)
            forwards: list[Message] = []

            async def reported() -> bool:
                forwards[:] = [
                    message
                    for one in at.nodes.values()
                    for message in one.ami.messages
                    if message.event == "Newexten" and message["Application"] == "StackPop"
                ]
                return len(forwards) >= 4  # the phone may hear of it before the last node has said so

            await until(reported, "the report of the forwards")
            assert len(forwards) == 4

    @in_loop
    async def test_what_a_phone_says_of_it_is_not_believed(self) -> None:
        async with two_nodes() as at:
            await at.install(ALICE, ForwardingChanged(Forwarding(unconditional=Forward("1003"))))
            await at.install(CAROL)
            at.phones["bob"].more = (("X-Unique-Account", "1.1/4/elsewhere"),)
            start = time.monotonic()
            call = at.phones["bob"].dial("1001")
            assert await at.rings("carol", start) < SOON
            reported = await at.nodes["mds1"].ami.event(
                "VarSet", after=start, Variable="__UNIQUE_ACCOUNT_FORWARDS"
            )
            assert int(reported.what["Value"]) == 1
            await at.phones["bob"].hang_up(call)


class TestDown:
    """R12: a node that is down is congestion, soon, and the other one goes on."""

    @in_loop
    async def test_a_node_that_is_known_to_be_down(self) -> None:
        async with two_nodes() as at:
            await at.install(ALICE)
            gone = time.monotonic()
            await at.nodes["mds1"].kill()
            await at.nodes["default"].ami.event("ContactStatus", after=gone, ContactStatus="Unreachable")
            start = time.monotonic()
            at.phones["bob"].dial("1003")
            call, seconds = await at.refused("bob", start)
            assert (call.status, seconds < SOON) == (503, True)
            start = time.monotonic()
            at.phones["bob"].dial("1001")
            assert await at.rings("alice", start) < SOON
            await at.nodes["mds1"].start()

    @in_loop
    async def test_a_node_that_says_nothing(self) -> None:
        async with two_nodes(qualify="0") as at:
            await at.install(ALICE)
            at.nodes["mds1"].freeze()
            start = time.monotonic()
            at.phones["bob"].dial("1003")
            dialled = at.phones["bob"].dial("1001")
            assert await at.rings("alice", start) < SOON
            call = at.phones["bob"].calls[0]
            await at.phones["bob"].wait_for("refused", after=start)
            seconds = time.monotonic() - start
            at.nodes["mds1"].thaw()
            assert call.status == 503
            assert 3 <= seconds < 4
            await at.phones["bob"].hang_up(dialled)
