"""Receives what a node reports, on one connection after the other, and passes it on as events of users."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

from unique_account.adapters.asterisk.ami.connection import Connection
from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.node.event_queue import EventQueue
from unique_account.adapters.asterisk.node.facts import all_facts, facts_while_down
from unique_account.adapters.asterisk.node.reports import NodeReports
from unique_account.adapters.asterisk.node.state import NodeState
from unique_account.adapters.asterisk.node.state_sync import StateSync
from unique_account.adapters.asterisk.node.subscription import node_key, subscribe
from unique_account.adapters.asterisk.node.watched_users import WatchedUsers
from unique_account.adapters.asterisk.translation.calls import interface_of
from unique_account.adapters.asterisk.translation.results import Meaning, TranslatedEvent
from unique_account.adapters.asterisk.translation.translator import Translator
from unique_account.adapters.asterisk.wire_names import CODE_ANSWER
from unique_account.core.errors import Unreachable
from unique_account.core.user import User
from unique_account.ports.inbound.events import EventHandler

LOST_FRAMING: Final = 100
"""After how many bad messages in a row, with no good one between, a stream is given up."""


class FactsReceiver:
    """Receives facts, and what users do by phone.

    Args:
        media_server: The node's name.
        reports: Where problems go.
        reloaded: Called when the node reports that it has reloaded.

    Attributes:
        users: The watched users.
        state: The last state of the node that was complete, kept up to date while it is connected.
    """

    def __init__(self, media_server: str, reports: NodeReports, reloaded: Callable[[], None]) -> None:
        self.users = WatchedUsers()
        self.state = NodeState()
        self._name = media_server
        self._reports = reports
        self._reloaded = reloaded
        self._translator = Translator((), media_server, "")
        self._queue: EventQueue | None = None
        self._connection: Connection
        self._sync: StateSync
        self._messages: AsyncIterator[Message]
        self._early: list[Message] = []

    @asynccontextmanager
    async def reporting_to(self, on_event: EventHandler) -> AsyncIterator[None]:
        """Report events to this handler until the context is left."""
        self._queue = queue = EventQueue(on_event, self._reports.failed)
        try:
            yield
        finally:
            self._queue = None
            await queue.aclose()

    # -- users ---------------------------------------------------------------------------------------

    async def watch(self, user: User, *, is_up: bool) -> None:
        """Report all that is known of a user; returns when it has been handled."""
        if self._queue is None or user not in self.users:
            return
        queue = self._queue
        if is_up:
            self._report_all(user)
            with suppress(ConnectionError):
                self._sync.ask_mailbox(user)
                self._sync.ask_call_ids(user.webrtc)
        else:
            queue.replace(user.id, facts_while_down(self._name))
        await queue.reported(user.id)

    def forget(self, user: str) -> tuple[str, ...]:
        """Report nothing more of a user; gives the numbers that were the user's until now."""
        numbers = self.users.forget(user)
        self._translator.forget(user)
        if self._queue is not None:
            self._queue.drop(user)
        return numbers

    def join(self, *linkedids: str) -> None:
        """Report these calls as one from now on: they are about to be joined."""
        self._translator.join(*linkedids)

    def down(self) -> None:
        """Report to each user that the node does not come back."""
        for user in self.users.users:
            self._reporting.replace(user.id, facts_while_down(self._name))

    @property
    def _reporting(self) -> EventQueue:
        assert self._queue is not None
        return self._queue

    # -- a connection --------------------------------------------------------------------------------

    async def booted(self, connection: Connection) -> AsyncIterator[Message]:
        """Wait until the node has booted; gives what it reports from then on."""
        messages = self._understood(connection)
        await subscribe(connection)
        async for message in messages:
            if message.event == "FullyBooted":
                break
        return messages

    async def begin(self, connection: Connection, messages: AsyncIterator[Message]) -> None:
        """Ask for all that the node knows, and wait until it has come."""
        state, translator = NodeState(), Translator((), self._name, await node_key(connection))
        translator.recall(self._translator)
        sync = StateSync(connection, state, lambda: translator.now)
        sync.ask(self.users.users)
        early = await _complete(sync, state, translator, messages)
        state.recall(self.state)
        sync.ask_details(user.webrtc for user in self.users.users)
        early += await _complete(sync, state, translator, messages)
        self.state, self._translator, self._sync = state, translator, sync
        self._connection, self._messages, self._early = connection, messages, early

    async def receive(self) -> None:
        """Report what the node knows and then what it reports, until the connection is lost."""
        looking = asyncio.create_task(self._sync.look_after_calls())
        try:
            for user in self.users.users:
                if user in self.users:
                    self._report_all(user)
                await self._reporting.room()
            for message in self._early:
                self._receive(message)
                await self._reporting.room()
            async for message in self._messages:
                self._receive(message)
                await self._reporting.room()
        finally:
            looking.cancel()

    def _receive(self, message: Message) -> None:
        if message.event == "FullyBooted":
            return  # a node that boots again closes its connections
        if message.event == "Reload":
            self._reloaded()
        if unended := self.state.unended(message):
            self._sync.ask_after_calls(unended)
        if message.text.startswith("Response: "):
            message = self._sync.take(message)
        self.state.note(message)
        if message.event == "Newchannel":
            self._ask_call_id(message)
        for meaning in self._translator.translate(message):
            self._pass_on(meaning)

    def _ask_call_id(self, message: Message) -> None:
        """Ask for the SIP ``Call-ID`` of a browser's new call."""
        interface = interface_of(message)
        user = self.users.of_interface(interface)
        if user is not None and interface == user.webrtc:
            with suppress(ConnectionError):
                self._sync.ask_call_ids(interface)

    def _pass_on(self, meaning: Meaning) -> None:
        if isinstance(meaning, TranslatedEvent):
            answered = partial(_answer, self._connection, meaning.channel) if meaning.channel else None
            self._reporting.report(meaning.user, [meaning.event], answered)
        else:
            self._reports.not_understood(meaning)

    def _report_all(self, user: User) -> None:
        """Report all that is known of a user, in place of what waits to be reported."""
        try:
            facts, problems = all_facts(user, self.state, self._translator)
        except ValueError as error:
            self._reports.failed("watch", error, user.id)
            return
        for problem in problems:
            self._reports.not_understood(problem)
        self._reporting.replace(user.id, facts)

    async def _understood(self, connection: Connection) -> AsyncIterator[Message]:
        """The messages of a connection. A bad one costs none of its neighbours."""
        bad = 0
        async for item in connection.stream():
            if isinstance(item, Message):
                bad = 0
                yield item
                continue
            self._reports.not_understood(item)
            bad += not item.of_strangers
            if bad >= LOST_FRAMING:
                raise Unreachable(f"{bad} bad messages in a row; the last one: {item}")


async def _complete(
    sync: StateSync, state: NodeState, translator: Translator, messages: AsyncIterator[Message]
) -> list[Message]:
    """Receive until all that was asked for has come; gives what users did meanwhile."""
    done = []
    while not sync.complete:
        message = sync.take(await anext(messages))
        state.note(message)
        translator.translate(message)
        if message.event == "UserEvent":
            done.append(message)
    return done


def _answer(connection: Connection, channel: str, word: str) -> None:
    """Give the caller who dialled a code its result; one who has hung up misses it."""
    with suppress(ConnectionError):
        connection.send("Setvar", ("Channel", channel), ("Variable", CODE_ANSWER), ("Value", word))
