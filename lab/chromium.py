"""Chromium as a process: how it is started, and one that is kept from one use to the next."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from attrs import frozen

from lab.ports import LOOPBACK
from lab.programs import program
from lab.sound import kept_tone, write_tone
from lab.waiting import until

_FLAGS: Final = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-sync",
    # The page comes from no address at all, which Chromium takes for a foreign one.
    "--disable-features=WebRtcHideLocalIpsWithMdns,LocalNetworkAccessChecks",
    "--no-first-run",
)


def command(folder: Path, tone: int, autoplay: bool, *more: str) -> tuple[str, ...]:
    """The command of a Chromium whose files are in a folder, and whose tabs speak a tone."""
    speech = folder / "speech.wav"
    write_tone(tone, speech)
    return (
        program("chromium"),
        *_FLAGS,
        # A sandbox is not to be had by root, and nothing but the lab's own page is opened.
        *(("--no-sandbox",) if os.geteuid() == 0 else ()),
        f"--user-data-dir={folder}",
        f"--use-file-for-fake-audio-capture={speech}",
        *(("--autoplay-policy=no-user-gesture-required",) if autoplay else ()),
        *more,
        "about:blank",
    )


async def address(folder: Path) -> str:
    """Where Chromium is driven, which it writes down once it has started."""
    written = folder / "DevToolsActivePort"
    lines: list[str] = []

    async def known() -> bool:
        lines[:] = written.read_text("ascii").splitlines() if written.exists() else []
        return len(lines) == 2

    await until(known, "the start of the browser")
    port, path = lines
    return f"ws://{LOOPBACK}:{port}{path}"


@frozen
class KeptChromium:
    """A Chromium that is kept from one use to the next."""

    process: subprocess.Popen[bytes]
    folder: Path
    tone: int

    def stop(self) -> None:
        """End it, and delete its files."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def start(autoplay: bool) -> KeptChromium:
    """Start a Chromium that ends with this process."""
    folder, tone = Path(mkdtemp(prefix="lab-browser-")), kept_tone()
    with (folder / "log").open("ab") as log:
        whole = ("setpriv", "--pdeathsig=KILL", *command(folder, tone, autoplay))
        process = subprocess.Popen(
            whole, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    kept = KeptChromium(process, folder, tone)
    atexit.register(kept.stop)
    return kept
