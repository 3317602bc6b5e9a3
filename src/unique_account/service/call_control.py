"""Carries out users' commands for their calls, at the user's media server and with the user's own calls."""

from __future__ import annotations

from collections.abc import Callable

from unique_account.core.account import Account, Call
from unique_account.core.device_in_use import device_in_use
from unique_account.core.machine import Device
from unique_account.core.number import IN_WORDS, Number
from unique_account.core.user import User
from unique_account.ports.inbound.commands import (
    Answer,
    Command,
    Dial,
    HangUp,
    Hold,
    Join,
    NoSuchCall,
    Resume,
    Transfer,
)
from unique_account.ports.pbx import CommandFailed, Failure, Pbx


class CallControl:
    """Obeys commands.

    The PBX moves and ends calls of both devices. What takes a phone's own hand, to answer, to hold and to
    dial, it can ask of the deskphone only, and leaves to the browser for the browser's calls (C1, C2). It
    dials for a browser too, if the client asks for that.

    Args:
        account: The account of a user; raises `UnknownUser`.
        node: The PBX node that carries a user.
    """

    def __init__(self, account: Callable[[str], Account], node: Callable[[User], Pbx]) -> None:
        self._account = account
        self._node = node

    async def on_command(self, user: str, command: Command) -> bool:
        """Carry a command out; False if the browser has to (`unique_account.ports.inbound.commands`).

        Raises:
            UnknownUser: The user has no account.
            NoSuchCall: The call is not one of the user's own.
            CommandFailed: It cannot be done.
        """
        account = self._account(user)
        pbx = self._node(account.user)
        match command:
            case Dial():
                return await _dial(account, pbx, command)
            case Transfer(call_id, number):
                await pbx.transfer(_own(account, call_id).id, _dialable(number))
            case Join(call_id, other):
                await pbx.join(_own(account, call_id).id, _own(account, other).id)
            case HangUp(call_id):
                await pbx.hang_up(_own(account, call_id).id)
            case _:
                return await _ask_phone(account, pbx, command)
        return True


async def _dial(account: Account, pbx: Pbx, command: Dial) -> bool:
    dialled = _dialable(command.number)
    if device_in_use(account) is Device.DESKPHONE:
        await pbx.dial(account.user.deskphone, dialled)
    elif command.by_pbx:
        await pbx.dial(account.user.webrtc, dialled, answers_itself=True)
    else:
        return False
    return True


async def _ask_phone(account: Account, pbx: Pbx, command: Answer | Hold | Resume) -> bool:
    call = _own(account, command.call_id)
    if call.device is Device.WEBRTC:
        return False
    match command:
        case Answer():
            await pbx.answer(call.id)
        case Hold():
            await pbx.hold(call.id)
        case Resume():
            await pbx.resume(call.id)
    return True


def _own(account: Account, call_id: str) -> Call:
    """One of the account's calls; whether another account has it stays unknown."""
    for call in account.calls:
        if call.id == call_id:
            return call
    raise NoSuchCall


def _dialable(number: Number) -> Number:
    if not number.is_dialable:
        sentence = f"{number.written!r} cannot be dialled; use {IN_WORDS}"
        raise CommandFailed(sentence, Failure.NOT_DIALABLE, number=number.written)
    return number
