"""Connecting to an Asterisk's manager interface: where it is, as whom to log in, and when to try again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from hashlib import md5
from random import Random
from typing import Final

from attrs import field, frozen
from attrs.validators import ge, le

from unique_account.adapters.asterisk.ami.connection import ActionRefused, Connection
from unique_account.core.errors import Unreachable

MANAGER_PORT: Final = 5038
"""The port on which Asterisk's manager interface listens unless configured otherwise."""

CONNECTS_WITHIN: Final = 5.0
"""How many seconds it may take to connect and to log in."""

LONGEST_DELAY: Final = 30.0
"""How many seconds at most pass between two attempts to connect."""


@frozen(weakref_slot=False, kw_only=True)
class ManagerLogin:
    """An account of ``manager.conf``, on one Asterisk.

    It needs ``read = call,system,user`` and ``write = call,system,command,reporting,originate``.

    Attributes:
        username: The name of the account's section.
        secret: Its secret; in no repr, log or error.
        host: The name or address of the Asterisk.
        port: The port of its manager interface.
    """

    username: str
    secret: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = field(default=MANAGER_PORT, validator=[ge(1), le(65535)])


@asynccontextmanager
async def connect(login: ManagerLogin, events: str = "off") -> AsyncIterator[Connection]:
    """A connection that is logged in; closed when the context is left.

    Args:
        login: Where to, and as whom.
        events: The classes of events to receive, as ``manager.conf`` names them.

    Raises:
        Unreachable: There is none within `CONNECTS_WITHIN`, or the log-in is refused.
    """
    where = f"{login.host}:{login.port}"
    try:
        async with asyncio.timeout(CONNECTS_WITHIN):
            connection = Connection(*await asyncio.open_connection(login.host, login.port))
            try:
                await _log_in(connection, login, events)
            except BaseException:
                await connection.aclose()
                raise
    except ActionRefused as error:
        raise Unreachable(f"{where}: {error}; log-in as {login.username}") from None
    except TimeoutError:
        raise Unreachable(f"{where} did not answer within {CONNECTS_WITHIN:g} s") from None
    except OSError as error:
        raise Unreachable(f"{where}: {error}") from error
    try:
        yield connection
    finally:
        await connection.aclose()


async def _log_in(connection: Connection, login: ManagerLogin, events: str) -> None:
    """Log in without sending the secret, and ask for events of some classes."""
    challenge = (await connection.act("Challenge", ("AuthType", "MD5")))["Challenge"]
    key = md5(f"{challenge}{login.secret}".encode(), usedforsecurity=False).hexdigest()
    headers = (("AuthType", "MD5"), ("Username", login.username), ("Key", key), ("Events", events))
    await connection.act("Login", *headers)
    connection.keep_alive()


def delays(random: Random) -> Iterator[float]:
    """How many seconds to wait before each further attempt to connect: none at first, then longer and longer.

    Each is random, so that nodes that come back together are not all asked at once.
    """
    yield 0.0
    delay = 0.5
    while True:
        yield delay * random.uniform(0.5, 1.0)
        delay = min(2 * delay, LONGEST_DELAY)
