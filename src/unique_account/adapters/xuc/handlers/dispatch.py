"""Every command by its name, and the word of the error that answers one that fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from unique_account.adapters.xuc.handlers import account, call_control, directory, queries
from unique_account.adapters.xuc.hub import Hub
from unique_account.adapters.xuc.protocol.error_messages import ErrorMessage, described
from unique_account.adapters.xuc.protocol.incoming import Fields, InvalidMessage
from unique_account.adapters.xuc.storage.store import LogoutNotStored
from unique_account.adapters.xuc.tab import Tab
from unique_account.core.errors import Refused
from unique_account.ports.accounts import StaleVersion
from unique_account.ports.inbound.commands import NoSuchCall
from unique_account.ports.inbound.events import UnknownUser
from unique_account.ports.observer import PortRequest
from unique_account.ports.pbx import CommandFailed

Handler = Callable[[Hub, Tab, Fields], Awaitable[None]]

COMMANDS: Final[Mapping[str, Handler]] = {
    "toggleUniqueAccountDevice": account.toggle_device,
    "selectDevice": account.select_device,
    "logout": account.log_out,
    "dnd": account.do_not_disturb,
    **dict.fromkeys(account.FORWARDS, account.forward),
    "setUserPreference": account.set_preference,
    "getUserPreferences": account.get_preferences,
    "userStatusUpdate": account.user_status,
    "changeUserStatus": account.user_status,
    "dial": call_control.dial,
    "answer": call_control.answer,
    "hangup": call_control.hang_up,
    "hold": call_control.hold,
    "directTransfer": call_control.direct_transfer,
    "attendedTransfer": call_control.attended_transfer,
    "completeTransfer": call_control.complete_transfer,
    "cancelTransfer": call_control.cancel_transfer,
    "sendDtmf": call_control.send_dtmf,
    "toggleMicrophone": call_control.toggle_microphone,
    "getConfig": queries.get_config,
    "getIceConfig": queries.get_ice,
    "getCurrentCallsPhoneEvents": queries.get_calls,
    "getUserCallHistory": queries.get_history,
    "getUserCallHistoryByDays": queries.get_history_by_days,
    "getHistoryPage": queries.get_history_page,
    "getColleagues": queries.get_colleagues,
    "directoryLookUp": directory.look_up,
    "searchContacts": directory.search_contacts,
    "getFavorites": directory.get_favorites,
    "addFavorite": directory.add_favorite,
    "removeFavorite": directory.remove_favorite,
    "displayNameLookup": directory.display_name,
    "subscribeToPhoneHints": queries.subscribe,
    "unsubscribeFromAllPhoneHints": queries.unsubscribe,
    "pushLogToServer": queries.swallow_log,
}


async def perform(hub: Hub, tab: Tab, fields: Fields) -> None:
    """Carry out a command, and answer it."""
    try:
        await _handler(fields)(hub, tab, fields)
    except Exception as error:
        word, message = error_word(error), described(error)
        if word == "unhandledError":
            request = PortRequest("cti", str(fields.command), user=tab.user)
            hub.observer.failed(request, error)
        send_error(tab, word, message, fields)
    else:
        if fields.ref is not None:
            tab.report("Done", {"command": fields.command, "ref": fields.ref})


class UnknownCommand(InvalidMessage):
    """There is no command of this name."""


def _handler(fields: Fields) -> Handler:
    try:
        return COMMANDS[fields.command]
    except KeyError:
        raise UnknownCommand(f"command: {fields.command!r} is not known here") from None


def send_error(tab: Tab, word: str, error: ErrorMessage, fields: Fields | None = None) -> None:
    """Send an error to the tab whose command failed."""
    content = {"Error": word, **error.fields()}
    if fields is not None:
        content |= {"command": fields.command, "ref": fields.ref}
    tab.report("Error", content)


def error_word(error: Exception) -> str:
    """The word for an error."""
    match error:
        case UnknownCommand():
            return "unknownCommand"
        case InvalidMessage():
            return "invalidMessage"
        case NoSuchCall():
            return "noSuchCall"
        case Refused() | UnknownUser():
            return "refused"
        case CommandFailed() | LogoutNotStored() | StaleVersion() | ConnectionError():
            return "commandFailed"
        case _:
            return "unhandledError"
