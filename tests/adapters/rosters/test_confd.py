"""XiVO's confd as a roster, on a server of ours that answers as its public documentation says."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.adapters.rosters.confd_server import Confd, items, running
from unique_account.adapters.rosters import confd
from unique_account.adapters.rosters.confd import ConfdRoster, InvalidRoster
from unique_account.core.user import User

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
"""What JSON can say."""

ALICE = User(
    id="alice",
    extension="1001",
    context="default",
    deskphone="PJSIP/alice",
    webrtc="PJSIP/alice_w",
    mailbox="1001@default",
    ring_seconds=20,
)


@pytest.fixture
def at() -> Iterator[Confd]:
    with running() as one:
        yield one


class TestUsers:
    """A SIP line whose option ``webrtc`` is ``ua`` makes a user, and stops when that changes."""

    def test_a_line_with_the_option_is_a_user(self, at: Confd) -> None:
        at.user(1, "alice", mailbox=True)
        assert at.read() == (ALICE,)

    def test_lines_without_it_are_none_and_are_not_followed(self, at: Confd) -> None:
        at.user(1, "alice", option="yes")
        at.lines.append({"id": 2, "username": "bob", "options": []})
        at.lines.append({"id": 3, "username": "carol"})
        assert at.read() == ()
        assert [path for path, _ in at.requests] == ["/1.1/endpoints/sip"]

    def test_a_line_that_loses_the_option_is_no_user_any_more(self, at: Confd) -> None:
        at.user(1, "alice")
        assert len(at.read()) == 1
        at.lines[0]["options"] = [["webrtc", "yes"]]
        assert at.read() == ()

    def test_all_pages_are_read(self, at: Confd) -> None:
        for number in range(1, 8):
            at.user(number, f"user-{number}")
        assert [user.id for user in at.read(page=3)] == [f"user-{number}" for number in range(1, 8)]

    def test_what_xivo_leaves_open_is_a_setting(self, at: Confd) -> None:
        at.user(1, "alice", option="both")
        at.resources["/1.1/users/21"]["uuid"] = "u-1"
        (user,) = at.read(
            webrtc_option="both", webrtc_suffix="-web", technology="SIP", id="uuid", media_server="m"
        )
        assert (user.id, user.webrtc, user.media_server) == ("u-1", "SIP/alice-web", "m")

    def test_the_token_goes_with_each_request_and_is_in_no_repr(self, at: Confd) -> None:
        at.user(1, "alice")
        at.read("geheim")
        assert {token for _, token in at.requests} == {"geheim"}
        assert "geheim" not in repr(ConfdRoster(at.url, "geheim"))


class TestProblems:
    """What cannot be read whole is an error: a roster with a gap would take accounts away."""

    def test_every_line_that_makes_no_user_is_reported(self, at: Confd) -> None:
        at.user(1, "alice")
        at.user(2, "bob")
        at.user(3, "carol")
        at.resources["/1.1/lines/11/extensions"] = items()
        at.resources["/1.1/extensions/32"]["exten"] = "not a number!"
        with pytest.raises(InvalidRoster) as invalid:
            at.read()
        assert invalid.value.problems == (
            "endpoints/sip/1: lines/11/extensions are none; a Unique Account needs one",
            "endpoints/sip/2: extension: is not a number: use digits, *, # and a leading +",
        )

    def test_two_users_of_one_number(self, at: Confd) -> None:
        at.user(1, "alice")
        at.user(2, "bob")
        at.resources["/1.1/extensions/32"]["exten"] = "1001"
        with pytest.raises(InvalidRoster, match="bob: number 1001 in default is already that of alice"):
            at.read()

    def test_fields_that_are_missing(self, at: Confd) -> None:
        at.user(1, "alice")
        del at.resources["/1.1/users/21"]["username"]
        with pytest.raises(InvalidRoster, match="endpoints/sip/1: has no username"):
            at.read()

    @pytest.mark.parametrize("answer", [b"<html>", [], {"items": []}, {"total": "many", "items": []}])
    def test_what_is_no_list(self, at: Confd, answer: Any) -> None:
        at.answer = lambda *_: (200, answer)  # type: ignore[method-assign]
        with pytest.raises(InvalidRoster, match="endpoints/sip: is no "):
            at.read()

    @pytest.mark.parametrize(
        "odd",
        [
            "Infinity",
            "NaN",
            "-1",
            "1e999",
            "9" * 5000,
            "true",
            "[" * 100_000,
            '"5"',
            "{}",
            "null",
            "10000000",
        ],
    )
    def test_a_total_that_is_none(self, at: Confd, odd: str) -> None:
        at.answer = lambda *_: (200, f'{{"items": [], "total": {odd}}}'.encode())  # type: ignore[method-assign]
        with pytest.raises(InvalidRoster, match="endpoints/sip: is no "):
            at.read()

    @pytest.mark.parametrize("odd", [None, 5, "alice", {"1": {}}, [None], ["alice"], [[1]], [{}, 7]])
    def test_items_that_are_no_objects(self, at: Confd, odd: object) -> None:
        at.user(1, "alice")
        at.resources["/1.1/lines/11/users"] = {"total": 1, "items": odd}
        with pytest.raises(InvalidRoster, match=r"  lines/11/users: is no list of objects$"):
            at.read()
        at.answer = lambda *_: (200, {"total": 1, "items": odd})  # type: ignore[method-assign]
        with pytest.raises(InvalidRoster, match="endpoints/sip: is no list of objects"):
            at.read()

    @pytest.mark.parametrize("place", ["users/21", "users/21/voicemail", "voicemails/40", "lines/11/users"])
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
    @given(data=st.data())
    def test_whatever_is_in_an_answer(self, at: Confd, place: str, data: st.DataObject) -> None:
        at.lines.clear()
        at.user(1, "alice", mailbox=True)
        resource = at.resources[f"/1.1/{place}"]
        changed = resource["items"][0] if "items" in resource else resource
        changed[data.draw(st.sampled_from(sorted(changed)))] = data.draw(ANYTHING)
        with suppress(InvalidRoster, ConnectionError):
            at.read()

    @pytest.mark.parametrize("odd", ["1\n", "../../x", "\ud800", "é", "x" * 100, "", 10**12, 1.5, True, []])
    def test_an_id_that_fits_into_no_address(self, at: Confd, odd: object) -> None:
        at.user(1, "alice")
        at.resources["/1.1/lines/11/users"] = items({"user_id": odd})
        with pytest.raises(InvalidRoster, match="endpoints/sip/1: user_id is missing, or is no id"):
            at.read()
        at.lines[0]["id"] = odd
        with pytest.raises(InvalidRoster, match="endpoints/sip: id is missing, or is no id"):
            at.read()

    @pytest.mark.parametrize("odd", ["é", "\ud800"])
    def test_a_token_that_no_header_takes(self, at: Confd, odd: str) -> None:
        with pytest.raises(ConnectionError, match="the token"):
            at.read(odd)

    @pytest.mark.parametrize("odd", ["http://[", "http://a:99999999", "http://" + "x" * 70_000])
    def test_an_address_that_is_none(self, odd: str) -> None:
        with pytest.raises(ConnectionError):
            asyncio.run(ConfdRoster(odd).users())

    @pytest.mark.parametrize("odd", [math.inf, math.nan, [[]], {}, "9" * 5000, 10**12, "ten", 30.5, True])
    def test_a_number_that_is_none(self, at: Confd, odd: object) -> None:
        at.user(1, "alice")
        at.resources["/1.1/users/21"]["ring_seconds"] = odd
        with pytest.raises(InvalidRoster, match=r"(endpoints/sip/1: ring_seconds|users/21): is no |is no "):
            at.read()

    def test_a_list_that_ends_before_its_total(self, at: Confd) -> None:
        at.answer = lambda *_: (200, {"total": 2, "items": []})  # type: ignore[method-assign]
        with pytest.raises(InvalidRoster, match="endpoints/sip: gives 0 of 2 items"):
            at.read()

    def test_a_list_that_is_not_there(self, at: Confd) -> None:
        at.answer = lambda *_: (404, {"message": "not found"})  # type: ignore[method-assign]
        with pytest.raises(InvalidRoster, match=r"  endpoints/sip: is not there$"):
            at.read()

    @pytest.mark.parametrize("item", [{"id": 1}, {"name": "without an id"}])
    @pytest.mark.parametrize("total", [1001, 1_000_000])
    def test_a_list_that_gives_the_same_page_for_ever(
        self, at: Confd, item: dict[str, Any], total: int
    ) -> None:
        asked = []

        def answer(path: str, *_: object) -> tuple[int, Any]:
            asked.append(path)
            return 200, {"total": total, "items": [item]}

        at.answer = answer  # type: ignore[method-assign, assignment]
        with pytest.raises(InvalidRoster, match=f"endpoints/sip: gives nothing new after 1 of {total} items"):
            at.read()
        assert len(asked) == 2

    def test_a_list_that_goes_round_in_a_circle(self, at: Confd) -> None:
        def answer(_: str, query: dict[str, list[str]], __: object) -> tuple[int, Any]:
            return 200, {"total": 1_000_000, "items": [{"id": int(query["offset"][0]) % 3}]}

        at.answer = answer  # type: ignore[method-assign, assignment]
        with pytest.raises(InvalidRoster, match="endpoints/sip: gives nothing new after 3 of 1000000 items"):
            at.read()

    def test_a_list_that_grows_while_it_is_read(self, at: Confd) -> None:
        for number in range(1, 5):
            at.user(number, f"user-{number}", option="no")
        shifted = [at.lines[0], *at.lines]

        def answer(_: str, query: dict[str, list[str]], __: object) -> tuple[int, Any]:
            return 200, {"total": 5, "items": shifted[int(query["offset"][0]) :][:2]}

        at.answer = answer  # type: ignore[method-assign, assignment]
        assert at.read(page=2) == ()

    def test_an_answer_that_is_too_large(self, at: Confd, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(confd, "LARGEST", 100)
        at.user(1, "alice")
        with pytest.raises(InvalidRoster, match="endpoints/sip: has more than 100 bytes"):
            at.read()

    @pytest.mark.parametrize(("status", "said"), [(401, "; is the token valid?"), (500, "$")])
    def test_a_refusal(self, at: Confd, status: int, said: str) -> None:
        at.user(1, "alice")
        at.statuses["/1.1/users/21"] = status
        with pytest.raises(ConnectionError, match=f"confd answers {status} for users/21{said}"):
            at.read("geheim")

    def test_nobody_there(self) -> None:
        with pytest.raises(ConnectionError, match=r"http://127\.0\.0\.1:9/1\.1/: "):
            asyncio.run(ConfdRoster("http://127.0.0.1:9/1.1").users())

    def test_one_that_does_not_answer(self, at: Confd, monkeypatch: pytest.MonkeyPatch) -> None:
        waiting = threading.Event()
        monkeypatch.setattr(confd, "READS_WITHIN", 0.1)
        at.answer = lambda *_: (waiting.wait(5) and 200, {})  # type: ignore[method-assign]
        try:
            with pytest.raises(ConnectionError, match=r"did not list all users in 0\.1 s"):
                at.read()
        finally:
            waiting.set()
