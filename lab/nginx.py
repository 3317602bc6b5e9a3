"""nginx as a web proxy, in a folder of its own, with the servers that a test gives it."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from lab.ports import LOOPBACK
from lab.processes import running
from lab.programs import nginx_file
from lab.waiting import until

_TEMPORARY: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_CONFIG: Final = """
user root;
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/start.log notice;
events {{}}
http {{
{temporary}
{http}
}}
"""


class InvalidConfiguration(Exception):
    """nginx refuses a configuration; the sentence is its own."""


@asynccontextmanager
async def nginx(http: str, folder: Path, port: int) -> AsyncIterator[None]:
    """Run nginx until the context closes.

    Args:
        http: What is in the block ``http`` of its configuration.
        folder: Where its files are.
        port: One of the ports that it listens on.

    Raises:
        NotInstalled: There is no nginx.
        InvalidConfiguration: It refuses the configuration.
    """
    temporary = "".join(f"{name}_temp_path {folder}/{name};\n" for name in _TEMPORARY)
    file = folder / "nginx.conf"
    file.write_text(_CONFIG.format(folder=folder, temporary=temporary, http=http), "utf-8")
    command = (str(nginx_file()), "-c", str(file), "-e", str(folder / "start.log"))
    await asyncio.to_thread(_check, command)
    async with running(*command, log=folder / "nginx.out"):
        await until(lambda: _listens(port), f"nginx at port {port}")
        yield


def _check(command: Sequence[str]) -> None:
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise InvalidConfiguration(tried.stderr)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True
