"""SIP deskphones: baresip without a sound card.

Each phone speaks a tone of its own, and records what it receives, so that a test can identify the speaker.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from lab.asterisk import Node
from lab.baresip import Control, PhoneEvent, connect
from lab.config import Endpoint
from lab.journal import JournalEntry
from lab.ports import LOOPBACK, media_ports, port
from lab.processes import Process, own_folder, running
from lab.programs import NotInstalled, program
from lab.sound import NEAR, own_tone, read_tone
from lab.waiting import until

_MODULES: Final = ("g711", "ausine", "aubridge", "sndfile")
_A_SYLLABLE: Final = 0.4
_APPLICATIONS: Final = ("account", "contact", "menu", "ctrl_tcp")


class Phone:
    """A running deskphone.

    Attributes:
        name: The endpoint as which it registers.
        tone: The frequency that it speaks, in hertz; no two phones of a process speak the same.
    """

    def __init__(self, name: str, tone: int, folder: Path, process: Process, control: Control) -> None:
        self.name = name
        self.tone = tone
        self._folder = folder
        self._process = process
        self._control = control

    async def dial(self, number: str) -> None:
        """Call a number."""
        await self._control.command("dial", number)

    async def accept(self) -> None:
        """Answer the call that rings."""
        await self._control.command("accept")

    async def hang_up(self) -> None:
        """End the current call, or refuse the one that rings."""
        await self._control.command("hangup")

    async def transfer(self, uri: str) -> None:
        """Give the current call to a SIP URI, unseen."""
        await self._control.command("transfer", uri)

    async def hold(self) -> None:
        """Put the current call on hold."""
        await self._control.command("hold")

    async def resume(self) -> None:
        """Take the current call back from hold."""
        await self._control.command("resume")

    async def event(self, kind: str, *, after: float = 0.0) -> JournalEntry[PhoneEvent]:
        """The first event of this kind, e.g. ``CALL_INCOMING``, that was reported at an instant or later.

        Raises:
            NeverTold: None came within `lab.waiting.PATIENCE`.
        """
        return await self._control.journal.wait(lambda event: event["type"] == kind, kind, after=after)

    def reported(self, *, after: float = 0.0) -> tuple[str, ...]:
        """The kinds of all events that were reported at an instant or later."""
        return tuple(
            reported.what["type"] for reported in self._control.journal.reported if reported.at >= after
        )

    async def registered(self) -> None:
        """Wait until it is registered.

        Raises:
            TimeoutError: It was not within `lab.waiting.PATIENCE`.
        """

        # It registers before it can be listened to, so it is asked.
        async def said_so() -> bool:
            return "OK" in await self._control.command("reginfo")

        await until(said_so, f"the registration of {self.name}")

    def received(self, *, last: float = math.inf) -> tuple[int, ...]:
        """The tone that it heard in the last seconds of each call, in hertz; 0 for silence."""
        recordings = sorted((self._folder / "heard").glob("*-dec.wav"))
        return tuple(read_tone(recording, last=last) for recording in recordings)

    async def receives(self, tone: int) -> None:
        """Wait until it hears a tone, or silence where that is 0, for a fifth of a second at least.

        Raises:
            TimeoutError: It did not within `lab.waiting.PATIENCE`.
        """

        async def now() -> bool:
            received = self.received(last=_A_SYLLABLE)
            return bool(received) and abs(received[-1] - tone) < NEAR

        await until(now, f"that {self.name} hears {tone} Hz")

    async def kill(self) -> None:
        """Pull its plug."""
        await self._process.kill()


@asynccontextmanager
async def phone(pbx: Node, endpoint: Endpoint) -> AsyncIterator[Phone]:
    """A deskphone that is registered as an endpoint of a node, and is gone when the context closes.

    Raises:
        NotInstalled: There is no baresip.
        TimeoutError: It does not get registered.
    """
    frequency, sip, control_port = own_tone(), port(), port()
    with own_folder(endpoint.name) as folder:
        (folder / "heard").mkdir()
        (folder / "config").write_text(_config(folder, sip, control_port, frequency), "utf-8")
        (folder / "accounts").write_text(_account(pbx, endpoint), "utf-8")
        (folder / "contacts").write_text("", "utf-8")
        command = (program("baresip"), "-f", str(folder))
        async with running(*command, log=folder / "log") as process:
            control = await connect(endpoint.name, control_port)
            try:
                started = Phone(endpoint.name, frequency, folder, process, control)
                await started.registered()
                yield started
            finally:
                await control.close()


def _account(pbx: Node, endpoint: Endpoint) -> str:
    return f"<sip:{endpoint.name}@{pbx.sip}>;auth_pass={endpoint.password};regint=300;answermode=manual\n"


def _config(folder: Path, sip: int, control: int, frequency: int) -> str:
    first, last = media_ports()
    lines = [
        f"sip_listen {LOOPBACK}:{sip}",
        f"net_interface {LOOPBACK}",
        f"rtp_ports {first}-{last}",
        f"ctrl_tcp_listen {LOOPBACK}:{control}",
        f"snd_path {folder / 'heard'}",
        f"module_path {_module_path()}",
        "call_local_timeout 120",
        "call_max_calls 4",
        f"audio_source ausine,{frequency}",
        "audio_player aubridge,heard",
        "audio_alert aubridge,alert",
        # With any other rate or number of channels the tone does not start, and no call is answered.
        "ausrc_srate 48000",
        "ausrc_channels 2",
        # Or else what goes on from another source, as after a transfer, may be taken for late, and dropped.
        "jitter_buffer_delay 0-0",
        *(f"module {name}.so" for name in _MODULES),
        *(f"module_app {name}.so" for name in _APPLICATIONS),
    ]
    return "\n".join(lines) + "\n"


def _module_path() -> Path:
    for folder in (Path("/usr/lib/baresip/modules"), *Path("/usr/lib").glob("*/baresip/modules")):
        if folder.is_dir():
            return folder
    raise NotInstalled(("the modules of baresip",))
