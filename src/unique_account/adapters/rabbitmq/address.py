"""Where a broker is: the address with its password, and the name that people are shown."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen
from yarl import URL

from unique_account.adapters.rabbitmq.errors import UnusableBroker

HEARTBEAT: Final = 5
"""Every how many seconds a connection proves that it is alive, unless the address says otherwise."""

_PORTS: Final = {"amqp": 5672, "amqps": 5671}


@frozen(weakref_slot=False)
class BrokerAddress:
    """The address of a broker.

    Attributes:
        url: All of it, the password included.
        place: Host, port and virtual host, for people.
    """

    url: str = field(repr=False)
    place: str


def broker_address(url: str) -> BrokerAddress:
    """The address that a text means.

    Raises:
        UnusableBroker: It is none; the sentence quotes nothing of it, since it may hold a password.
    """
    try:
        parsed = URL(url)
        host, port = parsed.host, parsed.port
    except ValueError:
        host = port = parsed = None
    if parsed is None or not host or parsed.scheme not in _PORTS:
        malformed = "its address is malformed; see amqp://USER:PASSWORD@HOST:PORT/VHOST"
        raise UnusableBroker("given", malformed) from None
    if "heartbeat" not in parsed.query:
        parsed = parsed.update_query(heartbeat=HEARTBEAT)
    virtual_host = parsed.path.removeprefix("/")
    shown = f"[{host}]" if ":" in host else host
    return BrokerAddress(str(parsed), f"{shown}:{port or _PORTS[parsed.scheme]}/{virtual_host}")
