"""One user at the server: the account as last shown, the sessions and their WebSockets."""

from __future__ import annotations

import asyncio
from datetime import datetime

from attrs import Factory, define

from unique_account.adapters.xuc.protocol import own_messages, xivo_messages
from unique_account.adapters.xuc.protocol.outgoing import Frames
from unique_account.adapters.xuc.tab import CloseCode, Tab
from unique_account.adapters.xuc.transport.query_budget import QueryBudget
from unique_account.core.machine import Device
from unique_account.core.view import View
from unique_account.ports.sip_credentials import SipLine


@define(eq=False)
class UserSession:
    """One log-in of the user.

    Attributes:
        last_seen: When it began, or its last sign of life once it has no connection.
        connections: Its connections that are open, or about to be.
        reported: The connections by which the service may know it.
    """

    last_seen: datetime
    connections: set[str] = Factory(set)
    reported: set[str] = Factory(set)


@define(eq=False)
class UserSessions:
    """The sessions of one user.

    Attributes:
        user: The user's id.
        ringing_tabs: How many of the tabs have the line.
        frames: Makes the frames.
        view: The account as last shown; None: there is none.
        tabs: The open WebSockets, in the order in which they were opened.
        line_tabs: Those that asked for the line, in the order in which they did.
        by_id: The sessions with a WebSocket, or whose loss is not reported yet, by id.
        name: The user's full name, as far as is known.
        party_names: The names of parties of live calls, by number, where the call shows none.
        line: How the browser registers; None where that is not known.
        lock: Held while something of this user is reported to the service, to keep the order.
        budget: The budget for queries, shared by all WebSockets.
        log_budget: The budget for call history, apart, so that a call log that hangs blocks nothing else.
        configs: How often every tab got a `UserConfigUpdate`.
        lines: How often every tab with a line got a `LineConfig`.
    """

    user: str
    ringing_tabs: int
    frames: Frames
    view: View | None = None
    tabs: list[Tab] = Factory(list)
    line_tabs: list[Tab] = Factory(list)
    by_id: dict[str, UserSession] = Factory(dict)
    name: str | None = None
    party_names: dict[str, str] = Factory(dict)
    line: SipLine | None = None
    lock: asyncio.Lock = Factory(asyncio.Lock)
    budget: QueryBudget = Factory(QueryBudget)
    log_budget: QueryBudget = Factory(QueryBudget)
    configs: int = 0
    lines: int = 0

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
        """Show the account in every tab, unless a newer version is shown already."""
        before = self.view
        if before is not None and view.version < before.version:
            return
        self.view = view
        if self.tabs and view != before:
            for frame in self._changes(before, view):
                self._send(frame)
        if before is None or view.selection is not before.selection:
            self._report_lines()

    def _changes(self, before: View | None, view: View) -> list[str]:
        """The frames that show what is new in a view."""
        message = self.frames.message
        events = xivo_messages.phone_events(before, view, self.party_names)
        frames = [message("PhoneEvent", event) for event in events]
        reported = ("forwarding", "mailbox", "number")
        if before is None or any(getattr(before, name) != getattr(view, name) for name in reported):
            frames.append(message("UserConfigUpdate", xivo_messages.user_config(view, self.name)))
            self.configs += 1
        if before is None or before.presence is not view.presence:
            frames.append(message("PhoneStatusUpdate", {"status": int(view.presence)}))
        counts = xivo_messages.voicemail(view)
        if counts is not None and (before is None or counts != xivo_messages.voicemail(before)):
            frames.append(message("VoiceMailStatusUpdate", counts))
        return [*frames, message("UniqueAccount", own_messages.account(view))]

    def _send(self, frame: str) -> None:
        for tab in tuple(self.tabs):
            tab.queue.put(frame)

    def report(self, kind: str, content: object) -> None:
        """Send a message to every tab."""
        self._send(self.frames.message(kind, content))

    # -- tabs ----------------------------------------------------------------------------------------

    def welcome(self, tab: Tab, ice: object) -> None:
        """Show a new tab everything there is."""
        tab.report("LoggedOn", {})
        self.report_config(tab)
        self.tabs.append(tab)
        tab.report("IceConfig", ice)
        self._notify_tabs()
        if self.view is not None:
            self._show_whole(tab, self.view)

    def _show_whole(self, tab: Tab, view: View) -> None:
        tab.report("UniqueAccount", own_messages.account(view))
        tab.report("PhoneStatusUpdate", {"status": int(view.presence)})
        if (counts := xivo_messages.voicemail(view)) is not None:
            tab.report("VoiceMailStatusUpdate", counts)
        self.report_calls(tab)

    def report_calls(self, tab: Tab) -> None:
        """Send a tab the live calls."""
        view = self.view
        events = xivo_messages.phone_events(None, view, self.party_names) if view else []
        tab.report("CurrentCallsPhoneEvents", {"events": events})

    def report_config(self, tab: Tab) -> None:
        """Send a tab what its user has set."""
        if self.view is not None:
            tab.report("UserConfigUpdate", xivo_messages.user_config(self.view, self.name))

    # -- the line ------------------------------------------------------------------------------------

    def ask_line(self, tab: Tab) -> None:
        """A tab asks for the line: it gets it if there is a place, and hears of changes from now on."""
        if tab in self.tabs and tab not in self.line_tabs:
            self.line_tabs.append(tab)
            self._assign_lines()
            self._notify_tabs()
        self.report_line(tab)

    def report_line(self, tab: Tab) -> None:
        """Send a tab how to register, or that it must not."""
        line, view = self.line if tab.rings else None, self.view
        selected = view is not None and view.selection is Device.WEBRTC
        number = "" if view is None else view.number
        tab.report("LineConfig", xivo_messages.line_config(line, number, webrtc=selected))
        tab.report("SipLine", own_messages.sip_line(line))

    def _report_lines(self) -> None:
        self.lines += 1
        for tab in self.line_tabs:
            self.report_line(tab)

    def use_line(self, line: SipLine | None) -> None:
        """Let browsers register in this way from now on."""
        if line != self.line:
            self.line = line
            self._assign_lines()
            self._report_lines()

    def leave(self, tab: Tab) -> None:
        """A tab is gone; if it had the line, the next one gets it."""
        if tab in self.tabs:
            self.tabs.remove(tab)
            if tab in self.line_tabs:
                self.line_tabs.remove(tab)
            for next_one in self._assign_lines():
                self.report_line(next_one)
            self._notify_tabs()

    def _assign_lines(self) -> list[Tab]:
        """Give the line to those who asked first, as many as it takes; returns for whom that is a change."""
        changed = []
        for position, tab in enumerate(self.line_tabs):
            rings = self.line is not None and position < self.ringing_tabs
            if rings is not tab.rings:
                tab.rings = rings
                changed.append(tab)
        return changed

    def _notify_tabs(self) -> None:
        ringing = sum(tab.rings for tab in self.tabs)
        for tab in tuple(self.tabs):
            tab.report("Tabs", {"open": len(self.tabs), "ringing": ringing, "rings": tab.rings})

    def close(self, code: CloseCode, session: str | None = None) -> None:
        """Close every tab, or those of a session."""
        for tab in tuple(self.tabs):
            if session is None or tab.session == session:
                tab.close(code)
