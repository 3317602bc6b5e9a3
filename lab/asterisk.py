"""Asterisk nodes: each with directories and ports of its own, so that several run at once."""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from lab.ami import Ami, connect
from lab.config import (
    MODULES,
    Endpoint,
    NodePorts,
    asterisk_conf,
    cel_conf,
    http_conf,
    logger_conf,
    manager_conf,
    modules_conf,
    pjsip_conf,
    quiet,
    rtp_conf,
)
from lab.mailboxes import write_prompts
from lab.ports import LOOPBACK, media_ports, port
from lab.processes import Process, own_folder, start
from lab.programs import AsteriskFiles, asterisk_files
from lab.waiting import until

_AMI_USER: Final = "lab"


class Node:
    """A running Asterisk.

    Attributes:
        folder: Its directories, ``etc`` and ``log`` among them.
        ports: Its ports.
        ami: A connection to its manager interface, open since it has booted.
        user: As whom one logs in to it.
        secret: With which secret.
    """

    def __init__(self, files: AsteriskFiles, folder: Path, ports: NodePorts, secret: str) -> None:
        self.folder = folder
        self.ports = ports
        self.ami: Ami
        self._command = (*files.command, "-C", str(folder / "etc/asterisk.conf"))
        self.user = _AMI_USER
        self.secret = secret
        self._process: Process

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def sip(self) -> str:
        """Where deskphones register, as host and port."""
        return f"{self.ports.address}:{self.ports.sip}"

    @property
    def websocket(self) -> str:
        """Where browsers register."""
        return f"ws://{LOOPBACK}:{self.ports.http}/ws"

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return (self.folder / "log/full").read_text("utf-8", "replace")

    async def start(self) -> None:
        """Start it, as `node` does, or again after it was stopped or killed; `ami` is a new connection.

        Raises:
            TimeoutError: It does not boot.
        """
        self._process = await start(*self._command, "-f", log=self.folder / "log/console")
        try:
            await self._booted()
            self.ami = await self.another_ami()
        except BaseException:
            await self._process.kill()
            raise

    async def stop(self) -> None:
        """Stop it as an administrator does: calls end, and what it keeps is written down."""
        await self.ami.close()
        await self._process.stop()

    async def kill(self) -> None:
        """End it at once; of AstDB, registrations among it, the last second is lost."""
        await self._process.kill()
        await self.ami.close()

    def freeze(self) -> None:
        """Stop it where it is; its sockets stay open, and say nothing."""
        self._process.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on."""
        self._process.signal(signal.SIGCONT)

    async def cli(self, command: str) -> str:
        """What a command of its console prints.

        Raises:
            ConnectionError: The console does not answer.
        """
        status, printed = await self._console(command)
        if status != 0:
            raise ConnectionError(f"the console of {self.folder.name} does not answer: {printed}")
        return printed

    async def another_ami(self) -> Ami:
        """A further connection to the manager interface; the caller closes it."""
        return await connect(self.ports.ami, self.user, self.secret)

    async def _console(self, command: str) -> tuple[int, str]:
        console = await asyncio.create_subprocess_exec(
            *self._command,
            "-rx",
            command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await console.communicate()
        return await console.wait(), printed.decode("utf-8", "replace")

    async def _booted(self) -> None:
        async def ready() -> bool:
            # Before its commands are registered, the console answers "No such command" with status 0.
            return "fully booted" in (await self._console("core waitfullybooted"))[1]

        await until(ready, f"the boot of {self.folder.name}")


@asynccontextmanager
async def node(
    endpoints: Iterable[Endpoint] = (),
    extensions: str = "",
    *,
    name: str = "pbx",
    more_files: Mapping[str, str] | None = None,
    appended: Mapping[str, str] | None = None,
    sip: int | None = None,
    prompts: bool = False,
    address: str = LOOPBACK,
) -> AsyncIterator[Node]:
    """A node that has booted; it is killed, and its folder deleted, when the context closes.

    If the context closes with an error, the folder stays, and the error names it.

    Args:
        endpoints: Who may register.
        extensions: The text of ``extensions.conf``.
        name: Its system name.
        more_files: Further configuration files by name, or others instead of the lab's own.
        appended: What comes at the end of configuration files, by their names.
        sip: Its SIP port, where another node has to know it beforehand.
        prompts: Whether its mailboxes can greet, and so take messages; else they give up at once.
        address: Its SIP address on loopback, where another node is to know it by that.

    Raises:
        NotInstalled: There is no Asterisk.
    """
    files = asterisk_files()
    ports = NodePorts(sip=sip or port(), http=port(), ami=port(), media=media_ports(), address=address)
    secret = secrets.token_hex(16)
    with own_folder(name) as folder:
        texts = _configuration(files, folder, ports, secret)
        texts |= {
            "pjsip.conf": pjsip_conf(endpoints, f"{address}:{ports.sip}"),
            "extensions.conf": extensions,
        }
        texts |= more_files or {}
        texts |= {file: texts[file] + text for file, text in (appended or {}).items()}
        _write(folder, texts)
        if prompts:
            write_prompts(files.data, folder / "data")
        else:
            (folder / "data").symlink_to(files.data)
        started = Node(files, folder, ports, secret)
        await started.start()
        try:
            yield started
        finally:
            await started.kill()  # nobody looks at what it would write


def _configuration(files: AsteriskFiles, folder: Path, ports: NodePorts, secret: str) -> dict[str, str]:
    return {
        **quiet(),
        "asterisk.conf": asterisk_conf(files, folder),
        "modules.conf": modules_conf(MODULES.split()),
        "logger.conf": logger_conf(),
        "manager.conf": manager_conf(ports.ami, _AMI_USER, secret),
        "http.conf": http_conf(ports.http),
        "rtp.conf": rtp_conf(ports.media),
        "cel.conf": cel_conf(),
    }


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    for place in ("etc", "lib", "db", "keys/keys", "agi", "spool", "run", "log"):
        (folder / place).mkdir(parents=True)
    for name, text in texts.items():
        (folder / "etc" / name).write_text(text, "utf-8")
