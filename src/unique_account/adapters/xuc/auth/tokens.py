"""Tokens: signed, valid for a short time, renewable while valid, and revocable.

A token names a user and a session, and is sealed to the password that it was given for. It is valid while
the session lives in the store: a log-out or the removal of the user ends the session with all its tokens,
renewed ones included. Revoking compares no times, so it holds whatever the clock says. Renewing gives another
token of the same session, until that is too old. A new password makes the tokens of the old one invalid at
once. What is here knows signatures and times; sessions and passwords are looked up by the hub.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from math import isfinite
from secrets import token_hex
from typing import Any, Final

import jwt
from attrs import frozen

from unique_account.core.errors import UniqueAccountError
from unique_account.core.validators import check_texts

RENEWED_FOR: Final = timedelta(days=7)
"""For how long after its log-in a session can be renewed."""

_ALGORITHM: Final = "HS256"
_LONGEST: Final = 1024


class BadToken(UniqueAccountError):
    """A text is not a token of ours."""

    def __str__(self) -> str:
        return "this is not a token; log in"


class TokenExpired(BadToken):
    """A token was valid once, but has expired or was revoked."""

    def __str__(self) -> str:
        return "the token has expired; log in again"


@frozen(weakref_slot=False)
class Token:
    """The content of a token.

    Attributes:
        user: Its user.
        login: The name with which the user logged in.
        session: Its session.
        seal: A digest of the password hash and the key, so that another password breaks it.
        began: When the session began, as a POSIX timestamp.
        expires: When the token expires, as a POSIX timestamp.
        dials: Whether its client has the browser dial when `WebRTCCmd` says so (C2); XiVO's client does not.
    """

    user: str
    login: str
    session: str
    seal: str
    began: float
    expires: float
    dials: bool = False


@frozen(weakref_slot=False)
class Issued:
    """A token that was just made.

    Attributes:
        text: The token.
        session: Its session.
        expires: When it expires, as a POSIX timestamp.
        until: After this, no token of its session can be valid, however often renewed.
    """

    text: str
    session: str
    expires: float
    until: float


class Tokens:
    """Makes tokens, and reads them.

    Args:
        key: What they are signed with.
        ttl: How long one is valid.
        now: The present instant.
    """

    def __init__(self, key: str, ttl: timedelta, now: Callable[[], datetime]) -> None:
        self._key = key
        self._ttl = ttl
        self._now = now

    def issue(self, user: str, login: str, credential: str, *, dials: bool = False) -> Issued:
        """The first token of a new session.

        Args:
            user: Its user.
            login: The name with which the user logged in.
            credential: The directory's credential of the login; the token does not reveal it.
            dials: Whether the client has its browser dial on command.
        """
        began, session = self._now().timestamp(), token_hex(16)
        return self._issued(Token(user, login, session, self._seal(credential), began, began, dials))

    def _issued(self, token: Token) -> Issued:
        until = token.began + (RENEWED_FOR + self._ttl).total_seconds()
        return Issued(self._signed(token), token.session, self._expiry(), until)

    def _expiry(self) -> float:
        """When a token issued now expires."""
        return (self._now() + self._ttl).timestamp()

    def _seal(self, credential: str) -> str:
        return hmac.new(self._key.encode(), credential.encode(), sha256).hexdigest()[:32]

    def is_sealed(self, token: Token, credential: str | None) -> bool:
        """Whether a token was given for this credential."""
        return credential is not None and hmac.compare_digest(token.seal, self._seal(credential))

    def renew(self, token: Token) -> Issued:
        """Another token of the same session.

        Raises:
            TokenExpired: The session is too old.
        """
        if self._now().timestamp() > token.began + RENEWED_FOR.total_seconds():
            raise TokenExpired
        return self._issued(token)

    def _signed(self, token: Token) -> str:
        claims = {
            "sub": token.user,
            "login": token.login,
            "sid": token.session,
            "seal": token.seal,
            "began": token.began,
            "exp": self._expiry(),
            "dials": token.dials,
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, text: str) -> Token:
        """The content of a token that we signed and that has not expired.

        Raises:
            TokenExpired: It has expired.
            BadToken: It never was valid.
        """
        token = self._verified(text)
        if token.expires <= self._now().timestamp():
            raise TokenExpired
        return token

    def _verified(self, text: str) -> Token:
        """The content of a token with our signature, expired or not."""
        if len(text) > _LONGEST or not text.isascii():
            raise BadToken
        try:
            claims = jwt.decode(
                text, self._key, algorithms=[_ALGORITHM], options={"verify_exp": False, "verify_sub": False}
            )
            user, login, session, seal = (_text(claims[name]) for name in ("sub", "login", "sid", "seal"))
            began, expires = _instant(claims["began"]), _instant(claims["exp"])
            token = Token(user, login, session, seal, began, expires, claims.get("dials") is True)
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise BadToken from error
        return token


def _text(claim: Any) -> str:
    if not isinstance(claim, str):
        raise TypeError("a claim is no text")
    check_texts({}, {"claim": claim})
    return claim


def _instant(claim: Any) -> float:
    if type(claim) not in (int, float) or not isfinite(claim):
        raise ValueError("a claim is no instant")
    return float(claim)
