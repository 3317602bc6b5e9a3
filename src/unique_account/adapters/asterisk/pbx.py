"""One Asterisk as a PBX node: a live connection to its manager interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from unique_account.adapters.asterisk.ami.login import ManagerLogin
from unique_account.adapters.asterisk.config_files.dialplan import live_devices
from unique_account.adapters.asterisk.hints.watchdog import Watchdog
from unique_account.adapters.asterisk.node.call_control import CONTROLLABLE_PHONES
from unique_account.adapters.asterisk.node.session import NodeSession
from unique_account.adapters.asterisk.wire_names import custom_state
from unique_account.core.forwarding import digits
from unique_account.core.presence import Presence
from unique_account.core.routing import Plan
from unique_account.core.user import User
from unique_account.ports.inbound.events import EventHandler
from unique_account.ports.observer import Observer
from unique_account.ports.pbx import CommandFailed

_DEFAULT_CONTEXT: Final = "default"


class AsteriskPbx:
    """One Asterisk node, reached through its manager interface; a `unique_account.ports.pbx.Pbx`.

    It connects while `listen` runs, and again whenever the connection is lost. Calls wait for the first
    attempt to connect; afterwards they raise `ConnectionError` at once while the node is down.

    Args:
        login: Where the node's manager interface is, and as whom to log in.
        observer: Who is told of what is no answer to a call: a connection that is lost or refused, and what
            the node said that cannot be understood.
        media_server: The node's name, as users name it in ``User.media_server``.
        controllable: How the ``User-Agent`` of phones begins that obey the *talk* and *hold* events (C1).

    Attributes:
        media_server: The node's name.
    """

    def __init__(
        self,
        login: ManagerLogin,
        observer: Observer,
        media_server: str = "default",
        *,
        controllable: Sequence[str] = CONTROLLABLE_PHONES,
    ) -> None:
        self.media_server = media_server
        self._listening = NodeSession(login, observer, media_server, tuple(controllable))
        self._guard = Watchdog(login)

    @property
    def connected(self) -> bool:
        """Whether the node is connected now, and all that it knows has been heard."""
        return self._listening.session is not None

    # -- facts and projections -----------------------------------------------------------------------

    async def listen(self, on_event: EventHandler) -> None:
        """Tell every fact about the watched users, in the order of the node, until cancelled."""
        try:
            await self._listening.listen(on_event)
        finally:
            await self._guard.aclose()

    async def watch(self, user: User) -> None:
        """Tell this user's facts from now on, beginning with all that is known."""
        self._listening.roster.add(user)
        await self._listening.watch(user)

    async def forget(self, user: str) -> None:
        """Tell nothing more of this user, and take its plan and hints away."""
        numbers = set(self._listening.roster.forget(user))
        self._listening.drop(user)
        session = await self._listening.reach()
        session.watching.forget(user)
        numbers.update(await session.plans.forget(user))
        for number in numbers:
            if self._listening.roster.of_number(number) is None:
                await self.hint(number, Presence.UNEXISTING)

    async def install(self, plan: Plan) -> bool:
        """Let the user's calls follow this plan, unless a newer one is there."""
        return await (await self._listening.reach()).plans.install(plan)

    async def installed(self, owner: str) -> Mapping[str, Plan]:
        """The plans that this owner installed on the node, by user."""
        return await (await self._listening.reach()).plans.installed(owner)

    async def hint(self, number: str, presence: Presence) -> None:
        """Show this presence to the phones that watch a number."""
        self._listening.hints.remember(number, presence)
        await self._guard.restore(digits(number), self._without_us(number, presence))
        session = await self._listening.reach()
        await self._listening.hints.show(session.connection, number)

    def _without_us(self, number: str, presence: Presence) -> str | None:
        """What a number's hint is to follow when the service is gone."""
        if presence is Presence.UNEXISTING:
            return None
        user = self._listening.roster.of_number(number)
        return custom_state(digits(number)) if user is None else live_devices(user)

    # -- commands ------------------------------------------------------------------------------------

    async def dial(self, interface: str, number: str) -> None:
        """Ring a phone and, when it is picked up, dial the number for it (R14)."""
        session = await self._listening.reach()
        await session.commands.dial(interface, digits(number), self._context(interface))

    async def answer(self, call_id: str) -> None:
        """Let the phone that rings for this call answer it."""
        await (await self._listening.reach()).commands.answer(call_id)

    async def hold(self, call_id: str) -> None:
        """Let the phone put its call on hold."""
        await (await self._listening.reach()).commands.hold(call_id)

    async def resume(self, call_id: str) -> None:
        """Let the phone take its call back from hold."""
        await (await self._listening.reach()).commands.resume(call_id)

    async def transfer(self, call_id: str, number: str) -> None:
        """Send the other party to a number, and let the phone go."""
        session = await self._listening.reach()
        context = self._context(session.commands.interface(call_id))
        await session.commands.transfer(call_id, digits(number), context)

    async def join(self, call_id: str, other: str) -> None:
        """Connect the other parties of two calls of a phone, and let the phone go."""
        await (await self._listening.reach()).commands.join(call_id, other)

    async def hang_up(self, call_id: str) -> None:
        """End a call, ringing or answered."""
        await (await self._listening.reach()).commands.hang_up(call_id)

    async def hand_on(self, call_id: str) -> None:
        """Move a ringing call to the plan's next candidate (R15)."""
        session = await self._listening.reach()
        interface = session.commands.rings_at(call_id)
        user = self._listening.roster.of_interface(interface)
        plan = None if user is None else await session.plans.plan(user.id)
        if plan is None or interface not in [candidate.interface for candidate in plan.candidates[:-1]]:
            raise CommandFailed("the call rings on the last device that the plan has for it")
        await session.commands.vanish(call_id)

    def _context(self, interface: str) -> str:
        """Where the calls of a phone are dialled."""
        user = self._listening.roster.of_interface(interface)
        return _DEFAULT_CONTEXT if user is None else user.context
