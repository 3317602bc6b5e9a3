"""The tables on the group of processes that one belongs to, and on the bus over which groups talk."""

from __future__ import annotations

import socket
from typing import Final
from urllib.parse import quote

from attrs import field, frozen
from attrs.validators import deep_iterable

from unique_account.cluster.times import Times
from unique_account.serve.config import checks
from unique_account.serve.config.checks import matching
from unique_account.serve.config.secret import Secret

DEFAULT_GROUP: Final = "default"
"""The group of an installation that has only one."""


@frozen(weakref_slot=False, kw_only=True)
class BusSettings:
    """A RabbitMQ broker: XiVO's bus, and presences of other groups of nodes.

    Attributes:
        url: Where it is and as whom to log in, without the password; its path is the virtual host.
        password: The password.
        exchange: The exchange of XiVO's bus.
        group: The name of the group that this installation's nodes are; each group has another one. Where
            there is a table ``cluster``, its group counts.
        presences: The exchange over which groups exchange presences.
    """

    url: str = field(
        validator=matching(
            r"amqps?://[^\s:@/?]+@[^\s@/?]+(/[^\s@?]*)?(\?(?!\S*password)\S*)?",
            "an address such as amqp://USER@HOST/VHOST, with no password in it",
        )
    )
    password: Secret
    exchange: str = field(default="xivo", validator=checks.named)
    group: str = field(
        default=DEFAULT_GROUP, validator=matching(r"[0-9A-Za-z_.+-]{1,60}", "a name of a group")
    )
    presences: str = field(default="unique_account.presences", validator=checks.named)

    def address(self) -> str:
        """The address with the password in it, which is for nobody's eyes.

        Raises:
            ValueError: The password is not there any more.
        """
        user, _, rest = self.url.partition("@")
        return f"{user}:{quote(self.password.look_up(), safe='')}@{rest}"


_address: Final = matching(r"(https?://[^\s?#]+)?", "an address that begins with https://")


@frozen(weakref_slot=False, kw_only=True)
class ClusterSettings:
    """A process that is one of several that serve the same group of nodes.

    Attributes:
        group: The group; its processes have the same accounts, nodes and users.
        name: The name of this process, which no other one of the group has.
        address: Where browsers reach this process, such as ``https://one.example.org``.
        addresses: Where browsers reach each process of the installation, this one among them.
        browsers: Whether pages are sent to the owner (``redirect``) or passed through to it (``pass``), since
            they can reach one process only.
        times: How long the processes wait for each other, in seconds.
    """

    group: str = field(default=DEFAULT_GROUP, validator=checks.named)
    name: str = field(factory=socket.gethostname, validator=checks.named)
    address: str = field(default="", validator=_address)
    addresses: tuple[str, ...] = field(default=(), validator=deep_iterable(_address))
    browsers: str = field(default="redirect", validator=matching("redirect|pass", "redirect or pass"))
    times: Times = field(factory=Times)
