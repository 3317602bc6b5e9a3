"""Who is connected: no more than may be, no more from one address, and who has to go for a newcomer."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from attrs import define, field, frozen

from unique_account.http_server.networks import network

MOST_STRANGERS: Final = 512
"""How many connections may be no WebSockets: each may hold 50 kB of an answer that nobody takes."""


@define(eq=False)
class ClientConnection:
    """One connection.

    Attributes:
        address: Where it is from.
        source: What is counted of that.
        raw: Its socket.
        transport: Its transport, once it has one.
        stranger: Whether it is no WebSocket.
        idle: Whether it waits for its client, and may go for a newcomer.
        here: Whether it counts.
    """

    address: str
    raw: socket.socket
    transport: asyncio.Transport | None = None
    stranger: bool = True
    idle: bool = False
    here: bool = False
    source: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.source = network(self.address)

    def says(self) -> bytes | None:
        """The first byte that waits to be read: none if the client has left, None if it is silent."""
        try:
            return self.raw.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def end(self) -> None:
        """Cut the connection off."""
        if self.transport is None:
            self.raw.close()
        else:
            self.transport.abort()


class Proxies:
    """Addresses and networks of proxies that are believed about who is behind them; ``*`` is everywhere."""

    def __init__(self, named: Iterable[str]) -> None:
        self._names = frozenset(named)
        self._networks = tuple(network for name in self._names if (network := _network(name)))

    def __contains__(self, address: str) -> bool:
        if address in self._names or "*" in self._names:
            return True
        try:
            return any(ip_address(address) in network for network in self._networks)
        except ValueError:
            return False


def _network(name: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(name)
    except ValueError:
        return None


@frozen(weakref_slot=False)
class Limits:
    """How many connections there may be.

    Attributes:
        most: How many in all.
        of_address: How many from one address.
        proxies: The addresses that this does not count for.
    """

    most: int
    of_address: int
    proxies: Proxies


class ConnectionLimit:
    """Counts the connections of a server.

    Args:
        limits: How many there may be.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._strangers: dict[ClientConnection, None] = {}  # who has been one for the longest comes first
        self._sources: Counter[str] = Counter()
        self._count = 0

    @property
    def patient(self) -> bool:
        """Whether there is no room, and will be soon: strangers are at work, and none is idle."""
        return bool(self._strangers) and self._is_full() and self._idle() is None

    def admits(self, connection: ClientConnection) -> bool:
        """Count a newcomer, if there is room or somebody to go for it."""
        counts = connection.address not in self._limits.proxies
        if counts and self._sources[connection.source] >= self._limits.of_address:
            admitted = self._ends(self._idle(connection.source))
        elif self._is_full():
            admitted = self._ends(self._idle())
        else:
            admitted = True
        if admitted:
            connection.here = True
            self._count += 1
            self._strangers[connection] = None
            if counts:
                self._sources[connection.source] += 1
        return admitted

    def _is_full(self) -> bool:
        return self._count >= self._limits.most or len(self._strangers) >= MOST_STRANGERS

    def _idle(self, source: str | None = None) -> ClientConnection | None:
        """Who has been idle for the longest, of one source or of all."""
        return next((one for one in self._strangers if one.idle and source in (None, one.source)), None)

    def _ends(self, connection: ClientConnection | None) -> bool:
        if connection is None:
            return False
        self.leaves(connection)
        connection.end()
        return True

    def again(self, connection: ClientConnection) -> None:
        """A stranger was answered, and may ask again: others have waited longer."""
        if self._strangers.pop(connection, connection) is None:
            self._strangers[connection] = None

    def settles(self, connection: ClientConnection) -> None:
        """A stranger has become a WebSocket."""
        connection.stranger = False
        self._strangers.pop(connection, None)

    def leaves(self, connection: ClientConnection) -> None:
        """A connection is gone."""
        if not connection.here:
            return
        connection.here = False
        self._count -= 1
        self._strangers.pop(connection, None)
        if connection.address not in self._limits.proxies:
            self._sources[connection.source] -= 1
            if not self._sources[connection.source]:
                del self._sources[connection.source]
