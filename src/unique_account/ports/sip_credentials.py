"""SIP credentials: how a browser registers as a user's WebRTC line."""

from __future__ import annotations

from typing import Protocol

from attrs import field, frozen

from unique_account.core.user import User


@frozen(weakref_slot=False, kw_only=True)
class SipLine:
    """What the SIP stack of a browser needs to know.

    Attributes:
        name: The endpoint's name, which is the user part of its address and the name it authenticates as.
        password: Its password; in no repr.
        url: Where its SIP WebSocket is, such as ``wss://pbx.example.org/wssip``.
        domain: The domain of its address.
        proxy: XiVO's name of the way to its media server; empty or ``default`` for the main one (A4).
        realm: The realm in which it authenticates; None: the one that the registrar names.
    """

    name: str
    password: str = field(repr=False)
    url: str
    domain: str
    proxy: str = ""
    realm: str | None = None


class SipCredentials(Protocol):
    """Knows the credentials of WebRTC lines. Only the user's own sessions get them."""

    async def line(self, user: User) -> SipLine | None:
        """The WebRTC line of a user; None if its credentials are not known here."""
        ...
