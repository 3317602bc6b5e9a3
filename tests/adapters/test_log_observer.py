"""The log of the standard library, as an observer."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import StringIO

import pytest

from tests.adapters.memory.node import ALICE
from unique_account.adapters.log_observer import LogObserver
from unique_account.core.account import Account, LineStatus
from unique_account.core.errors import Refused
from unique_account.core.events import DeviceSelected, Event, LineChanged, LoggedIn, apply
from unique_account.core.machine import Device
from unique_account.ports.group_leases import Fence, NodeTaken
from unique_account.ports.observer import Observer, PortRequest
from unique_account.ports.pbx import NodeDown
from unique_account.testing.contracts import ObserverContract


class TestLogObserverContract(ObserverContract):
    """The log of the standard library, with everything written."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Observer]:
        logger = logging.Logger("contract", logging.DEBUG)
        logger.addHandler(logging.StreamHandler(StringIO()))
        yield LogObserver(logger)


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

    def test_a_node_that_was_taken_is_information(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "unique_account")
        taken = NodeTaken(media_server="mds1", fence=Fence("main", 7), ended=1, seconds=0.0123)
        LogObserver().node_taken(taken)
        sentence = "took mds1 for the group main in epoch 7 in 12 ms; ended 1 session"
        assert caplog.record_tuples == [("unique_account", logging.INFO, sentence)]

    def test_another_logger_may_be_given(self, caplog: pytest.LogCaptureFixture) -> None:
        LogObserver(logging.getLogger("elsewhere")).failed(
            PortRequest("bus", "presence", user="alice"), OSError("full")
        )
        assert caplog.records[0].name == "elsewhere"
