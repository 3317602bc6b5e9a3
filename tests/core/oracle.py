"""What the rules say of one account, in plain booleans, numbers and text: the oracle of the stateful test.

Written from the rules alone. No table, no enum and no function of the core is used here: a device is
``"webrtc"`` or ``"deskphone"``, a line's status is the name that Asterisk gives it, an instant is a number
of seconds, and a destination is the sentence that describes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

DEVICES = ("deskphone", "webrtc")

# P4: "invalid < unknown < unavailable < not in use < on hold < ringing < in use < busy < ringing-in-use"
RANKED = (
    "INVALID",
    "UNKNOWN",
    "UNAVAILABLE",
    "NOT_IN_USE",
    "ON_HOLD",
    "RINGING",
    "IN_USE",
    "BUSY",
    "RINGING_IN_USE",
)

# P5, in the order of P4
PUBLISHED = dict(zip(RANKED, (4, 0, 4, 0, 16, 8, 1, 2, 9), strict=True))

# M2: "line status on hold, in use, busy, ringing-in-use"
IN_CALL = ("ON_HOLD", "IN_USE", "BUSY", "RINGING_IN_USE")

CAUSES = {"no_answer": 19, "busy": 17, "congestion": 34, "unavailable": 20}  # R10


def joined(one: str, other: str) -> str:
    """P4: the highest wins; ringing with in use, on hold or busy gives ringing-in-use."""
    if "RINGING" in (one, other) and ({one, other} & {"IN_USE", "ON_HOLD", "BUSY"}):
        return "RINGING_IN_USE"
    return max(one, other, key=RANKED.index)


@dataclass(frozen=True)
class Owner:
    """The administrator's part, as the rules speak of it."""

    numbers: tuple[str, ...]
    mailbox: str | None
    server: str
    seconds: int
    limit: int
    max_forwards: int
    fallbacks: tuple[tuple[str, str], ...]  # outcome -> "extension 3000"


@dataclass(frozen=True)
class Wish:
    """A forward of the user's own."""

    number: str
    on: bool


@dataclass
class Oracle:
    """One account as the rules see it."""

    owner: Owner
    lease: float
    webrtc_saved: bool = True  # S1
    sessions: dict[str, tuple[str, float | None]] = field(default_factory=dict)  # (connection, lost since)
    do_not_disturb: bool = False
    wishes: dict[str, Wish] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=lambda: dict.fromkeys(DEVICES, "UNKNOWN"))
    contacts: dict[str, bool | None] = field(default_factory=lambda: dict.fromkeys(DEVICES))
    calls: dict[str, tuple[str, object]] = field(default_factory=dict)  # leg -> (call, the rest)
    over: set[str] = field(default_factory=set)
    messages: tuple[int, int] | None = None

    # -- what happens --------------------------------------------------------------------------------

    def log_in(self, session: str, connection: str) -> None:
        """S4, S7: one more session, or a held one that is connected again."""
        self.sessions[session] = (connection, None)

    def log_out(self, session: str) -> None:
        """S7: a session that is not held changes nothing."""
        self.sessions.pop(session, None)

    def lose(self, session: str, at: float, connection: str) -> None:
        """S5: from the last sign of life; S7: of its present connection only."""
        held = self.sessions.get(session)
        if held is not None and held[0] == connection:
            self.sessions[session] = (connection, at if held[1] is None else max(at, held[1]))

    def expire(self, at: float) -> None:
        """S7: only leases due by then."""
        for session, (_, lost) in list(self.sessions.items()):
            if lost is not None and lost + self.lease <= at:
                del self.sessions[session]

    def select(self, webrtc: bool) -> bool:
        """S6: selecting needs a session; False is a refusal."""
        if self.logged_in:
            self.webrtc_saved = webrtc
        return self.logged_in

    def toggle(self) -> bool:
        """S6: the code is a command, refused without a session."""
        return self.select(not self.webrtc_saved)

    def dial_forward(self, kind: str, number: str) -> bool:
        """R10: a code sets one forward; without a number it is off, and keeps its destination."""
        wishes = dict(self.wishes)
        if number:
            wishes[kind] = Wish(number, True)
        elif kind in wishes:
            wishes[kind] = Wish(wishes[kind].number, False)
        return self.set_forwards(self.do_not_disturb, wishes)

    def set_forward(self, kind: str, on: bool, number: str) -> bool:
        """R10: one forward is switched; without a number it keeps its destination, and needs one to be on."""
        wishes = dict(self.wishes)
        if number:
            wishes[kind] = Wish(number, on)
        elif kind in wishes:
            wishes[kind] = Wish(wishes[kind].number, on)
        elif on:
            return False
        return self.set_forwards(self.do_not_disturb, wishes)

    def dial_all_off(self) -> bool:
        """R10: one code puts all off."""
        return self.set_forwards(
            False, {kind: Wish(wish.number, False) for kind, wish in self.wishes.items()}
        )

    def set_forwards(self, do_not_disturb: bool, wishes: dict[str, Wish]) -> bool:
        """R13: what cannot work is refused when it is set; False is a refusal."""
        if any(not self.can_work(wish) for kind, wish in wishes.items() if wish != self.wishes.get(kind)):
            return False
        self.do_not_disturb, self.wishes = do_not_disturb, wishes
        return True

    def can_work(self, wish: Wish) -> bool:
        """R10, R13: to a number that can be dialled, not to oneself, and to voicemail only with a mailbox."""
        no_box = wish.number == "*98" and self.owner.mailbox is None
        dialled = all(one.isdigit() or one in "+*#" for one in wish.number)  # of the numbers drawn here
        return not wish.on or (dialled and wish.number not in self.owner.numbers and not no_box)

    def tell_call(self, leg: str, call: str, rest: object) -> None:
        """M4: in any order; a call that is over stays over."""
        if leg not in self.over:
            self.calls[leg] = (call, rest)

    def end_call(self, leg: str) -> None:
        """A leg is over."""
        self.calls.pop(leg, None)
        self.over.add(leg)

    def lose_node(self, server: str) -> None:
        """What the node told is not known any more."""
        if server == self.owner.server:
            blank = Oracle(self.owner, self.lease)
            self.statuses, self.contacts = blank.statuses, blank.contacts
            self.calls, self.over, self.messages = {}, set(), None

    # -- what holds then -----------------------------------------------------------------------------

    @property
    def logged_in(self) -> bool:
        """S4: while one session remains."""
        return len(self.sessions) > 0

    def in_call(self, device: str) -> bool:
        """M2."""
        return self.statuses[device] in IN_CALL

    def registered(self, device: str) -> bool:
        """R4: a contact; before a first contact fact, a status above unavailable."""
        contact = self.contacts[device]
        above = self.statuses[device] not in ("INVALID", "UNKNOWN", "UNAVAILABLE")
        return above if contact is None else contact

    @property
    def state(self) -> str:
        """The machine's four states, by what they mean."""
        if not self.logged_in:
            return "logged_out"
        if self.in_call("deskphone"):
            return "deskphone_in_use"
        return "webrtc_active" if self.webrtc_saved else "deskphone_selected"

    @property
    def in_use(self) -> str:
        """R1 to R5."""
        return "webrtc" if self.logged_in and self.webrtc_saved and self.registered("webrtc") else "deskphone"

    @property
    def presence(self) -> int:
        """P1 to P3, P5."""
        other = "deskphone" if self.in_use == "webrtc" else "webrtc"
        shown = self.statuses[self.in_use]
        return PUBLISHED[joined(shown, "IN_USE") if self.in_call(other) else shown]

    @property
    def deadline(self) -> float | None:
        """S5: when the first lease is over."""
        return min(
            (lost + self.lease for _, lost in self.sessions.values() if lost is not None), default=None
        )

    def goes(self, forwards: int) -> str:
        """Where a call goes that was forwarded so often: R8, then R1 to R4, R12, R13."""
        if self.do_not_disturb:
            box = self.owner.mailbox
            return f"mailbox {box}" if box else self.ends("unavailable", forwards)
        if (wish := self.wishes.get("unconditional")) and wish.on and self.can_work(wish):
            return self.limited(self.led(wish), "unavailable", forwards)
        if len({call for call, _ in self.calls.values()}) >= self.owner.limit:
            return self.ends("busy", forwards)
        unheard_of = self.contacts["deskphone"] is None and self.statuses["deskphone"] == "UNKNOWN"
        if self.in_use == "webrtc" or self.registered("deskphone") or unheard_of:
            return f"rings {self.in_use}"
        return self.ends("unavailable", forwards)

    def ends(self, outcome: str, forwards: int) -> str:
        """R10: the user's forward, the administrator's destination, voicemail, a refusal."""
        wish = self.wishes.get(outcome)
        if wish and wish.on and self.can_work(wish):
            return self.limited(self.led(wish), outcome, forwards)
        voicemail = f"mailbox {self.owner.mailbox}" if self.owner.mailbox else None
        chosen = dict(self.owner.fallbacks).get(outcome) or voicemail
        return self.limited(chosen or f"refusal with cause {CAUSES[outcome]}", outcome, forwards)

    def led(self, wish: Wish) -> str:
        """R10: a forward to a voicemail code means the mailbox."""
        return f"mailbox {self.owner.mailbox}" if wish.number == "*98" else f"extension {wish.number}"

    def limited(self, destination: str, outcome: str, forwards: int) -> str:
        """R13: after the set number of forwards, no further extension."""
        too_often = destination.startswith("extension") and forwards >= self.owner.max_forwards
        return f"refusal with cause {CAUSES[outcome]}" if too_often else destination

    # -- what is new ---------------------------------------------------------------------------------

    @property
    def kept(self) -> object:
        """What a change of which counts as a version (S2)."""
        wishes = tuple(sorted(self.wishes.items(), key=lambda item: item[0]))
        return self.webrtc_saved, tuple(self.sessions.items()), self.do_not_disturb, wishes, self.owner

    @property
    def seen(self) -> object:
        """What the PBX told."""
        calls = tuple(self.calls.items())
        return (
            tuple(self.statuses.items()),
            tuple(self.contacts.items()),
            calls,
            frozenset(self.over),
            self.messages,
        )

    def restarted(self, at: float) -> Oracle:
        """S2, S5: what is stored remains; every session counts as last seen when the service started."""
        sessions: dict[str, tuple[str, float | None]] = {
            name: (connection, at) for name, (connection, _) in self.sessions.items()
        }
        return Oracle(self.owner, self.lease, self.webrtc_saved, sessions, self.do_not_disturb, self.wishes)
