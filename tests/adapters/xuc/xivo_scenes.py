"""Scenes of a day at XiVO's client, for any office: on the PBX double, and on real SIP with real sound."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from tests.adapters.xuc.xivo_workplace import (
    BOB,
    BROWSER,
    CAROL,
    DESKPHONE,
    Office,
    Workplace,
    on_webrtc,
)


async def talks(at: Workplace, caller: str = BOB) -> str:
    """Somebody calls Alice, who answers in the client; the call's id."""
    before = set(at.client.calls)
    known = set(at.client.sip_calls)
    await at.phones.call(caller)
    await at.until(lambda: at.client.sip_calls.keys() - known and at.client.calls.keys() - before)
    (call,) = at.client.calls.keys() - before
    assert at.client.calls[call].event == "EventRinging"
    await at.client.command("answer", uniqueId=call)
    await at.until(lambda: at.client.calls[call].event == "EventEstablished")
    await at.phones.hear(BROWSER, caller)
    return call


async def has_recorded(at: Workplace, status: str) -> None:
    """The newest entry of the history has a status."""

    async def asks() -> None:
        at.client.history = []
        await at.client.command("getUserCallHistory", size=1)
        await at.until(lambda: at.client.history)

    await asks()
    while at.client.history[0]["status"] == "ongoing":  # as that client does
        await asks()
    assert [entry["status"] for entry in at.client.history] == [status]


async def registers_as_the_line_says(office: Office) -> None:
    """Log-in, and registration."""
    async with on_webrtc(office) as at:
        assert at.sip.registered is not None
        assert at.sip.registered["name"] == "alice_w"


async def talks_with_a_caller(office: Office) -> None:
    """A call that comes in."""
    async with on_webrtc(office) as at:
        await talks(at)
        assert at.client.notices == [BOB]
        await at.client.command("sendDtmf", key="5")
        await at.phones.takes_key("5")
        await at.phones.hang_up(BOB)
        await at.shows()
        await has_recorded(at, "answered")


async def dials(office: Office) -> None:
    """A call that goes out: the client answers by itself, and never takes the call for one that comes in."""
    async with on_webrtc(office) as at:
        await at.client.command("dial", destination=BOB, variables={})
        await at.until(lambda: at.client.sip_calls)
        await at.shows(("EventDialing", BOB))
        await at.phones.pick_up(BOB)
        await at.shows(("EventEstablished", BOB))
        await at.phones.hear(BROWSER, BOB)
        assert at.client.notices == []
        await at.client.command("hangup")
        await at.shows()
        await has_recorded(at, "emitted")


async def toggles_with_its_stack_stopped(office: Office) -> None:
    """There and back, by the client itself."""
    async with on_webrtc(office) as at:
        await at.client.toggle("phone")
        await at.until(lambda: not at.client.uses_webrtc)
        assert at.sip.registered is None
        await takes_a_call_by_deskphone(at)
        await at.client.toggle("webrtc")
        await at.on_webrtc()
        await talks(at)


async def toggles_with_its_stack_running(office: Office) -> None:
    """There and back, by another program."""
    async with on_webrtc(office) as at, office.workplace(registers=False) as program:
        await program.client.command("toggleUniqueAccountDevice", deviceType="phone")
        await at.until(lambda: not at.client.uses_webrtc)
        await takes_a_call_by_deskphone(at)
        await program.client.command("toggleUniqueAccountDevice", deviceType="webrtc")
        await at.until(lambda: at.client.uses_webrtc)
        await at.on_webrtc()
        await talks(at)


async def takes_a_call_by_deskphone(at: Workplace) -> None:
    """Somebody calls Alice, who picks up the deskphone; the browser does not ring."""
    await at.phones.call(BOB)
    await at.shows(("EventRinging", BOB))
    await at.phones.pick_up(DESKPHONE)
    await at.shows(("EventEstablished", BOB))
    await at.phones.hear(DESKPHONE, BOB)
    assert not at.client.sip_calls
    await at.phones.hang_up(BOB)
    await at.shows()


async def tells_two_calls_apart(office: Office) -> None:
    """Hold, microphone and hang-up mean the call that they name."""
    async with on_webrtc(office) as at:
        first = await talks(at, CAROL)
        await at.client.command("hold")
        await at.shows(("EventOnHold", CAROL))
        await at.phones.hears_nothing(CAROL)
        second = await talks(at, BOB)
        await at.client.command("toggleMicrophone", uniqueId=second)
        await at.phones.hears_nothing(BOB)
        await at.client.command("toggleMicrophone", uniqueId=second)
        await at.phones.hear(BROWSER, BOB)
        await at.client.command("hold", uniqueId=second)
        await at.shows(("EventOnHold", CAROL), ("EventOnHold", BOB))
        await at.client.command("hold", uniqueId=first)
        await at.shows(("EventEstablished", CAROL), ("EventOnHold", BOB))
        await at.phones.hear(BROWSER, CAROL)
        await at.client.command("hangup", uniqueId=second)
        await at.shows(("EventEstablished", CAROL))
        await at.phones.hear(BROWSER, CAROL)


async def holds_and_resumes(office: Office) -> None:
    """Hold, and back."""
    async with on_webrtc(office) as at:
        await talks(at)
        await at.client.command("hold")
        await at.shows(("EventOnHold", BOB))
        await at.phones.hears_nothing(BOB)
        await at.client.command("hold")
        await at.shows(("EventEstablished", BOB))
        await at.phones.hear(BROWSER, BOB)


async def mutes_and_unmutes(office: Office) -> None:
    """Mute, and back."""
    async with on_webrtc(office) as at:
        call = await talks(at)
        await at.client.command("toggleMicrophone", uniqueId=call)
        await at.phones.hears_nothing(BOB)
        await at.client.command("toggleMicrophone", uniqueId=call)
        await at.phones.hear(BROWSER, BOB)


async def consults(at: Workplace) -> None:
    """Carol calls, and Alice asks Bob."""
    await talks(at, CAROL)
    await at.client.command("attendedTransfer", destination=BOB)
    await at.until(lambda: len(at.client.sip_calls) == 2)
    await at.shows(("EventOnHold", CAROL), ("EventDialing", BOB))
    await at.phones.hears_nothing(CAROL)
    await at.phones.pick_up(BOB)
    await at.shows(("EventOnHold", CAROL), ("EventEstablished", BOB))
    await at.phones.hear(BROWSER, BOB)
    assert at.client.notices == [CAROL]


async def completes_a_transfer(office: Office) -> None:
    """An attended transfer: the others have each other, and the client has no call."""
    async with on_webrtc(office) as at:
        await consults(at)
        await at.client.command("completeTransfer")
        await at.shows()
        await at.until(lambda: not at.client.sip_calls)
        await at.phones.hear(CAROL, BOB)


async def cancels_a_transfer(office: Office) -> None:
    """An attended transfer that is given up: the first call goes on."""
    async with on_webrtc(office) as at:
        await consults(at)
        await at.client.command("cancelTransfer")
        await at.shows(("EventEstablished", CAROL))
        await at.until(lambda: len(at.client.sip_calls) == 1)
        await at.phones.hear(BROWSER, CAROL)


async def searches(office: Office) -> None:
    """A search ends, whatever it finds."""
    async with on_webrtc(office) as at:
        for term, found in (("bob", [BOB]), ("zoe", [])):
            await at.client.search(term)
            await at.until(lambda: not at.client.searching)
            assert at.client.found == found


async def comes_back(office: Office) -> None:
    """A lost connection in a call, with a renewed token: the call goes on, is shown again and obeys."""
    async with on_webrtc(office) as at:
        await talks(at)
        await at.renew()
        await at.lose_connection()
        await at.phones.hear(BROWSER, BOB)
        before = at.client.line
        await at.connect()
        await at.shows(("EventEstablished", BOB))
        await at.until(lambda: at.client.line is not before)
        assert at.client.stack_runs
        await at.phones.hear(BROWSER, BOB)
        await at.client.command("hangup")
        await at.shows()
        await at.on_webrtc()


async def steers_without_a_line(office: Office) -> None:
    """A second client gets no line, steers all the same, and gets the line once the first is gone."""
    async with on_webrtc(office) as first, office.workplace() as second:
        await second.until(lambda: second.client.line)
        assert not second.client.stack_runs
        await second.client.command("dial", destination=BOB)
        await second.shows(("EventDialing", BOB))
        await first.phones.pick_up(BOB)
        await second.shows(("EventEstablished", BOB))
        await first.phones.hear(BROWSER, BOB)
        await second.client.command("hangup")
        await first.shows()
        await first.stop_and_leave()
        await second.on_webrtc()
        await talks(second)


Scene = Callable[[Office], Awaitable[None]]

SCENES: Final[tuple[Scene, ...]] = (
    registers_as_the_line_says,
    talks_with_a_caller,
    dials,
    toggles_with_its_stack_stopped,
    toggles_with_its_stack_running,
    tells_two_calls_apart,
    holds_and_resumes,
    mutes_and_unmutes,
    completes_a_transfer,
    cancels_a_transfer,
    searches,
    comes_back,
    steers_without_a_line,
)
