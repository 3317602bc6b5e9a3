"""The phones of accounts as chan_pjsip is told of them, and the account of the manager interface."""

from __future__ import annotations

import re

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from unique_account import User
from unique_account.adapters.asterisk import (
    ManagerLogin,
    Secrets,
    Trunk,
    WebSocket,
    completed,
    endpoints,
    manager_secret,
    read_secrets,
    render_manager,
    render_phones,
    secrets_text,
)
from unique_account.testing.strategies import users

ALICE = User(
    id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w", mailbox="1001@default"
)
BOB = User(id="bob", extension="1002", deskphone="PJSIP/bob", webrtc="PJSIP/bob_w")


def sections(text: str) -> list[str]:
    return re.findall(r"(?m)^\[([^\]]+)\]", text)


class TestPhones:
    """A1, A4: each user has two endpoints with an address of record and credentials each."""

    def test_a_user_has_two_endpoints_made_of_the_templates(self) -> None:
        text = render_phones([ALICE])
        for name, template in (("alice", "deskphone"), ("alice_w", "webrtc")):
            assert f"[{name}](unique-account-{template})\naors = {name}\nauth = {name}-auth\n" in text
            assert f"[{name}](unique-account-{template}-aor)\n" in text
            assert f"[{name}-auth](unique-account-auth)\nusername = {name}\n" in text

    def test_the_order_of_users_does_not_matter(self) -> None:
        assert render_phones([ALICE, BOB]) == render_phones([BOB, ALICE])

    def test_one_more_user_adds_lines_and_changes_none(self) -> None:
        before, after = render_phones([BOB]).splitlines(), render_phones([ALICE, BOB]).splitlines()
        rest = iter(after)
        assert all(line in rest for line in before)

    def test_browsers_come_by_the_transport_that_is_asked_for(self) -> None:
        text = render_phones([ALICE], websocket=WebSocket.WS)
        assert "[unique-account-ws]\ntype = transport\nprotocol = ws\n" in text
        assert "transport = unique-account-ws\n" in text
        assert "wss" not in text

    def test_a_user_id_that_could_be_read_otherwise_is_quoted(self) -> None:
        text = render_phones([evolve(ALICE, id='a;b<c>"d')])
        assert 'callerid = "a_b_c__d" <1001>' in text

    def test_another_node_is_a_trunk_that_is_known_by_its_address(self) -> None:
        text = render_phones([], [Trunk(name="mds1", address="10.0.0.2:5070")])
        assert "contact = sip:10.0.0.2:5070\n" in text
        assert "endpoint = unique-account-mds1\nmatch = 10.0.0.2\n" in text

    @given(st.lists(users(), max_size=3))
    def test_no_user_gets_a_line_of_its_own_making(self, some: list[User]) -> None:
        for line in render_phones(some).splitlines():
            assert re.fullmatch(r"(;.*|\[[^\]\s]+\](\(\S+\))?|[a-z_]+ = \S.*|#include \S+|)", line)


class TestVoicemail:
    """V2: the count of new messages goes to both devices."""

    def test_both_endpoints_are_told_of_the_mailbox(self) -> None:
        assert render_phones([ALICE]).count("mailboxes = 1001@default\n") == 2
        assert "mailboxes" not in render_phones([BOB])


class TestSecrets:
    """Passwords are made once, kept, and shown nowhere but in their file."""

    def test_no_password_is_in_the_rendered_file(self) -> None:
        assert "password" not in render_phones([ALICE])

    def test_passwords_that_are_there_stay(self) -> None:
        first = completed(endpoints([ALICE]), Secrets({}))
        second = completed(endpoints([ALICE, BOB]), read_secrets(secrets_text(first)))
        assert second.by_endpoint["alice"] == first.by_endpoint["alice"]
        assert set(second.by_endpoint) == {"alice", "alice_w", "bob", "bob_w"}

    def test_phones_that_are_gone_have_none(self) -> None:
        """Asterisk refuses a file that completes a section which is not there."""
        first = completed(endpoints([ALICE, BOB]), Secrets({}))
        assert set(completed(endpoints([BOB]), first).by_endpoint) == {"bob", "bob_w"}

    def test_each_password_completes_a_section_of_the_rendered_file(self) -> None:
        completing = sections(secrets_text(completed(endpoints([ALICE, BOB]), Secrets({}))))
        assert set(completing) <= set(sections(render_phones([ALICE, BOB])))
        assert len(completing) == 4

    def test_what_is_no_file_of_secrets_is_refused_without_a_quote(self) -> None:
        with pytest.raises(ValueError, match=r"line 2: is neither \[ENDPOINT-auth\]\(\+\) nor a password$"):
            read_secrets("[alice-auth](+)\npasswort = geheim\n")

    def test_reprs_hold_no_secret(self) -> None:
        assert "geheim" not in repr(Secrets({"alice": "geheim"}))
        assert "geheim" not in repr(ManagerLogin(username="x", secret="geheim"))


class TestManager:
    """The account of the manager interface may do what the service does, and no more."""

    def test_its_secret_is_in_a_file_of_its_own(self) -> None:
        text = render_manager("unique_account", "127.0.0.1")
        assert "#include unique_account_manager_secret.conf" in text
        assert "secret =" not in text
        assert "\nallowmultiplelogin = yes\n" in text  # a new owner logs in before an earlier one is gone
        assert manager_secret("ua", "a;b").endswith("[ua](+)\nsecret = a\\;b\n")

    def test_by_loopback_nobody_else_is_let_in(self) -> None:
        assert "\npermit = 127.0.0.1/255.255.255.255\n" in render_manager("ua", "localhost")
        assert "\npermit" not in render_manager("ua", "10.0.0.1")
