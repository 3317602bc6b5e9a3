"""What ``unique-account asterisk render`` writes is enough: phones register with it, and calls ring."""

from __future__ import annotations

import time

import pytest

from lab.ami import connect
from lab.browser import browser
from lab.phones import phone
from tests.e2e.office import live
from tests.e2e.planned import install, planned
from tests.e2e.rendered import SECRET, rendered
from unique_account import LoggedIn, User

pytestmark = pytest.mark.e2e

ALICE = User(
    id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w", mailbox="1001@default"
)


class TestRendered:
    """A1, A4: an Asterisk with the rendered files carries both devices of a Unique Account."""

    @live
    async def test_both_devices_register_and_the_one_in_use_rings(self) -> None:
        async with (
            rendered() as at,
            phone(at.pbx, at.endpoint("alice")) as alice,
            phone(at.pbx, at.endpoint("bob")) as bob,
            browser() as chromium,
        ):
            start = time.monotonic()
            await bob.dial("1001")
            await alice.event("CALL_INCOMING", after=start)
            await bob.hang_up()
            await alice.event("CALL_CLOSED", after=start)

            tab = await chromium.tab(at.pbx, at.endpoint("alice_w"))
            await install(at.pbx.ami, planned(ALICE, LoggedIn("tab-1")))
            start = time.monotonic()
            await bob.dial("1001")
            ringing = await tab.event("ringing", after=start)
            assert ringing.what.detail == "1002"
            await tab.answer()
            await bob.event("CALL_ESTABLISHED", after=start)

    @live
    async def test_the_manager_account_logs_in_and_may_write_plans(self) -> None:
        async with rendered() as at:
            ami = await connect(at.pbx.ports.ami, "unique_account", SECRET)
            try:
                await install(ami, planned(ALICE))
            finally:
                await ami.close()

    @live
    async def test_asterisk_has_nothing_to_complain_of_in_the_files(self) -> None:
        async with rendered() as at:
            complaints = [
                line for line in at.pbx.log.splitlines() if " ERROR[" in line or " WARNING[" in line
            ]
            assert [line for line in complaints if "unique" in line or "alice" in line] == []
            shown = await at.pbx.cli("pjsip show endpoint alice_w")
            assert "rtp_timeout                        : 5" in shown
            assert await at.pbx.cli("pjsip show aor alice_w")
