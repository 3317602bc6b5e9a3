"""A call by way of a group, on a real Asterisk: the device in use rings, and the group's rules hold (R8)."""

from __future__ import annotations

from typing import Final

import pytest
from attrs import evolve

from lab.browser import browser
from tests.e2e.fixtures.planned_node import (
    ALICE,
    BROWSER,
    DESKPHONE,
    EXTENSIONS,
    OUTSIDE,
    PlannedNode,
    planned,
    planned_node,
)
from tests.event_loop import in_loop
from unique_account.core.events import LoggedIn
from unique_account.core.forwarding import Fallbacks
from unique_account.core.routing import Gate, Plan

pytestmark = pytest.mark.e2e

GROUP: Final = "3000"
NOBODY: Final = "2009"
"""Where the group goes on when nobody answers."""
SECONDS: Final = 3
"""How long the group rings, which is longer than alice's own ring time."""
EXTENSIONS_OF_GROUP: Final = f"""{EXTENSIONS}
exten = {GROUP},1,Dial(Local/1001@unique-account-members-default,{SECONDS})
 same = n,Goto({NOBODY},1)
"""
IN: Final = LoggedIn("tab-1")


async def _group_goes_on(at: PlannedNode, start: float) -> float:
    """After how many seconds the group goes on."""
    reported = await at.pbx.ami.event("Newexten", after=start, Context="default", Exten=NOBODY)
    return reported.at - start


class TestGroup:
    """R8: a group rings the device in use for as long as it likes, and goes on by its own rules."""

    @in_loop
    async def test_the_browser_rings_in_a_group_too(self) -> None:
        async with (
            planned_node(DESKPHONE, known=(BROWSER,), extensions=EXTENSIONS_OF_GROUP) as at,
            browser() as chromium,
        ):
            await at.install(planned(ALICE, IN))
            tab = await chromium.tab(at.pbx, BROWSER)
            start = await at.dial(GROUP)
            await tab.event("ringing", after=start)
            assert SECONDS - 0.5 < await _group_goes_on(at, start) < SECONDS + 1
            assert not at.rang("alice", start)

            await chromium.kill()
            await at.pbx.ami.event("ContactStatus", after=start, ContactStatus="Removed")
            start = await at.dial(GROUP)
            await at.rings("alice", start)

    @pytest.mark.parametrize(
        "plan",
        [
            planned(evolve(ALICE, fallbacks=Fallbacks(no_answer=OUTSIDE))),
            evolve(planned(ALICE), gate=Gate(None, OUTSIDE, 5)),
            evolve(planned(ALICE), gate=Gate(OUTSIDE, None, 5)),
            evolve(planned(ALICE), gate=Gate(None, None, 0)),
        ],
        ids=["no_answer", "forward", "do_not_disturb", "limit"],
    )
    @in_loop
    async def test_no_rule_of_the_member_holds(self, plan: Plan) -> None:
        async with planned_node(DESKPHONE, extensions=EXTENSIONS_OF_GROUP) as at:
            await at.install(plan)
            start = await at.dial(GROUP)
            await at.rings("alice", start)
            assert SECONDS - 0.5 < await _group_goes_on(at, start) < SECONDS + 1

    @in_loop
    async def test_a_member_that_refuses_or_has_no_phone_is_skipped(self) -> None:
        async with planned_node(DESKPHONE, extensions=EXTENSIONS_OF_GROUP) as at:
            await at.install(planned(evolve(ALICE, fallbacks=Fallbacks(busy=OUTSIDE, unavailable=OUTSIDE))))
            start = await at.dial(GROUP)
            await at.rings("alice", start)
            await at.phones["alice"].hang_up()
            assert await _group_goes_on(at, start) < SECONDS
        async with planned_node(extensions=EXTENSIONS_OF_GROUP) as at:
            await at.install(planned(evolve(ALICE, fallbacks=Fallbacks(unavailable=OUTSIDE))))
            assert await _group_goes_on(at, await at.dial(GROUP)) < SECONDS
