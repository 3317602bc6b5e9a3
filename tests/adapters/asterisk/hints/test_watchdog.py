"""The guard: what it is told, what it puts back, and that the end of the service is its sign."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from pathlib import Path

import pytest

from tests.adapters.asterisk.ami.scripted_node import SECRET, scripted_node
from tests.event_loop import in_loop
from unique_account.adapters.asterisk.ami.login import ManagerLogin
from unique_account.adapters.asterisk.fence.epoch import EPOCH_FAMILY, OwnEpoch, own_epoch
from unique_account.adapters.asterisk.hints import watchdog_process
from unique_account.adapters.asterisk.hints.hints import CANARY
from unique_account.adapters.asterisk.hints.watchdog import Watchdog
from unique_account.adapters.asterisk.hints.watchdog_process import Turn, put_back, wait
from unique_account.core.routing import DEFAULT_OWNER
from unique_account.ports.group_leases import Fence

OWN = own_epoch(Fence("main", 5), DEFAULT_OWNER)
ENTRY = f"/{EPOCH_FAMILY}/{OWN.key}"
MINE = f"5 {OWN.process}"
LOGIN = {"host": "127.0.0.1", "port": 5038, "username": "x", "secret": "y"}
NO_TURNS = {"own": None}
BOTH = "PJSIP/alice&PJSIP/alice_w"


def test_the_last_word_on_each_number_counts() -> None:
    lines = [LOGIN, NO_TURNS, {"1001": "PJSIP/old", "1002": BOTH}, {"1001": BOTH}, {"1002": None}]
    login, turn, devices = wait(f"{json.dumps(line)}\n" for line in lines)
    assert turn is None
    assert login == ManagerLogin(username="x", secret="y")
    assert devices == {"1001": BOTH}


def test_a_word_that_was_not_finished_does_not_count() -> None:
    reported = [f"{json.dumps(line)}\n" for line in (LOGIN, NO_TURNS, {"1001": BOTH})]
    assert wait([*reported, '{"1001": "PJS'])[2] == {"1001": BOTH}


@in_loop
async def test_hints_are_put_back_and_the_canary_goes_last() -> None:
    async with scripted_node() as node:
        node.hints = {CANARY: "any", "1001": "Custom:unique_account_1001"}
        await put_back(node.login, {"1001": BOTH, "7777": "Custom:unique_account_7777"})
        assert node.hints == {"1001": BOTH, "7777": "Custom:unique_account_7777"}
        assert node.states == {"Custom:unique_account_7777": "UNAVAILABLE"}
        assert node.actions[-1].get("Extension") == CANARY


@in_loop
async def test_a_node_that_is_down_is_left_to_its_rendered_hints() -> None:
    async with scripted_node() as node:
        login = node.login
        await node.stop()
        await put_back(login, {"1001": BOTH})


@in_loop
async def test_a_node_that_does_not_answer_is_tried_for_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watchdog_process, "TRIES_FOR", 0.2)
    async with scripted_node() as node:
        node.unanswered.add("Challenge")
        with pytest.raises(TimeoutError):
            await put_back(node.login, {"1001": BOTH})


def test_what_it_could_not_do_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog_process, "TRIES_FOR", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        login = ManagerLogin(username="x", secret="y", port=port)
        sentence = f"127.0.0.1:{port} did not answer within 0.2 s; its hints stay as they are"
        with pytest.raises(SystemExit) as ended:
            watchdog_process.restore(login, {"1001": "PJSIP/alice"}, None)
        assert ended.value.code == sentence


@in_loop
async def test_the_process_puts_back_what_it_was_told_when_the_service_is_done() -> None:
    async with scripted_node() as node:
        guard = Watchdog(node.login)
        await guard.restore("1001", "PJSIP/alice")
        await guard.restore("1001", BOTH)
        await guard.restore("1002", BOTH)
        await guard.restore("1002", None)
        assert node.hints == {}
        await guard.aclose()
        assert node.hints == {"1001": BOTH}


def ignores(pid: int, number: signal.Signals) -> bool:
    """Whether a process ignores a signal."""
    (mask,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "SigIgn" in line)
    return bool(int(mask.split()[1], 16) >> (number - 1) & 1)


@in_loop
async def test_signals_for_the_service_do_not_end_the_process() -> None:
    async with scripted_node() as node:
        guard = Watchdog(node.login)
        await guard.restore("1001", BOTH)
        process = guard._process
        assert process is not None
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        while not all(ignores(process.pid, number) for number in numbers):  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # it has not begun yet
        for number in numbers:
            process.send_signal(number)
        await guard.aclose()
        assert process.returncode == 0
        assert node.hints == {"1001": BOTH}


@in_loop
async def test_a_guard_that_was_killed_is_started_again_and_knows_everything() -> None:
    async with scripted_node() as node:
        guard = Watchdog(node.login)
        await guard.restore("1001", BOTH)
        assert guard._process is not None
        guard._process.kill()
        await guard._process.wait()
        await guard.restore("1002", BOTH)
        await guard.aclose()
        assert node.hints == {"1001": BOTH, "1002": BOTH}


def command_line(pid: int) -> str:
    """What everybody sees of how a process was started."""
    return Path(f"/proc/{pid}/cmdline").read_text()


@in_loop
async def test_the_secret_is_on_no_command_line() -> None:
    async with scripted_node() as node:
        guard = Watchdog(node.login)
        await guard.restore("1001", BOTH)
        assert guard._process is not None
        assert SECRET not in command_line(guard._process.pid)
        await guard.aclose()


class TestTurns:
    """Where a node's owners take turns, the watchdog leaves a new owner's hints alone."""

    @in_loop
    async def test_it_waits_for_a_new_owner_and_changes_nothing_once_there_is_one(self) -> None:
        async with scripted_node() as node:
            node.database[ENTRY] = MINE
            guarding = asyncio.create_task(put_back(node.login, {"1001": BOTH}, Turn(OWN, 0.2)))
            await asyncio.sleep(0.05)
            assert node.actions == []
            node.database[ENTRY] = "6 ab"
            await guarding
            assert [action["Action"] for action in node.actions] == ["Challenge", "Login", "DBGet"]

    @in_loop
    async def test_it_restores_the_hints_where_none_has_come(self) -> None:
        async with scripted_node() as node:
            node.database[ENTRY] = MINE
            await put_back(node.login, {"1001": BOTH}, Turn(OWN, 0.05))
            assert node.hints == {"1001": BOTH}

    @in_loop
    async def test_it_leaves_a_node_alone_that_was_never_taken(self) -> None:
        async with scripted_node() as node:
            await put_back(node.login, {"1001": BOTH}, Turn(OWN, 0))
            assert node.hints == {}

    @in_loop
    async def test_a_new_owner_ends_it_in_the_middle(self) -> None:
        async with scripted_node() as node:
            node.database[ENTRY] = MINE
            node.unanswered.add("DialplanExtensionAdd")
            guarding = asyncio.create_task(put_back(node.login, {"1001": BOTH}, Turn(OWN, 0)))
            await node.asked("DialplanExtensionAdd")
            node.unanswered.clear()
            node.database[ENTRY] = "6 ab"
            node.cut()
            await guarding
            assert node.hints == {}
            assert node.actions[-1]["Action"] == "DBGet"

    @in_loop
    async def test_a_service_that_ends_need_not_wait_for_it(self) -> None:
        async with scripted_node() as node:
            node.database[ENTRY] = MINE
            guard = Watchdog(node.login, OWN, pause=1.5)
            await guard.restore("1001", BOTH)
            start = asyncio.get_running_loop().time()
            await guard.aclose()
            assert asyncio.get_running_loop().time() - start < 1.5
            await node.asked("DialplanExtensionRemove")
            assert asyncio.get_running_loop().time() - start >= 1.5
            assert node.hints == {"1001": BOTH}

    @in_loop
    async def test_one_that_does_not_read_the_epoch_is_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def never_mind(_: OwnEpoch, __: object) -> bool:
            return True

        monkeypatch.setattr(OwnEpoch, "is_at", never_mind)
        async with scripted_node() as node:
            node.database[ENTRY] = "6 ab"
            await put_back(node.login, {"1001": BOTH}, Turn(OWN, 0))
            assert node.hints == {"1001": BOTH}
