"""Numbers of other groups of nodes are shown here, and ours stay ours."""

from __future__ import annotations

from attrs import evolve

from tests.event_loop import in_loop
from tests.service.installation import ALICE, Installation
from unique_account.core.account import LineStatus
from unique_account.core.events import LineChanged
from unique_account.core.machine import Device
from unique_account.core.presence import Presence

TALKS = LineChanged(Device.DESKPHONE, LineStatus.IN_USE)


class TestOtherNumbers:
    """P5: a number has one presence, wherever its user is."""

    @in_loop
    async def test_it_is_shown_on_all_nodes_and_uc_assistants(self) -> None:
        at = Installation(("default", "mds1"))
        async with at.running(ALICE) as service:
            await service.other_numbers.show("2001", Presence.BUSY)
            everywhere = (at.hints(), at.hints("mds1"), at.memory_cti.presences)
            assert [shown["2001"] for shown in everywhere] == [Presence.BUSY] * 3
            assert "2001" not in at.memory_bus.presences  # its own group announces it

    @in_loop
    async def test_a_number_of_ones_own_is_left_alone(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", TALKS)
            for late in (Presence.AVAILABLE, Presence.UNEXISTING):
                await service.other_numbers.show("1001", late)
                assert at.hints()["1001"] is at.memory_cti.presences["1001"] is Presence.IN_USE

    @in_loop
    async def test_a_node_that_was_away_is_shown_all_again(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            at.node.fail("hint")
            await service.other_numbers.show("2001", Presence.BUSY)
            await service.other_numbers.show("2002", Presence.BUSY)
            await service.other_numbers.show("2002", Presence.UNEXISTING)
            assert "pbx default: hint" in at.failures
            at.node.heal()
            await service.resync(node="default")
            assert at.hints()["2001"] is Presence.BUSY
            assert "2002" not in at.hints()


class TestLeft:
    """P1, P5: the number of a user who goes to another group is never gone for anybody."""

    @in_loop
    async def test_it_is_unavailable_until_the_other_group_shows_it(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.moves.let_go(evolve(ALICE, media_server="mds9"))
            shown = (at.hints(), at.memory_cti.presences, at.memory_bus.presences)
            assert [everywhere["1001"] for everywhere in shown] == [Presence.UNAVAILABLE] * 3
            await service.other_numbers.show("1001", Presence.BUSY)
            assert at.hints()["1001"] is at.memory_cti.presences["1001"] is Presence.BUSY
            assert at.memory_bus.presences["1001"] is Presence.UNEXISTING  # only that group announces it now

    @in_loop
    async def test_the_other_group_may_have_been_faster(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.other_numbers.show("1001", Presence.BUSY)
            await service.moves.let_go(evolve(ALICE, media_server="mds9"))
            assert at.hints()["1001"] is at.memory_cti.presences["1001"] is Presence.BUSY
            assert at.memory_bus.presences["1001"] is Presence.UNEXISTING
