"""Names on the wire: what configuration files and the service's own code must agree on."""

from __future__ import annotations

from typing import Final
from zlib import crc32

HINTS_CONTEXT: Final = "unique-account-hints"
"""The context that phones subscribe in; it includes those that hold the hints."""

_HINT_CONTEXTS: Final = 32
"""How many contexts hold hints: Asterisk adds one to a context in a time that grows with what is in it."""

HINT_CONTEXTS: Final = tuple(f"{HINTS_CONTEXT}-{part:02}" for part in range(_HINT_CONTEXTS))
"""The contexts that hold the hints."""

MEMBERS_CONTEXT: Final = "unique-account-members"
"""Prefix of the contexts through which groups ring their members (R8)."""

TRUNK_CONTEXT: Final = "unique-account-trunk"
"""The context in which calls of other nodes enter the dialplan."""

CALL_ID: Final = "UNIQUE_ACCOUNT_CALL"
"""Channel variable that holds the call's linkedid on its original node."""

FORWARD_COUNT: Final = "UNIQUE_ACCOUNT_FORWARDS"
"""The channel variable that holds how often a call was forwarded (R13)."""

DIVERSION_EVENT: Final = "unique_account"
"""Channel event that carries the number that a call left, and where the call went instead (H4)."""

DIAL_CHANNEL_PREFIX: Final = "unique-account-dial-"
"""Prefix of the channel ids of phones that ring so that the PBX can dial for them (R14)."""

CALL_ID_LEARNT: Final = "UniqueAccountSipCallId"
"""Our own event: the answer to the question which SIP ``Call-ID`` a channel has."""

ANSWER_LEARNT: Final = "UniqueAccountAnswered"
"""Our own event: a channel that dials for a user runs an application that talks to the user."""

AUTOMATIC_ANSWER: Final = "xivo-autoanswer"
"""The ``Alert-Info`` at which XiVO's client answers a call by itself."""

HOLD_CONTEXT: Final = "unique-account-held"
"""The context of the rendered dialplan in which a party waits for a moment."""

JOIN_CONTEXT: Final = "unique-account-joined"
"""The context of the rendered dialplan in which a party joins another one."""

JOINED_PARTY: Final = "UNIQUE_ACCOUNT_PARTY"
"""Channel variable that names the channel that a party joins there."""

CODE_ANSWER: Final = "UNIQUE_ACCOUNT_ANSWER"
"""The variable of the caller's channel that is set to the answer."""

CODE_EVENT: Final = "UniqueAccountCode"
"""The ``UserEvent`` header of the events that report a dialled code."""

CODE_KEY: Final = "UNIQUE_ACCOUNT_KEY"
"""The global variable that proves a user event to be the dialplan's: a secret that a restart makes void."""

TOGGLE: Final = "toggle"
"""Name of the code that toggles the device selection."""

REFUSED: Final = "refused"
"""The answer to a code that the account refuses."""

CALL_ID_EVENT: Final = "unique_account_call"
"""Channel event that carries the call's id on its original node (H6)."""

NUMBERS_CONTEXT: Final = "unique-account-numbers"
"""Prefix of the contexts that hold the users' numbers."""

CODES_CONTEXT: Final = "unique-account-codes"
"""The context that carries out the codes that users dial."""


def hint_context(number: str) -> str:
    """The context that holds a number's hint."""
    return HINT_CONTEXTS[crc32(number.encode()) % _HINT_CONTEXTS]


def custom_state(number: str) -> str:
    """The device whose state is a number's presence."""
    return f"Custom:unique_account_{number}"
