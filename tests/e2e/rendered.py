"""A node that is configured by what ``unique-account asterisk render`` writes, and nothing else of ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

from attrs import frozen

from lab.asterisk import Node, node
from lab.config import Endpoint
from lab.ports import port
from lab.processes import own_folder
from unique_account.adapters.asterisk import MANAGER_PORT, read_secrets

SECRET: Final = "told to; nobody"
USERS: Final = """
[[users]]
id = "alice"
extension = "1001"
deskphone = "PJSIP/alice"
webrtc = "PJSIP/alice_w"
mailbox = "1001@default"

[[users]]
id = "bob"
extension = "1002"
deskphone = "PJSIP/bob"
webrtc = "PJSIP/bob_w"
"""
CONFIG: Final = """
[users]
file = "users.toml"

[accounts]
file = "accounts.sqlite"

[monitor]
port = {monitor}

[[nodes]]
port = {manager}
secret.file = "manager.secret"
websocket = "ws"
"""
EXTENSIONS: Final = """
#include unique_account.conf
[default]
include = unique-account-numbers-default
include = unique-account-hints
"""
APPENDED: Final = {
    "pjsip.conf": "#include unique_account_pjsip.conf\n",
    "manager.conf": "#include unique_account_manager.conf\n",
}
RENDER: Final = "asterisk render --config unique_account.toml --into etc"
VOICEMAIL: Final = "[general]\nformat = wav\n[default]\n1001 => 1234,Alice\n"


def command(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``unique-account`` in a folder."""
    call = [sys.executable, "-m", "unique_account", *arguments]
    return subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False, timeout=30)


@frozen(weakref_slot=False)
class Rendered:
    """A running node, and the folder of the configuration that its files were rendered from.

    Attributes:
        pbx: The node.
        folder: Where ``unique_account.toml`` and ``users.toml`` are.
        monitor: The port for health and metrics.
        passwords: The phones' passwords, by endpoint.
    """

    pbx: Node
    folder: Path
    monitor: int
    passwords: Mapping[str, str]

    def endpoint(self, name: str) -> Endpoint:
        """What a phone registers as."""
        return Endpoint(name=name, password=self.passwords[name], webrtc=name.endswith("_w"))


def write_config(folder: Path, manager: int, monitor: int) -> None:
    """Write what ``unique-account`` is told."""
    (folder / "users.toml").write_text(USERS, "utf-8")
    (folder / "manager.secret").write_text(f"{SECRET}\n", "utf-8")
    (folder / "manager.secret").chmod(0o600)
    config = CONFIG.format(manager=manager, monitor=monitor)
    (folder / "unique_account.toml").write_text(config, "utf-8")


@asynccontextmanager
async def rendered(
    others: Mapping[str, str] = MappingProxyType({}), appended: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[Rendered]:
    """A node whose phones, dialplan and manager account are as they were rendered.

    Args:
        others: Files of the node that are others than the lab's, by name.
        appended: What comes at the end of files, by their names.
    """
    monitor = port()
    with own_folder("rendered") as folder:
        write_config(folder, MANAGER_PORT, monitor)
        done = command(
            "asterisk", "render", "--config", "unique_account.toml", "--into", "etc", folder=folder
        )
        assert done.returncode == 0, done.stderr
        files = {path.name: path.read_text("utf-8") for path in (folder / "etc").iterdir()}
        passwords = read_secrets(files["unique_account_secrets.conf"]).by_endpoint
        more = {**files, "voicemail.conf": VOICEMAIL, **others}
        ends = {**APPENDED, **{file: APPENDED.get(file, "") + text for file, text in appended.items()}}
        async with node((), EXTENSIONS, more_files=more, appended=ends, prompts=True) as pbx:
            write_config(folder, pbx.ports.ami, monitor)
            yield Rendered(pbx, folder, monitor, passwords)
