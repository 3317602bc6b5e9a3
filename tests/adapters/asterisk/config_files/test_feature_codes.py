"""The codes that users dial: the text, what a message of one means, and what the caller is told."""

from __future__ import annotations

from typing import Final

import pytest
from attrs import evolve
from hypothesis import given

from unique_account.adapters.asterisk.ami.message import Message, UnusableHeader
from unique_account.adapters.asterisk.config_files.dialplan import render
from unique_account.adapters.asterisk.config_files.feature_codes import CODES, LONGEST_DIALLED
from unique_account.adapters.asterisk.translation.feature_codes import answer, dialled_code
from unique_account.adapters.asterisk.translation.results import TranslatedEvent
from unique_account.adapters.asterisk.translation.translator import Translator
from unique_account.core.account import Account
from unique_account.core.errors import InvalidUser
from unique_account.core.events import DeviceToggled, Event, ForwardingDialled, LoggedIn, apply
from unique_account.core.forwarding_changes import Setting
from unique_account.core.user import FEATURE_CODES, User
from unique_account.testing.strategies import users

ALICE: Final = User(
    id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice-w", mailbox="1001@default"
)
IN: Final = apply(Account(ALICE), LoggedIn("tab-1"))


def dialled(asks: str, number: str = "", account: str = "alice") -> Message:
    lines = (
        "Event: UserEvent",
        "Timestamp: 1.5",
        "UserEvent: UniqueAccountCode",
        "Channel: PJSIP/alice-00000001",
        f"Account: {account}",
        f"Asks: {asks}",
        f"Number: {number}",
    )
    return Message("\r\n".join(lines))


class TestText:
    """S6, V1: the codes are there in each context of users, for these users' own phones."""

    def test_each_code_asks_for_one_thing(self) -> None:
        text = render([ALICE])
        numbers = text[text.index("[unique-account-numbers-default]") :]
        for line in (
            "exten = *987,1,Gosub(unique-account-codes,s,1(toggle,,silence/1))",
            "exten = *25,1,Gosub(unique-account-codes,s,1(do_not_disturb,,do-not-disturb))",
            "exten = *21,1,Gosub(unique-account-codes,s,1(unconditional,,call-fwd-unconditional))",
            "exten = *20,1,Gosub(unique-account-codes,s,1(all,,call-forwarding))",
            "exten = *98,1,Gosub(unique-account-codes,s,1(voicemail,,))",
        ):
            assert f"{line}\n" in numbers
        for digits in (1, 2, LONGEST_DIALLED):
            pattern = "_*22" + "[+*#0-9]" * digits
            passed = "no_answer,${EXTEN:3},call-fwd-no-ans"
            assert f"exten = {pattern},1,Gosub(unique-account-codes,s,1({passed}))\n" in numbers
            assert len(pattern) < 256  # no longer one is read

    def test_no_pattern_lets_any_text_in(self) -> None:
        """A line break in what is dialled would be one in the events of the call."""
        text = render([ALICE])
        numbers = text[text.index("[unique-account-numbers-default]") :]
        patterns = [line.partition(",")[0] for line in numbers.splitlines() if line.startswith("exten = _")]
        assert patterns
        assert not [pattern for pattern in patterns if pattern.endswith((".", "!"))]

    def test_a_user_may_have_a_voicemail_code_of_ones_own(self) -> None:
        assert "exten = *77,1,Gosub(unique-account-codes,s,1(voicemail,,))\n" in render(
            [evolve(ALICE, voicemail_code="*7-7")]
        )

    def test_it_is_known_whose_each_phone_is(self) -> None:
        stranger = evolve(ALICE, id="a,b $", mailbox=None)
        assert (
            "\n[unique-account-owners]\n"
            "exten = of*alice,1,Return(a%2Cb%20%24,)\n"
            "exten = of*alice~w,1,Return(a%2Cb%20%24,)\n"
        ) in render([stranger])

    @pytest.mark.parametrize("number", ["*98", "*987", "*25", "*21", "*20"])
    def test_no_user_has_a_number_that_is_a_code(self, number: str) -> None:
        with pytest.raises(InvalidUser, match=r"extension: .* is the code of something"):
            evolve(ALICE, extension=number)

    def test_the_core_knows_every_code(self) -> None:
        assert set(CODES) == FEATURE_CODES


class TestMeaning:
    """S6, R10: a dialled code is an event of its user, and its caller waits for an answer."""

    @pytest.mark.parametrize(
        ("message", "event"),
        [
            (dialled("toggle"), DeviceToggled()),
            (dialled("do_not_disturb"), ForwardingDialled(Setting.DO_NOT_DISTURB)),
            (dialled("busy", "2000"), ForwardingDialled(Setting.BUSY, "2000")),
            (dialled("all"), ForwardingDialled(Setting.ALL)),
        ],
    )
    def test_what_is_asked_for(self, message: Message, event: Event) -> None:
        (received,) = Translator([ALICE]).translate(message)
        assert isinstance(received, TranslatedEvent)
        assert (received.user, received.event, received.channel) == ("alice", event, "PJSIP/alice-00000001")

    def test_one_who_is_not_listened_for_means_nothing(self) -> None:
        assert Translator([ALICE]).translate(dialled("toggle", account="bob")) == ()

    @given(users())
    def test_names_come_back_as_they_are(self, user: User) -> None:
        line = next(line for line in render([user]).splitlines() if line.startswith("exten = of*"))
        account = line.partition("Return(")[2].partition(",")[0]
        assert dialled_code(dialled("toggle", account=account))[0] == user.id

    def test_what_nobody_can_ask_for_is_told(self) -> None:
        with pytest.raises(UnusableHeader, match="not one of toggle, do_not_disturb"):
            dialled_code(dialled("fly"))


class TestAnswer:
    """S6, R10: the caller is told what the account came to, never what it was meant to."""

    def test_the_selection(self) -> None:
        there = apply(IN, DeviceToggled())
        assert answer(DeviceToggled(), there) == "off"
        assert answer(DeviceToggled(), apply(there, DeviceToggled())) == "on"

    def test_do_not_disturb(self) -> None:
        event = ForwardingDialled(Setting.DO_NOT_DISTURB)
        silent = apply(IN, event)
        assert answer(event, silent) == "on"
        assert answer(event, apply(silent, event)) == "off"

    def test_forwards(self) -> None:
        for event, reported in (
            (ForwardingDialled(Setting.BUSY, "2000"), "on"),
            (ForwardingDialled(Setting.BUSY), "off"),
            (ForwardingDialled(Setting.ALL), "off"),
        ):
            assert answer(event, apply(IN, event)) == reported

    def test_what_nobody_waits_for(self) -> None:
        assert answer(LoggedIn("tab-1"), IN) == "off"
