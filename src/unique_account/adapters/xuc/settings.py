"""The settings of the CTI server, among them all that no public source documents of XiVO's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import field, frozen

from unique_account.core.machine import Device

SHORTEST_KEY: Final = 32
"""How many characters a key must have: one for each byte of the digest that it signs with."""

DEVICE_TYPES: Final[Mapping[str, Device]] = {
    "webrtc": Device.WEBRTC,
    "WebRTC": Device.WEBRTC,
    "deskphone": Device.DESKPHONE,
    "phone": Device.DESKPHONE,
    "Phone": Device.DESKPHONE,
}
"""The values of ``toggleUniqueAccountDevice``; XiVO's own are not documented."""


def _texts(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(texts)


@frozen(weakref_slot=False, kw_only=True)
class TurnServer:
    """A TURN server that checks credentials by a secret shared with us (coturn: ``use-auth-secret``).

    Attributes:
        urls: Its URLs, such as ``turn:turn.example.org:3478``.
        secret: The secret; in no repr.
        ttl: How long the credentials given to a browser are valid.
    """

    urls: tuple[str, ...] = field(converter=_texts)
    secret: str = field(repr=False)
    ttl: timedelta = timedelta(hours=24)


@frozen(weakref_slot=False, kw_only=True)
class XucSettings:
    """How the CTI server behaves.

    Attributes:
        key: What tokens are signed with, 32 characters or more; with another one all users have to log in
            again. In no repr.
        host: The address to listen on; a proxy with TLS stands before it.
        port: The port; 0: any free one.
        origins: Origins that may connect besides the server's own, such as ``https://xivo.example.org``.
        proxies: The addresses of proxies whose ``X-Forwarded`` headers are trusted.
        ttl: How long a token is valid.
        sockets: How many connections are allowed at once; fewer if the process may not open as many.
        sockets_per_address: How many of them may be from one address; proxies do not count, but the clients
            behind them do.
        sockets_per_user: How many WebSockets one user may have open.
        ringing_tabs: How many of them have the line: as many as the address of record allows contacts.
        device_types: The values of ``toggleUniqueAccountDevice``, and the device of each.
        preference_keys: The keys that users may set; None: any.
        time_zone: The time zone of XiVO's history.
        stun: STUN servers, such as ``stun:stun.example.org:3478``.
        turn: The TURN server, or None.
        store: The SQLite file of sessions and preferences; None: a restart ends all of them.

    Raises:
        ValueError: One of them is not allowed; the sentence begins with its name.
    """

    key: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 8090
    origins: tuple[str, ...] = field(default=(), converter=_texts)
    proxies: tuple[str, ...] = field(default=("127.0.0.1",), converter=_texts)
    ttl: timedelta = timedelta(hours=1)
    sockets: int = 20_000
    sockets_per_address: int = 2_000
    sockets_per_user: int = 16
    ringing_tabs: int = 3
    device_types: Mapping[str, Device] = field(factory=lambda: DEVICE_TYPES)
    preference_keys: frozenset[str] | None = None
    time_zone: str = "UTC"
    stun: tuple[str, ...] = field(default=(), converter=_texts)
    turn: TurnServer | None = None
    store: Path | None = None

    def __attrs_post_init__(self) -> None:
        if len(self.key) < SHORTEST_KEY:
            raise ValueError(f"key: has {len(self.key)} characters; {SHORTEST_KEY} or more")
        if self.ttl < timedelta(minutes=1):
            raise ValueError(f"ttl: is {self.ttl.total_seconds():g} s; 60 or more")
        for name in ("sockets", "sockets_per_address", "sockets_per_user", "ringing_tabs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: is {getattr(self, name)}; 1 or more")
        _zone(self.time_zone)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of XiVO's history."""
        return _zone(self.time_zone)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"time_zone: {name!r} is not known here, as Europe/Paris may be") from error
