"""Where a call rings, and where it goes instead (R).

`plan` says what a PBX installs: the user's choices as data, with the conditions that the PBX judges by
itself on its own live facts, so that calls need no Python (R16). `resolve` is how a plan is carried out
under given facts, and the in-memory PBX carries plans out with it. `route` is both at once: what the
result of the account's plan under the facts that the account knows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from attrs import evolve, field, frozen

from unique_account.core.account import Account
from unique_account.core.forwarding import Destination, Extension, Forward, Mailbox, Outcome, Refusal
from unique_account.core.machine import Device, State
from unique_account.core.number import NO_NUMBER, Number, by_number, numbers
from unique_account.core.reasons import Because, Reason
from unique_account.core.user import User

DEFAULT_OWNER: Final = "unique_account"


@frozen(weakref_slot=False)
class Candidate:
    """A device to ring, in its turn, if it has a contact.

    Attributes:
        device: Which device.
        interface: How the PBX names it, e.g. ``PJSIP/alice_w``.
        seconds: The ring time, counted from when the first candidate rang: one that takes a call over
            from a vanished one rings for what is left of it (R15).
    """

    device: Device
    interface: str
    seconds: int


@frozen(weakref_slot=False)
class Gate:
    """What a call passes before anything rings, in this order (R8).

    Attributes:
        do_not_disturb: Where every call goes while do-not-disturb is on; None while it is off.
        forward: Where every call goes while an unconditional forward is on; None while there is none.
        limit: From how many calls of the user on a further incoming one meets the busy rule.
    """

    do_not_disturb: Destination | None
    forward: Destination | None
    limit: int


@frozen(weakref_slot=False, kw_only=True)
class Plan:
    """What a PBX installs for one user, complete enough to be carried out by it alone (R16).

    Attributes:
        user: Whose calls it routes.
        version: Of the account it was made from; an older plan never replaces a newer one.
        owner: Which installation made it; a resync touches no plan of another owner.
        media_server: The node that carries the user's devices, and so the plan.
        context: The dialplan context in which its numbers live and its extensions are dialled.
        numbers: The numbers it answers for, the extension first (R6).
        interfaces: Both devices as the PBX names them, rung or not: the limit counts calls over both (R8).
        gate: What a call passes first.
        candidates: The devices to ring, the first reachable one only (R1 to R4).
        no_answer: Where a call goes that nobody answers; one destination for each outcome (R9, R10).
        busy: Where it goes when the device is busy, or the user has no call left.
        congestion: Where it goes when the network cannot carry it.
        unavailable: Where it goes when no device can be rung.
        did_seconds: Ring times of their own for calls by some of the numbers (R6).
        max_forwards: A call forwarded this often is refused instead of forwarded again (R13).
        because: Why these candidates.
    """

    user: str
    version: int
    owner: str
    media_server: str
    context: str
    numbers: tuple[Number, ...] = field(converter=numbers)
    interfaces: tuple[str, ...]
    gate: Gate
    candidates: tuple[Candidate, ...]
    no_answer: Destination
    busy: Destination
    congestion: Destination
    unavailable: Destination
    did_seconds: tuple[tuple[Number, int], ...] = field(default=(), converter=by_number)
    max_forwards: int = 10
    because: tuple[Reason, ...] = ()

    def destination(self, outcome: Outcome) -> Destination:
        """Where a call goes whose ringing ends so."""
        destination: Destination = getattr(self, outcome)
        return destination


@frozen(weakref_slot=False, kw_only=True)
class Facts:
    """The live facts under which a call is decided, as the PBX knows them.

    Attributes:
        reachable: The devices with a usable contact.
        calls: How many calls the user has, over both devices, held ones and both directions included.
        dialled: The number by which the call came; empty: the extension.
        forwards: How often the call was forwarded already.
        unknown: The devices of which nothing was reported; a PBX knows all of them.
    """

    reachable: frozenset[Device] = frozenset()
    calls: int = 0
    dialled: Number = field(default=NO_NUMBER, converter=Number)
    forwards: int = 0
    unknown: frozenset[Device] = frozenset()


@frozen(weakref_slot=False, kw_only=True)
class Route:
    """What becomes of a call: a candidate that rings, or a destination; and why (R17).

    Exactly one of ``ring`` and ``destination`` is set.
    """

    ring: Candidate | None = None
    destination: Destination | None = None
    because: tuple[Reason, ...] = ()

    def __str__(self) -> str:
        return f"rings {self.ring.device}" if self.ring else f"goes to {self.destination}"


# -- the plan ----------------------------------------------------------------------------------------


def plan(account: Account, *, owner: str = DEFAULT_OWNER) -> Plan:
    """What a PBX installs for the account. It rests on the user's choices only, never on live facts.

    An outcome leads to the user's forward; without one to the administrator's destination, to voicemail, or
    to a refusal (R10).
    """
    user, kept = account.user, account.kept
    devices, because = _candidates(account)
    fallbacks, forwarding = user.fallbacks, kept.forwarding
    voicemail = Mailbox(user.mailbox) if user.mailbox else None
    unavailable = fallbacks.unavailable or voicemail or _REFUSALS[Outcome.UNAVAILABLE]
    return Plan(
        user=user.id,
        version=kept.version,
        owner=owner,
        media_server=user.media_server,
        context=user.context,
        numbers=user.numbers,
        interfaces=(user.deskphone, user.webrtc),
        gate=_gate(
            (voicemail or unavailable) if forwarding.do_not_disturb else None,
            _forward(user, forwarding.unconditional),
            user.simultaneous_calls,
        ),
        candidates=tuple(Candidate(device, user.interface(device), user.ring_seconds) for device in devices),
        no_answer=_forward(user, forwarding.no_answer)
        or fallbacks.no_answer
        or voicemail
        or _REFUSALS[Outcome.NO_ANSWER],
        busy=_forward(user, forwarding.busy) or fallbacks.busy or voicemail or _REFUSALS[Outcome.BUSY],
        congestion=fallbacks.congestion or voicemail or _REFUSALS[Outcome.CONGESTION],
        unavailable=unavailable,
        did_seconds=user.did_ring_seconds,
        max_forwards=user.max_forwards,
        because=because,
    )


def _candidates(account: Account) -> tuple[tuple[Device, ...], tuple[Reason, ...]]:
    choices = _LOGGED_OUT if account.state is State.LOGGED_OUT else _LOGGED_IN
    return choices[account.kept.selection]


def _chosen(rule: str, text: Because, logged_in: str, saved: Device) -> tuple[Reason, ...]:
    return (Reason(rule, text, (f"logged_in={logged_in}", f"selection={saved}")),)


_ALONE: Final = (Device.DESKPHONE,)
_LOGGED_OUT: Final = {
    saved: (_ALONE, _chosen("R1", Because.NOBODY_LOGGED_IN, "false", saved)) for saved in Device
}
_LOGGED_IN: Final = {
    Device.DESKPHONE: (_ALONE, _chosen("R3", Because.DESKPHONE_SELECTED, "true", Device.DESKPHONE)),
    Device.WEBRTC: (
        (Device.WEBRTC, Device.DESKPHONE),
        _chosen("R2", Because.WEBRTC_SELECTED, "true", Device.WEBRTC),
    ),
}


_gate: Final = lru_cache(maxsize=1024)(Gate)
"""A gate, one for all accounts alike: most forward nothing."""


def _forward(user: User, forward: Forward | None) -> Destination | None:
    """Where a forward of the user's leads; None if it is off, or leads nowhere that a call can go.

    A forward to oneself, to a missing mailbox or to what cannot be dialled is refused when it is set; it
    still can come to be one when the administrator changes the numbers or takes the mailbox away, or a
    release knows better what can be dialled, and then counts as not set.
    """
    if forward is None or not forward.enabled:
        return None
    number = forward.destination
    if number == user.voicemail_code:
        return Mailbox(user.mailbox) if user.mailbox else None
    return Extension(number) if number.is_dialable and number not in user.numbers else None


_REFUSALS: Final = {outcome: Refusal(outcome.cause) for outcome in Outcome}


# -- carrying it out ---------------------------------------------------------------------------------


def resolve(plan: Plan, facts: Facts) -> Route:
    """Where a call goes under these facts: the gate first, then the candidates (R8)."""
    gate = plan.gate
    if gate.do_not_disturb is not None:
        reason = Reason("R8", Because.DO_NOT_DISTURB, ("do_not_disturb=true",))
        return _sent(plan, gate.do_not_disturb, Outcome.UNAVAILABLE, facts, reason)
    if gate.forward is not None:
        reason = Reason("R8", Because.FORWARDED, (f"forward={gate.forward}",))
        return _sent(plan, gate.forward, Outcome.UNAVAILABLE, facts, reason)
    if facts.calls >= gate.limit:
        reason = Reason("R8", Because.NO_CALL_LEFT, (f"calls={facts.calls}", f"limit={gate.limit}"))
        return _sent(plan, plan.busy, Outcome.BUSY, facts, reason)
    return ring(plan, facts)


def ring(plan: Plan, facts: Facts) -> Route:
    """Which candidate rings for a call that is past the gate (R2 to R4, R12).

    Also for a ringing call whose device vanished: ask again, without that device (R15).
    """
    reasons = plan.because
    for candidate in plan.candidates:
        if candidate.device in facts.reachable:
            if len(plan.candidates) > 1:
                reasons = (*reasons, _contact(candidate.device, facts))
            return Route(ring=_timed(plan, candidate, facts.dialled), because=reasons)
        reasons = (*reasons, _contact(candidate.device, facts))
    return _after(plan, Outcome.UNAVAILABLE, facts, (*reasons, _NOTHING_RINGS))


def _contact(device: Device, facts: Facts) -> Reason:
    """What is known of a device's contact, and what follows for the call."""
    if device in facts.unknown:
        return _UNKNOWN[device]
    return (_THERE if device in facts.reachable else _GONE)[device]


_THERE: Final = {
    Device.WEBRTC: Reason("R2", Because.WEBRTC_RINGS, ("webrtc.reachable=true",)),
    Device.DESKPHONE: Reason("R4", Because.DESKPHONE_RINGS, ("deskphone.reachable=true",)),
}
_GONE: Final = {
    Device.WEBRTC: Reason("R4", Because.WEBRTC_NOT_REGISTERED, ("webrtc.reachable=false",)),
    Device.DESKPHONE: Reason("R12", Because.DESKPHONE_NOT_REGISTERED, ("deskphone.reachable=false",)),
}
_UNKNOWN: Final = {
    Device.WEBRTC: Reason("R4", Because.WEBRTC_UNKNOWN, ("webrtc.reachable=unknown",)),
    Device.DESKPHONE: Reason("R4", Because.DESKPHONE_UNKNOWN, ("deskphone.reachable=unknown",)),
}

_NOTHING_RINGS: Final = Reason("R12", Because.NOTHING_RINGS, ("reachable=none",))


def _timed(plan: Plan, candidate: Candidate, dialled: str) -> Candidate:
    """The candidate with the ring time of the number dialled, where it has one of its own (R6)."""
    for number, seconds in plan.did_seconds:
        if number == dialled:
            return evolve(candidate, seconds=seconds)
    return candidate


def after(plan: Plan, outcome: Outcome, facts: Facts) -> Route:
    """Where a call goes whose ringing ended so (R9)."""
    return _after(plan, outcome, facts, ())


def _after(plan: Plan, outcome: Outcome, facts: Facts, because: tuple[Reason, ...]) -> Route:
    return _sent(plan, plan.destination(outcome), outcome, facts, *because, _APPLIES[outcome])


_APPLIES: Final = {
    outcome: Reason("R9", Because[f"{outcome.name}_RULE"], (f"outcome={outcome}",)) for outcome in Outcome
}


def _sent(plan: Plan, destination: Destination, outcome: Outcome, facts: Facts, *because: Reason) -> Route:
    """The call goes to a destination, unless it was forwarded too often for another extension (R13)."""
    if isinstance(destination, Extension) and facts.forwards >= plan.max_forwards:
        counts = (f"forwards={facts.forwards}", f"max_forwards={plan.max_forwards}")
        because = (*because, Reason("R13", Because.FORWARDED_TOO_OFTEN, counts))
        return Route(destination=Refusal(outcome.cause), because=because)
    reason = Reason("R10", f"the call goes to {destination}", (f"forwards={facts.forwards}",))
    return Route(destination=destination, because=(*because, reason))


# -- the result now ---------------------------------------------------------------------------------


def route(account: Account, *, dialled: str = "", forwards: int = 0) -> Route:
    """Where a call to the account goes under the facts that it knows now, and why (R17).

    Args:
        account: The account that is called.
        dialled: The number by which the call comes; empty: the extension.
        forwards: How often the call was forwarded already.
    """
    return resolve(plan(account), facts(account, dialled=dialled, forwards=forwards))


def facts(account: Account, *, dialled: str = "", forwards: int = 0) -> Facts:
    """The account's own knowledge of the facts that a PBX judges live.

    The WebRTC line counts as reachable once that is known (R4); the deskphone, the last candidate,
    unless the contrary is known: a line of which nothing is known is tried, not written off (R12).
    """
    seen = account.observed
    webrtc, deskphone = seen.webrtc, seen.deskphone
    calls = {call.linked_id or call.id for call in seen.calls}  # one call rings several sessions (S4)
    return Facts(
        reachable=_DEVICES[webrtc.registered, deskphone.registered or not deskphone.known],
        calls=len(calls),
        dialled=Number(dialled) if dialled else NO_NUMBER,
        forwards=forwards,
        unknown=_DEVICES[not webrtc.known, not deskphone.known],
    )


_DEVICES: Final = {
    (webrtc, deskphone): frozenset(
        device for device, there in ((Device.WEBRTC, webrtc), (Device.DESKPHONE, deskphone)) if there
    )
    for webrtc in (False, True)
    for deskphone in (False, True)
}
