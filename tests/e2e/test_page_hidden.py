"""A page in a hidden tab, whose timers run once a minute, and on a computer that slept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.drivers.page import demo_browser, expect
from tests.e2e.drivers.screenshots import themed_page
from tests.event_loop import in_loop

if TYPE_CHECKING:
    from playwright.async_api import WebSocket

pytestmark = pytest.mark.e2e

MINUTE: Final = 60_000
"""In milliseconds: how often a browser runs the timers of a hidden tab."""

SIMULATION: Final = """async ({ minutes, answers }) => {
  const { Heartbeat } = await import("/js/heartbeat.js");
  let random = 1;
  const upTo = (most) => ((random = (random * 48271) % 2147483647) / 2147483647) * most;
  const real = Date.now;
  let now = 0, lost = 0, due = [];
  Date.now = () => now;
  const pass = (milliseconds) => {
    now += milliseconds;
    const come = due.filter((at) => at <= now);
    due = due.filter((at) => at > now);
    come.forEach(() => heartbeat.answered());
  };
  const ask = () => answers && due.push(now + upTo(4000));
  const heartbeat = new Heartbeat(ask, () => (lost += 1));
  heartbeat.start();
  heartbeat.stop(); // the beats are given here
  let passed = 0;
  for (; passed < minutes && !lost; passed += 1) {
    const kind = upTo(10);
    if (kind < 1) {
      for (let beat = 0; beat < 12; beat += 1) {
        pass(4000 + upTo(2000));
        heartbeat.beat();
      }
    } else if (kind < 2) {
      pass(upTo(60_000));
      due = []; // what was under way as the computer fell asleep did not come
      pass(upTo(10) * 3_600_000);
      heartbeat.beat();
    } else {
      pass(59_000 + upTo(2000));
      heartbeat.beat();
    }
  }
  Date.now = real;
  return [passed, lost];
}"""
"""Minutes of a tab that is hidden, seen or asleep by turns, with a server that answers or does not."""


class TestHiddenTab:
    """S5: a session holds as long as the server answers, however rarely the page may ask."""

    @in_loop
    async def test_keeps_its_session_and_its_phone_for_ten_minutes(self) -> None:
        async with demo_browser() as at:
            page = await at.assistant()
            await page.page.clock.install()
            sockets: list[WebSocket] = []
            page.page.on("websocket", lambda socket: sockets.append(socket))
            await page.log_in()
            await page.ready()
            opened = len(sockets)
            for _ in range(10):
                await page.page.clock.fast_forward(MINUTE)
                await page.page.wait_for_timeout(100)  # in which an answer comes
            assert len(sockets) == opened
            await expect(page.page.locator(".trouble")).to_have_count(0)
            await expect(at.phones.phone("alice")).to_contain_text("browser registered")
            await page.ready()

    @in_loop
    async def test_loses_nothing_in_ten_thousand_minutes(self) -> None:
        async with themed_page() as at:
            passed = await at.page.evaluate(SIMULATION, {"minutes": 10_000, "answers": True})
            assert passed == [10_000, 0]

    @in_loop
    async def test_notices_a_server_that_is_gone(self) -> None:
        async with themed_page() as at:
            passed, lost = await at.page.evaluate(SIMULATION, {"minutes": 60, "answers": False})
            assert lost >= 1
            assert passed < 20
