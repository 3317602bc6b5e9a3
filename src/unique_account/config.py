"""What ``unique-account serve`` is told by its TOML file.

A configuration is read as a whole: every problem that is found is reported at once, each with its place,
such as ``nodes[1].port: is 0; from 1 to 65535``. Files that it names are looked for beside it. Secrets
are not in it: they come from files of their own or from environment variables.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

from attrs import Attribute, field, frozen

from unique_account.adapters.asterisk import MANAGER_PORT, WebSocket
from unique_account.core.account import DEFAULT_LEASE
from unique_account.core.errors import InvalidFields, UniqueAccountError
from unique_account.core.routing import DEFAULT_OWNER
from unique_account.documents import InvalidDocument, from_document

T = TypeVar("T")


class InvalidConfig(UniqueAccountError, ValueError):
    """A configuration cannot be used.

    Attributes:
        name: The file's name.
        problems: One ``path: what is wrong`` for each problem.
    """

    def __init__(self, name: str, problems: Iterable[str]) -> None:
        self.name = name
        self.problems = tuple(problems)
        super().__init__(name, self.problems)

    def __str__(self) -> str:
        return "\n  ".join((f"{self.name} cannot be used:", *self.problems))


# -- what a field may be -----------------------------------------------------------------------------

_Check = Callable[[Any, "Attribute[Any]", T], None]


def _between(least: float, most: float) -> _Check[Any]:
    def check(_: object, __: Attribute[Any], value: float) -> None:
        if not least <= value <= most:
            raise ValueError(f"is {value:g}; from {least:g} to {most:g}")

    return check


def _matching(form: str, what: str) -> _Check[str]:
    def check(_: object, __: Attribute[str], value: str) -> None:
        if not re.fullmatch(form, value):
            raise ValueError(f"is not {what}")

    return check


_port: Final = _between(1, 65535)
_named: Final = _matching(r"[0-9A-Za-z_.+-]+", "a name of letters, digits and _ . + -")
_host: Final = _matching(r"[0-9A-Za-z_.:-]+", "the name or address of a host")
_path: Final = _matching(r"[^\0]+", "the name of a file")


def _lease(_: object, __: Attribute[timedelta], value: timedelta) -> None:
    if value < timedelta(0):
        raise ValueError(f"is {value.total_seconds():g}; 0 seconds or more")


# -- the tables --------------------------------------------------------------------------------------


@frozen(weakref_slot=False, kw_only=True)
class Secret:
    """A secret that stands elsewhere: in a file, or in an environment variable.

    Attributes:
        file: The file whose first line it is.
        env: The variable that holds it.
    """

    file: str | None = None
    env: str | None = None

    def __attrs_post_init__(self) -> None:
        if (self.file is None) == (self.env is None):
            raise InvalidFields(("file: needs to be there, or else env; one of them",))

    def look_up(self, environ: Mapping[str, str] = os.environ) -> str:
        """The secret itself.

        Raises:
            ValueError: It is not there; the sentence says where it was looked for.
        """
        if self.env is not None:
            found, where = environ.get(self.env, ""), f"the environment variable {self.env}"
        else:
            where = str(self.file)
            try:
                found = Path(where).read_text("utf-8").partition("\n")[0].strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"{where} cannot be read: {_reason(error)}") from error
        if not found or not found.isprintable():
            raise ValueError(f"{where} holds no secret")
        return found


class NodeKind(StrEnum):
    """What a PBX node is."""

    ASTERISK = "asterisk"
    MEMORY = "memory"
    """A double within the process, for a look at the command without a PBX."""


@frozen(weakref_slot=False, kw_only=True)
class NodeSettings:
    """One PBX node.

    Attributes:
        name: The media server's name, as users name it; ``default`` is the main one.
        kind: An Asterisk, or a double of one.
        host: Where its manager interface is.
        port: The port of its manager interface.
        username: As whom to log in there.
        secret: The secret of that name.
        sip: Where other nodes reach it, as ``host:port``; needed with several nodes, for their trunks.
        websocket: How browsers reach it: ``wss``, or ``ws`` behind a proxy that speaks TLS.
        proxy_path: The path of its own under which the web proxy reaches it; the main one needs none (A4).
    """

    name: str = field(default="default", validator=_named)
    kind: NodeKind = NodeKind.ASTERISK
    host: str = field(default="127.0.0.1", validator=_host)
    port: int = field(default=MANAGER_PORT, validator=_port)
    username: str = field(default="unique_account", validator=_named)
    secret: Secret | None = None
    sip: str | None = None
    websocket: WebSocket = WebSocket.WSS
    proxy_path: str = ""

    def __attrs_post_init__(self) -> None:
        problems = []
        if self.kind is NodeKind.ASTERISK and self.secret is None:
            problems.append('secret: is missing; for example secret.file = "ami.secret"')
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
        validator=_matching(r"https?://[^\s?#]+", "an address that begins with http:// or https://")
    )
    token: Secret | None = None
    every: int = field(default=60, validator=_between(5, 86400))
    webrtc_option: str = "ua"
    webrtc_suffix: str = field(default="_w", validator=_named)
    technology: str = field(default="PJSIP", validator=_named)
    id: str = field(default="username", validator=_named)
    media_server: str = field(default="default", validator=_named)
    page: int = field(default=500, validator=_between(1, 10000))


@frozen(weakref_slot=False, kw_only=True)
class UsersSettings:
    """Where users come from.

    Attributes:
        file: A TOML file of ``[[users]]``, or XiVO's CSV if its name ends in ``.csv``.
        confd: XiVO's confd.
    """

    file: str | None = None
    confd: ConfdSettings | None = None

    def __attrs_post_init__(self) -> None:
        if (self.file is None) == (self.confd is None):
            raise InvalidFields(("file: needs to be there, or else the table confd; one of them",))


@frozen(weakref_slot=False, kw_only=True)
class AccountsSettings:
    """Where accounts are kept.

    Attributes:
        file: A SQLite file; made if it is not there.
    """

    file: str = field(validator=_path)


@frozen(weakref_slot=False, kw_only=True)
class MonitorSettings:
    """Where ``/health`` and ``/metrics`` are served.

    Attributes:
        host: The address to listen on; loopback, unless somebody else keeps strangers out.
        port: The port; 0 for any that is free.
    """

    host: str = field(default="127.0.0.1", validator=_host)
    port: int = field(default=9415, validator=_between(0, 65535))


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
        nodes: The PBX nodes, one at least.
        monitor: Where health and metrics are served.
        log: What is logged.
        lease: How long a session that vanished holds its account, in seconds (S5).
        owner: Under which name plans are installed.
    """

    users: UsersSettings
    accounts: AccountsSettings
    nodes: tuple[NodeSettings, ...]
    monitor: MonitorSettings = field(factory=MonitorSettings)
    log: LogSettings = field(factory=LogSettings)
    lease: timedelta = field(default=DEFAULT_LEASE, validator=_lease)
    owner: str = field(default=DEFAULT_OWNER, validator=_named)

    def __attrs_post_init__(self) -> None:
        names = [node.name for node in self.nodes]
        problems = [] if names else ["nodes: are none; a table [[nodes]] for each PBX"]
        problems += [f"nodes: two are named {name}" for name in sorted(set(names)) if names.count(name) > 1]
        asked = self.users.confd
        if asked and names and asked.media_server not in names:
            problems.append(f"users.confd.media_server: is {asked.media_server}, which is none of the nodes")
        if problems:
            raise InvalidFields(problems)


# -- reading -----------------------------------------------------------------------------------------


def read_config(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration in a TOML file.

    Args:
        path: The file; files that it names without a folder are looked for beside it.
        environ: The environment, for secrets.

    Raises:
        InvalidConfig: It cannot be used; every problem is listed.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        config = from_document(Config, _beside(path.absolute().parent, document))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidConfig(str(path), (f"cannot be read: {_reason(error)}",)) from error
    except InvalidDocument as error:
        raise InvalidConfig(str(path), error.problems) from error
    if problems := tuple(_missing_secrets(config, environ)):
        raise InvalidConfig(str(path), problems)
    return config


def _beside(folder: Path, document: Any) -> Any:
    """The document with every file that it names looked for in a folder."""
    if isinstance(document, list):
        return [_beside(folder, part) for part in document]
    if not isinstance(document, dict):
        return document
    return {
        name: str(folder / part) if name == "file" and isinstance(part, str) else _beside(folder, part)
        for name, part in document.items()
    }


def _missing_secrets(config: Config, environ: Mapping[str, str]) -> Iterable[str]:
    secrets = {f"nodes[{index}].secret": node.secret for index, node in enumerate(config.nodes)}
    secrets["users.confd.token"] = config.users.confd.token if config.users.confd else None
    for place, secret in secrets.items():
        try:
            if secret is not None:
                secret.look_up(environ)
        except ValueError as error:
            yield f"{place}: {error}"


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
