"""A proxy to a port on loopback that a test can cut, silence, and insert bytes into."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from lab.ports import LOOPBACK, port


class TcpProxy:
    """Forwards connections to a port on loopback.

    Attributes:
        port: The port of the proxy.
        to: The port to which it forwards new connections.
        clients: The ports of clients, and since when, by the port from which each was carried on.
    """

    def __init__(self, port: int, to: int) -> None:
        self.port = port
        self.to = to
        self.clients: dict[int, list[tuple[float, int]]] = {}
        self._whole = True
        self._passes = asyncio.Event()
        self._passes.set()
        self._clients: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Cut every connection without a word, and let nobody through until `mend`."""
        self._whole = False
        for client in self._clients:
            client.transport.abort()

    def silence(self) -> None:
        """Let nothing through until `mend`; connections stay open, and what is said waits."""
        self._passes.clear()

    def mend(self) -> None:
        """Let everything through again."""
        self._whole = True
        self._passes.set()

    def speak(self, garbage: bytes) -> None:
        """Say something to the client as if it came from the node."""
        for client in self._clients:
            client.write(garbage)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either side ends."""
        if not self._whole:
            writer.transport.abort()
            return
        self._clients.add(writer)
        try:
            node_reader, node_writer = await asyncio.open_connection(LOOPBACK, self.to)
            onward, client = node_writer.get_extra_info("sockname"), writer.get_extra_info("peername")
            self.clients.setdefault(onward[1], []).append((time.monotonic(), client[1]))
            there = asyncio.create_task(self._pass(reader, node_writer))
            back = asyncio.create_task(self._pass(node_reader, writer))
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
            for task in (there, back):
                task.cancel()
            node_writer.close()
        except OSError:
            pass  # the node is down: the client sees its connection end
        finally:
            self._clients.discard(writer)
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._passes.wait()
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def tcp_proxy(to: int, host: str = LOOPBACK) -> AsyncIterator[TcpProxy]:
    """A wire from a port of an address to a port on loopback, cut for good when the context closes."""
    carried = TcpProxy(port(), to)
    server = await asyncio.start_server(carried.carry, host, carried.port)
    try:
        yield carried
    finally:
        carried.cut()
        server.close()
        await asyncio.sleep(0)
