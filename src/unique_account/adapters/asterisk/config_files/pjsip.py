"""chan_pjsip's configuration of accounts: endpoints, addresses of record and credentials (A1, A4).

Text only, in a stable order, made of templates that an administrator can read: each user takes a few
lines, so that two renderings differ where the users do. No password is in it. Each auth section is
completed by a file of secrets, which is made once and then kept (`secrets_text`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from secrets import token_urlsafe
from typing import Final

from attrs import field, frozen

from unique_account.adapters.asterisk.wire_names import TRUNK_CONTEXT
from unique_account.core.user import User

PJSIP_FILE: Final = "unique_account_pjsip.conf"
"""The rendered file, to be included at the end of ``pjsip.conf``."""

SECRETS_FILE: Final = "unique_account_secrets.conf"
"""The file that holds the passwords, and that the rendered file includes."""


@frozen(weakref_slot=False, kw_only=True)
class Trunk:
    """Another node of the same installation, which calls may come from and go to (XDS).

    Attributes:
        name: The node's name.
        address: Its SIP address, host and port, such as ``10.0.0.2:5060``.
        context: Where calls from it enter the dialplan.
    """

    name: str
    address: str
    context: str = TRUNK_CONTEXT

    @property
    def endpoint(self) -> str:
        """The name of its endpoint."""
        return f"unique-account-{self.name}"


class WebSocket(StrEnum):
    """How browsers reach the node."""

    WSS = "wss"
    """Its own web server speaks TLS."""

    WS = "ws"
    """A proxy before it does, or the browsers are on the same machine."""


@frozen(weakref_slot=False)
class Secrets:
    """Passwords by the name of their endpoint; in no repr."""

    by_endpoint: Mapping[str, str] = field(repr=False)


def render_phones(
    users: Iterable[User], trunks: Iterable[Trunk] = (), websocket: WebSocket = WebSocket.WSS
) -> str:
    """The endpoints of the users of a node, and of its other nodes; the same for the same users.

    Args:
        users: Those whose devices the node carries.
        trunks: The other nodes.
        websocket: How browsers reach the node.
    """
    sections = [_HEAD, *_templates(websocket)]
    for user in sorted(users, key=lambda user: user.id):
        sections += _user(user)
    for trunk in sorted(trunks, key=lambda trunk: trunk.name):
        sections += _trunk(trunk)
    return "\n".join([*sections, f"#include {SECRETS_FILE}", ""])


def endpoint(interface: str) -> str:
    """The endpoint of a PJSIP interface: ``alice`` for ``PJSIP/alice``."""
    return interface.removeprefix("PJSIP/")


def endpoints(users: Iterable[User]) -> tuple[str, ...]:
    """The endpoints of users, each of which has a password."""
    return tuple(
        endpoint(interface)
        for user in sorted(users, key=lambda user: user.id)
        for interface in (user.deskphone, user.webrtc)
    )


# -- passwords ---------------------------------------------------------------------------------------


def completed(names: Iterable[str], known: Secrets) -> Secrets:
    """A password for each of these endpoints and no others: the known one, or one made at random."""
    return Secrets({name: known.by_endpoint.get(name) or token_urlsafe(24) for name in names})


def secrets_text(secrets: Secrets) -> str:
    """The file of secrets, by endpoint in alphabetical order."""
    sections = (
        f"[{name}-auth](+)\npassword = {password}\n" for name, password in sorted(secrets.by_endpoint.items())
    )
    return "\n".join([_SECRETS_HEAD, *sections])


def read_secrets(text: str) -> Secrets:
    """The passwords of a file of secrets, as it is or as an administrator changed it.

    Raises:
        ValueError: A line belongs to no file of secrets; the error says which, and quotes nothing.
    """
    found: dict[str, str] = {}
    name = ""
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if section := _SECTION.fullmatch(line):
            name = section["name"]
        elif (password := _PASSWORD.fullmatch(line)) and name:
            found[name] = password["password"]
        elif line and not line.startswith(";"):
            raise ValueError(f"line {number}: is neither [ENDPOINT-auth](+) nor a password")
    return Secrets(found)


_SECTION: Final = re.compile(r"\[(?P<name>[^\]]+)-auth\]\(\+\)")
_PASSWORD: Final = re.compile(r"password\s*=\s*(?P<password>[^\s;]+)")

_SECRETS_HEAD: Final = """\
; Passwords of the phones. Made once and kept: change one here, and it stays. Keep this file to yourself.
"""


# -- the text ----------------------------------------------------------------------------------------

_HEAD: Final = f"""\
; Unique Account: the phones of its users. Made by a program; changes get lost.
;
; At the end of pjsip.conf:  #include {PJSIP_FILE}
;
; In the section of type global of pjsip.conf belongs
;     taskprocessor_overload_trigger = pjsip_only
; as Asterisk refuses calls otherwise while many device states wait to be sent.
"""

_DESKPHONE: Final = "unique-account-deskphone"
_WEBRTC: Final = "unique-account-webrtc"

_BOTH: Final = {
    "type": "endpoint",
    "disallow": "all",
    "allow": "alaw,ulaw",
    "direct_media": "no",
    # A lamp shows a call that rings beside one that is up as ringing (P4).
    "notify_early_inuse_ringing": "yes",
    # A phone that asks for the count of messages gets it once, not twice (V2).
    "mwi_subscribe_replaces_unsolicited": "yes",
}


def _templates(websocket: WebSocket) -> Iterator[str]:
    yield "; Browsers come by the web server; its address, port and certificate are those of http.conf."
    yield _section(
        f"unique-account-{websocket}", {"type": "transport", "protocol": websocket, "bind": "0.0.0.0"}
    )
    yield _section(_DESKPHONE, {**_BOTH, "rtp_symmetric": "yes"}, "!")
    yield _section(f"{_DESKPHONE}-aor", {"type": "aor", "max_contacts": "1", "remove_existing": "yes"}, "!")
    yield "; A browser that dies in a call sends nothing more, and the call ends."
    browser = {"webrtc": "yes", "dtls_auto_generate_cert": "yes", "rtp_timeout": "5"}
    yield _section(_WEBRTC, {**_BOTH, "transport": f"unique-account-{websocket}", **browser}, "!")
    yield "; Several tabs may be open (S4); one that froze is found out within seconds (R4)."
    yield _section(f"{_WEBRTC}-aor", _TABS, "!")
    yield _section("unique-account-auth", {"type": "auth", "auth_type": "userpass"}, "!")


_TABS: Final = {
    "type": "aor",
    "max_contacts": "3",
    "remove_existing": "yes",
    "remove_unavailable": "yes",
    "qualify_frequency": "2",
    "qualify_timeout": "1.0",
    "minimum_expiration": "15",
    "default_expiration": "60",
    "maximum_expiration": "60",
}


def _user(user: User) -> Iterator[str]:
    yield f"; {user.id}, {user.extension}"
    for interface, template in ((user.deskphone, _DESKPHONE), (user.webrtc, _WEBRTC)):
        name = endpoint(interface)
        options = {
            "aors": name,
            "auth": f"{name}-auth",
            "context": user.context,
            "callerid": f"{_display(user.id)} <{user.extension}>",
            **({"mailboxes": user.mailbox} if user.mailbox else {}),
        }
        yield _section(name, options, template)
        yield _section(name, {}, f"{template}-aor")
        yield _section(f"{name}-auth", {"username": name}, "unique-account-auth")


# So that it is known at once, and not by the next call only, that the other node is down.
_WATCHED: Final = {"qualify_frequency": "2", "qualify_timeout": "1.0"}


def _trunk(trunk: Trunk) -> Iterator[str]:
    host = trunk.address.rpartition(":")[0] or trunk.address
    yield f"; The node {trunk.name}, a trunk."
    options = {**_BOTH, "aors": trunk.endpoint, "context": trunk.context}
    options["trust_id_inbound"] = options["send_pai"] = "yes"
    yield _section(trunk.endpoint, options)
    yield _section(trunk.endpoint, {"type": "aor", "contact": f"sip:{trunk.address}", **_WATCHED})
    yield _section(trunk.endpoint, {"type": "identify", "endpoint": trunk.endpoint, "match": host})


def _display(name: str) -> str:
    """A name as it may stand before a number, in quotes where it could be read otherwise."""
    return name if re.fullmatch(r"[0-9A-Za-z_.-]+", name) else '"' + re.sub(r"[^\w .@+-]", "_", name) + '"'


def _section(name: str, options: Mapping[str, str], template: str = "") -> str:
    head = f"[{name}]({template})" if template else f"[{name}]"
    return "\n".join([head, *(f"{option} = {value}" for option, value in options.items()), ""])
