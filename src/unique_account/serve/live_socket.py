"""The socket beside the store on which a running service answers its own user."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

from unique_account.serve.config import Config

LARGEST_REQUEST: Final = 4096
"""A request has at most so many bytes."""

PATIENCE: Final = 5.0
"""For how many seconds a request is waited for, and for an answer to be taken."""

MOST: Final = 8
"""So many are answered at the same time; others are turned away."""

LOGGER: Final = logging.getLogger("unique_account.serve")
_MODE: Final = 0o600
_CREDENTIALS: Final = struct.Struct("3i")


def socket_path(config: Config) -> Path | None:
    """Where the socket of a configuration is: beside its store; None: it names no file of one."""
    store = config.accounts.file or (
        config.assistant.store.file if config.assistant and config.assistant.store else None
    )
    return Path(f"{store}.sock").absolute() if store else None


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A path as an address of a socket, which may have 107 bytes only; the folder may be any."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


@asynccontextmanager
async def answering(path: Path | None, answer: Callable[[bytes], bytes]) -> AsyncIterator[None]:
    """Answer requests on a socket of this path until the context is left; without it, the service runs on."""
    try:
        listener = _listener(path) if path else None
    except OSError as error:
        LOGGER.warning("no questions can be asked of this service: %s: %s", path, error.strerror)
        listener = None
    if listener is None or path is None:
        yield
        return
    made = _inode(path)
    server = await asyncio.start_unix_server(
        _Conversations(answer).converse, sock=listener, limit=LARGEST_REQUEST
    )
    try:
        yield
    finally:
        server.close()
        if _inode(path) == made:  # no other service took its place
            _remove(path)


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _listener(path: Path) -> socket.socket:
    """A bound socket for its own user alone; until it listens, and has its mode, nobody can connect."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    try:
        with short_path(new) as address:
            listener.bind(address)
        new.chmod(_MODE)
        new.rename(path)
    except OSError:
        listener.close()
        new.unlink(missing_ok=True)
        raise
    return listener


class _Conversations:
    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._open = 0

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        self._open += 1
        try:
            if self._open <= MOST and _is_own_user(writer):
                async with asyncio.timeout(PATIENCE):
                    writer.write(self._answer(await reader.readuntil(b"\n")))
                    writer.close()
                    await writer.wait_closed()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, OSError):
            pass  # such a client gets no answer
        finally:
            self._open -= 1
            writer.transport.abort()


def _is_own_user(writer: asyncio.StreamWriter) -> bool:
    connection: socket.socket = writer.get_extra_info("socket")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(credentials)
    return bool(user == os.geteuid())
