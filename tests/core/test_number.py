"""A number is one number, however people write it."""

from __future__ import annotations

import pickle
import re
from copy import deepcopy

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from unique_account.core.account import Account
from unique_account.core.errors import Refused
from unique_account.core.events import ForwardingChanged, LoggedIn, apply
from unique_account.core.forwarding import Extension, Fallbacks, Forward, Forwarding, Mailbox
from unique_account.core.number import NUMBER, Number
from unique_account.core.routing import plan, route
from unique_account.core.uniqueness import claims_of
from unique_account.core.user import User
from unique_account.json_documents import from_json, to_json

SEPARATORS = [" ", "\u00a0", "\u2009", "\u202f", "\t", "-", "\u2011", "\u2013", ".", "/", "(", ")"]
UNSEEN = ["\u00ad", "\u200b", "\u200e", "\u200f", "\u202a", "\u202c", "\u2066", "\u2069", "\ufeff"]
WITH_ZERO = re.compile(r"\([^0-9]*0[^0-9]*\)").search
"""The `(0)` that nobody dials from abroad, however it is written."""

DIALLED = st.from_regex(NUMBER, fullmatch=True)
ALICE = User(
    id="alice",
    extension="1001",
    dids=("+33 1 23 45 67 89",),
    deskphone="PJSIP/alice",
    webrtc="PJSIP/alice_w",
    mailbox="1001",
)


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """A number, and another way to write it."""
    number = draw(DIALLED)
    between = st.lists(st.sampled_from([*SEPARATORS, *UNSEEN]), max_size=3)
    written = "".join(digit + "".join(draw(between)) for digit in number)
    return number, draw(st.sampled_from([*UNSEEN, ""])) + written


class TestSpellings:
    """R10, A1: `2001` and `20 01` are one number."""

    @given(spellings())
    def test_separators_make_no_other_number(self, spelling: tuple[str, str]) -> None:
        number, written = spelling
        if not WITH_ZERO(written):
            assert Number(written) == number
            assert hash(Number(written)) == hash(number)
            assert Number(written).is_dialable

    @pytest.mark.parametrize(
        ("written", "number"),
        [
            ("+33 (0)1 23 45 67 89", "+33123456789"),
            ("+33(0)1.23.45.67.89", "+33123456789"),
            ("+33 ( 0 ) 123", "+33123"),
            ("(+33) (0)1 23", "+33123"),
            ("0033 (0)1 23", "0033123"),
            ("(0)1 23", "0123"),
            ("(01) 23/45-67", "01234567"),
            ("+49 (30) 1234", "+49301234"),
            ("20\u00ad01", "2001"),
            ("\u202a2001\u202c", "2001"),
            ("*98", "*98"),
            ("#31#06 12", "#31#0612"),
        ],
    )
    def test_what_is_dialled(self, written: str, number: str) -> None:
        assert Number(written) == number
        assert Number(written).is_dialable

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "David",
            "12a",
            "s",
            "fax",
            "1+2",
            "++33",
            "+",
            "20&01",
            "20,01",
            "20\n01",
            "\u0662\u0660",
            "1" * 41,
            "20;01",
            "\ud800",
            "2001@default",
            "a" * 5000,
        ],
    )
    def test_what_is_no_number(self, text: str) -> None:
        assert not Number(text).is_dialable

    @given(st.text())
    def test_any_text_has_one_spelling(self, text: str) -> None:
        number = Number(text)
        assert Number(number) is number
        assert Number(str(number)) == number


class TestWritten:
    """A number is shown as it was written."""

    def test_it_is_kept_without_what_nobody_sees(self) -> None:
        assert Number(" +33 (0)1\u00a023\u00ad4 ").written == "+33 (0)1\u00a0234"
        assert Number("2001").written == "2001"

    def test_copies_have_it(self) -> None:
        number = Number("20 01")
        for copy in (deepcopy(number), pickle.loads(pickle.dumps(number))):
            assert (copy, copy.written) == ("2001", "20 01")
            assert type(copy) is Number

    def test_documents_have_it(self) -> None:
        user = from_json(User, to_json(evolve(ALICE, extension="10 01")))
        assert (user.extension, user.extension.written) == ("1001", "10 01")
        assert user.dids[0].written == "+33 1 23 45 67 89"
        forward = from_json(Forward, to_json(Forward("20 01")))
        assert forward.destination.written == "20 01"


class TestComparisons:
    """Wherever two numbers are compared, their spelling does not count."""

    @pytest.mark.parametrize("own", ["10 01", "10-01", "+33123456789", "+33 (0)1.23.45.67.89"])
    def test_a_user_s_own_number(self, own: str) -> None:
        with pytest.raises(Refused, match="R13"):
            apply(Account(ALICE), _busy(own))
        with pytest.raises(ValueError, match="own number"):
            evolve(ALICE, fallbacks=Fallbacks(busy=Extension(own)))

    def test_the_code_of_the_mailbox(self) -> None:
        account = apply(Account(evolve(ALICE, voicemail_code="* 98")), _busy("*9 8"))
        assert plan(account).busy == Mailbox("1001")

    def test_a_code_that_is_taken(self) -> None:
        with pytest.raises(ValueError, match="is the code of something"):
            evolve(ALICE, extension="*2 1")

    def test_the_ring_time_of_a_did(self) -> None:
        user = evolve(ALICE, did_ring_seconds={"+33 (0)1-23-45-67-89": 5})
        account = apply(Account(user), LoggedIn("tab-1"))
        for dialled in ("+33123456789", "+33 1 23 45 67 89"):
            ring = route(account, dialled=dialled).ring
            assert ring is not None
            assert ring.seconds == 5

    def test_a_number_given_twice(self) -> None:
        with pytest.raises(ValueError, match="name a number twice"):
            evolve(ALICE, dids=("2001", "20 01"))

    def test_claims(self) -> None:
        assert claims_of(evolve(ALICE, extension="10 01")) == claims_of(ALICE)

    def test_a_forward_written_differently_is_the_same_one(self) -> None:
        account = apply(Account(ALICE), _busy("20 01"))
        assert apply(account, _busy("2001")) is account


def _busy(number: str) -> ForwardingChanged:
    return ForwardingChanged(Forwarding(busy=Forward(number)))
