"""One Asterisk as a PBX node: a live connection to its manager interface."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from random import Random
from typing import Final

from attrs import define, field

from unique_account.adapters.asterisk.ami import Malformed, Message
from unique_account.adapters.asterisk.astdb import PlanBook
from unique_account.adapters.asterisk.codes import ANSWER
from unique_account.adapters.asterisk.commands import PHONES_THAT_OBEY, Commands
from unique_account.adapters.asterisk.connection import ActionRefused, Connection, connect, delays
from unique_account.adapters.asterisk.dialplan import live_devices
from unique_account.adapters.asterisk.guard import Guard
from unique_account.adapters.asterisk.hints import Hints, custom_state
from unique_account.adapters.asterisk.joining import JOINED
from unique_account.adapters.asterisk.login import ManagerLogin
from unique_account.adapters.asterisk.roster import Roster
from unique_account.adapters.asterisk.telling import Telling
from unique_account.adapters.asterisk.translation import Heard, Untranslatable
from unique_account.adapters.asterisk.watching import EVENT_CLASSES, EVENTS, Watching
from unique_account.core.errors import UniqueAccountError
from unique_account.core.events import NodeLost
from unique_account.core.forwarding import digits
from unique_account.core.presence import Presence
from unique_account.core.routing import Plan
from unique_account.core.user import User
from unique_account.ports.hearing import Hear
from unique_account.ports.observer import Observer
from unique_account.ports.pbx import CommandFailed

BEGINS_WITHIN: Final = 15.0
"""How many seconds after the log-in a node may take until it has booted and told all that it knows."""

LOOKS_AFTER_HINTS_EVERY: Final = 2.0
"""After how many seconds, at most, a reload of the dialplan is noticed that no event tells of."""

STEADY_AFTER: Final = 10.0
"""After how many seconds a connection is one that held: when it is lost, the next is tried at once."""

_DEFAULT_CONTEXT: Final = "default"


class NotUnderstood(UniqueAccountError):
    """The node said something that cannot be understood; the sentence says what."""


@define
class _Session:
    """A connection on which all that the node knows was heard."""

    connection: Connection
    watching: Watching
    plans: PlanBook
    obeying: Sequence[str]
    reloaded: asyncio.Event = field(factory=asyncio.Event)

    @property
    def commands(self) -> Commands:
        return Commands(self.connection, self.watching.picture, self.obeying)


class AsteriskPbx:
    """One Asterisk node, reached through its manager interface; a `unique_account.ports.pbx.Pbx`.

    It connects while `listen` runs, and again whenever the connection is lost. Calls wait for the first
    attempt to connect; afterwards they raise `ConnectionError` at once while the node is down.

    Args:
        login: Where the node's manager interface is, and as whom to log in.
        observer: Who is told of what is no answer to a call: a connection that is lost or refused, and what
            the node said that cannot be understood.
        media_server: The node's name, as users name it in ``User.media_server``.
        obeying: How the ``User-Agent`` of phones begins that obey the *talk* and *hold* events (C1).

    Attributes:
        media_server: The node's name.
    """

    def __init__(
        self,
        login: ManagerLogin,
        observer: Observer,
        media_server: str = "default",
        *,
        obeying: Sequence[str] = PHONES_THAT_OBEY,
    ) -> None:
        self.media_server = media_server
        self._obeying = tuple(obeying)
        self._login = login
        self._observer = observer
        self._roster = Roster()
        self._hints = Hints()
        self._guard = Guard(login)
        self._telling: Telling | None = None
        self._tried = asyncio.Event()
        self._session: _Session | None = None
        self._told = False

    @property
    def connected(self) -> bool:
        """Whether the node is connected now, and all that it knows has been heard."""
        return self._session is not None

    # -- hearing -------------------------------------------------------------------------------------

    async def listen(self, hear: Hear) -> None:
        """Tell every fact about the watched users, in the order of the node, until cancelled."""
        self._telling = telling = Telling(hear, self._failed)
        try:
            await self._listen(telling)
        finally:
            self._telling = None
            self._tried.set()
            await telling.aclose()
            await self._guard.aclose()

    async def _listen(self, telling: Telling) -> None:
        """Connect again and again."""
        loop, waits = asyncio.get_running_loop(), delays(Random())
        while True:
            began = loop.time()
            try:
                async with connect(self._login, EVENT_CLASSES) as connection:
                    await self._hear(connection, telling)
            except ConnectionError as error:
                self._failed("connection", error)
            finally:
                lost, self._session = self._session, None
            if lost is None and self._told:  # it does not come back at once, so what it told is void
                self._told = False
                for user in self._roster.users:
                    telling.tell(user.id, [NodeLost(self.media_server)])
            if lost is not None and loop.time() - began > STEADY_AFTER:
                waits = delays(Random())
            self._tried.set()
            await asyncio.sleep(next(waits))

    async def _hear(self, connection: Connection, telling: Telling) -> None:
        """Hear a connection until it is lost."""
        messages = _messages(connection)
        try:
            async with asyncio.timeout(BEGINS_WITHIN):
                session = await self._begin(connection, messages)
        except TimeoutError:
            problem = f"it has not told all that it knows within {BEGINS_WITHIN:g} s; read = {EVENT_CLASSES}"
            raise ConnectionError(problem) from None
        except ActionRefused as error:
            raise ConnectionError(str(error)) from error
        self._session, self._told = session, True
        looking = asyncio.create_task(self._look_after_hints(session))
        self._tried.set()
        try:
            for user in self._roster.users:
                self._retell(session, telling, user)
                await telling.room()
            async for message in messages:
                self._take(session, telling, message)
                await telling.room()
        finally:
            looking.cancel()

    async def _begin(self, connection: Connection, messages: AsyncIterator[Message]) -> _Session:
        """Ask for all that the node knows, once it has booted, and wait until it has come."""
        with suppress(ActionRefused):  # it then tells more than is needed
            for wanted in (f"Event: ({'|'.join(EVENTS)})", f"EventName: {JOINED}"):
                await connection.act("Filter", ("Operation", "Add"), ("Filter", wanted))
        async for message in messages:
            if message.event == "FullyBooted":
                break
        session = _Session(connection, Watching(self.media_server), PlanBook(connection), self._obeying)
        session.watching.ask(connection, self._roster.users)
        async for message in messages:
            session.watching.hear(message)
            if session.watching.complete:
                break
        session.watching.ask_holds(connection)
        while not session.watching.complete:
            session.watching.hear(await anext(messages))
        return session

    def _take(self, session: _Session, telling: Telling, message: Message) -> None:
        if message.event == "FullyBooted":
            raise ConnectionError("the node has booted anew")
        if message.event == "Reload":
            session.reloaded.set()
        for meaning in session.watching.hear(message):
            if isinstance(meaning, Heard):
                answered = partial(_answer, session.connection, meaning.channel) if meaning.channel else None
                telling.tell(meaning.user, [meaning.event], answered)
            else:
                self._not_understood(meaning)

    def _retell(self, session: _Session, telling: Telling, user: User) -> None:
        """Tell all that is known of a user, in place of what waits to be told."""
        if user not in self._roster:
            return
        try:
            events, problems = session.watching.begin(user)
        except ValueError as error:
            self._failed(f"watch {user.id}", error)
            return
        for problem in problems:
            self._not_understood(problem)
        telling.drop(user.id)
        telling.tell(user.id, events)

    def _not_understood(self, problem: Untranslatable) -> None:
        self._failed("message", NotUnderstood(str(problem)))

    def _failed(self, what: str, error: Exception) -> None:
        self._observer.failed(f"pbx {self.media_server}: {what}", error)

    async def _look_after_hints(self, session: _Session) -> None:
        """Show every hint, and again whenever the dialplan was reloaded."""
        try:
            await self._hints.show_all(session.connection)
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOKS_AFTER_HINTS_EVERY):
                        await session.reloaded.wait()
                session.reloaded.clear()
                if await self._hints.gone(session.connection):
                    await self._hints.show_all(session.connection)
        except ConnectionError:
            return  # whoever hears the connection knows, too
        except Exception as error:
            self._failed("hints", error)

    async def _reach(self) -> _Session:
        """The session of a node that is up; bounded by how long the first attempt may take."""
        if self._telling is None:
            raise ConnectionError(f"nobody listens to the PBX {self.media_server}")
        await self._tried.wait()
        if self._session is None:
            raise ConnectionError(f"the PBX {self.media_server} cannot be reached")
        return self._session

    # -- the port: facts and projections -------------------------------------------------------------

    async def watch(self, user: User) -> None:
        """Tell this user's facts from now on, beginning with all that is known."""
        self._roster.add(user)
        with suppress(ConnectionError):
            session = await self._reach()
            telling = self._telling
            if telling is None or user not in self._roster:
                return
            self._retell(session, telling, user)
            session.watching.ask_mailbox(session.connection, user)
            await telling.told(user.id)

    async def forget(self, user: str) -> None:
        """Tell nothing more of this user, and take its plan and hints away."""
        numbers = set(self._roster.forget(user))
        if self._telling is not None:
            self._telling.drop(user)
        session = await self._reach()
        session.watching.forget(user)
        numbers.update(await session.plans.forget(user))
        for number in numbers:
            if self._roster.of_number(number) is None:
                await self.hint(number, Presence.UNEXISTING)

    async def install(self, plan: Plan) -> bool:
        """Let the user's calls follow this plan, unless a newer one is there."""
        return await (await self._reach()).plans.install(plan)

    async def installed(self, owner: str) -> Mapping[str, Plan]:
        """The plans that this owner installed on the node, by user."""
        return await (await self._reach()).plans.installed(owner)

    async def hint(self, number: str, presence: Presence) -> None:
        """Show this presence to the phones that watch a number."""
        self._hints.remember(number, presence)
        await self._guard.restore(digits(number), self._without_us(number, presence))
        session = await self._reach()
        await self._hints.show(session.connection, number)

    def _without_us(self, number: str, presence: Presence) -> str | None:
        """What a number's hint is to follow when the service is gone."""
        if presence is Presence.UNEXISTING:
            return None
        user = self._roster.of_number(number)
        return custom_state(digits(number)) if user is None else live_devices(user)

    # -- the port: commands --------------------------------------------------------------------------

    async def dial(self, interface: str, number: str) -> None:
        """Ring a phone and, when it is picked up, dial the number for it (R14)."""
        session = await self._reach()
        await session.commands.dial(interface, digits(number), self._context(interface))

    async def answer(self, call_id: str) -> None:
        """Let the phone that rings for this call answer it."""
        await (await self._reach()).commands.answer(call_id)

    async def hold(self, call_id: str) -> None:
        """Let the phone put its call on hold."""
        await (await self._reach()).commands.hold(call_id)

    async def resume(self, call_id: str) -> None:
        """Let the phone take its call back from hold."""
        await (await self._reach()).commands.resume(call_id)

    async def transfer(self, call_id: str, number: str) -> None:
        """Send the other party to a number, and let the phone go."""
        session = await self._reach()
        context = self._context(session.commands.interface(call_id))
        await session.commands.transfer(call_id, digits(number), context)

    async def join(self, call_id: str, other: str) -> None:
        """Connect the other parties of two calls of a phone, and let the phone go."""
        await (await self._reach()).commands.join(call_id, other)

    async def hang_up(self, call_id: str) -> None:
        """End a call, ringing or answered."""
        await (await self._reach()).commands.hang_up(call_id)

    async def hand_on(self, call_id: str) -> None:
        """Move a ringing call to the plan's next candidate (R15)."""
        session = await self._reach()
        interface = session.commands.rings_at(call_id)
        user = self._roster.of_interface(interface)
        plan = None if user is None else await session.plans.plan(user.id)
        if plan is None or interface not in [candidate.interface for candidate in plan.candidates[:-1]]:
            raise CommandFailed("the call rings on the last device that the plan has for it")
        await session.commands.vanish(call_id)

    def _context(self, interface: str) -> str:
        """Where the calls of a phone are dialled."""
        user = self._roster.of_interface(interface)
        return _DEFAULT_CONTEXT if user is None else user.context


async def _messages(connection: Connection) -> AsyncIterator[Message]:
    """The stream of a connection, which garbage ends: what else was lost with it nobody knows."""
    async for item in connection.stream():
        if isinstance(item, Malformed):
            raise ConnectionError(str(item))
        yield item


def _answer(connection: Connection, channel: str, word: str) -> None:
    """Tell who dialled a code what came of it; one who does not wait any more is told in vain."""
    with suppress(ConnectionError):
        connection.send("Setvar", ("Channel", channel), ("Variable", ANSWER), ("Value", word))
