"""The page on connecting a PBX, followed step by step from an empty folder."""

from __future__ import annotations

import asyncio
import re
import shlex
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from lab.asterisk import node
from lab.browser import browser
from lab.config import Endpoint
from lab.phones import phone
from lab.ports import port
from lab.processes import own_folder, running
from lab.waiting import until
from tests.e2e.drivers.agreement import held
from tests.e2e.drivers.user_events import report
from tests.e2e.fixtures.rendered_node import command
from tests.event_loop import in_loop
from tests.paths import ROOT
from unique_account import Device
from unique_account.adapters.asterisk import plans, read_secrets

pytestmark = pytest.mark.e2e

_TEXT: Final = (ROOT / "docs/connect.md").read_text("utf-8")
PAGE: Final = _TEXT.partition("\n## 6. ")[0]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def typed(folder: Path) -> None:
    """Do what the page's console blocks show: make files, and run the command."""
    for block in blocks("console"):
        line, _, output = block.partition("\n")
        name, *arguments = shlex.split(line.removeprefix("$ "))
        if name == "cat":
            (folder / arguments[0]).write_text(output, "utf-8")
        elif name == "unique-account":
            done = command(*arguments, folder=folder)
            assert (done.stdout, done.stderr) == (output, "")
        else:
            assert name == "pip"


def included() -> dict[str, str]:
    """What the page adds to the files of Asterisk."""
    named = (block.partition("\n") for block in blocks("ini"))
    return {first.removeprefix("; "): text for first, _, text in named}


class TestConnect:
    """A5, R1, R2: from an empty folder to calls that follow the user."""

    @in_loop
    async def test_the_page_followed_to_its_end(self) -> None:
        doctor, serve = (shlex.split(block)[1:] for block in blocks("sh"))
        ready, started = blocks("text")
        with own_folder("connect") as folder:
            typed(folder)
            files = {path.name: path.read_text("utf-8") for path in (folder / "etc").iterdir()}
            passwords = read_secrets(files["unique_account_secrets.conf"]).by_endpoint
            appended = included()
            extensions = appended.pop("extensions.conf")
            files["cel.conf"] = appended.pop("cel.conf")
            async with node((), extensions, more_files=files, appended=appended) as pbx:
                # The lab's ports are its own; a PBX of one's own has the usual ones.
                config = folder / "unique_account.toml"
                own = f"port = {pbx.ports.ami}\n[monitor]\nport = {port()}\n"
                config.write_text(config.read_text("utf-8") + own, "utf-8")
                done = await asyncio.to_thread(command, *doctor, folder=folder)
                assert (done.stdout, done.stderr) == (ready, "")

                log = folder / "serve.log"
                where = str(config)
                arguments = [where if argument == config.name else argument for argument in serve]
                async with running(sys.executable, "-m", "unique_account", *arguments, log=log):
                    wanted = [line.split("INFO")[1].partition(";")[0] for line in started.splitlines()]

                    async def logged() -> bool:
                        return all(line in log.read_text("utf-8") for line in wanted)

                    await until(logged, f"{wanted} in the log")
                    line = {name: Endpoint(name=name, password=word) for name, word in passwords.items()}
                    async with phone(pbx, line["alice"]) as alice, phone(pbx, line["bob"]) as bob:
                        start = time.monotonic()
                        await bob.dial("1001")
                        await alice.event("CALL_INCOMING", after=start)
                        await bob.hang_up()
                        await bob.event("CALL_CLOSED", after=start)
                        async with browser() as chromium:
                            tab = await chromium.tab(pbx, line["alice_w"])
                            await report(pbx.ami, "alice", "log_in", Session="tab-1")

                            async def in_force() -> bool:
                                now = plans(await held(pbx.ami)).get("alice")
                                return now is not None and now.candidates[0].device is Device.WEBRTC

                            await until(in_force, "the plan of one who is logged in")
                            start = time.monotonic()
                            await bob.dial("1001")
                            await tab.event("ringing", after=start)
