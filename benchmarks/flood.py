"""A manager interface that floods whoever logs in: ``python -m benchmarks.flood EVENTS USERS``.

It answers every action at once, and prints its port. It runs in a process of its own, so that what it costs
is not counted with what it floods. The flood begins with the second ping; by turns each user's deskphone is
in use and not in use.
"""

from __future__ import annotations

import asyncio
import sys

from unique_account.adapters.asterisk.ami.codec import Decoder
from unique_account.adapters.asterisk.ami.message import Message

LISTS = frozenset(
    {"DeviceStateList", "PJSIPShowContacts", "PJSIPShowEndpoints", "CoreShowChannels", "DBGetTree"}
)


def event(number: int, users: int, name: str) -> str:
    """One device state of the flood."""
    state = ("INUSE", "NOT_INUSE")[number // users % 2]
    stamp = f"Timestamp: {1767600000 + number / 1000:.6f}"
    return f"Event: DeviceStateChange\r\n{stamp}\r\nDevice: {name}{number % users}\r\nState: {state}\r\n\r\n"


def answers(action: Message) -> list[str]:
    """What is answered to an action."""
    number = f"ActionID: {action['ActionID']}\r\n\r\n"
    name = action["Action"]
    if name in LISTS:
        ends = f"Event: {name}Complete\r\nEventList: Complete\r\n{number}"
        return [f"Response: Success\r\nEventList: start\r\n{number}", ends]
    more = "Challenge: 1\r\nHint: any\r\nTimestamp: 1767600000.0\r\n"
    booted = ["Event: FullyBooted\r\n\r\n"] if name == "Login" else []
    return [f"Response: Success\r\n{more}{number}", *booted]


async def main(events: int, users: int) -> None:
    """Flood everybody who connects."""

    async def flood(writer: asyncio.StreamWriter) -> None:
        for start in range(0, events, 100):
            some = range(start, min(start + 100, events))
            writer.write("".join(event(number, users, "PJSIP/desk") for number in some).encode())
            await writer.drain()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder, pings = Decoder(), 0
        async with asyncio.TaskGroup() as tasks:
            while data := await reader.read(65536):
                for action in decoder.feed(data):
                    assert isinstance(action, Message)
                    writer.write("".join(answers(action)).encode())
                    pings += action["Action"] == "Ping"
                    if action["Action"] == "Ping" and pings == 2:
                        tasks.create_task(flood(writer))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await converse(reader, writer)
        except* ConnectionError:
            pass  # whoever has heard enough goes, in the midst of it
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
