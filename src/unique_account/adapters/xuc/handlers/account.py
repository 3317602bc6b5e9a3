"""Commands by which users change their own account: device, forwards, do-not-disturb, preferences."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from unique_account.adapters.xuc.hub import Hub
from unique_account.adapters.xuc.protocol.incoming import Fields, InvalidMessage
from unique_account.adapters.xuc.tab import Tab
from unique_account.core.errors import NoDestination
from unique_account.core.events import DeviceSelected, DoNotDisturbSet, ForwardSet
from unique_account.core.forwarding_changes import Setting
from unique_account.core.machine import Device
from unique_account.ports.assistant_store import Preference, TooManyPreferences

FORWARDS: Final = {"uncFwd": Setting.UNCONDITIONAL, "naFwd": Setting.NO_ANSWER, "busyFwd": Setting.BUSY}
"""XiVO's commands, and the forward that each sets."""

USER_STATUS: Final = "userStatus"
"""The preference that holds the status of ``userStatusUpdate``."""

LINES_PER_TAB: Final = 10
"""For how many lines a preference sent to a tab counts."""

_KEY: Final = re.compile(r"[0-9A-Za-z_.-]{1,64}")


async def toggle_device(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``toggleUniqueAccountDevice``: select a device, in XiVO's words (S6).

    XiVO's client stops its SIP stack first and waits for a `LineConfig`, so it gets one whatever comes of it.
    """
    sessions = hub.sessions_of(tab.user)
    before = sessions.lines
    try:
        device = hub.settings.device_types[fields.one_of("deviceType", hub.settings.device_types)]
        await hub.on_event(tab.user, DeviceSelected(device))
    finally:
        if sessions.lines == before and tab in sessions.line_tabs:
            sessions.report_line(tab)


async def select_device(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``selectDevice``: select a device (S6)."""
    device = Device(fields.one_of("device", Device))
    await hub.on_event(tab.user, DeviceSelected(device))


async def log_out(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``logout``: end the session."""
    await hub.log_out(tab.user, tab.session)


async def do_not_disturb(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``dnd``: set do-not-disturb."""
    async with _config_reported(hub, tab):
        await hub.on_event(tab.user, DoNotDisturbSet(fields.flag("state")))


async def forward(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``uncFwd``, ``naFwd`` and ``busyFwd``: set a forward; without a destination, keep the present one.

    An empty destination is none, so nothing can be forwarded there.
    """
    async with _config_reported(hub, tab):
        setting, state = FORWARDS[fields.command], fields.flag("state")
        destination = fields.maybe_text("destination")
        if state and destination == "":
            raise InvalidMessage("destination: is empty")
        try:
            await hub.on_event(tab.user, ForwardSet(setting, state, destination or ""))
        except NoDestination as error:
            raise InvalidMessage("destination: is missing, and none was set before") from error


@asynccontextmanager
async def _config_reported(hub: Hub, tab: Tab) -> AsyncIterator[None]:
    """Send the tab a `UserConfigUpdate`, also if nothing changes or the change is refused."""
    sessions = hub.sessions_of(tab.user)
    before = sessions.configs
    try:
        yield
    finally:
        if sessions.configs == before:
            sessions.report_config(tab)


async def set_preference(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``setUserPreference``: store a preference, and send it to every tab."""
    key = fields.text("key")
    allowed = hub.settings.preference_keys
    if not _KEY.fullmatch(key) or (allowed is not None and key not in allowed):
        raise InvalidMessage("key: is not the key of a preference")
    await _prefer(hub, tab, key, Preference(fields.text("value", 1024), fields.text("value_type", 64)))


async def user_status(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``userStatusUpdate``: stored as a preference, since a Unique Account has no such status."""
    status = fields.text("status", 64)
    await _prefer(hub, tab, USER_STATUS, Preference(status, "String"))
    hub.sessions_of(tab.user).report("UserStatusUpdate", {"status": status})


async def _prefer(hub: Hub, tab: Tab, key: str, preference: Preference) -> None:
    async with tab.query(hub.sessions_of(tab.user).budget) as budget:
        budget.spend(LINES_PER_TAB * len(hub.sessions_of(tab.user).tabs))
        try:
            await hub.prefer(tab.user, key, preference)
        except TooManyPreferences as error:
            raise InvalidMessage(f"key: {error}") from error
    hub.sessions_of(tab.user).report("UserPreference", _preference(key, preference))


async def get_preferences(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``getUserPreferences``: every stored preference."""
    async with tab.query(hub.sessions_of(tab.user).budget) as budget:
        preferences = sorted((await hub.store.preferences(tab.user)).items())
        budget.spend(len(preferences))
        for key, preference in preferences:
            tab.report("UserPreference", _preference(key, preference))


def _preference(key: str, preference: Preference) -> dict[str, str]:
    return {"key": key, "value": preference.value, "value_type": preference.value_type}
