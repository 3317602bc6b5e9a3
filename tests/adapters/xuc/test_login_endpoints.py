"""Log-ins, renewals and log-outs over HTTP, and the origins that may connect."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.adapters.xuc.assistants import ALICE, BOB, KEY, NAMES, PASSWORDS, Installation, installation
from tests.event_loop import in_loop
from unique_account.adapters.memory import MemoryDirectory
from unique_account.adapters.xuc import login_endpoints, session_checks
from unique_account.adapters.xuc.auth import throttle
from unique_account.ports.login_attempts import PER_ADDRESS, PER_LOGIN


class Changing(MemoryDirectory):
    """Alice and Bob, whose passwords change."""

    def __init__(self) -> None:
        super().__init__(PASSWORDS, NAMES)

    def change(self, login: str, password: str | None) -> None:
        if password is None:
            del self._passwords[login]
        else:
            self._passwords[login] = password


async def log_in(at: Installation, login: str, password: str = "", **more: Any) -> tuple[int, str]:
    """Try to log in, with the password of this login if there is no other."""
    body = {"login": login, "password": password or PASSWORDS[login]}
    return await said(at, "POST", "auth/login", json=body, **more)


async def spray(at: Installation, headers: dict[str, str], times: int = PER_ADDRESS) -> None:
    """Fail with as many logins, each once."""
    for number in range(times):
        named = {name: value.format(number=number) for name, value in headers.items()}
        assert (await log_in(at, f"user{number}", password="x", headers=named))[0] == 401


ALICES = {"login": "alice", "password": "sésame"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def said(at: Installation, method: str, path: str, **more: Any) -> tuple[int, str]:
    """The status of an answer, and its error."""
    answer = await at.browser.request(method, path, **more)
    body = answer.json()
    assert body.keys() in ({"error", "message", "id", "parameters"}, {"login", "token", "TTL"})
    return answer.status_code, body.get("error", "")


class TestLoggingIn:
    """S1: a log-in with a password gives a token, in XiVO's words."""

    @in_loop
    async def test_a_log_in_is_answered_with_a_token(self) -> None:
        async with installation() as at:
            body = {**ALICES, "softwareType": "webBrowser", "applicationType": "ucAssistant"}
            answer = await at.browser.request("POST", "auth/login", json=body)
            assert (answer.status_code, answer.json().keys()) == (200, {"login", "token", "TTL"})
            assert (answer.json()["login"], answer.json()["TTL"]) == ("alice", 3600)
            assert answer.headers["cache-control"] == "no-store"
            assert at.alice.sessions == ()  # it is the WebSocket that logs in

    @in_loop
    async def test_errors_are_in_xivos_words(self) -> None:
        async with installation() as at:
            for body in ({**ALICES, "password": "x"}, {"login": "carol", "password": "x"}):
                assert await said(at, "POST", "auth/login", json=body) == (401, "InvalidCredentials")
            for content in (b"", b"{", b"[]", b'"alice"', b'{"login":"alice"}', b'{"login":1,"password":"x"}',
                            b"\xff\xfe", b"[" * 4000, b'{"login":null,"password":null}',
                            rb'{"login":"\ud83d","password":"x"}',
                            b'{"login":"\xed\xa0\xbd","password":"x"}'):  # fmt: skip
                assert await said(at, "POST", "auth/login", content=content) == (400, "InvalidJson")
            assert await said(at, "POST", "auth/login", content=b" " * 5000) == (413, "InvalidJson")

    @in_loop
    async def test_a_directory_that_fails_is_an_answer(self) -> None:
        class Broken(MemoryDirectory):
            async def authenticate(self, login: str, password: str) -> str | None:
                raise OSError("the file is gone")

        async with installation(directory=Broken(PASSWORDS, NAMES)) as at:
            assert await said(at, "POST", "auth/login", json=ALICES) == (500, "UnhandledError")
            assert [str(error) for _, error in at.observer.failures] == ["the file is gone"]

    @in_loop
    async def test_nothing_else_is_there(self) -> None:
        async with installation() as at:
            for method, path in (("GET", "auth/login"), ("POST", "auth/check"), ("GET", "elsewhere")):
                assert (await at.browser.request(method, path)).status_code in (404, 405)


class TestRenewing:
    """S7: a token is renewed while it is good; the session stays the same."""

    @in_loop
    async def test_a_renewed_token_is_of_the_same_session(self) -> None:
        async with installation() as at:
            token = await at.browser.log_in("alice")
            answer = await at.browser.request("GET", "auth/check", headers=bearer(token))
            renewed = answer.json()["token"]
            for text in (token, renewed):
                await (await at.browser.connect(text)).next("Tabs")
            assert len(at.alice.sessions) == 1
            await (await at.browser.connect(await at.browser.log_in("alice"))).next("Tabs")
            assert len(at.alice.sessions) == 2

    @in_loop
    async def test_a_token_expires(self) -> None:
        async with installation() as at:
            token = await at.browser.log_in("alice")
            await at.advance(3590)
            renewed = (await at.browser.request("GET", "auth/check", headers=bearer(token))).json()["token"]
            await at.advance(20)
            expired = await said(at, "GET", "auth/check", headers=bearer(token))
            assert expired == (401, "TokenExpired")
            assert await (await at.browser.connect(token)).closed() == 4001
            assert await said(at, "GET", "auth/check", headers=bearer(renewed)) == (200, "")

    @in_loop
    async def test_a_session_is_not_renewed_for_ever(self) -> None:
        async with installation(ttl=timedelta(days=8)) as at:
            token = await at.browser.log_in("alice")
            await at.advance(7 * 86400 + 1)
            assert await said(at, "GET", "auth/check", headers=bearer(token)) == (401, "TokenExpired")

    @in_loop
    async def test_what_is_no_token_of_ours_is_none(self) -> None:
        async with installation() as at:
            token = await at.browser.log_in("alice")
            says = jwt.decode(token, KEY, algorithms=["HS256"])
            forged = [
                jwt.encode(says, "another key of thirty-two letters!", algorithm="HS256"),
                jwt.encode(says, "", algorithm="none"),
                jwt.encode({"sub": "alice"}, KEY, algorithm="HS256"),
                jwt.encode({name: says[name] for name in says if name != "seal"}, KEY, algorithm="HS256"),
                jwt.encode({**says, "exp": "soon"}, KEY, algorithm="HS256"),
                jwt.encode({**says, "began": [0]}, KEY, algorithm="HS256"),
                f"{token[:-2]}AA",
                "x" * 2000,
                "x",
            ]
            for text in forged:
                answer = await said(at, "GET", "auth/check", headers=bearer(text))
                assert answer == (401, "InvalidCredentials"), text
                assert await (await at.browser.connect(text)).closed() == 4001
            assert await said(at, "GET", "auth/check") == (401, "InvalidCredentials")
            assert at.alice.sessions == ()


class TestRevoking:
    """S2: what was revoked stays so over a restart, and so do preferences."""

    @in_loop
    async def test_a_revoked_token_stays_revoked(self, tmp_path: Path) -> None:
        store = tmp_path / "cti.sqlite"
        async with installation(store=store) as at:
            ended, kept = [await at.browser.log_in("alice") for _ in range(2)]
            await at.browser.request("POST", "auth/logout", headers=bearer(ended))
            tab = await at.browser.connect(kept)
            await tab.command("setUserPreference", key="a", value="b", value_type="String")
        async with installation(store=store) as at:
            assert await said(at, "GET", "auth/check", headers=bearer(ended)) == (401, "TokenExpired")
            tab = await at.browser.connect(kept)
            assert (await tab.ask("UserPreference", "getUserPreferences"))["value"] == "b"

    @in_loop
    async def test_so_do_those_of_an_account_that_was_removed(self, tmp_path: Path) -> None:
        store = tmp_path / "cti.sqlite"
        async with installation(store=store) as at:
            token = await at.browser.log_in("alice")
            await (await at.browser.connect(token)).next("Tabs")
            await at.service.remove("alice")
        async with installation(store=store) as at:
            assert await said(at, "GET", "auth/check", headers=bearer(token)) == (401, "TokenExpired")

    @in_loop
    async def test_a_user_without_an_account_logs_out_too(self) -> None:
        async with installation(BOB) as at:
            token = await at.browser.log_in("alice")
            answer = await at.browser.request("POST", "auth/logout", headers=bearer(token))
            assert answer.status_code == 204
            assert await said(at, "GET", "auth/check", headers=bearer(token)) == (401, "TokenExpired")
            await at.service.add(ALICE)
            tab = await at.browser.connect(token)
            assert await tab.closed() == 4001


class TestAnotherPassword:
    """S2: sessions and tokens are good for the password that they were given for, over a restart too."""

    @in_loop
    async def test_it_ends_the_sessions_and_tokens_of_the_old_one(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(session_checks, "CHECK_EVERY", 0.05)
        people = Changing()
        async with installation(directory=people) as at:
            token = await at.browser.log_in("alice")
            tab, bobs = await at.browser.connect(token), await at.browser.tab("bob")
            await tab.command("getIceConfig")
            people.change("alice", "another")
            assert await said(at, "GET", "auth/check", headers=bearer(token)) == (401, "TokenExpired")
            assert await (await at.browser.connect(token)).closed() == 4001
            assert await tab.closed() == 4001
            assert at.alice.sessions == ()
            assert bobs.open
            people.change("alice", PASSWORDS["alice"])  # what was ended stays ended
            assert await said(at, "GET", "auth/check", headers=bearer(token)) == (401, "TokenExpired")

    @in_loop
    async def test_a_change_while_the_server_was_down_counts(self) -> None:
        async with installation() as at:
            token = await at.browser.log_in("alice")
        people = Changing()
        people.change("alice", "another")
        async with installation(directory=people) as at:
            assert await said(at, "GET", "auth/check", headers=bearer(token)) == (401, "TokenExpired")

    @in_loop
    async def test_a_change_during_a_log_in_counts(self) -> None:
        class Meanwhile(Changing):
            async def authenticate(self, login: str, password: str) -> str | None:
                user = await super().authenticate(login, password)
                self.change("alice", "another")
                return user

        async with installation(directory=Meanwhile()) as at:
            token = await at.browser.log_in("alice")
            assert await said(at, "GET", "auth/check", headers=bearer(token)) == (401, "TokenExpired")

    @in_loop
    async def test_a_login_that_was_removed_is_logged_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(session_checks, "CHECK_EVERY", 0.05)
        people = Changing()
        async with installation(directory=people) as at:
            tab = await at.browser.tab("alice")
            people.change("alice", None)
            assert await tab.closed() == 4001
            assert at.alice.sessions == ()


class TestAttempts:
    """S1: passwords cannot be guessed: attempts are limited for each login and each address."""

    @in_loop
    async def test_a_login_is_barred_for_a_while(self) -> None:
        async with installation() as at:
            wrong = {**ALICES, "password": "x"}
            for _ in range(PER_LOGIN):
                assert (await said(at, "POST", "auth/login", json=wrong))[0] == 401
            answer = await at.browser.request("POST", "auth/login", json=ALICES)
            assert (answer.status_code, answer.json()["error"]) == (429, "TooManyAttempts")
            assert 0 < int(answer.headers["retry-after"]) <= 301
            bob = {"login": "bob", "password": "hunter2"}
            assert await said(at, "POST", "auth/login", json=bob) == (200, "")

    @in_loop
    async def test_many_at_once_gain_nothing(self) -> None:
        tried = []

        class Slow(MemoryDirectory):
            async def authenticate(self, login: str, password: str) -> str | None:
                tried.append(login)
                await asyncio.sleep(0.01)
                return await super().authenticate(login, password)

        async with installation(directory=Slow(PASSWORDS, NAMES)) as at:
            wrong = {**ALICES, "password": "x"}
            tries = [said(at, "POST", "auth/login", json=wrong) for _ in range(30)]
            statuses = [status for status, _ in await asyncio.gather(*tries)]
            assert (statuses.count(401), statuses.count(429)) == (PER_LOGIN, 20)
            assert len(tried) == PER_LOGIN

    @in_loop
    async def test_an_address_is_slowed_down_whatever_it_calls_itself(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(throttle, "INTERVAL", 60.0)
        async with installation() as at:
            await spray(at, {})
            assert (await log_in(at, "bob"))[0] == 200  # a turn is free, and taken
            assert (await log_in(at, "alice"))[0] == 429
            elsewhere = {"X-Forwarded-For": "192.0.2.7"}  # the tests are the proxy that is believed
            assert (await log_in(at, "alice", headers=elsewhere))[0] == 200

    @in_loop
    async def test_only_proxies_are_believed_about_addresses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(throttle, "INTERVAL", 60.0)
        async with installation(proxies=("192.0.2.1",)) as at:
            await spray(at, {"X-Forwarded-For": "192.0.2.{number}"})
            assert (await log_in(at, "bob"))[0] == 200
            assert (await log_in(at, "alice", headers={"X-Forwarded-For": "192.0.2.7"}))[0] == 429

    @in_loop
    async def test_one_insider_locks_nobody_else_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(throttle, "INTERVAL", 0.01)
        async with installation() as at:
            await spray(at, {}, times=2 * PER_ADDRESS)
            assert (await log_in(at, "alice"))[0] == 200
            assert (await log_in(at, "bob"))[0] == 200

    @in_loop
    async def test_a_success_clears_its_login_alone(self) -> None:
        async with installation() as at:
            for _ in range(2):
                for login in ("alice", "carol"):
                    for _ in range(PER_LOGIN // 2):
                        assert (await log_in(at, login, password="x"))[0] == 401
                assert (await log_in(at, "alice"))[0] == 200
            assert (await log_in(at, "carol", password="x"))[0] == 429

    @in_loop
    async def test_a_refusal_for_lack_of_time_is_no_failure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with installation() as at:
            with monkeypatch.context() as busy:
                busy.setattr(login_endpoints, "MOST_WAITING", 0)
                for _ in range(2 * PER_LOGIN):
                    assert (await log_in(at, "alice"))[0] == 503
            assert (await log_in(at, "alice"))[0] == 200

    @in_loop
    async def test_fifty_guessers_leave_a_place_for_a_user_of_the_same_address(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("INTERVAL", "LONGEST_DELAY"):  # ten times as fast
            monkeypatch.setattr(throttle, name, getattr(throttle, name) / 10)

        async def guess(client: int) -> None:
            for number in count():
                statuses.append((await log_in(at, f"{client}-{number}", password="x"))[0])

        async with installation() as at:
            statuses = list[int]()
            guessing = [asyncio.create_task(guess(client)) for client in range(50)]
            await at.wait_until(lambda: len(statuses) > PER_ADDRESS + 50)
            assert (await log_in(at, "alice"))[0] == 200
            for one in guessing:
                one.cancel()
            await asyncio.gather(*guessing, return_exceptions=True)
            assert set(statuses) == {401}

    @in_loop
    async def test_guessers_from_elsewhere_keep_no_user_waiting(self) -> None:
        class Slow(MemoryDirectory):
            async def authenticate(self, login: str, password: str) -> str | None:
                await asyncio.sleep(0.02)
                return await super().authenticate(login, password)

        async def guess(client: int) -> None:
            elsewhere = {"X-Forwarded-For": f"192.0.2.{client % 25}"}
            async with httpx.AsyncClient(timeout=30, trust_env=False, headers=elsewhere) as browser:
                for number in count():
                    login = {"login": f"{client}-{number}", "password": "x"}
                    statuses.append((await browser.post(url, json=login)).status_code)

        async with installation(directory=Slow(PASSWORDS, NAMES)) as at:
            statuses, url = list[int](), await at.browser.url("auth/login")
            clients = range(3 * login_endpoints.MOST_WAITING // 2)
            guessing = [asyncio.create_task(guess(client)) for client in clients]
            await at.wait_until(lambda: 503 in statuses)
            legitimate = [(await log_in(at, login))[0] for login in ("alice", "bob")]
            for one in guessing:
                one.cancel()
            await asyncio.gather(*guessing, return_exceptions=True)
            assert legitimate == [200, 200]

    @in_loop
    async def test_nor_when_the_directory_fails(self) -> None:
        class Broken(Changing):
            broken = True

            async def authenticate(self, login: str, password: str) -> str | None:
                if self.broken:
                    raise OSError("the file is gone")
                return await super().authenticate(login, password)

        people = Broken()
        async with installation(directory=people) as at:
            for _ in range(2 * PER_LOGIN):
                assert (await log_in(at, "alice"))[0] == 500
            people.broken = False
            assert (await log_in(at, "alice"))[0] == 200


class TestOrigins:
    """S1: pages of other origins may not use a user's browser to connect."""

    @in_loop
    async def test_a_stranger_is_refused(self) -> None:
        async with installation() as at:
            token = await at.browser.log_in("alice")
            evil = {"Origin": "https://evil.example.org"}
            answer = await said(at, "POST", "auth/login", json=ALICES, headers=evil)
            assert answer == (403, "InvalidCredentials")
            answer = await said(at, "GET", "auth/check", headers={**bearer(token), **evil})
            assert answer == (403, "InvalidCredentials")
            with pytest.raises(InvalidStatus) as refused:
                await at.browser.connect(token, origin="https://evil.example.org")
            assert refused.value.response.status_code == 403
            assert at.alice.sessions == ()

    @in_loop
    async def test_the_servers_own_and_those_of_the_settings_may(self) -> None:
        async with installation(origins=("https://xivo.example.org",)) as at:
            own = f"http://127.0.0.1:{await at.cti.port()}"
            for origin in (own, "https://xivo.example.org"):
                headers = {"Origin": origin}
                answer = await at.browser.request("POST", "auth/login", json=ALICES, headers=headers)
                assert answer.status_code == 200
                tab = await at.browser.connect(answer.json()["token"], origin=origin)
                await tab.next("Tabs")
            assert answer.headers["access-control-allow-origin"] == "https://xivo.example.org"
            preflight = {"Origin": "https://evil.example.org", "Access-Control-Request-Method": "POST"}
            answer = await at.browser.request("OPTIONS", "auth/login", headers=preflight)
            assert "access-control-allow-origin" not in answer.headers

    @in_loop
    async def test_what_is_no_origin_is_refused(self) -> None:
        async with installation() as at:
            own = f"http://127.0.0.1:{await at.cti.port()}"
            for origin in (
                "http://[",
                "null",
                "",
                own.replace("http", "https"),
                f"{own}/x",
                f"{own}9999",
                "x",
            ):
                headers = {"Origin": origin}
                answer = await said(at, "POST", "auth/login", json=ALICES, headers=headers)
                assert answer == (403, "InvalidCredentials"), origin
            assert at.observer.failures == []

    @in_loop
    async def test_the_scheme_is_what_a_trusted_proxy_says(self) -> None:
        forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
        for proxies, status in ((("127.0.0.1",), 200), ((), 403)):
            async with installation(proxies=proxies) as at:
                origin = f"https://127.0.0.1:{await at.cti.port()}"
                headers = {"Origin": origin, **forwarded}
                answer = await at.browser.request("POST", "auth/login", json=ALICES, headers=headers)
                assert answer.status_code == status

    @in_loop
    async def test_default_ports_are_the_same(self) -> None:
        async with installation() as at:
            headers = {"Origin": "https://xivo.example.org", "Host": "xivo.example.org:443"}
            headers["X-Forwarded-Proto"] = "https"
            answer = await at.browser.request("POST", "auth/login", json=ALICES, headers=headers)
            assert answer.status_code == 200


class TestAddresses:
    """S5: those behind a proxy are counted by the address that it says they are from."""

    @in_loop
    async def test_one_address_has_so_many(self) -> None:
        async with installation(sockets_per_address=1) as at:
            token = await at.browser.log_in("alice")
            url = f"ws://127.0.0.1:{await at.cti.port()}/xuc/api/2.0/cti?token={token}"
            one, other = ({"X-Forwarded-For": address} for address in ("192.0.2.1", "192.0.2.2"))
            async with connect(url, additional_headers=one, proxy=None):
                with pytest.raises(InvalidStatus) as refused:
                    await connect(url, additional_headers=one, proxy=None)
                assert refused.value.response.status_code == 403
                answer = await at.browser.request("GET", "auth/check", headers=one)
                assert answer.status_code == 503
                answer = await at.browser.request("GET", "auth/check", headers=other)
                assert answer.status_code == 401


class TestSecrets:
    """S7: tokens and passwords are in no log, and in no repr."""

    def test_none_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        tokens: list[str] = []

        @in_loop
        async def every_command() -> None:
            async with installation() as at:
                tokens.append(token := await at.browser.log_in("alice"))
                tab = await at.browser.connect(token)
                await tab.command("getConfig", objectType="line")
                await tab.send("rubbish")
                await tab.close()
                await said(at, "POST", "auth/login", json={"login": "alice", "password": "guessed-wrong"})

        with caplog.at_level(1):
            for name in ("websockets.client", "httpx", "httpcore"):
                caplog.set_level(logging.CRITICAL, name)
            every_command()
        (token,) = tokens
        for secret in (token, token[20:60], "sésame", "guessed-wrong", "alice_w-secret"):
            assert secret not in caplog.text

    @in_loop
    async def test_none_is_in_a_repr(self) -> None:
        async with installation() as at:
            hub = at.cti._hub
            shown = repr((hub.settings, await hub.lines.line(ALICE), at.cti))
            assert KEY not in shown
            assert "alice_w-secret" not in shown
