"""Whom a user looks for: in the field for a number, in the directory, in the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.drivers.page import demo_browser, expect
from tests.e2e.drivers.screenshots import ThemedPage, themed_page
from tests.e2e.drivers.scripted_server import entry
from tests.event_loop import in_loop

if TYPE_CHECKING:
    from playwright.async_api import Locator

pytestmark = pytest.mark.e2e

MATCHES: Final = [
    (["bob"], "Bob Durand", "1002", True),
    (["dur"], "Bob Durand", "1002", True),
    (["b", "d"], "Bob Durand", "1002", True),
    (["ob"], "Bob Durand", "1002", False),
    (["002"], "Bob Durand", "1002", True),
    (["elodie"], "Élodie Lefebvre-Saint-Amand", "1005", True),
    (["saint"], "Élodie Lefebvre-Saint-Amand", "1005", True),
    (["01 23"], "", "+33 (0)1 23 45 67 89", False),
    (["123"], "", "+33 (0)1 23 45 67 89", True),
    ([], "Bob Durand", "1002", True),
]
"""Words, a name, a number, and whether they match."""


def found(at: ThemedPage, field: str = "number") -> Locator:
    """Who is suggested."""
    return at.page.locator(f"#{field}-found [role=option]")


class TestNames:
    """R14: a user dials by name, with the keyboard alone."""

    @in_loop
    async def test_of_colleagues_are_found_and_dialled(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await at.page.focus("#number")
            await at.page.keyboard.type("élo")
            await expect(found(at)).to_have_count(1)
            await expect(found(at)).to_have_attribute("aria-selected", "true")
            await at.page.keyboard.press("Enter")
            await expect(at.page.locator("#number")).to_have_value("")
            assert await at.page.evaluate("actions") == [["dial", "1005"]]

    @in_loop
    async def test_are_chosen_with_the_arrows(self) -> None:
        async with themed_page() as at:
            at.script.favourites = [("Daniela Roy", "1077")]
            await at.logged_in_with(people=7)
            await at.page.focus("#number")
            await at.page.keyboard.type("d")
            await expect(found(at)).to_have_count(3)
            await expect(found(at).first).to_contain_text("Daniela Roy")
            await at.page.keyboard.press("ArrowDown")
            active = await at.page.get_attribute("#number", "aria-activedescendant")
            assert active == "number-found-1"
            await at.page.keyboard.press("ArrowUp")
            await at.page.keyboard.press("ArrowUp")
            await expect(found(at).last).to_have_attribute("aria-selected", "true")
            await at.page.keyboard.press("Escape")
            await expect(found(at)).to_have_count(0)
            await expect(at.page.locator("#number")).to_have_value("d")

    @in_loop
    async def test_come_from_the_directory_and_from_the_history_too(self) -> None:
        async with themed_page() as at:
            at.script.newest = {
                "entries": [entry(1, 5, peer="+33199887766", peerName="Gaëlle Simon")],
                "next": None,
            }
            await at.logged_in()
            await at.page.focus("#number")
            await at.page.keyboard.type("Ga")
            await expect(found(at)).to_have_text(["Gaston Petit +33611223344", "Gaëlle Simon +33199887766"])
            assert [one["term"] for one in at.script.of("directoryLookUp")] == ["Ga"]
            await found(at).first.click()
            assert await at.page.evaluate("actions") == [["dial", "+33611223344"]]

    @in_loop
    async def test_are_not_in_the_way_of_numbers(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await at.page.focus("#number")
            await at.page.keyboard.type("100")
            await expect(found(at)).to_have_count(3)
            await at.page.keyboard.press("Enter")
            assert await at.page.evaluate("actions") == [["dial", "100"]]

    @in_loop
    async def test_that_nobody_has_are_no_numbers(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await at.page.focus("#number")
            await at.page.keyboard.type("zzz")
            await at.page.keyboard.press("Enter")
            assert await at.page.evaluate("actions") == []
            assert await at.page.evaluate("document.getElementById('number').validationMessage") != ""

    @in_loop
    async def test_that_several_have_are_chosen_from(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            call = at.page.get_by_role("button", name="Call", exact=True)
            await at.page.fill("#number", "d")
            await call.click()
            assert await at.page.evaluate("actions") == []
            complaint = await at.page.evaluate("document.getElementById('number').validationMessage")
            assert complaint == "Choose one of the people in the list."
            await at.page.fill("#number", "durand")
            await call.click()
            await expect(at.page.locator("#number")).to_have_value("")
            assert await at.page.evaluate("actions") == [["dial", "1002"]]

    @in_loop
    async def test_serve_in_a_transfer(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await at.phones.press("bob", "Call Alice")
            await page.button("Answer").click()
            await page.button("Transfer").click()
            await expect(page.page.locator("#transfer-to")).to_be_focused()
            await page.page.keyboard.type("caro")
            await page.page.keyboard.press("Enter")
            await expect(page.page.locator("#transfer-to")).to_have_value("1003")
            await page.page.keyboard.press("Enter")
            await expect(at.phones.call("carol", "ringing")).to_contain_text("Bob Durand")

    @in_loop
    async def test_match_by_the_beginnings_of_words(self) -> None:
        async with themed_page() as at:
            ask = (
                "(all) => import('/js/directory.js').then(({ matches }) => all.map((one) => matches(...one)))"
            )
            asked = [[words, name, number] for words, name, number, _ in MATCHES]
            assert await at.page.evaluate(ask, asked) == [fits for *_, fits in MATCHES]


class TestFavourites:
    """C1: favourites are the server's, and are shown first."""

    @in_loop
    async def test_are_shown_made_and_removed(self) -> None:
        async with themed_page() as at:
            at.script.favourites = [("Hélène Roy", "1077")]
            await at.logged_in_with(people=7)
            await expect(at.page.locator("[data-list=favourites] .row")).to_contain_text("Hélène Roy")
            await at.page.get_by_label("Find a colleague").fill("Geo")
            directory = at.page.locator("[data-list=directory] .row")
            await expect(directory).to_contain_text("Georgette Muller")
            await directory.get_by_label("Make Georgette Muller a favourite").click()
            await at.page.get_by_label("Find a colleague").fill("")
            await expect(at.page.locator("[data-list=favourites] .row")).to_have_count(2)
            sent = at.script.of("addFavorite")[0]
            assert (sent["contactId"], sent["source"]) == ("1042", "internal")
            await at.page.get_by_label("Remove Georgette Muller from the favourites").click()
            await expect(at.page.locator("[data-list=favourites] .row")).to_have_count(1)


class TestFilter:
    """H1: the history is filtered and searched."""

    @in_loop
    async def test_leaves_what_was_missed(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            rows = at.page.locator(".part-history .row")
            await at.page.locator("[data-only=missed]").click()
            await expect(rows).to_have_count(2)
            await at.page.get_by_label("Search the history").fill("okafor")
            await expect(rows).to_have_count(1)
            await at.page.locator("[data-only=all]").click()
            await at.page.get_by_label("Search the history").fill("1003")
            await expect(rows).to_contain_text("Carol Nguyen")
            await at.page.get_by_label("Search the history").fill("nobody")
            await expect(at.page.locator(".part-history")).to_contain_text("No call matches.")
            await expect(at.page.get_by_role("button", name="Show older calls")).to_be_visible()
