"""A call in the UC Assistant on a laptop that changes from Wi-Fi to cable and back, on a real Asterisk."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest

from lab.roaming import WAYS
from lab.waiting import until
from tests.e2e.drivers.assistant_calls import answer_bobs_call, page_plays
from tests.e2e.drivers.page import Assistant, expect
from tests.e2e.fixtures.full_system import FullSystem, roaming_system
from tests.event_loop import in_loop

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.e2e

SECONDS: Final = 5.0
"""Within which a call is back on another network."""

GIVEN_UP: Final = 30_000
"""Milliseconds within which a call that cannot come back is given up."""

CONNECTIONS: Final = """
  globalThis.connections = [];
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...all) { super(...all); connections.push(this); }
  };
  globalThis.media = async () => {
    const report = [...(await connections.at(-1).getStats()).values()];
    const of = (type) => report.find((one) => one.type === type);
    const pair = report.find(({ id }) => id === of("transport")?.selectedCandidatePairId);
    const local = report.find(({ id }) => id === pair?.localCandidateId);
    return { address: local?.address ?? "", received: of("inbound-rtp")?.packetsReceived ?? 0 };
  };
"""
"""Lets a test see by which address a call has its media, and how much came."""


async def media(tab: Assistant) -> Mapping[str, object]:
    found = await tab.page.evaluate("media()")
    assert isinstance(found, dict)
    return found


async def has_media_from(tab: Assistant, address: str) -> None:
    """Wait until packets come to an address."""
    seen: list[object] = []

    async def comes() -> bool:
        now = await media(tab)
        if now["address"] == address:
            seen.append(now["received"])
        return len(set(seen)) > 3

    await until(comes, f"media at {address}")


async def on_the_laptop(at: FullSystem) -> Assistant:
    tab = await at.tab()
    await tab.page.add_init_script(CONNECTIONS)
    await tab.log_in()
    await tab.ready()
    return tab


class TestAnotherNetwork:
    """S5: a call survives a change of the network."""

    @in_loop
    async def test_three_times_in_a_call(self) -> None:
        async with roaming_system() as (at, laptop):
            tab = await on_the_laptop(at)
            start = await answer_bobs_call(at, tab)
            await page_plays(tab, at.bob.tone)
            for way in ("cable", "wifi", "cable"):
                changed = time.monotonic()
                laptop.use(way)
                await has_media_from(tab, laptop.address(way))
                assert time.monotonic() - changed < SECONDS, way
                await page_plays(tab, at.bob.tone)
            await tab.button("Keypad").click()
            await tab.page.locator(".call [data-key='5']").click()
            await at.pbx.ami.event("DTMFEnd", after=start, Digit="5")
            assert "CALL_CLOSED" not in at.bob.reported(after=start)
            await at.bob.hang_up()
            await expect(tab.page.locator(".call")).to_have_count(0)

    @in_loop
    async def test_that_stays_away_ends_the_call_and_offers_to_call_back(self) -> None:
        async with roaming_system() as (at, laptop):
            tab = await on_the_laptop(at)
            start = await answer_bobs_call(at, tab)
            await page_plays(tab, at.bob.tone)
            laptop.unplug()
            await expect(tab.page.locator("[data-quality=lost]")).to_be_visible(timeout=GIVEN_UP)
            await at.bob.event("CALL_CLOSED", after=start)
            await expect(tab.trouble("network_lost")).to_contain_text("lost with the", timeout=GIVEN_UP)
            await expect(tab.page.locator(".call[data-where=here]")).to_have_count(0)
            laptop.use(next(iter(WAYS)))
            await tab.ready()
            await expect(tab.trouble("offline")).to_have_count(0, timeout=GIVEN_UP)
            again = time.monotonic()
            await tab.trouble("network_lost").get_by_role("button", name="Call back").click()
            await at.bob.event("CALL_INCOMING", after=again)
            await expect(tab.trouble("network_lost")).to_have_count(0)
