"""The page takes numbers as the server does, however people write them."""

from __future__ import annotations

from typing import Final

import pytest

from tests.e2e.drivers.page import expect
from tests.e2e.drivers.screenshots import themed_page
from tests.e2e.drivers.scripted_server import ON_DESKPHONE
from tests.event_loop import in_loop
from unique_account.core.number import Number

pytestmark = pytest.mark.e2e

SPELLINGS: Final = (
    "2001",
    "20 01",
    "+33 (0)1 23 45 67 89",
    "(+33)(0)1.23",
    "0033 (0)1 23",
    "(0)1 23",
    "+49 (30) 1234/5",
    "",
    "David",
    "++33",
    "1" * 41,
)
DIALLED: Final = "async (texts) => texts.map((await import('/js/number.js')).dialled)"


class TestNumbers:
    """R10: the same text is the same number in the browser and in the server, or none in both."""

    @in_loop
    async def test_every_character_means_the_same(self) -> None:
        characters = [chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000]
        texts = [*SPELLINGS, *(f"20{character}01" for character in characters)]
        async with themed_page() as at:
            await at.logged_in()
            found = await at.page.evaluate(DIALLED, texts)
        expected = [Number(text) if Number(text).is_dialable else None for text in texts]
        differ = [text for text, one, other in zip(texts, found, expected, strict=True) if one != other]
        assert differ == []

    @in_loop
    async def test_a_name_that_nobody_has_is_not_dialled(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            field = at.page.get_by_label("Number to call")
            await field.fill("Zoe")
            await at.page.get_by_role("button", name="Call", exact=True).click()
            complaint = await field.evaluate("field => field.validationMessage")
            assert complaint == "A number has only digits, *, # and a leading +."
            await expect(field).to_have_value("Zoe")
            assert at.script.of("dial") == []

    @in_loop
    async def test_a_number_is_dialled_without_separators(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            at.script.account(**ON_DESKPHONE)
            await expect(at.page.get_by_text("Calls go out from your deskphone")).to_be_visible()
            field = at.page.get_by_label("Number to call")
            await field.fill("Zoe")
            await at.page.get_by_role("button", name="Call", exact=True).click()
            await field.fill("+33 (0)1\u00a023")
            await at.page.get_by_role("button", name="Call", exact=True).click()
            await expect(field).to_have_value("")
            assert [order["destination"] for order in at.script.of("dial")] == ["+33123"]
