"""Calls of the UC Assistant in the browser, and the tones that it plays."""

from __future__ import annotations

import time

import pytest

from lab.sound import NEAR
from lab.waiting import until
from tests.e2e.drivers.page import Assistant
from tests.e2e.fixtures.full_system import FullSystem


def approx_tone(tone: int) -> object:
    """A tone, as exactly as a recording shows it."""
    return pytest.approx(tone, abs=NEAR)


async def page_plays(tab: Assistant, tone: int) -> None:
    """Wait until the page plays a tone."""

    async def now() -> bool:
        return abs(float(await tab.page.evaluate("loudest()")) - tone) < NEAR

    await until(now, f"that the page plays {tone} Hz")


async def answer_bobs_call(at: FullSystem, tab: Assistant) -> float:
    """Bob calls Alice, who answers in the page; returns the instant before."""
    start = time.monotonic()
    await at.bob.dial("1001")
    await tab.button("Answer").click()
    await tab.call("talking").wait_for()
    await at.bob.event("CALL_ESTABLISHED", after=start)
    return start
