"""The machine's clock and log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest

from tests.adapters.memory.node import ALICE
from tests.event_loop import in_loop
from unique_account.adapters.system import LogObserver, SystemClock
from unique_account.core.account import Account, LineStatus
from unique_account.core.errors import Refused
from unique_account.core.events import DeviceSelected, Event, LineChanged, LoggedIn, apply
from unique_account.core.machine import Device
from unique_account.ports.clock import Clock
from unique_account.ports.observer import Observer, PortRequest
from unique_account.ports.pbx import NodeDown
from unique_account.testing.contracts import ClockContract, ObserverContract, Passing


class TestSystemClockContract(ClockContract):
    """The machine's clock."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Clock, Passing]]:
        clock = SystemClock()
        yield clock, lambda duration: asyncio.sleep(duration.total_seconds())
        await clock.aclose()


class TestLogObserverContract(ObserverContract):
    """The log of the standard library, with everything written."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Observer]:
        logger = logging.Logger("contract", logging.DEBUG)
        logger.addHandler(logging.StreamHandler(StringIO()))
        yield LogObserver(logger)


class TestSystemClock:
    """The clock tells the machine's time in UTC and wakes once, at an instant or soon after."""

    def test_it_tells_the_time_in_utc(self) -> None:
        before = datetime.now(UTC)
        now = SystemClock().now()
        assert before <= now <= datetime.now(UTC)
        assert now.tzinfo is UTC

    @in_loop
    async def test_it_wakes_in_the_order_of_the_instants(self) -> None:
        clock, woken = SystemClock(), []
        done = asyncio.Event()
        start = clock.now()
        for name, seconds in (("last", 0.03), ("first", 0.01), ("past", -60)):

            async def wake(name: str = name) -> None:
                woken.append((name, clock.now() - start))
                if name == "last":
                    done.set()

            clock.call_at(start + timedelta(seconds=seconds), wake)
        await done.wait()
        assert [name for name, _ in woken] == ["past", "first", "last"]
        assert woken[2][1] >= timedelta(seconds=0.029)
        await clock.aclose()

    @in_loop
    async def test_once_closed_it_wakes_nobody(self) -> None:
        clock, woken = SystemClock(), []

        async def wake() -> None:
            woken.append(clock.now())

        clock.call_at(clock.now() + timedelta(seconds=0.01), wake)
        await clock.aclose()
        await asyncio.sleep(0.02)
        assert woken == []
        assert asyncio.all_tasks() == {asyncio.current_task()}

    @in_loop
    async def test_who_was_woken_is_kept_no_longer(self) -> None:
        clock = SystemClock()
        done = asyncio.Event()

        async def wake() -> None:
            done.set()

        clock.call_at(clock.now(), wake)
        await done.wait()
        await asyncio.sleep(0)
        assert clock._sleepers == set()


class TestLogObserver:
    """What the service did is in the log: changes and refusals as information, failures as errors."""

    @pytest.mark.parametrize(
        ("event", "level", "line"),
        [
            (LoggedIn("tab-1"), logging.INFO, "alice: LoggedIn: logged_out -> webrtc_active"),
            (
                LineChanged(Device.WEBRTC, LineStatus.RINGING),
                logging.DEBUG,
                "alice: LineChanged: logged_out -> logged_out",
            ),
        ],
    )
    def test_what_moves_the_machine_is_information(
        self, event: Event, level: int, line: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG, "unique_account")
        before = Account(ALICE)
        LogObserver().applied(event, before, apply(before, event))
        assert caplog.record_tuples == [("unique_account", level, line)]

    def test_a_refusal_is_information(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "unique_account")
        refusal = Refused("logged_out", "select_webrtc", "selecting a device needs a session (S6)", "log in")
        LogObserver().refused(DeviceSelected(Device.WEBRTC), Account(ALICE), refusal)
        assert caplog.record_tuples == [("unique_account", logging.INFO, f"alice: {refusal}")]

    def test_a_failure_is_an_error_with_its_origin(self, caplog: pytest.LogCaptureFixture) -> None:
        error = ConnectionError("no route to the node")
        LogObserver().failed(PortRequest("pbx", "hint", "default", "alice"), error)
        (record,) = caplog.records
        assert record.levelno == logging.ERROR
        assert record.getMessage() == "pbx default: hint for alice failed: no route to the node"
        assert record.exc_info is not None
        assert record.exc_info[1] is error

    def test_a_node_that_is_down_is_no_error_each_time(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG, "unique_account")
        observer = LogObserver()
        observer.failed(PortRequest("pbx", "connection", "mds1"), ConnectionError("gone"))
        observer.failed(
            PortRequest("pbx", "hint", "mds1", "alice"), NodeDown("the PBX mds1 cannot be reached")
        )
        observer.recovered(PortRequest("pbx", "connection", "mds1"))
        assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
            (logging.ERROR, "pbx mds1: connection failed: gone"),
            (logging.DEBUG, "pbx mds1: hint for alice failed: the PBX mds1 cannot be reached"),
            (logging.INFO, "pbx mds1: connection works again"),
        ]

    def test_another_logger_may_be_given(self, caplog: pytest.LogCaptureFixture) -> None:
        LogObserver(logging.getLogger("elsewhere")).failed(
            PortRequest("bus", "presence", user="alice"), OSError("full")
        )
        assert caplog.records[0].name == "elsewhere"
