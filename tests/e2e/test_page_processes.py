"""The page with several processes: it finds the one that serves its user, and believes no earlier owner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from lab.browser import browser
from lab.waiting import until
from tests.adapters.xuc.process_pair import Pair, pair
from tests.e2e.drivers.page import expect
from tests.e2e.drivers.screenshots import themed_page
from tests.event_loop import in_loop

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

CAROL = "1004"


class TestStamps:
    """S4: a late message of an earlier owner, or one that was overtaken, changes nothing on the page."""

    @in_loop
    async def test_the_page_shows_the_newest(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await at.page.get_by_label("Find a colleague").fill("Okafor")
            shown = at.page.locator(".part-people .presence")

            def hint(status: int, epoch: int, number: int, of: str = CAROL) -> None:
                message = {"number": of, "status": status}
                at.script.report("PhoneHintStatusEvent", message, ("all", epoch, number))

            hint(0, 7, 5)
            await expect(shown).to_have_text("Available")
            hint(1, 7, 4)  # overtaken
            hint(1, 7, 6, of="1002")  # about somebody else
            hint(8, 7, 7)
            await expect(shown).to_have_text("Ringing")
            assert at.script.connections == 1
            hint(0, 8, 1)  # of the next owner, who counts from one
            await expect(shown).to_have_text("Available")
            message = {
                "number": CAROL,
                "status": 8,
            }  # the user moved to another group, which has epochs of its own
            at.script.report("PhoneHintStatusEvent", message, ("other", 2, 1))
            await expect(shown).to_have_text("Ringing")

    @in_loop
    async def test_and_leaves_an_earlier_owner(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            at.script.report("HistoryChanged", {}, ("all", 8, 1))
            at.script.report("UniqueAccount", {}, ("all", 7, 99))
            await until(lambda: came_back(at.script.connections), "another connection")
            await expect(at.page.locator(".rings-here")).to_be_visible()


async def came_back(connections: int) -> bool:
    return connections >= 2


class TestAPausedOwner:
    """S5: a process that is silent between two heartbeats is left, as often as the server says."""

    @in_loop
    async def test_is_left_within_the_lease(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            where = {"owner": "http://127.0.0.1", "addresses": ["http://127.0.0.1"], "beat": 0.5}
            at.script.report("Processes", where)  # it answers no ping from now on, as it never did

            async def left() -> bool:
                return at.script.connections >= 2

            await at.page.wait_for_timeout(400)
            assert at.script.connections == 1
            async with asyncio.timeout(3):
                await until(left, "another connection")


@asynccontextmanager
async def opened(at: Pair) -> AsyncIterator[Page]:
    """The page of the second process, logged in as Alice."""
    async with browser() as chromium:
        page = await chromium.page()
        await page.goto(await at.two.address())
        await page.fill("#login", "alice")
        await page.fill("#password", "sésame")
        await page.click("form .button.main")
        yield page


async def served_by(page: Page, at: Pair, *, one: bool) -> None:
    """Wait until the page is served by the first or the second process."""

    async def served() -> bool:
        return (len(at.one.cti._hub.tabs), len(at.two.cti._hub.tabs)) == ((1, 0) if one else (0, 1))

    await until(served, f"a page at the {'first' if one else 'second'} process")
    await expect(page.locator(".part-devices")).to_be_visible()


class TestFindingTheOwner:
    """S4, S5: the page of any process goes to the one that serves its user, after a takeover, too."""

    @in_loop
    async def test_through_takeovers_and_a_time_without_an_owner(self) -> None:
        async with pair() as at:
            await at.one.own()
            async with opened(at) as page:
                await served_by(page, at, one=True)
                await at.one.give_up()
                at.lease.own("")
                await expect(page.locator(".trouble[data-kind=no_owner]")).to_contain_text("takes over")
                await expect(page.locator(".trouble[data-kind=offline]")).to_have_count(0)
                await at.two.own()
                await served_by(page, at, one=False)
                for kind in ("no_owner", "offline"):
                    await expect(page.locator(f".trouble[data-kind={kind}]")).to_have_count(0)
                await at.two.give_up()
                await at.one.own()
                await served_by(page, at, one=True)

    @in_loop
    async def test_though_the_process_that_served_the_page_is_gone(self) -> None:
        async with pair() as at:
            await at.two.own()
            async with opened(at) as page:
                await served_by(page, at, one=False)
                await at.two.give_up()
                await at.two.stop()
                await at.one.own()

                async def served() -> bool:
                    return len(at.one.cti._hub.tabs) == 1

                await until(served, "a page at the process that is left")

    @in_loop
    async def test_it_logs_out_where_it_is_served(self) -> None:
        async with pair() as at:
            await at.one.own()
            async with opened(at) as page:
                await served_by(page, at, one=True)
                await page.get_by_role("button", name="Log out").first.click()
                await expect(page.locator("#login")).to_be_visible()
                await expect(page.locator(".trouble")).to_have_count(0)
                service = at.one.service
                assert service is not None
                assert service.account("alice").sessions == ()

    @in_loop
    async def test_it_logs_out_at_another_if_its_own_is_gone(self) -> None:
        async with pair() as at:
            await at.two.own()
            async with opened(at) as page:
                await served_by(page, at, one=False)
                await at.two.give_up()
                await at.two.stop()
                await page.get_by_role("button", name="Log out").first.click()
                await expect(page.locator("#login")).to_be_visible()
                await expect(page.locator(".trouble[data-kind=log_out_unsure]")).to_have_count(0)

    @in_loop
    async def test_processes_that_send_it_around_are_asked_slowly(self) -> None:
        async with pair() as at:
            one, two = await at.one.address(), await at.two.address()
            for process, other in ((at.one, two), (at.two, one)):
                process.mistake("somebody else", other)
            async with opened(at) as page:
                asked: list[str] = []
                page.on("websocket", lambda socket: asked.append(socket.url))
                await page.wait_for_timeout(3000)
                assert 4 <= len(asked) <= 30
