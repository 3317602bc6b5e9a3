"""The way of one event through the code, from a phone to a lamp and to a browser."""

from __future__ import annotations

import asyncio
import dis
import inspect
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest
from attrs import frozen

import unique_account
from tests.adapters.asterisk.ami import scripted_node as scripts
from tests.adapters.asterisk.ami.scripted_node import ScriptedNode, scripted_node
from tests.adapters.xuc.assistants import ALICE, BOB, Tab, browsing, server
from tests.event_loop import in_loop
from tests.paths import ROOT
from unique_account.adapters.asterisk import AsteriskPbx
from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.hints import hints
from unique_account.adapters.asterisk.node import state_sync
from unique_account.bootstrap import bootstrap
from unique_account.core.account import LineStatus
from unique_account.core.events import LineChanged
from unique_account.core.machine import Device

MOST_MODULES: Final = 24
HEADING: Final = "## The way of one event"
PACKAGE: Final = Path(unique_account.__file__).parent
NODE: Final = str(Path(scripts.__file__))
STAMP: Final = "Privilege: call,all\r\nTimestamp: 1767600001.500000"
LAMP: Final = f"Custom:unique_account_{ALICE.extension}"
_SUSPENDS: Final = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
NAMED: Final = re.compile(r"\b(?:adapters|core|service)(?:/\w+)+")


class Silent:
    """An observer and a bus of somebody who embeds the service, and does nothing with what they are given."""

    def __getattr__(self, name: str) -> Any:
        return self._nothing if name in ("applied", "refused", "failed", "recovered") else self._nothing_soon

    def _nothing(self, *_: object) -> None:
        pass

    async def _nothing_soon(self, *_: object) -> None:
        pass


@frozen
class Installation:
    """A service on a scripted node, and a colleague's UC Assistant that watches Alice."""

    node: ScriptedNode
    tab: Tab

    def shown(self) -> tuple[int, int]:
        """How often a lamp's state was set, and how many frames the browser has."""
        return len(self.node.given("Setvar")), len(self.tab.frames)

    async def status(self, state: str) -> None:
        """Alice's deskphone changes its state; returns when lamp and browser show it."""
        before = self.shown()
        self.node.report(
            f"Event: DeviceStateChange\r\n{STAMP}\r\nDevice: {ALICE.deskphone}\r\nState: {state}"
        )
        while any(now == then for now, then in zip(self.shown(), before, strict=True)):  # noqa: ASYNC110
            await asyncio.sleep(0)


@asynccontextmanager
async def installation() -> AsyncIterator[Installation]:
    """A service, with Bob watching Alice's presence."""
    silent, cti = Silent(), server()
    async with scripted_node() as node, browsing(cti) as browser:
        node.devices, node.contacts = {ALICE.deskphone: "NOT_INUSE"}, {"alice": "sip:alice@127.0.0.1"}
        pbx = AsteriskPbx(node.login, silent)
        async with bootstrap(cti=cti, pbxs=(pbx,), observer=silent, bus=silent) as service:
            await service.add(ALICE)
            await service.add(BOB)
            tab = await browser.tab("bob")
            await tab.command("subscribeToPhoneHints", phoneNumbers=[ALICE.extension])
            at = Installation(node, tab)
            await at.status("RINGING")  # what happens only once is over
            await service.handle("alice", LineChanged(Device.DESKPHONE, LineStatus.RINGING))  # and all else
            node.replies["Setvar"] = _of_extension
            yield at
            await browser.close()


def _of_extension(action: Message) -> list[str]:
    """Only the lamp of the extension is answered, so that the event goes no further than lamp and browser."""
    return ["Response: Success"] if action["Variable"] == f"DEVICE_STATE({LAMP})" else []


class Trace:
    """The modules of ours in which a function is entered, in order.

    A coroutine that goes on is entered no second time: it may only wait for another one. What the scripted
    node does with our codec is not ours.
    """

    def __init__(self) -> None:
        self.modules: list[str] = []

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event != "call" or _goes_on(frame) or _is_of_node(frame):
            return
        if path.is_relative_to(PACKAGE):
            name = path.relative_to(PACKAGE).with_suffix("").as_posix()
            if name not in self.modules:
                self.modules.append(name)


def _goes_on(frame: FrameType) -> bool:
    """Whether a coroutine or a generator is resumed, behind the instructions with which it begins."""
    begins = next(each.offset for each in dis.get_instructions(frame.f_code) if each.opname == "RESUME")
    return bool(frame.f_code.co_flags & _SUSPENDS) and frame.f_lasti > begins


def _is_of_node(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == NODE:
            return True
        frame = frame.f_back
    return False


async def traced() -> list[str]:
    """The modules between a device state and what a lamp and a browser show of it."""
    trace = Trace()
    async with installation() as at:
        sys.setprofile(trace)
        try:
            await at.status("INUSE")
        finally:
            sys.setprofile(None)
    return trace.modules


def drawn() -> list[str]:
    """The modules in the picture of the design page, in order."""
    page = (ROOT / "docs/design.md").read_text("utf-8")
    picture = page.split(f"{HEADING}\n", 1)[1].split("```text\n", 1)[1].split("```", 1)[0]
    return NAMED.findall(picture)


@in_loop
async def test_one_event_enters_few_modules_and_the_design_page_draws_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hints, "LOOKS_EVERY", 3600)
    monkeypatch.setattr(state_sync, "LOOKS_AFTER_CALLS_EVERY", 3600)
    way = await traced()
    print(*way, sep="\n")
    assert len(way) <= MOST_MODULES
    assert sorted(drawn()) == sorted(way)
