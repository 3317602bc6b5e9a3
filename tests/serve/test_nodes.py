"""Which nodes can be reached from here, before a process claims their group."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.event_loop import in_loop
from unique_account.serve import nodes
from unique_account.serve.config import NodeKind, NodeSettings, Secret
from unique_account.serve.nodes import reaches_any


@asynccontextmanager
async def greeting(said: bytes) -> AsyncIterator[NodeSettings]:
    """A server that greets, and a node that is there."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        try:
            await asyncio.sleep(60)
        finally:
            writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    try:
        yield NodeSettings(secret=Secret(env="X"), port=server.sockets[0].getsockname()[1])
    finally:
        server.close()


NOBODY = NodeSettings(secret=Secret(env="X"), port=1)
MEMORY = NodeSettings(kind=NodeKind.MEMORY)


class TestReachable:
    @in_loop
    async def test_a_manager_interface_that_greets(self) -> None:
        async with greeting(b"Asterisk Call Manager/11.0.0\r\n") as node:
            assert await reaches_any([NOBODY, node])

    @pytest.mark.parametrize("said", [b"", b"SSH-2.0\r\n", b"x" * 100_000])
    @in_loop
    async def test_what_is_no_manager_interface(self, said: bytes) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(nodes, "GREETS_WITHIN", 0.2)
            async with greeting(said) as node:
                assert not await reaches_any([node, NOBODY])

    @in_loop
    async def test_a_double_is_always_there(self) -> None:
        assert await reaches_any([NOBODY, MEMORY])
        assert not await reaches_any([])
