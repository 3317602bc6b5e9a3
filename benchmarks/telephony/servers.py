"""The servers that are asked: one over FastAGI, one over ARI, each a process of its own.

Run as a program: ``fast_agi PORT`` or ``ari PORT USER PASSWORD APPLICATION``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Final

import httpx
from websockets.asyncio.client import connect

from lab.ports import LOOPBACK

DEVICES: Final = {"9002": "PJSIP/phone", "9003": "PJSIP/phone"}


async def fast_agi(port: int) -> None:
    """Tell whoever asks over FastAGI which device a number rings."""

    async def reported(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        given = {}
        while line := (await reader.readline()).decode().strip():
            name, _, value = line.partition(": ")
            given[name] = value
        writer.write(f"SET VARIABLE DEVICE {DEVICES[given['agi_extension']]}\n".encode())
        await reader.readline()
        writer.close()

    async with await asyncio.start_server(reported, LOOPBACK, port) as server:
        await server.serve_forever()


async def ari(port: int, user: str, password: str, application: str) -> None:
    """Send every channel that comes on its way, with the device that its number rings."""
    where = f"{LOOPBACK}:{port}/ari"
    events = f"ws://{where}/events?app={application}&api_key={user}:{password}"
    async with (
        httpx.AsyncClient(auth=(user, password), base_url=f"http://{where}") as rest,
        connect(events) as socket,
        asyncio.TaskGroup() as tasks,
    ):

        async def send_on(channel: dict[str, dict[str, str]]) -> None:
            path = f"/channels/{channel['id']}"
            device = DEVICES[channel["dialplan"]["exten"]]
            await rest.post(f"{path}/variable", params={"variable": "DEVICE", "value": device})
            await rest.post(f"{path}/continue")

        async for reported in socket:
            event = json.loads(reported)
            if event["type"] == "StasisStart":
                tasks.create_task(send_on(event["channel"]))


if __name__ == "__main__":
    which, port, *more = sys.argv[1:]
    asyncio.run(fast_agi(int(port)) if which == "fast_agi" else ari(int(port), *more))
