"""The recordings of a real Asterisk, replayed and compared with what was really done and seen."""

from __future__ import annotations

import gc
import json
import re
import tomllib
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Final

import pytest
from attrs import frozen

from tests.paths import DATA
from unique_account.adapters.asterisk.ami.codec import Decoder
from unique_account.adapters.asterisk.ami.message import Malformed, Message
from unique_account.adapters.asterisk.replay import (
    Entry,
    Projections,
    ReplayStep,
    event_name,
    json_line,
    replay,
)
from unique_account.adapters.asterisk.translation.results import Untranslatable
from unique_account.core.account import Account, Call, CallStatus, Direction, LineStatus
from unique_account.core.device_in_use import device_in_use
from unique_account.core.errors import Refused
from unique_account.core.events import (
    CallChanged,
    CallEnded,
    ContactsChanged,
    DeviceSelected,
    Event,
    LeaseExpired,
    LineChanged,
    LoggedIn,
    LoggedOut,
    SessionLost,
)
from unique_account.core.machine import Device, State
from unique_account.core.presence import Presence, presence
from unique_account.core.routing import route
from unique_account.core.user import User

RECORDINGS: Final = DATA / "recordings"
NAMES: Final = ("day", "lost", "ringing", "tabs")
SLACK: Final = timedelta(seconds=0.05)
"""The truth is written by a script beside Asterisk, in hundredths of a second."""


def users() -> tuple[User, ...]:
    tables = tomllib.loads((RECORDINGS / "users.toml").read_text("utf-8"))["users"]
    return tuple(User(**table) for table in tables)


@cache
def stream(name: str) -> bytes:
    return (RECORDINGS / f"{name}.ami").read_bytes()


@cache
def messages(name: str) -> tuple[Message, ...]:
    return tuple(item for item in Decoder().feed(stream(name)) if isinstance(item, Message))


def instant(message: Message) -> datetime:
    seconds, microseconds = message["Timestamp"].split(".")
    return datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=int(microseconds))


def replayed(name: str, size: int = 65536) -> list[Entry]:
    data = stream(name)
    return list(replay((data[start : start + size] for start in range(0, len(data), size)), users()))


@cache
def steps(name: str) -> tuple[ReplayStep, ...]:
    return tuple(reported for reported in replayed(name) if isinstance(reported, ReplayStep))


def account_at(name: str, at: datetime) -> Account:
    """Alice's account as it was at an instant."""
    (alice,) = users()
    account = Account(alice)
    for step in steps(name):
        if step.at > at:
            break
        account = step.after
    return account


def first_heard_of(name: str, call_id: str) -> ReplayStep:
    """The step that told of a leg for the first time."""
    return next(
        step for step in steps(name) if isinstance(step.event, CallChanged) and step.event.call.id == call_id
    )


# -- what really happened ----------------------------------------------------------------------------

DEVICES: Final = {"deskphone": Device.DESKPHONE, "browser": Device.WEBRTC}
NUMBERS: Final = {"bob": "1002", "carol": "1003"}


@frozen
class Line:
    """One line of a truth file, its instant on the recording's clock, and the instants around it."""

    recording: str
    at: datetime
    previous: datetime
    following: datetime
    text: str

    @property
    def steps_since(self) -> list[ReplayStep]:
        """What it can have caused: the steps from it on, up to what was done next."""
        return self._between(self.at - SLACK, self.following + SLACK)

    @property
    def steps_before(self) -> list[ReplayStep]:
        """What it can be the observation of: the steps up to it, from what was done last."""
        return self._between(self.previous - SLACK, self.at + SLACK)

    def _between(self, start: datetime, end: datetime) -> list[ReplayStep]:
        return [step for step in steps(self.recording) if start <= step.at <= end]

    @property
    def account(self) -> Account:
        """Alice's account when the line was written."""
        return account_at(self.recording, self.at - SLACK)


def truth(name: str) -> list[Line]:
    start = next(instant(message) for message in messages(name) if "Timestamp" in message)
    rows = []
    for row in (RECORDINGS / f"{name}.truth").read_text("utf-8").splitlines():
        seconds, text = row.split(maxsplit=1)
        rows.append((start + timedelta(seconds=float(seconds)), text))
    lines = []
    for at, text in rows:
        # Lines that bear the same instant were written one right after the other.
        previous = max((other for other, _ in rows if other < at), default=start)
        following = min((other for other, _ in rows if other > at), default=at + timedelta(seconds=60))
        lines.append(Line(name, at, previous, following, text))
    return lines


def find(found: list[ReplayStep], line: Line) -> ReplayStep:
    assert found, f"{line.recording}: nothing in the replay is {line.text!r}"
    return found[0]


def contacts(found: list[ReplayStep], device: Device, *, reachable: bool) -> list[ReplayStep]:
    return [step for step in found if step.event == ContactsChanged(device, reachable)]


def calls(found: list[ReplayStep], status: CallStatus, **facts: object) -> list[tuple[ReplayStep, Call]]:
    """The steps that tell a call of this status and these facts."""
    reported = [(step, step.event.call) for step in found if isinstance(step.event, CallChanged)]
    return [
        (step, call)
        for step, call in reported
        if call.status is status and all(getattr(call, name) == fact for name, fact in facts.items())
    ]


def phones_registered(line: Line, _: re.Match[str]) -> None:
    step = find(contacts(line.steps_before, Device.DESKPHONE, reachable=True), line)
    assert step.after.observed.deskphone.registered
    assert route(step.after).ring is not None


def caller_dials(line: Line, match: re.Match[str]) -> None:
    """R1 to R4: before the call, the route says what then rings; after it, that device alone rings."""
    reports = [other for other in truth(line.recording) if other.at > line.at and "rings:" in other.text]
    (device,) = rung(reports[0].text)
    arrived = calls(line.steps_since, CallStatus.RINGING, direction=Direction.INCOMING)
    assert arrived, f"{line.recording}: no call rings after {line.text!r}"
    for _, call in arrived:
        assert call.device is device
        assert call.peer == NUMBERS[match["caller"]]
        before = route(first_heard_of(line.recording, call.id).before)
        assert before.ring is not None
        assert before.ring.device is device


def rung(text: str) -> list[Device]:
    return [DEVICES[name] for name in re.findall("deskphone|browser", text)]


def rings(line: Line, match: re.Match[str]) -> None:
    """P2: the call rings where it was seen to ring, and colleagues see it."""
    account = line.account
    ringing = [call for call in account.calls if call.status is CallStatus.RINGING]
    assert [call.device for call in ringing] == rung(match[0])
    assert all(call.direction is Direction.INCOMING for call in ringing)
    talking = any(call.status is CallStatus.TALKING for call in account.calls)
    assert presence(account) is (Presence.RINGING_IN_USE if talking else Presence.RINGING)


def alice_answers(line: Line, match: re.Match[str]) -> None:
    device = DEVICES[match["device"]]
    step, call = calls(line.steps_since, CallStatus.TALKING, device=device, direction=Direction.INCOMING)[0]
    assert call.answered == step.at
    assert call.started < step.at
    in_use = [other for other in line.steps_since if other.outlook_after.presence is Presence.IN_USE]
    assert find(in_use, line).after.line(device).in_call


def callee_answers(line: Line, match: re.Match[str]) -> None:
    peer = NUMBERS[match["callee"]]
    step, call = calls(line.steps_since, CallStatus.TALKING, peer=peer, direction=Direction.OUTGOING)[0]
    assert call.answered == step.at


def hangs_up(line: Line, match: re.Match[str]) -> None:
    """The call is over: that of the device, or that with the other party."""
    who = match["who"]
    (call,) = [
        call
        for call in line.account.calls
        if (call.device is DEVICES[who] if who in DEVICES else call.peer == NUMBERS[who])
    ]
    ended = [step for step in line.steps_since if step.event == CallEnded(call.id, step.at)]
    assert call not in find(ended, line).after.calls


def browser_registered(line: Line, _: re.Match[str]) -> None:
    step = find(contacts(line.steps_before, Device.WEBRTC, reachable=True), line)
    assert step.after.observed.webrtc.registered


def browser_gone(found: list[ReplayStep], line: Line) -> None:
    """R4: with the last contact the deskphone is the device in use, whatever is selected."""
    step = find(contacts(found, Device.WEBRTC, reachable=False), line)
    assert not step.after.observed.webrtc.registered
    assert step.outlook_after.device_in_use is Device.DESKPHONE


def browser_killed(line: Line, _: re.Match[str]) -> None:
    browser_gone(line.steps_since, line)


def browser_unregistered(line: Line, _: re.Match[str]) -> None:
    browser_gone(line.steps_before, line)


def cti(line: Line, match: re.Match[str]) -> None:
    """S1 to S6: the event is in the stream, and the account is where the rules put it."""
    headers = json.loads(match["headers"].replace("'", '"'))
    found = [step for step in line.steps_since if DEEDS[match["do"]](step, headers)]
    step = find(found, line)
    assert step.refused is None
    assert step.after.state is expected_state(step.after)


DEEDS: Final[dict[str, Callable[[ReplayStep, dict[str, str]], bool]]] = {
    "log_in": lambda step, headers: step.event == LoggedIn(headers["Session"]),
    "log_out": lambda step, headers: step.event == LoggedOut(headers["Session"]),
    "session_lost": lambda step, headers: step.event == SessionLost(headers["Session"], step.at),
    "select": lambda step, headers: step.event == DeviceSelected(Device(headers["Device"])),
}


def expected_state(account: Account) -> State:
    """The state by the rules: logged in or not, the deskphone in a call or not, and what is saved."""
    if not account.sessions:
        return State.LOGGED_OUT
    if account.observed.deskphone.in_call:
        return State.DESKPHONE_IN_USE
    saved = account.selection is Device.WEBRTC
    return State.WEBRTC_ACTIVE if saved else State.DESKPHONE_SELECTED


def deskphone_dials(line: Line, match: re.Match[str]) -> None:
    """M2, R5: a handset call takes the account in use, and leaves the route of the next call alone."""
    dialled(line, match, Device.DESKPHONE)
    in_use = [step for step in line.steps_since if step.after.state is State.DESKPHONE_IN_USE]
    step = find(in_use, line)
    assert step.before.state in (State.WEBRTC_ACTIVE, State.DESKPHONE_SELECTED)
    assert step.outlook_after.presence is Presence.IN_USE
    assert step.outlook_after.route == step.outlook_before.route
    assert step.outlook_after.device_in_use is Device.WEBRTC


def browser_dials(line: Line, match: re.Match[str]) -> None:
    dialled(line, match, Device.WEBRTC)
    in_use = [step for step in line.steps_since if step.outlook_after.presence is Presence.IN_USE]
    assert find(in_use, line).after.state is State.WEBRTC_ACTIVE


def dialled(line: Line, match: re.Match[str], device: Device) -> None:
    found = calls(line.steps_since, CallStatus.DIALLING, device=device, direction=Direction.OUTGOING)
    assert [call.peer for _, call in found] == [match["number"]] * len(found)
    assert found


def lease_is_over(line: Line, match: re.Match[str]) -> None:
    """S5: exactly one lease after the session's last sign of life the account is logged out."""
    (lost,) = [step for step in steps(line.recording) if isinstance(step.event, SessionLost)]
    end = lost.at + timedelta(seconds=int(match["seconds"]))
    (step,) = [step for step in steps(line.recording) if isinstance(step.event, LeaseExpired)]
    assert (step.event, step.at) == (LeaseExpired(end), end)
    assert end <= line.at
    assert (step.before.state, step.after.state) == (State.WEBRTC_ACTIVE, State.LOGGED_OUT)


def nobody_moved_the_call(line: Line, _: re.Match[str]) -> None:
    """R7, R15: the call is where it was, though the next one would ring the deskphone."""
    (call,) = line.account.calls
    assert (call.device, call.status) == (Device.WEBRTC, CallStatus.RINGING)
    assert device_in_use(line.account) is Device.DESKPHONE
    assert not line.account.observed.webrtc.registered


FORMS: Final[dict[str, Callable[[Line, re.Match[str]], None]]] = {
    r"phones registered: deskphone alice, bob, carol": phones_registered,
    r"(?P<caller>bob|carol) dials 1001": caller_dials,
    r"rings: (\['(deskphone|browser)'\]|browser)": rings,
    r"(?P<device>deskphone|browser) answers": alice_answers,
    r"(?P<callee>bob|carol) answers": callee_answers,
    r"(?P<who>bob|carol|deskphone|browser) hangs up": hangs_up,
    r"browser registered": browser_registered,
    r"browser killed": browser_killed,
    r"browser unregistered and closed": browser_unregistered,
    r"cti: (?P<do>\w+) (?P<headers>\{.*\})": cti,
    r"deskphone dials (?P<number>100[23])": deskphone_dials,
    r"browser dials (?P<number>100[23])": browser_dials,
    r"lease of (?P<seconds>\d+) s is over": lease_is_over,
    r"bob still hears ringing: nobody moved the call": nobody_moved_the_call,
}


def check(line: Line) -> None:
    """Compare one line of the truth with the replay.

    Raises:
        LookupError: No form is known for the line.
    """
    matches = [
        (compare, match) for form, compare in FORMS.items() if (match := re.fullmatch(form, line.text))
    ]
    if len(matches) != 1:
        raise LookupError(f"{line.recording}.truth: {len(matches)} forms for {line.text!r}")
    ((compare, match),) = matches
    compare(line, match)


LINES: Final = [line for name in NAMES for line in truth(name)]


class TestTruth:
    """R1 to R7, S1 to S6, P1 to P3: each line that was written down beside a recording is in its replay."""

    @pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.recording} {line.text}")
    def test_the_replay_agrees(self, line: Line) -> None:
        check(line)

    def test_every_recording_has_its_truth(self) -> None:
        assert {path.stem for path in RECORDINGS.glob("*.ami")} == set(NAMES)
        assert [sum(line.recording == name for line in LINES) for name in NAMES] == [40, 24, 13, 30]

    def test_a_line_of_no_known_form_fails(self) -> None:
        (line,) = [line for line in truth("lost") if line.text == "browser killed"]
        with pytest.raises(LookupError, match="0 forms for 'browser explodes'"):
            check(Line(line.recording, line.at, line.previous, line.following, "browser explodes"))

    @pytest.mark.parametrize(
        "text",
        ["rings: ['browser']", "bob answers", "cti: log_out {'Session': 'tab-1'}", "deskphone dials 1003"],
    )
    def test_a_line_that_is_not_so_fails(self, text: str) -> None:
        (line,) = [line for line in truth("lost") if line.text == "browser killed"]
        with pytest.raises((AssertionError, IndexError)):
            check(Line(line.recording, line.at, line.previous, line.following, text))


class TestSecondOpinion:
    """R1 to R4: the dialplan of the recordings chose the device by itself, and chose as `route` does."""

    @pytest.mark.parametrize(("name", "calls"), [("day", 7), ("lost", 4), ("ringing", 2), ("tabs", 4)])
    def test_the_dialplan_agrees(self, name: str, calls: int) -> None:
        reported = [message for message in messages(name) if message.get("UserEvent") == "UARoute"]
        assert len(reported) == calls
        for message in reported:
            assert message["Number"] == "1001"
            ring = route(account_at(name, instant(message))).ring
            assert ring is not None
            assert ring.interface == f"PJSIP/{message['Ring']}"


class TestSteps:
    """What is yielded: each event that changed an account, and only those."""

    @pytest.mark.parametrize("name", NAMES)
    def test_the_recordings_are_understood_in_full(self, name: str) -> None:
        assert all(isinstance(reported, ReplayStep) for reported in replayed(name))

    @pytest.mark.parametrize("name", NAMES)
    def test_each_begins_where_the_last_one_ended(self, name: str) -> None:
        (alice,) = users()
        assert steps(name)[0].before == Account(alice)
        for one, other in pairwise(steps(name)):
            assert other.before is one.after
            assert other.outlook_before is one.outlook_after
            assert one.at <= other.at

    @pytest.mark.parametrize("name", NAMES)
    def test_each_changed_the_account(self, name: str) -> None:
        assert all(step.before != step.after for step in steps(name))

    @pytest.mark.parametrize("name", NAMES)
    def test_the_outlook_is_that_of_the_account(self, name: str) -> None:
        for step in steps(name):
            account = step.after
            assert step.outlook_after == Projections(
                device_in_use(account), route(account), presence(account)
            )

    @pytest.mark.parametrize("name", NAMES)
    def test_no_call_is_left_over(self, name: str) -> None:
        assert steps(name)[-1].after.calls == ()

    @pytest.mark.parametrize("name", NAMES)
    def test_the_same_bytes_give_the_same_steps(self, name: str) -> None:
        assert replayed(name) == replayed(name)

    @pytest.mark.parametrize("size", [7, 1400, 10_000_000])
    def test_however_they_are_cut(self, size: int) -> None:
        assert replayed("ringing", size) == replayed("ringing")

    def test_nothing_is_read_before_it_is_asked_for(self) -> None:
        read = []

        def chunks() -> Iterator[bytes]:
            for start in range(0, len(stream("day")), 1000):
                read.append(start)
                yield stream("day")[start : start + 1000]

        reported = replay(chunks(), users())
        assert read == []
        next(reported)
        assert len(read) < 10


def event(stamp: float, name: str, /, **headers: str) -> bytes:
    lines = {"Event": name, "Timestamp": f"{stamp:.6f}", **headers}
    return "".join(f"{key}: {value}\r\n" for key, value in lines.items()).encode() + b"\r\n"


def did(stamp: float, do: str, user: str = "alice", **headers: str) -> bytes:
    return event(stamp, "UserEvent", UserEvent="UniqueAccount", User=user, Do=do, **headers)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def told_of(*chunks: bytes, of: tuple[User, ...] = ()) -> list[Entry]:
    return list(replay(chunks, of or users()))


def steps_of(*chunks: bytes, of: tuple[User, ...] = ()) -> list[ReplayStep]:
    reported = told_of(*chunks, of=of)
    found = [each for each in reported if isinstance(each, ReplayStep)]
    assert len(found) == len(reported), reported
    return found


def events(found: list[ReplayStep]) -> list[tuple[str, Event]]:
    return [(step.user, step.event) for step in found]


class TestLeases:
    """S5, S7: a lease ends by the stream's own clock, before the message at which it is over."""

    LOST = did(100, "log_in", Session="tab-1") + did(102, "session_lost", Session="tab-1")

    def test_it_ends_at_its_own_instant(self) -> None:
        end = steps_of(self.LOST, event(150, "VarSet"))[-1]
        assert (end.at, end.event) == (at(112), LeaseExpired(at(112)))
        assert end.after.state is State.LOGGED_OUT

    def test_it_has_not_ended_before(self) -> None:
        assert events(steps_of(self.LOST, event(111.999999, "VarSet"))) == events(steps_of(self.LOST))

    def test_it_is_over_for_a_message_of_the_same_instant(self) -> None:
        found = steps_of(self.LOST, did(112, "log_in", Session="tab-1"))
        assert events(found)[2:] == [("alice", LeaseExpired(at(112))), ("alice", LoggedIn("tab-1"))]

    def test_a_session_that_comes_back_in_time_loses_nothing(self) -> None:
        found = steps_of(self.LOST, did(111, "log_in", Session="tab-1"), event(200, "VarSet"))
        assert events(found)[2:] == [("alice", LoggedIn("tab-1"))]
        assert found[-1].after.state is State.WEBRTC_ACTIVE

    def test_those_of_several_sessions_and_users_end_in_their_order(self) -> None:
        bob = User(id="bob", extension="1002", deskphone="PJSIP/bob", webrtc="PJSIP/bob_w")
        found = steps_of(
            did(100, "log_in", Session="1") + did(100, "log_in", Session="2"),
            did(100, "log_in", "bob", Session="1"),
            did(101, "session_lost", Session="2") + did(102, "session_lost", "bob", Session="1"),
            did(103, "session_lost", Session="1") + event(200, "VarSet"),
            of=(*users(), bob),
        )
        assert events(found)[-3:] == [
            ("alice", LeaseExpired(at(111))),
            ("bob", LeaseExpired(at(112))),
            ("alice", LeaseExpired(at(113))),
        ]


class TestErrors:
    """M3: what is refused, malformed or not understood is told in its place, and the replay goes on."""

    def test_a_refusal_is_a_step_that_changes_nothing(self) -> None:
        (step,) = steps_of(did(100, "select", Device="webrtc"))
        assert isinstance(step.refused, Refused)
        assert step.event == DeviceSelected(Device.WEBRTC)
        assert step.after is step.before
        assert step.outlook_after is step.outlook_before

    def test_an_event_that_changes_nothing_is_no_step(self) -> None:
        assert steps_of(did(100, "log_out", Session="tab-1")) == []

    def test_errors_come_in_their_places(self) -> None:
        first, malformed, untranslatable, last = told_of(
            did(100, "log_in", Session="1") + b"nonsense\r\n\r\n",
            did(101, "fly") + did(102, "log_out", Session="1"),
        )
        assert isinstance(first, ReplayStep)
        assert isinstance(malformed, Malformed)
        assert isinstance(untranslatable, Untranslatable)
        assert isinstance(last, ReplayStep)
        assert untranslatable.header == "Do"

    def test_a_stream_that_breaks_off_says_so(self) -> None:
        (malformed,) = told_of(did(100, "log_in", Session="1")[:-2])
        assert isinstance(malformed, Malformed)
        assert malformed.problem == "the stream ends inside of it"

    def test_users_that_share_an_endpoint_are_refused_at_once(self) -> None:
        (alice,) = users()
        twin = User(id="twin", extension="2", deskphone=alice.deskphone, webrtc="PJSIP/twin")
        with pytest.raises(ValueError, match="PJSIP/alice"):
            replay([], [alice, twin])


class TestMediaServers:
    """M4: a stream tells of the endpoints of the media server that it was recorded from."""

    def test_another_media_servers_stream_tells_nothing_of_a_users_lines(self) -> None:
        reported = event(100, "DeviceStateChange", Device="PJSIP/alice", State="INUSE")
        assert list(replay([reported], users(), media_server="mds1")) == []
        assert events(steps_of(reported)) != []

    def test_a_restart_voids_what_was_known(self) -> None:
        found = steps_of(
            event(100, "DeviceStateChange", Device="PJSIP/alice", State="INUSE"), event(101, "FullyBooted")
        )
        assert not found[-1].after.observed.deskphone.known


class TestMemory:
    """What is held does not grow with the stream."""

    def test_sixty_times_the_stream_take_the_memory_of_twenty(self) -> None:
        data = stream("ringing")
        held = []

        def chunks() -> Iterator[bytes]:
            for time in range(1, 61):
                yield from (data[start : start + 16384] for start in range(0, len(data), 16384))
                if time in (20, 60):
                    gc.collect()  # also empties the interpreter's free lists, which fill up slowly
                    held.append(tracemalloc.get_traced_memory()[0])

        tracemalloc.start()
        try:
            for _ in replay(chunks(), users()):
                pass
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        after_twenty, after_sixty = held
        assert after_sixty < 1.1 * after_twenty
        assert peak < len(data) * 3


class TestJsonLines:
    """R17: a step as JSON says what happened, what it came to and why."""

    def test_a_step_as_a_whole(self) -> None:
        registered = event(100.5, "PeerStatus", Peer="PJSIP/alice_w", PeerStatus="Reachable")
        line = json_line(steps_of(registered, did(101, "log_in", Session="tab-1"))[-1])
        assert line.pop("because")
        assert line == {
            "time": "1970-01-01T00:01:41.000000+00:00",
            "user": "alice",
            "event": "logged_in",
            "session": "tab-1",
            "connection": "",
            "refused": None,
            "state": "webrtc_active",
            "device_in_use": "webrtc",
            "route": {"ring": "webrtc", "interface": "PJSIP/alice_w", "destination": None},
            "presence": "available",
            "presence_code": 0,
            "before": {
                "state": "logged_out",
                "device_in_use": "deskphone",
                "route": {"ring": "deskphone", "interface": "PJSIP/alice", "destination": None},
                "presence": "available",
            },
        }

    def test_it_says_why(self) -> None:
        step = next(step for step in steps("lost") if isinstance(step.event, SessionLost))
        assert json_line(step)["because"] == [
            {"rule": reason.rule, "text": reason.text, "facts": list(reason.facts)}
            for reason in route(step.after).because
        ]
        assert [reason.rule for reason in route(step.after).because] == ["R2", "R4", "R4"]

    def test_a_call_is_told_with_all_it_is(self) -> None:
        step = next(step for step in steps("day") if isinstance(step.event, CallChanged))
        assert json_line(step)["call"] == {
            "id": "1795415422.2",
            "device": "deskphone",
            "direction": "incoming",
            "status": "dialling",
            "started": "2026-11-23T06:30:22.000000+00:00",
            "answered": None,
            "linked_id": "1795415422.1",
            "peer": "",
            "peer_name": "",
            "sip_call_id": "",
        }

    def test_a_route_to_a_destination_names_it(self) -> None:
        line = json_line(steps("day")[-1])
        assert line["route"] == {"ring": None, "interface": None, "destination": "refusal with cause 20"}
        assert (line["presence"], line["presence_code"]) == ("unavailable", 4)

    def test_a_refusal_says_why(self) -> None:
        (step,) = steps_of(did(100, "select", Device="deskphone"))
        line = json_line(step)
        assert (line["event"], line["device"]) == ("device_selected", "deskphone")
        assert line["refused"] == str(step.refused)

    def test_statuses_and_instants_are_words(self) -> None:
        lost = did(100, "log_in", Session="1") + did(101, "session_lost", Session="1")
        ring = event(102, "DeviceStateChange", Device="PJSIP/alice", State="RINGINUSE")
        _, session_lost, line_changed = map(json_line, steps_of(lost, ring))
        assert session_lost["last_seen"] == "1970-01-01T00:01:41.000000+00:00"
        assert line_changed["status"] == "ringing_in_use"

    @pytest.mark.parametrize("name", NAMES)
    def test_every_step_of_the_recordings_is_ready_for_json(self, name: str) -> None:
        for step in steps(name):
            line = json_line(step)
            assert json.loads(json.dumps(line)) == line

    @pytest.mark.parametrize(
        ("kind", "name"),
        [(LoggedIn("1"), "logged_in"), (LineChanged(Device.WEBRTC, LineStatus.BUSY), "line_changed")],
    )
    def test_an_event_is_named_in_snake_case(self, kind: Event, name: str) -> None:
        assert event_name(kind) == name
