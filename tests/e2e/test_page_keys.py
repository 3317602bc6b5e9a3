"""Keys for calls: of the keyboard, of a headset by WebHID, and of the system by Media Session."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.e2e.drivers.page import demo_browser, expect, holds, open_settings
from tests.e2e.drivers.screenshots import ThemedPage, themed_page
from tests.event_loop import in_loop

pytestmark = pytest.mark.e2e

HEADSET: Final = """(() => {
  const item = (usages, rest = {}) =>
    ({ usages, isRange: false, isArray: false, reportSize: 1, reportCount: usages.length, ...rest });
  const device = globalThis.headset = Object.assign(new EventTarget(), {
    productName: "Clear 200", opened: false, sent: [],
    collections: [{
      usagePage: 0x0b, usage: 5, children: [],
      inputReports: [{ reportId: 2, items: [
        item([0x0b0020, 0x0b0021]), item([], { reportSize: 5, reportCount: 1 }), item([0x0b002f]) ] }],
      outputReports: [{ reportId: 3, items: [
        item([], { isRange: true, usageMinimum: 0x080017, usageMaximum: 0x080018, reportCount: 2 }),
        item([0x080009]), item([], { reportSize: 5, reportCount: 1 }) ] }],
    }],
    async open() { this.opened = true; },
    async sendReport(id, data) { this.sent.push([id, ...data]); },
  });
  globalThis.press = (byte) =>
    device.dispatchEvent(Object.assign(new Event("inputreport"),
      { reportId: 2, data: new DataView(new Uint8Array([byte]).buffer) }));
  globalThis.hid = Object.assign(new EventTarget(), {
    allowed: false,
    async getDevices() { return this.allowed ? [device] : []; },
    async requestDevice() { this.allowed = true; return [device]; },
  });
  Object.defineProperty(navigator, "hid", { value: hid });
})();"""
"""A headset with hook switch, mute key and lamps, in the place of a real one."""

HOOK, MUTE = 0x01, 0x80
OFF_HOOK, RING, MUTED = 0x01, 0x02, 0x04


def own(status: str, **fields: Any) -> dict[str, Any]:
    """A call of the browser's phone."""
    incoming = {"id": status, "direction": "incoming", "status": status, "peer": "1003", "peerName": ""}
    return {**incoming, "answered": None, "muted": False, **fields}


async def acted(at: ThemedPage) -> list[list[Any]]:
    """What the phone was made to do since the last time."""
    actions = await at.page.evaluate("actions.splice(0)")
    assert isinstance(actions, list)
    return actions


class TestShortcuts:
    """C2: letters answer, hang up, mute and hold, and digits are tones."""

    @in_loop
    async def test_do_what_they_say(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await at.page.evaluate("document.activeElement.blur()")
            for status, key, action in (
                ("ringing", "a", ["answer", "ringing"]),
                ("ringing", "r", ["hangUp", "ringing"]),
                ("talking", "h", ["hangUp", "talking"]),
                ("talking", "H", ["hangUp", "talking"]),
                ("talking", "m", ["mute", "talking", True]),
                ("talking", "p", ["hold", "talking"]),
                ("held", "p", ["resume", "held"]),
                ("talking", "5", ["press", "talking", "5"]),
                ("talking", "#", ["press", "talking", "#"]),
            ):
                await at.own_calls(own(status))
                await at.page.keyboard.press(key)
                assert await acted(at) == [action], key

    @in_loop
    async def test_do_nothing_where_they_mean_nothing(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await at.page.evaluate("document.activeElement.blur()")
            for key in "ahmpr5":
                await at.page.keyboard.press(key)
            await at.own_calls(own("ringing"))
            for key in ("h", "m", "p", "5", "Control+a", "Alt+a", "x"):
                await at.page.keyboard.press(key)
            assert await acted(at) == []

    @in_loop
    async def test_do_nothing_while_one_types(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await at.own_calls(own("talking"))
            for field in ("#number", ".part-people .input", "[data-forward=busy] .input"):
                if "forward" in field:
                    await open_settings(at.page)
                await at.page.locator(field).focus()
                await at.page.keyboard.type("hamp5?")
            await at.page.locator(".choice").first.focus()
            await at.page.keyboard.press("h")
            assert await acted(at) == []
            await expect(at.page.locator("#help")).to_have_count(0)

    @in_loop
    async def test_are_shown_and_switched_off(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await at.page.evaluate("document.activeElement.blur()")
            await at.page.keyboard.press("?")
            await expect(at.page.locator("#help")).to_contain_text("Mute or unmute")
            await at.own_calls(own("talking"))
            await at.page.keyboard.press("h")
            await at.page.keyboard.press("Escape")
            await expect(at.page.locator("#help")).to_have_count(0)
            assert await acted(at) == []
            await open_settings(at.page)
            await at.page.locator(".part-keys .switch").click()
            await at.page.evaluate("document.activeElement.blur()")
            await at.page.keyboard.press("h")
            await at.page.keyboard.press("5")
            assert await acted(at) == []
            await at.page.reload()
            await at.page.wait_for_selector(".rings-here")
            await expect(at.page.locator(".part-keys input[role=switch]")).not_to_be_checked()

    @in_loop
    async def test_make_a_whole_call(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            keys = page.page.keyboard
            await page.page.evaluate("document.activeElement.blur()")
            await at.phones.press("bob", "Call Alice")
            await page.call("ringing").wait_for()
            await page.page.bring_to_front()
            await keys.press("a")
            await page.call("talking").wait_for()
            await keys.press("m")
            await expect(page.button("Mute")).to_have_attribute("aria-pressed", "true")
            await keys.press("p")
            await page.call("held").wait_for()
            await keys.press("p")
            await page.call("talking").wait_for()
            await keys.press("h")
            await expect(page.page.locator(".call")).to_have_count(0)


class TestHeadset:
    """C2: the keys of a headset answer, hang up and mute, and its lamps show the call."""

    @in_loop
    async def test_works_once_it_is_allowed(self) -> None:
        async with themed_page() as at:
            await at.page.add_init_script(HEADSET)
            await at.page.reload()
            await at.logged_in()
            await open_settings(at.page)
            await at.page.get_by_role("button", name="Use the keys of a headset").click()
            await expect(at.page.locator("#headsets")).to_contain_text("Clear 200")
            await at.own_calls(own("ringing"))
            await holds(at.page, f"headset.sent.at(-1)[0] === 3 && headset.sent.at(-1)[1] === {RING}")
            await at.page.evaluate("byte => press(byte)", HOOK)
            assert await acted(at) == [["answer", "ringing"]]
            await at.own_calls(own("talking"))
            await holds(at.page, f"headset.sent.at(-1)[1] === {OFF_HOOK}")
            await at.page.evaluate("byte => (press(byte), press(byte & 1))", HOOK | MUTE)
            assert await acted(at) == [["mute", "talking", True]]
            await at.own_calls(own("talking", muted=True))
            await holds(at.page, f"headset.sent.at(-1)[1] === {OFF_HOOK | MUTED}")
            await at.page.evaluate("press(0)")
            assert await acted(at) == [["hangUp", "talking"]]
            await at.own_calls()
            await holds(at.page, "headset.sent.at(-1)[1] === 0")

    @in_loop
    async def test_that_repeats_what_its_lamp_says_changes_nothing(self) -> None:
        async with themed_page() as at:
            await at.page.add_init_script(HEADSET + "hid.allowed = true;")
            await at.page.reload()
            await at.logged_in()
            await at.own_calls(own("talking"))
            await at.page.evaluate("byte => press(byte)", HOOK)
            await at.own_calls()
            await at.page.evaluate("press(0)")
            assert await acted(at) == []

    @in_loop
    async def test_that_is_unplugged_is_not_shown(self) -> None:
        async with themed_page() as at:
            await at.page.add_init_script(HEADSET + "hid.allowed = true;")
            await at.page.reload()
            await at.logged_in()
            await open_settings(at.page)
            await expect(at.page.locator("#headsets")).to_contain_text("Clear 200")
            await at.page.evaluate(
                "hid.dispatchEvent(Object.assign(new Event('disconnect'), { device: headset }))"
            )
            await expect(at.page.locator("#headsets")).not_to_contain_text("Clear 200")


class TestMediaKeys:
    """C2: what the system's own keys for calls do, where it passes them to the browser."""

    @in_loop
    async def test_hang_up_and_mute(self) -> None:
        async with themed_page() as at:
            await at.page.add_init_script("""
              globalThis.handlers = {};
              navigator.mediaSession.setActionHandler = (name, handler) => { handlers[name] = handler; };
              navigator.mediaSession.setMicrophoneActive = (on) => { globalThis.microphoneActive = on; };
            """)
            await at.page.reload()
            await at.logged_in()
            await at.own_calls(own("talking"))
            assert await at.page.evaluate("[microphoneActive, navigator.mediaSession.playbackState]") == [
                True,
                "playing",
            ]
            await at.page.evaluate("() => { handlers.togglemicrophone(); handlers.hangup(); }")
            assert await acted(at) == [["mute", "talking", True], ["hangUp", "talking"]]
            await at.own_calls()
            assert await at.page.evaluate("navigator.mediaSession.playbackState") == "none"
