"""The UC Assistant in a real browser, on the real server, with the PBX double and played phones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.e2e.drivers.page import Assistant, DemoBrowser, demo_browser, expect, open_settings, speak
from tests.event_loop import in_loop

if TYPE_CHECKING:
    from playwright.async_api import WebSocket, WebSocketRoute

pytestmark = pytest.mark.e2e


async def answered(at: DemoBrowser) -> Assistant:
    """Bob calls Alice, who answers in the tab that she logged in to."""
    page = await at.logged_in()
    await at.phones.press("bob", "Call Alice")
    await page.button("Answer").click()
    return page


async def with_deskphone(at: DemoBrowser) -> Assistant:
    """A tab in which Alice has the deskphone in use."""
    page = await at.logged_in()
    await page.uses("deskphone")
    return page


class TestLoggingIn:
    """S1, S3, S5: a user logs in, is back after a reload, and logs out at once."""

    @in_loop
    async def test_needs_the_right_password(self) -> None:
        async with demo_browser() as at:
            page = await at.assistant()
            await page.log_in(password="wrong")
            await expect(page.trouble("wrong_password")).to_be_visible()
            await expect(page.page.locator("#login")).to_be_visible()

    @in_loop
    async def test_puts_the_account_on_the_browser(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await expect(page.page.locator(".who b")).to_have_text("Alice Martin")
            await expect(page.page.locator(".why")).to_contain_text("rings in the UC Assistant")
            await expect(at.phones.phone("alice")).to_contain_text("browser registered")

    @in_loop
    async def test_a_page_that_is_loaded_again_goes_on(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await page.page.reload()
            await page.ready()
            await expect(at.phones.phone("alice")).to_contain_text("logged in")

    @in_loop
    async def test_a_log_out_shows_at_once(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await page.page.get_by_role("button", name="Log out").click()
            await expect(page.page.locator("#login")).to_be_visible()
            await expect(at.phones.phone("alice")).to_contain_text("logged out")
            await expect(at.phones.phone("alice")).not_to_contain_text("browser registered")

    @in_loop
    async def test_a_log_out_outlives_a_reload(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await page.page.get_by_role("button", name="Log out").click()
            await expect(page.page.locator("#login")).to_be_visible()
            await page.page.reload()
            await expect(page.page.locator("#login")).to_be_visible()


class TestSelecting:
    """S6, R3, R4: the page says which device is in use, and why."""

    @in_loop
    async def test_the_deskphone_and_back(self) -> None:
        async with demo_browser() as at:
            page = await with_deskphone(at)
            await expect(page.page.locator(".by")).to_contain_text("deskphone")
            await expect(at.phones.phone("alice")).not_to_contain_text("browser registered")
            await page.select("webrtc")
            await page.ready()

    @in_loop
    async def test_a_fallback_shows_with_its_reason(self) -> None:
        async with demo_browser() as at:
            page = await at.assistant()
            await page.page.route_web_socket("**/stage/line", lambda socket: socket.close())
            await page.log_in()
            await page.in_use("deskphone").wait_for()
            await expect(page.device("webrtc").locator("input")).to_be_checked()
            why = page.page.locator(".why")
            await expect(why).to_contain_text("although this browser is selected")
            await expect(why).to_contain_text("The browser's phone is not registered")
            await expect(page.trouble("line_lost")).to_be_visible()

    @in_loop
    async def test_the_reasons_speak_french(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await speak(page.page, "fr")
            await page.page.locator(".why summary").click()
            await expect(page.page.locator(".why")).to_contain_text("Le navigateur est choisi")
            await expect(page.page.locator("html")).to_have_attribute("lang", "fr")


class TestBrowserCalls:
    """C2: with WebRTC in use, calls are those of the browser's own phone."""

    @in_loop
    async def test_answering(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await at.phones.press("bob", "Call Alice")
            await expect(page.call("ringing")).to_contain_text("Bob Durand")
            await expect(page.page).to_have_title("Bob Durand is calling · UC Assistant")
            await page.button("Answer").click()
            await page.call("talking").wait_for()
            await expect(at.phones.call("bob", "talking")).to_be_visible()
            await page.button("Hang up").click()
            await expect(page.page.locator(".call")).to_have_count(0)
            await expect(at.phones.call("bob", "talking")).to_have_count(0)

    @in_loop
    async def test_refusing(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await at.phones.press("bob", "Call Alice")
            await page.button("Refuse").click()
            await expect(page.page.locator(".call")).to_have_count(0)
            await expect(at.phones.call("alice", "ringing")).to_have_count(0)

    @in_loop
    async def test_dialling_and_holding(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await page.dial("10 02")
            await page.call("dialling").wait_for()
            await at.phones.press("bob", "Lift")
            await page.button("Hold").click()
            await page.call("held").wait_for()
            await page.button("Resume").click()
            await page.call("talking").wait_for()

    @in_loop
    async def test_the_dial_pad_and_clicking_on_a_colleague(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await page.page.get_by_label("Show the keys of the dial pad").click()
            for key in "1002":
                await page.page.locator(f".part-phone [data-key='{key}']").click()
            await expect(page.page.locator("#number")).to_have_value("1002")
            await page.page.locator(".part-people").get_by_label("Call Carol Nguyen").click()
            await expect(page.call("dialling")).to_contain_text("Carol Nguyen")
            await expect(at.phones.call("carol", "ringing")).to_be_visible()

    @in_loop
    async def test_muting_and_the_keypad(self) -> None:
        async with demo_browser() as at:
            page = await answered(at)
            await page.button("Mute").click()
            await expect(page.button("Mute")).to_have_attribute("aria-pressed", "true")
            await page.button("Keypad").click()
            await page.page.locator(".call [data-key='5']").click()
            await expect(page.call("talking")).to_be_visible()

    @in_loop
    async def test_a_blind_transfer(self) -> None:
        async with demo_browser() as at:
            page = await answered(at)
            await page.transfer("1003", "Transfer now")
            await expect(at.phones.call("carol", "ringing")).to_contain_text("Bob Durand")
            await expect(page.page.locator(".call")).to_have_count(0)

    @in_loop
    async def test_an_attended_transfer(self) -> None:
        async with demo_browser() as at:
            page = await answered(at)
            await page.transfer("1003", "Ask first")
            await page.call("held").wait_for()
            await at.phones.press("carol", "Lift")
            await page.button("Complete the transfer").click()
            await expect(page.page.locator(".call")).to_have_count(0)
            await expect(at.phones.call("carol", "talking")).to_be_visible()
            await expect(at.phones.call("bob", "talking")).to_be_visible()

    @in_loop
    async def test_a_consultation_can_be_cancelled(self) -> None:
        async with demo_browser() as at:
            page = await answered(at)
            await page.transfer("1003", "Ask first")
            await at.phones.press("carol", "Lift")
            await page.button("Cancel").click()
            await expect(page.page.locator(".call")).to_have_count(1)
            await expect(page.call("talking")).to_contain_text("Bob Durand")

    @in_loop
    async def test_a_call_that_is_dialled_is_known_when_the_dialling_is_done(self) -> None:
        async with demo_browser() as at:
            page = await at.assistant()
            frames: list[str | bytes] = []

            def listen(socket: WebSocket) -> None:
                socket.on("framereceived", lambda frame: frames.append(frame))

            page.page.on("websocket", listen)
            await page.log_in()
            await page.ready()
            await page.dial("1002")
            await page.call("dialling").wait_for()
            reported = [json.loads(frame) for frame in frames]
            done = next(one for one in reported if "ref" in one)
            assert done["id"] in [call["id"] for call in done["calls"]]


class TestHands:
    """The stage's own page: a button does what it said when the hand went down."""

    @in_loop
    async def test_a_button_keeps_its_meaning(self) -> None:
        async with demo_browser() as at:
            await at.phones.press("alice", "Call Bob")
            button = at.phones.call("alice", "dialling").get_by_role("button", name="Hang up")
            pressed = await button.element_handle()
            assert pressed is not None
            await at.phones.press("bob", "Lift")
            await at.phones.call("alice", "talking").wait_for()
            assert await pressed.inner_text() == "Hang up"


class TestDeskphoneCalls:
    """C1, R14: with the deskphone in use, the page steers the deskphone."""

    @in_loop
    async def test_answering_holding_and_hanging_up(self) -> None:
        async with demo_browser() as at:
            page = await with_deskphone(at)
            await at.phones.press("bob", "Call Alice")
            await expect(at.phones.call("alice", "ringing")).to_be_visible()
            await page.call("ringing", "deskphone").wait_for()
            await page.button("Answer").click()
            await expect(at.phones.call("alice", "talking")).to_be_visible()
            await page.button("Hold").click()
            await expect(at.phones.call("alice", "held")).to_be_visible()
            await page.button("Resume").click()
            await page.call("talking", "deskphone").wait_for()
            await page.button("Hang up").click()
            await expect(at.phones.phone("alice").locator(".call")).to_have_count(0)

    @in_loop
    async def test_dialling_rings_the_deskphone_first(self) -> None:
        async with demo_browser() as at:
            page = await with_deskphone(at)
            await page.dial("1002")
            await expect(at.phones.call("alice", "ringing")).to_contain_text("lift it to dial")
            await at.phones.press("alice", "Lift")
            await expect(at.phones.call("bob", "ringing")).to_be_visible()

    @in_loop
    async def test_an_attended_transfer(self) -> None:
        async with demo_browser() as at:
            page = await with_deskphone(at)
            await at.phones.press("bob", "Call Alice")
            await page.button("Answer").click()
            await page.transfer("1003", "Ask first")
            await expect(at.phones.call("alice", "ringing")).to_be_visible()
            await at.phones.press("alice", "Lift")
            await at.phones.press("carol", "Lift")
            await page.button("Complete the transfer").click()
            await expect(at.phones.phone("alice").locator(".call")).to_have_count(0)
            await expect(at.phones.call("carol", "talking")).to_be_visible()

    @in_loop
    async def test_what_the_phone_cannot_do_is_refused_with_the_reason(self) -> None:
        async with demo_browser() as at:
            page = await with_deskphone(at)
            await at.phones.press("alice", "Unplug")
            await expect(page.device("deskphone")).to_contain_text("Not registered")
            await page.dial("1002")
            await expect(page.trouble("refused")).to_contain_text("Your deskphone is not registered")


class TestSeveralTabs:
    """S4: tabs stay in step, and the first answer takes a call."""

    @in_loop
    async def test_a_selection_shows_in_all(self) -> None:
        async with demo_browser() as at:
            one, two = await at.logged_in(), await at.logged_in()
            await one.select("deskphone")
            await two.in_use("deskphone").wait_for()
            await expect(two.device("deskphone").locator("input")).to_be_checked()

    @in_loop
    async def test_a_call_rings_in_all_and_is_answered_in_one(self) -> None:
        async with demo_browser() as at:
            one, two = await at.logged_in(), await at.logged_in()
            await at.phones.press("bob", "Call Alice")
            await two.call("ringing").wait_for()
            await one.button("Answer").click()
            await one.call("talking").wait_for()
            await expect(two.call("talking", "elsewhere")).to_contain_text("In another window")
            await expect(two.trouble("answered_elsewhere")).to_be_visible()

    @in_loop
    async def test_the_account_stays_until_the_last_logs_out(self) -> None:
        async with demo_browser() as at:
            one, two = await at.logged_in(), await at.logged_in(computer="another")
            await one.page.get_by_role("button", name="Log out").click()
            await expect(one.page.locator("#login")).to_be_visible()
            await expect(two.in_use("webrtc")).to_be_visible()
            await two.page.get_by_role("button", name="Log out").click()
            await expect(at.phones.phone("alice")).to_contain_text("logged out")


class TestColleagues:
    """P1, P5: what colleagues' phones do shows at once."""

    @in_loop
    async def test_follow_their_calls(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await expect(page.colleague("1003")).to_have_text("Available")
            await at.phones.press("bob", "Call Carol")
            await expect(page.colleague("1003")).to_have_text("Ringing")
            await at.phones.press("carol", "Lift")
            await expect(page.colleague("1003")).to_have_text("In a call")
            await at.phones.press("carol", "Hang up")
            await expect(page.colleague("1003")).to_have_text("Available")
            await at.phones.press("carol", "Unplug")
            await expect(page.colleague("1003")).to_have_text("Not reachable")

    @in_loop
    async def test_see_the_user(self) -> None:
        async with demo_browser() as at:
            alice, bob = await at.logged_in(), await at.logged_in("bob")
            await at.phones.press("carol", "Call Alice")
            await alice.button("Answer").click()
            await expect(bob.colleague("1001")).to_have_text("In a call")
            await expect(alice.page.locator("#presence")).to_have_text("In a call")


class TestHistory:
    """H1, H3, H4: one list of both devices, live."""

    @in_loop
    async def test_shows_a_call_as_it_goes_on_and_what_became_of_it(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await expect(page.entries("answered")).to_have_count(1)
            await at.phones.press("bob", "Call Alice")
            await expect(page.entries("ongoing")).to_have_count(1)
            await page.button("Answer").click()
            await page.button("Hang up").click()
            await expect(page.entries("ongoing")).to_have_count(0)
            await expect(page.entries("answered")).to_have_count(2)
            await expect(page.entries("answered").first).to_have_attribute("data-device", "webrtc")

    @in_loop
    async def test_shows_a_call_of_the_deskphone(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await at.phones.press("alice", "Call Bob")
            await at.phones.press("bob", "Lift")
            await at.phones.press("alice", "Hang up")
            await expect(page.entries("emitted").first).to_have_attribute("data-device", "deskphone")


class TestVoicemail:
    """V1, V2: how many messages wait, and a button to listen to them."""

    @in_loop
    async def test_counts_and_plays(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            await expect(page.page.locator("#messages")).to_contain_text("2 new messages")
            await page.page.get_by_text("Do not disturb").click()
            await expect(page.page.locator(".why")).to_contain_text("goes to your voicemail")
            await at.phones.press("bob", "Call Alice")
            await expect(at.phones.call("bob", "talking")).to_contain_text("Voicemail")
            await at.phones.press("bob", "Hang up")
            await expect(page.page.locator("#messages")).to_contain_text("3 new messages")
            await page.page.get_by_role("button", name="Listen").click()
            await page.call("talking").wait_for()
            await expect(page.page.locator("#messages")).to_contain_text("0 new messages")


class TestForwards:
    """R8, R10: do-not-disturb and the user's own forwards."""

    @in_loop
    async def test_a_forward_is_set_shows_everywhere_and_works(self) -> None:
        async with demo_browser() as at:
            page, other = await at.logged_in(), await at.logged_in()
            forward = await page.forward("unconditional", "1003")
            await expect(forward.get_by_role("switch")).to_be_checked()
            await open_settings(other.page)
            shown = other.page.locator("[data-forward=unconditional]")
            await expect(shown.get_by_role("switch")).to_be_checked()
            await expect(shown.locator("input.input")).to_have_value("1003")
            await at.phones.press("bob", "Call Alice")
            await expect(at.phones.call("carol", "ringing")).to_be_visible()

    @in_loop
    async def test_one_that_is_refused_says_why(self) -> None:
        async with demo_browser() as at:
            page = await at.logged_in()
            forward = await page.forward("busy", "1001")
            await expect(page.trouble("refused")).to_be_visible()
            await expect(forward.get_by_role("switch")).not_to_be_checked()


class TestLostConnection:
    """S5: a page that loses the server says so, comes back by itself, and has lost nothing."""

    @in_loop
    async def test_comes_back(self) -> None:
        async with demo_browser() as at:
            page = await at.assistant()
            sockets: list[WebSocketRoute] = []

            def through(socket: WebSocketRoute) -> None:
                sockets.append(socket)
                socket.connect_to_server()

            await page.page.route_web_socket("**/xuc/**", through)
            await page.log_in()
            await page.ready()
            await sockets[-1].close(code=1001)
            await page.trouble("offline").wait_for()
            await expect(page.trouble("offline")).to_have_count(0)
            await page.uses("deskphone")

    @in_loop
    async def test_says_what_to_do_if_the_server_is_gone(self) -> None:
        async with demo_browser() as at:
            page = await at.assistant()
            await page.page.route("**/auth/login", lambda route: route.abort())
            await page.log_in()
            await expect(page.trouble("unreachable")).to_contain_text("Check your network")


class TestMessages:
    """C1: what the page sends is what the protocol says."""

    @in_loop
    async def test_of_the_page_are_answered(self) -> None:
        async with demo_browser() as at:
            page = await at.assistant()
            answered: list[str] = []
            refused: list[str] = []

            def through(socket: WebSocketRoute) -> None:
                server = socket.connect_to_server()

                def pass_on(text: str | bytes) -> None:
                    reported = json.loads(text)
                    answered.append(reported.get("msgType", "ping"))
                    if answered[-1] == "Error":
                        refused.append(reported["ctiMessage"]["command"])
                    socket.send(text)

                server.on_message(pass_on)

            await page.page.route_web_socket("**/xuc/**", through)
            await page.log_in()
            await page.ready()
            await expect(page.entries("answered")).to_have_count(1)
            assert refused == []
            assert {"LoggedOn", "SipLine", "UniqueAccount", "Colleagues", "HistoryPage"} <= set(answered)
