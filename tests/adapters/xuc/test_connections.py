"""Sessions over real sockets: tabs that come, go, vanish and come back."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import Any

import pytest

from tests.adapters.xuc.assistants import ALICE, NAMES, PASSWORDS, Installation, Tab, installation
from tests.event_loop import in_loop
from unique_account.adapters.memory import MemoryDirectory
from unique_account.adapters.xuc import hub
from unique_account.core.events import DeviceSelected
from unique_account.core.machine import Device, State
from unique_account.ports.accounts import StoreDown
from unique_account.ports.observer import PortRequest


def cut(tab: Tab) -> None:
    """Let the network go away, without a close."""
    tab.socket.transport.abort()


def lost(at: Installation) -> bool:
    """Whether a session of Alice's is lost."""
    return any(session.last_seen is not None for session in at.alice.sessions)


class TestTheLease:
    """S5, S7: a session that vanishes holds the account for its lease, and one that returns loses nothing."""

    @in_loop
    async def test_a_close_is_a_lost_session_and_the_lease_ends_it(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            assert at.alice.state is State.WEBRTC_ACTIVE
            await tab.close()
            await at.wait_until(partial(lost, at))
            await at.advance(9)
            assert at.alice.state is State.WEBRTC_ACTIVE
            await at.advance(2)
            assert (at.alice.state, at.alice.sessions) == (State.LOGGED_OUT, ())

    @in_loop
    async def test_a_cut_is_one_too(self) -> None:
        async with installation() as at:
            cut(await at.browser.tab("alice"))
            await at.wait_until(partial(lost, at))

    @in_loop
    async def test_a_return_within_the_lease_loses_nothing(self) -> None:
        async with installation() as at:
            token = await at.browser.log_in("alice")
            tab = await at.browser.connect(token)
            await tab.command("selectDevice", device="deskphone")
            cut(tab)
            await at.wait_until(partial(lost, at))
            await at.advance(9)
            again = await at.browser.connect(token)
            await again.next("UniqueAccount")
            await at.advance(60)
            assert (at.alice.state, len(at.alice.sessions)) == (State.DESKPHONE_SELECTED, 1)
            assert again.last("UniqueAccount")["selection"] == "deskphone"

    @in_loop
    async def test_what_was_missed_is_shown_at_the_return(self) -> None:
        async with installation() as at:
            token = await at.browser.log_in("alice")
            tab = await at.browser.connect(token)
            await tab.next("Tabs")
            cut(tab)
            await at.wait_until(partial(lost, at))
            await at.service.handle("alice", DeviceSelected(Device.DESKPHONE))
            await at.pbx.call("1001", caller="1002")
            again = await at.browser.connect(token)
            shown = await again.next("UniqueAccount")
            assert (shown["selection"], len(shown["calls"])) == ("deskphone", 1)

    @in_loop
    async def test_the_loss_of_an_older_connection_changes_nothing(self) -> None:
        async with installation() as at:
            token = await at.browser.log_in("alice")
            old = await at.browser.connect(token)
            await old.next("Tabs")
            new = await at.browser.connect(token)
            await new.next("Tabs")
            await old.close()
            await new.until(lambda: new.last("Tabs")["open"] == 1)
            assert not lost(at)

    @in_loop
    async def test_nor_does_that_of_the_newer_one_while_the_older_is_there(self) -> None:
        async with installation() as at:
            token = await at.browser.log_in("alice")
            old = await at.browser.connect(token)
            await old.next("Tabs")
            new = await at.browser.connect(token)
            await new.next("Tabs")
            await new.close()
            await old.until(lambda: old.last("Tabs")["open"] == 1)
            await at.advance(60)
            assert not lost(at)
            await old.close()
            await at.wait_until(partial(lost, at))

    @in_loop
    async def test_a_restart_of_the_server_counts_from_the_last_sign_of_life(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            before = at.clock.now()
            await at.advance(5)
            await tab.close()
            await at.wait_until(partial(lost, at))
            (session,) = at.alice.sessions
            assert session.last_seen is not None
            assert (session.last_seen - before).total_seconds() >= 5

    @in_loop
    async def test_a_loss_that_cannot_be_stored_comes_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hub, "REPORT_RETRY", 0.1)
        async with installation() as at:
            tab = await at.browser.tab("alice")
            store = at.service._store
            save = store.save

            async def fails(*_: object) -> None:
                raise OSError("the disk is full")

            store.save = fails  # type: ignore[method-assign,assignment] # a store that breaks for a while
            await tab.close()
            await at.wait_until(
                lambda: any(request.request == "lost session" for request, _ in at.observer.failures)
            )
            assert not lost(at)
            store.save = save  # type: ignore[method-assign]
            await at.wait_until(partial(lost, at))

    @in_loop
    async def test_a_clock_that_is_set_back_makes_it_no_longer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hub, "REPORT_RETRY", 0.01)
        async with installation() as at:
            tab = await at.browser.tab("alice")

            async def fails(*_: object) -> None:
                raise OSError("the disk is full")

            store = at.service._store
            monkeypatch.setattr(store, "save", fails)
            await tab.close()
            await at.wait_until(
                lambda: PortRequest("cti", "lost session", user="alice") in dict(at.observer.failures)
            )
            await at.advance(-86400)
            monkeypatch.undo()
            await at.wait_until(lambda: lost(at))
            await at.advance(at.alice.lease.total_seconds() + 1)
            assert at.alice.sessions == ()


class TestLoggingOut:
    """S4: the last logout logs the account out; our page says when it does."""

    @in_loop
    async def test_a_logout_ends_the_session_at_once(self) -> None:
        async with installation() as at:
            tab, other = await at.browser.tab("alice"), await at.browser.tab("alice")
            await tab.send({"claz": "web", "command": "logout"})
            assert await tab.closed() == 4002
            assert (at.alice.state, len(at.alice.sessions)) == (State.WEBRTC_ACTIVE, 1)
            await other.send({"claz": "web", "command": "logout"})
            assert await other.closed() == 4002
            assert (at.alice.state, at.alice.sessions) == (State.LOGGED_OUT, ())

    @in_loop
    async def test_its_token_is_good_no_more(self) -> None:
        async with installation() as at:
            token = await at.browser.log_in("alice")
            tab = await at.browser.connect(token)
            renewed = (
                await at.browser.request("GET", "auth/check", headers={"Authorization": f"Bearer {token}"})
            ).json()["token"]
            await tab.send({"claz": "web", "command": "logout"})
            await tab.closed()
            for text in (token, renewed):
                again = await at.browser.connect(text)
                assert await again.closed() == 4001
                assert again.last("LoggedOnError") == {"Error": "loggedOnFailed"}
            assert at.alice.sessions == ()

    @in_loop
    async def test_the_request_does_the_same(self) -> None:
        async with installation() as at:
            token = await at.browser.log_in("alice")
            tab = await at.browser.connect(token)
            await tab.next("Tabs")
            header = {"Authorization": f"Bearer {token}"}
            answer = await at.browser.request("POST", "auth/logout", headers=header)
            assert (answer.status_code, answer.content, await tab.closed()) == (204, b"", 4002)
            assert at.alice.sessions == ()
            assert (await at.browser.request("POST", "auth/logout", headers=header)).status_code == 401

    @pytest.mark.parametrize(
        ("error", "word"),
        [
            (OSError("the disk is full"), "unhandledError"),
            (StoreDown("the database is gone"), "commandFailed"),
        ],
    )
    @in_loop
    async def test_a_logout_that_cannot_be_stored_is_an_answer(self, error: Exception, word: str) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")

            async def fails(*_: object) -> None:
                raise error

            at.service._store.save = fails  # type: ignore[method-assign,assignment] # a store that breaks
            assert (await tab.error("logout"))[0] == word
            assert tab.open
            assert len(at.alice.sessions) == 1

    @in_loop
    async def test_what_comes_after_it_is_too_late(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            for command, fields in (("logout", {}), ("dnd", {"state": True})):
                await tab.send({"claz": "web", "command": command, **fields})
            assert await tab.closed() == 4002
            assert not at.alice.forwarding.do_not_disturb

    @in_loop
    async def test_beside_a_tab_that_connects_it_leaves_no_session(self) -> None:
        async with installation() as at:
            save, left = at.service._store.save, 0

            async def slowly(*what: Any) -> None:
                await asyncio.sleep(chance.random() / 200)
                await save(*what)

            chance = random.Random(1)
            at.service._store.save = slowly  # type: ignore[method-assign,assignment] # slow
            for _ in range(60):
                token = await at.browser.log_in("alice")
                first = await at.browser.connect(token)
                await first.next("Tabs")
                header = {"Authorization": f"Bearer {token}"}
                leaving = asyncio.create_task(at.browser.request("POST", "auth/logout", headers=header))
                await asyncio.sleep(chance.random() / 200)
                tab = await at.browser.connect(token)
                assert (await leaving).status_code == 204
                assert (await first.closed(), await tab.closed()) in ((4002, 4001), (4002, 4002))
                await at.wait_until(lambda: not at.cti._hub.sessions_of("alice").by_id)
                await at.advance(11)
                left += bool(at.alice.sessions)
            assert left == 0

    @in_loop
    async def test_an_account_that_goes_takes_its_sessions_along(self) -> None:
        async with installation() as at:
            token = await at.browser.log_in("alice")
            tab = await at.browser.connect(token)
            await tab.next("Tabs")
            await at.service.remove("alice")
            assert await tab.closed() == 4005
            assert await (await at.browser.connect(token)).closed() == 4001

    @in_loop
    async def test_an_account_that_another_group_takes_over_leaves_the_token_valid(self) -> None:
        """The client comes back by itself, and everything that its user set is kept."""
        async with installation() as at:
            token = await at.browser.log_in("alice")
            tab = await at.browser.connect(token)
            await tab.next("Tabs")
            await at.cti.release("alice")
            assert await tab.closed() == 1013
            await (await at.browser.connect(token)).next("LoggedOn")


class TestTabs:
    """S4: with WebRTC in use a call rings in every session; three tabs have the line, one more has none."""

    @in_loop
    async def test_three_tabs_ring_and_a_fourth_has_no_line(self) -> None:
        async with installation() as at:
            tabs = [await at.browser.tab("alice") for _ in range(4)]
            assert [tab.last("LineConfig")["id"] for tab in tabs] == ["alice_w"] * 3 + ["1001"]
            assert [tab.last("SipLine") is not None for tab in tabs] == [True] * 3 + [False]
            assert [tab.last("Tabs")["rings"] for tab in tabs] == [True] * 3 + [False]
            assert tabs[3].last("LineConfig") == {
                "id": "1001", "name": "1001", "password": "", "xivoIp": "", "sipProxyName": "default",
                "sipPort": None, "webRtc": False, "hasDevice": True, "vendor": None,
            }  # fmt: skip

    @in_loop
    async def test_when_one_goes_the_next_gets_the_line(self) -> None:
        async with installation() as at:
            tabs = [await at.browser.tab("alice") for _ in range(5)]
            lines = [len(tab.reported("LineConfig")) for tab in tabs]
            await tabs[1].close()
            await tabs[3].until(lambda: tabs[3].last("LineConfig")["id"] == "alice_w")
            await tabs[4].until(lambda: tabs[4].last("Tabs") == {"open": 4, "ringing": 3, "rings": False})
            reported = [
                len(tab.reported("LineConfig")) - before for tab, before in zip(tabs, lines, strict=True)
            ]
            assert reported == [0, 0, 0, 1, 0]

    @in_loop
    async def test_one_more_steers_but_cannot_take_calls_itself(self) -> None:
        async with installation() as at:
            *_, last = [await at.browser.tab("alice") for _ in range(4)]
            await at.pbx.register(ALICE.webrtc)
            await at.pbx.call("1001", caller="1002")
            for command, fields in (("answer", {}), ("dial", {"destination": "1002"})):
                word, sentence = await last.error(command, **fields)
                assert (word, "no line" in sentence) == ("commandFailed", True)
            await last.command("hangup")
            assert at.pbx.calls == ()

    @in_loop
    async def test_a_user_has_no_more_sockets_than_may_be(self) -> None:
        async with installation(sockets_per_user=2) as at:
            tabs = [await at.browser.tab("alice") for _ in range(2)]
            more = await at.browser.connect(await at.browser.log_in("alice"))
            assert await more.closed() == 4003
            assert more.last("LoggedOnError") == {"Error": "loggedOnFailed"}
            await tabs[0].close()
            await tabs[1].until(lambda: tabs[1].last("Tabs")["open"] == 1)
            await (await at.browser.tab("alice")).next("Tabs")
            await (await at.browser.tab("bob")).next("Tabs")

    @in_loop
    async def test_a_call_is_shown_in_every_tab_and_its_answer_too(self) -> None:
        async with installation() as at:
            tabs = [await at.browser.tab("alice") for _ in range(2)]
            await at.pbx.register(ALICE.webrtc)
            await at.pbx.pick_up(await at.pbx.call("1001", caller="1002"))
            for tab in tabs:
                await tab.until(
                    partial(
                        lambda tab: (
                            [event["eventType"] for event in tab.reported("PhoneEvent")]
                            == ["EventRinging", "EventEstablished"]
                        ),
                        tab,
                    )
                )


class TestStopping:
    """S5: a server that stops is no loss of sessions: they come back, or their lease is over."""

    @in_loop
    async def test_clients_are_asked_to_reconnect(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            cti = [task for task in at.service._listeners if "_listen" in repr(task.get_coro())][-1]
            cti.cancel()
            await asyncio.wait([cti])
            assert await tab.closed() == 1012
            assert not lost(at)

    @in_loop
    async def test_what_is_given_up_is_no_failure(self, caplog: pytest.LogCaptureFixture) -> None:
        hanging = asyncio.Event()

        class Hanging(MemoryDirectory):
            async def authenticate(self, login: str, password: str) -> str | None:
                if login == "bob":
                    hanging.set()
                    await asyncio.Event().wait()
                return await super().authenticate(login, password)

            async def may_see(self, user: str, number: str) -> bool:
                await asyncio.Event().wait()
                return False

        async with installation(directory=Hanging(PASSWORDS, NAMES)) as at:
            await at.browser.connect(await at.browser.log_in("alice"))
            asked = asyncio.create_task(at.browser.log_in("bob"))
            await hanging.wait()
            await at.wait_until(lambda: at.alice.sessions)
        await asyncio.gather(asked, return_exceptions=True)
        assert not [line for line in caplog.records if line.exc_info]
