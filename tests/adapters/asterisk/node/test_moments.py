"""A service on a scripted node: what happens in the same moment neither swallows nor falsifies anything."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adapters.asterisk.ami.scripted_node import KEY, scripted_node
from tests.service.installation import ALICE, Installation
from unique_account.adapters.asterisk import AsteriskPbx
from unique_account.core.events import LoggedIn
from unique_account.core.machine import Device

Step = tuple[str, int]

STATUS = "Event: DeviceStateChange\r\nDevice: PJSIP/alice\r\nState: "
DID = f"Event: UserEvent\r\nUserEvent: UniqueAccount\r\nKey: {KEY}\r\nUser: alice\r\nDo: "
TOLD = {
    "it rings": f"{STATUS}RINGING",
    "it is free": f"{STATUS}NOT_INUSE",
    "deskphone": f"{DID}select\r\nDevice: deskphone",
    "webrtc": f"{DID}select\r\nDevice: webrtc",
}

_MOMENTS = ("resync of one", "resync of the node", *TOLD)


async def play(steps: list[Step]) -> None:
    """Alice logs in; then comes one step after the other, each some rounds of the event loop later."""
    at = Installation()
    async with scripted_node() as node:
        pbx = AsteriskPbx(node.login, at.observer)
        async with at.running(ALICE, pbxs=(pbx,)) as service:
            node.report(f"{DID}log_in\r\nSession: tab-1")
            resyncs = []
            for step, rounds in steps:
                for _ in range(rounds):
                    await asyncio.sleep(0)
                if step in TOLD:
                    node.report(TOLD[step])
                elif step == "resync of one":
                    resyncs.append(asyncio.create_task(service.resync("alice")))
                else:
                    resyncs.append(asyncio.create_task(service.resync(node="default")))
            await pbx.installed("nobody")  # its answer comes after all that was told
            await asyncio.gather(*resyncs)
            await pbx.watch(ALICE)  # returns when all that waited was told
            selected = [step for step, _ in steps if step in set(Device)]
            assert service.account("alice").selection == (selected or ["webrtc"])[-1]
            assert at.failures == []


@given(st.lists(st.tuples(st.sampled_from(_MOMENTS), st.integers(0, 12)), max_size=12))
@settings(max_examples=25, deadline=None)
def test_the_last_selection_counts_however_it_meets_a_resync(steps: list[Step]) -> None:
    asyncio.run(asyncio.wait_for(play(steps), 15))


async def shown_over_a_cut(devices: dict[str, str], contacts: dict[str, str]) -> list[object]:
    """What is published of Alice while the connection to her node is cut, and made again."""
    at = Installation()
    async with scripted_node() as node:
        node.devices, node.contacts = devices, contacts
        pbx = AsteriskPbx(node.login, at.observer)
        async with at.running(ALICE, pbxs=(pbx,)) as service:
            await service.handle("alice", LoggedIn("tab-1"))
            before = len(at.bus.requests)
            node.cut()
            await node.asked("CoreShowChannels", 2)
            while not pbx.connected:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.001)
            await pbx.watch(ALICE)  # returns when all that waited was told
            published = (asked for name, asked in at.bus.requests[before:] if name == "presence_changed")
            return [presence for number, presence in published if number == "1001"]


@pytest.mark.parametrize("contacts", [{}, {"alice": "sip:1", "alice_w": "sip:2"}])
@pytest.mark.parametrize("webrtc", ["UNAVAILABLE", "NOT_INUSE", "INUSE"])
@pytest.mark.parametrize("deskphone", ["NOT_INUSE", "ONHOLD"])
def test_no_lamp_flickers_as_a_connection_is_made_again(
    deskphone: str, webrtc: str, contacts: dict[str, str]
) -> None:
    """P5: presence is never worked out of half of what the node knows."""
    devices = {"PJSIP/alice": deskphone, "PJSIP/alice_w": webrtc}
    shown = asyncio.run(asyncio.wait_for(shown_over_a_cut(devices, contacts), 15))
    assert shown
    assert len(set(shown)) == 1


async def differed_over_a_cut() -> list[str]:
    """What differs when a connection is made again to a node that lost Alice's plan meanwhile."""
    at, differed = Installation(), list[str]()
    async with scripted_node() as node:
        pbx = AsteriskPbx(node.login, at.observer)
        async with at.running(ALICE, pbxs=(pbx,), on_difference=differed.append):
            node.cut()
            node.database.clear()
            while not differed:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.001)
            assert node.database
    return differed


def test_what_a_node_lost_is_read_before_it_is_written_again() -> None:
    """R16: all facts are reported again as well, and each of them hands the user's plan over."""
    differed = asyncio.run(asyncio.wait_for(differed_over_a_cut(), 15))
    assert differed == ["alice: no plan was installed"]
