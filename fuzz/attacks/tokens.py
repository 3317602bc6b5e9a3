"""Forged tokens, by HTTP and by WebSocket, on a server that issues real ones."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Any, Final

import jwt

from fuzz.attacks.attack import Attack
from fuzz.attacks.bystander import bystander
from fuzz.attacks.server import remote
from fuzz.cti_server import KEY, ROOT, ServerPort
from fuzz.target import require
from fuzz.users import BYSTANDER

_OTHER_KEYS: Final = ("", "x" * 32, KEY[::-1], KEY.upper(), KEY + " ", "null")
_KINDS: Final = ("none", "None", "NONE", "HS384", "HS512", "RS256", "ES256", "EdDSA", "", "hs256")
_NAMES: Final = ("sub", "login", "sid", "seal", "began", "exp")
_VALUES: Final[tuple[Any, ...]] = (None, True, 0, -1, 1e308, "", [], {}, "bystander")


def forged(good: str) -> Iterator[str]:
    """Tokens that nobody issued, made of one that was, without the key that signs them."""
    head, body, seal = good.split(".")
    claims = json.loads(_plain(body))
    for key in _OTHER_KEYS:
        yield f"{_signed({'alg': 'HS256', 'typ': 'JWT'}, claims, key)}"
    for kind in _KINDS:
        yield f"{_packed({'alg': kind, 'typ': 'JWT'})}.{body}."
        yield f"{_packed({'alg': kind, 'typ': 'JWT'})}.{body}.{seal}"
    for name in _NAMES:
        for value in _VALUES:
            yield f"{head}.{_packed({**claims, name: value})}.{seal}"
    for name in _NAMES:
        yield f"{head}.{_packed({other: claims[other] for other in claims if other != name})}.{seal}"
    yield from _broken(head, body, seal)


def _broken(head: str, body: str, seal: str) -> Iterator[str]:
    """Tokens that are cut, doubled, empty or of other parts."""
    yield from ("", ".", "..", "...", "null", "undefined", "a.b.c", head, f"{head}.{body}", f"{head}.{body}.")
    yield from (f"{head}.{body}.{seal}.{seal}", f"{body}.{head}.{seal}", f"{head}.{body}.{seal[:-4]}")
    yield from (
        f"{head}.{body}.{seal[::-1]}",
        f"{head}.{body}.{'A' * len(seal)}",
        f"{head}.{body[:-4]}.{seal}",
    )
    embedded = _packed({"alg": "HS256", "typ": "JWT", "jwk": {"kty": "oct", "k": _text(b"x" * 32)}})
    located = _packed({"alg": "HS256", "kid": "../../../../dev/null", "jku": "http://127.0.0.1:1/keys"})
    for odd in (embedded, located):
        for key in ("", "x" * 32):
            yield f"{odd}.{body}.{_seal(f'{odd}.{body}', key)}"
    yield f"{head}.{body}.{seal}" + "A" * 5000
    yield f"{head}.{body}.{seal}".lower()


def _plain(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _packed(part: object) -> str:
    return _text(json.dumps(part).encode())


def _seal(text: str, key: str) -> str:
    algorithm = jwt.get_algorithm_by_name("HS256")
    return _text(algorithm.sign(text.encode(), key.encode()))


def _signed(head: object, claims: object, key: str) -> str:
    text = f"{_packed(head)}.{_packed(claims)}"
    return f"{text}.{_seal(text, key)}"


async def forged_tokens(attempts: int) -> str:
    """Show so many forged tokens, each by HTTP and by WebSocket."""
    async with remote() as server, bystander(server) as delays:
        good = await server.server_port.log_in("alice")
        tokens = [token for _, token in zip(range(attempts), forged(good), strict=False)]
        for token in tokens:
            await _is_refused(server.server_port, token)
        require(
            await _is_good(server.server_port, good), "a real token is refused, so that nothing was tried"
        )
        await server.check()
    return f"{len(tokens):,} forged tokens, by HTTP and by WebSocket each: all are refused; {delays}"


async def _is_refused(door: ServerPort, token: str) -> None:
    require(not await _is_good(door, token), f"a forged token is good: {token[:200]}")
    socket = await door.socket(token)
    await socket.until(lambda said: b"LoggedO" in said)
    require(b"LoggedOnError" in socket.said, f"a forged token opens a socket: {token[:200]}")
    require(BYSTANDER.id.encode() not in socket.said, "a refusal names somebody")
    socket.abort()


async def _is_good(door: ServerPort, token: str) -> bool:
    status, _ = await door.request(f"GET {ROOT}/auth/check HTTP/1.1\r\nAuthorization: Bearer {token}")
    require(status in (200, 401), f"a token is answered with {status}")
    return status == 200


ATTACK: Final = Attack(name="tokens", attempts=108, made=forged_tokens)
