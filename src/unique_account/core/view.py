"""What a logged-in user sees of the account: the projection that UC Assistants show (S4)."""

from __future__ import annotations

from attrs import frozen

from unique_account.core.account import Account, Call, Line, Messages
from unique_account.core.device_in_use import device_in_use, fallen_back
from unique_account.core.forwarding import Destination, Forwarding
from unique_account.core.machine import Device, State
from unique_account.core.number import Number
from unique_account.core.presence import Presence, presence
from unique_account.core.reasons import Reason
from unique_account.core.routing import DEFAULT_OWNER, Plan, Route, facts, plan, resolve


@frozen(weakref_slot=False)
class NextCall:
    """Where the next call to the account goes; exactly one of ``rings`` and ``goes_to`` is set.

    Attributes:
        rings: The device that rings.
        goes_to: Where the call goes instead.
        because: Why.
    """

    rings: Device | None
    goes_to: Destination | None
    because: tuple[Reason, ...]


def next_call(route: Route) -> NextCall:
    """What a user sees of a route."""
    return NextCall(route.ring.device if route.ring else None, route.destination, route.because)


@frozen(weakref_slot=False, kw_only=True)
class View:
    """One user's account as the UC Assistant shows it; the same in every session of the user.

    Attributes:
        user: Whose account it is.
        number: The user's extension.
        mailbox: The user's voicemail box; None: there is none.
        version: Of the account it was made from.
        owner: Which installation made it.
        state: Where the machine stands.
        selection: The saved device selection.
        device_in_use: The device that the next call rings.
        fallback: Whether that is the deskphone although WebRTC is selected (R4).
        presence: What colleagues see.
        deskphone: The deskphone's line.
        webrtc: The WebRTC line.
        calls: The live calls over both devices.
        forwarding: Do-not-disturb and the user's own forwards.
        messages: The mailbox's counts; None until reported.
        next_call: Where the next call goes, and why.
        forward: Where every call goes while an unconditional forward is on; None while there is none.
    """

    user: str
    number: Number
    mailbox: str | None
    version: int
    owner: str
    state: State
    selection: Device
    device_in_use: Device
    fallback: bool
    presence: Presence
    deskphone: Line
    webrtc: Line
    calls: tuple[Call, ...]
    forwarding: Forwarding
    messages: Messages | None
    next_call: NextCall
    forward: Destination | None

    @property
    def because(self) -> tuple[Reason, ...]:
        """Why the next call goes where it goes."""
        return self.next_call.because


def view(account: Account, *, owner: str = DEFAULT_OWNER) -> View:
    """What the user's UC Assistants show of the account now."""
    due = plan(account, owner=owner)
    return view_of(account, due, presence(account), next_call(resolve(due, facts(account))))


def view_of(account: Account, due: Plan, shown: Presence, coming: NextCall) -> View:
    """The view of an account whose other projections are worked out already."""
    kept, seen = account.kept, account.observed
    return View(
        user=account.user.id,
        number=account.user.extension,
        mailbox=account.user.mailbox,
        version=kept.version,
        owner=due.owner,
        state=account.state,
        selection=kept.selection,
        device_in_use=device_in_use(account),
        fallback=fallen_back(account),
        presence=shown,
        deskphone=seen.deskphone,
        webrtc=seen.webrtc,
        calls=seen.calls,
        forwarding=kept.forwarding,
        messages=seen.messages,
        next_call=coming,
        forward=due.gate.forward,
    )
