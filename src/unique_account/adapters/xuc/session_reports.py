"""Reports to the service which sessions are connected, so that it knows what is open here.

A session of the account is always connected here, within its lease, or about to be reported lost. Reports of
a user are sent one after the other, under the user's lock, and each looks at the session as it is by then. A
report whose outcome is unknown counts as sent, so that the loss of its connection is reported too.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from unique_account.adapters.xuc.auth.tokens import TokenExpired
from unique_account.adapters.xuc.tab import Tab
from unique_account.adapters.xuc.user_sessions import UserSession, UserSessions
from unique_account.core.errors import Refused, Unreachable
from unique_account.core.events import LoggedIn, LoggedOut, SessionLost
from unique_account.ports.assistant_store import AssistantStore, StoreFailed
from unique_account.ports.inbound.events import EventHandler, UnknownUser
from unique_account.ports.observer import Observer, PortRequest


class SessionReports:
    """Reports sessions to the service.

    Args:
        on_event: The service's handler of events; None: the service does not listen.
        store: Says which sessions have not ended, for whatever process ended them.
        observer: Notified of what cannot be reported.
        now: The present instant, in UTC.
    """

    def __init__(
        self,
        on_event: Callable[[], EventHandler | None],
        store: AssistantStore,
        observer: Observer,
        now: Callable[[], datetime],
    ) -> None:
        self._on_event = on_event
        self._store = store
        self._observer = observer
        self._now = now

    async def enter(self, sessions: UserSessions, tab: Tab) -> object:
        """Report that a session is connected; returns what the service answers.

        Whether the session lives is asked after that: a log-out that another process acknowledged before is
        seen here, and one that comes later is found by the periodic check.

        Raises:
            TokenExpired: It was logged out meanwhile.
            StoreFailed: It is not known whether it was.
            Unreachable: The service does not listen.
            Exception: What the service raised.
        """
        session = sessions.by_id.setdefault(tab.session, UserSession(self._now()))
        session.connections.add(tab.connection)
        async with sessions.lock:
            if sessions.by_id.get(tab.session) is not session:
                raise TokenExpired
            session.reported.add(tab.connection)
            answer = await self.report(sessions.user, LoggedIn(tab.session, tab.connection))
            session.reported = {tab.connection}
            if not await self._lives(sessions.user, tab.session):
                await self._end(sessions, tab.session)
                raise TokenExpired
        return answer

    def require_entered(self, sessions: UserSessions, tab: Tab) -> None:
        """Check that a tab's session was not logged out here since it entered.

        Raises:
            TokenExpired: It was.
        """
        session = sessions.by_id.get(tab.session)
        if session is None or tab.connection not in session.connections:
            raise TokenExpired

    async def report(self, user: str, event: LoggedIn | LoggedOut | SessionLost) -> object:
        """Report an event to the service; returns its answer.

        Raises:
            Unreachable: The service does not listen.
        """
        if (on_event := self._on_event()) is None:
            raise Unreachable("no service listens to the UC Assistants")
        return await on_event(user, event)

    def leave(self, sessions: UserSessions, tab: Tab, last_seen: datetime) -> UserSession | None:
        """A connection is gone; returns its session if it has no other one, and so is lost (S5)."""
        session = sessions.by_id.get(tab.session)
        if session is None or tab.connection not in session.connections:
            return None
        session.connections.discard(tab.connection)
        session.last_seen = last_seen
        return None if session.connections else session

    async def reconcile(self, sessions: UserSessions, name: str, session: UserSession) -> bool:
        """Report whether a session is connected or lost by now; False: it has to be reported again."""
        async with sessions.lock:
            if sessions.by_id.get(name) is not session:
                return True  # it was logged out
            if session.connections:
                return await self._report_connected(sessions.user, name, session)
            if not await self._may_live(sessions.user, name):
                return await self._try_end(sessions, name)
            return await self._report_lost(sessions, name, session)

    async def _report_connected(self, user: str, name: str, session: UserSession) -> bool:
        """Report that a session is connected, by one of its connections."""
        connection = min(session.connections)
        session.reported.add(connection)
        return await self._try_report(user, LoggedIn(name, connection))

    async def _report_lost(self, sessions: UserSessions, name: str, session: UserSession) -> bool:
        """Report that a session is lost, by every connection that the service may know."""
        last_seen = min(session.last_seen, self._now())  # the clock may have been set back since
        for connection in tuple(session.reported):
            if not await self._try_report(sessions.user, SessionLost(name, last_seen, connection)):
                return False
        session.reported.clear()
        if not session.connections:
            del sessions.by_id[name]
        return True

    async def _lives(self, user: str, name: str) -> bool:
        return bool(await self._store.living([(user, name)]))

    async def _may_live(self, user: str, name: str) -> bool:
        """Whether a session lives, as far as can be known."""
        try:
            return await self._lives(user, name)
        except StoreFailed:
            return True

    async def _try_end(self, sessions: UserSessions, name: str) -> bool:
        """Report that a session is over that another process ended; False: it has to be reported again."""
        try:
            await self._end(sessions, name)
        except Exception as error:
            self._observer.failed(PortRequest("cti", "log-out", user=sessions.user), error)
            return False
        return True

    async def _try_report(self, user: str, event: LoggedIn | SessionLost) -> bool:
        """Report an event; False: it failed. Without a service or an account there is nothing to report."""
        if self._on_event() is None:
            return True
        try:
            await self.report(user, event)
        except (Refused, UnknownUser):
            return True
        except Exception as error:
            what = "lost session" if isinstance(event, SessionLost) else "session"
            self._observer.failed(PortRequest("cti", what, user=user), error)
            return False
        return True

    async def log_out(self, sessions: UserSessions, name: str) -> None:
        """End a session in its account, and all of its tokens.

        Raises:
            StoreFailed: Its tokens have ended here, but this could not be stored.
            Exception: What the service raised; the session continues then, and has to be reconciled.
        """
        async with sessions.lock:
            await self._end(sessions, name)
            await self._store.end(sessions.user, name)

    async def _end(self, sessions: UserSessions, name: str) -> None:
        with suppress(UnknownUser):  # no account holds it; its tokens end all the same
            await self.report(sessions.user, LoggedOut(name))
        sessions.by_id.pop(name, None)
