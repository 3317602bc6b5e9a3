"""The only choreography: an event, the core, the store, then the projections that changed.

One user's events are handled one after the other in the order in which they came; users do not wait
for each other. A change of the kept part is stored before anything shows it, under an optimistic version:
where somebody else wrote meanwhile, the event is applied again to what they wrote.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from weakref import WeakValueDictionary

from unique_account.core.account import DEFAULT_LEASE, Account
from unique_account.core.diversions import CallDiverted
from unique_account.core.errors import Ineligible, Refused, Unreachable
from unique_account.core.events import (
    CallEnded,
    Event,
    FactsReplaced,
    LeaseExpired,
    Reported,
    UserChanged,
    apply,
    restore,
)
from unique_account.core.routing import DEFAULT_OWNER
from unique_account.core.user import User
from unique_account.ports.accounts import Accounts
from unique_account.ports.bus import Bus
from unique_account.ports.call_log import CallLog
from unique_account.ports.clock import Clock
from unique_account.ports.cti import Cti
from unique_account.ports.inbound.events import UnknownUser
from unique_account.ports.observer import Observer, PortRequest
from unique_account.ports.pbx import Pbx
from unique_account.service.account_moves import AccountMoves
from unique_account.service.account_writer import AccountWriter, UnconfirmedWrites
from unique_account.service.call_control import CallControl
from unique_account.service.call_log_writer import CallLogWriter
from unique_account.service.history_query import HistoryQuery
from unique_account.service.lease_timers import LeaseTimers
from unique_account.service.projector import Projector
from unique_account.service.reservations import Reservations
from unique_account.service.resync import Resync


class Service:
    """Keeps every account and publishes its projections.

    ``async with service:``, once, loads the accounts, publishes every projection and listens to the ports
    until the block is left. `handle` may be called from anywhere in the same event loop.

    Attributes:
        commands: Carries out users' commands for their calls.
        moves: Lets accounts go to other groups of nodes, and takes over theirs.
        histories: Answers users who ask for their calls.
        other_numbers: Shows the presence of numbers that other groups of nodes have.

    Args:
        accounts: Where kept parts are stored.
        pbxs: The PBX nodes; each user names one as its media server.
        cti: The UC Assistants.
        bus: Whom presence and forwarding are announced to.
        call_log: Where finished calls are recorded.
        clock: Time and timers.
        observer: Is notified of what happened.
        lease: How long a session that vanished holds its account (S5).
        owner: The name under which plans are installed; two installations on one PBX need two names.
        on_difference: Called with each sentence that a resync returns, the service's own resyncs included.

    Raises:
        ValueError: The lease is negative.
    """

    def __init__(
        self,
        *,
        accounts: Accounts,
        pbxs: tuple[Pbx, ...],
        cti: Cti,
        bus: Bus,
        call_log: CallLog,
        clock: Clock,
        observer: Observer,
        lease: timedelta = DEFAULT_LEASE,
        owner: str = DEFAULT_OWNER,
        on_difference: Callable[[str], object] | None = None,
    ) -> None:
        if lease < timedelta(0):
            raise ValueError(f"a lease of {lease.total_seconds()} s; 0 or more")
        self._store = accounts
        self._written = AccountWriter(accounts, observer, self._forget)
        self._doubts = UnconfirmedWrites(clock, self._settle)
        self._pbxs: Mapping[str, Pbx] = {pbx.media_server: pbx for pbx in pbxs}
        self._cti = cti
        self._recorder = CallLogWriter(call_log, clock, observer, cti.history_changed)
        self._clock = clock
        self._observer = observer
        self._projector = Projector(self._pbxs, cti, bus, observer, owner)
        self.other_numbers = self._projector.other_numbers
        self.commands = CallControl(self.account, self._projector.node)
        self.histories = HistoryQuery(self.account, call_log)
        self._lease = lease
        self._accounts: dict[str, Account] = {}
        self._reservations = Reservations()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._expiries = LeaseTimers(clock, self._expire)
        self._resync = Resync(self._accounts, self._written, self._projector, owner, self._lock, self._keep)
        self.moves = AccountMoves(
            self._accounts, self._written, self._doubts, clock, self._lock, self._forget, self._settle
        )
        self._listeners: list[asyncio.Task[None]] = []
        self._on_difference = on_difference
        self._resyncs: set[asyncio.Task[object]] = set()

    # -- life ----------------------------------------------------------------------------------------

    async def __aenter__(self) -> Service:
        await self._store.all_last_seen(self._clock.now())  # their connections died with an earlier process
        async for user, kept in self._store.all():
            self._found(restore(user, kept, self._lease))
        ports = {
            _pbx(name, "listen"): pbx.listen(self.handle, partial(self._returned, name))
            for name, pbx in self._pbxs.items()
        }
        cti = self._cti.listen(self.handle, self.commands.on_command, self.histories)
        ports[PortRequest("cti", "listen")] = cti
        self._listeners = [asyncio.create_task(self._listen(*port)) for port in ports.items()]
        for account in self._accounts.values():  # a lease may have ended while the others were loaded
            self._expiries.of(account)
        try:
            await asyncio.sleep(0)  # so that the ports have a listener before they have to report
            await self.resync()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks, self._listeners = (*self._listeners, *self._resyncs), []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._recorder.make_up()

    async def _listen(self, request: PortRequest, listening: Awaitable[None]) -> None:
        """Listen to a port; one that stops listening must not be silent about it."""
        try:
            await listening
        except Exception as error:
            self._observer.failed(request, error)
        else:
            self._observer.failed(request, Unreachable("it stopped listening"))

    def _returned(self, node: str) -> None:
        """A node is back: resync it."""
        resync = self._projector.ask(_pbx(node, "resync"), self.resync(node=node))
        task: asyncio.Task[object] = asyncio.create_task(resync)
        self._resyncs.add(task)
        task.add_done_callback(self._resyncs.discard)

    # -- users ---------------------------------------------------------------------------------------

    @property
    def users(self) -> tuple[str, ...]:
        """The ids of all users that have an account, in the order in which they came."""
        return tuple(self._accounts)

    def account(self, user: str) -> Account:
        """A user's account as it is now.

        Raises:
            UnknownUser: There is none.
        """
        try:
            return self._accounts[user]
        except KeyError:
            raise UnknownUser(user) from None

    def collisions(self, user: User) -> tuple[str, ...]:
        """Which numbers and devices of a user belong to another user already, a sentence each (A1)."""
        return self._reservations.problems(user)

    async def add(self, user: User) -> None:
        """Give a user a Unique Account; from then on the user's calls follow its plan.

        Raises:
            StaleVersion: The store holds an account of this user already.
            Ineligible: A number or a device is another user's (A1).
            ValueError: The user's media server is none of the PBX nodes.
        """
        self._projector.node(user)
        async with self._lock(user.id):
            with self._reservations.reserved(partial(self._user, user.id), user), self._doubts.of(user.id):
                await self._store.add([user])
            await self._projector.unplan(user.id)
            self._keep(account := Account(user, lease=self._lease))
        await self._resync.account(account)

    async def remove(self, user: str) -> None:
        """Take a user's account away: sessions end, and the PBX follows its plan no longer.

        Raises:
            UnknownUser: There is none.
            StaleVersion: Others write the account at the same time, again and again.
        """
        self.account(user)
        async with self._lock(user):
            with self._doubts.of(user):
                await self._forget(await self._written.remove(self.account(user)))

    def _lock(self, user: str) -> asyncio.Lock:
        """The lock of a user, which is there only as long as somebody holds it or waits for it."""
        return self._locks.setdefault(user, asyncio.Lock())

    def _found(self, account: Account) -> None:
        if problems := self._reservations.problems(account.user):  # calls go to the user who came first
            request = PortRequest("accounts", "load", user=account.user.id)
            self._observer.failed(request, Ineligible(problems))
        self._keep(account)

    def _user(self, user: str) -> User | None:
        account = self._accounts.get(user)
        return account.user if account else None

    async def _forget(self, account: Account) -> None:
        self._reservations.move(self._user(account.user.id), None)
        self._accounts.pop(account.user.id, None)
        await self._projector.forget(account, moved=account.user.id in self.moves.leaving)

    # -- events --------------------------------------------------------------------------------------

    async def handle(self, user: str, event: Event) -> Account:
        """Handle one event of a user, after those that came before it; returns the account after it.

        What the store raises is raised again, with nothing changed; what other ports raise goes to the
        observer.

        Raises:
            Refused: By the core; nothing changed.
            UnknownUser: The user has no account.
            StaleVersion: Others wrote the account again and again; nothing changed.
            Ineligible: A number or a device that the user is to have is another user's (A1).
            ValueError: The media server that the user is to have is none of the PBX nodes.
        """
        self.account(user)
        if isinstance(event, UserChanged):
            self._projector.node(event.user)
        async with self._lock(user):
            before = self.account(user)
            if isinstance(event, UserChanged):
                with self._reservations.reserved(partial(self._user, user), event.user):
                    after = await self._apply(before, event)
            else:
                after = await self._apply(before, event)
            if after is not before:
                self._keep(after)
                self._observer.applied(event, before, after)
            # First, so that a user who sees the call gone finds it in the history.
            if isinstance(event, CallEnded | CallDiverted):
                await self._recorder.record(before, event)
            await self._project(event, before, after)
        if isinstance(event, UserChanged) and after is not before:
            await self._resync.account(after)
        return after

    async def _project(self, event: Event, before: Account, after: Account) -> None:
        if after.kept is before.kept and after.user.id in self._resync.receiving:
            self._projector.owe(before)  # half the facts make a wrong presence; the resync shows all of them
        elif isinstance(event, FactsReplaced):
            await self._projector.project(None, after)  # what the node was given may be lost with it
        elif after is not before:
            await self._projector.project(before, after)

    def _keep(self, account: Account) -> None:
        """Hold an account as it is now, and see to it that somebody wakes when its next lease is over."""
        former = self._accounts.get(account.user.id)
        self._accounts[account.user.id] = account
        if former is None or former.user is not account.user:
            self._reservations.move(former.user if former else None, account.user)
        if former is None or former.kept is not account.kept:
            self._expiries.of(account)

    async def _apply(self, before: Account, event: Event) -> Account:
        """The account after an event, its kept part stored."""
        if isinstance(event, Reported):  # facts are not stored
            return apply(before, event)
        try:
            with self._doubts.of(before.user.id):
                certain = before.user.id not in self._doubts
                return await self._written.apply(before, event, certain=certain)
        except Refused as refusal:
            self._observer.refused(event, before, refusal)
            raise

    async def _settle(self, user: str) -> None:
        """Take over what is stored of a user."""
        async with self._lock(user):
            if (before := self._accounts.get(user)) is not None:
                self._keep(after := await self._written.reread(before))
                await self._projector.project(before, after)
                return
            if (stored := await self._store.load(user)) is None:
                return
            await self._projector.unplan(user)
            self._found(account := restore(*stored, self._lease))
        await self._resync.account(account)

    async def _expire(self, user: str, expired: LeaseExpired) -> None:
        if self._listeners and user in self._accounts:
            await self.handle(user, expired)

    # -- resync --------------------------------------------------------------------------------------

    async def resync(self, user: str | None = None, *, node: str | None = None) -> tuple[str, ...]:
        """Make the ports and the accounts agree: receive all facts again, publish every projection.

        Args:
            user: One user only; None: all of them, and plans of ours without an account are taken away.
            node: Only the users and plans of one node.

        Returns:
            What differed, a sentence each: plans that were missing, others, or nobody's.

        Raises:
            UnknownUser: The user has no account.
        """
        if user is None:
            nodes = self._pbxs if node is None else {node: self._pbxs[node]}
            seen = [one for one in self._accounts.values() if node in (None, one.user.media_server)]
            differed = await self._resync.nodes(nodes, seen)
            await self.other_numbers.show_again(nodes)
        else:
            account = self.account(user)
            differed = await self._resync.user(account, self._projector.node(account.user))
        if self._on_difference is not None:
            for sentence in differed:
                self._on_difference(sentence)
        return tuple(differed)


def _pbx(name: str, request: str, user: str = "") -> PortRequest:
    return PortRequest("pbx", request, name, user)
