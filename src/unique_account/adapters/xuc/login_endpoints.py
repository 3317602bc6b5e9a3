"""Log-ins over HTTP: a token for a password, a new token for an old one, and the log-out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from unique_account.adapters.xuc.auth.address_turns import AddressTurns, TooManyWaiting
from unique_account.adapters.xuc.auth.throttle import Throttle
from unique_account.adapters.xuc.auth.tokens import BadToken, Token, TokenExpired
from unique_account.adapters.xuc.hub import Hub
from unique_account.adapters.xuc.protocol.error_messages import ErrorId, ErrorMessage, described
from unique_account.adapters.xuc.protocol.incoming import decoded
from unique_account.adapters.xuc.storage.store import LogoutNotStored
from unique_account.core.errors import UniqueAccountError
from unique_account.ports.assistant_store import StoreFailed
from unique_account.ports.login_attempts import LoginAttempts, TooManyAttempts
from unique_account.ports.observer import PortRequest

LARGEST_BODY: Final = 4096

BODY_WITHIN: Final = 10.0
"""Within how many seconds the body of a log-in has to arrive."""

OUR_PAGE: Final = "unique-account"
"""The ``applicationType`` of clients that have the browser dial on command: the page of this project."""

AT_ONCE: Final = 1
"""How many passwords are checked at once: checking one takes a core, and memory, on purpose.

With two at once, two cores would have no time left for logged-in users.
"""

MOST_WAITING: Final = 100
"""How many may be checked or wait for it; their addresses take turns."""


class Denied(UniqueAccountError):
    """A request is answered with an error.

    Attributes:
        status: The HTTP status.
        word: The error in one word.
        id: The error as an id, by which a client finds words.
        headers: More headers of the answer.
    """

    def __init__(
        self,
        status: int,
        word: str,
        sentence: str,
        id: ErrorId = ErrorId.INVALID_MESSAGE,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.word = word
        self.id = id
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The answer."""
        parameters = {"seconds": self.headers["Retry-After"]} if "Retry-After" in self.headers else {}
        body = {"error": self.word, **ErrorMessage(self.id, str(self), parameters).fields()}
        return _json(body, self.status, self.headers)


def _json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(body, status, {"Cache-Control": "no-store", **(headers or {})})


class LoginEndpoints:
    """Answers the requests about tokens.

    Args:
        hub: The users at the server.
        attempts: The attempts to log in at all processes; None: there is only this one.
    """

    def __init__(self, hub: Hub, attempts: LoginAttempts | None = None) -> None:
        self._hub = hub
        self._throttle = Throttle(time.monotonic, hub.settings.key, hub.observer, attempts)
        self._turns = AddressTurns(AT_ONCE)

    async def log_in(self, request: Request) -> Response:
        """``POST /xuc/api/2.0/auth/login``."""
        return await self._answered(self._log_in, request)

    async def check(self, request: Request) -> Response:
        """``GET /xuc/api/2.0/auth/check``."""
        return await self._answered(self._check, request)

    async def log_out(self, request: Request) -> Response:
        """``POST /xuc/api/2.0/auth/logout``."""
        return await self._answered(self._log_out, request)

    async def _answered(self, answer: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
        try:
            return await answer(request)
        except Denied as denied:
            return denied.response()
        except StoreFailed as error:
            said = described(error)
            return Denied(503, "UnhandledError", said.sentence, ErrorId(said.id)).response()
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            self._hub.observer.failed(PortRequest("cti", request.url.path), error)
            return Denied(500, "UnhandledError", "something went wrong here", ErrorId.UNHANDLED).response()

    async def _log_in(self, request: Request) -> Response:
        login, password, application = _credentials(await _body(request))
        address = request.client.host if request.client else ""
        credential = await self._hub.directory.credential(login)  # before the check: it may change meanwhile
        try:
            async with self._throttle.attempt(login, address, known=credential is not None) as attempt:
                await asyncio.sleep(attempt.delay)
                user = await self._authenticated(login, password, attempt.source)
                attempt.right = user is not None and credential is not None
        except TooManyAttempts as error:
            later = {"Retry-After": str(int(error.wait) + 1)}
            raise Denied(429, "TooManyAttempts", str(error), ErrorId.TOO_MANY_ATTEMPTS, later) from error
        if user is None or credential is None:
            sentence = "login and password do not match"
            raise Denied(401, "InvalidCredentials", sentence, ErrorId.WRONG_PASSWORD)
        token = await self._hub.log_ins.log_in(user, login, credential, dials=application == OUR_PAGE)
        return self._token(login, token)

    async def _authenticated(self, login: str, password: str, source: str) -> str | None:
        try:
            async with self._turns.of(source, MOST_WAITING):
                return await self._hub.directory.authenticate(login, password)
        except TooManyWaiting as error:
            sentence = "too many log in at once; try again"
            later = {"Retry-After": "5"}
            raise Denied(503, "UnhandledError", sentence, ErrorId.TOO_MANY_LOG_INS, later) from error

    async def _check(self, request: Request) -> Response:
        token = await self._bearer(request)
        try:
            renewed = await self._hub.log_ins.renew(token)
        except TokenExpired as error:
            raise Denied(401, "TokenExpired", str(error), ErrorId.SESSION_OVER) from error
        return self._token(token.login, renewed)

    async def _log_out(self, request: Request) -> Response:
        token = await self._bearer(request)
        try:
            await self._hub.log_out(token.user, token.session)
        except LogoutNotStored as error:
            raise Denied(503, "UnhandledError", str(error), ErrorId.LOGOUT_NOT_STORED) from error
        return Response(status_code=204, headers={"Cache-Control": "no-store"})

    async def _bearer(self, request: Request) -> Token:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        try:
            return await self._hub.log_ins.token(text.strip() if scheme.lower() == "bearer" else "")
        except TokenExpired as error:
            raise Denied(401, "TokenExpired", str(error), ErrorId.SESSION_OVER) from error
        except BadToken as error:
            raise Denied(401, "InvalidCredentials", str(error), ErrorId.SESSION_OVER) from error

    def _token(self, login: str, token: str) -> Response:
        ttl = int(self._hub.settings.ttl.total_seconds())
        return _json({"login": login, "token": token, "TTL": ttl})


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST_BODY:
                    sentence = f"the body has more than {LARGEST_BODY} bytes"
                    raise Denied(413, "InvalidJson", sentence, headers={"Connection": "close"})
    except TimeoutError as error:
        headers = {"Connection": "close"}
        raise Denied(408, "InvalidJson", "the body took too long", headers=headers) from error
    return bytes(body)


def _credentials(body: bytes) -> tuple[str, str, object]:
    """The login, the password, and what the client says that it is."""
    try:
        document: Any = decoded(body)
    except (ValueError, RecursionError) as error:
        raise Denied(400, "InvalidJson", "the body is not JSON") from error
    if not isinstance(document, dict):
        raise Denied(400, "InvalidJson", "the body is not a JSON object")
    login, password = document.get("login"), document.get("password")
    if not isinstance(login, str) or not isinstance(password, str) or len(login) > 256:
        raise Denied(400, "InvalidJson", "login and password have to be text")
    return login, password, document.get("applicationType")
