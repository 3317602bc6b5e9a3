"""Every command by its name, and what becomes of one that fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from unique_account.adapters.xuc import asking, control, deeds
from unique_account.adapters.xuc.frames import Fields, InvalidMessage
from unique_account.adapters.xuc.office import LogoutNotKept, Office
from unique_account.adapters.xuc.tab import Tab
from unique_account.core.errors import Refused, Unreachable
from unique_account.ports.accounts import StaleVersion
from unique_account.ports.commands import NoSuchCall
from unique_account.ports.hearing import UnknownUser
from unique_account.ports.pbx import CommandFailed

Handler = Callable[[Office, Tab, Fields], Awaitable[None]]

COMMANDS: Final[Mapping[str, Handler]] = {
    "toggleUniqueAccountDevice": deeds.toggle_device,
    "selectDevice": deeds.select_device,
    "logout": deeds.log_out,
    "dnd": deeds.do_not_disturb,
    **dict.fromkeys(deeds.FORWARDS, deeds.forward),
    "setUserPreference": deeds.set_preference,
    "getUserPreferences": deeds.get_preferences,
    "userStatusUpdate": deeds.user_status,
    "dial": control.dial,
    "answer": control.answer,
    "hangup": control.hang_up,
    "hold": control.hold,
    "directTransfer": control.direct_transfer,
    "attendedTransfer": control.attended_transfer,
    "completeTransfer": control.complete_transfer,
    "cancelTransfer": control.cancel_transfer,
    "sendDtmf": control.send_dtmf,
    "toggleMicrophone": control.toggle_microphone,
    "getConfig": asking.get_config,
    "getIceConfig": asking.get_ice,
    "getCurrentCallsPhoneEvents": asking.get_calls,
    "getUserCallHistory": asking.get_history,
    "getUserCallHistoryByDays": asking.get_history_by_days,
    "getHistoryPage": asking.get_history_page,
    "getColleagues": asking.get_colleagues,
    "subscribeToPhoneHints": asking.watch,
    "unsubscribeFromAllPhoneHints": asking.unwatch,
}


async def perform(office: Office, tab: Tab, fields: Fields) -> None:
    """Do what a command wants, and say what came of it."""
    try:
        await _handler(fields)(office, tab, fields)
    except Exception as error:
        word, sentence = _said(error)
        if word == "unhandledError":
            office.observer.failed(f"cti: {fields.command} of {tab.desk.user}", error)
        say_error(tab, word, sentence, fields)
    else:
        if fields.ref is not None:
            tab.tell("Done", {"command": fields.command, "ref": fields.ref})


class UnknownCommand(InvalidMessage):
    """There is no command of this name."""


def _handler(fields: Fields) -> Handler:
    try:
        return COMMANDS[fields.command]
    except KeyError:
        raise UnknownCommand(f"command: {fields.command!r} is not known here") from None


def say_error(tab: Tab, word: str, sentence: str, fields: Fields | None = None) -> None:
    """Say what went wrong, to the tab that asked."""
    content: dict[str, object] = {"Error": word, "message": sentence}
    if fields is not None:
        content |= {"command": fields.command, "ref": fields.ref}
    tab.tell("Error", content)


def _said(error: Exception) -> tuple[str, str]:
    """The word and the sentence for what went wrong; of what nobody expected no more than that it did."""
    match error:
        case UnknownCommand():
            return "unknownCommand", str(error)
        case InvalidMessage():
            return "invalidMessage", str(error)
        case NoSuchCall():
            return "noSuchCall", str(error)
        case CommandFailed():
            return "commandFailed", str(error)
        case LogoutNotKept():
            return "commandFailed", str(error)
        case Refused() | UnknownUser():
            return "refused", str(error)
        case ConnectionError():
            return "commandFailed", "the telephone system cannot be reached; try again"
        case Unreachable() | StaleVersion():
            return "commandFailed", "nothing can be stored at the moment; try again"
        case _:
            return "unhandledError", "something went wrong here"
