"""All users at the server, and what they do with the service behind it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Final

from attrs import frozen

from unique_account.adapters.xuc import messages
from unique_account.adapters.xuc.desk import Desk, Session
from unique_account.adapters.xuc.settings import XucSettings
from unique_account.adapters.xuc.store import Store
from unique_account.adapters.xuc.tab import Close, Tab
from unique_account.adapters.xuc.tokens import Token, TokenExpired, Tokens
from unique_account.core.errors import Refused, UniqueAccountError
from unique_account.core.events import Event, LoggedIn, LoggedOut, SessionLost
from unique_account.core.presence import Presence
from unique_account.core.view import View
from unique_account.ports.commands import Command, Obey
from unique_account.ports.directory import Directory
from unique_account.ports.hearing import Hear, UnknownUser
from unique_account.ports.histories import Histories
from unique_account.ports.lines import Lines
from unique_account.ports.observer import Observer

LOOKS_EVERY: Final = 5.0
"""Every how many seconds the directory is asked whether the sessions may go on."""

LOSS_RETRY: Final = 5.0
"""After how many seconds a lost session is told of again that could not be stored."""


class TooManySockets(UniqueAccountError):
    """A user has as many WebSockets open as may be."""

    def __str__(self) -> str:
        return "too many connections of this user; close one"


@frozen(weakref_slot=False)
class Service:
    """What listens behind the server."""

    hear: Hear
    obey: Obey
    histories: Histories


@frozen(weakref_slot=False)
class Seen:
    """What a user sees of a number.

    Attributes:
        may: Whether the user may see it; if not, the rest is None.
        name: The full name behind it; None where nobody is known to have it.
        presence: Its presence; None where nothing is known yet.
    """

    may: bool
    name: str | None = None
    presence: Presence | None = None


class Office:
    """Every desk, who watches which number, and the way to the service.

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
        lines: Lines,
        observer: Observer,
        now: Callable[[], datetime],
    ) -> None:
        self.settings = settings
        self.directory = directory
        self.lines = lines
        self.observer = observer
        self.now = now
        self.store = Store(settings.store, lambda: now().timestamp())
        self.tokens = Tokens(settings.key, settings.ttl, self.store, now)
        self.service: Service | None = None
        self.presences: dict[str, Presence] = {}
        self._desks: dict[str, Desk] = {}
        self._watchers: defaultdict[str, set[Tab]] = defaultdict(set)
        self._tasks: set[asyncio.Task[None]] = set()

    def desk(self, user: str) -> Desk:
        """A user's desk."""
        if user not in self._desks:
            self._desks[user] = Desk(user, self.settings.ringing_tabs)
        return self._desks[user]

    @property
    def tabs(self) -> tuple[Tab, ...]:
        """Every open WebSocket."""
        return tuple(tab for desk in self._desks.values() for tab in desk.tabs)

    def listening(self) -> Service:
        """What listens behind the server.

        Raises:
            ConnectionError: Nothing does.
        """
        if self.service is None:
            raise ConnectionError("no service listens to the UC Assistants")
        return self.service

    # -- what is shown -------------------------------------------------------------------------------

    def show(self, view: View) -> None:
        """Show an account to its user."""
        self.desk(view.user).show(view)

    def publish(self, number: str, presence: Presence) -> None:
        """Show a presence to everybody who watches the number."""
        if presence is Presence.UNEXISTING:
            self.presences.pop(number, None)
        else:
            self.presences[number] = presence
        frame = messages.hint(number, presence)
        for tab in tuple(self._watchers.get(number, ())):
            tab.send(frame, number)

    async def forget(self, user: str) -> None:
        """The user has no account any more."""
        desk = self._desks.get(user)
        if desk is None:
            return
        desk.view = None
        desk.close(Close.ACCOUNT_GONE)
        self._clear(desk)
        await self.tokens.revoke_user(user)
        await self.store.forget(user)

    def _clear(self, desk: Desk) -> None:
        """Forget a desk that nobody sits at and that has nothing to show."""
        if desk.view is None and not desk.sessions and not desk.lock.locked():
            self._desks.pop(desk.user, None)

    # -- who watches what ----------------------------------------------------------------------------

    async def seen_by(self, user: str, number: str) -> Seen:
        """What a user may see of a number: nothing, unless the directory lets the user see it."""
        if not number or not await self.directory.may_see(user, number):
            return Seen(may=False)
        return Seen(True, await self.directory.name(number), self.presences.get(number))

    def watch(self, tab: Tab, number: str) -> None:
        """Tell a tab of a number's presence from now on, unless it is gone."""
        if tab.is_gone:
            return
        tab.watched.add(number)
        self._watchers[number].add(tab)
        if number in self.presences:
            tab.send(messages.hint(number, self.presences[number]), number)

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
            UnknownUser: The user has no account.
            ConnectionError: Nothing listens.
        """
        desk = tab.desk
        if desk.connections >= self.settings.sockets_per_user:
            raise TooManySockets
        session = desk.sessions.setdefault(tab.session, Session())
        session.connections.add(tab.connection)
        async with desk.lock:
            session.told = tab.connection
            await self.listening().hear(desk.user, LoggedIn(tab.session, tab.connection))
        desk.line = await self.lines.line(desk.user)
        if desk.view is not None:
            desk.name = (await self.seen_by(desk.user, desk.view.number)).name
        desk.welcome(tab, self.ice(desk.user))

    def ice(self, user: str) -> object:
        """How a user's browser finds its way to the media."""
        return messages.ice_config(self.settings.stun, self.settings.turn, user, self.now())

    def leave(self, tab: Tab) -> None:
        """A WebSocket is closed, in whatever way; without another one its session is lost (S5)."""
        desk = tab.desk
        last_seen = self.now() - tab.silent_for
        tab.gone()
        self.unwatch(tab)
        desk.leave(tab)
        session = desk.sessions.get(tab.session)
        if session is None or tab.connection not in session.connections:
            return
        session.connections.discard(tab.connection)
        if not session.connections:
            del desk.sessions[tab.session]
            self.spawn(self._lose(desk, SessionLost(tab.session, last_seen, session.told)))

    async def _lose(self, desk: Desk, lost: SessionLost) -> None:
        """Tell that a session is lost, until that is heard, or it is back."""
        while self.service is not None and lost.session not in desk.sessions:
            async with desk.lock:
                if await self._heard(desk.user, lost):
                    break
            await asyncio.sleep(LOSS_RETRY)
        self._clear(desk)

    async def _heard(self, user: str, lost: SessionLost) -> bool:
        try:
            await self.listening().hear(user, lost)
        except (Refused, UnknownUser):
            return True
        except Exception as error:
            self.observer.failed(f"cti: a lost session of {user}", error)
            return False
        return True

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
            for tab in self.tabs:
                try:
                    if not await self._is_sealed(tab.token):
                        await self.log_out(tab.desk.user, tab.session, Close.BAD_TOKEN)
                except Exception as error:  # the next round finds it again
                    self.observer.failed(f"cti: sessions of {tab.desk.user}", error)

    async def log_out(self, user: str, session: str, code: Close = Close.LOGGED_OUT) -> None:
        """End a session: its account is told, its tokens are revoked, its WebSockets closed.

        Raises:
            Exception: What the service raised; the session goes on then.
        """
        desk = self.desk(user)
        async with desk.lock:
            await self.listening().hear(user, LoggedOut(session))
            desk.sessions.pop(session, None)
        desk.close(code, session)
        await self.tokens.revoke_session(session)

    # -- deeds ---------------------------------------------------------------------------------------

    async def act(self, desk: Desk, event: Event) -> None:
        """Report to the service what a user does, after what that user did before."""
        async with desk.lock:
            await self.listening().hear(desk.user, event)

    async def obey(self, desk: Desk, command: Command) -> bool:
        """Let a user's command be carried out; False if the browser has to."""
        return await self.listening().obey(desk.user, command)

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
