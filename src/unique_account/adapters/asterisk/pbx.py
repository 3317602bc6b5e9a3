"""One Asterisk as a PBX node: a live connection to its manager interface."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from unique_account.adapters.asterisk.ami.connection import Connection
from unique_account.adapters.asterisk.ami.login import ManagerLogin
from unique_account.adapters.asterisk.config_files.dialplan import live_devices
from unique_account.adapters.asterisk.fence.epoch import own_epoch
from unique_account.adapters.asterisk.fence.node_fence import COMMITS_WITHIN, NodeFence
from unique_account.adapters.asterisk.hints.hints import Hints
from unique_account.adapters.asterisk.hints.watchdog import PAUSE, Watchdog
from unique_account.adapters.asterisk.node.call_control import CONTROLLABLE_PHONES, NodeCallControl
from unique_account.adapters.asterisk.node.connection import NodeConnection
from unique_account.adapters.asterisk.node.receiver import FactsReceiver
from unique_account.adapters.asterisk.node.reports import NodeReports
from unique_account.adapters.asterisk.plans.astdb import AstDbPlans
from unique_account.adapters.asterisk.wire_names import custom_state
from unique_account.core.number import Number
from unique_account.core.presence import Presence
from unique_account.core.routing import DEFAULT_OWNER, Plan
from unique_account.core.user import User
from unique_account.ports.group_leases import Fence, Fenced
from unique_account.ports.inbound.events import EventHandler
from unique_account.ports.observer import Observer
from unique_account.ports.pbx import CommandFailed, Failure

_DEFAULT_CONTEXT: Final = "default"


class AsteriskPbx:
    """One Asterisk node, reached through its manager interface; a `unique_account.ports.pbx.Pbx`.

    It connects while `listen` runs, and again whenever the connection is lost. Calls wait for the first
    attempt to connect; afterwards they raise `ConnectionError` at once while the node is down.

    Args:
        login: Where the node's manager interface is, and as whom to log in.
        observer: Notified of what is no answer to a call: a connection that is lost or refused, and messages
            of the node that cannot be understood.
        media_server: The node's name, as users name it in ``User.media_server``.
        controllable: How the ``User-Agent`` of phones begins that obey the *talk* and *hold* events (C1).
        fence: With which ownership of the node's group it takes the node before use; None where no other
            process of the installation ever uses the node.
        owner: The name of the installation, under which the node keeps the epoch.
        on_fenced: Called once if a newer owner has taken the node. Nothing is done there any more then, and
            nobody logs in again; requests raise a `NodeDown`.
        commits_within: For how many seconds a node that was taken is not used yet, so that its AstDB has
            stored the epoch; 0 after a planned hand-over, when no earlier owner is left.
        watchdog_pause: How many seconds after its end, with a fence, the hints wait for a new owner before
            the watchdog restores them: the time after which one takes over, and a little more.

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
        fence: Fence | None = None,
        owner: str = DEFAULT_OWNER,
        on_fenced: Callable[[Fenced], object] | None = None,
        commits_within: float = COMMITS_WITHIN,
        watchdog_pause: float = PAUSE,
    ) -> None:
        self.media_server = media_server
        self._reports = NodeReports(observer, media_server)
        self._node = NodeConnection(login, media_server, self._reports)
        self._hints = Hints()
        self._facts = FactsReceiver(media_server, self._reports, self._hints.reloaded)
        self._keeping: asyncio.Task[None]
        self._astdb: tuple[Connection, AstDbPlans] | None = None
        own = None if fence is None else own_epoch(fence, owner)
        self._fence: NodeFence | None = None
        if fence is not None and own is not None:
            taken = partial(self._reports.taken, fence)
            self._fence = NodeFence(own, login.username, taken, commits_within=commits_within)
        self._on_fenced = on_fenced
        self._watchdog = Watchdog(login, own, watchdog_pause)
        self._controllable = tuple(controllable)

    @property
    def connected(self) -> bool:
        """Whether the node is connected now, and has reported all that it knows."""
        return self._node.current is not None

    # -- listening -----------------------------------------------------------------------------------

    async def listen(self, on_event: EventHandler, on_return: Callable[[], None]) -> None:
        """Report every fact about the watched users, in the order of the node, until cancelled."""
        try:
            async with self._facts.reporting_to(on_event):
                try:
                    await self._node.keep(self._begin, self._use, self._facts.down, on_return)
                except Fenced as error:
                    self._reports.failed("fence", error)
                    if self._on_fenced is not None:
                        self._on_fenced(error)
                    await asyncio.Event().wait()
        finally:
            await self._watchdog.aclose()

    async def _begin(self, connection: Connection) -> None:
        """Take the node, let it report all that it knows, and begin to keep its hints in place."""
        messages = await self._facts.booted(connection)
        if self._fence is not None:
            await self._fence.hold(connection)
        await self._facts.begin(connection, messages)
        if self._fence is not None:
            await self._fence.stored()
        self._keeping = asyncio.create_task(self._hints.keep(connection, self._reports.failed))

    async def _use(self) -> None:
        """Receive facts until the connection is lost."""
        try:
            await self._facts.receive()
        finally:
            self._keeping.cancel()

    # -- facts and projections -----------------------------------------------------------------------

    async def watch(self, user: User) -> None:
        """Report this user's facts from now on, first all that is known."""
        self._facts.users.add(user)
        for number in filter(self._hints.has, user.numbers):
            await self._restore(number)
        with suppress(ConnectionError):
            await self._node.reach()
        await self._facts.watch(user, is_up=self.connected)

    async def forget(self, user: str) -> None:
        """Report nothing more of this user, and take its plan and hints away."""
        numbers = set(self._facts.forget(user))
        numbers.update(await (await self._plans()).forget(user))
        for number in numbers:
            if self._facts.users.of_number(number) is None:
                await self.hint(Number(number), Presence.UNEXISTING)

    async def install(self, plan: Plan) -> bool:
        """Let the user's calls follow this plan, unless a newer one is there."""
        return await (await self._plans()).install(plan)

    async def installed(self, owner: str) -> Mapping[str, Plan]:
        """The plans that this owner installed on the node, by user."""
        return await (await self._plans()).installed(owner)

    async def _plans(self) -> AstDbPlans:
        """The node's plans, over the connection of now."""
        connection = await self._node.reach()
        if self._astdb is None or self._astdb[0] is not connection:
            self._astdb = (connection, AstDbPlans(connection))
        return self._astdb[1]

    async def hint(self, number: Number, presence: Presence) -> None:
        """Show this presence to the phones that watch a number."""
        if self._hints.remember(number, presence):
            await self._restore(number)
        await self._hints.show(await self._node.reach(), number)

    async def _restore(self, number: Number) -> None:
        """Let a number's hint follow the right devices when the service is gone."""
        devices = None
        if self._hints.has(number):
            user = self._facts.users.of_number(number)
            devices = custom_state(number) if user is None else live_devices(user)
        await self._watchdog.restore(number, devices)

    # -- commands ------------------------------------------------------------------------------------

    async def dial(self, interface: str, number: str, *, answers_itself: bool = False) -> None:
        """Ring a phone and, when it is picked up, dial the number for it (R14)."""
        calls, context = await self._calls(), self._context(interface)
        await calls.dial(interface, Number(number), context, answers_itself=answers_itself)

    async def answer(self, call_id: str) -> None:
        """Let the phone that rings for this call answer it."""
        await (await self._calls()).answer(call_id)

    async def hold(self, call_id: str) -> None:
        """Let the phone put its call on hold."""
        await (await self._calls()).hold(call_id)

    async def resume(self, call_id: str) -> None:
        """Let the phone take its call back from hold."""
        await (await self._calls()).resume(call_id)

    async def transfer(self, call_id: str, number: str) -> None:
        """Send the other party to a number, and let the phone go."""
        calls = await self._calls()
        await calls.transfer(call_id, Number(number), self._context(calls.interface(call_id)))

    async def join(self, call_id: str, other: str) -> None:
        """Connect the other parties of two calls of a phone, and let the phone go."""
        await (await self._calls()).join(call_id, other)

    async def hang_up(self, call_id: str) -> None:
        """End a call, ringing or answered."""
        await (await self._calls()).hang_up(call_id)

    async def hand_on(self, call_id: str) -> None:
        """Move a ringing call to the plan's next candidate (R15)."""
        calls = await self._calls()
        interface = calls.rings_at(call_id)
        user = self._facts.users.of_interface(interface)
        plan = None if user is None else await (await self._plans()).plan(user.id)
        if plan is None or interface not in [candidate.interface for candidate in plan.candidates[:-1]]:
            sentence = "the call rings on the last device that the plan has for it"
            raise CommandFailed(sentence, Failure.LAST_DEVICE)
        await calls.vanish(call_id)

    async def _calls(self) -> NodeCallControl:
        """Control of the node's calls, over the connection of now."""
        connection = await self._node.reach()
        return NodeCallControl(connection, self._facts.state, self._facts.join, self._controllable)

    def _context(self, interface: str) -> str:
        """The context in which the calls of a phone are dialled."""
        user = self._facts.users.of_interface(interface)
        return _DEFAULT_CONTEXT if user is None else user.context
