"""Clients that mean harm, or are broken: whatever they send, nobody else is harmed."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake

from tests.adapters.xuc.assistants import NAMES, PASSWORDS, PATIENCE, Installation, Tab, installation
from tests.event_loop import in_loop
from tests.processor import waited_for_processor
from unique_account.adapters.memory import MemoryDirectory
from unique_account.adapters.people_file.people import People, Person
from unique_account.adapters.xuc import login_endpoints, server, websocket
from unique_account.adapters.xuc.handlers.dispatch import COMMANDS
from unique_account.adapters.xuc.protocol.incoming import Fields, Heartbeat, InvalidMessage, read
from unique_account.adapters.xuc.tab import CLOSES_WITHIN
from unique_account.adapters.xuc.transport import rate_limit, send_queue
from unique_account.adapters.xuc.transport.websocket_closing import CUT_OFF_WITHIN
from unique_account.adapters.xuc.transport.websocket_protocol import LARGEST
from unique_account.core.presence import Presence
from unique_account.http_server import protocol
from unique_account.ports.assistant_store import MOST_PREFERENCES
from unique_account.ports.directory import Colleague

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=10), parts, max_size=3),
    max_leaves=8,
)
HALF_A_CHARACTER = r'{"claz":"web","command":"getColleagues","words":"\ud83d","ref":"\ud83d"}'
FIELDS = (
    "uniqueId", "destination", "deviceType", "device", "state", "key", "value", "value_type", "size", "days",
    "cursor", "phoneNumbers", "words", "objectType", "variables", "status", "ref",
)  # fmt: skip
COMMANDLIKE = st.builds(
    lambda command, fields: {"claz": "web", "command": command, **fields},
    st.sampled_from([name for name in COMMANDS if name != "logout"]) | st.text(max_size=20),
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5),
)
FRAMES = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200),
    JSON.map(json.dumps),
    COMMANDLIKE.map(json.dumps),
    st.sampled_from(
        ["[" * LARGEST, HALF_A_CHARACTER, '{"claz":"web","command":' + "9" * 10_000 + "}", '{"a":NaN}', ""]
    ),
)


AT_MOST = 1.0
"""In how many seconds others are served, whatever somebody does: many times what it takes in peace.

The time in which the machine was busy with something else does not count.
"""

BETWEEN = 0.06
"""How many seconds lie between two commands of others, who keep within their own pace."""


@asynccontextmanager
async def bystander_is_served(at: Installation) -> AsyncIterator[None]:
    """Bob, who has nothing to do with it, is served before, after, and in no time all the while."""
    bob, over, delays = await at.browser.tab("bob"), asyncio.Event(), list[float]()
    account = at.service.account("bob")

    async def goes_on() -> None:
        clock = asyncio.get_running_loop().time
        while not over.is_set():
            start, waited = clock(), waited_for_processor()
            *_, done = await bob.command("selectDevice", device="webrtc")
            assert done["msgType"] == "Done"
            delays.append(clock() - start - (waited_for_processor() - waited))
            await asyncio.sleep(BETWEEN)

    going_on = asyncio.create_task(goes_on())
    try:
        yield
    finally:
        over.set()
        await going_on
    assert max(delays) < AT_MOST
    async with asyncio.timeout(PATIENCE):
        await bob.command("getHistoryPage")
    assert bob.open
    assert at.service.account("bob") == account
    assert not [request for request, _ in at.observer.failures if request.user == "bob"]


def is_wrong(frame: str | bytes) -> bool:
    """Whether a frame is neither a command nor a heartbeat."""
    try:
        read(frame if isinstance(frame, str) else None)
    except InvalidMessage:
        return True
    return False


async def open_connection(at: Installation) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bare connection."""
    return await asyncio.open_connection("127.0.0.1", await at.cti.port())


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the server closes the connection."""
    async with asyncio.timeout(PATIENCE):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


NUMBERS = {str(number): f"Somebody {number}" for number in range(20_000, 21_000)}
"""As many numbers as may be watched, and who has them."""


class SlowTab(Tab):
    """Reads a frame, and takes its time before the next."""

    async def _after_frame(self) -> None:
        await asyncio.sleep(0.001)


async def slow_tab(at: Installation) -> Tab:
    """A tab of Alice that reads slowly, behind buffers that hold little."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", await at.cti.port()))
    narrow.setblocking(False)
    url = await at.browser.url(f"cti?token={await at.browser.log_in('alice')}", "ws")
    at.browser.tabs.append(tab := SlowTab(await connect(url, sock=narrow, compression=None, max_queue=1)))
    await tab.command("getIceConfig")
    for served in at.cti._hub.tabs:
        assert served._protocol is not None
        connection = served._protocol.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return tab


class TestFrames:
    """C1: a frame is read as what it is, or is answered; there is no third way."""

    @given(st.none() | st.text(max_size=300) | JSON.map(json.dumps) | COMMANDLIKE.map(json.dumps))
    def test_whatever_comes_is_understood_or_wrong(self, text: str | None) -> None:
        try:
            said: object = read(text)
        except InvalidMessage as error:
            said = error
        assert isinstance(said, (Fields, Heartbeat, InvalidMessage))

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            (None, "the frame is not text"),
            ("", "the frame is not JSON"),
            ("[" * 100_000, "the frame is not JSON"),
            ('{"claz":' + "9" * 10_000 + "}", "the frame is not JSON"),
            ('{"claz":"web","command":"dial","destination":NaN}', "the frame is not JSON"),
            (HALF_A_CHARACTER, "the frame is not JSON"),
            ("[]", "the frame is not a JSON object"),
            ("{}", "claz: is neither web nor ping"),
            ('{"claz":"web"}', "command: is not text of at most 64 characters"),
            ('{"claz":"web","command":["dial"]}', "command: is not text of at most 64 characters"),
            (
                '{"claz":"web","command":"dial","ref":{}}',
                "ref: is neither text of at most 64 characters nor a whole number of at most 2^53 - 1",
            ),
        ],
    )
    def test_what_is_wrong_is_named(self, text: str | None, problem: str) -> None:
        with pytest.raises(InvalidMessage) as wrong:
            read(text)
        assert wrong.value.problem == problem


class TestFuzzing:
    """M4: a client that sends anything at all is answered, and harms nobody."""

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(FRAMES, max_size=30))
    def test_random_frames(self, frames: list[str | bytes]) -> None:
        @in_loop
        async def fuzz() -> None:
            async with installation() as at, bystander_is_served(at):
                tab = await at.browser.tab("alice")
                for frame in frames:
                    await tab.send(frame)
                await tab.command("getIceConfig")
                assert tab.open
                wrong = [said for said in tab.reported("Error") if "command" not in said]
                assert len(wrong) == len(list(filter(is_wrong, frames)))
                assert {said["Error"] for said in tab.reported("Error")} <= {
                    "invalidMessage", "unknownCommand", "refused", "commandFailed", "noSuchCall",
                }  # fmt: skip
                assert at.observer.failures == []

        fuzz()

    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=8))
    def test_random_bytes(self, chunks: list[bytes]) -> None:
        @in_loop
        async def fuzz() -> None:
            async with installation() as at, bystander_is_served(at):
                handshake = (
                    f"GET /xuc/api/2.0/cti?token={await at.browser.log_in('alice')} HTTP/1.1\r\nHost: x\r\n"
                    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                ).encode()
                for before in (b"", handshake):
                    reader, writer = await open_connection(at)
                    writer.write(before)
                    for chunk in chunks:
                        writer.write(chunk)
                    writer.close()
                    await read_to_end(reader)

        fuzz()


class TestFloods:
    """S5: who sends too much is slowed down and then cut off; others do not notice."""

    @in_loop
    async def test_a_frame_that_is_too_large_closes(self) -> None:
        async with installation() as at, bystander_is_served(at):
            tab = await at.browser.tab("alice")
            await tab.send("x" * (LARGEST + 1))
            assert await tab.closed() == 1009
            again = await at.browser.tab("alice")
            await again.send(json.dumps({"claz": "web", "command": "x", "pad": "x" * (LARGEST - 100)}))
            await again.until(lambda: again.reported("Error"))

    @in_loop
    async def test_a_flood_is_slowed_down_and_ended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rate_limit, "SLOWED_FOR", 0.3)
        async with installation() as at, bystander_is_served(at):
            tab = await at.browser.tab("alice")

            async def flood() -> None:
                for _ in range(1000):
                    await tab.send('{"claz":"web","command":"getConfig","objectType":"line"}')

            flooding = asyncio.create_task(flood())
            assert await tab.closed() in (4006, 1006)
            await asyncio.gather(flooding, return_exceptions=True)
            assert len(tab.reported("LineConfig")) < 2 * rate_limit.AT_ONCE

    @in_loop
    async def test_commands_that_wait_are_few(self) -> None:
        async with installation() as at, bystander_is_served(at):
            tab = await at.browser.tab("alice")
            release = asyncio.Event()
            begun = []

            async def slow(*_: object, **__: object) -> None:
                begun.append(1)
                await release.wait()
                raise OSError("the log is gone")

            at.service.histories.page = slow  # type: ignore[method-assign,assignment] # a call log that hangs
            for _ in range(60):
                await tab.send('{"claz":"web","command":"getHistoryPage"}')
            await tab.send({"claz": "ping"})
            await at.wait_until(lambda: begun)
            await asyncio.sleep(0.2)
            (alices,) = [each for each in at.cti._hub.tabs if each.user == "alice"]
            assert websocket.MOST_WAITING < 60
            assert {"claz": "ping"} not in tab.frames  # not read yet: the socket itself holds back
            assert alices in at.cti._hub.tabs
            del at.service.histories.page
            release.set()
            await tab.until(lambda: {"claz": "ping"} in tab.frames)

    @in_loop
    async def test_large_ones_are_fewer(self) -> None:
        async with installation() as at, bystander_is_served(at):
            tab = await at.browser.tab("alice")
            ping = {"claz": "ping"}
            await at.cti._hub.sessions_of("alice").budget._turn.acquire()  # the first one waits
            numbers = [str(1000 + number) for number in range(1000)]
            for _ in range(6):
                await tab.send({"claz": "web", "command": "subscribeToPhoneHints", "phoneNumbers": numbers})
            await tab.send(ping)
            await asyncio.sleep(0.2)
            assert ping not in tab.frames  # not read yet
            at.cti._hub.sessions_of("alice").budget._turn.release()
            await tab.until(lambda: ping in tab.frames)

    @in_loop
    async def test_a_body_that_never_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(login_endpoints, "BODY_WITHIN", 0.2)
        async with installation() as at, bystander_is_served(at):
            reader, writer = await open_connection(at)
            head = "POST /xuc/api/2.0/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n{"
            writer.write(head.encode())
            assert b" 408 " in (await read_to_end(reader)).partition(b"\r\n")[0]
            writer.close()


class TestCrowds:
    """S5: clients are limited in number; one more is refused rather than let wait."""

    @in_loop
    async def test_log_ins_that_wait_are_few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(login_endpoints, "MOST_WAITING", 5)
        release = asyncio.Event()
        release.set()
        asked: list[str] = []
        checked: list[str] = []

        class Slow(MemoryDirectory):
            async def credential(self, login: str) -> str | None:
                asked.append(login)
                return await super().credential(login)

            async def authenticate(self, login: str, password: str) -> str | None:
                checked.append(login)
                await release.wait()
                return await super().authenticate(login, password)

        async with installation(directory=Slow(PASSWORDS, NAMES)) as at, bystander_is_served(at):
            for calls in (release, asked, checked):
                calls.clear()

            async def log_in() -> int:
                body = {"login": "alice", "password": PASSWORDS["alice"]}
                return (await at.browser.request("POST", "auth/login", json=body)).status_code

            first = [asyncio.create_task(log_in()) for _ in range(5)]
            await at.wait_until(lambda: len(asked) == 5)
            assert await log_in() == 503
            assert len(checked) == login_endpoints.AT_ONCE
            release.set()
            assert await asyncio.gather(*first) == [200] * 5

    @in_loop
    async def test_connections_are_no_more_than_may_be(self) -> None:
        async with installation(sockets=20) as at, bystander_is_served(at):
            token = await at.browser.log_in("alice")
            many = [await open_connection(at) for _ in range(20)]
            ended = [asyncio.create_task(read_to_end(reader)) for reader, _ in many]
            await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
            await (await at.browser.connect(token)).command("getIceConfig")
            for _, writer in many:
                writer.close()
            await asyncio.wait(ended)

    @in_loop
    async def test_a_logged_in_client_does_not_go_for_a_newcomer(self) -> None:
        async with installation(sockets=5) as at, bystander_is_served(at):
            tokens = [await at.browser.log_in("alice") for _ in range(4)]
            tabs = [await at.browser.connect(token) for token in tokens]
            with pytest.raises((InvalidHandshake, OSError)):
                await at.browser.connect(tokens[0])
            for tab in tabs:
                await tab.command("getIceConfig")

    @in_loop
    async def test_preferences_are_few_and_short(self) -> None:
        async with installation() as at, bystander_is_served(at):
            tab = await at.browser.tab("alice")
            for number in range(MOST_PREFERENCES):
                await tab.command("setUserPreference", key=f"key{number}", value="", value_type="String")
            word, problem = await tab.error("setUserPreference", key="more", value="", value_type="String")
            assert word == "invalidMessage"
            assert f"{MOST_PREFERENCES} preferences" in problem
            await tab.command("setUserPreference", key="key0", value="x" * 1024, value_type="String")
            word, problem = await tab.error(
                "setUserPreference", key="key0", value="x" * 1025, value_type="String"
            )
            assert (word, problem) == ("invalidMessage", "value: has 1025 characters; 1024 at most")


class Company(MemoryDirectory):
    """50,000 people, whose log-ins are those of Alice and Bob; half of them see each other."""

    def __init__(self) -> None:
        super().__init__(PASSWORDS, NAMES)
        logins = {1: "alice", 2: "bob"}
        self._people = People(
            Person(
                login=logins.get(number, f"u{number}"),
                user=logins.get(number, f"u{number}"),
                name=f"Person Number{number} Martin",
                numbers=(f"{1000 + number}",),
                password="$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$ZGlnZXN0",
                groups=(f"half {number % 2}",),
            )
            for number in range(50_000)
        )

    async def colleagues(self, user: str, words: str = "", limit: int = 100) -> Sequence[Colleague]:
        return self._people.colleagues(user, words, limit)


class TestCostlyQuestions:
    """S5: who asks much, on as many sockets as may be, waits for the answers; others do not."""

    @pytest.mark.parametrize(
        ("command", "fields"),
        [
            ("getColleagues", {"words": "zzz"}),
            ("getColleagues", {"words": "martin", "size": 500}),
            ("getUserCallHistoryByDays", {"days": 3650}),
            ("subscribeToPhoneHints", {"phoneNumbers": [str(number) for number in range(1000)]}),
        ],
    )
    @in_loop
    async def test_sixteen_sockets_ask(self, command: str, fields: dict[str, Any]) -> None:
        async with installation(directory=Company()) as at:
            for number in range(200):
                await at.pbx.end(await at.pbx.call("1001", caller=f"{1000 + number}"))
                await at.advance(1)
            tabs = [await at.browser.tab("alice") for _ in range(16)]
            question = {"claz": "web", "command": command, **fields}
            async with bystander_is_served(at):
                for _ in range(30):
                    await asyncio.gather(*(tab.send(question) for tab in tabs))
                    await asyncio.sleep(BETWEEN)
                assert all(tab.open for tab in tabs)


class TestHalfOpenSockets:
    """S5: a peer that is there no more, or says nothing, is noticed."""

    @in_loop
    async def test_a_client_that_sends_nothing_is_cut_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(protocol, "REQUEST_WITHIN", 0.2)
        async with installation() as at, bystander_is_served(at):
            for begin in (b"", b"GET /xuc/api/2.0/auth/check HTTP/1.1\r\nHost:"):
                reader, writer = await open_connection(at)
                writer.write(begin)
                assert await read_to_end(reader) == b""
                writer.close()

    @in_loop
    async def test_nor_may_a_second_request_dawdle(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(protocol, "REQUEST_WITHIN", 0.2)
        async with installation() as at, bystander_is_served(at):
            reader, writer = await open_connection(at)
            request = b"GET /xuc/api/2.0/auth/check HTTP/1.1\r\nHost: x\r\n\r\n"
            writer.write(request)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(request[:30])
            await read_to_end(reader)
            writer.close()

    @in_loop
    async def test_a_client_that_answers_no_ping_is_lost_since_its_last_byte(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server, "PING_EVERY", 0.3)
        monkeypatch.setattr(server, "PONG_WITHIN", 0.3)
        async with installation() as at, bystander_is_served(at):
            tab = await at.browser.tab("alice")
            tab.stop_reading()
            await at.wait_until(lambda: [each for each in at.alice.sessions if each.last_seen is not None])
            (session,) = at.alice.sessions
            assert session.last_seen is not None
            assert (at.clock.now() - session.last_seen).total_seconds() >= 0.3

    @in_loop
    async def test_a_peer_that_only_answers_pings_stays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server, "PING_EVERY", 0.1)
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await asyncio.sleep(0.5)
            assert tab.open


class TestSlowClients:
    """S5: a client that does not take what it is sent is dropped rather than waited for, and catches up."""

    @in_loop
    async def test_a_client_that_reads_nothing_is_dropped(self) -> None:
        async with installation() as at, bystander_is_served(at):
            token = await at.browser.log_in("alice")
            tab = await at.browser.connect(token)
            await tab.next("CurrentCallsPhoneEvents")
            tab.stop_reading()
            (served,) = [each for each in at.cti._hub.tabs if each.user == "alice"]
            for _ in range(20):
                for _ in range(send_queue.MOST_FRAMES // 2):
                    served.report("Rubbish", "x" * 30_000)
                await asyncio.sleep(0)
            async with asyncio.timeout(CLOSES_WITHIN + CUT_OFF_WITHIN + AT_MOST):
                await at.wait_until(lambda: served not in at.cti._hub.tabs)
            again = await at.browser.connect(token)
            assert (await again.next("UniqueAccount"))["user"] == "alice"

    @in_loop
    async def test_nobody_waits_for_it(self) -> None:
        async with installation() as at, bystander_is_served(at):
            slow, quick = await at.browser.tab("alice"), await at.browser.tab("alice")
            slow.stop_reading()
            for device in ("deskphone", "webrtc") * 20:
                await quick.command("selectDevice", device=device)
            assert quick.last("UniqueAccount")["selection"] == "webrtc"

    @in_loop
    async def test_small_frames_are_not_held_back(self) -> None:
        async with installation() as at:
            await at.browser.tab("alice")
            (served,) = at.cti._hub.tabs
            assert served._protocol is not None
            raw_socket = served._protocol.transport.get_extra_info("socket")
            assert raw_socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


class TestOutbox:
    """S5: what waits for a client is bounded, by frames and by characters."""

    @in_loop
    async def test_of_presences_the_last_of_each_number_waits(self) -> None:
        sent: list[str] = []

        async def takes(frame: str) -> None:
            sent.append(frame)

        out = send_queue.SendQueue(takes, lambda: pytest.fail("overrun"))
        for presence in range(5):
            for number in range(send_queue.MOST_FRAMES):
                out.put(f"{number} is {presence}", str(number))
            out.put(f"after {presence}")
        await out.flush()
        assert sent[:2] == ["0 is 4", "1 is 4"]
        assert sent[-5:] == [f"after {presence}" for presence in range(5)]
        assert (len(sent), out._characters, out._presences) == (send_queue.MOST_FRAMES + 5, 0, 0)

    @in_loop
    async def test_presences_without_end_have_one(self) -> None:
        overruns: list[int] = []
        out = send_queue.SendQueue(lambda frame: asyncio.sleep(60), lambda: overruns.append(1))
        for number in range(send_queue.MOST_CHARACTERS // 100 + 2):
            out.put("x" * 100, str(number))
        assert overruns == [1]
        assert out.closed

    @pytest.mark.parametrize(
        ("frame", "most"),
        [("x", send_queue.MOST_FRAMES), ("x" * 100_000, send_queue.MOST_CHARACTERS // 100_000 + 1)],
    )
    @in_loop
    async def test_has_an_end(self, frame: str, most: int) -> None:
        overruns: list[int] = []

        async def takes_nothing(_: str) -> None:
            await asyncio.sleep(60)

        out = send_queue.SendQueue(takes_nothing, lambda: overruns.append(1))
        for _ in range(most):
            out.put(frame)
        assert overruns == []
        for _ in range(2):
            out.put(frame)
        assert overruns == [1]
        out.close()


class TestWatching:
    """P5: nobody sees more than the directory lets him, nor watches without end."""

    @in_loop
    async def test_too_many_numbers(self) -> None:
        async with installation() as at, bystander_is_served(at):
            tab = await at.browser.tab("alice")
            many: list[Any] = [str(number) for number in range(1001)]
            for numbers in (many, ["x" * 300], "1001", [1001], None):
                word, _ = await tab.error("subscribeToPhoneHints", phoneNumbers=numbers)
                assert word == "invalidMessage"

    @in_loop
    async def test_as_many_as_may_be_are_shown_to_a_slow_client(self) -> None:
        async with (
            installation(directory=MemoryDirectory(PASSWORDS, NAMES | NUMBERS)) as at,
            bystander_is_served(at),
        ):
            for number in NUMBERS:
                await at.cti.publish(number, Presence.AVAILABLE)
            tab = await slow_tab(at)
            *_, done = await tab.command("subscribeToPhoneHints", phoneNumbers=[*NUMBERS, "666"][-1000:])
            assert done["msgType"] == "Done"
            shown = {said["number"]: said["status"] for said in tab.reported("PhoneHintStatusEvent")}
            assert shown == dict.fromkeys(list(NUMBERS)[1:], 0) | {"666": -2}

    @in_loop
    async def test_answers_wait_until_a_client_has_taken_those_before(self) -> None:
        async with installation() as at, bystander_is_served(at):
            tab = await slow_tab(at)
            for number in range(MOST_PREFERENCES):
                value = "x" * 1024
                await tab.command("setUserPreference", key=f"key{number}", value=value, value_type="String")
            before = len(tab.reported("UserPreference"))
            for _ in range(20):
                await tab.send({"claz": "web", "command": "getUserPreferences"})
            await tab.until(lambda: len(tab.reported("UserPreference")) == before + 20 * MOST_PREFERENCES)
            assert tab.open

    @in_loop
    async def test_so_is_what_becomes_of_all_of_them_at_once(self) -> None:
        """As when a node comes back: of each number the last presence counts."""
        async with (
            installation(directory=MemoryDirectory(PASSWORDS, NAMES | NUMBERS)) as at,
            bystander_is_served(at),
        ):
            tab = await slow_tab(at)
            await tab.command("subscribeToPhoneHints", phoneNumbers=list(NUMBERS))
            for presence in (Presence.UNAVAILABLE, Presence.BUSY, Presence.AVAILABLE):
                for number in NUMBERS:
                    await at.cti.publish(number, presence)
            await tab.command("getIceConfig")
            shown = {said["number"]: said["status"] for said in tab.reported("PhoneHintStatusEvent")}
            assert shown == dict.fromkeys(NUMBERS, 0)
            assert tab.open


class TestMemory:
    """S1: what strangers make the server remember is bounded."""

    @in_loop
    async def test_desks_of_strangers_are_cleared(self) -> None:
        async with installation() as at:
            for number in range(20):
                token = await at.cti._hub.log_ins.log_in(f"nobody{number}", "alice", PASSWORDS["alice"])
                await (await at.browser.connect(token)).closed()
            await at.wait_until(lambda: len(at.cti._hub._users) == 2)


class TestPace:
    """S5: so many frames at once, so many a second after that."""

    def test_a_burst_is_free_and_then_it_is_a_rate(self) -> None:
        counted = rate_limit.RateLimit(0.0)
        assert {counted.wait(0.0) for _ in range(rate_limit.AT_ONCE)} == {0.0}
        assert counted.wait(0.0) == pytest.approx(1 / rate_limit.PER_SECOND)
        assert counted.wait(10.0) == 0.0

    def test_to_go_on_is_too_fast(self) -> None:
        counted, now = rate_limit.RateLimit(0.0), 0.0
        for _ in range(rate_limit.AT_ONCE):
            counted.wait(now)
        while now < rate_limit.SLOWED_FOR:
            assert not counted.too_fast(now)
            now += counted.wait(now)
        counted.wait(now + 0.1)
        assert counted.too_fast(now + 0.2)
        counted.wait(now + 10.0)
        assert not counted.too_fast(now + 10.0)
