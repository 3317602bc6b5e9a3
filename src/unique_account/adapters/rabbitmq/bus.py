"""The bus on RabbitMQ: what is announced waits in memory until a broker has confirmed it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Final
from uuid import NAMESPACE_URL, uuid4, uuid5

from aio_pika.abc import AbstractConnection

from unique_account.adapters.rabbitmq.address import broker_address
from unique_account.adapters.rabbitmq.announcements import Announcement, Announcements, Kind
from unique_account.adapters.rabbitmq.dropped import DroppedMessages
from unique_account.adapters.rabbitmq.link import BrokerLink
from unique_account.adapters.rabbitmq.outbox_relay import OutboxRelay
from unique_account.adapters.rabbitmq.presence_exchange import PresenceExchange
from unique_account.adapters.rabbitmq.publisher import BATCH, Publisher, publisher
from unique_account.adapters.rabbitmq.xivo_consumer import XivoConsumer
from unique_account.adapters.rabbitmq.xivo_messages import XivoMessages
from unique_account.core.forwarding import Forwarding
from unique_account.core.machine import Device
from unique_account.core.presence import Presence
from unique_account.ports.bus import BusStanding
from unique_account.ports.inbound.events import EventHandler
from unique_account.ports.observer import Observer
from unique_account.ports.outbox import Outbox
from unique_account.ports.presence_feed import PresenceHandler

XIVO: Final = "xivo"
"""The exchange of XiVO's bus."""

PRESENCES: Final = "unique_account.presences"
"""The exchange over which groups exchange presences."""

GROUP: Final = "default"
"""The group of an installation that has only one."""

ORIGIN: Final = str(uuid5(NAMESPACE_URL, "unique_account"))
"""The UUID by which all groups know messages of ours, whichever process sent them."""

FLUSHES_WITHIN: Final = 2.0
"""How many seconds a bus that is closed waits for the broker to take what waits."""

MESSAGES_OF_ONE: Final = 5
"""How many messages announce one word at most."""


class RabbitmqBus:
    """Announces presences, forwarding and selections, and receives presences of other groups.

    No request waits for the broker. ``async with bus:`` connects, and connects again whenever the connection
    is lost; each connection begins with everything that was announced before.

    Args:
        url: ``amqp://user:password@host:port/vhost``, or ``amqps`` for TLS. The password is never shown.
        observer: Is notified that the broker is lost, and that it is back.
        group: The group of media servers whose presences these are.
        epoch: The number of this process's ownership of the group.
        exchange: The exchange of XiVO's bus; made where it is missing.
        presences: The exchange between groups; made where it is missing.
        outbox: Where stored choices wait to be announced; None: they are announced as they are reported.

    Raises:
        UnusableBroker: The address is malformed.
    """

    def __init__(
        self,
        url: str,
        *,
        observer: Observer | None = None,
        group: str = GROUP,
        epoch: int = 0,
        exchange: str = XIVO,
        presences: str = PRESENCES,
        outbox: Outbox | None = None,
    ) -> None:
        self.dropped = DroppedMessages()
        self._xivo = XivoMessages(exchange, ORIGIN)
        self._names = (exchange, presences)
        self._announcements = Announcements()
        stamped = (group, epoch, uuid4().hex)
        self._groups = PresenceExchange(presences, *stamped, self._announcements, self.dropped)
        self._settings = XivoConsumer(exchange, group, self._xivo, self.dropped, observer)
        self._relay = None if outbox is None else OutboxRelay(outbox, self._xivo, observer)
        self._due = asyncio.Event()
        self._link = BrokerLink(broker_address(url), observer, self._session)
        self._keeping: asyncio.Task[None] | None = None

    @property
    def reachable(self) -> bool:
        """Whether the broker is connected and takes what is announced."""
        return self._link.reachable

    @property
    def standing(self) -> BusStanding:
        """How it stands, for people who look after it."""
        dropped = self.dropped.counts.total()
        is_connected = self.reachable and self.receiving
        return BusStanding(is_connected=is_connected, waiting=self.waiting, dropped=dropped)

    @property
    def waiting(self) -> int:
        """How many numbers and users there are of which the broker does not have the last word."""
        return len(self._announcements)

    @property
    def receiving(self) -> bool:
        """Whether what is set elsewhere in XiVO is received."""
        return self._settings.receiving

    # -- life ----------------------------------------------------------------------------------------

    async def __aenter__(self) -> RabbitmqBus:
        self._keeping = asyncio.create_task(self._link.keep())
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let a broker that is there take what waits, and close the connection."""
        if self._keeping is None:
            return
        if self.reachable:
            with suppress(TimeoutError):
                async with asyncio.timeout(FLUSHES_WITHIN):
                    await self._announcements.empty.wait()
        self._keeping.cancel()
        await asyncio.gather(self._keeping, return_exceptions=True)
        self._keeping = None

    def complete(self, numbers: Callable[[], Iterable[str]] = tuple) -> None:
        """Note that all presences of the group are announced: from now on other groups get snapshots.

        Args:
            numbers: Gives the group's numbers. One without a presence, as its node is down, is not gone.
        """
        self._groups.complete(numbers)
        self._due.set()

    # -- announcements -------------------------------------------------------------------------------

    async def presence_changed(self, number: str, presence: Presence) -> None:
        """Announce a number's presence.

        Raises:
            BusFull: There are too many numbers and users.
        """
        self._put(((Kind.PRESENCE, number), presence))

    async def forwarding_changed(self, user: str, forwarding: Forwarding) -> None:
        """Announce a user's forwarding.

        Raises:
            BusFull: There are too many numbers and users.
        """
        self._put_choice(((Kind.FORWARDING, user), forwarding))

    async def selection_changed(self, user: str, selection: Device) -> None:
        """Announce which device a user has selected.

        Raises:
            BusFull: There are too many numbers and users.
        """
        self._put_choice(((Kind.SELECTION, user), selection))

    def _put_choice(self, announcement: Announcement) -> None:
        """Announce what is stored; from the outbox, where there is one."""
        if self._relay is None:
            self._put(announcement)
        else:
            self._relay.wake()

    def _put(self, announcement: Announcement) -> None:
        self._announcements.put(*announcement)
        self._due.set()

    # -- other groups --------------------------------------------------------------------------------

    async def listen(self, handler: PresenceHandler) -> None:
        """Report presences of other groups' numbers, until cancelled."""
        await self._groups.listen(handler)

    # -- what was set elsewhere ----------------------------------------------------------------------

    def pass_to(self, handle: EventHandler, users_changed: Callable[[], object]) -> None:
        """Begin to receive what was set elsewhere in XiVO.

        Args:
            handle: Handles forwards and do-not-disturb of users, whose ids are XiVO's uuids.
            users_changed: Called when users were added, changed or removed.
        """
        self._settings.pass_to(handle, users_changed)

    # -- a connection --------------------------------------------------------------------------------

    async def _session(self, connection: AbstractConnection) -> None:
        """Announce everything, and then whatever changes, while receiving; until something fails."""
        to = await publisher(connection, *self._names)
        await self._groups.subscribe(connection, self._due.set)
        self._announcements.repeat()
        self._groups.repeat()
        self._due.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._groups.ask(to))
            tasks.create_task(self._settings.receive(connection))
            tasks.create_task(self._announce(to))
            if self._relay is not None:
                tasks.create_task(self._relay.relay(to))

    async def _announce(self, to: Publisher) -> None:
        while True:
            await self._groups.send_snapshot(to)
            while taken := self._announcements.take(BATCH // MESSAGES_OF_ONE):
                await self._send(to, taken)
                self._link.works()
            self._link.works()
            self._due.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._groups.snapshot_in):
                    await self._due.wait()

    async def _send(self, to: Publisher, taken: list[Announcement]) -> None:
        messages = [*self._groups.change(taken)]
        for announcement in taken:
            messages += self._xivo.encode(announcement)
        try:
            await to.send(messages)
        except BaseException:
            self._announcements.give_back(taken)
            raise
        self._announcements.confirm(taken)
