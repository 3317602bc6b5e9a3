"""WebRTC lines with the passwords that were rendered for them; a `unique_account.ports.lines.Lines`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from attrs import frozen

from unique_account.adapters.asterisk.rendered.pjsip import Secrets, endpoint, read_secrets
from unique_account.core.eligibility import MAIN_MEDIA_SERVER
from unique_account.core.user import User
from unique_account.ports.lines import SipLine


@frozen(weakref_slot=False, kw_only=True)
class LinesOfNode:
    """How browsers register on one node.

    Attributes:
        passwords: The rendered file of secrets.
        url: Where browsers reach the node by SIP, such as ``wss://pbx.example.org/ws``.
        domain: The domain of SIP addresses there; that of the URL if it is empty.
    """

    passwords: Path
    url: str
    domain: str = ""


class RenderedLines:
    """Lines whose passwords are in rendered files of secrets, each read again when it has changed.

    Args:
        nodes: How browsers register, by media server.
        user: The user of an id; raises `unique_account.ports.hearing.UnknownUser`.

    Raises:
        ValueError: One of the files is no file of secrets.
        OSError: It cannot be read.
    """

    def __init__(self, nodes: Mapping[str, LinesOfNode], user: Callable[[str], User]) -> None:
        self._nodes = {name: (node, _Passwords(node.passwords)) for name, node in nodes.items()}
        self._user = user

    async def line(self, user: str) -> SipLine | None:
        """The WebRTC line of a user; None where no password was rendered for it."""
        wired = self._user(user)
        if wired.media_server not in self._nodes:
            return None
        node, passwords = self._nodes[wired.media_server]
        name = endpoint(wired.webrtc)
        password = passwords.now().get(name)
        if password is None:
            return None
        domain = node.domain or urlsplit(node.url).hostname or ""
        proxy = "" if wired.media_server == MAIN_MEDIA_SERVER else wired.media_server
        return SipLine(name=name, password=password, url=node.url, domain=domain, proxy=proxy)


class _Passwords:
    """The passwords in a file, by endpoint."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = 0
        self._secrets = Secrets({})
        self.now()

    def now(self) -> Mapping[str, str]:
        changed = self._path.stat().st_mtime_ns
        if changed != self._changed:
            self._secrets = read_secrets(self._path.read_text("utf-8"))
            self._changed = changed
        return self._secrets.by_endpoint
