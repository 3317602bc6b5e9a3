"""Exchanges presences with the owners of other groups: changes, and snapshots where they are needed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from unique_account.adapters.rabbitmq.announcements import Announcement, Announcements
from unique_account.adapters.rabbitmq.dropped import DroppedMessages
from unique_account.adapters.rabbitmq.errors import InvalidMessage
from unique_account.adapters.rabbitmq.other_groups import OtherGroups
from unique_account.adapters.rabbitmq.presence_frames import (
    PresenceFrame,
    Stamp,
    decode_frame,
    decode_request,
    encode_request,
    snapshot,
)
from unique_account.adapters.rabbitmq.publisher import Outgoing, Publisher
from unique_account.core.presence import Presence
from unique_account.ports.presence_feed import PresenceHandler

SNAPSHOTS_EVERY: Final = 1.0
"""How many seconds pass at least between two snapshots, and between two requests for some."""

LONGEST_QUEUE: Final = 100_000
"""How many frames wait in the broker; of more, the oldest are dropped, which the sequences show."""

_REQUEST: Final = "request"
_GROUP: Final = "group"


class PresenceExchange:
    """One group's side of the exchange between groups.

    Args:
        exchange: The exchange.
        group: One's own group.
        epoch: The number of one's ownership of it.
        instance: What tells this process from others.
        announcements: What one's own presences are taken from.
        dropped: Counts what is not understood.
    """

    def __init__(
        self,
        exchange: str,
        group: str,
        epoch: int,
        instance: str,
        announcements: Announcements,
        dropped: DroppedMessages,
    ) -> None:
        self._exchange = exchange
        self._group = group
        self._epoch = epoch
        self._instance = instance
        self._announcements = announcements
        self._dropped = dropped
        self._sequence = 0
        self._complete = False
        self._numbers: Callable[[], Iterable[str]] = tuple
        self._wanted = True
        self._sent = -SNAPSHOTS_EVERY
        self._others = OtherGroups(group)
        self._changed: dict[str, Presence] = {}
        self._news = asyncio.Event()

    # -- sending -------------------------------------------------------------------------------------

    def complete(self, numbers: Callable[[], Iterable[str]]) -> None:
        """Note that the announcements have all known presences of the group, and which numbers exist."""
        self._numbers = numbers
        self._complete = self._wanted = True

    def repeat(self) -> None:
        """Let the next thing that is sent be a snapshot."""
        self._wanted, self._sent = True, -SNAPSHOTS_EVERY

    @property
    def snapshot_in(self) -> float | None:
        """In how many seconds a snapshot is due; None if none is wanted, or none can be made yet."""
        if not (self._wanted and self._complete):
            return None
        return max(0.0, self._sent + SNAPSHOTS_EVERY - time.monotonic())

    async def send_snapshot(self, to: Publisher) -> None:
        """Send a snapshot, if one is due."""
        if self.snapshot_in != 0:
            return
        self._wanted, self._sent = False, time.monotonic()
        unknown: dict[str, Presence | None] = dict.fromkeys(self._numbers())
        stamp, presences = self._stamp(), unknown | self._announcements.presences()
        frames = snapshot(self._group, self._instance, stamp, presences)
        try:
            await to.send([self._outgoing(frame) for frame in frames])
        except BaseException:
            self.repeat()
            raise

    def change(self, taken: Iterable[Announcement]) -> Iterator[Outgoing]:
        """The message that says to other groups what changed; none if no presence did."""
        presences = {about: word for (_, about), word in taken if isinstance(word, Presence)}
        if presences:
            yield self._outgoing(
                PresenceFrame(
                    group=self._group, instance=self._instance, stamp=self._stamp(), presences=presences
                )
            )

    def _stamp(self) -> Stamp:
        self._sequence += 1
        return Stamp(self._epoch, self._sequence)

    def _outgoing(self, frame: PresenceFrame) -> Outgoing:
        return Outgoing(self._exchange, f"{_GROUP}.{self._group}", frame.encode())

    # -- receiving -----------------------------------------------------------------------------------

    async def subscribe(self, connection: AbstractConnection, due: Callable[[], object]) -> None:
        """Receive frames and requests on a connection, until it is lost.

        Args:
            connection: The connection.
            due: Called when another group wants a snapshot of this one.
        """
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=100)
        queue = await channel.declare_queue(exclusive=True, arguments={"x-max-length": LONGEST_QUEUE})
        for key in (_REQUEST, f"{_GROUP}.#"):
            await queue.bind(self._exchange, key)

        async def take(message: AbstractIncomingMessage) -> None:
            self._take(message)
            await message.ack()
            if self.snapshot_in is not None:
                due()

        await queue.consume(take)

    async def ask(self, to: Publisher) -> None:
        """Ask for snapshots, now and whenever something is missing, until the connection is lost."""
        while True:
            await to.send([Outgoing(self._exchange, _REQUEST, encode_request(self._group))])
            self._others.incomplete.clear()
            await asyncio.sleep(SNAPSHOTS_EVERY)
            while not self._others.incomplete:  # noqa: ASYNC110 - a snapshot is asked for once a while
                await asyncio.sleep(SNAPSHOTS_EVERY)

    def _take(self, message: AbstractIncomingMessage) -> None:
        try:
            if message.routing_key == _REQUEST:
                self._wanted |= decode_request(message.body) != self._group
                return
            changed = self._others.receive(decode_frame(message.body))
        except InvalidMessage as error:
            self._dropped.drop(self._exchange, error)
            return
        if changed:
            self._changed |= changed
            self._news.set()

    async def listen(self, handler: PresenceHandler) -> None:
        """Report presences, of each number the last one, until cancelled."""
        self._changed = self._others.presences() | self._changed
        while True:
            while self._changed:
                number = next(iter(self._changed))
                await handler(number, self._changed.pop(number))
            self._news.clear()
            await self._news.wait()
