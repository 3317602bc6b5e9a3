"""The fence of a node: an owner that was paused anywhere changes nothing once a new owner has the node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from operator import attrgetter
from typing import Final

import pytest
from attrs import evolve
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.adapters.asterisk.ami.scripted_node import refused, scripted_node
from tests.adapters.asterisk.fence.owners import Owner, Schedule, late_actions
from tests.event_loop import in_loop
from unique_account.adapters.asterisk import AsteriskPbx, epoch_at_node
from unique_account.adapters.asterisk.ami.connection import Connection
from unique_account.adapters.asterisk.ami.login import connect
from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.fence import node_fence
from unique_account.adapters.asterisk.fence.epoch import EPOCH_FAMILY, own_epoch
from unique_account.adapters.asterisk.fence.manager_sessions import (
    ManagerSession,
    end_session,
    manager_sessions,
)
from unique_account.adapters.asterisk.fence.node_fence import NodeFence
from unique_account.adapters.memory import MemoryObserver
from unique_account.core.errors import Unreachable
from unique_account.core.routing import DEFAULT_OWNER
from unique_account.ports.group_leases import Fence, Fenced
from unique_account.ports.pbx import NodeDown

OWN: Final = own_epoch(Fence("main", 5), DEFAULT_OWNER)
ENTRY: Final = f"/{EPOCH_FAMILY}/{OWN.key}"

SCHEDULES: Final = tuple(
    Schedule(pauses_after, resumes_after, lingers)
    for pauses_after in (8, 25, 40)
    for resumes_after in (None, 9, 10)
    for lingers in (3, 0)
)
"""Schedules that find every fault that is planted."""


class TestSchedules:
    """An owner is paused anywhere; after the fence no action of its epoch is carried out."""

    @settings(max_examples=60, deadline=None)
    @given(
        st.builds(
            Schedule,
            pauses_after=st.integers(0, 60),
            resumes_after=st.none() | st.integers(1, 40),
            lingers=st.integers(0, 4),
        )
    )
    @example(Schedule(pauses_after=8, resumes_after=9, lingers=3))
    def test_no_action_of_an_earlier_owner(self, schedule: Schedule) -> None:
        assert asyncio.run(late_actions(schedule)) == []


async def _kick_without_waiting(self: NodeFence, connection: Connection) -> set[ManagerSession]:
    there = sorted(await manager_sessions(connection, "tester"), key=attrgetter("start"))
    for session in there[:-1]:
        await end_session(connection, session)
    return set()


async def _reconnect_without_reading(self: NodeFence, connection: Connection) -> None:
    if not self._has_taken:
        self._has_taken = True
        await self._take(connection, await self.own.is_at(connection))
        self._taken(0, 0.0)


async def _write_without_reading_again(
    self: NodeFence, connection: Connection, is_there: bool
) -> set[ManagerSession]:
    if not is_there:
        await self.own.write(connection)
    return await self._end_others(connection)


class TestPlantedFaults:
    """A fence with a fault does not hold, and the schedules find it."""

    @pytest.mark.parametrize(
        ("method", "fault"),
        [
            ("_end_others", _kick_without_waiting),
            ("hold", _reconnect_without_reading),
            ("_take", _write_without_reading_again),
        ],
    )
    def test_is_found(
        self, method: str, fault: Callable[..., object], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(NodeFence, method, fault)
        assert any(asyncio.run(late_actions(schedule)) for schedule in SCHEDULES)


class TestTaking:
    """A new owner writes its epoch, and ends the sessions of the account that there are, but its own."""

    @in_loop
    async def test_sessions_of_others_end_and_its_own_does_not(self) -> None:
        async with scripted_node() as node, connect(node.login) as one, connect(node.login) as two:
            owner = Owner(node.login, 5)
            async with owner.at_work():
                await owner.connected()
                assert len(node.sessions) == 1
                for former in (one, two):
                    with pytest.raises(NodeDown, match="the node closed the connection"):
                        await former.act("Ping")
            (taken,) = owner.taken
            assert (taken.media_server, taken.fence, taken.ended) == ("default", Fence("main", 5), 2)
            assert node.database[ENTRY].startswith("5 ")
            assert node.opened == 3

    @in_loop
    async def test_sessions_of_other_accounts_stay(self) -> None:
        async with scripted_node() as node, connect(node.login), connect(node.login) as own:
            node.sessions[0].account = "tester_of_others"
            await NodeFence(OWN, "tester", lambda *_: None).hold(own)
            assert len(node.sessions) == 2

    @in_loop
    async def test_a_session_that_begins_later_stays(self) -> None:
        async with scripted_node() as node, connect(node.login), connect(node.login) as own:
            node.lingers = 3
            taking = asyncio.create_task(NodeFence(OWN, "tester", lambda *_: None).hold(own))
            await node.asked("Command", 2)
            async with connect(node.login) as later:
                await taking
                await later.act("Ping")

    @in_loop
    async def test_a_session_that_does_not_end_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(node_fence, "ENDS_WITHIN", 0.05)
        async with scripted_node() as node, connect(node.login), connect(node.login) as own:
            node.lingers = 1000
            with pytest.raises(Unreachable, match=r"did not end within 0.05 s: 21; end them on the console"):
                await NodeFence(OWN, "tester", lambda *_: None).hold(own)

    @in_loop
    async def test_the_wrong_guess_at_its_own_session_costs_one_connection(self) -> None:
        async with scripted_node() as node, connect(node.login):
            (later,) = node.sessions
            usual = node.replies

            def later_log_in(_: Message) -> list[str]:
                node.opened += 1
                later.began = node.opened
                node.replies = usual
                return ["Response: Success"]

            node.replies = {"Filter": later_log_in}
            owner = Owner(node.login, 5)
            async with owner.at_work():
                await owner.connected()
                assert len(node.given("Login")) == 3
                assert later.ended

    @in_loop
    async def test_a_clock_that_was_set_back_does_not_matter(self) -> None:
        async with scripted_node() as node, connect(node.login):
            node.sessions[0].began = 3600
            owner = Owner(node.login, 5)
            async with owner.at_work():
                await owner.connected()
                assert len(node.given("Login")) == 2

    @in_loop
    async def test_without_the_right_to_end_sessions_the_node_is_not_used(self) -> None:
        async with scripted_node() as node:
            node.replies["Command"] = refused("Permission denied")
            owner = Owner(node.login, 5)
            async with owner.at_work():
                await node.asked("Command", 2)
                assert not owner.pbx.connected
            assert "Asterisk refuses Command: Permission denied" in str(owner.failures[0][1])
            assert not node.given("Setvar")

    @in_loop
    async def test_a_list_that_is_not_understood_is_no_empty_one(self) -> None:
        async with scripted_node() as node, connect(node.login) as own:
            node.replies["Command"] = lambda _: ["Response: Success\r\nOutput: Utilisateur  Adresse IP"]
            with pytest.raises(Unreachable, match="shows no session of tester"):
                await NodeFence(OWN, "tester", lambda *_: None).hold(own)

    @in_loop
    async def test_the_node_is_used_once_the_epoch_outlives_it(self) -> None:
        async with scripted_node() as node, connect(node.login) as own:
            fence = NodeFence(OWN, "tester", lambda *_: None, commits_within=0.2)
            start = asyncio.get_running_loop().time()
            await fence.hold(own)
            await fence.stored()
            assert asyncio.get_running_loop().time() - start >= 0.2

    @in_loop
    async def test_without_a_fence_no_epoch_is_read_and_no_session_listed(self) -> None:
        async with scripted_node() as node:
            pbx = AsteriskPbx(node.login, MemoryObserver())
            listens = asyncio.create_task(pbx.listen(lambda *_: asyncio.sleep(0), lambda: None))
            while not pbx.connected:  # noqa: ASYNC110 - no event reports it
                await asyncio.sleep(0.01)
            listens.cancel()
            await asyncio.gather(listens, return_exceptions=True)
            assert not node.given("DBGet")
            assert not node.given("DBPut")
            assert not node.given("Command")


class TestAfterwards:
    """After every log-in the epoch is read first; a newer one ends the use of the node for good."""

    @in_loop
    async def test_a_lost_connection_ends_no_sessions(self) -> None:
        async with scripted_node() as node:
            owner = Owner(node.login, 5)
            async with owner.at_work():
                await owner.connected()
                node.cut()
                await node.asked("Login", 2)
                await owner.connected()
                assert len(node.given("Command")) == 1
                assert len(owner.taken) == 1

    @in_loop
    async def test_a_newer_owner_ends_the_use_of_the_node(self) -> None:
        async with scripted_node() as node:
            owner = Owner(node.login, 5)
            async with owner.at_work():
                await owner.connected()
                node.database[ENTRY] = "6 ab"
                node.cut()
                error = await owner.fenced
                assert (error.group, error.epoch, error.newer) == ("main", 5, 6)
                opened, actions = node.opened, len(node.actions)
                with pytest.raises(NodeDown, match="has an owner of epoch 6, this process had epoch 5"):
                    await owner.pbx.installed("default")
                await asyncio.sleep(0.1)
                assert (node.opened, len(node.actions)) == (opened, actions)
                assert ("pbx default: fence", error) in [(str(what), why) for what, why in owner.failures]

    @in_loop
    async def test_an_owner_of_the_same_epoch_is_another_one_after_a_restored_backup(self) -> None:
        async with scripted_node() as node:
            node.database[ENTRY] = "5 ab"
            owner = Owner(node.login, 5)
            async with owner.at_work():
                assert (await owner.fenced).newer == 5
            assert not node.given("DBPut")

    @in_loop
    async def test_a_node_that_lost_its_epoch_is_taken_again(self) -> None:
        async with scripted_node() as node:
            owner = Owner(node.login, 5)
            async with owner.at_work():
                await owner.connected()
                node.database[ENTRY] = "4 ab"
                node.cut()
                await node.asked("Login", 2)
                await owner.connected()
                assert node.database[ENTRY].startswith("5 ")
                assert len(owner.taken) == 2


class TestEpochAtNode:
    """A contender reads the epoch before it takes the lease, so that it can lift its own above."""

    @in_loop
    async def test_is_that_of_the_last_owner(self) -> None:
        async with scripted_node() as node:
            assert await epoch_at_node(node.login, DEFAULT_OWNER, "main") == 0
            node.database[ENTRY] = "41 ab"
            assert await epoch_at_node(node.login, DEFAULT_OWNER, "main") == 41
            assert await epoch_at_node(node.login, DEFAULT_OWNER, "another") == 0

    @in_loop
    async def test_a_question_that_a_new_owner_cuts_off_is_asked_again(self) -> None:
        async with scripted_node() as node:
            node.unanswered.add("DBGet")
            asked = asyncio.create_task(epoch_at_node(node.login, DEFAULT_OWNER, "main"))
            await node.asked("DBGet")
            node.unanswered.clear()
            node.cut()
            assert await asked == 0

    @pytest.mark.parametrize("value", ["", "5", "five ab", "5 ab 1"])
    def test_an_entry_that_is_none_is_named(self, value: str) -> None:
        @in_loop
        async def check(_: TestEpochAtNode) -> None:
            async with scripted_node() as node:
                node.database[ENTRY] = value
                with pytest.raises(Unreachable, match=rf"the entry {ENTRY} of AstDB is '{value}' and no"):
                    await epoch_at_node(node.login, DEFAULT_OWNER, "main")

        check(self)

    @in_loop
    async def test_an_answer_that_is_no_answer_is_no_epoch(self) -> None:
        async with scripted_node() as node:
            node.replies["DBGet"] = refused("Permission denied")
            with pytest.raises(Unreachable, match="nobody knows whether the node has a newer owner"):
                await epoch_at_node(node.login, DEFAULT_OWNER, "main")

    def test_names_with_signs_make_keys_of_their_own(self) -> None:
        keys = {own_epoch(Fence(group, 1), owner).key for group, owner in (("a@b", "c"), ("b", "c@a"))}
        assert len(keys) == 2


def test_two_processes_are_told_apart() -> None:
    assert own_epoch(Fence("main", 5), DEFAULT_OWNER) == OWN
    assert evolve(OWN, process="ab") != OWN


def test_a_session_is_recognized_by_its_start_too() -> None:
    assert ManagerSession(1, 9) != ManagerSession(2, 9)


def test_the_error_names_both_epochs() -> None:
    assert str(Fenced("main", 5, 6)) == "the group main has an owner of epoch 6, this process had epoch 5"
