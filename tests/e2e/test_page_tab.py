"""The tab that is not in sight: notifications, missed calls, other tabs, links, the installed app."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from lab.waiting import until
from tests.e2e.drivers.page import Assistant, DemoBrowser, demo_browser, expect, holds, open_settings
from tests.e2e.drivers.screenshots import ThemedPage, themed_page
from tests.e2e.drivers.scripted_server import NOW, ORIGIN, entry
from tests.event_loop import in_loop

if TYPE_CHECKING:
    from playwright.async_api import Page, Worker

pytestmark = pytest.mark.e2e

FIRST_VIEW: Final = 1000
"""Milliseconds until the log-in is shown, from a cold cache."""

MOST_BYTES: Final = 250_000

RECORDED: Final = """
  globalThis.shown = [];
  globalThis.Notification = class {
    static permission = "granted";
    static requestPermission = async () => "granted";
    constructor(title, options) { Object.assign(this, options, { title, open: true }); shown.push(this); }
    close() { this.open = false; }
  };
  Object.defineProperty(navigator, "serviceWorker", { value: undefined });
  Object.defineProperty(document, "hidden", { get: () => globalThis.isHidden ?? true });
"""
"""A tab in the background whose notifications a test sees, in a browser without service workers."""

RINGS: Final = {
    "id": "rings",
    "direction": "incoming",
    "status": "ringing",
    "peer": "1003",
    "peerName": "",
    "answered": None,
    "muted": False,
}


async def recorded(at: ThemedPage) -> None:
    await at.page.add_init_script(RECORDED)
    await at.page.reload()
    await at.logged_in()


class TestPermission:
    """C2: the page asks in words, once, before the browser does."""

    @in_loop
    async def test_is_asked_for_once(self) -> None:
        async with themed_page(asks=True) as at:
            await at.logged_in()
            ask = at.page.locator("[data-ask=notifications]")
            await expect(ask).to_contain_text("when somebody calls?")
            await ask.get_by_role("button", name="No").click()
            await expect(ask).to_have_count(0)
            await at.page.reload()
            await at.page.wait_for_selector(".rings-here")
            await holds(at.page, "localStorage.getItem('notifications') === 'asked'")
            await expect(ask).to_have_count(0)

    @in_loop
    async def test_leads_to_the_browsers_own_question(self) -> None:
        async with themed_page(asks=True) as at:
            await at.page.add_init_script("""
              Notification.requestPermission = async () => { globalThis.asked = true; return "denied"; };
            """)
            await at.page.reload()
            await at.logged_in()
            await at.page.get_by_role("button", name="Yes, show calls").click()
            await holds(at.page, "globalThis.asked")


class TestNotifications:
    """C2: a call that comes in while the page is not in sight shows as a notification."""

    @in_loop
    async def test_answer_by_a_click(self) -> None:
        async with themed_page() as at:
            await recorded(at)
            await at.own_calls(RINGS)
            await holds(at.page, "shown.length === 1")
            assert await at.page.evaluate("shown[0].title") == "Carol Nguyen is calling"
            await at.page.evaluate("shown[0].onclick()")
            assert await at.page.evaluate("actions") == [["answer", "rings"]]

    @in_loop
    async def test_go_when_the_call_is_over_or_the_page_is_seen(self) -> None:
        async with themed_page() as at:
            await recorded(at)
            await at.own_calls(RINGS)
            await holds(at.page, "shown.length === 1")
            await at.own_calls()
            await holds(at.page, "!shown[0].open")
            await at.own_calls(RINGS)
            await holds(at.page, "shown.length === 2")
            await at.page.evaluate("""() => {
              globalThis.isHidden = false;
              document.dispatchEvent(new Event("visibilitychange"));
            }""")
            await holds(at.page, "!shown[1].open")

    @in_loop
    async def test_are_not_shown_in_a_page_in_sight(self) -> None:
        async with themed_page() as at:
            await recorded(at)
            await at.page.evaluate("() => { globalThis.isHidden = false; }")
            await at.own_calls(RINGS)
            assert await at.page.evaluate("shown.length") == 0

    @in_loop
    async def test_have_buttons_that_answer_and_refuse(self) -> None:
        async with demo_browser() as at:
            for action, became in (("answer", "talking"), ("refuse", None)):
                tab, worker = await in_background(at)
                await at.phones.press("bob", "Call Alice")
                await tab.call("ringing").wait_for()
                await notification(worker)
                await worker.evaluate(PRESSED, action)
                if became:
                    await tab.call(became).wait_for()
                    await tab.button("Hang up").click()
                await expect(tab.page.locator(".call")).to_have_count(0)
                await tab.page.close()

    @in_loop
    async def test_of_a_page_that_is_gone_go_with_the_next(self) -> None:
        async with demo_browser() as at:
            tab, worker = await in_background(at)
            await at.phones.press("bob", "Call Alice")
            await notification(worker)
            await worker.evaluate("registration.showNotification('Stale', { data: { client: 'gone' } })")
            await tab.page.reload()
            await tab.ready()

            async def swept() -> bool:
                titles = "registration.getNotifications().then((all) => all.map(({ title }) => title))"
                return "Stale" not in await worker.evaluate(titles)

            await until(swept, "that the stale notification is closed")


PRESSED: Final = """async (action) => {
  const [notification] = await registration.getNotifications();
  dispatchEvent(new NotificationEvent("notificationclick", { notification, action }));
}"""


async def in_background(at: DemoBrowser) -> tuple[Assistant, Worker]:
    """A tab that believes that it is hidden, and its service worker."""
    tab = await at.assistant()
    context = tab.page.context
    await context.grant_permissions(["notifications", "microphone"], origin=at.address.rstrip("/"))
    await tab.page.add_init_script("Object.defineProperty(document, 'hidden', { get: () => true });")
    await tab.log_in()
    await tab.ready()

    async def runs() -> bool:
        return bool(context.service_workers)

    await until(runs, "the service worker")
    return tab, context.service_workers[0]


async def notification(worker: Worker) -> None:
    """Wait for the notification of a call."""

    async def shown() -> bool:
        titles = "registration.getNotifications().then((all) => all.map(({ title }) => title))"
        return bool(await worker.evaluate(titles) == ["Bob Durand is calling"])

    await until(shown, "the notification")


class TestMissed:
    """H1: title and icon count missed calls until they are seen."""

    @in_loop
    async def test_are_counted_until_they_are_seen(self) -> None:
        async with themed_page("narrow") as at:
            await at.logged_in_with_hidden_history()
            at.script.newest = {
                "entries": [missed(12, 1), missed(11, 2), *at.script.newest["entries"]],
                "next": None,
            }
            await at.page.clock.set_fixed_time(NOW + timedelta(minutes=5))
            at.script.report("HistoryChanged", {})
            await expect(at.page).to_have_title("(2) UC Assistant")
            await holds(at.page, "document.querySelector('link[rel=icon]').href.startsWith('data:image/png')")
            await expect(at.page.locator(".places .count")).to_have_text("2")
            await at.page.mouse.move(100, 100)
            await expect(at.page).to_have_title("(2) UC Assistant")
            await at.go_to("history")
            await at.page.mouse.move(120, 120)
            await expect(at.page).to_have_title("UC Assistant")
            await holds(at.page, "document.querySelector('link[rel=icon]').href.endsWith('/icon.svg')")
            await at.page.reload()
            await at.page.wait_for_selector(".rings-here")
            await expect(at.page).to_have_title("UC Assistant")


def missed(number: int, seconds: int) -> dict[str, object]:
    """A call that was missed after the log-in."""
    end = (NOW + timedelta(seconds=60 - seconds)).isoformat()
    return entry(number, 0, status="missed", duration=0, ended=end, start=end)


class TestTabs:
    """S4: who is logged in to one tab is logged in to all of this browser, until the log-out."""

    @in_loop
    async def test_share_a_log_in_and_a_log_out(self) -> None:
        async with demo_browser() as at:
            waiting = await at.assistant()
            first = await at.logged_in()
            await waiting.ready()
            second = await at.assistant()
            await second.ready()
            await second.page.get_by_role("button", name="Log out").click()
            for tab in (first, second, waiting):
                await expect(tab.page.locator("#login")).to_be_visible()
            await first.page.reload()
            await expect(first.page.locator("#login")).to_be_visible()

    @in_loop
    async def test_that_are_too_many_leave_the_others_alone(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await at.script.hang_up(4003)
            await expect(at.page.locator("#login")).to_be_visible()
            assert await at.page.evaluate("localStorage.getItem('token')") is not None

    @pytest.mark.parametrize("code", [4001, 4002, 4005])
    @in_loop
    async def test_forget_a_session_that_is_over(self, code: int) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await at.script.hang_up(code)
            await expect(at.page.locator("#login")).to_be_visible()
            assert await at.page.evaluate("localStorage.getItem('token')") is None


LINKS: Final = {
    "tel:1003": "1003",
    "TEL:+33%20(0)1%2023": "+33123",
    "tel:1003;ext=4?x=y": "1003",
    "tel:": None,
    "tel:alice": None,
    "tel:%E0%A4%A": None,
    "javascript:alert(1)": None,
    "1003": None,
}
"""Addresses, and the number that each has."""


class TestLinks:
    """R14: a telephone link fills the number in, and never dials."""

    @in_loop
    async def test_fill_the_number_in(self) -> None:
        async with themed_page() as at:
            await at.page.goto(f"{ORIGIN}/?tel=tel%3A%2B33-1-23%2045")
            await at.logged_in()
            await expect(at.page.locator("#number")).to_have_value("+3312345")
            await expect(at.page.locator("#number")).to_be_focused()
            assert await at.page.evaluate("actions") == []
            assert at.page.url == f"{ORIGIN}/"

    @in_loop
    async def test_have_a_number_or_none(self) -> None:
        async with themed_page() as at:
            ask = "(links) => import('/js/links.js').then(({ numberOfLink }) => links.map(numberOfLink))"
            assert await at.page.evaluate(ask, list(LINKS)) == list(LINKS.values())

    @in_loop
    async def test_are_offered_to_the_browser(self) -> None:
        async with themed_page() as at:
            await at.page.evaluate("""() => {
              navigator.registerProtocolHandler = (...what) => { globalThis.registered = what; };
            }""")
            await at.logged_in()
            await open_settings(at.page)
            await at.page.get_by_role("button", name="Open telephone links here").click()
            assert await at.page.evaluate("registered") == ["tel", f"{ORIGIN}/?tel=%s"]


class TestApp:
    """S1: the page can be installed, is small, and is there at once."""

    @in_loop
    async def test_can_be_installed(self) -> None:
        async with demo_browser() as at:
            tab = await at.assistant()
            session = await tab.page.context.new_cdp_session(tab.page)
            manifest = await session.send("Page.getAppManifest")
            assert manifest["errors"] == []
            assert json.loads(manifest["data"])["protocol_handlers"] == [
                {"protocol": "tel", "url": "./?tel=%s"}
            ]
            errors = (await session.send("Page.getInstallabilityErrors"))["installabilityErrors"]
            assert [error["errorId"] for error in errors if error["errorId"] != "in-incognito"] == []

    @pytest.mark.alone
    @in_loop
    async def test_is_small_and_there_at_once(self) -> None:
        async with demo_browser() as at:
            page = await at.chromium.page()
            sizes = await sizes_of(page)
            start = time.monotonic()
            await page.goto(at.address, wait_until="commit")
            await page.wait_for_selector("#login")
            assert (time.monotonic() - start) * 1000 < FIRST_VIEW
            await page.wait_for_load_state("networkidle")
            assert sum(sizes.values()) <= MOST_BYTES, sizes


async def sizes_of(page: Page) -> dict[str, int]:
    """What a page loads over the wire from a cold cache, but fonts: bytes by request, as they come."""
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    await session.send("Network.clearBrowserCache")
    names: dict[str, str] = {}
    sizes: dict[str, int] = {}
    session.on(
        "Network.responseReceived",
        lambda event: names.update({event["requestId"]: event["response"]["url"]}),
    )

    def finished(event: dict[str, object]) -> None:
        name = names.get(str(event["requestId"]), "?")
        if not name.endswith(".woff2"):
            sizes[name] = int(str(event["encodedDataLength"]).partition(".")[0])

    session.on("Network.loadingFinished", finished)
    return sizes
