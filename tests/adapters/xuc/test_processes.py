"""Several processes: a browser may come to any, and is served by the one that owns its user's group."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from tests.adapters.xuc.assistants import ALICE, Tab, browsing, server
from tests.adapters.xuc.process_pair import BEAT, Process, pair
from tests.event_loop import in_loop
from unique_account.adapters.xuc import elsewhere
from unique_account.adapters.xuc.processes import Browsers
from unique_account.adapters.xuc.transport import pass_through
from unique_account.bootstrap import bootstrap
from unique_account.core.machine import State


async def happens(what: Callable[[], object], within: float = 10.0) -> None:
    async with asyncio.timeout(within):
        while not what():  # noqa: ASYNC110 - nothing here gives a signal
            await asyncio.sleep(0.01)


async def stranger(process: Process, user: str = "alice") -> Tab:
    """A tab of a client that knows one address."""
    return await process.browser.connect(await process.browser.log_in(user, None))


class TestRedirected:
    """S4, S5: our page is sent to the process that serves its user."""

    @in_loop
    async def test_it_learns_where_its_user_is_served(self) -> None:
        async with pair() as at:
            await at.one.own()
            token = await at.two.browser.log_in("alice")
            sent_away = await at.two.browser.connect(token)
            assert await sent_away.closed() == 4007
            owner = await at.one.address()
            addresses = [owner, await at.two.address()]
            assert sent_away.frames == [
                {
                    "msgType": "Processes",
                    "ctiMessage": {"owner": owner, "addresses": addresses, "beat": BEAT},
                }
            ]
            tab = await at.one.browser.connect(token)
            assert (await tab.next("Processes"))["owner"] == owner
            await tab.command("getIceConfig")
            assert at.one.service is not None
            assert at.one.service.account("alice").state is not State.LOGGED_OUT

    @in_loop
    async def test_without_an_owner_it_waits_for_one(self) -> None:
        async with pair() as at:
            tab = await at.two.browser.connect(await at.two.browser.log_in("alice"))
            assert (await tab.next("Processes"))["owner"] is None
            await tab.until(lambda: {"claz": "ping"} in tab.frames)
            await at.one.own()
            assert await tab.closed() == 4007
            assert tab.last("Processes")["owner"] == await at.one.address()

    @in_loop
    async def test_or_is_served_by_the_one_that_it_asked(self) -> None:
        async with pair() as at:
            tab = await at.two.browser.connect(await at.two.browser.log_in("alice"))
            await tab.next("Processes")
            await at.two.own()
            await tab.next("LoggedOn")
            await tab.command("getIceConfig")

    @in_loop
    async def test_but_not_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(elsewhere, "WAITS", 0.3)
        async with pair() as at:
            tab = await at.two.browser.connect(await at.two.browser.log_in("alice"))
            assert await tab.closed() == 1013
            assert tab.last("Processes")["owner"] is None
            assert tab.last("LoggedOnError") == {"Error": "loggedOnFailed"}

    @in_loop
    async def test_a_user_without_an_account_is_not_sent_around(self) -> None:
        async with pair() as at:
            await at.one.own()
            assert at.one.service is not None
            await at.one.service.remove("bob")
            tab = await at.one.browser.connect(await at.two.browser.log_in("bob"))
            assert await tab.closed() == 4005


class TestTakeover:
    """S4, S5: when another process owns the group, every client comes back, and is served there."""

    @in_loop
    async def test_clients_of_the_old_owner_come_back(self) -> None:
        async with pair() as at:
            await at.one.own()
            token = await at.one.browser.log_in("alice")
            tab = await at.one.browser.connect(token)
            await tab.next("LoggedOn")
            await at.one.give_up()
            assert await tab.closed() == 1013
            await at.two.own()
            back = await at.one.browser.connect(token)
            assert await back.closed() == 4007
            assert "stamp" not in back.frames[-1]  # it owns nothing
            moved = await at.two.browser.connect(token)
            await moved.command("getIceConfig")
            assert not at.one.cti._hub._users
            assert at.two.service is not None
            assert len(at.two.service.account("alice").sessions) == 1

    @in_loop
    async def test_an_owner_can_own_it_again(self) -> None:
        async with pair() as at:
            token = await at.one.browser.log_in("alice")
            for process in (at.one, at.two, at.one):
                await process.own()
                tab = await process.browser.connect(token)
                await tab.command("getIceConfig")
                await process.give_up()
                assert await tab.closed() == 1013

    @in_loop
    async def test_a_log_out_at_another_process_ends_the_session(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with pair() as at:
            await at.one.own()
            token = await at.two.browser.log_in("alice")
            tab = await at.one.browser.connect(token)
            await tab.next("LoggedOn")
            headers = {"Authorization": f"Bearer {token}"}
            answer = await at.two.browser.request("POST", "auth/logout", headers=headers)
            assert answer.status_code == 204
            await tab.close()
            service = at.one.service
            assert service is not None
            await happens(lambda: service.account("alice").state is State.LOGGED_OUT)


class TestStamps:
    """S4: frames carry the epoch and a number, so that a late one of an old owner can be told."""

    @in_loop
    async def test_they_grow_per_kind_and_number_and_over_a_takeover(self) -> None:
        async with pair() as at:
            stamps: dict[tuple[str, Any], list[list[Any]]] = {}
            token = await at.one.browser.log_in("alice")
            for process in (at.one, at.two):
                epoch = await process.own()
                tab = await process.browser.connect(token)
                await tab.command("subscribeToPhoneHints", phoneNumbers=["1001", "1002"])
                for state in (True, False, True):
                    await tab.command("dnd", state=state)
                for frame in tab.frames:
                    if "msgType" in frame:
                        content = frame["ctiMessage"]
                        number = content.get("number") if isinstance(content, dict) else None
                        assert frame["stamp"][:2] == ["all", epoch]
                        stamps.setdefault((frame["msgType"], number), []).append(frame["stamp"])
                await process.give_up()
            assert len(stamps["UniqueAccount", "1001"]) >= 6
            for one in stamps.values():
                assert one == sorted(one)
                assert len({tuple(stamp) for stamp in one}) == len(one)

    @in_loop
    async def test_one_process_alone_stamps_nothing(self) -> None:
        async with browsing(cti := server()) as browser, bootstrap(cti=cti) as service:
            await service.add(ALICE)
            tab = await browser.tab("alice")
            assert all("stamp" not in frame for frame in tab.frames)
            assert tab.reported("Processes") == []


class TestPassedThrough:
    """S4, S5: a client that knows one address is served through it, within bounds."""

    @pytest.fixture(autouse=True)
    def _soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("PING_EVERY", "ANSWERS_WITHIN", "CONNECTS_WITHIN", "CLOSES_WITHIN"):
            monkeypatch.setattr(pass_through, name, 0.3)
        monkeypatch.setattr(pass_through, "LOOK_EVERY", 0.02)
        monkeypatch.setattr(elsewhere, "LOOK_EVERY", 0.02)

    @in_loop
    async def test_every_frame_goes_both_ways(self) -> None:
        async with pair() as at:
            await at.one.own()
            tab, other = await stranger(at.two), await at.one.browser.tab("alice")
            await tab.next("LoggedOn")
            await tab.command("dnd", state=True)
            await other.until(lambda: other.last("UniqueAccount")["forwarding"]["doNotDisturb"])
            await other.command("setUserPreference", key="x", value="é" * 1000, value_type="String")
            assert (await tab.next("UserPreference"))["value"] == "é" * 1000
            await tab.send({"claz": "ping"})
            await tab.until(lambda: {"claz": "ping"} in tab.frames)
            assert (await tab.error("explode"))[0] == "unknownCommand"
            await tab.close()
            service = at.one.service
            assert service is not None
            await happens(lambda: [one for one in service.account("alice").sessions if one.last_seen])

    @in_loop
    async def test_our_page_too_where_it_is_to_stay(self) -> None:
        async with pair(Browsers.PASS) as at:
            await at.one.own()
            tab = await at.two.browser.tab("alice")
            await tab.command("getIceConfig")

    @in_loop
    async def test_a_close_that_means_something_is_passed_on(self) -> None:
        async with pair() as at:
            await at.one.own()
            tab = await stranger(at.two)
            await tab.command("logout")
            assert await tab.closed() == 4002

    @in_loop
    async def test_an_owner_that_goes_ends_it(self) -> None:
        async with pair() as at:
            await at.one.own()
            tab = await stranger(at.two)
            await tab.next("LoggedOn")
            at.lease.own("two", await at.two.address())
            assert await tab.closed() == 1013

    @in_loop
    async def test_a_paused_owner_is_left_in_time(self) -> None:
        async with paused_owner() as (address, answers), pair() as at:
            at.lease.own("three", address)
            answers.set()
            tab = await stranger(at.two)
            await tab.next("LoggedOn")
            answers.clear()
            async with asyncio.timeout(3):
                assert await tab.closed() == 1013

    @in_loop
    async def test_one_that_takes_no_socket_is_an_error_in_time(self) -> None:
        async with paused_owner() as (address, _), pair() as at:
            at.lease.own("three", address)
            async with asyncio.timeout(3):
                tab = await stranger(at.two)
                assert await tab.closed() == 1013
            assert tab.last("LoggedOnError") == {"Error": "loggedOnFailed"}
            at.lease.own("three", "http://127.0.0.1:9")
            assert await (await stranger(at.two)).closed() == 1013

    @in_loop
    async def test_two_that_take_each_other_for_the_owner_make_no_ring(self) -> None:
        async with pair() as at:
            one, two = await at.one.address(), await at.two.address()
            at.lease.own("two", two)
            at.two.mistake("one", one)
            tab = await stranger(at.one)
            assert await tab.closed() == 1013


@asynccontextmanager
async def paused_owner() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A process that is stopped: its kernel takes connections, and it answers only while the event is set."""
    from websockets.asyncio.server import ServerConnection, serve

    answers = asyncio.Event()

    async def logged_on(socket: ServerConnection) -> None:
        await socket.send('{"msgType":"LoggedOn","ctiMessage":{}}')
        with suppress(Exception):
            while answers.is_set():  # noqa: ASYNC110 - as a process that is stopped, it looks at nothing
                await asyncio.sleep(0.01)
            socket.transport.pause_reading()
            await answers.wait()

    async def wait(*_: object) -> None:
        await answers.wait()

    async with serve(
        logged_on, "127.0.0.1", 0, process_request=wait, ping_interval=None, close_timeout=0.1
    ) as listening:
        host, port = next(iter(listening.sockets)).getsockname()
        try:
            yield f"http://{host}:{port}", answers
        finally:
            answers.set()
