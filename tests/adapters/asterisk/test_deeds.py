"""What users do is carried out, whatever else happens in the same moment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from unique_account.adapters.asterisk import AsteriskPbx
from unique_account.core.machine import Device

if TYPE_CHECKING:
    from tests.adapters.asterisk.scripted_node import scripted_node
    from tests.installation import ALICE, Installation
else:
    from installation import ALICE, Installation
    from scripted_node import scripted_node

Step = tuple[str, int]

STATUS = "Event: DeviceStateChange\r\nDevice: PJSIP/alice\r\nState: "
DID = "Event: UserEvent\r\nUserEvent: UniqueAccount\r\nUser: alice\r\nDo: "
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
            node.tell(f"{DID}log_in\r\nSession: tab-1")
            resyncs = []
            for step, rounds in steps:
                for _ in range(rounds):
                    await asyncio.sleep(0)
                if step in TOLD:
                    node.tell(TOLD[step])
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
