"""Sets the stage: the service, the CTI server and the page on embedded defaults, ready to be played on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import timedelta
from secrets import token_urlsafe
from typing import Final

from unique_account.adapters.decorators.fan_out import FanOut
from unique_account.adapters.log_observer import LogObserver
from unique_account.adapters.memory import MemoryCallLog, MemoryDirectory, MemoryPbx
from unique_account.adapters.system_clock import SystemClock
from unique_account.adapters.xuc import XucCti, XucSettings
from unique_account.bootstrap import bootstrap
from unique_account.core.account import Direction
from unique_account.core.history import CallRecord, HistoryStatus
from unique_account.core.machine import Device
from unique_account.demo.change_stream import ChangeStream
from unique_account.demo.pbx import DemoPbx
from unique_account.demo.people import NAMES, NUMBERS, DemoCredentials, cast
from unique_account.demo.web import LINE, application
from unique_account.ports.clock import Clock
from unique_account.service.service import Service

PORT: Final = 8090
_HOST: Final = "127.0.0.1"


@asynccontextmanager
async def stage(port: int = PORT) -> AsyncIterator[str]:
    """Run the demo company on loopback; yields the address of the UC Assistant.

    Raises:
        OSError: The port cannot be listened on; the sentence names it.
    """
    async with AsyncExitStack() as opened:
        clock = await opened.enter_async_context(aclosing(SystemClock()))
        pbx, changes, secret = DemoPbx(clock), ChangeStream(cast()), token_urlsafe()
        observer, credentials = FanOut(LogObserver(), changes), DemoCredentials(secret)
        settings = XucSettings(key=token_urlsafe(32), host=_HOST, port=port)
        cti = XucCti(settings, _directory(), credentials, observer, application(pbx, changes, secret))
        opened.callback(cti.bind().close)
        call_log = MemoryCallLog()
        await call_log.add(_earlier_calls(clock))
        running = bootstrap(clock=clock, pbxs=(pbx,), cti=cti, call_log=call_log, observer=observer)
        await _move_in(await opened.enter_async_context(running), pbx)
        address = f"{_HOST}:{await cti.port()}"
        credentials.url = f"ws://{address}{LINE}"
        yield f"http://{address}/"


def _directory() -> MemoryDirectory:
    return MemoryDirectory(
        {user: user for user in NAMES},
        {number: NAMES[user] for user, number in NUMBERS.items()},
        {number: user for user, number in NUMBERS.items()},
    )


async def _move_in(service: Service, pbx: MemoryPbx) -> None:
    """Give everybody an account and a phone that is plugged in."""
    for user in cast():
        await pbx.register(user.deskphone)
        await service.add(user)
    await pbx.leave_messages(f"{NUMBERS['alice']}@default", new=2, old=1)


def _earlier_calls(clock: Clock) -> list[CallRecord]:
    """What Alice's history begins with."""
    reported = (
        (95, "1002", HistoryStatus.ANSWERED, Device.DESKPHONE, 64),
        (1290, "1003", HistoryStatus.EMITTED, Device.WEBRTC, 311),
        (1410, "1004", HistoryStatus.MISSED, Device.WEBRTC, 0),
    )
    return [
        _record(clock, minutes, peer, status, device, seconds)
        for minutes, peer, status, device, seconds in reported
    ]


def _record(
    clock: Clock, minutes: int, peer: str, status: HistoryStatus, device: Device, seconds: int
) -> CallRecord:
    start = clock.now() - timedelta(minutes=minutes)
    answered = start + timedelta(seconds=6) if seconds else None
    outgoing = status is HistoryStatus.EMITTED
    return CallRecord(
        id=f"{int(start.timestamp())}.0",
        user="alice",
        start=start,
        status=status,
        direction=Direction.OUTGOING if outgoing else Direction.INCOMING,
        device=device,
        peer=peer,
        answered=answered,
        ended=start + timedelta(seconds=6 + seconds),
    )
