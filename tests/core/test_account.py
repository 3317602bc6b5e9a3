"""The values: users, lines and accounts, and what they refuse to be."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from unique_account.core.account import (
    LINES,
    UNKNOWN_LINE,
    Account,
    Call,
    CallStatus,
    Direction,
    Kept,
    Line,
    LineStatus,
    Observed,
    Session,
    utc,
)
from unique_account.core.errors import InvalidUser, UniqueAccountError
from unique_account.core.events import LineChanged, apply
from unique_account.core.forwarding import Destination, Extension, Fallbacks, Mailbox, Refusal
from unique_account.core.machine import Device, State
from unique_account.core.user import User
from unique_account.testing import strategies

ALICE = User(id="alice", extension="1001", dids=("2001",), deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
NAIVE = NOON.replace(tzinfo=None)


def problems(**fields: Any) -> tuple[str, ...]:
    """What is wrong with Alice once these fields are changed."""
    with pytest.raises(InvalidUser) as refusal:
        evolve(ALICE, **fields)
    return refusal.value.problems


class TestUser:
    """A1: one number, one deskphone endpoint, one WebRTC endpoint, on one media server."""

    @pytest.mark.parametrize("name", ["id", "extension", "deskphone", "webrtc", "media_server", "context"])
    def test_a_field_that_is_needed_may_not_be_empty(self, name: str) -> None:
        (problem,) = problems(**{name: ""})
        assert problem.startswith(f"{name}: ")

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("id", "alice\n"),
            ("extension", "1001&PJSIP/boss"),
            ("extension", "1001,30,g"),
            ("deskphone", "PJSIP/alice&PJSIP/boss"),
            ("deskphone", "alice"),
            ("webrtc", "PJSIP/alice_w,30"),
            ("webrtc", "PJSIP/${SHELL(id)}"),
            ("media_server", "mds 1"),
            ("context", "default]\n[other"),
            ("mailbox", "1001@default,u"),
            ("mailbox", ""),
            ("voicemail_code", "*98,1"),
            ("extension", "h"),
            ("extension", "alice"),
            ("extension", "fax"),
            ("extension", "1" * 42),
            ("deskphone", "PJSIP/alice@trunk"),
            ("webrtc", "PJSIP/" + "a" * 61),
            ("media_server", "m" * 61),
            ("context", "c" * 61),
            ("mailbox", "1001@" + "c" * 61),
            ("mailbox", "1" * 61),
            ("voicemail_code", "s"),
            ("voicemail_code", "*21"),
            ("extension", "*98"),
            ("extension", "*21"),
            ("id", "\ud800"),
            ("id", "a\u2028b"),
            ("id", "é" * 301),
        ],
    )
    def test_what_would_mean_more_in_a_dialplan_is_refused(self, name: str, text: str) -> None:
        (problem,) = problems(**{name: text})
        assert problem.startswith(f"{name}: ")

    def test_a_did_that_cannot_be_dialled_is_named(self) -> None:
        assert problems(dids=("2001", "20&01")) == (
            "dids: '20&01' is not a number: use digits, *, # and a leading +",
        )

    @pytest.mark.parametrize(
        ("destination", "problem"),
        [
            (Extension("30,00"), "fallbacks.busy: is not a number: use digits, *, # and a leading +"),
            (Extension("1001"), "fallbacks.busy: is the user's own number (R13)"),
            (Extension("2001"), "fallbacks.busy: is the user's own number (R13)"),
            (Extension("10-01"), "fallbacks.busy: is the user's own number (R13)"),
            (Extension("h"), "fallbacks.busy: is not a number: use digits, *, # and a leading +"),
            (Mailbox("a b"), "fallbacks.busy: is not a voicemail box, such as 1001@default"),
            (Mailbox("a" * 61), "fallbacks.busy: is not a voicemail box, such as 1001@default"),
            (Refusal(0), "fallbacks.busy: is not a cause, from 1 to 127"),
            (Refusal(128), "fallbacks.busy: is not a cause, from 1 to 127"),
        ],
    )
    def test_an_administrators_destination_must_lead_somewhere(
        self, destination: Destination, problem: str
    ) -> None:
        assert problems(dids=("2001",), fallbacks=Fallbacks(busy=destination)) == (problem,)

    def test_separators_in_numbers_and_other_mailboxes_are_no_problem(self) -> None:
        assert evolve(ALICE, dids=("+41 (22) 555/01",), mailbox="1001").mailbox == "1001"
        evolve(ALICE, fallbacks=Fallbacks(busy=Refusal(17), no_answer=Mailbox("reception")))

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"webrtc": "PJSIP/alice"}, "webrtc: is PJSIP/alice, which is the deskphone"),
            ({"mailbox": ""}, "mailbox: is not a voicemail box, such as 1001@default; leave it out for none"),
            ({"dids": ("1001",)}, "dids: name a number twice, or the extension"),
            ({"dids": ("2001", "2001")}, "dids: name a number twice, or the extension"),
            ({"ring_seconds": 0}, "ring_seconds: is 0; at least 1 second"),
            ({"did_ring_seconds": {"2002": 5}}, "did_ring_seconds: 2002 is not one of the dids"),
            ({"did_ring_seconds": {"2001": 0}}, "did_ring_seconds: is 0 for 2001; at least 1 second"),
            ({"simultaneous_calls": 0}, "simultaneous_calls: is 0; from 1 to 20"),
            ({"simultaneous_calls": 21}, "simultaneous_calls: is 21; from 1 to 20"),
            ({"max_forwards": -1}, "max_forwards: is -1; 0 or more"),
            ({"max_forwards": 100_000}, "max_forwards: is 100000; at most 99999"),
            ({"max_forwards": -(10**18)}, "max_forwards: is a number of more than 18 digits; "),
            ({"dids": ("10-01",)}, "dids: name a number twice, or the extension"),
            ({"dids": ("*987", "2001")}, "dids: *987 is the code of something"),
            ({"ring_seconds": 100_000}, "ring_seconds: is 100000; at most 99999 seconds"),
            (
                {"ring_seconds": 16**5000},
                "ring_seconds: is a number of more than 18 digits; at most 99999",
            ),
            (
                {"did_ring_seconds": {"2001": 100_000}},
                "did_ring_seconds: is 100000 for 2001; at most 99999 seconds",
            ),
            ({"did_ring_seconds": [("2001", 5), ("2001", 6)]}, "did_ring_seconds: name a number twice"),
        ],
    )
    def test_a_field_that_cannot_be_is_named_with_what_is_wrong(
        self, fields: dict[str, object], problem: str
    ) -> None:
        (only,) = problems(**fields)
        assert only.startswith(problem)

    @pytest.mark.parametrize(
        "fields",
        [
            {"ring_seconds": 1},
            {"ring_seconds": 99_999},
            {"max_forwards": 99_999},
            {"context": "c" * 60},
            {"deskphone": "PJSIP/" + "a" * 60},
            {"extension": "+" + "1" * 40},
            {"extension": "#1*"},
            {"did_ring_seconds": {"2001": 1}},
            {"simultaneous_calls": 1},
            {"simultaneous_calls": 20},
            {"max_forwards": 0},
            {"mailbox": "1001@default"},
            {"dids": ()},
        ],
    )
    def test_the_last_value_that_can_be_is_taken(self, fields: dict[str, Any]) -> None:
        assert evolve(ALICE, **fields) != ALICE

    def test_names_that_fill_a_plan_are_told_together(self) -> None:
        (problem,) = problems(
            deskphone="PJSIP/" + "a" * 60, webrtc="PJSIP/" + "b" * 60, mailbox="1" * 60, id="c" * 60
        )
        assert problem.endswith("mailbox and destinations take 807 characters in a plan; at most 600")

    def test_all_problems_are_reported_at_once(self) -> None:
        found = problems(
            id="", extension="", mailbox="", ring_seconds=0, simultaneous_calls=0, max_forwards=-1
        )
        assert [problem.partition(":")[0] for problem in found] == [
            "id",
            "extension",
            "mailbox",
            "ring_seconds",
            "simultaneous_calls",
            "max_forwards",
        ]

    def test_endpoints_left_out_are_not_reported_as_the_same(self) -> None:
        found = problems(deskphone="", webrtc="")
        assert [problem.partition(":")[0] for problem in found] == ["deskphone", "webrtc"]
        assert all("is not the interface of a phone" in problem for problem in found)

    def test_the_error_reads_as_a_list_and_is_a_value_error(self) -> None:
        error = InvalidUser(["id: is empty", "webrtc: is empty"])
        assert str(error) == "not a Unique Account:\n  id: is empty\n  webrtc: is empty"
        assert isinstance(error, ValueError)
        assert isinstance(error, UniqueAccountError)

    def test_ring_times_may_come_as_a_mapping_or_as_pairs_in_any_order(self) -> None:
        user = evolve(ALICE, dids=("2001", "2002"), did_ring_seconds={"2002": 5, "2001": 9})
        assert user.did_ring_seconds == (("2001", 9), ("2002", 5))
        assert evolve(user, did_ring_seconds=[("2002", 5), ("2001", 9)]) == user

    def test_numbers_may_come_in_any_sequence(self) -> None:
        assert evolve(ALICE, dids=["2001"]) == ALICE
        assert ALICE.numbers == ("1001", "2001")

    def test_each_device_has_its_interface(self) -> None:
        assert {device.value: ALICE.interface(device) for device in Device} == {
            "deskphone": "PJSIP/alice",
            "webrtc": "PJSIP/alice_w",
        }


class TestLines:
    """M2, R4: the 27 lines there can be, and what each of them says."""

    def test_there_are_27_of_them_all_different(self) -> None:
        assert len(LINES) == len(set(LINES.values())) == 27
        assert LINES[LineStatus.UNKNOWN, None] is UNKNOWN_LINE == Line()

    def test_what_is_told_is_shared(self) -> None:
        reported = apply(Account(ALICE), LineChanged(Device.WEBRTC, LineStatus.BUSY))
        assert reported.line(Device.WEBRTC) is LINES[LineStatus.BUSY, None]
        assert reported.line(Device.DESKPHONE) is UNKNOWN_LINE

    @given(strategies.lines())
    def test_a_line_is_in_a_call_by_its_status_alone(self, line: Line) -> None:
        assert line.in_call == (line.status.name in ("ON_HOLD", "IN_USE", "BUSY", "RINGING_IN_USE"))

    @given(strategies.lines())
    def test_a_contact_fact_outweighs_the_status(self, line: Line) -> None:
        above = line.status.name not in ("INVALID", "UNKNOWN", "UNAVAILABLE")
        assert line.registered == (above if line.reachable is None else line.reachable)

    @given(strategies.lines())
    def test_only_the_first_line_is_unknown(self, line: Line) -> None:
        assert line.known == (line != UNKNOWN_LINE)


class TestAccount:
    """S1, P5: a new account, and its shorthands."""

    def test_a_new_account_is_logged_out_on_webrtc_and_knows_nothing(self) -> None:
        account = Account(ALICE)
        assert (account.state, account.selection) == (State.LOGGED_OUT, Device.WEBRTC)
        assert (account.kept, account.observed) == (Kept(), Observed())
        assert account.lease == timedelta(seconds=10)

    @given(strategies.accounts())
    def test_the_shorthands_name_what_is_kept_and_observed(self, account: Account) -> None:
        kept, seen = account.kept, account.observed
        assert (account.version, account.selection) == (kept.version, kept.selection)
        assert (account.sessions, account.forwarding) == (kept.sessions, kept.forwarding)
        assert account.calls is seen.calls
        assert (account.line(Device.DESKPHONE), account.line(Device.WEBRTC)) == (seen.deskphone, seen.webrtc)


class TestValues:
    """S2: values are immutable, compare by what they hold, and survive being stored and copied."""

    @given(strategies.accounts())
    def test_an_account_has_a_hash_and_equals_its_copies(self, account: Account) -> None:
        for other in (copy.deepcopy(account), pickle.loads(pickle.dumps(account))):
            assert other == account
            assert hash(other) == hash(account)

    @given(strategies.accounts())
    def test_what_a_copy_knows_already_tells_it_nothing_new(self, account: Account) -> None:
        other = copy.deepcopy(account)
        for device in Device:
            assert apply(other, LineChanged(device, account.line(device).status)) is other

    @given(st.data())
    def test_nothing_in_it_can_be_assigned(self, data: st.DataObject) -> None:
        account = data.draw(strategies.accounts())
        values: list[object] = [account, account.user, account.kept, account.observed, account.forwarding]
        for value in (*values, account.observed.deskphone, *account.calls, *account.sessions):
            name = value.__slots__[0]  # type: ignore[attr-defined]
            with pytest.raises(FrozenInstanceError):
                setattr(value, name, None)

    def test_an_account_costs_no_dictionary(self) -> None:
        assert not hasattr(Account(ALICE), "__dict__")


class TestInstants:
    """S5: instants are aware datetimes, kept in UTC."""

    def test_an_instant_elsewhere_is_the_same_instant_in_utc(self) -> None:
        elsewhere = NOON.astimezone(timezone(timedelta(hours=2)))
        assert utc(elsewhere) == NOON
        assert utc(elsewhere).tzinfo is UTC

    def test_a_naive_datetime_is_refused_with_a_reason(self) -> None:
        with pytest.raises(ValueError, match=r"^2026-01-05T12:00:00 has no time zone"):
            utc(NAIVE)

    @pytest.mark.parametrize(("started", "answered"), [(NAIVE, None), (NOON, NAIVE)])
    def test_a_call_takes_no_naive_datetime(self, started: datetime, answered: datetime | None) -> None:
        with pytest.raises(ValueError, match="has no time zone"):
            Call(
                id="1",
                device=Device.WEBRTC,
                direction=Direction.INCOMING,
                status=CallStatus.TALKING,
                started=started,
                answered=answered,
            )

    def test_a_session_takes_no_naive_datetime(self) -> None:
        with pytest.raises(ValueError, match="has no time zone"):
            Session("tab-1", last_seen=NAIVE)
