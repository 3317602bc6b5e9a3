"""One user at the server: the account as last shown, and the WebSockets that show it."""

from __future__ import annotations

import asyncio
from datetime import datetime

from attrs import Factory, define

from unique_account.adapters.xuc.protocol import outgoing
from unique_account.adapters.xuc.protocol.outgoing import message
from unique_account.adapters.xuc.tab import CloseCode, Tab
from unique_account.adapters.xuc.transport.query_budget import QueryBudget
from unique_account.core.view import View
from unique_account.ports.sip_credentials import SipLine


@define(eq=False)
class UserSession:
    """One log-in of the user.

    Attributes:
        last_seen: When it came, or its last sign of life once it has no connection.
        connections: Those that are open, or about to be.
        reported: The connections on which the service may hold it.
    """

    last_seen: datetime
    connections: set[str] = Factory(set)
    reported: set[str] = Factory(set)


@define(eq=False)
class UserSessions:
    """Everything of one user.

    Attributes:
        user: The user's id.
        ringing_tabs: How many of the tabs have the line.
        view: The account as last shown; None: there is none.
        tabs: The open WebSockets, in the order in which they came.
        by_id: The sessions that have a WebSocket, or whose loss is not reported yet.
        name: The user's full name, as far as is known.
        line: How the browser registers; None where that is not known.
        lock: Held while the service is told something of this user, so that it comes in order.
        budget: What the user may ask, over all WebSockets.
        log_budget: The same of the call log, apart, so that one that hangs holds nothing else up.
    """

    user: str
    ringing_tabs: int
    view: View | None = None
    tabs: list[Tab] = Factory(list)
    by_id: dict[str, UserSession] = Factory(dict)
    name: str | None = None
    line: SipLine | None = None
    lock: asyncio.Lock = Factory(asyncio.Lock)
    budget: QueryBudget = Factory(QueryBudget)
    log_budget: QueryBudget = Factory(QueryBudget)

    @property
    def connections(self) -> int:
        """How many WebSockets are open, or about to be."""
        return sum(len(session.connections) for session in self.by_id.values())

    @property
    def is_idle(self) -> bool:
        """Whether there is no account to show, no session, no tab and no report under way."""
        return self.view is None and not self.by_id and not self.tabs and not self.lock.locked()

    # -- the account ---------------------------------------------------------------------------------

    def show(self, view: View) -> None:
        """Show the account in every tab, unless a newer version is shown."""
        before = self.view
        if before is not None and view.version < before.version:
            return
        self.view = view
        if self.tabs and view != before:
            for frame in self._changes(before, view):
                self._send(frame)

    def _changes(self, before: View | None, view: View) -> list[str]:
        """What is new in a view, as frames."""
        frames = [message("PhoneEvent", event) for event in outgoing.phone_events(before, view)]
        reported = ("forwarding", "mailbox", "number")
        if before is None or any(getattr(before, name) != getattr(view, name) for name in reported):
            frames.append(message("UserConfigUpdate", outgoing.user_config(view, self.name)))
        if before is None or before.presence is not view.presence:
            frames.append(message("PhoneStatusUpdate", {"status": int(view.presence)}))
        counts = outgoing.voicemail(view)
        if counts is not None and (before is None or counts != outgoing.voicemail(before)):
            frames.append(message("VoiceMailStatusUpdate", counts))
        return [*frames, message("UniqueAccount", outgoing.account(view))]

    def _send(self, frame: str) -> None:
        for tab in tuple(self.tabs):
            tab.send(frame)

    def report(self, kind: str, content: object) -> None:
        """Send a message to every tab."""
        self._send(message(kind, content))

    # -- tabs ----------------------------------------------------------------------------------------

    def welcome(self, tab: Tab, ice: object) -> None:
        """Show a new tab everything there is."""
        tab.report("LoggedOn", {})
        if self.view is not None:
            tab.report("UserConfigUpdate", outgoing.user_config(self.view, self.name))
        self.tabs.append(tab)
        self._deal(newcomer=tab)
        tab.report("IceConfig", ice)
        self._notify_tabs()
        if self.view is not None:
            self._show_whole(tab, self.view)

    def _show_whole(self, tab: Tab, view: View) -> None:
        tab.report("UniqueAccount", outgoing.account(view))
        tab.report("PhoneStatusUpdate", {"status": int(view.presence)})
        if (counts := outgoing.voicemail(view)) is not None:
            tab.report("VoiceMailStatusUpdate", counts)
        self.report_calls(tab)

    def report_calls(self, tab: Tab) -> None:
        """Tell a tab which calls there are."""
        view = self.view
        events = [outgoing.phone_event(view.number, call) for call in view.calls] if view else []
        tab.report("CurrentCallsPhoneEvents", {"events": events})

    def report_line(self, tab: Tab) -> None:
        """Tell a tab how to register, or that it must not."""
        line = self.line if tab.rings else None
        tab.report("LineConfig", outgoing.line_config(line))
        tab.report("SipLine", outgoing.sip_line(line))

    def leave(self, tab: Tab) -> None:
        """A tab is gone; if it had the line, the next one gets it."""
        if tab in self.tabs:
            self.tabs.remove(tab)
            self._deal()
            self._notify_tabs()

    def _deal(self, newcomer: Tab | None = None) -> None:
        """Give the line to the tabs that came first, as many as it takes; nobody who has it loses it."""
        for position, tab in enumerate(self.tabs):
            rings = self.line is not None and position < self.ringing_tabs
            if rings is not tab.rings or tab is newcomer:
                tab.rings = rings
                self.report_line(tab)

    def _notify_tabs(self) -> None:
        ringing = sum(tab.rings for tab in self.tabs)
        for tab in tuple(self.tabs):
            tab.report("Tabs", {"open": len(self.tabs), "ringing": ringing, "rings": tab.rings})

    def close(self, code: CloseCode, session: str | None = None) -> None:
        """Close every tab, or those of a session."""
        for tab in tuple(self.tabs):
            if session is None or tab.session == session:
                tab.close(code)
