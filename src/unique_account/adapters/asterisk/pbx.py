"""One Asterisk as a PBX node: a live connection to its manager interface."""

from __future__ import annotations

from collections.abc import Mapping

from unique_account.adapters.asterisk.login import ManagerLogin
from unique_account.core.presence import Presence
from unique_account.core.routing import Plan
from unique_account.core.user import User
from unique_account.ports.hearing import Hear
from unique_account.ports.observer import Observer


class AsteriskPbx:
    """One Asterisk node, reached through its manager interface; a `unique_account.ports.pbx.Pbx`.

    It connects while `listen` runs, and again whenever the connection is lost. Calls wait for the first
    attempt to connect; afterwards they raise `ConnectionError` at once while the node is down.

    Args:
        login: Where the node's manager interface is, and as whom to log in.
        observer: Who is told of what is no answer to a call: a connection that is lost or refused, and what
            the node said that cannot be understood.
        media_server: The node's name, as users name it in ``User.media_server``.

    Attributes:
        media_server: The node's name.
    """

    def __init__(self, login: ManagerLogin, observer: Observer, media_server: str = "default") -> None:
        self.media_server = media_server
        self._login = login
        self._observer = observer

    @property
    def connected(self) -> bool:
        """Whether the node is connected now, and all that it knows has been heard."""
        raise NotImplementedError

    async def listen(self, hear: Hear) -> None:
        """Tell every fact about the watched users, in the order of the node, until cancelled."""
        raise NotImplementedError

    async def watch(self, user: User) -> None:
        """Tell this user's facts from now on, beginning with all that is known."""
        raise NotImplementedError

    async def forget(self, user: str) -> None:
        """Tell nothing more of this user, and take its plan and hints away."""
        raise NotImplementedError

    async def install(self, plan: Plan) -> bool:
        """Let the user's calls follow this plan, unless a newer one is there."""
        raise NotImplementedError

    async def installed(self, owner: str) -> Mapping[str, Plan]:
        """The plans that this owner installed on the node, by user."""
        raise NotImplementedError

    async def hint(self, number: str, presence: Presence) -> None:
        """Show this presence to the phones that watch a number."""
        raise NotImplementedError

    async def dial(self, interface: str, number: str) -> None:
        """Ring a phone and, when it is picked up, dial the number for it (R14)."""
        raise NotImplementedError

    async def answer(self, call_id: str) -> None:
        """Let the phone that rings for this call answer it."""
        raise NotImplementedError

    async def hold(self, call_id: str) -> None:
        """Let the phone put its call on hold."""
        raise NotImplementedError

    async def resume(self, call_id: str) -> None:
        """Let the phone take its call back from hold."""
        raise NotImplementedError

    async def transfer(self, call_id: str, number: str) -> None:
        """Send the other party to a number, and let the phone go."""
        raise NotImplementedError

    async def join(self, call_id: str, other: str) -> None:
        """Connect the other parties of two calls of a phone, and let the phone go."""
        raise NotImplementedError

    async def hang_up(self, call_id: str) -> None:
        """End a call, ringing or answered."""
        raise NotImplementedError

    async def hand_on(self, call_id: str) -> None:
        """Move a ringing call to the plan's next candidate (R15)."""
        raise NotImplementedError
