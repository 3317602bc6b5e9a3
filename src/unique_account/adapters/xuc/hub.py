"""All users at the server, and what they do with the service behind it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from attrs import frozen

from unique_account.adapters.xuc.auth.tokens import Token, TokenExpired, Tokens
from unique_account.adapters.xuc.protocol import outgoing
from unique_account.adapters.xuc.session_reports import SessionReports
from unique_account.adapters.xuc.settings import XucSettings
from unique_account.adapters.xuc.store import Preference, Store, StoreFailed
from unique_account.adapters.xuc.tab import CloseCode, Tab
from unique_account.adapters.xuc.user_sessions import UserSession, UserSessions
from unique_account.core.errors import UniqueAccountError
from unique_account.core.events import Event
from unique_account.core.presence import Presence
from unique_account.core.view import View
from unique_account.ports.directory import Directory
from unique_account.ports.inbound.commands import Command, CommandHandler
from unique_account.ports.inbound.events import EventHandler, UnknownUser
from unique_account.ports.inbound.histories import Histories
from unique_account.ports.observer import Observer, PortRequest
from unique_account.ports.sip_credentials import SipCredentials

LOOKS_EVERY: Final = 5.0
"""Every how many seconds the directory is asked whether the sessions may go on."""


LOSS_RETRY: Final = 5.0
"""After how many seconds it is reported again how a session is that could not be stored."""


class TooManySockets(UniqueAccountError):
    """A user has as many WebSockets open as may be."""

    def __str__(self) -> str:
        return "too many connections of this user; close one"


class LogoutNotStored(StoreFailed):
    """A session is logged out, and that cannot be written down."""

    def __str__(self) -> str:
        return "logged out, but this cannot be kept yet: a restart of the server would undo it"


@frozen(weakref_slot=False)
class Handlers:
    """What listens behind the server."""

    on_event: EventHandler
    on_command: CommandHandler
    histories: Histories


@frozen(weakref_slot=False)
class VisiblePresence:
    """What a user sees of a number.

    Attributes:
        may: Whether the user may see it; if not, the rest is None.
        name: The full name behind it; None where nobody is known to have it.
        presence: Its presence; None where nothing is known yet.
    """

    may: bool
    name: str | None = None
    presence: Presence | None = None


class Hub:
    """Every user's sessions, who watches which number, and the way to the service.

    Attributes:
        settings: How the server behaves.
        directory: Who people are.
        lines: How browsers register.
        observer: Who is told what goes wrong.
        now: The present instant, in UTC.
        store: What outlives the process.
        tokens: The tokens.
        service: What listens; None: nothing does.
        presences: The presence of each number, as last published.
    """

    def __init__(
        self,
        settings: XucSettings,
        directory: Directory,
        lines: SipCredentials,
        observer: Observer,
        now: Callable[[], datetime],
    ) -> None:
        self.settings = settings
        self.directory = directory
        self.lines = lines
        self.observer = observer
        self.now = now
        self.store = Store(settings.store, observer, lambda: now().timestamp())
        self.tokens = Tokens(settings.key, settings.ttl, self.store, now)
        self.service: Handlers | None = None
        self.presences: dict[str, Presence] = {}
        self._users: dict[str, UserSessions] = {}
        self._watchers: defaultdict[str, set[Tab]] = defaultdict(set)
        self._tasks: set[asyncio.Task[None]] = set()
        self._reports = SessionReports(self._on_event, self.tokens, observer, now)

    def sessions_of(self, user: str) -> UserSessions:
        """What the server knows of a user."""
        if user not in self._users:
            self._users[user] = UserSessions(user, self.settings.ringing_tabs)
        return self._users[user]

    @property
    def tabs(self) -> tuple[Tab, ...]:
        """Every open WebSocket."""
        return tuple(tab for sessions in self._users.values() for tab in sessions.tabs)

    def listening(self) -> Handlers:
        """What listens behind the server.

        Raises:
            ConnectionError: Nothing does.
        """
        if self.service is None:
            raise ConnectionError("no service listens to the UC Assistants")
        return self.service

    def _on_event(self) -> EventHandler | None:
        return None if self.service is None else self.service.on_event

    # -- what is shown -------------------------------------------------------------------------------

    def show(self, view: View) -> None:
        """Show an account to its user."""
        self.sessions_of(view.user).show(view)

    def publish(self, number: str, presence: Presence) -> None:
        """Show a presence to everybody who watches the number."""
        if presence is Presence.UNEXISTING:
            self.presences.pop(number, None)
        else:
            self.presences[number] = presence
        frame = outgoing.hint(number, presence)
        for tab in tuple(self._watchers.get(number, ())):
            tab.send(frame, number)

    async def forget(self, user: str) -> None:
        """The user has no account any more: sessions, tokens and preferences are gone.

        Raises:
            NotKept: They are gone here; a restart would undo it, until the store can be written again.
        """
        if (sessions := self._users.get(user)) is not None:
            sessions.view = None
            sessions.close(CloseCode.ACCOUNT_GONE)
            self.drop_if_idle(sessions.user)
        await self.store.forget(user)

    def drop_if_idle(self, user: str) -> None:
        """Drop a user who has no account to show, no session, no tab and no report under way."""
        sessions = self._users.get(user)
        if sessions is not None and sessions.is_idle:
            del self._users[user]

    # -- who watches what ----------------------------------------------------------------------------

    async def seen_by(self, user: str, number: str) -> VisiblePresence:
        """What a user may see of a number: nothing, unless the directory lets the user see it."""
        if not number or not await self.directory.may_see(user, number):
            return VisiblePresence(may=False)
        return VisiblePresence(True, await self.directory.name(number), self.presences.get(number))

    def watch(self, tab: Tab, number: str) -> None:
        """Tell a tab of a number's presence from now on, unless it is gone."""
        if tab.is_gone:
            return
        tab.watched.add(number)
        self._watchers[number].add(tab)
        if number in self.presences:
            tab.send(outgoing.hint(number, self.presences[number]), number)

    def unwatch(self, tab: Tab) -> None:
        """Tell a tab of no number's presence any more."""
        for number in tab.watched:
            self._watchers[number].discard(tab)
            if not self._watchers[number]:
                del self._watchers[number]
        tab.watched.clear()

    # -- sessions ------------------------------------------------------------------------------------

    async def enter(self, tab: Tab) -> None:
        """A WebSocket was opened: its session is logged in, and sees everything.

        Raises:
            TooManySockets: The user has too many already.
            TokenExpired: The session was logged out meanwhile.
            UnknownUser: The user has no account.
            ConnectionError: Nothing listens.
        """
        sessions = self.sessions_of(tab.user)
        if sessions.connections >= self.settings.sockets_per_user:
            raise TooManySockets
        await self._reports.enter(sessions, tab)
        sessions.line = await self.lines.line(sessions.user)
        if sessions.view is not None:
            sessions.name = (await self.seen_by(sessions.user, sessions.view.number)).name
        sessions.welcome(tab, self.ice(sessions.user))

    def ice(self, user: str) -> object:
        """How a user's browser finds its way to the media."""
        return outgoing.ice_config(self.settings.stun, self.settings.turn, user, self.now())

    def leave(self, tab: Tab) -> None:
        """A WebSocket is closed, in whatever way; without another one its session is lost (S5)."""
        sessions = self.sessions_of(tab.user)
        last_seen = self.now() - tab.silent_for
        tab.gone()
        self.unwatch(tab)
        sessions.leave(tab)
        if (session := self._reports.leave(sessions, tab, last_seen)) is not None:
            self.spawn(self._agree(sessions, tab.session, session))
        self.drop_if_idle(sessions.user)

    async def _agree(self, sessions: UserSessions, name: str, session: UserSession) -> None:
        """Report how a session is, until the service knows."""
        while not await self._reports.agrees(sessions, name, session):  # noqa: ASYNC110 - a store tells nobody
            await asyncio.sleep(LOSS_RETRY)
        self.drop_if_idle(sessions.user)

    async def token(self, text: str) -> Token:
        """What a token says whose login has the password still that it was given for.

        Raises:
            TokenExpired: It was good once.
            BadToken: It never was.
        """
        token = self.tokens.read(text)
        if not await self._is_sealed(token):
            raise TokenExpired
        return token

    async def _is_sealed(self, token: Token) -> bool:
        return self.tokens.is_sealed(token, await self.directory.credential(token.login))

    async def look_after(self) -> None:
        """End the sessions of those who may not log in as they did, for as long as it goes on."""
        while True:
            await asyncio.sleep(LOOKS_EVERY)
            await self._make_up()
            await self.look_once()

    async def look_once(self) -> None:
        """End the sessions of those who may not log in as they did."""
        for tab in self.tabs:
            try:
                if not await self._is_sealed(tab.token):
                    await self.log_out(tab.user, tab.session, CloseCode.BAD_TOKEN)
            except Exception as error:  # the next round finds it again
                self.observer.failed(PortRequest("cti", "sessions", user=tab.user), error)

    async def _make_up(self) -> None:
        """Write down what could not be written before."""
        if self.store.is_owed:
            with suppress(StoreFailed):  # the observer knows
                await self.store.keep()

    async def log_out(self, user: str, session: str, code: CloseCode = CloseCode.LOGGED_OUT) -> None:
        """End a session: its account is told, its tokens are revoked, its WebSockets closed.

        Raises:
            LogoutNotKept: A restart would undo it, until the store can be written again.
            Exception: What the service raised; the session goes on then.
        """
        sessions = self.sessions_of(user)
        try:
            await self._reports.log_out(sessions, session)
        except BaseException:
            if (held := sessions.by_id.get(session)) is not None:  # whatever became of it, it goes on
                self.spawn(self._agree(sessions, session, held))
            raise
        finally:
            self.drop_if_idle(sessions.user)
        try:
            await self.store.keep()
        except StoreFailed as error:
            raise LogoutNotStored(str(error)) from error
        finally:
            sessions.close(code, session)

    # -- deeds ---------------------------------------------------------------------------------------

    async def act(self, user: str, event: Event) -> None:
        """Report to the service what a user does, after what that user did before."""
        async with self.sessions_of(user).lock:
            await self.listening().on_event(user, event)

    async def prefer(self, user: str, key: str, preference: Preference) -> None:
        """Keep a user's preference.

        Raises:
            TooManyPreferences: There are too many already.
            NotKept: It cannot be kept; nothing changed.
            UnknownUser: The user has no account any more.
        """
        await self.store.prefer(user, key, preference)
        if self.sessions_of(user).view is None:
            await self.store.forget(user)
            raise UnknownUser(user)

    async def on_command(self, user: str, command: Command) -> bool:
        """Let a user's command be carried out; False if the browser has to."""
        return await self.listening().on_command(user, command)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something that nobody waits for."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def settle(self) -> None:
        """Give up what nobody waits for."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
