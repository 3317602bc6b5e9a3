"""What the server says to people has an id and parameters, by which a client finds its own words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapters.xuc.assistants import installation
from tests.event_loop import in_loop
from unique_account.adapters.xuc.protocol.error_messages import ERROR_IDS, described
from unique_account.adapters.xuc.protocol.own_messages import REASON_IDS
from unique_account.core.errors import Unreachable
from unique_account.core.events import DoNotDisturbSet, ForwardSet
from unique_account.core.forwarding_changes import Setting
from unique_account.ports.inbound.events import UnknownUser
from unique_account.ports.pbx import CommandFailed, NodeDown


class TestErrors:
    """M3, M4: an error has an id beside its sentence."""

    @pytest.mark.parametrize(
        ("command", "fields", "said"),
        [
            ("uncFwd", {"state": True, "destination": "1001"}, ("own_number", {"number": "1001"})),
            ("uncFwd", {"state": True, "destination": "abc"}, ("not_dialable", {"number": "abc"})),
            ("uncFwd", {"state": True}, ("no_destination", {})),
            ("hangup", {"uniqueId": "none"}, ("no_such_call", {})),
            ("answer", {}, ("no_call", {})),
            ("dial", {"destination": "a b c"}, ("not_dialable", {"number": "a b c"})),
            ("dnd", {}, ("invalid_message", {})),
        ],
    )
    @in_loop
    async def test_of_commands(
        self, command: str, fields: dict[str, Any], said: tuple[str, dict[str, str]]
    ) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await tab.command(command, **fields)
            error = tab.last("Error")
            assert (error["id"], error["parameters"]) == said
            assert error["id"] in ERROR_IDS

    @pytest.mark.parametrize(
        ("error", "name"),
        [
            (CommandFailed("a phone is odd"), "command_failed"),
            (UnknownUser("alice"), "no_account"),
            (NodeDown("away"), "pbx_unreachable"),
            (ConnectionResetError(), "pbx_unreachable"),
            (Unreachable("away"), "not_stored"),
            (KeyError("secret"), "unhandled"),
        ],
    )
    def test_of_all_kinds(self, error: Exception, name: str) -> None:
        assert described(error).id == name
        assert name in ERROR_IDS

    @in_loop
    async def test_over_http(self) -> None:
        async with installation() as at:
            body = {"login": "alice", "password": "wrong"}
            answer = await at.browser.request("POST", "auth/login", json=body)
            assert (answer.json()["id"], answer.json()["parameters"]) == ("wrong_password", {})


class TestReasons:
    """R17: each step of a decision has an id, and where the next call goes is said once."""

    @in_loop
    async def test_of_a_call_that_rings(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            account = tab.last("UniqueAccount")
            assert account["nextCall"] == {"rings": account["deviceInUse"], "goesTo": None}
            assert {reason["id"] for reason in account["because"]} <= REASON_IDS

    @in_loop
    async def test_of_a_call_that_goes_elsewhere(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await at.service.handle("alice", ForwardSet(Setting.UNCONDITIONAL, True, "1002"))
            await tab.until(lambda: tab.last("UniqueAccount")["forward"] is not None)
            account, there = tab.last("UniqueAccount"), {"kind": "number", "number": "1002"}
            assert (account["nextCall"], account["forward"]) == ({"rings": None, "goesTo": there}, there)
            ids = [(reason["id"], reason["parameters"]) for reason in account["because"]]
            assert ids == [("forwarded", {}), ("goes_to_number", there)]


class TestDiversions:
    """P1: colleagues see the phones, and beside that what keeps calls from ringing there."""

    @in_loop
    async def test_are_shown_to_those_who_watch_the_number(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("bob")
            await tab.command("subscribeToPhoneHints", phoneNumbers=["1001"])
            await at.service.handle("alice", DoNotDisturbSet(on=True))
            await tab.until(lambda: tab.reported("ColleagueDiversion") != [])
            shown = {"number": "1001", "doNotDisturb": True, "forwarded": False}
            assert tab.last("ColleagueDiversion") == shown
            entries = (await tab.ask("Colleagues", "getColleagues"))["entries"]
            alice = next(entry for entry in entries if entry["number"] == "1001")
            assert (alice["doNotDisturb"], alice["forwarded"]) == (True, False)
