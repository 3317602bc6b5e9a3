"""What the doctor finds of the sessions of the manager account; the rest it finds on a real node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest
from attrs import evolve

from tests.adapters.asterisk.ami.scripted_node import ScriptedNode, scripted_node
from tests.event_loop import in_loop
from unique_account.adapters.asterisk import Expected, examine
from unique_account.adapters.asterisk.ami.message import Message

WHOLE: Final = {
    "manager show user tester": ["            username: tester", "  allowmultiplelogin: yes"],
    "core show help manager kick session": ["Usage: manager kick session <file descriptor>"],
    "manager show users": ["username", "--------", "tester", "operator"],
}


def prints(node: ScriptedNode, printed: Mapping[str, list[str]]) -> None:
    """Let the node's console print these lines."""

    def reply(action: Message) -> list[str]:
        lines = printed.get(action["Command"], [])
        if action["Command"] == "manager show connected":
            lines = node.listed()
        return ["Response: Success" + "".join(f"\r\nOutput: {line}" for line in lines)]

    node.replies["Command"] = reply


async def found(printed: Mapping[str, list[str]]) -> str:
    """What the doctor finds on a node whose console prints these lines."""
    async with scripted_node() as node:
        prints(node, printed)
        return "\n".join(await examine(node.login, Expected(media_server="default", users=())))


class TestSessions:
    """A4: a new owner of the node has to end the sessions of an earlier one."""

    @in_loop
    async def test_nothing_is_said_of_a_node_that_is_ready(self) -> None:
        problems = await found(WHOLE)
        assert "only once" not in problems
        assert "manager kick session" not in problems
        assert "characters" not in problems

    @pytest.mark.parametrize(
        ("command", "lines", "problem"),
        [
            (
                "manager show user tester",
                ["  allowmultiplelogin: no"],
                "tester may log in only once; set",
            ),
            ("core show help manager kick session", [], "has no command manager kick session, so only one"),
        ],
    )
    def test_what_is_lacking_is_named(self, command: str, lines: list[str], problem: str) -> None:
        @in_loop
        async def check(_: TestSessions) -> None:
            assert problem in await found({**WHOLE, command: lines})

        check(self)

    @in_loop
    async def test_accounts_that_are_listed_alike_are_named(self) -> None:
        async with scripted_node() as node:
            node.replies["Login"] = lambda _: ["Response: Success"]
            prints(node, {"manager show users": ["unique_account_1", "unique_account_2", "unique_account"]})
            login = evolve(node.login, username="unique_account_1")
            problems = "\n".join(await examine(login, Expected(media_server="default", users=())))
            assert "lists sessions of unique_account_2 as those of unique_account_1, by 15" in problems

    @in_loop
    async def test_a_session_that_a_new_owner_ends_says_so(self) -> None:
        async with scripted_node() as node:

            def ended(_: Message) -> list[str]:
                node.cut()
                return []

            node.replies["Command"] = ended
            (problem,) = await examine(node.login, Expected(media_server="default", users=()))
            assert "a new owner has just taken the node and ended all sessions of the account" in problem
