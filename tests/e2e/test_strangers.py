"""Hostile texts in SIP addresses, on a real Asterisk: no account changes, no connection is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import cycle, islice
from typing import Final

import pytest
from attrs import frozen

from lab.config import Endpoint
from lab.waiting import until
from tests.adapters.asterisk.ami.hostile_text import FORGED, LONGEST, texts
from tests.e2e.drivers.sip_strangers import TRUNK_ADDRESS, CallerIdentity, Stranger, stranger
from tests.e2e.fixtures.live_service import EXTENSIONS, LiveService, live_service
from tests.event_loop import in_loop
from unique_account import LoggedIn
from unique_account.adapters.asterisk.node.reports import NotUnderstood
from unique_account.core.account import Account, Messages
from unique_account.core.events import FactsReplaced
from unique_account.ports.observer import PortRequest

CONNECTION = PortRequest("pbx", "connection", "default")

pytestmark = pytest.mark.e2e

TRUNK: Final = Endpoint(
    name="trunk", password="", context="from-trunk", options={"callerid": "", "trust_id_inbound": "yes"}
)
PHONE: Final = Endpoint(
    name="mallory", password="", context="wild", options={"callerid": "", "trust_id_inbound": "yes"}
)
IDENTIFIED: Final = f"""
[trunk]
type = identify
endpoint = trunk
match = {TRUNK_ADDRESS}
"""
WILD: Final = f"""{EXTENSIONS}
[from-trunk]
exten = _9.,1,Ringing()
 same = n,Wait(30)
exten = _1.,1,Ringing()
 same = n,Goto(default,1001,1)
[wild]
include = default
exten = _[*0-9].,1,Ringing()
 same = n,Wait(0.05)
 same = n,Hangup(17)
"""
CALLS_EACH: Final = 50
EVERY: Final = tuple(text for text in texts() if len(text) > 10)
STEP: Final = len(EVERY) // CALLS_EACH


def drawn(offset: int, longest: int = LONGEST) -> list[str]:
    """Texts from all over, others for another offset."""
    return [text[:longest] for text in islice(cycle(EVERY), offset, offset + STEP * CALLS_EACH, STEP)]


@frozen(weakref_slot=False)
class Attacked:
    """Accounts, and attackers on an outside line and on a phone."""

    at: LiveService
    outside: Stranger
    phone: Stranger

    async def unharmed(self, before: list[Account]) -> None:
        """Wait until the calls are over; nothing else may have changed, and no connection was lost."""
        await self.at.agrees()
        for account in before:
            now = self.at.account(account.user.id)
            assert (now.kept, now.state, now.calls) == (account.kept, account.state, ())
            assert now.observed.messages == account.observed.messages
        lost = [str(error) for request, error in self.at.observer.failures if request == CONNECTION]
        assert lost == []
        applied = [event for event, _, _ in self.at.observer.applications]
        assert not [event for event in applied if isinstance(event, FactsReplaced)][
            4:
        ]  # two for each at the start
        assert self.at.adapter.connected

    def accounts(self) -> list[Account]:
        return [self.at.account(user) for user in ("alice", "bob")]

    @property
    def named(self) -> list[str]:
        """What was said of messages that cannot be trusted."""
        return [str(error) for _, error in self.at.observer.failures if isinstance(error, NotUnderstood)]


@asynccontextmanager
async def attacked() -> AsyncIterator[Attacked]:
    async with (
        live_service(more=(TRUNK, PHONE), extensions=WILD, pjsip=IDENTIFIED) as at,
        stranger(at.pbx, TRUNK_ADDRESS) as outside,
        stranger(at.pbx, "127.0.0.1") as phone,
    ):
        await at.service.handle("bob", LoggedIn("tab-1"))
        yield Attacked(at, outside, phone)


async def rings_alice(here: Attacked, disguise: CallerIdentity, number: int) -> None:
    """A call that rings Alice, who refuses or answers it, or whose caller gives up."""
    given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    start = time.monotonic()
    calling = asyncio.create_task(here.outside.call(disguise, until=given_up))
    await here.at.alice.wait_for("ringing", after=start)
    if number % 3 == 0:
        here.at.alice.reject()
    elif number % 3 == 1:
        here.at.alice.answer()
    else:
        given_up.set_result(None)
    await calling


Attack = Callable[[str], CallerIdentity]


class TestOutside:
    """Nobody who calls from outside steers anything."""

    @pytest.mark.parametrize(
        ("offset", "attack"),
        [
            (0, lambda text: CallerIdentity(dialled="1001", caller=text)),
            (1, lambda text: CallerIdentity(dialled="1001" + text, caller="0123")),
            (2, lambda text: CallerIdentity(dialled="1001", caller="0123", asserted=text)),
            (3, lambda text: CallerIdentity(dialled="1001" + text[40:], caller=text[:60], asserted=text)),
        ],
        ids=["From", "DID", "P-Asserted-Identity", "all of them"],
    )
    def test_by_an_outside_line(self, offset: int, attack: Attack) -> None:
        @in_loop
        async def check(_: TestOutside) -> None:
            async with attacked() as here:
                before = here.accounts()
                for number, text in enumerate(drawn(offset)):
                    await rings_alice(here, attack(text), number)
                await here.unharmed(before)

        check(self)

    @in_loop
    async def test_calls_that_are_up_do_not_keep_a_new_connection_from_beginning(self) -> None:
        """Their texts stand in the list of channels, too."""
        async with attacked() as here:
            given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            start = time.monotonic()
            disguises = [CallerIdentity(dialled="9" + text[:40], caller=text) for text in drawn(4)[::5]]
            disguises.append(CallerIdentity(dialled="1001", caller=FORGED[0]))
            calls = [asyncio.create_task(here.outside.call(one, until=given_up)) for one in disguises]
            await here.at.alice.wait_for("ringing", after=start)
            await until(lambda: _are_up(here, len(calls)), "that all calls are up")
            here.at.observer.recoveries.clear()
            here.at.ami_proxy.cut()
            await until(lambda: _again(here), "a new connection")
            given_up.set_result(None)
            await asyncio.gather(*calls)
            await here.at.agrees()
            assert here.at.account().calls == ()
            assert here.at.account().observed.messages == Messages(0, 0)

    @in_loop
    async def test_a_call_without_a_reported_end_ends_while_another_goes_on(self) -> None:
        """Asterisk leaves every event with a blank line out, and the phone stays in use."""
        async with attacked() as here:
            given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            start = time.monotonic()
            here.at.alice.dial("1003")  # rings Carol, who does not answer
            await until(lambda: _has_calls(here, 1), "the first call")
            hostile = CallerIdentity(dialled="1001", caller="1\r\n\r\nEvent: FullyBooted")
            calling = asyncio.create_task(here.outside.call(hostile, until=given_up))
            await here.at.alice.wait_for("ringing", after=start)
            await until(lambda: _has_calls(here, 2), "the second call")
            given_up.set_result(None)
            await calling
            await until(lambda: _has_calls(here, 1), "the end of the second call")


async def _has_calls(here: Attacked, calls: int) -> bool:
    return len(here.at.account().calls) == calls


async def _are_up(here: Attacked, calls: int) -> bool:
    return f"{calls + 1} active channels" in await here.at.pbx.cli("core show channels count")


async def _again(here: Attacked) -> bool:
    return CONNECTION in here.at.observer.recoveries


class TestPhone:
    """Nobody who has a phone of the company steers another's account."""

    @pytest.mark.parametrize("code", ["*21", "*25", "*987", "1001"])
    def test_by_dialled_number_and_caller_id(self, code: str) -> None:
        @in_loop
        async def check(_: TestPhone) -> None:
            async with attacked() as here:
                before = here.accounts()
                for text in drawn(5 + len(code)):
                    dialled = CallerIdentity(dialled=code + text, caller="mallory")
                    named = CallerIdentity(dialled=code, caller="mallory", asserted=text)
                    await here.phone.call(dialled)
                    if code != "1001":
                        await here.phone.call(named)
                await here.unharmed(before)

        check(self)

    @in_loop
    async def test_what_cannot_be_trusted_is_named(self) -> None:
        async with attacked() as here:
            disguise = CallerIdentity(dialled="1001", caller="10\r\n02")
            await rings_alice(here, disguise, 0)
            await here.unharmed(here.accounts())
            assert "holds a stranger's line breaks" in here.named[0]
            assert "PJSIP/trunk-" in here.named[0]
