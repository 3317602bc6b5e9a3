"""What is said of an error: an id with parameters, for which a client has words, and an English sentence."""

from __future__ import annotations

from enum import StrEnum, auto
from typing import Any, Final

from attrs import Factory, frozen

from unique_account.adapters.xuc.protocol.incoming import InvalidMessage
from unique_account.adapters.xuc.storage.store import LogoutNotStored
from unique_account.core.errors import NoDestination, RefusalId, Refused, Unreachable
from unique_account.ports.accounts import StaleVersion
from unique_account.ports.inbound.events import UnknownUser
from unique_account.ports.pbx import CommandFailed, Failure, NodeDown

_PBX_AWAY: Final = "the telephone system cannot be reached; try again"
_NOT_STORED: Final = "nothing can be stored at the moment; try again"


class ErrorId(StrEnum):
    """What only this server says; the core and the ports have ids of their own."""

    INVALID_MESSAGE = auto()
    LOGOUT_NOT_STORED = auto()
    NOT_STORED = auto()
    NO_ACCOUNT = auto()
    PBX_UNREACHABLE = auto()
    SESSION_OVER = auto()
    TOO_MANY_ATTEMPTS = auto()
    TOO_MANY_LOG_INS = auto()
    UNHANDLED = auto()
    WRONG_ORIGIN = auto()
    WRONG_PASSWORD = auto()


ERROR_IDS: Final = frozenset(str(one) for ids in (ErrorId, RefusalId, Failure) for one in ids)
"""The ids of all errors."""


@frozen(weakref_slot=False)
class ErrorMessage:
    """What is said of an error.

    Attributes:
        id: What it is.
        sentence: The same in English, for programs and their logs.
        parameters: What the words for the id name.
    """

    id: str
    sentence: str
    parameters: dict[str, str] = Factory(dict)

    def fields(self) -> dict[str, Any]:
        """The fields of a message."""
        return {"message": self.sentence, "id": self.id, "parameters": self.parameters}


def described(error: Exception) -> ErrorMessage:
    """What is said of an error; an unexpected one reveals nothing."""
    match error:
        case InvalidMessage(__cause__=NoDestination() as refusal):
            return ErrorMessage(refusal.id, str(error))
        case InvalidMessage():
            return ErrorMessage(ErrorId.INVALID_MESSAGE, str(error))
        case CommandFailed():
            return ErrorMessage(error.failure, str(error), error.parameters)
        case Refused():
            return ErrorMessage(error.id, str(error), error.parameters)
        case UnknownUser():
            return ErrorMessage(ErrorId.NO_ACCOUNT, str(error))
        case LogoutNotStored():
            return ErrorMessage(ErrorId.LOGOUT_NOT_STORED, str(error))
        case NodeDown():
            return ErrorMessage(ErrorId.PBX_UNREACHABLE, _PBX_AWAY)
        case Unreachable() | StaleVersion():
            return ErrorMessage(ErrorId.NOT_STORED, _NOT_STORED)
        case ConnectionError():  # of a node that is up and does not answer
            return ErrorMessage(ErrorId.PBX_UNREACHABLE, _PBX_AWAY)
        case _:
            return ErrorMessage(ErrorId.UNHANDLED, "something went wrong here")
