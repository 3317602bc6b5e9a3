"""WebRTC lines with the passwords that were rendered for them; a `unique_account.ports.lines.Lines`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from unique_account.adapters.asterisk.rendered.pjsip import Secrets, endpoint, read_secrets
from unique_account.core.eligibility import MAIN_MEDIA_SERVER
from unique_account.core.user import User
from unique_account.ports.lines import SipLine


class RenderedLines:
    """Lines whose passwords are in a rendered file of secrets, which is read again when it has changed.

    Args:
        path: The file.
        url: Where browsers reach the main node by SIP, such as ``wss://pbx.example.org/ws``.
        domain: The domain of SIP addresses there; that of the URL if it is empty.
        user: The user of an id; raises `unique_account.ports.hearing.UnknownUser`.

    Raises:
        ValueError: The file is no file of secrets.
        OSError: It cannot be read.
    """

    def __init__(self, path: Path, url: str, domain: str, user: Callable[[str], User]) -> None:
        self._path = path
        self._url = url
        self._domain = domain or urlsplit(url).hostname or ""
        self._user = user
        self._changed = 0
        self._secrets = Secrets({})
        self._read_if_changed()

    async def line(self, user: str) -> SipLine | None:
        """The WebRTC line of a user; None where no password was rendered for it."""
        self._read_if_changed()
        wired = self._user(user)
        name = endpoint(wired.webrtc)
        password = self._secrets.by_endpoint.get(name)
        if password is None:
            return None
        proxy = "" if wired.media_server == MAIN_MEDIA_SERVER else wired.media_server
        return SipLine(name=name, password=password, url=self._url, domain=self._domain, proxy=proxy)

    def _read_if_changed(self) -> None:
        changed = self._path.stat().st_mtime_ns
        if changed != self._changed:
            self._secrets = read_secrets(self._path.read_text("utf-8"))
            self._changed = changed
