"""Commands on calls: carried out by the PBX, or sent back to the browser that has the call (C1, C2)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from attrs import evolve

from unique_account.adapters.xuc.handlers import call_selection
from unique_account.adapters.xuc.hub import Hub
from unique_account.adapters.xuc.protocol.incoming import Fields
from unique_account.adapters.xuc.protocol.xivo_messages import browser_command, browser_dial
from unique_account.adapters.xuc.tab import Tab
from unique_account.core.account import Call, CallStatus
from unique_account.core.machine import Device
from unique_account.core.number import Number
from unique_account.core.view import View
from unique_account.ports.inbound.commands import Answer, Dial, HangUp, Hold, Join, Resume, Transfer
from unique_account.ports.pbx import CommandFailed, Failure

KEYS: Final = tuple("0123456789*#ABCD")


async def dial(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``dial``: by the device in use (R14)."""
    await _dial(hub, tab, Number(fields.text("destination")))


async def _dial(hub: Hub, tab: Tab, number: Number) -> None:
    """Dial; for a client that cannot have its browser dial, the PBX does it."""
    if not await hub.on_command(tab.user, Dial(number, by_pbx=not tab.dials)):
        _require_line(tab)
        tab.report("WebRTCCmd", browser_dial(number))


async def answer(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``answer``: the named call, else the one that rings."""
    call = _call(hub, tab, fields, call_selection.to_answer)
    if not await hub.on_command(tab.user, Answer(call.id)):
        _require_line(tab)
        tab.report("WebRTCCmd", browser_command("Answer", call))


async def hang_up(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``hangup``: the named call, else the most active one."""
    await hub.on_command(tab.user, HangUp(_call(hub, tab, fields, call_selection.to_hang_up).id))


async def hold(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``hold``: put a call on hold, or resume it."""
    await _hold_or_resume(hub, tab, _call(hub, tab, fields, call_selection.to_hold))


async def _hold_or_resume(hub: Hub, tab: Tab, call: Call) -> None:
    command = Resume(call.id) if call.status is CallStatus.HELD else Hold(call.id)
    if not await hub.on_command(tab.user, command):
        _require_name(hub, tab, call)
        hub.sessions_of(tab.user).report("WebRTCCmd", browser_command("Hold", call))


async def direct_transfer(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``directTransfer``: send the other party of a call to a number."""
    number, call = Number(fields.text("destination")), _call(hub, tab, fields, call_selection.to_hold)
    await hub.on_command(tab.user, Transfer(call.id, number))


async def attended_transfer(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``attendedTransfer``: hold the call that is being talked on, and dial; if that fails, resume it."""
    number, view = Number(fields.text("destination")), _view(hub, tab)
    call = call_selection.to_hold(view)
    if call.device is not view.device_in_use:
        sentence = f"the call is on the {call.device}, and new calls are made with the other device"
        raise CommandFailed(sentence, Failure.OTHER_DEVICE)
    if call.status is CallStatus.TALKING:
        await _hold_or_resume(hub, tab, call)
    try:
        await _dial(hub, tab, number)
    except Exception:
        if call.status is CallStatus.TALKING:
            with suppress(CommandFailed, ConnectionError):
                await _hold_or_resume(hub, tab, evolve(call, status=CallStatus.HELD))
        raise


async def complete_transfer(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``completeTransfer``: connect the party on hold with the one that was consulted."""
    pair = call_selection.consultation(_view(hub, tab))
    await hub.on_command(tab.user, Join(pair.held.id, pair.consulted.id))


async def cancel_transfer(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``cancelTransfer``: hang up the other call, and resume the one on hold."""
    pair = call_selection.consultation(_view(hub, tab))
    await hub.on_command(tab.user, HangUp(pair.consulted.id))
    await _hold_or_resume(hub, tab, pair.held)


async def send_dtmf(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``sendDtmf``: have the browser send a tone."""
    key = fields.one_of("key", KEYS)
    call = _require_browser(
        call_selection.to_hang_up(_view(hub, tab)), "the deskphone sends tones by its own keys"
    )
    hub.sessions_of(tab.user).report("WebRTCCmd", browser_command("SendDtmf", call, key))


async def toggle_microphone(hub: Hub, tab: Tab, fields: Fields) -> None:
    """``toggleMicrophone``: have the browser mute or unmute itself."""
    call = _call(hub, tab, fields, call_selection.to_hang_up)
    call = _require_browser(call, "the deskphone mutes itself by its own key")
    _require_name(hub, tab, call)
    hub.sessions_of(tab.user).report("WebRTCCmd", browser_command("ToggleMicrophone", call))


def _call(hub: Hub, tab: Tab, fields: Fields, choose: Callable[[View], Call]) -> Call:
    """The named call, else the one that the command can only mean."""
    call_id = fields.maybe_text("uniqueId")
    return choose(_view(hub, tab)) if call_id is None else call_selection.named(_view(hub, tab), call_id)


def _view(hub: Hub, tab: Tab) -> View:
    view = hub.sessions_of(tab.user).view
    if view is None:
        raise CommandFailed("nothing is known of the account yet", Failure.NOT_READY)
    return view


def _require_line(tab: Tab) -> None:
    if not tab.rings:
        sentence = "this tab has no line: others of yours have it; close one of them"
        raise CommandFailed(sentence, Failure.NO_LINE_HERE)


def _require_name(hub: Hub, tab: Tab, call: Call) -> None:
    """Refuse to name a call to a browser that has several, and whose name for it is not known."""
    several = sum(other.device is Device.WEBRTC for other in _view(hub, tab).calls) > 1
    if several and not call.sip_call_id:
        raise CommandFailed("the browser has several calls, and it is not known yet which this is; try again")


def _require_browser(call: Call, otherwise: str) -> Call:
    if call.device is not Device.WEBRTC:
        raise CommandFailed(otherwise, Failure.DESKPHONE_KEYS)
    return call
