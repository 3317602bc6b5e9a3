"""Cursors: places in a user's history, as opaque text that travels through pages and scripts (H5).

A cursor is the key of the last entry given, a place in the order and not a count: what arrives before
that place does not move it. It grants nothing, so it is not signed: a forged one is but another place in
the same user's history.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final

from unique_account.core.account import in_utc
from unique_account.core.errors import InvalidCursor
from unique_account.core.validators import check_texts

Key = tuple[datetime, str]
"""What records are sorted by: the start of the call and its id, compared as text by code point (H6)."""

_FORMAT: Final = 1
_DIGEST: Final = 8
_USER: Final = slice(1, 1 + _DIGEST)
_START: Final = slice(_USER.stop, _USER.stop + 8)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_WAY_OUT: Final = "ask for the first page again"
_DAMAGED: Final = f"the cursor is damaged, or never was one; {_WAY_OUT}"


def in_microseconds(instant: datetime) -> int:
    """An instant as a whole number, which is as exact: the microseconds since the beginning of 1970.

    Raises:
        ValueError: It has no time zone.
    """
    return (in_utc(instant) - _EPOCH) // _MICROSECOND


def from_microseconds(number: int) -> datetime:
    """The instant, in UTC, of a number of microseconds.

    Raises:
        OverflowError: No instant is so far away.
    """
    return _EPOCH + number * _MICROSECOND


def encode_cursor(user: str, key: Key) -> str:
    """The cursor of a place in a user's history: opaque, url-safe text (H5).

    It carries a format version, a digest of the user's name, the key, and a checksum against damage.

    Raises:
        ValueError: The instant has no time zone, or the id has half a character or a NUL.
    """
    start, call_id = key
    check_texts({}, {"call id": call_id})
    if "\0" in call_id:
        raise ValueError("the call id has a NUL, which not every store takes")
    place = in_microseconds(start).to_bytes(8, "big", signed=True)
    body = bytes((_FORMAT,)) + _digest(_named(user)) + place
    return _sealed(body + call_id.encode())


def decode_cursor(user: str, cursor: str) -> Key:
    """The place that a cursor stands for: the key of the last entry given.

    Raises:
        InvalidCursor: No cursor, damaged, of another format, or issued for another user.
    """
    body = _unsealed(cursor)
    if body[0] != _FORMAT:
        raise InvalidCursor(f"the cursor is of format {body[0]}, and only {_FORMAT} is known; {_WAY_OUT}")
    if body[_USER] != _digest(_named(user)):
        raise InvalidCursor(f"the cursor was issued for the history of another user; {_WAY_OUT}")
    try:
        start = from_microseconds(int.from_bytes(body[_START], "big", signed=True))
        call_id = body[_START.stop :].decode()
    except (OverflowError, UnicodeDecodeError):
        raise InvalidCursor(_DAMAGED) from None
    if "\0" in call_id:
        raise InvalidCursor(_DAMAGED)
    return (start, call_id)


def _named(user: str) -> bytes:
    return user.encode("utf-8", "surrogatepass")  # of whom nobody has a history


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=_DIGEST).digest()


def _sealed(body: bytes) -> str:
    return urlsafe_b64encode(body + _digest(body)).rstrip(b"=").decode()


def _unsealed(cursor: str) -> bytes:
    try:
        body = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))[:-_DIGEST]
    except ValueError:
        raise InvalidCursor(_DAMAGED) from None
    # The decoder skips what is not base64 and ignores spare bits; only the one true spelling is a cursor.
    if len(body) < _START.stop or _sealed(body) != cursor:
        raise InvalidCursor(_DAMAGED)
    return body
