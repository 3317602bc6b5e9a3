"""What users change of their own account: choices made at the same time, and a disk that is full."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import product
from typing import Any

import pytest

from tests.adapters.xuc.assistants import Installation, Tab, installation
from tests.event_loop import in_loop
from unique_account.core.events import DeviceToggled, ForwardingDialled, LoggedIn
from unique_account.core.forwarding import Forward
from unique_account.core.forwarding_changes import Setting
from unique_account.core.machine import Device
from unique_account.ports.accounts import Accounts


class Gate:
    """A store's writes, each of which waits until it is let through.

    Attributes:
        waiting: Set once a write waits.
    """

    def __init__(self, store: Accounts) -> None:
        self._save = store.save
        self._open = asyncio.Event()
        self.waiting = asyncio.Event()
        store.save = self._wait  # type: ignore[method-assign,assignment]

    async def _wait(self, *what: Any) -> None:
        self.waiting.set()
        await self._open.wait()
        await self._save(*what)

    def open(self) -> None:
        self._open.set()

    def close(self) -> None:
        self._open.clear()
        self.waiting.clear()


Choice = Callable[[Installation, Tab], Awaitable[object]]


def page(command: str, **fields: Any) -> Choice:
    """A command of the page, which has to be carried out."""

    async def choose(at: Installation, tab: Tab) -> None:
        *_, answer = await tab.command(command, **fields)
        assert answer["msgType"] == "Done", answer

    return choose


def phone(event: ForwardingDialled | DeviceToggled) -> Choice:
    """A code dialled on the deskphone, which has to be carried out."""

    async def choose(at: Installation, _: Tab) -> None:
        await at.service.handle("alice", event)

    return choose


def forward(name: str, destination: str) -> Callable[[Installation], bool]:
    return lambda at: bool(getattr(at.alice.forwarding, name) == Forward(destination))


def silent(at: Installation) -> bool:
    return at.alice.forwarding.do_not_disturb


CHOICES: dict[str, tuple[Choice, Callable[[Installation], bool]]] = {
    "*21 dialled": (
        phone(ForwardingDialled(Setting.UNCONDITIONAL, "3001")),
        forward("unconditional", "3001"),
    ),
    "*22 dialled": (phone(ForwardingDialled(Setting.NO_ANSWER, "3002")), forward("no_answer", "3002")),
    "dnd clicked": (page("dnd", state=True), silent),
    "naFwd clicked": (page("naFwd", state=True, destination="3003"), forward("no_answer", "3003")),
    "busyFwd clicked": (page("busyFwd", state=True, destination="3004"), forward("busy", "3004")),
    "device clicked": (
        page("selectDevice", device="deskphone"),
        lambda at: at.alice.selection is Device.DESKPHONE,
    ),
}
CONCERN_ONE = ({"*22 dialled", "naFwd clicked"},)


async def at_once(at: Installation, tab: Tab, gate: Gate, first: str, second: str) -> None:
    """Make two choices, the second while the first is being stored."""
    gate.close()
    one = asyncio.create_task(_made(CHOICES[first][0](at, tab)))
    await gate.waiting.wait()
    other = asyncio.create_task(_made(CHOICES[second][0](at, tab)))
    for _ in range(20):
        await asyncio.sleep(0.001)
    gate.open()
    await asyncio.gather(one, other)


async def _made(choice: Awaitable[object]) -> None:
    await choice


class TestChoicesAtOnce:
    """R10, R11: a choice changes what it names and nothing else, so that what was acknowledged stays."""

    @in_loop
    async def test_a_forward_dialled_and_do_not_disturb_clicked_within_one_write(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            gate, kept = Gate(at.service._store), 0
            for _ in range(50):
                await at_once(at, tab, gate, "*21 dialled", "dnd clicked")
                kept += silent(at) and forward("unconditional", "3001")(at)
                await at.service.handle("alice", ForwardingDialled(Setting.ALL))
            assert kept == 50

    @pytest.mark.parametrize(
        ("first", "second"),
        [pair for pair in product(CHOICES, CHOICES) if pair[0] != pair[1] and set(pair) not in CONCERN_ONE],
    )
    @in_loop
    async def test_whatever_is_chosen_at_once_both_hold(self, first: str, second: str) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await at_once(at, tab, Gate(at.service._store), first, second)
            stored = await at.service._store.load("alice")
            assert stored is not None
            assert stored[1] == at.alice.kept
            assert [CHOICES[name][1](at) for name in (first, second)] == [True, True]

    @in_loop
    async def test_a_destination_changed_meanwhile_is_the_one_that_is_switched_off(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await tab.command("uncFwd", state=True, destination="3000")
            gate = Gate(at.service._store)
            dialled = asyncio.create_task(
                at.service.handle("alice", ForwardingDialled(Setting.UNCONDITIONAL, "3001"))
            )
            await gate.waiting.wait()
            clicked = asyncio.create_task(tab.command("uncFwd", state=False))
            await asyncio.sleep(0.02)
            gate.open()
            await asyncio.gather(dialled, clicked)
            assert at.alice.forwarding.unconditional == Forward("3001", enabled=False)

    @in_loop
    async def test_a_session_that_comes_meanwhile_stays(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            gate = Gate(at.service._store)
            clicked = asyncio.create_task(tab.command("dnd", state=True))
            await gate.waiting.wait()
            came = asyncio.create_task(at.service.handle("alice", LoggedIn("another")))
            gate.open()
            await asyncio.gather(clicked, came)
            assert silent(at)
            assert len(at.alice.sessions) == 2
