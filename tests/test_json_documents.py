"""Documents: every value comes back as it was, and whatever is wrong is said at once, with its path."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import asdict, frozen
from hypothesis import given
from hypothesis import strategies as st

from unique_account.core.account import LINES, Account, Direction, Kept, Line, LineStatus, Observed
from unique_account.core.forwarding import (
    Destination,
    Extension,
    Fallbacks,
    Forward,
    Forwarding,
    Mailbox,
    Outcome,
    Refusal,
)
from unique_account.core.history import CallRecord, HistoryStatus, finished, ongoing
from unique_account.core.machine import Device
from unique_account.core.presence import Presence
from unique_account.core.reasons import Reason
from unique_account.core.routing import Facts, Gate, Plan, Route, plan, route
from unique_account.core.user import User
from unique_account.core.view import View, view
from unique_account.json_documents import InvalidDocument, from_document, from_json, to_document, to_json
from unique_account.testing import strategies

ALICE: dict[str, Any] = {
    "id": "alice",
    "extension": "1001",
    "deskphone": "PJSIP/alice",
    "webrtc": "PJSIP/alice_w",
}


RECORD: dict[str, Any] = {
    "id": "1767603600.8",
    "user": "alice",
    "start": "2026-01-05T09:00:00+00:00",
    "status": "missed",
    "direction": "incoming",
}


def problems(kind: Any, document: object) -> tuple[str, ...]:
    """What is wrong with a document."""
    with pytest.raises(InvalidDocument) as invalid:
        from_document(kind, document)
    assert str(invalid.value) == "\n".join(invalid.value.problems)
    return invalid.value.problems


def round_trip(value: Any, kind: Any = None) -> None:
    """Write a value and read it again, through nothing but what JSON can say."""
    document = to_document(value)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert kinds(document) <= {dict, list, str, int, float, bool, type(None)}
    assert from_document(kind or type(value), document) == value
    # Text equals the member of a StrEnum that it names, so equality alone would let it pass for one.
    assert repr(from_document(kind or type(value), document)) == repr(value)
    text = to_json(value)
    assert "\n" not in text
    assert from_json(kind or type(value), text) == value


def kinds(document: Any) -> set[type]:
    """The classes of everything in a document."""
    parts = [*document, *document.values()] if isinstance(document, dict) else document
    found = {type(document)}
    return found.union(*map(kinds, parts)) if isinstance(document, dict | list) else found


class TestRoundTrips:
    """Whatever is written is read again as the same value, the text being plain JSON on one line."""

    @given(strategies.users())
    def test_users(self, user: User) -> None:
        round_trip(user)

    @given(strategies.accounts())
    def test_accounts_and_all_that_is_projected_from_them(self, account: Account) -> None:
        for value in (account, account.kept, account.observed, plan(account), view(account), route(account)):
            round_trip(value)

    @given(strategies.accounts())
    def test_records_of_live_and_finished_calls(self, account: Account) -> None:
        for record in ongoing(account):
            round_trip(record)
        for call in account.calls:
            record_ = finished(account, call.id, call.answered or call.started)
            if record_ is not None:
                round_trip(record_)

    @given(strategies.calls())
    def test_calls(self, call: object) -> None:
        round_trip(call)

    @pytest.mark.parametrize("line", LINES.values(), ids=str)
    def test_lines(self, line: Line) -> None:
        round_trip(line)

    @pytest.mark.parametrize(
        "destination", [Extension("3000"), Mailbox("1001@default"), Refusal(17)], ids=lambda kind: str(kind)
    )
    def test_destinations_alone_and_as_one_of_their_kinds(self, destination: Destination) -> None:
        round_trip(destination)
        round_trip(destination, Destination)
        round_trip(destination, Destination | None)
        assert to_document(destination)["kind"] == type(destination).__name__.lower()

    def test_no_destination(self) -> None:
        round_trip(None, Destination | None)

    @given(st.timedeltas(timedelta(0), timedelta(days=36500)))
    def test_leases_to_the_microsecond(self, lease: timedelta) -> None:
        round_trip(Account(User(**ALICE), lease=lease))

    @given(
        st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC)).map(
            lambda instant: instant.replace(fold=0)
        )
    )
    def test_instants_to_the_microsecond(self, instant: datetime) -> None:
        status, direction = HistoryStatus.ONGOING, Direction.INCOMING
        round_trip(CallRecord(id="1.1", user="alice", start=instant, status=status, direction=direction))

    def test_an_instant_of_another_zone_is_the_same_instant(self) -> None:
        document = to_document(Kept(version=1)) | {
            "sessions": [{"id": "tab-1", "last_seen": "2026-01-05T10:00:00+01:00"}]
        }
        (session,) = from_document(Kept, document).sessions
        assert session.last_seen == datetime(2026, 1, 5, 9, tzinfo=UTC)

    @given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(str.strip))
    def test_any_text(self, text: str) -> None:
        round_trip(Forward(text))
        round_trip(Reason("R1", text, (text,)))
        round_trip(User(**ALICE | {"id": text}))

    def test_facts_are_not_documents_but_routes_are(self) -> None:
        gate = Gate(do_not_disturb=None, forward=Extension("3000"), limit=5)
        round_trip(gate)
        round_trip(Route(destination=Refusal(20), because=(Reason("R12", "nothing rings"),)))
        assert "reachable" in asdict(Facts())


class TestShape:
    """A document needs no table to be read, and says nothing twice."""

    def test_ranks_and_published_integers_are_written_by_name(self) -> None:
        assert to_document(Line(LineStatus.RINGING_IN_USE, True)) == {
            "status": "ringing_in_use",
            "reachable": True,
        }
        assert to_document(Presence.UNEXISTING) == "unexisting"

    def test_what_follows_from_other_fields_is_not_written(self) -> None:
        assert set(to_document(Line())) == {"status", "reachable"}

    def test_text_is_kept_readable(self) -> None:
        assert to_json(Forward("Zoé")) == '{"destination":"Zoé","enabled":true}'

    def test_what_has_a_default_may_be_left_out(self) -> None:
        assert from_document(User, ALICE) == User(**ALICE)
        assert from_document(Kept, {}) == Kept()

    def test_ring_times_of_dids_may_be_a_table(self) -> None:
        both = [
            from_document(User, ALICE | {"dids": ["+331"], "did_ring_seconds": seconds})
            for seconds in ({"+331": 10}, [["+331", 10]])
        ]
        assert both[0] == both[1]
        assert both[0].did_ring_seconds == (("+331", 10),)

    def test_the_mapping_may_be_any(self) -> None:
        assert from_document(dict[str, User], {"alice": ALICE})["alice"].id == "alice"


class TestStrictness:
    """Text is text, numbers are numbers, and nothing is guessed."""

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"id": 5}, "id: is a whole number, not text"),
            ({"id": None}, "id: is nothing, not text"),
            ({"id": b"alice"}, "id: is something else, not text"),
            ({"mailbox": ["1001"]}, "mailbox: is a list, not text"),
            ({"ring_seconds": "30"}, "ring_seconds: is text, not a whole number"),
            ({"ring_seconds": 30.0}, "ring_seconds: is a number, not a whole number"),
            ({"ring_seconds": True}, "ring_seconds: is true or false, not a whole number"),
            ({"dids": "+331"}, "dids: is text, not a list"),
            ({"dids": {"+331": 1}}, "dids: is a table, not a list"),
            ({"dids": ["+331", 2]}, "dids[1]: is a whole number, not text"),
            ({"fallbacks": None}, "fallbacks: is nothing, not a table"),
            ({"fallbacks": "3000"}, "fallbacks: is text, not a table"),
            ({"did_ring_seconds": {"+331": "3"}}, "did_ring_seconds[0][1]: is text, not a whole number"),
            ({"did_ring_seconds": "ab"}, "did_ring_seconds: is text, not a list"),
            ({"did_ring_seconds": ["ab"]}, "did_ring_seconds: is neither a list of pairs nor a table"),
            ({"did_ring_seconds": [["+331"]]}, "did_ring_seconds: is neither a list of pairs nor a table"),
        ],
    )
    def test_a_wrong_kind_is_named_with_its_path(self, changes: dict[str, Any], said: str) -> None:
        assert problems(User, ALICE | changes) == (said,)

    @pytest.mark.parametrize("document", [None, 5, "alice", [ALICE], True])
    def test_what_is_no_table_is_no_user(self, document: object) -> None:
        (problem,) = problems(User, document)
        assert problem.endswith(", not a table")

    @pytest.mark.parametrize(
        ("kind", "document", "said"),
        [
            (Kept, {"selection": "phone"}, "selection: is 'phone', not one of deskphone, webrtc"),
            (Kept, {"selection": ["webrtc"]}, "selection: is ['webrtc'], not one of deskphone, webrtc"),
            (Kept, {"selection": "DESKPHONE"}, "selection: is 'DESKPHONE', not one of deskphone, webrtc"),
            (Line, {"status": 3}, "status: is 3, not one of invalid, unknown, unavailable, not_in_use, "),
            (Line, {"status": {}}, "status: is {}, not one of "),
            (Line, {"reachable": "yes"}, "reachable: is text, not true or false"),
            (Forwarding, {"do_not_disturb": 1}, "do_not_disturb: is a whole number, not true or false"),
            (Observed, {"deskphone": {"status": "up"}}, "deskphone.status: is 'up', not one of "),
        ],
    )
    def test_a_choice_is_one_of_its_words(self, kind: Any, document: object, said: str) -> None:
        (problem,) = problems(kind, document)
        assert problem.startswith(said)

    @pytest.mark.parametrize(
        "instant",
        [5, None, "yesterday", "2026-01-05", "2026-01-05T09:00:00", "9999-12-31T23:59:59-05:00", ["x"]],
    )
    def test_an_instant_names_its_zone(self, instant: object) -> None:
        record = {"id": "1", "user": "a", "status": "missed", "direction": "incoming", "start": instant}
        assert problems(CallRecord, record) == (
            f"start: is {instant!r}, not an instant with its time zone, such as 2026-01-05T09:00:00+00:00",
        )

    @pytest.mark.parametrize("lease", ["10", None, True, float("nan"), float("inf"), 1e300, [10]])
    def test_a_lease_is_a_number_of_seconds(self, lease: object) -> None:
        document = to_document(Account(User(**ALICE))) | {"lease": lease}
        assert problems(Account, document) == (f"lease: is {lease!r}, not a number of seconds",)

    def test_a_lease_may_be_whole_or_not(self) -> None:
        for lease in (0, 10, 2.5):
            document = to_document(Account(User(**ALICE))) | {"lease": lease}
            assert from_document(Account, document).lease == timedelta(seconds=lease)


class TestDestinations:
    """A destination names its kind, and has the fields of that kind only."""

    @pytest.mark.parametrize(
        ("busy", "said"),
        [
            ("3000", ": is not a destination: a table whose kind is one of extension, mailbox, refusal"),
            ({"number": "3000"}, ": is not a destination: a table whose kind is one of "),
            ({"kind": "fax"}, ": is not a destination: a table whose kind is one of "),
            ({"kind": ["extension"]}, ": is not a destination: a table whose kind is one of "),
            ({"kind": "extension"}, ".number: is missing"),
            ({"kind": "extension", "number": 3000}, ".number: is a whole number, not text"),
            ({"kind": "extension", "number": "3000", "cause": 1}, ": has no field named cause"),
            ({"kind": "refusal", "cause": "17"}, ".cause: is text, not a whole number"),
        ],
    )
    def test_what_is_wrong_with_one_is_said_with_its_path(self, busy: object, said: str) -> None:
        document = ALICE | {"fallbacks": {"busy": busy}}
        (problem,) = problems(User, document)
        assert problem.startswith(f"fallbacks.busy{said}")

    def test_one_kind_is_not_another(self) -> None:
        (problem,) = problems(Extension, {"kind": "mailbox", "address": "1001"})
        assert problem == "is not a destination: a table whose kind is one of extension"

    def test_a_plan_needs_all_of_its_destinations(self) -> None:
        document = to_document(plan(Account(User(**ALICE))))
        for outcome in Outcome:
            document[outcome] = None
        document["gate"]["forward"] = {"kind": "refusal"}
        assert problems(Plan, document) == (
            "gate.forward.cause: is missing",
            *(
                f"{outcome}: is not a destination: a table whose kind is one of extension, mailbox, refusal"
                for outcome in ("no_answer", "busy", "congestion", "unavailable")
            ),
        )

    def test_the_document_is_left_as_it_was(self) -> None:
        document = {"kind": "extension", "number": "3000"}
        from_document(Destination, document)  # type: ignore[arg-type] # a union
        assert document == {"kind": "extension", "number": "3000"}


@frozen
class Company:
    """Users in a table, as a file has them."""

    users: tuple[User, ...]


class TestEverythingAtOnce:
    """Every problem is listed, each with its path, so that one round of repair is enough."""

    def test_problems_of_several_users_are_all_listed(self) -> None:
        users = [
            ALICE | {"id": 1, "ring_seconds": "x"},
            {"id": "bob"},
            "carol",
            ALICE | {"ring_seconds": 0, "simultaneous_calls": 99},
            ALICE | {"ringseconds": 5, "password": "hunter2"},
        ]
        assert problems(Company, {"users": users}) == (
            "users[0].id: is a whole number, not text",
            "users[0].ring_seconds: is text, not a whole number",
            "users[1].extension: is missing",
            "users[1].deskphone: is missing",
            "users[1].webrtc: is missing",
            "users[2]: is text, not a table",
            "users[3].ring_seconds: is 0; at least 1 second",
            "users[3].simultaneous_calls: is 99; from 1 to 20",
            "users[4]: has no field named password",
            "users[4]: has no field named ringseconds; did you mean ring_seconds?",
        )

    def test_deep_problems_have_deep_paths(self) -> None:
        document = to_document(Account(User(**ALICE)))
        document["kept"]["forwarding"]["busy"] = {"destination": 5, "enabled": "yes"}
        document["kept"]["sessions"] = [{"id": "tab-1", "conection": ""}, {"id": "tab-2", "last_seen": 1}]
        document["observed"]["messages"] = {"new": "1", "old": 0}
        document["observed"]["calls"] = [{"id": "1.1", "device": "fax"}]
        said = problems(Account, document)
        assert [problem.partition(":")[0] for problem in said] == [
            "kept.sessions[0]",
            "kept.sessions[1].last_seen",
            "kept.forwarding.busy.destination",
            "kept.forwarding.busy.enabled",
            "observed.calls[0].device",
            "observed.calls[0].direction",
            "observed.calls[0].status",
            "observed.calls[0].started",
            "observed.messages.new",
        ]

    def test_what_a_value_itself_refuses_is_a_problem_too(self) -> None:
        record = {"user": "a", "status": "missed", "direction": "outgoing", "start": "2026-01-05T09:00:00Z"}
        assert problems(CallRecord, record | {"id": "1"}) == ("call 1 is missed and outgoing",)
        assert problems(User, ALICE | {"id": ""})[0].startswith("id: ")

    def test_unknown_fields_are_named_without_what_is_in_them(self) -> None:
        said = problems(User, ALICE | {"password": "hunter2", 5: "hunter2", "a @ b": "hunter2"})
        assert set(said) == {f"has no field named {name}" for name in ("5", "a @ b", "password")}

    def test_a_wrong_kind_is_named_without_what_it_says(self) -> None:
        assert "hunter2" not in "".join(problems(User, ALICE | {"ring_seconds": "hunter2"}))

    def test_a_document_has_no_field_for_a_secret(self) -> None:
        text = to_json(Account(User(**ALICE))) + to_json(plan(Account(User(**ALICE))))
        assert not any(word in text for word in ("password", "secret", "token"))


class TestShown:
    """A sentence shows what is wrong in part, and can always be written down."""

    @pytest.mark.parametrize(
        ("document", "said"),
        [
            ({"ring_seconds": 16**5000}, "ring_seconds: is a number of more than 18 digits"),
            ({"ring_seconds": 10**18}, "ring_seconds: is a number of more than 18 digits"),
            ({"\ud800": 1}, "has no field named '\\ud800'"),
            ({"x\ny": 1}, "has no field named 'x\\ny'"),
            ({"x" * 100_000: 1}, f"has no field named '{'x' * 59}..."),
            ({10**5000: 1}, "has no field named a whole number"),
        ],
    )
    def test_a_user(self, document: dict[Any, Any], said: str) -> None:
        assert problems(User, {**ALICE, **document}) == (said,)

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            ("x" * 1000, f"is '{'x' * 59}..., not "),
            ("\ud800", "is '\\ud800', not "),
            (16**5000, "is a whole number, not "),
            ([0] * 1000, "is [0, 0, 0, "),
            (float("inf"), "is inf, not "),
        ],
        ids=["long text", "half a character", "digits", "lists", "infinity"],
    )
    def test_an_instant(self, value: object, said: str) -> None:
        (problem,) = problems(CallRecord, {**RECORD, "start": value})
        assert problem.startswith(f"start: {said}")

    @given(
        st.recursive(
            st.none() | st.floats() | st.integers() | st.text(), lambda part: st.lists(part), max_leaves=5
        )
    )
    def test_anything(self, odd: object) -> None:
        for kind in (User, Account, Plan, CallRecord):
            assert all(
                len(problem.encode()) < 500
                for problem in problems(kind, {**ALICE, "id": odd, "answered": odd, "state": odd})
            )


class TestHalfCharacters:
    """What is accepted can be written, and what is refused can be logged."""

    SAID = "has half a character, which cannot be kept"

    @pytest.mark.parametrize("field", ["user", "owner", "media_server", "context"])
    def test_a_plan(self, field: str) -> None:
        document = {**to_document(plan(Account(User(**ALICE)))), field: "x\ud800"}
        assert problems(Plan, document) == (f"{field}: {self.SAID}",)

    def test_lists_of_texts(self) -> None:
        document = {**to_document(plan(Account(User(**ALICE)))), "numbers": ["1001", "\udfff"]}
        assert problems(Plan, document) == (f"numbers[1]: {self.SAID}",)

    @pytest.mark.parametrize("times", [{"1001\ud800": 45}, [["1001\ud800", 45]]])
    def test_ring_times_of_dids(self, times: object) -> None:
        (problem,) = problems(User, {**ALICE, "did_ring_seconds": times})
        assert problem == f"did_ring_seconds[0][0]: {self.SAID}"

    def test_destinations(self) -> None:
        for tag, field in (("extension", "number"), ("mailbox", "address"), ("\ud800", "number")):
            fallbacks = {"busy": {"kind": tag, field: "\ud800"}}
            for problem in problems(User, {**ALICE, "fallbacks": fallbacks}):
                assert problem.isprintable(), problem

    def test_json_that_escapes_one(self) -> None:
        with pytest.raises(InvalidDocument, match=f"^id: {self.SAID}$"):
            from_json(User, json.dumps({**ALICE, "id": "\ud800"}))


class TestJson:
    """A text that is not JSON says where it is not."""

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "line 1, column 1: is not JSON: Expecting value"),
            ('{"id": "alice",\n "extension" 5}', "line 2, column 14: is not JSON: Expecting ':' delimiter"),
            ("[" * 100_000, "is nested too deeply"),
            ("[" + "9" * 5000 + "]", "has a number of more digits than can be read"),
            ("[]", "is a list, not a table"),
        ],
    )
    def test_where_it_is_wrong_is_said(self, text: str, said: str) -> None:
        with pytest.raises(InvalidDocument) as invalid:
            from_json(User, text)
        assert invalid.value.problems == (said,)
        assert isinstance(invalid.value, ValueError)

    def test_it_carries_its_cause(self) -> None:
        with pytest.raises(InvalidDocument) as invalid:
            from_json(User, "{")
        assert isinstance(invalid.value.__cause__, json.JSONDecodeError)

    def test_views_come_back_for_who_shows_them_elsewhere(self) -> None:
        shown = view(Account(User(**ALICE)))
        assert from_json(View, to_json(shown)) == shown
        assert shown.device_in_use is Device.DESKPHONE
        assert from_document(Fallbacks, {}) == Fallbacks()
