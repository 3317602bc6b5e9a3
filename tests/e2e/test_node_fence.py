"""A new owner of a real node, and an earlier one that is stopped, goes on, or leaves a watchdog behind."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from attrs import frozen

from lab.asterisk import Node, node
from lab.parties import party
from lab.waiting import until
from tests.e2e.fixtures.live_service import ALICE, DESKPHONE, EXTENSIONS, WEBRTC, files
from tests.e2e.fixtures.owner_process import PAUSE, OwnerProcess, owner_process
from tests.event_loop import in_loop
from unique_account.adapters.asterisk import (
    AsteriskPbx,
    ManagerLogin,
    epoch_at_node,
    manager_secret,
    render_manager,
)
from unique_account.adapters.asterisk.ami.login import connect
from unique_account.adapters.asterisk.config_files.manager_conf import MANAGER_SECRET_FILE
from unique_account.adapters.memory import MemoryObserver
from unique_account.core.events import Event
from unique_account.core.number import Number
from unique_account.core.presence import Presence
from unique_account.core.routing import DEFAULT_OWNER
from unique_account.ports.group_leases import Fence

ACCOUNT = "unique_account"
SECRET = "a-secret-of-the-lab"


@asynccontextmanager
async def owned_node() -> AsyncIterator[tuple[Node, ManagerLogin]]:
    """A node with the rendered account, beside the one of the lab, and a call of Alice's deskphone."""
    async with node(
        (DESKPHONE, WEBRTC),
        EXTENSIONS,
        more_files={**files([ALICE]), MANAGER_SECRET_FILE: manager_secret(ACCOUNT, SECRET)},
        appended={"manager.conf": f"\n{render_manager(ACCOUNT, '127.0.0.1')}"},
    ) as pbx:
        login = ManagerLogin(username=ACCOUNT, secret=SECRET, port=pbx.ports.ami)
        async with party(pbx, DESKPHONE) as alice:
            await alice.register()
            await call(pbx)
            yield pbx, login


async def call(pbx: Node) -> None:
    """Let Alice's deskphone ring for a long time."""
    await pbx.ami.act(
        "Originate",
        *(("Channel", "PJSIP/alice"), ("Application", "Wait"), ("Data", "9"), ("Async", "true")),
        ("Timeout", "100000"),
    )
    await pbx.ami.event("Newstate", ChannelStateDesc="Ringing")


@frozen
class Held:
    """What a node holds of what an owner changes."""

    plans: str
    hint: str
    calls: str

    @classmethod
    async def by(cls, pbx: Node) -> Held:
        """What it holds now."""
        plans = await pbx.cli("database show unique_account")
        hint = (await pbx.ami.act("Getvar", ("Variable", "DEVICE_STATE(Custom:unique_account_1001)")))[
            "Value"
        ]
        calls = [line.split("!")[0] for line in (await pbx.cli("core show channels concise")).splitlines()]
        return cls(plans, hint, " ".join(calls))


async def ignore(_: str, __: Event) -> None:
    """Report to nobody."""


@asynccontextmanager
async def new_owner(
    login: ManagerLogin, epoch: int = 2, commits_within: float = 0
) -> AsyncIterator[tuple[AsteriskPbx, MemoryObserver]]:
    """An owner that has the node."""
    observer = MemoryObserver()
    pbx = AsteriskPbx(login, observer, fence=Fence("main", epoch), commits_within=commits_within)
    listening = asyncio.create_task(pbx.listen(ignore, lambda: None))

    async def has_it() -> bool:
        return pbx.connected

    try:
        await until(has_it, f"that the owner of epoch {epoch} has the node: {observer.failures}")
        yield pbx, observer
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


class TestStoppedOwner:
    """R16, P5: once a new owner has the node, one that was stopped changes no plan, hint or call."""

    @in_loop
    async def test_nothing_changes_when_it_goes_on(self) -> None:
        async with owned_node() as (pbx, login):
            for epoch in range(2, 8):
                async with owner_of_a_new_node(pbx, login) as old:
                    await asyncio.sleep(random.random() * 0.2)
                    old.stop()
                    async with new_owner(login, epoch) as (adapter, observer):
                        assert observer.taken[0].ended >= 1
                        await adapter.hint(Number("1001"), Presence.RINGING)
                        before = await Held.by(pbx)
                        assert before.hint == "RINGING"
                        assert "PJSIP/alice" in before.calls
                        old.go_on()
                        await old.says("fenced")
                        assert await Held.by(pbx) == before

    @in_loop
    async def test_nor_over_a_restart_of_the_node(self) -> None:
        async with owned_node() as (pbx, login), owner_process(login) as old:
            old.stop()
            async with new_owner(login, commits_within=1.1) as (adapter, observer):
                await pbx.kill()
                old.go_on()
                await pbx.start()
                await old.says("fenced")
                assert await epoch_at_node(login, DEFAULT_OWNER, "main") == 2

                async def is_back() -> bool:
                    return adapter.connected

                await until(is_back, "that the owner is back")
                assert len(observer.taken) == 1


@asynccontextmanager
async def owner_of_a_new_node(pbx: Node, login: ManagerLogin) -> AsyncIterator[OwnerProcess]:
    """An owner of epoch 1 on a node that knows of no epoch yet."""
    await pbx.cli("database deltree unique_account_epoch")
    await pbx.cli("database deltree unique_account")
    async with owner_process(login) as old:
        yield old


class TestWatchdog:
    """P1: the watchdog of an owner that was killed changes no hint of the next one."""

    @pytest.mark.parametrize("has_next", [True, False])
    def test_it_waits_and_reads_the_epoch(self, *, has_next: bool) -> None:
        @in_loop
        async def check(_: TestWatchdog) -> None:
            async with owned_node() as (pbx, login), owner_process(login) as old:
                old.kill()
                start = time.monotonic()
                if has_next:
                    async with new_owner(login) as (adapter, _observer):
                        await adapter.hint(Number("1001"), Presence.DEACTIVATED)
                        await asyncio.sleep(start + PAUSE + 2 - time.monotonic())
                        assert (await hint(pbx)) == "Custom:unique_account_1001"
                else:
                    assert (await hint(pbx)) == "Custom:unique_account_1001"

                    async def restored() -> bool:
                        return (await hint(pbx)) == "PJSIP/alice&PJSIP/alice_w"

                    await until(restored, "the rendered hint")
                    assert time.monotonic() - start >= PAUSE

        check(self)


async def hint(pbx: Node) -> str:
    """What the hint of 1001 follows."""
    reported = await pbx.ami.act("ExtensionState", ("Context", "default"), ("Exten", "1001"))
    return reported["Hint"]


class TestRights:
    """The rendered account may do what the fence needs, and sessions of other accounts stay."""

    @in_loop
    async def test_only_sessions_of_the_account_are_ended(self) -> None:
        async with owned_node() as (pbx, login), connect(login) as former, new_owner(login) as (_, observer):
            assert observer.taken[0].ended == 1
            assert (await pbx.ami.act("Ping"))["Response"] == "Success"
            with pytest.raises(ConnectionError):
                await former.act("Ping")
