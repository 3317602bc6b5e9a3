"""The SIP credentials of browsers, out of the passwords that were rendered; a `SipCredentials`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from attrs import frozen

from unique_account.adapters.asterisk.config_files.pjsip import endpoint, read_secrets
from unique_account.core.eligibility import MAIN_MEDIA_SERVER
from unique_account.core.user import User
from unique_account.files.text import read_text
from unique_account.files.watched import WatchedFile
from unique_account.ports.observer import Observer, PortRequest
from unique_account.ports.sip_credentials import SipLine


@frozen(weakref_slot=False, kw_only=True)
class NodeCredentials:
    """How browsers register on one node.

    Attributes:
        passwords: The rendered file of secrets.
        url: Where browsers reach the node by SIP, such as ``wss://pbx.example.org/ws``.
        domain: The domain of SIP addresses there; that of the URL if it is empty.
    """

    passwords: Path
    url: str
    domain: str = ""


class RenderedCredentials:
    """Lines whose passwords are in rendered files of secrets, each read again when it has changed.

    While one of them cannot be read or used, the passwords that it had last hold.

    Args:
        nodes: How browsers register, by media server.
        observer: Is notified if a file cannot be read or used, and once it can again.

    Raises:
        ValueError: One of the files is no file of secrets.
        OSError: It cannot be read.
    """

    def __init__(self, nodes: Mapping[str, NodeCredentials], observer: Observer | None = None) -> None:
        self._nodes = {
            name: (
                node,
                WatchedFile(node.passwords, _passwords, observer, PortRequest("lines", "read", name)),
            )
            for name, node in nodes.items()
        }

    async def line(self, user: User) -> SipLine | None:
        """The WebRTC line of a user; None where no password was rendered for it."""
        if user.media_server not in self._nodes:
            return None
        node, passwords = self._nodes[user.media_server]
        name = endpoint(user.webrtc)
        password = (await passwords.now()).get(name)
        if password is None:
            return None
        domain = node.domain or urlsplit(node.url).hostname or ""
        proxy = "" if user.media_server == MAIN_MEDIA_SERVER else user.media_server
        return SipLine(name=name, password=password, url=node.url, domain=domain, proxy=proxy)


def _passwords(path: Path) -> Mapping[str, str]:
    """The passwords in a file, by endpoint."""
    text = read_text(path)
    try:
        return read_secrets(text).by_endpoint
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error
