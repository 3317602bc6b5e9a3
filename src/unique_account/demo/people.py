"""Who is on the stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from unique_account.core.user import User
from unique_account.ports.sip_credentials import SipLine

NAMES: Final[Mapping[str, str]] = {
    "alice": "Alice Martin",
    "bob": "Bob Durand",
    "carol": "Carol Nguyen",
    "david": "David Okafor",
}
"""The full name of each user, who logs in with the user id as name and as password."""

NUMBERS: Final[Mapping[str, str]] = {user: str(1001 + place) for place, user in enumerate(NAMES)}
VOICEMAIL: Final = "*98"
"""The code that plays a mailbox (V1)."""


def cast() -> tuple[User, ...]:
    """Everybody, with a deskphone, a WebRTC line and a mailbox each."""
    return tuple(
        User(
            id=user,
            extension=number,
            dids=(f"+3312345{number}",),
            deskphone=f"PJSIP/{user}",
            webrtc=f"PJSIP/{user}_w",
            mailbox=f"{number}@default",
        )
        for user, number in NUMBERS.items()
    )


class DemoCredentials:
    """The lines port: where the played phone of a user's browser connects to.

    Args:
        secret: The password of all of them; it is new each time the stage is set.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self.url = ""

    async def line(self, user: User) -> SipLine | None:
        """A user's line."""
        if user.id not in NAMES:
            return None
        return SipLine(name=f"{user.id}_w", password=self._secret, url=self.url, domain="stage.invalid")
