"""The hub: all users at the server, and their way to the service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Final

from attrs import frozen

from unique_account.adapters.xuc.auth.log_ins import LogIns
from unique_account.adapters.xuc.auth.tokens import Tokens
from unique_account.adapters.xuc.background_tasks import BackgroundTasks
from unique_account.adapters.xuc.presence_subscriptions import PresenceSubscriptions
from unique_account.adapters.xuc.processes import Processes
from unique_account.adapters.xuc.protocol import xivo_messages
from unique_account.adapters.xuc.protocol.outgoing import Frames
from unique_account.adapters.xuc.session_reports import SessionReports
from unique_account.adapters.xuc.settings import XucSettings
from unique_account.adapters.xuc.storage.store import LogoutNotStored
from unique_account.adapters.xuc.tab import CloseCode, Tab
from unique_account.adapters.xuc.user_sessions import UserSession, UserSessions
from unique_account.core.account import Account
from unique_account.core.errors import UniqueAccountError, Unreachable
from unique_account.core.events import Event
from unique_account.core.number import Number
from unique_account.core.view import View
from unique_account.ports.assistant_store import AssistantStore, Preference, StoreFailed
from unique_account.ports.directory import Directory
from unique_account.ports.inbound.commands import Command, CommandHandler
from unique_account.ports.inbound.events import EventHandler, UnknownUser
from unique_account.ports.inbound.histories import Histories
from unique_account.ports.observer import Observer
from unique_account.ports.sip_credentials import SipCredentials

REPORT_RETRY: Final = 5.0
"""How many seconds until a session whose report could not be stored is reported again."""


NAMED_WITHIN: Final = 0.2
"""For how many seconds a call waits for the directory's name of the other party."""


class TooManySockets(UniqueAccountError):
    """A user has as many WebSockets open as allowed."""

    def __str__(self) -> str:
        return "too many connections of this user; close one"


@frozen(weakref_slot=False)
class ServicePorts:
    """What the server calls of the service."""

    on_event: EventHandler
    on_command: CommandHandler
    histories: Histories


class Hub:
    """The users at the server.

    Attributes:
        settings: How the server behaves.
        directory: The directory of users and colleagues.
        lines: How browsers register.
        observer: Notified of failures.
        now: The present instant, in UTC.
        store: Sessions and preferences that outlive the process, and may be shared with others.
        processes: The processes that share the users; None: there is only this one.
        log_ins: The log-ins and their tokens.
        service: The service; None: it does not listen.
        frames: Makes the frames.
        presence: The numbers that tabs watch.
        tasks: What the server does in the background.
    """

    def __init__(
        self,
        settings: XucSettings,
        directory: Directory,
        lines: SipCredentials,
        observer: Observer,
        now: Callable[[], datetime],
        store: AssistantStore,
        processes: Processes | None = None,
    ) -> None:
        self.settings = settings
        self.directory = directory
        self.lines = lines
        self.observer = observer
        self.now = now
        self.store = store
        self.processes = processes
        self.log_ins = LogIns(Tokens(settings.key, settings.ttl, now), directory, store)
        self.service: ServicePorts | None = None
        self.frames = Frames()
        self.presence = PresenceSubscriptions(directory, self.frames)
        self.tasks = BackgroundTasks()
        self._users: dict[str, UserSessions] = {}
        self._numbers: dict[str, str] = {}
        self._reports = SessionReports(self._on_event, store, observer, now)

    # -- users ---------------------------------------------------------------------------------------

    def sessions_of(self, user: str) -> UserSessions:
        """A user's account and sessions."""
        if user not in self._users:
            self._users[user] = UserSessions(user, self.settings.ringing_tabs, self.frames)
        return self._users[user]

    def serves(self, user: str) -> bool:
        """Whether a user is served here, and not by another process."""
        if self.processes is None:
            return True
        known = self._users.get(user)
        if self.service is None:
            return False
        return self.processes.is_here(user) or (known is not None and known.view is not None)

    def stand_down(self) -> None:
        """Serve nobody any more, since another process will: every client has to come back."""
        self.service = self.frames.fence = None
        tabs, users, self._users = self.tabs, self._users, {}
        for sessions in users.values():
            sessions.by_id.clear()  # nothing is to be reported of them any more
        self._numbers.clear()
        self.presence.clear()
        for tab in tabs:
            tab.close(CloseCode.COME_BACK)

    @property
    def tabs(self) -> tuple[Tab, ...]:
        """Every open WebSocket."""
        return tuple(tab for sessions in self._users.values() for tab in sessions.tabs)

    async def show(self, view: View) -> None:
        """Show an account to its user, and to colleagues whether calls ring there at all."""
        names = await self._names_of_parties(view) if self.sessions_of(view.user).tabs else {}
        self._numbers[view.number] = view.user
        sessions = self.sessions_of(view.user)
        sessions.party_names = names
        sessions.show(view)
        if sessions.view is view:
            self.presence.publish_diversion(view)

    async def _names_of_parties(self, view: View) -> dict[str, str]:
        """The directory's names of parties of live calls that show none; it is asked once in each call."""
        known = self.sessions_of(view.user).party_names
        names = {call.peer: known.get(call.peer) for call in view.calls if not call.peer_name}
        with suppress(Exception):  # a call is shown without a name, too
            async with asyncio.timeout(NAMED_WITHIN):
                for number in [number for number, name in names.items() if name is None]:
                    names[number] = await self.presence.visible_name(view.user, number)
        return {number: name or "" for number, name in names.items()}

    def history_changed(self, user: str) -> None:
        """Notify a user's tabs that there is a new entry in the history."""
        if (sessions := self._users.get(user)) is not None:
            sessions.report("HistoryChanged", {})

    def user_of(self, number: str) -> str | None:
        """The id of the user who has a number; None: nobody with an account."""
        user = self._numbers.get(Number(number), "")
        sessions = self._users.get(user)
        view = None if sessions is None else sessions.view
        return user if view is not None and view.number == number else None

    def number_of(self, user: str) -> str | None:
        """The number of a user; None: there is no such account."""
        sessions = self._users.get(user)
        return None if sessions is None or sessions.view is None else sessions.view.number

    async def forget(self, user: str) -> None:
        """End the sessions of a user without an account, and remove tokens and preferences.

        Raises:
            StoreFailed: They are gone here; until the store can be written, a restart would undo it.
        """
        self._close(user, CloseCode.ACCOUNT_GONE)
        await self.store.forget(user)

    def release(self, user: str) -> None:
        """Close the connections of a user whom another process serves now."""
        self._close(user, CloseCode.COME_BACK)

    def _close(self, user: str, code: CloseCode) -> None:
        if (sessions := self._users.get(user)) is not None:
            self._numbers.pop(self.number_of(user) or "", None)
            if sessions.view is not None:
                self.presence.forget_diversion(sessions.view.number)
            sessions.view = None
            sessions.close(code)
            self.drop_if_idle(user)

    def drop_if_idle(self, user: str) -> None:
        """Drop a user who has no account to show, no session, no tab and no report under way."""
        sessions = self._users.get(user)
        if sessions is not None and sessions.is_idle:
            del self._users[user]

    def ice(self, user: str) -> object:
        """How a user's browser reaches the media servers."""
        return xivo_messages.ice_config(self.settings.stun, self.settings.turn, user, self.now())

    # -- tabs ----------------------------------------------------------------------------------------

    async def enter(self, tab: Tab) -> None:
        """A WebSocket was opened: log its session in, and show it everything.

        Raises:
            TooManySockets: The user has too many already.
            TokenExpired: The session was logged out meanwhile.
            UnknownUser: The user has no account.
            Unreachable: The service does not listen.
        """
        sessions = self.sessions_of(tab.user)
        if sessions.connections >= self.settings.sockets_per_user:
            raise TooManySockets
        account = await self._reports.enter(sessions, tab)
        sessions.use_line(await self.lines.line(account.user) if isinstance(account, Account) else None)
        if sessions.view is not None:
            sessions.name = (await self.presence.visible_to(sessions.user, sessions.view.number)).name
            sessions.party_names = await self._names_of_parties(sessions.view)
        self._reports.require_entered(sessions, tab)
        sessions.welcome(tab, self.ice(sessions.user))
        if self.processes is not None:
            tab.report("Processes", self.processes.message(tab.user))

    def leave(self, tab: Tab) -> None:
        """A WebSocket is closed, in whatever way; without another one its session is lost (S5)."""
        sessions = self.sessions_of(tab.user)
        last_seen = self.now() - tab.silent_for
        tab.gone()
        self.presence.unsubscribe(tab)
        sessions.leave(tab)
        if (session := self._reports.leave(sessions, tab, last_seen)) is not None:
            self.tasks.spawn(self._report(sessions, tab.session, session))
        self.drop_if_idle(tab.user)

    async def _report(self, sessions: UserSessions, name: str, session: UserSession) -> None:
        """Report the state of a session until the service knows it."""
        while not await self._reports.reconcile(sessions, name, session):  # noqa: ASYNC110 - a store gives no signal
            await asyncio.sleep(REPORT_RETRY)
        self.drop_if_idle(sessions.user)

    # -- log-outs ------------------------------------------------------------------------------------

    async def log_out(self, user: str, session: str, code: CloseCode = CloseCode.LOGGED_OUT) -> None:
        """Log a session out of the account, revoke its tokens, and close its WebSockets.

        Another process that serves the user finds by its periodic check that the session has ended.

        Raises:
            LogoutNotStored: A restart would undo it, until the store can be written again.
            Exception: What the service raised; the session continues then.
        """
        if not self.serves(user):
            await self._end_elsewhere(user, session)
            return
        sessions = self.sessions_of(user)
        try:
            await self._reports.log_out(sessions, session)
        except StoreFailed as error:
            sessions.close(code, session)
            raise LogoutNotStored(str(error)) from error
        except BaseException:
            if (held := sessions.by_id.get(session)) is not None:  # the service may have stored it
                self.tasks.spawn(self._report(sessions, session, held))
            raise
        finally:
            self.drop_if_idle(user)
        sessions.close(code, session)

    async def _end_elsewhere(self, user: str, session: str) -> None:
        try:
            await self.store.end(user, session)
        except StoreFailed as error:
            raise LogoutNotStored(str(error)) from error

    # -- the service ---------------------------------------------------------------------------------

    def require_service(self) -> ServicePorts:
        """The service.

        Raises:
            Unreachable: It does not listen.
        """
        if self.service is None:
            raise Unreachable("no service listens to the UC Assistants")
        return self.service

    def _on_event(self) -> EventHandler | None:
        return None if self.service is None else self.service.on_event

    async def on_event(self, user: str, event: Event) -> None:
        """Report a user's action to the service, after the user's actions before it."""
        async with self.sessions_of(user).lock:
            await self.require_service().on_event(user, event)

    async def on_command(self, user: str, command: Command) -> bool:
        """Have the service carry out a user's command; False: the browser has to."""
        return await self.require_service().on_command(user, command)

    async def prefer(self, user: str, key: str, preference: Preference) -> None:
        """Store a user's preference.

        Raises:
            TooManyPreferences: The user has too many already.
            StoreFailed: It could not be stored; nothing changed.
            UnknownUser: The user has no account any more.
        """
        await self.store.prefer(user, key, preference)
        await self._require_account(user)

    async def favor(self, user: str, number: str, *, added: bool) -> bool:
        """Store whether a contact is a user's favourite; returns whether that is a change.

        Raises:
            TooManyFavorites: The user has too many already.
            StoreFailed: It could not be stored; nothing changed.
            UnknownUser: The user has no account any more.
        """
        changed = await self.store.favor(user, number, added=added)
        await self._require_account(user)
        return changed

    async def _require_account(self, user: str) -> None:
        """Remove what was just stored of a user whose account went meanwhile."""
        if self.sessions_of(user).view is None:
            await self.store.forget(user)
            raise UnknownUser(user)
