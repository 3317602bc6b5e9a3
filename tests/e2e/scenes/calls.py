"""The recorded scenes: each plays a call, and states what really happened."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from lab.mailboxes import message
from lab.parties import Party
from lab.phones import Phone
from tests.e2e.fixtures.recording_stage import Actor, Stage
from tests.e2e.scenes.people import ALICE, BOB, CAROL, DAVE, DID, ERIN, OUTSIDE, Truth
from unique_account.adapters.asterisk.wire_names import DIAL_CHANNEL_PREFIX
from unique_account.core.account import Direction
from unique_account.core.events import DeviceSelected, ForwardingChanged, LoggedIn
from unique_account.core.forwarding import Forward, Forwarding
from unique_account.core.history import HistoryStatus
from unique_account.core.machine import Device

Scene = Callable[[Stage], Awaitable[tuple[Truth, ...]]]

IN: Final = LoggedIn("tab-1")
DESK, TAB = Device.DESKPHONE, Device.WEBRTC
SPEAK: Final = 0.6
"""For how many seconds the parties speak, or a phone rings before somebody acts."""


def emitted(
    user: str, peer: str, device: Device = DESK, actor: Actor | None = None, transferred_to: str = ""
) -> Truth:
    talked = None if actor is None else actor.talked
    return Truth(
        user=user,
        status=HistoryStatus.EMITTED,
        direction=Direction.OUTGOING,
        device=device,
        peer=peer,
        transferred_to=transferred_to,
        talked=talked,
    )


def answered(user: str, peer: str, actor: Actor, device: Device = DESK, **more: str) -> Truth:
    return Truth(
        user=user,
        status=HistoryStatus.ANSWERED,
        direction=Direction.INCOMING,
        device=device,
        peer=peer,
        rang=actor.rang if "rings" in actor.at else None,
        talked=actor.talked,
        **more,
    )


def missed(
    user: str, peer: str, device: Device | None = DESK, rang: float | None = None, forwarded_from: str = ""
) -> Truth:
    return Truth(
        user=user,
        status=HistoryStatus.MISSED,
        direction=Direction.INCOMING,
        device=device,
        peer=peer,
        rang=rang,
        forwarded_from=forwarded_from,
    )


async def speak() -> None:
    await asyncio.sleep(SPEAK)


async def taken(at: Stage, caller: str, number: str, callee: str) -> None:
    """A call that is answered, and stays up."""
    await at.call(caller, number)
    await at[callee].wait_for("rings")
    await speak()
    await at[callee].answer()
    await at.connected(caller, callee)
    await speak()


async def ended(at: Stage, by: str, *others: str) -> None:
    """Somebody hangs up, and the others see it."""
    await at[by].hang_up()
    for other in others:
        await at[other].wait_for("over")


# -- two parties -------------------------------------------------------------------------------------


async def deskphone_answers(at: Stage) -> tuple[Truth, ...]:
    """An internal call to a user who is logged out, answered on the deskphone."""
    await taken(at, "bob", "1001", "alice")
    await ended(at, "bob", "alice")
    return emitted("bob", "1001", actor=at["bob"]), answered("alice", "1002", at["alice"])


async def browser_answers(at: Stage) -> tuple[Truth, ...]:
    """A call to a user who is logged in, answered in the browser."""
    await at.tab()
    await at.plan(ALICE, IN)
    await taken(at, "bob", "1001", "tab")
    await ended(at, "bob", "tab")
    return emitted("bob", "1001", actor=at["bob"]), answered("alice", "1002", at["tab"], TAB)


async def two_tabs(at: Stage) -> tuple[Truth, ...]:
    """Two tabs ring, and the second one answers."""
    await at.tab("first")
    await at.tab("second")
    await at.plan(ALICE, IN)
    await at.call("bob", "1001")
    await at["first"].wait_for("rings")
    await at["second"].wait_for("rings")
    await speak()
    await at["second"].answer()
    await at.connected("bob", "second")
    await at["first"].wait_for("over")
    await speak()
    await ended(at, "bob", "second")
    return emitted("bob", "1001", actor=at["bob"]), answered("alice", "1002", at["second"], TAB)


async def nobody_answers(at: Stage) -> tuple[Truth, ...]:
    """The deskphone rings for the whole ring time, and bob has neither forward nor mailbox."""
    await at.call("carol", "1002")
    await at["bob"].wait_for("rings")
    await at["bob"].wait_for("over")
    return emitted("carol", "1002"), missed("bob", "1003", rang=at["bob"].rang)


async def caller_gives_up(at: Stage) -> tuple[Truth, ...]:
    """The caller hangs up while it rings."""
    await at.call("bob", "1001")
    await at["alice"].wait_for("rings")
    await speak()
    await ended(at, "bob", "alice")
    return emitted("bob", "1001"), missed("alice", "1002", rang=at["alice"].rang)


async def busy_at_the_limit(at: Stage) -> tuple[Truth, ...]:
    """Dave may have one call, has it, and is called by another."""
    await at.plan(DAVE)
    await taken(at, "bob", "1004", "dave")
    bob, dave = dict(at["bob"].at), dict(at["dave"].at)
    await at["alice"].dial("1004")
    await at["alice"].wait_for("over")
    at["bob"].at, at["dave"].at = bob, dave
    await ended(at, "bob", "dave")
    return (
        emitted("bob", "1004", actor=at["bob"]),
        answered("dave", "1002", at["dave"]),
        emitted("alice", "1004"),
        missed("dave", "1001", None),
    )


async def refused(at: Stage) -> tuple[Truth, ...]:
    """The deskphone's user refuses the call."""
    await at.plan(BOB)
    await at.call("carol", "1002")
    await at["bob"].wait_for("rings")
    await speak()
    await at["bob"].refuse()
    await at["bob"].wait_for("over")
    return emitted("carol", "1002"), missed("bob", "1003", rang=at["bob"].rang)


async def out_by_deskphone(at: Stage) -> tuple[Truth, ...]:
    """The deskphone calls out, and a party outside answers."""
    await taken(at, "alice", OUTSIDE, "carrier")
    await ended(at, "alice", "carrier")
    return (emitted("alice", OUTSIDE, actor=at["alice"]),)


async def out_by_browser(at: Stage) -> tuple[Truth, ...]:
    """The browser calls out, and a party outside answers and hangs up."""
    await at.tab()
    await taken(at, "tab", OUTSIDE, "carrier")
    await ended(at, "carrier", "tab")
    return (emitted("alice", OUTSIDE, TAB, at["tab"]),)


async def in_by_did(at: Stage) -> tuple[Truth, ...]:
    """A party outside calls a DID, and the deskphone answers."""
    await taken(at, "carrier", DID, "alice")
    await ended(at, "alice", "carrier")
    return (answered("alice", "0198765432", at["alice"]),)


async def hold_and_resume(at: Stage) -> tuple[Truth, ...]:
    """The deskphone holds the call, and takes it back."""
    await taken(at, "bob", "1001", "alice")
    phone = at["alice"].phone
    assert isinstance(phone, Phone)
    start = time.monotonic()
    await phone.hold()
    await at.pbx.ami.event("Hold", after=start)
    await speak()
    await phone.resume()
    await at.pbx.ami.event("Unhold", after=start)
    await speak()
    await ended(at, "alice", "bob")
    return emitted("bob", "1001", actor=at["bob"]), answered("alice", "1002", at["alice"])


# -- elsewhere ---------------------------------------------------------------------------------------


async def do_not_disturb(at: Stage) -> tuple[Truth, ...]:
    """Do-not-disturb sends the call to the mailbox; the caller hangs up while it greets."""
    await at.plan(ALICE, ForwardingChanged(Forwarding(do_not_disturb=True)))
    await at.call("bob", "1001")
    await at["bob"].wait_for("up")
    await speak()
    await at["bob"].hang_up()
    return emitted("bob", "1001", actor=at["bob"]), missed("alice", "1002", None, rang=0.0)


async def voicemail_on_no_answer(at: Stage) -> tuple[Truth, ...]:
    """The deskphone rings for its whole time, then the mailbox answers; the caller hangs up at once."""
    await at.plan(ALICE)
    await at.call("bob", "1001")
    await at["alice"].wait_for("rings")
    await at["alice"].wait_for("over")
    await at["bob"].wait_for("up")
    await speak()
    await at["bob"].hang_up()
    return emitted("bob", "1001", actor=at["bob"]), missed("alice", "1002", rang=at["alice"].rang)


async def message_left(at: Stage) -> tuple[Truth, ...]:
    """Nobody answers alice's deskphone, and bob leaves a message, which the mailbox keeps."""
    await at.plan(ALICE)
    await at.call("bob", "1001")
    await at["alice"].wait_for("rings")
    await at["alice"].wait_for("over")
    await at["bob"].wait_for("up")
    await message(at.pbx.folder, "1001@default", "tmp")
    await speak()
    await at["bob"].hang_up()
    await message(at.pbx.folder, "1001@default", "INBOX")
    return emitted("bob", "1001", actor=at["bob"]), missed("alice", "1002", rang=at["alice"].rang)


async def unconditional_forward(at: Stage) -> tuple[Truth, ...]:
    """Alice forwards every call to carol, who answers."""
    await at.plan(ALICE, ForwardingChanged(Forwarding(unconditional=Forward("1003", enabled=True))))
    await taken(at, "bob", "1001", "carol")
    await ended(at, "bob", "carol")
    return (
        emitted("bob", "1003", actor=at["bob"]),
        missed("alice", "1002", None, rang=0.0),
        answered("carol", "1002", at["carol"], forwarded_from="1001"),
    )


async def no_answer_forward(at: Stage) -> tuple[Truth, ...]:
    """Alice does not answer, and carol, to whom she forwards such calls, does."""
    await at.plan(ALICE, ForwardingChanged(Forwarding(no_answer=Forward("1003", enabled=True))))
    await at.call("bob", "1001")
    await at["alice"].wait_for("rings")
    await at["alice"].wait_for("over")
    await at["carol"].wait_for("rings")
    await speak()
    await at["carol"].answer()
    await at.connected("bob", "carol")
    await speak()
    await ended(at, "carol", "bob")
    return (
        emitted("bob", "1003", actor=at["bob"]),
        missed("alice", "1002", rang=at["alice"].rang),
        answered("carol", "1002", at["carol"], forwarded_from="1001"),
    )


async def forward_chain(at: Stage) -> tuple[Truth, ...]:
    """Alice forwards to carol, carol to dave; dave does not answer."""
    await at.plan(ALICE, ForwardingChanged(Forwarding(unconditional=Forward("1003", enabled=True))))
    await at.plan(CAROL, ForwardingChanged(Forwarding(unconditional=Forward("1004", enabled=True))))
    await at.call("bob", "1001")
    await at["dave"].wait_for("rings")
    await at["dave"].wait_for("over")
    return (
        emitted("bob", "1001"),
        missed("alice", "1002", None, rang=0.0),
        missed("carol", "1002", None, rang=0.0, forwarded_from="1001"),
        missed("dave", "1002", rang=at["dave"].rang, forwarded_from="1001"),
    )


# -- groups ------------------------------------------------------------------------------------------


async def _group(at: Stage, number: str, *silent: str) -> None:
    await at.call("bob", number)
    for name in ("carol", *silent):
        await at[name].wait_for("rings")
    await speak()
    await at["carol"].answer()
    await at.connected("bob", "carol")
    for name in silent:
        await at[name].wait_for("over")
    await speak()
    await ended(at, "bob", "carol")


async def group_call(at: Stage) -> tuple[Truth, ...]:
    """Three deskphones ring for a group, and carol answers."""
    await _group(at, "2000", "alice", "dave")
    return (
        emitted("bob", "1003", actor=at["bob"]),
        missed("alice", "1002", rang=at["alice"].rang),
        answered("carol", "1002", at["carol"]),
        missed("dave", "1002", rang=at["dave"].rang),
    )


async def group_of_local_channels(at: Stage) -> tuple[Truth, ...]:
    """A group that dials its members' numbers by Local channels: their plans hold."""
    await at.tab()
    await at.plan(ALICE, IN)
    await _group(at, "2001", "tab")
    return (
        emitted("bob", "1003", actor=at["bob"]),
        missed("alice", "1002", TAB, rang=at["tab"].rang),
        answered("carol", "1002", at["carol"]),
    )


async def pickup(at: Stage) -> tuple[Truth, ...]:
    """Carol picks up the call that rings at alice's."""
    await at.call("bob", "1001")
    await at["alice"].wait_for("rings")
    await speak()
    await at["carol"].dial("*8")
    await at.connected("bob", "carol")
    await at["alice"].wait_for("over")
    await speak()
    await ended(at, "bob", "carol")
    return (
        emitted("bob", "1003", actor=at["bob"]),
        missed("alice", "1002", rang=at["alice"].rang),
        answered("carol", "1002", at["carol"]),
    )


# -- transfers ---------------------------------------------------------------------------------------


async def blind_transfer(at: Stage) -> tuple[Truth, ...]:
    """Alice's deskphone transfers the call to carol, unseen."""
    await taken(at, "bob", "1001", "alice")
    phone = at["alice"].phone
    assert isinstance(phone, Phone)
    await phone.transfer(f"sip:1003@{at.pbx.sip}")
    await at["alice"].wait_for("over")
    await at["carol"].wait_for("rings")
    await speak()
    await at["carol"].answer()
    await speak()
    await ended(at, "bob", "carol")
    return (
        emitted("bob", "1003", actor=at["bob"]),
        answered("alice", "1002", at["alice"], transferred_to="1003"),
        answered("carol", "1002", at["carol"]),
    )


async def attended_transfer(at: Stage) -> tuple[Truth, ...]:
    """Carol speaks with bob, asks dave, and joins the two."""
    await taken(at, "bob", "1003", "carol")
    carol = at["carol"]
    assert isinstance(carol.phone, Party)
    first = carol.phone.calls[-1]
    await carol.phone.hold(first)
    kept, start = dict(carol.at), time.monotonic()
    second = carol.phone.dial("1004")
    await at["dave"].wait_for("rings")
    await speak()
    await at["dave"].answer()
    await at.pbx.ami.event("BridgeEnter", after=start, BridgeNumChannels="2")
    await speak()
    await carol.phone.join(first, second)
    await carol.wait_for("over")
    kept["over"], carol.at = carol.at["over"], kept
    await speak()
    await ended(at, "bob", "dave")
    return (
        emitted("bob", "1004", actor=at["bob"]),
        answered("carol", "1002", carol, transferred_to="1004"),
        answered("dave", "1002", at["dave"]),
    )


async def parked(at: Stage, lot: str) -> str:
    """Bob calls alice, who parks him; the number from which he can be taken."""
    await taken(at, "bob", "1001", "alice")
    phone = at["alice"].phone
    assert isinstance(phone, Phone)
    start = time.monotonic()
    await phone.transfer(f"sip:{lot}@{at.pbx.sip}")
    space = (await at.pbx.ami.event("ParkedCall", after=start)).what["ParkingSpace"]
    await at["alice"].wait_for("over")
    await speak()
    return space


async def parking(at: Stage) -> tuple[Truth, ...]:
    """Alice parks bob, and carol takes him from the lot."""
    space = await parked(at, "700")
    at["carol"].since = time.monotonic()
    await at["carol"].dial(space)
    await at["carol"].wait_for("up")
    await speak()
    await ended(at, "bob", "carol")
    return (
        emitted("bob", "1003", actor=at["bob"]),
        answered("alice", "1002", at["alice"], transferred_to="700"),
        emitted("carol", "1002"),  # her phone is up before she speaks with bob
    )


async def conference(at: Stage) -> tuple[Truth, ...]:
    """Alice, bob and carol dial into a conference, and leave it one by one."""
    at.begin()
    for name in ("alice", "bob", "carol"):
        await at[name].dial("4000")
        await at[name].wait_for("up")
        await speak()
    for name in ("bob", "carol", "alice"):
        await at[name].hang_up()
    return tuple(emitted(name, "4000", actor=at[name]) for name in ("alice", "bob", "carol"))


# -- what vanishes -----------------------------------------------------------------------------------


async def fallen_back(at: Stage) -> float:
    """Bob calls alice, whose browser is killed while it rings; her deskphone rings on. When it all began."""
    tab = await at.tab()
    assert at.chromium is not None
    await at.plan(ALICE, IN)
    await at.call("bob", "1001")
    began = await tab.wait_for("rings")
    await speak()
    await at.chromium.kill()
    await at["alice"].wait_for("rings")
    await speak()
    return began


async def tab_killed_while_ringing(at: Stage) -> tuple[Truth, ...]:
    """The browser is killed while it rings; the deskphone rings on, and answers."""
    began = await fallen_back(at)
    await at["alice"].answer()
    await at.connected("bob", "alice")
    await speak()
    await ended(at, "bob", "alice")
    at["alice"].at["rings"] = began
    return emitted("bob", "1001", actor=at["bob"]), answered("alice", "1002", at["alice"])


async def tab_killed_in_a_call(at: Stage) -> tuple[Truth, ...]:
    """The browser is killed while its user speaks; the PBX notices the silence."""
    tab = await at.tab()
    assert at.chromium is not None
    await at.plan(ALICE, IN)
    await taken(at, "bob", "1001", "tab")
    await at.chromium.kill()
    tab.at["over"] = await at["bob"].wait_for("over")
    return emitted("bob", "1001", actor=at["bob"]), answered("alice", "1002", tab, TAB)


async def desk_selected(at: Stage) -> tuple[Truth, ...]:
    """Logged in with the deskphone selected: the deskphone answers, and the tab stays silent."""
    await at.tab()
    await at.plan(ALICE, IN, DeviceSelected(DESK))
    await taken(at, "carol", "1001", "alice")
    await ended(at, "alice", "carol")
    return emitted("carol", "1001", actor=at["carol"]), answered("alice", "1003", at["alice"])


async def dialled_by_assistant(at: Stage) -> tuple[Truth, ...]:
    """Alice dials from the UC Assistant with the deskphone in use: it rings first, and then dials."""
    at.begin()
    call_id = f"{DIAL_CHANNEL_PREFIX}0001-{int(time.time())}.1"
    headers = (("Channel", "PJSIP/alice"), ("ChannelId", call_id), ("Async", "true"))
    where = (("Context", "default"), ("Exten", "1002"), ("Priority", "1"), ("Timeout", "30000"))
    await at.pbx.ami.act("Originate", *headers, *where)
    await at["alice"].wait_for("rings")
    await speak()
    await at["alice"].answer()
    await at["bob"].wait_for("rings")
    await speak()
    await at["bob"].answer()
    await at.connected("alice", "bob")
    await speak()
    await ended(at, "bob", "alice")
    return emitted("alice", "1002", actor=at["bob"]), answered("bob", "1001", at["bob"])


# -- two nodes ---------------------------------------------------------------------------------------


async def over_the_trunk(at: Stage) -> tuple[Truth, ...]:
    """Bob calls erin, whose phone is at the other node."""
    await at.plan(ERIN)
    await taken(at, "bob", "1005", "erin")
    await ended(at, "bob", "erin")
    return emitted("bob", "1005", actor=at["bob"]), answered("erin", "1002", at["erin"])


async def back_over_the_trunk(at: Stage) -> tuple[Truth, ...]:
    """Erin calls alice, whose phone is at the main node, and nobody answers before erin gives up."""
    await at.plan(ALICE)
    await at.call("erin", "1001")
    await at["alice"].wait_for("rings")
    await speak()
    await at["erin"].hang_up()
    await at["alice"].wait_for("over")
    return emitted("erin", "1001"), missed("alice", "1005", rang=at["alice"].rang)


async def forward_over_the_trunk(at: Stage) -> tuple[Truth, ...]:
    """Alice, at the main node, forwards to erin at the other, who answers."""
    await at.plan(ALICE, ForwardingChanged(Forwarding(unconditional=Forward("1005", enabled=True))))
    await at.plan(ERIN)
    await taken(at, "bob", "1001", "erin")
    await ended(at, "erin", "bob")
    return (
        emitted("bob", "1005", actor=at["bob"]),
        missed("alice", "1002", None, rang=0.0),
        answered("erin", "1002", at["erin"], forwarded_from="1001"),
    )


async def chain_over_the_trunk(at: Stage) -> tuple[Truth, ...]:
    """Alice forwards to erin at the other node, who forwards to carol at alice's node, who answers."""
    await at.plan(ALICE, ForwardingChanged(Forwarding(unconditional=Forward("1005", enabled=True))))
    await at.plan(ERIN, ForwardingChanged(Forwarding(unconditional=Forward("1003", enabled=True))))
    await taken(at, "bob", "1001", "carol")
    await ended(at, "bob", "carol")
    return (
        emitted("bob", "1003", actor=at["bob"]),
        missed("alice", "1002", None, rang=0.0),
        missed("erin", "1002", None, rang=0.0, forwarded_from="1001"),
        answered("carol", "1002", at["carol"], forwarded_from="1001"),
    )


OF_TWO_NODES: Final[tuple[Scene, ...]] = (
    over_the_trunk,
    back_over_the_trunk,
    forward_over_the_trunk,
    chain_over_the_trunk,
)
"""Every scene with two nodes."""

SCENES: Final[tuple[Scene, ...]] = (
    deskphone_answers,
    nobody_answers,
    caller_gives_up,
    busy_at_the_limit,
    refused,
    out_by_deskphone,
    in_by_did,
    hold_and_resume,
    do_not_disturb,
    voicemail_on_no_answer,
    message_left,
    unconditional_forward,
    no_answer_forward,
    forward_chain,
    group_call,
    pickup,
    blind_transfer,
    attended_transfer,
    parking,
    conference,
    browser_answers,
    two_tabs,
    out_by_browser,
    group_of_local_channels,
    desk_selected,
    dialled_by_assistant,
    tab_killed_while_ringing,
    tab_killed_in_a_call,
)
"""Every scene with one node, those without a browser first."""
