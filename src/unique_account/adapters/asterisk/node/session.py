"""Listening to a node: one connection after the other, and on each of them all that the node knows."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from functools import partial
from random import Random
from secrets import token_hex
from typing import Final

from attrs import define, field

from unique_account.adapters.asterisk.ami.codec import Malformed, Message
from unique_account.adapters.asterisk.ami.connection import ActionRefused, Connection, connect, delays
from unique_account.adapters.asterisk.ami.login import ManagerLogin
from unique_account.adapters.asterisk.hints.hints import Hints
from unique_account.adapters.asterisk.node.call_control import NodeCallControl
from unique_account.adapters.asterisk.node.event_queue import EventQueue
from unique_account.adapters.asterisk.node.state import NodeState
from unique_account.adapters.asterisk.node.state_sync import BLANK_LINES, EVENT_CLASSES, EVENTS, StateSync
from unique_account.adapters.asterisk.node.watched_users import WatchedUsers
from unique_account.adapters.asterisk.plans.astdb import AstDbPlans
from unique_account.adapters.asterisk.translation.results import TranslatedEvent, Untranslatable
from unique_account.adapters.asterisk.wire_names import CALL_ID_EVENT, CODE_ANSWER, CODE_KEY
from unique_account.core.account import LineStatus
from unique_account.core.errors import UniqueAccountError
from unique_account.core.events import FactsReplaced, LineChanged
from unique_account.core.machine import Device
from unique_account.core.user import User
from unique_account.ports.inbound.events import EventHandler
from unique_account.ports.observer import Observer, PortRequest
from unique_account.ports.pbx import NodeDown

BEGINS_WITHIN: Final = 15.0
"""How many seconds after the log-in a node may take until it has booted and told all that it knows."""

LOOKS_AFTER_HINTS_EVERY: Final = 2.0
"""After how many seconds, at most, a reload of the dialplan is noticed that no event tells of."""

LOST_FRAMING: Final = 100
"""After how many bad messages in a row, with no good one between, a stream is given up."""

REPORTS_A_MINUTE: Final = 20
"""How many messages that are not understood are reported; strangers can bring about any number of them."""

STEADY_AFTER: Final = 10.0
"""After how many seconds a connection is one that held: when it is lost, the next is tried at once."""


class NotUnderstood(UniqueAccountError):
    """The node said something that cannot be understood; the sentence says what."""


@define
class LiveConnection:
    """A connection on which all that the node knows was heard."""

    connection: Connection
    watching: StateSync
    plans: AstDbPlans
    controllable: Sequence[str]
    done: list[Message] = field(factory=list)
    """What users did while the session began, which is told once they are heard."""
    reloaded: asyncio.Event = field(factory=asyncio.Event)

    @property
    def commands(self) -> NodeCallControl:
        """What the node and its phones can be told."""
        return NodeCallControl(self.connection, self.watching, self.controllable)


class NodeSession:
    """Hears a node for as long as it is let, and tells what concerns the users of its roster.

    Attributes:
        roster: The watched users.
        hints: What the node is to show; looked after on every connection.
        session: The connection on which the node is heard now; None while it is down.
    """

    def __init__(
        self, login: ManagerLogin, observer: Observer, media_server: str, controllable: Sequence[str]
    ) -> None:
        self.roster = WatchedUsers()
        self.hints = Hints()
        self.session: LiveConnection | None = None
        self._login = login
        self._observer = observer
        self._name = media_server
        self._controllable = controllable
        self._queue: EventQueue | None = None
        self._tried = asyncio.Event()
        self._said_down = False
        self._said_lost = False
        self._earlier = NodeState()
        self._reports: deque[float] = deque(maxlen=REPORTS_A_MINUTE)
        self._unreported = 0

    async def listen(self, on_event: EventHandler) -> None:
        """Tell every fact about the watched users, in the order of the node, until cancelled."""
        self._queue = reporting = EventQueue(on_event, self._failed)
        try:
            await self._listen(reporting)
        finally:
            self._queue = None
            self._tried.set()
            await reporting.aclose()

    async def _listen(self, reporting: EventQueue) -> None:
        """Connect again and again."""
        loop, waits = asyncio.get_running_loop(), delays(Random())
        while True:
            began = loop.time()
            try:
                async with connect(self._login, "system") as connection:
                    await self._on_event(connection, reporting)
            except ConnectionError as error:
                self._say_lost(error)
            finally:
                lost, self.session = self.session, None
            if lost is None and not self._said_down:  # it does not come back at once
                self._said_down = True
                for user in self.roster.users:
                    self._say_down(reporting, user)
            if lost is not None and loop.time() - began > STEADY_AFTER:
                waits = delays(Random())
            self._tried.set()
            await asyncio.sleep(next(waits))

    async def _on_event(self, connection: Connection, reporting: EventQueue) -> None:
        """Hear a connection until it is lost."""
        messages = self._messages(connection)
        try:
            async with asyncio.timeout(BEGINS_WITHIN):
                session = await self._begin(connection, messages)
        except TimeoutError:
            problem = f"it has not told all that it knows within {BEGINS_WITHIN:g} s; read = {EVENT_CLASSES}"
            raise ConnectionError(problem) from None
        except ActionRefused as error:
            raise ConnectionError(str(error)) from error
        self.session, self._said_down = session, False
        looking = [
            asyncio.create_task(self._look_after_hints(session)),
            asyncio.create_task(session.watching.look_after_calls(session.connection)),
        ]
        self._tried.set()
        self._say_found()
        try:
            for user in self.roster.users:
                self._report_again(session, reporting, user)
                await reporting.room()
            for message in session.done:
                self._take(session, reporting, message)
                await reporting.room()
            async for message in messages:
                self._take(session, reporting, message)
                await reporting.room()
        finally:
            for task in looking:
                task.cancel()

    async def _begin(self, connection: Connection, messages: AsyncIterator[Message]) -> LiveConnection:
        """Ask for all that the node knows, once it has booted, and wait until it has come."""
        await _filter(connection)
        await connection.act("Events", ("EventMask", EVENT_CLASSES))
        async for message in messages:
            if message.event == "FullyBooted":
                break
        watching = StateSync(self._name, await _key(connection))
        session = LiveConnection(connection, watching, AstDbPlans(connection), self._controllable)
        session.watching.ask(connection, self.roster.users)
        await _complete(session, messages)
        session.watching.recall(self._earlier)
        session.watching.ask_details(connection)
        await _complete(session, messages)
        self._earlier = session.watching.picture
        return session

    def _take(self, session: LiveConnection, reporting: EventQueue, message: Message) -> None:
        if message.event == "FullyBooted":
            return  # a node that boots again closes its connections
        if message.event == "Reload":
            session.reloaded.set()
        session.watching.ask_after_calls(session.connection, message)
        for meaning in session.watching.on_event(message):
            if isinstance(meaning, TranslatedEvent):
                answered = partial(_answer, session.connection, meaning.channel) if meaning.channel else None
                reporting.report(meaning.user, [meaning.event], answered)
            else:
                self._not_understood(meaning)

    def _report_again(self, session: LiveConnection, reporting: EventQueue, user: User) -> None:
        """Tell all that is known of a user, in place of what waits to be told."""
        if user not in self.roster:
            return
        try:
            known, problems = session.watching.begin(user)
        except ValueError as error:
            self._failed("watch", error, user.id)
            return
        for problem in problems:
            self._not_understood(problem)
        reporting.replace(user.id, known)

    def _say_lost(self, error: ConnectionError) -> None:
        """Tell the observer that the node went down; of further attempts only that the node is down."""
        self._failed("connection", NodeDown(str(error)) if self._said_lost else error)
        self._said_lost = True

    def _say_found(self) -> None:
        if self._said_lost:
            self._said_lost = False
            self._observer.recovered(PortRequest("pbx", "connection", self._name))

    def _say_down(self, reporting: EventQueue, user: User) -> None:
        """Tell that what the node told is void, and no phone there is available as far as we know."""
        reporting.replace(user.id, _down(self._name))

    async def _messages(self, connection: Connection) -> AsyncIterator[Message]:
        """The stream of a connection. A bad message costs none of its neighbours."""
        bad = 0
        async for item in connection.stream():
            if isinstance(item, Message):
                bad = 0
                yield item
                continue
            self._not_understood(item)
            bad += not item.of_strangers
            if bad >= LOST_FRAMING:
                raise ConnectionError(f"{bad} bad messages in a row; the last one: {item}")

    def _not_understood(self, problem: Untranslatable | Malformed) -> None:
        """Report a message that is not understood, unless there were too many lately; these are counted."""
        now = asyncio.get_running_loop().time()
        if len(self._reports) == REPORTS_A_MINUTE and now - self._reports[0] < 60:
            self._unreported += 1
            return
        self._reports.append(now)
        more = f"; {self._unreported} more were not reported" if self._unreported else ""
        self._unreported = 0
        self._failed("message", NotUnderstood(f"{problem}{more}"))

    def _failed(self, request: str, error: Exception, user: str = "") -> None:
        self._observer.failed(PortRequest("pbx", request, self._name, user), error)

    async def _look_after_hints(self, session: LiveConnection) -> None:
        """Show every hint, and again whenever the dialplan was reloaded."""
        shown = False
        while True:
            try:
                if not shown or await self.hints.gone(session.connection):
                    await self.hints.show_all(session.connection)
                    shown = True
            except NodeDown:
                return  # whoever hears the connection knows, too
            except ConnectionError as error:  # the node is slow
                self._failed("hints", error)
            except Exception as error:
                self._failed("hints", error)
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKS_AFTER_HINTS_EVERY):
                    await session.reloaded.wait()
            session.reloaded.clear()

    async def reach(self) -> LiveConnection:
        """The session of a node that is up; bounded by how long the first attempt may take."""
        if self._queue is None:
            raise ConnectionError(f"nobody listens to the PBX {self._name}")
        await self._tried.wait()
        if self.session is None:
            raise NodeDown(f"the PBX {self._name} cannot be reached")
        return self.session

    async def watch(self, user: User) -> None:
        """Tell all that is known of a user of the roster: once more when the node is back, if it is down."""
        with suppress(ConnectionError):
            await self.reach()
        reporting = self._queue
        if reporting is None or user not in self.roster:
            return
        if self.session is None:
            self._say_down(reporting, user)
        else:
            self._report_again(self.session, reporting, user)
            with suppress(ConnectionError):
                self.session.watching.ask_mailbox(self.session.connection, user)
        await reporting.reported(user.id)

    def drop(self, user: str) -> None:
        """Do not tell what of a user still waits."""
        if self._queue is not None:
            self._queue.drop(user)


def _down(media_server: str) -> FactsReplaced:
    """What is true of a user while the node is down, so that no lamp stays lit for a call that is over."""
    return FactsReplaced(
        media_server, tuple(LineChanged(device, LineStatus.UNAVAILABLE) for device in Device)
    )


async def _filter(connection: Connection) -> None:
    """Ask for the events that are needed, and for none in which a stranger's blank line poses as an end."""
    add = ("Operation", "Add")
    try:
        await connection.act("Filter", add, ("Filter", BLANK_LINES))
    except ActionRefused as error:
        raise ConnectionError(
            f"{error}; without it strangers could forge events: grant write = system"
        ) from None
    with suppress(ActionRefused):  # it then reports more than is needed
        for wanted in (f"Event: ({'|'.join(EVENTS)})", f"EventName: {CALL_ID_EVENT}"):
            await connection.act("Filter", add, ("Filter", wanted))


async def _key(connection: Connection) -> str:
    """The node's key, made if there is none since it has booted."""
    variable = ("Variable", CODE_KEY)
    if not (key := (await connection.act("Getvar", variable)).get("Value", "")):
        key = token_hex(16)
        await connection.act("Setvar", variable, ("Value", key))
    return key


async def _complete(session: LiveConnection, messages: AsyncIterator[Message]) -> None:
    """Hear until all that was asked for has come."""
    while not session.watching.complete:
        message = await anext(messages)
        session.watching.on_event(message)
        if message.event == "UserEvent":
            session.done.append(message)


def _answer(connection: Connection, channel: str, word: str) -> None:
    """Tell who dialled a code what came of it; one who does not wait any more is told in vain."""
    with suppress(ConnectionError):
        connection.send("Setvar", ("Channel", channel), ("Variable", CODE_ANSWER), ("Value", word))
