"""Hints: what phones that watch a number show.

The rendered dialplan lets each hint follow both of a user's devices, live. While the service shows the
presence, the hint is replaced by a state of our own, ``Custom:unique_account_`` and the number, which is set
to just that presence. A reload of the dialplan restores the rendered hints, and does not notify watchers of
what these show; so hints are placed again after each. There is no event for every kind of reload. A hint that
no rendered dialplan has, the canary, shows it: when it is gone, the dialplan was reloaded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final, TypeVar

from unique_account.adapters.asterisk.ami.connection import ActionRefused, Connection
from unique_account.adapters.asterisk.wire_names import HINTS_CONTEXT, custom_state, hint_context
from unique_account.core.number import Number
from unique_account.core.presence import Presence
from unique_account.ports.pbx import NodeDown

T = TypeVar("T")

LOOKS_EVERY: Final = 2.0
"""After how many seconds, at most, a reload of the dialplan is noticed that no event reports."""

CANARY: Final = "unique-account-canary"
"""The extension of the hint that is gone after a reload."""

_STATES: Final = {
    Presence.AVAILABLE: "NOT_INUSE",
    Presence.IN_USE: "INUSE",
    Presence.BUSY: "BUSY",
    Presence.UNAVAILABLE: "UNAVAILABLE",
    Presence.RINGING: "RINGING",
    Presence.RINGING_IN_USE: "RINGINUSE",
    Presence.ON_HOLD: "ONHOLD",
    Presence.DEACTIVATED: "INVALID",
}
_AT_ONCE: Final = 100


async def give_back(connection: Connection, devices: Mapping[str, str]) -> None:
    """Let hints follow these devices, by number, as nothing shows the presence any more.

    A number whose devices are on another node has none here but its own state: that is *unavailable* then. At
    last the canary goes, so that a service that has just begun places its hints again.
    """
    for some in _batches(list(devices.items())):
        await asyncio.gather(*(_give_back(connection, number, followed) for number, followed in some))
    await _remove(connection, CANARY)


async def _give_back(connection: Connection, number: str, followed: str) -> None:
    if followed == custom_state(number):
        await _set(connection, followed, "UNAVAILABLE")
    await _place(connection, number, followed)


async def _set(connection: Connection, device: str, state: str) -> None:
    await connection.act("Setvar", ("Variable", f"DEVICE_STATE({device})"), ("Value", state))


async def _place(connection: Connection, number: str, devices: str) -> None:
    """Let a number's hint follow these devices; its watchers are notified of what they show."""
    await connection.act(
        "DialplanExtensionAdd", *_priority(number), ("Application", devices), ("Replace", "yes")
    )


async def _remove(connection: Connection, number: str) -> None:
    with suppress(ActionRefused):  # there was none
        await connection.act("DialplanExtensionRemove", *_priority(number))


def _priority(number: str) -> tuple[tuple[str, str], ...]:
    """The place of a number's hint in the dialplan."""
    return ("Context", hint_context(number)), ("Extension", number), ("Priority", "hint")


class Hints:
    """The hints of one node: the last word on each number, whether the node can be reached or not."""

    def __init__(self) -> None:
        self._shown: dict[Number, Presence] = {}
        self._placed: dict[Number, str] = {}
        self._reloaded = asyncio.Event()

    def has(self, number: Number) -> bool:
        """Whether a number has a hint."""
        return number in self._shown

    def remember(self, number: Number, presence: Presence) -> bool:
        """Keep a number's last presence; whether it now has a hint, or has none any more."""
        before = len(self._shown)
        if presence is Presence.UNEXISTING:
            self._shown.pop(number, None)
        else:
            self._shown[number] = presence
        return len(self._shown) != before

    async def show(self, connection: Connection, number: Number) -> None:
        """Show the last word on a number."""
        presence = self._shown.get(number)
        if presence is None:
            self._placed.pop(number, None)
            await _remove(connection, number)
        elif number in self._placed:
            await _set(connection, self._placed[number], _STATES[presence])
        else:
            device = custom_state(number)
            placing = _place(connection, number, device)
            await asyncio.gather(_set(connection, device, _STATES[presence]), placing)
            self._placed[number] = device

    async def keep(self, connection: Connection, failed: Callable[[str, Exception], None]) -> None:
        """Show every hint, and again after every reload of the dialplan, until the connection is lost."""
        shown = False
        while True:
            try:
                if not shown or await self.gone(connection):
                    await self.show_all(connection)
                    shown = True
            except NodeDown:
                return  # the receiver of the connection reports it
            except ConnectionError as error:  # the node is slow
                failed("hints", error)
            except Exception as error:
                failed("hints", error)
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKS_EVERY):
                    await self._reloaded.wait()
            self._reloaded.clear()

    def reloaded(self) -> None:
        """The dialplan was reloaded: look at once whether the hints are gone."""
        self._reloaded.set()

    async def show_all(self, connection: Connection) -> None:
        """Show the last word on every number, on a node whose dialplan was loaded again."""
        self._placed.clear()
        await _place(connection, CANARY, custom_state(CANARY))
        for some in _batches(list(self._shown)):
            await asyncio.gather(*(self.show(connection, number) for number in some))

    async def gone(self, connection: Connection) -> bool:
        """Whether the dialplan was reloaded since all was shown."""
        reported = await connection.act("ExtensionState", ("Context", HINTS_CONTEXT), ("Exten", CANARY))
        return not reported.get("Hint")


def _batches(items: list[T]) -> Iterable[list[T]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
