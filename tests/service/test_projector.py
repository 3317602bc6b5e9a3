"""An event costs each projection once at most, however many ports are handed it."""

from __future__ import annotations

import pytest

from tests.counted import counted
from tests.event_loop import in_loop
from tests.service.installation import ALICE, Installation
from unique_account.core.account import LineStatus
from unique_account.core.events import (
    ContactsChanged,
    DoNotDisturbSet,
    Event,
    FactsReplaced,
    LineChanged,
    LoggedIn,
    MessagesChanged,
)
from unique_account.core.machine import Device
from unique_account.core.presence import presence
from unique_account.core.routing import plan
from unique_account.core.view import view_of

TALKS = LineChanged(Device.DESKPHONE, LineStatus.IN_USE)
KNOWN = (
    TALKS,
    ContactsChanged(Device.DESKPHONE, reachable=False),
    LineChanged(Device.WEBRTC, LineStatus.UNAVAILABLE),
    ContactsChanged(Device.WEBRTC, reachable=False),
)
"""What the in-memory node tells of a user who talks on a deskphone without a contact."""

EVENTS: list[tuple[Event, dict[str, int]]] = [
    (LineChanged(Device.DESKPHONE, LineStatus.NOT_IN_USE), {"presence": 1, "view_of": 1}),
    (ContactsChanged(Device.WEBRTC, reachable=True), {"presence": 1, "view_of": 1}),
    (MessagesChanged(2, 1), {"view_of": 1}),
    (LoggedIn("tab-2"), {"view_of": 1}),
    (DoNotDisturbSet(on=True), {"plan": 1, "view_of": 1}),
    (FactsReplaced("default"), {"presence": 1, "view_of": 1}),
    (FactsReplaced("default", KNOWN), {}),
    (TALKS, {}),
]


class TestWork:
    """A projection is worked out once for an event, and only if something that it rests on changed."""

    @pytest.mark.parametrize(("event", "expected"), EVENTS)
    def test_an_event_costs_what_it_changes(
        self, event: Event, expected: dict[str, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        @in_loop
        async def check() -> None:
            at = Installation(("default", "mds1"))
            async with at.running(ALICE) as service:
                await service.handle("alice", LoggedIn("tab-1"))
                await service.handle("alice", TALKS)
                calls = counted(monkeypatch, plan, presence, view_of)
                await service.handle("alice", event)
                assert calls == expected

        check()

    @in_loop
    async def test_a_view_that_is_the_same_is_not_shown_again(self) -> None:
        at = Installation()
        async with at.running(ALICE) as service:
            await service.handle("alice", LoggedIn("tab-1"))
            shown = len(at.cti.asked("show"))
            await service.handle("alice", MessagesChanged(1, 0))
            assert len(at.cti.asked("show")) == shown + 1
            await service.handle("alice", MessagesChanged(1, 0))
            assert len(at.cti.asked("show")) == shown + 1
