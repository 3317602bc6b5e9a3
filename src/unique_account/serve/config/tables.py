"""The tables of a configuration, and what each key means."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from attrs import field, frozen
from attrs.validators import optional

from unique_account.adapters.asterisk import CONTROLLABLE_PHONES, MANAGER_PORT, WebSocket
from unique_account.core.account import DEFAULT_LEASE
from unique_account.core.errors import InvalidFields
from unique_account.core.routing import DEFAULT_OWNER
from unique_account.serve.config import checks
from unique_account.serve.config.checks import between, matching
from unique_account.serve.config.group_tables import DEFAULT_GROUP, BusSettings, ClusterSettings
from unique_account.serve.config.secret import Secret

NO_SECRET: Final = 'is missing; for example secret.file = "ami.secret"'


class NodeKind(StrEnum):
    """What a PBX node is."""

    ASTERISK = "asterisk"
    MEMORY = "memory"
    """A double within the process, for a look at the command without a PBX."""


@frozen(weakref_slot=False, kw_only=True)
class NamedFile:
    """A file that the configuration names.

    Attributes:
        file: Its name.
    """

    file: str = field(validator=checks.path)


@frozen(weakref_slot=False, kw_only=True)
class NodeSettings:
    """One PBX node.

    Attributes:
        name: The media server's name, as users name it; ``default`` is the main one.
        group: The group of processes that serve it; that of this one if it is empty.
        kind: An Asterisk, or a double of one.
        host: Where its manager interface is.
        port: The port of its manager interface.
        username: As whom to log in there.
        secret: The secret of that name.
        sip: Where other nodes reach it, as ``host:port``; needed with several Asterisks, for their trunks.
        websocket: How browsers reach it: ``wss``, or ``ws`` behind a proxy that speaks TLS.
        proxy_path: The path of its own under which the web proxy reaches it; the main one needs none (A4).
        passwords: The rendered file with its phones' passwords, for browsers; that of the UC Assistant if it
            is None.
        controllable: How the ``User-Agent`` of its phones begins that obey the *talk* and *hold* events (C1).
    """

    name: str = field(default="default", validator=checks.named)
    group: str = field(default="", validator=matching(r"[0-9A-Za-z_.+-]*", "the name of a group"))
    kind: NodeKind = NodeKind.ASTERISK
    host: str = field(default="127.0.0.1", validator=checks.host)
    port: int = field(default=MANAGER_PORT, validator=checks.port)
    username: str = field(default="unique_account", validator=checks.named)
    secret: Secret | None = None
    sip: str | None = None
    websocket: WebSocket = WebSocket.WSS
    proxy_path: str = ""
    passwords: NamedFile | None = None
    controllable: tuple[str, ...] = CONTROLLABLE_PHONES

    def __attrs_post_init__(self) -> None:
        problems = []
        if "" in self.controllable:
            problems.append("controllable: one is empty, and would be any phone")
        if self.kind is NodeKind.ASTERISK and self.secret is None and not self.group:
            problems.append(f"secret: {NO_SECRET}")
        if self.sip is not None and not re.fullmatch(r"[0-9A-Za-z_.-]+(:[0-9]{1,5})?", self.sip):
            problems.append("sip: is not a SIP address, such as 10.0.0.2:5060")
        if problems:
            raise InvalidFields(problems)


@frozen(weakref_slot=False, kw_only=True)
class ConfdSettings:
    """XiVO's confd, which is only read.

    Attributes:
        url: Where its REST interface is, up to the version, such as ``https://xivo:9486/1.1``.
        token: The token that is sent with each request, where confd asks for one.
        every: How often it is asked, in seconds.
        webrtc_option: The value of a SIP line's option ``webrtc`` that makes it a Unique Account.
        webrtc_suffix: What the WebRTC endpoint's name has after the deskphone's.
        technology: What comes before an endpoint's name, as in ``PJSIP/alice``.
        id: The field of confd's users that is the user's id.
        media_server: The node that carries its users.
        page: How many items are asked for at once.
    """

    url: str = field(
        validator=matching(r"https?://[^\s?#]+", "an address that begins with http:// or https://")
    )
    token: Secret | None = None
    every: int = field(default=60, validator=between(5, 86400))
    webrtc_option: str = "ua"
    webrtc_suffix: str = field(default="_w", validator=checks.named)
    technology: str = field(default="PJSIP", validator=checks.named)
    id: str = field(default="username", validator=checks.named)
    media_server: str = field(default="default", validator=checks.named)
    page: int = field(default=500, validator=between(1, 10000))


@frozen(weakref_slot=False, kw_only=True)
class UsersSettings:
    """Where users come from.

    Attributes:
        file: A TOML file of ``[[users]]``, or XiVO's CSV if its name ends in ``.csv``.
        confd: XiVO's confd.
    """

    file: str | None = field(default=None, validator=optional(checks.path))
    confd: ConfdSettings | None = None

    def __attrs_post_init__(self) -> None:
        if (self.file is None) == (self.confd is None):
            raise InvalidFields(("file: needs to be there, or else the table confd; one of them",))


@frozen(weakref_slot=False, kw_only=True)
class PostgresqlSettings:
    """A PostgreSQL database.

    Attributes:
        url: Where it is and as whom to log in, without the password.
        password: The password; None where PostgreSQL asks for none, or ``~/.pgpass`` has it.
    """

    url: str = field(
        validator=matching(
            r"postgres(ql)?://(?!\S*password=)[^\s:@/?]+@[^\s@?]+(\?\S*)?",
            "an address such as postgresql://USER@HOST/NAME, with no password in it",
        )
    )
    password: Secret | None = None

    def address(self) -> str:
        """The address with the password in it, which is for nobody's eyes.

        Raises:
            ValueError: The password is not there any more.
        """
        if self.password is None:
            return self.url
        user, _, rest = self.url.partition("@")
        return f"{user}:{quote(self.password.look_up(), safe='')}@{rest}"


@frozen(weakref_slot=False, kw_only=True)
class AccountsSettings:
    """Where accounts are kept, and the calls that are over.

    Attributes:
        file: A SQLite file; made if it is not there.
        postgresql: A PostgreSQL database.
    """

    file: str | None = field(default=None, validator=optional(checks.path))
    postgresql: PostgresqlSettings | None = None

    def __attrs_post_init__(self) -> None:
        if (self.file is None) == (self.postgresql is None):
            raise InvalidFields(("file: needs to be there, or else the table postgresql; one of them",))


@frozen(weakref_slot=False, kw_only=True)
class AssistantSettings:
    """The UC Assistant: where it is, who may log in, and how browsers register as WebRTC lines.

    Attributes:
        people: The directory: logins, names and who may see whom.
        key: What tokens are signed with, 32 characters or more.
        passwords: The rendered file with the phones' passwords, of those nodes that name none.
        sip: Where browsers reach the main node by SIP, such as ``wss://pbx.example.org/ws``.
        domain: The domain of SIP addresses there; that of ``sip`` if it is empty.
        host: The address to listen on; a proxy that speaks TLS comes before it.
        port: The port; 0 for any that is free.
        origins: Whose pages may connect besides its own.
        proxies: The addresses of proxies that are believed about who is behind them.
        sockets_per_address: How many connections there may be from one address.
        stun: STUN servers, such as ``stun:stun.example.org:3478``.
        time_zone: The time zone in which the history shows when a call began.
        store: The SQLite file that keeps sessions and users' preferences. None: where the accounts are; in
            PostgreSQL all processes share them, and count log-ins together.
    """

    people: NamedFile
    key: Secret
    passwords: NamedFile
    sip: str = field(validator=matching(r"wss?://[^\s?#]+", "an address that begins with wss:// or ws://"))
    domain: str = field(default="", validator=matching(r"[0-9A-Za-z_.:-]*", "a domain"))
    host: str = field(default="127.0.0.1", validator=checks.host)
    port: int = field(default=8090, validator=between(0, 65535))
    origins: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ("127.0.0.1",)
    sockets_per_address: int = field(default=2000, validator=between(1, 1000000))
    stun: tuple[str, ...] = ()
    time_zone: str = "UTC"
    store: NamedFile | None = None


@frozen(weakref_slot=False, kw_only=True)
class MonitorSettings:
    """Where ``/health`` and ``/metrics`` are served.

    Attributes:
        host: The address to listen on; loopback, unless somebody else keeps strangers out.
        port: The port; 0 for any that is free.
    """

    host: str = field(default="127.0.0.1", validator=checks.host)
    port: int = field(default=9415, validator=between(0, 65535))


class Level(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@frozen(weakref_slot=False, kw_only=True)
class LogSettings:
    """What is logged, and how.

    Attributes:
        level: How much.
        json: One JSON object on each line, instead of text for people.
    """

    level: Level = Level.INFO
    json: bool = False


@frozen(weakref_slot=False, kw_only=True)
class Config:
    """A whole configuration.

    Attributes:
        users: Where users come from.
        accounts: Where accounts are kept.
        nodes: The PBX nodes, those of other groups included; one of its own at least.
        assistant: The UC Assistant, or None for none.
        bus: The bus, or None for none.
        monitor: Where health and metrics are served.
        log: What is logged.
        lease: How long a session that vanished holds its account, in seconds (S5).
        owner: Under which name plans are installed.
        cluster: The group of processes that this one is of; None: it is alone.
    """

    users: UsersSettings
    accounts: AccountsSettings
    nodes: tuple[NodeSettings, ...]
    assistant: AssistantSettings | None = None
    bus: BusSettings | None = None
    monitor: MonitorSettings = field(factory=MonitorSettings)
    log: LogSettings = field(factory=LogSettings)
    lease: timedelta = field(default=DEFAULT_LEASE, validator=checks.lease)
    owner: str = field(default=DEFAULT_OWNER, validator=checks.named)
    cluster: ClusterSettings | None = None

    def __attrs_post_init__(self) -> None:
        names = [node.name for node in self.nodes]
        problems = [] if names else ["nodes: are none; a table [[nodes]] for each PBX"]
        problems += [f"nodes: two are named {name}" for name in sorted(set(names)) if names.count(name) > 1]
        asked = self.users.confd
        if asked and names and asked.media_server not in names:
            problems.append(f"users.confd.media_server: is {asked.media_server}, which is none of the nodes")
        if self.cluster and not self.accounts.postgresql:
            problems.append(
                "cluster: needs the table accounts.postgresql; in that database processes agree who serves"
            )
        problems += self._problems_of_groups()
        if self.cluster and self.bus and self.bus.group not in (DEFAULT_GROUP, self.cluster.group):
            problems.append("bus.group: is not that of the table cluster; leave it out, and that one counts")
        if problems:
            raise InvalidFields(problems)

    def _problems_of_groups(self) -> list[str]:
        problems = []
        if self.nodes and not self.own_nodes:
            problems.append(f"nodes: none is of the group {self.group}")
        if self.other_nodes and not self.cluster:
            problems.append(
                f"nodes: {self.other_nodes[0].name} is of another group, which needs the table cluster"
            )
        problems += [
            f"nodes: the secret of {node.name} {NO_SECRET}"
            for node in self.own_nodes
            if node.group and node.kind is NodeKind.ASTERISK and node.secret is None
        ]
        return problems

    @property
    def group(self) -> str:
        """The group of processes that this one is of."""
        if self.cluster:
            return self.cluster.group
        return self.bus.group if self.bus else DEFAULT_GROUP

    @property
    def own_nodes(self) -> tuple[NodeSettings, ...]:
        """The nodes that this process serves."""
        return tuple(node for node in self.nodes if node.group in ("", self.group))

    @property
    def other_nodes(self) -> tuple[NodeSettings, ...]:
        """The nodes that other groups serve."""
        return tuple(node for node in self.nodes if node.group not in ("", self.group))
