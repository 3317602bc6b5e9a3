"""What the page makes of things that a real server does rarely, or with more data than the stage has."""

from __future__ import annotations

import pytest

from lab.waiting import until
from tests.e2e.drivers.page import expect
from tests.e2e.drivers.screenshots import themed_page
from tests.e2e.drivers.scripted_server import ON_DESKPHONE, call, entry
from tests.event_loop import in_loop

pytestmark = pytest.mark.e2e


class TestPages:
    """H5: older calls are asked for by pages, and stay when newer ones come."""

    @in_loop
    async def test_of_the_history(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            rows = at.page.locator(".part-history .row")
            await at.page.get_by_role("button", name="Show older calls").click()
            await expect(rows).to_have_count(6)
            await expect(at.page.get_by_role("button", name="Show older calls")).to_have_count(0)
            assert [reported["cursor"] for reported in at.script.of("getHistoryPage")][-1] == "older"
            newest = entry(7, 1, peer="1003", peerName="Carol Nguyen")
            at.script.newest = {"entries": [newest, *at.script.newest["entries"]], "next": "older"}
            at.script.report("HistoryChanged", {})
            await expect(rows).to_have_count(7)
            await expect(rows.first).to_contain_text("Carol Nguyen")
            await expect(rows.last).to_contain_text("Fatima Zahra")

    @in_loop
    async def test_start_again_if_calls_in_between_may_be_missing(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await at.page.get_by_role("button", name="Show older calls").click()
            at.script.newest = {"entries": [entry(9, 1), entry(8, 2)], "next": "more"}
            at.script.report("HistoryChanged", {})
            await expect(at.page.locator(".part-history .row")).to_have_count(2)
            await expect(at.page.get_by_role("button", name="Show older calls")).to_be_visible()


class TestColleagues:
    """P5: who is looked for is found by name or number, and watched."""

    @in_loop
    async def test_are_found(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await at.page.get_by_label("Find a colleague").fill("Okafor")
            await expect(at.page.locator(".part-people .row")).to_have_count(1)
            assert at.script.of("subscribeToPhoneHints")[-1]["phoneNumbers"] == ["1004"]
            at.script.report("PhoneHintStatusEvent", {"number": "1004", "status": 0})
            await expect(at.page.locator(".part-people .presence")).to_have_text("Available")


class TestEnds:
    """S5: a session that is over leads back to the log-in, which says why."""

    @pytest.mark.parametrize(
        ("code", "kind"), [(4001, "expired"), (4003, "too_many_tabs"), (4005, "no_account")]
    )
    @in_loop
    async def test_by_the_server(self, code: int, kind: str) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await at.script.hang_up(code)
            await expect(at.page.locator("#login")).to_be_visible()
            await expect(at.page.locator(f".trouble[data-kind={kind}]")).to_be_visible()


class TestRetries:
    """S5: a page that tries again and again to come back says once that it is lost."""

    @in_loop
    async def test_are_not_shown_again(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            await at.script.goes_away()
            await at.page.locator(".trouble[data-kind=offline]").get_by_label("Dismiss").click()
            tried = at.script.connections

            async def tries_again() -> bool:
                return at.script.connections >= tried + 2

            await until(tries_again, "two more tries")
            await expect(at.page.locator(".trouble")).to_have_count(0)


class TestOrders:
    """C2: what the server has the browser's phone do is done, to the call that is meant."""

    @pytest.mark.parametrize(
        ("order", "actions"),
        [
            ({"command": "Dial", "destination": "1003"}, [["hold", "talks"], ["dial", "1003"]]),
            ({"command": "Answer", "uniqueId": "?"}, [["hold", "talks"], ["answer", "rings"]]),
            ({"command": "Hold", "uniqueId": "1699999999.1"}, [["hold", "talks"]]),
            ({"command": "Hold", "uniqueId": "1699999999.2"}, [["hold", "talks"], ["resume", "waits"]]),
            (
                {"command": "Hold", "uniqueId": "?", "sipCallId": "wai"},
                [["hold", "talks"], ["resume", "waits"]],
            ),
            ({"command": "Hold", "uniqueId": "?"}, []),
            ({"command": "SendDtmf", "uniqueId": "1699999999.1", "key": "5"}, [["press", "talks", "5"]]),
            ({"command": "ToggleMicrophone", "uniqueId": "1699999999.2"}, [["mute", "waits", True]]),
            ({"command": "Explode"}, []),
        ],
    )
    @in_loop
    async def test_are_carried_out(self, order: dict[str, object], actions: list[list[object]]) -> None:
        async with themed_page() as at:
            await at.logged_in()
            at.script.account(calls=[webrtc(1, "talking", "1002"), webrtc(2, "held", "1005")])
            calls = [
                own("talks", "talking", "1002"),
                own("waits", "held", "1005"),
                own("rings", "ringing", "1004"),
            ]
            await at.page.evaluate("calls => phone.changed('registered', calls)", calls)
            at.script.report("WebRTCCmd", {"sipCallId": None, "key": None, **order})
            at.script.report("WebRTCCmd", {"command": "ToggleMicrophone", "uniqueId": "1699999999.1"})
            last = ["mute", "talks", True]
            await at.page.wait_for_function("actions.at(-1)?.[0] === 'mute' && actions.at(-1)[1] === 'talks'")
            assert await at.page.evaluate("actions") == [*actions, last]


def webrtc(number: int, status: str, peer: str) -> dict[str, object]:
    return call(number, device="webrtc", status=status, otherDN=peer)


def own(name: str, status: str, peer: str) -> dict[str, object]:
    """A call on the browser's phone."""
    said = {"id": name, "direction": "incoming", "status": status, "peer": peer, "peerName": ""}
    return {**said, "answered": None, "muted": False}


class TestCommands:
    """C1: a call of the deskphone is steered by the commands of the protocol."""

    @in_loop
    async def test_name_the_call(self) -> None:
        async with themed_page() as at:
            await at.logged_in()
            at.script.account(**ON_DESKPHONE, calls=[call(1)])
            await at.page.locator(".call .button").filter(has_text="Hold").click()
            await at.page.locator(".call .button").filter(has_text="Hang up").click()
            await expect(at.page.locator(".call")).to_be_visible()
            for command in ("hold", "hangup"):
                assert [reported["uniqueId"] for reported in at.script.of(command)] == ["1699999999.1"]
