"""Every command by its name, and the error that answers one that fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from unique_account.adapters.xuc.handlers import account, call_control, directory, queries
from unique_account.adapters.xuc.hub import Hub, LogoutNotStored
from unique_account.adapters.xuc.protocol.incoming import Fields, InvalidMessage
from unique_account.adapters.xuc.tab import Tab
from unique_account.core.errors import Refused, Unreachable
from unique_account.ports.accounts import StaleVersion
from unique_account.ports.inbound.commands import NoSuchCall
from unique_account.ports.inbound.events import UnknownUser
from unique_account.ports.observer import PortRequest
from unique_account.ports.pbx import CommandFailed, NodeDown

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


_NODE_AWAY: Final = "the telephone system cannot be reached; try again"


async def perform(hub: Hub, tab: Tab, fields: Fields) -> None:
    """Carry out a command, and answer it."""
    try:
        await _handler(fields)(hub, tab, fields)
    except Exception as error:
        word, sentence = _error_of(error)
        if word == "unhandledError":
            request = PortRequest("cti", str(fields.command), user=tab.user)
            hub.observer.failed(request, error)
        send_error(tab, word, sentence, fields)
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


def send_error(tab: Tab, word: str, sentence: str, fields: Fields | None = None) -> None:
    """Send an error to the tab whose command failed."""
    content: dict[str, object] = {"Error": word, "message": sentence}
    if fields is not None:
        content |= {"command": fields.command, "ref": fields.ref}
    tab.report("Error", content)


def _error_of(error: Exception) -> tuple[str, str]:
    """The word and the sentence for an error; an unexpected one reveals nothing."""
    match error:
        case UnknownCommand():
            return "unknownCommand", str(error)
        case InvalidMessage():
            return "invalidMessage", str(error)
        case NoSuchCall():
            return "noSuchCall", str(error)
        case CommandFailed():
            return "commandFailed", str(error)
        case LogoutNotStored():
            return "commandFailed", str(error)
        case Refused() | UnknownUser():
            return "refused", str(error)
        case NodeDown():
            return "commandFailed", _NODE_AWAY
        case Unreachable() | StaleVersion():
            return "commandFailed", "nothing can be stored at the moment; try again"
        case ConnectionError():  # of a node that is up and does not answer
            return "commandFailed", _NODE_AWAY
        case _:
            return "unhandledError", "something went wrong here"
