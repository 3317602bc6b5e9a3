"""The story that the demo plays: Alice's number, her deskphone, her browser, and those who call her."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from attrs import evolve, frozen

from unique_account.adapters.memory import (
    MemoryBus,
    MemoryCallLog,
    MemoryCti,
    MemoryObserver,
    MemoryPbx,
    PlacedCall,
    SettableClock,
)
from unique_account.bootstrap import bootstrap
from unique_account.core.errors import Refused
from unique_account.core.events import (
    DeviceSelected,
    Event,
    ForwardingChanged,
    LoggedIn,
    LoggedOut,
    SessionLost,
)
from unique_account.core.forwarding import Forward, Forwarding
from unique_account.core.history import CallRecord, merge, ongoing, page
from unique_account.core.machine import Device
from unique_account.core.presence import presence
from unique_account.core.reasons import Reason
from unique_account.core.user import User
from unique_account.service.service import Service

ALICE: Final = User(
    id="alice",
    extension="1001",
    dids=("+33123450001",),
    deskphone="PJSIP/alice",
    webrtc="PJSIP/alice_w",
    mailbox="1001@default",
)
BOB: Final = "1002"
CAROL: Final = "1003"
"""Plain phones: they have no account here."""


@frozen(kw_only=True)
class Scene:
    """One step of the story, and how it left things.

    Attributes:
        number: Its place in the story.
        what: What happened.
        call: What became of the call that it is about; empty if it is about none.
        state: Where Alice's account stands.
        presence: What colleagues see of her number.
        because: Why the call went where it went.
        history: The entries of Alice's history, newest first, where it is about them.
    """

    number: int
    what: str
    call: str = ""
    state: str
    presence: str
    because: tuple[Reason, ...] = ()
    history: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The scene as what JSON can say."""
        reasons = [
            {"rule": reason.rule, "text": reason.text, "facts": reason.facts} for reason in self.because
        ]
        return {
            "step": self.number,
            "what": self.what,
            "call": self.call or None,
            "state": self.state,
            "presence": self.presence,
            "because": reasons,
            "history": self.history,
        }


async def play(show: Callable[[Scene], None]) -> None:
    """Play the story from the first call to the history, and show each scene as it happened."""
    clock = SettableClock(datetime(2026, 3, 2, 8, 0, tzinfo=UTC))
    pbx, cti, call_log = MemoryPbx(clock), MemoryCti(), MemoryCallLog()
    async with bootstrap(
        clock=clock, pbxs=(pbx,), cti=cti, bus=MemoryBus(), call_log=call_log, observer=MemoryObserver()
    ) as service:
        stage = _Cast(clock, pbx, cti, call_log, service, show)
        await service.add(ALICE)
        await pbx.register("PJSIP/alice")
        for part in (_deskphone_only, _in_the_browser, _on_the_deskphone, _both_at_once):
            await part(stage)
        for part in (_not_now, _a_lost_tab, _going_home):
            await part(stage)


class _Cast:
    def __init__(
        self,
        clock: SettableClock,
        pbx: MemoryPbx,
        cti: MemoryCti,
        call_log: MemoryCallLog,
        service: Service,
        show: Callable[[Scene], None],
    ) -> None:
        self.clock = clock
        self.pbx = pbx
        self.cti = cti
        self.call_log = call_log
        self.service = service
        self._show = show
        self._number = 0

    def scene(self, what: str, call: PlacedCall | None = None, history: tuple[str, ...] = ()) -> None:
        """Show what happened, and what it came to."""
        self._number += 1
        account = self.service.account("alice")
        self._show(
            Scene(
                number=self._number,
                what=what,
                call=_fate(call) if call else "",
                state=str(account.state),
                presence=presence(account).name.lower().replace("_", " "),
                because=call.because if call else (),
                history=history,
            )
        )

    async def alice(self, event: Event) -> None:
        """Alice does something in her UC Assistant."""
        await self.cti.act("alice", event)

    async def wait(self, seconds: float) -> None:
        """Time passes."""
        await self.clock.advance(timedelta(seconds=seconds))

    async def ended(self, call: PlacedCall, after: float = 1) -> None:
        """A call goes on for a while and is over."""
        await self.wait(after)
        await self.pbx.end(call)
        await self.wait(60)


_NAMED: Final = {Device.DESKPHONE: "the deskphone", Device.WEBRTC: "the browser"}


def _fate(call: PlacedCall) -> str:
    if call.answered and call.destination is None:
        return f"is answered on {_NAMED[call.rung[-1][1]]}"
    if call.rings:
        return f"rings {_NAMED[call.rings]}"
    return f"goes to {call.destination}"


async def _deskphone_only(stage: _Cast) -> None:
    stage.scene("Alice has a Unique Account. Her deskphone is there; nobody is logged in.")
    call = await stage.pbx.call("1001", caller=BOB)
    stage.scene("Bob calls 1001.", call)
    await stage.pbx.pick_up(call)
    stage.scene("She picks up.", call)
    await stage.ended(call, 42)


async def _in_the_browser(stage: _Cast) -> None:
    await stage.alice(LoggedIn("tab-1"))
    call = await stage.pbx.call("1001", caller=BOB)
    stage.scene("Alice logs in for the first time; while her browser still registers, Bob calls.", call)
    await stage.ended(call)
    await stage.pbx.register("PJSIP/alice_w")
    call = await stage.pbx.call("+33123450001", caller="+33698765432")
    stage.scene("Her browser is registered. A customer calls her public number.", call)
    await stage.pbx.pick_up(call)
    stage.scene("She answers in the browser.", call)
    await stage.ended(call, 125)


async def _on_the_deskphone(stage: _Cast) -> None:
    await stage.alice(DeviceSelected(Device.DESKPHONE))
    call = await stage.pbx.call("1001", caller=CAROL)
    stage.scene("Alice selects the deskphone. Carol calls.", call)
    await stage.wait(30)
    stage.scene("Nobody answers for 30 seconds: the browser never rings for this call.", call)
    await stage.ended(call, 0)
    await stage.alice(DeviceSelected(Device.WEBRTC))


async def _both_at_once(stage: _Cast) -> None:
    handset = await stage.pbx.call(CAROL, interface="PJSIP/alice", caller="1001")
    await stage.pbx.pick_up(handset)
    stage.scene("Back on WebRTC, she picks up the handset all the same and calls Carol.")
    call = await stage.pbx.call("1001", caller=BOB)
    stage.scene("Bob calls meanwhile.", call)
    await stage.pbx.end(call)
    await stage.ended(handset, 10)


async def _not_now(stage: _Cast) -> None:
    await stage.alice(ForwardingChanged(Forwarding(busy=Forward(CAROL), do_not_disturb=True)))
    call = await stage.pbx.call("1001", caller=BOB)
    stage.scene("Alice wants silence: do-not-disturb. Bob calls.", call)
    await stage.ended(call)
    account = stage.service.account("alice")
    await stage.alice(ForwardingChanged(evolve(account.forwarding, do_not_disturb=False)))
    try:
        await stage.alice(ForwardingChanged(Forwarding(unconditional=Forward("1001"))))
    except Refused as refused:
        stage.scene(f"She forwards her number to itself by mistake: {refused}.")


async def _a_lost_tab(stage: _Cast) -> None:
    call = await stage.pbx.call("1001", caller=BOB)
    stage.scene("Bob calls, and the browser rings.", call)
    await stage.wait(4)
    await stage.pbx.unregister("PJSIP/alice_w")
    await stage.alice(SessionLost("tab-1", stage.clock.now()))
    stage.scene(
        "Her laptop dies while it rings: the call moves on at once, the caller notices nothing.", call
    )
    await stage.pbx.pick_up(call)
    await stage.wait(9)
    stage.scene("She talks on the deskphone. Her session is held for 10 seconds, in case she comes back.")
    await stage.wait(1)
    stage.scene("She does not: the account is logged out, the saved selection stays WebRTC.")
    await stage.ended(call, 30)


async def _going_home(stage: _Cast) -> None:
    await stage.alice(LoggedIn("tab-2"))
    await stage.pbx.register("PJSIP/alice_w")
    call = await stage.pbx.call("1001", caller=CAROL)
    stage.scene("She logs in again: her selection is restored. Carol calls.", call)
    await stage.pbx.pick_up(call)
    await stage.ended(call, 61)
    await stage.alice(LoggedOut("tab-2"))
    await stage.pbx.unregister("PJSIP/alice_w")
    stage.scene("She logs out and goes home.")
    try:
        await stage.alice(DeviceSelected(Device.DESKPHONE))
    except Refused as refused:
        stage.scene(f"Selecting a device now is refused: {refused}.")
    stored = await stage.call_log.before("alice", None, 50)
    history = page(tuple(merge(ongoing(stage.service.account("alice")), stored)), user="alice")
    stage.scene("Her one history, of both devices:", history=tuple(map(_entry, history.entries)))


def _entry(record: CallRecord) -> str:
    return (
        f"{record.start:%H:%M:%S}  {record.status:<8}  {record.peer:<12}  "
        f"{record.device or '':<9}  {int(record.duration.total_seconds()):>4} s"
    )
