"""The columns of XiVO's CSV user import, and the form that each of them has (A5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from unique_account.core.number import IN_WORDS, Number

Check = Callable[[str], str | None]
"""What is wrong with the text of a field that is not empty; None if nothing is."""

_DIGITS: Final = re.compile(r"[0-9]{1,9}")


def _shaped(pattern: str, rule: str) -> Check:
    fits = re.compile(pattern).fullmatch
    return lambda text: None if fits(text) else rule


def _flag(text: str) -> str | None:
    return None if text in ("0", "1") else "is neither 0 nor 1"


def _integer(text: str) -> str | None:
    return None if _DIGITS.fullmatch(text) else "is not a whole number of 1 to 9 digits"


def _ring_seconds(text: str) -> str | None:
    problem = _integer(text)
    if problem is None and (int(text) == 0 or int(text) % 5):
        problem = f"is {int(text)}; steps of 5 seconds, from 5"
    return problem


def _number(text: str) -> str | None:
    return None if Number(text).is_dialable else f"is not a number: use {IN_WORDS}"


def _simultaneous_calls(text: str) -> str | None:
    problem = _integer(text)
    if problem is None and not 1 <= int(text) <= 20:
        problem = f"is {int(text)}; from 1 to 20"
    return problem


_username: Final = _shaped(
    r"[0-9A-Za-z][0-9A-Za-z._@+-]{0,99}",
    "has other characters than letters, digits and . _ @ + -, begins with none of the first two, "
    "or is longer than 100",
)
_plain_name: Final = _shaped(
    r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}",
    "has other characters than letters, digits and . _ -, begins with none of the first two, "
    "or is longer than 40",
)
_mailbox: Final = _shaped(
    r"\+?[0-9]{1,40}", "is not a number: 1 to 40 digits, with or without a + before them"
)

COLUMNS: Final[Mapping[str, Check | None]] = {
    "entity_id": _integer,
    "firstname": None,
    "lastname": None,
    "email": None,
    "language": None,
    "mobile_phone_number": None,
    "outgoing_caller_id": None,
    "enabled": _flag,
    "supervision_enabled": _flag,
    "call_transfer_enabled": _flag,
    "dtmf_hangup_enabled": _flag,
    "simultaneous_calls": _simultaneous_calls,
    "ring_seconds": _ring_seconds,
    "call_permission_password": None,
    "cti_profile_enabled": _flag,
    "username": _username,
    "password": None,
    "cti_profile_name": None,
    "exten": _number,
    "context": _plain_name,
    "line_protocol": None,
    "sip_username": _plain_name,
    "sip_secret": None,
    "incall_exten": _number,
    "incall_context": _plain_name,
    "incall_ring_seconds": _ring_seconds,
    "voicemail_name": None,
    "voicemail_number": _mailbox,
    "voicemail_context": _plain_name,
    "voicemail_password": None,
    "voicemail_email": None,
    "voicemail_attach_audio": _flag,
    "voicemail_delete_messages": _flag,
    "voicemail_ask_password": _flag,
    "call_permissions": None,
    "uuid": None,
    "provisioning_code": None,
    "labels": None,
}
"""The columns that a file may have, each with the form of its fields; None: free text."""
