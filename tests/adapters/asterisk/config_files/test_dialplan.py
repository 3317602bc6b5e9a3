"""Plans as entries of AstDB, and the text of the dialplan that carries them out."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, Final

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from unique_account.adapters.asterisk.astdb_row import BETWEEN, FAMILY, FORMS, ROUTED
from unique_account.adapters.asterisk.config_files.dialplan import render
from unique_account.adapters.asterisk.config_files.dialplan_routine import ROUTINE
from unique_account.adapters.asterisk.dialplan_text import NotForDialplan
from unique_account.adapters.asterisk.plans.decode import plans
from unique_account.adapters.asterisk.plans.encode import entries
from unique_account.adapters.asterisk.wire_names import HINT_CONTEXTS, hint_context
from unique_account.core.account import Account, Kept
from unique_account.core.errors import InvalidUser, Refused
from unique_account.core.events import ForwardingChanged, ForwardingDialled, LoggedIn, apply
from unique_account.core.forwarding import (
    Destination,
    Extension,
    Forward,
    Forwarding,
    Mailbox,
    Outcome,
    Refusal,
)
from unique_account.core.forwarding_changes import Setting
from unique_account.core.machine import Device
from unique_account.core.routing import Candidate, Gate, Plan, plan
from unique_account.core.user import User
from unique_account.json_documents import to_json
from unique_account.testing.input_strategies import odd_forwardings, odd_texts, odd_users
from unique_account.testing.strategies import accounts, users

DID: Final = "+33123450001"
ALICE: Final = User(
    id="alice",
    extension="1001",
    deskphone="PJSIP/alice",
    webrtc="PJSIP/alice.w+1",
    dids=(DID,),
    did_ring_seconds={DID: 10},
    mailbox="1001@default",
)
BOB: Final = User(
    id="bob", extension="1002", deskphone="PJSIP/bob", webrtc="PJSIP/bob_w", context="branch", ring_seconds=20
)
PLAN: Final = plan(apply(Account(ALICE), LoggedIn("tab-1")))

HARMLESS: Final = re.compile(r"[0-9A-Za-z_.+*#:/|&!%~@\[\]-]*")
"""Nothing of these begins an expression, a variable, a comment, a string or another argument of Gosub."""

# Each has a character, or is a name, that means something to a dialplan, to AstDB or to an entry.
HOSTILE: Final = (
    "1001,1,System(id)",
    "${SHELL(id)}",
    "$[1+1]",
    "1002&Local/9999@default",
    "1002:30",
    "1002|1003",
    "1001]",
    'a"b',
    "a\\b",
    "a;b",
    "a\nb",
    "a\r\nAction: Originate",
    "1002\n",
    " ",
    "",
    "\u0663",
    "a" * 61,
)


def anything() -> st.SearchStrategy[str]:
    """Text with what a dialplan reads in it, and plain text that it may hold."""
    return st.sampled_from(HOSTILE) | st.text(alphabet="1a.@/&,:;|$[]{}()\\\"'\n%+*#_- ", max_size=6)


def with_destination(name: str, destination: Destination) -> Plan:
    if name in ("do_not_disturb", "forward"):
        gate: dict[str, Any] = {name: destination}
        return evolve(PLAN, gate=evolve(PLAN.gate, **gate))
    rule: dict[str, Any] = {name: destination}
    return evolve(PLAN, **rule)


DESTINATIONS: Final = ("do_not_disturb", "forward", *(outcome.value for outcome in Outcome))


class TestEntries:
    """R16: each number has one entry, which is all that a call by it needs."""

    def test_every_number_has_an_entry_in_its_context(self) -> None:
        assert [(family, key) for family, key, _ in entries(PLAN)] == [
            (FAMILY, "1001@default"),
            (FAMILY, f"{DID}@default"),
        ]

    def test_the_fields_are_in_the_order_in_which_the_dialplan_reads_them(self) -> None:
        value = entries(PLAN)[1][2].split(BETWEEN)
        assert dict(zip(ROUTED, value, strict=False)) == {
            "gate": "",
            "limit": "5",
            "interfaces": "PJSIP/alice|PJSIP/alice[.]w[+]1",
            "device": "webrtc",
            "line": "alice.w+1",
            "seconds": "10",
            "next_device": "deskphone",
            "next_line": "alice",
            "next_seconds": "10",
            **dict.fromkeys(map(str, Outcome), "mailbox:1001@default"),
            "max_forwards": "10",
        }

    @pytest.mark.parametrize("changed", [{"candidates": ()}, {"gate": Gate(None, None, 0)}])
    def test_a_plan_that_lets_no_call_ring_says_so_at_the_gate(self, changed: dict[str, Any]) -> None:
        assert entries(evolve(PLAN, **changed))[0][2].startswith("odd!")

    def test_a_number_is_written_as_it_is_dialled(self) -> None:
        (one,) = entries(evolve(PLAN, numbers=("10 0-1",), did_seconds=()))
        assert one[1] == "1001@default"

    @given(accounts())
    def test_what_is_written_is_read_back(self, account: Account) -> None:
        written = plan(account)
        assert plans(entries(written)) == {account.user.id: evolve(written, numbers=bare(written))}

    @given(accounts())
    def test_keys_are_distinct_and_values_fit_a_line_of_the_manager_interface(self, account: Account) -> None:
        made = entries(plan(account))
        assert len({key for _, key, _ in made}) == len(made) == len(account.user.numbers)
        assert all(HARMLESS.fullmatch(key) and HARMLESS.fullmatch(value) for _, key, value in made)
        assert all(len(value) < 1000 for _, _, value in made)


def bare(written: Plan) -> tuple[str, ...]:
    return written.numbers


class TestHarm:
    """R16: of a plan, nothing gets into the dialplan that means more there than it should."""

    @given(anything())
    def test_names_of_free_text_are_written_so_that_they_mean_nothing(self, text: str) -> None:
        named = evolve(PLAN, user=text, owner=text, media_server=text)
        assert all(HARMLESS.fullmatch(value) for _, _, value in entries(named))
        assert plans(entries(named)) == {text: named}

    @pytest.mark.parametrize("name", DESTINATIONS)
    @pytest.mark.parametrize("kind", [Extension, Mailbox])
    @pytest.mark.parametrize("text", HOSTILE)
    def test_a_destination_that_is_none_is_refused(self, name: str, kind: Any, text: str) -> None:
        with pytest.raises(NotForDialplan, match=name):
            entries(with_destination(name, kind(text)))

    @given(anything())
    def test_any_text_is_refused_or_harmless_wherever_it_stands(self, text: str) -> None:
        for candidate in (
            with_destination("busy", Extension(text)),
            with_destination("forward", Mailbox(text)),
            evolve(PLAN, context=text),
            evolve(PLAN, numbers=(text,), did_seconds=()),
            evolve(PLAN, interfaces=(text, "PJSIP/alice")),
            evolve(PLAN, interfaces=(f"PJSIP/{text}", "PJSIP/alice")),
            evolve(PLAN, candidates=(Candidate(Device.WEBRTC, f"PJSIP/{text}", 30),)),
            evolve(PLAN, candidates=(Candidate(Device.WEBRTC, text, 30),)),
        ):
            try:
                made = entries(candidate)
            except NotForDialplan:
                continue
            assert all(HARMLESS.fullmatch(key) and HARMLESS.fullmatch(value) for _, key, value in made)
            read = plans(made)["alice"]
            assert evolve(read, busy=candidate.busy) == evolve(candidate, numbers=bare(candidate))

    @pytest.mark.parametrize("number", ["h", "i", "t", "T", "s", "o", "a", "e", "fax"])
    def test_an_extension_that_a_dialplan_enters_by_itself_is_refused(self, number: str) -> None:
        with pytest.raises(NotForDialplan, match="busy"):
            entries(with_destination("busy", Extension(number)))
        with pytest.raises(NotForDialplan, match="numbers"):
            entries(evolve(PLAN, numbers=(number,), did_seconds=()))

    @pytest.mark.parametrize(
        ("name", "changed"),
        [
            ("limit", evolve(PLAN, gate=Gate(None, None, -1))),
            ("version", evolve(PLAN, version=-1)),
            ("max_forwards", evolve(PLAN, max_forwards=-1)),
            ("candidates", evolve(PLAN, candidates=(Candidate(Device.DESKPHONE, "PJSIP/alice", 0),))),
            ("candidates", evolve(PLAN, candidates=(Candidate(Device.DESKPHONE, "SCCP/alice", 30),))),
            ("number_seconds", evolve(PLAN, did_seconds=((DID, 0),))),
            ("numbers", evolve(PLAN, did_seconds=(("1009", 10),))),
            ("numbers", evolve(PLAN, numbers=(), did_seconds=())),
            ("numbers", evolve(PLAN, numbers=("1001", "10-01"), did_seconds=())),
            ("busy", evolve(PLAN, busy=Refusal(0))),
            ("busy", evolve(PLAN, busy=Refusal(128))),
            ("plan", evolve(PLAN, user="\u0663" * 200)),
        ],
    )
    def test_what_cannot_be_carried_out_is_refused(self, name: str, changed: Plan) -> None:
        with pytest.raises(NotForDialplan, match=f"{name}: "):
            entries(changed)

    def test_all_problems_are_told_at_once(self) -> None:
        with pytest.raises(NotForDialplan) as caught:
            entries(evolve(PLAN, context="a b", busy=Refusal(0), version=-1))
        assert [problem.partition(":")[0] for problem in caught.value.problems] == [
            "context",
            "busy",
            "version",
        ]


class TestInstalled:
    """R16: what a node holds says whose plan it is, how new, and whether it is whole."""

    def test_entries_of_others_are_none_of_ours(self) -> None:
        assert plans([("registrar", "contact/alice", "x"), *entries(PLAN)]) == {"alice": PLAN}

    def test_the_order_of_the_entries_is_that_of_the_plan_whatever_order_they_come_in(self) -> None:
        assert plans(reversed(entries(PLAN))) == {"alice": PLAN}

    def test_a_plan_that_was_written_in_part_counts_as_the_older_one(self) -> None:
        newer = entries(evolve(PLAN, version=PLAN.version + 1))
        assert plans([newer[0], entries(PLAN)[1]])["alice"].version == PLAN.version

    @pytest.mark.parametrize("value", ["", "nonsense", "!".join(["x"] * 24)])
    def test_an_entry_that_is_none_is_told(self, value: str) -> None:
        with pytest.raises(ValueError, match=r"1001@default: .* is no plan"):
            plans([(FAMILY, "1001@default", value)])

    @pytest.mark.parametrize(
        ("field", "text"),
        [
            ("owner", "%99"),
            ("user", "%CE"),
            ("media_server", "%ff"),
            ("because", "R1:%99"),
            ("because", "R1"),
        ],
    )
    def test_nor_is_one_whose_texts_are_none(self, field: str, text: str) -> None:
        values = dict(zip(FORMS, entries(PLAN)[0][2].split(BETWEEN), strict=True))
        with pytest.raises(ValueError, match=r"^1001@default: .* is no plan$") as refused:
            plans([(FAMILY, "1001@default", BETWEEN.join({**values, field: text}.values()))])
        assert type(refused.value) is ValueError

    @pytest.mark.parametrize(
        "key",
        [
            "+3-33@default",
            "10 01@default",
            "1001",
            "@default",
            "1001@",
            "h@default",
            "1001@a@b",
            "1001@\ud800",
        ],
    )
    def test_nor_is_one_under_another_key_than_a_number_and_a_context(self, key: str) -> None:
        with pytest.raises(ValueError, match="is no plan"):
            plans([(FAMILY, key, entries(PLAN)[0][2])])


def door(number: str, context: str, deskphone: str, seconds: int) -> str:
    """How a number enters the routine: with its plan's row, the time, and its deskphone's contacts."""
    row = f"${{DB(unique_account/${{EXTEN}}@{context})}}"
    passed = (
        f"{context},{deskphone}:{seconds},{row},${{STRFTIME(,,%s%3q)}},${{PJSIP_DIAL_CONTACTS({deskphone})}}"
    )
    return f"exten = {number},1,Gosub(unique-account,{number},1({passed}))\n"


class TestWhatTheCoreAccepts:
    """A1, R10: what a user has, and what a user sets, can be installed, or was refused before."""

    @settings(max_examples=500)
    @given(odd_users(), odd_forwardings(), st.sampled_from(Setting), odd_texts(), st.booleans())
    def test_whatever_is_accepted_is_installed(
        self, user: User, forwarding: Forwarding, setting: Setting, number: str, logged_in: bool
    ) -> None:
        account = apply(Account(user), LoggedIn("tab-1")) if logged_in else Account(user)
        for event in (ForwardingChanged(forwarding), ForwardingDialled(setting, number)):
            with suppress(Refused):
                account = apply(account, event)
        assert len(entries(plan(account))) == len(user.numbers)
        assert door(
            user.extension, user.context, user.deskphone.removeprefix("PJSIP/"), user.ring_seconds
        ) in render([user])
        to_json(account).encode()

    @given(odd_users(), odd_forwardings())
    def test_what_was_stored_before_and_cannot_be_dialled_counts_as_not_set(
        self, user: User, forwarding: Forwarding
    ) -> None:
        assert entries(plan(Account(user, Kept(forwarding=forwarding))))

    @pytest.mark.parametrize("number", ["h", "i", "s", "t", "T", "o", "a", "e", "fax", "FAX", " h ", "talk"])
    def test_a_forward_to_what_a_dialplan_enters_by_itself_is_refused(self, number: str) -> None:
        for event in (
            ForwardingChanged(Forwarding(busy=Forward(number))),
            ForwardingDialled(Setting.UNCONDITIONAL, number),
        ):
            with pytest.raises(Refused, match="cannot be dialled"):
                apply(Account(ALICE), event)

    def test_the_longest_names_fit(self) -> None:
        long = evolve(ALICE, id="é" * 20, deskphone="PJSIP/" + "." * 20, webrtc="PJSIP/" + "+" * 16)
        with pytest.raises(InvalidUser, match="at most 600"):
            evolve(long, mailbox="1" * 26)
        long = evolve(long, mailbox="1" * 25)
        everywhere = Forward("+" + "1" * 40)
        forwarding = Forwarding(unconditional=everywhere, no_answer=everywhere, busy=everywhere)
        account = apply(apply(Account(long), LoggedIn("tab-1")), ForwardingChanged(forwarding))
        (entry, *_) = entries(plan(account, owner="o" * 60))
        assert 700 < len(entry[2]) <= 900


class TestText:
    """R16: the text is the same for the same users, and knows the deskphone of every number."""

    def test_every_number_rings_its_deskphone_without_a_plan(self) -> None:
        text = render([BOB, ALICE])
        assert (
            "\n; To be included in the context branch.\n"
            "[unique-account-numbers-branch]\n" + door("1002", "branch", "bob", 20)
        ) in text
        assert (
            "\n; To be included in the context default.\n"
            "[unique-account-numbers-default]\n"
            + door(DID, "default", "alice", 30)
            + door("1001", "default", "alice", 30)
        ) in text

    def test_a_group_rings_every_member_by_no_rule_but_its_own(self) -> None:
        """R8: the same doors, which lead to another beginning."""
        doors = door("1001", "default", "alice", 30).replace(",1(default", ",member(default")
        head = "\n; What a group dials: Local/<number>@unique-account-members-default\n"
        text = render([ALICE])
        assert f"{head}[unique-account-members-default]\n" in text
        assert text.partition(head)[2].count(doors) == 1

    def test_phones_can_watch_every_number_by_itself(self) -> None:
        """P1: without anybody who says better, the number shows both devices."""
        _, hints = render([BOB, ALICE]).split(
            "\n; To be included in the context in which phones subscribe.\n"
        )
        head, *parts = re.split(r"^\[", hints.removeprefix("[unique-account-hints]\n"), flags=re.MULTILINE)
        assert head.splitlines() == [f"include = {context}" for context in HINT_CONTEXTS]
        assert [part.splitlines()[0] for part in parts] == [f"{context}]" for context in HINT_CONTEXTS]
        watched = {
            line: context.removesuffix("]")
            for context, *lines in map(str.splitlines, parts)
            for line in lines
            if "hint" in line
        }
        assert watched == {
            f"exten = {DID},hint,PJSIP/alice&PJSIP/alice.w+1": hint_context(DID),
            "exten = 1001,hint,PJSIP/alice&PJSIP/alice.w+1": hint_context("1001"),
            "exten = 1002,hint,PJSIP/bob&PJSIP/bob_w": hint_context("1002"),
        }

    @given(st.lists(users(), unique_by=lambda user: user.id, max_size=4), st.randoms())
    def test_is_the_same_whatever_the_order_of_the_users(self, some: list[User], random: Any) -> None:
        shuffled = random.sample(some, len(some))
        assert render(shuffled) == render(some)

    def test_the_routine_is_the_same_whoever_the_users_are(self) -> None:
        assert render([ALICE, BOB]).startswith(ROUTINE)

    def test_a_number_of_two_users_is_refused(self) -> None:
        with pytest.raises(NotForDialplan, match="bob: number 1001 in default is already that of alice"):
            render([ALICE, evolve(BOB, extension="1001", context="default")])

    def test_the_same_number_in_two_contexts_is_two_numbers(self) -> None:
        assert render([ALICE, evolve(BOB, extension="1001")]).count("Gosub(unique-account,1001,1(") == 2

    @pytest.mark.parametrize(
        ("name", "user"),
        [
            ("deskphone", evolve(ALICE, deskphone="SCCP/alice")),
            ("webrtc", evolve(ALICE, webrtc="SIP/alice_w")),
        ],
    )
    def test_a_user_whom_a_dialplan_cannot_carry_is_refused(self, name: str, user: User) -> None:
        with pytest.raises(NotForDialplan, match=f"{name}: "):
            render([user])


class TestTrunks:
    """R6: the users of other nodes are dialled through the trunks to them."""

    AWAY: Final = evolve(BOB, media_server="mds1")
    TRUNKS: Final = {"mds1": "PJSIP/to-mds1"}

    def test_a_number_of_another_node_is_dialled_there(self) -> None:
        text = render([ALICE, self.AWAY], self.TRUNKS)
        assert "exten = 1002,1,Gosub(unique-account-away,s,1(1002,branch,to-mds1))\n" in text
        assert door("1001", "default", "alice", 30) in text

    def test_its_phones_are_watched_and_give_commands_there(self) -> None:
        text = render([ALICE, self.AWAY], self.TRUNKS)
        assert "exten = 1002,hint,Custom:unique_account_1002\n" in text
        assert "of*bob," not in text

    def test_a_number_of_two_nodes_is_refused(self) -> None:
        twice = evolve(ALICE, id="bob", extension="1001", media_server="mds1")
        with pytest.raises(NotForDialplan, match="number 1001 in default is already that of alice"):
            render([ALICE, twice], self.TRUNKS)

    @pytest.mark.parametrize("trunk", ["SIP/mds1", "PJSIP/a b", "PJSIP/a)&Local/x"])
    def test_a_trunk_that_a_dialplan_cannot_be_given_is_refused(self, trunk: str) -> None:
        with pytest.raises(NotForDialplan, match="trunks: mds1: "):
            render([self.AWAY], {"mds1": trunk})
