"""What a client of the CTI server says, for its parsers: frames, tokens and their claims."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import jwt

from fuzz.cti_server import (
    KEY,
)
from fuzz.target import Check, Target, is_text, plain, printable, require, text_of
from unique_account.adapters.xuc.auth.tokens import BadToken, Token, Tokens
from unique_account.adapters.xuc.handlers.dispatch import COMMANDS
from unique_account.adapters.xuc.protocol.incoming import Fields, InvalidMessage, read

_FIELDS: Final[dict[str, Any]] = {
    "uniqueId": "1699999999.1",
    "destination": "1002",
    "deviceType": "webrtc",
    "device": "deskphone",
    "state": True,
    "key": "1",
    "value": "x",
    "value_type": "String",
    "size": 10,
    "days": 7,
    "cursor": "AAAA",
    "phoneNumbers": ["1001", "1002"],
    "words": "bob",
    "objectType": "line",
    "variables": {},
    "status": "away",
}
WORDS: Final = (
    *(name.encode() for name in COMMANDS),
    *(f'"{name}"'.encode() for name in _FIELDS),
    *(b'"claz":"ping"', b'"ref":', b'"\\ud800"', b"[[]]", b'["1002"]', b"1.0", b"\x00", b"*", b"\\/"),
)


def frames() -> tuple[bytes, ...]:
    """Every command with every field that any of them has, and a heartbeat."""
    commands = [{"claz": "web", "command": name, "ref": 1, **_FIELDS} for name in COMMANDS]
    return (*(json.dumps(command).encode() for command in commands), b'{"claz":"ping"}')


# -- the parsers -------------------------------------------------------------------------------------

_READS: Final[tuple[Callable[[Fields, str], object], ...]] = (
    Fields.text,
    Fields.maybe_text,
    Fields.flag,
    lambda fields, name: fields.one_of(name, ("a", "b")),
    lambda fields, name: fields.whole(name, 1, 500),
    lambda fields, name: fields.texts(name, 1000),
)


def _check_frame(data: bytes) -> None:
    try:
        said = read(data.decode() if is_text(data) else None)
    except InvalidMessage as error:
        require(printable(error.problem), "a sentence that cannot be written")
        return
    if isinstance(said, Fields):
        json.dumps({"ref": said.ref, "command": said.command}, ensure_ascii=False).encode()
        for name in _FIELDS:
            for reads in _READS:
                _check_field(said, name, reads)


def _check_field(said: Fields, name: str, reads: Callable[[Fields, str], object]) -> None:
    try:
        value = reads(said, name)
    except InvalidMessage as error:
        require(printable(error.problem), "a sentence that cannot be written")
        return
    require(printable(json.dumps(value, ensure_ascii=False)), "a field that cannot be written")


_NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)


@contextmanager
def _tokens() -> Iterator[Check]:
    tokens = Tokens(KEY, timedelta(hours=1), lambda: _NOW)
    (good,) = _issued()
    yield partial(_check_token, tokens, tokens.read(good.decode()))


def _check_token(tokens: Tokens, good: Token, data: bytes) -> None:
    try:
        token = tokens.read(text_of(data))
    except BadToken:
        return
    require(token == good, "a token that was never issued is good")


def _signed(says: object, key: str = KEY) -> str:
    head, body = (_base64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, says))
    return _sealed(f"{head}.{body}", key)


def _sealed(text: str, key: str = KEY) -> str:
    seal = jwt.get_algorithm_by_name("HS256").sign(text.encode(), key.encode())
    return f"{text}.{_base64(seal)}"


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _claims() -> tuple[bytes, ...]:
    said = {"sub": "alice", "login": "alice", "sid": "x", "seal": "y", "began": _NOW.timestamp()}
    return (json.dumps({**said, "exp": _NOW.timestamp() + 60}).encode(),)


def _issued() -> tuple[bytes, ...]:
    return tuple(_signed(json.loads(claims)).encode() for claims in _claims())


@contextmanager
def _signed_claims() -> Iterator[Check]:
    """Claims of any kind with a signature that is right: what a token of another release could say."""
    tokens = Tokens(KEY, timedelta(hours=1), lambda: _NOW)
    head = _base64(b'{"alg":"HS256","typ":"JWT"}')

    def check(data: bytes) -> None:
        try:
            token = tokens.read(_sealed(f"{head}.{_base64(data)}"))
        except BadToken:
            return
        require(printable(token.user, token.login, token.session), "a name that cannot be written")
        require(token.expires > _NOW.timestamp(), "a token that has no end, or is over")

    yield check


TARGETS: Final = (
    Target(name="frames", samples=frames, opened=plain(_check_frame), words=WORDS, rounds=2000),
    Target(
        name="tokens",
        samples=_issued,
        opened=_tokens,
        words=(_base64(b'{"alg":"none","typ":"JWT"}').encode(), b".", b"..", b"="),
        largest=4096,
        rounds=1000,
    ),
    Target(
        name="claims",
        samples=_claims,
        opened=_signed_claims,
        words=(b'"exp"', b"1e999"),
        largest=4096,
        rounds=1000,
    ),
)
