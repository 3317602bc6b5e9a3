"""The plain baseline: a ``transitions`` model for each user, and one SQL update for each event.

It does what the load waits for, and nothing that keeps it right: no version, no fence, no plan, no resync.
Each node has a connection to the database. An event is committed before what it changes is shown.

``python -m benchmarks.groups.plain URL COMMITS USERS PORT...``: ``COMMITS`` is ``on`` or ``off``, as
``synchronous_commit``.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

import psycopg

from benchmarks.groups.fake_node import number_of
from benchmarks.machines import Model, transitions_machine

_LOG_IN = b"Action: Login\r\nActionID: 1\r\nUsername: plain\r\nEvents: on\r\n\r\n"
_UPDATE = "UPDATE plain SET state = %s, do_not_disturb = %s, version = version + 1 WHERE user_id = %s"


class Phone(Model):
    """A user's model, with what a hint and a code show of it."""

    def __init__(self) -> None:
        super().__init__()
        self.do_not_disturb = False


class Plain:
    """All users of all nodes in one process."""

    def __init__(self, users: int) -> None:
        machine = transitions_machine()
        self.phones = {f"u{user}": Phone() for user in range(users)}
        for phone in self.phones.values():
            machine.add_model(phone)
        self.writers: list[asyncio.StreamWriter] = []
        self.ready = asyncio.Semaphore(0)

    async def serve(self, port: int, database: psycopg.AsyncConnection) -> None:
        """Follow one node."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        self.writers.append(writer)
        await reader.readline()
        writer.write(_LOG_IN)
        while True:
            message = (await reader.readuntil(b"\r\n\r\n")).decode()
            if message.startswith("Event: FullyBooted"):
                self.ready.release()
            headers = dict(line.split(": ", 1) for line in message.split("\r\n") if ": " in line)
            if headers.get("Event") == "DeviceStateChange":
                await self._state(headers, database)
            elif headers.get("Event") == "UserEvent":
                await self._choice(headers, database, writer)

    async def _state(self, headers: dict[str, str], database: psycopg.AsyncConnection) -> None:
        user, state = headers["Device"].removeprefix("PJSIP/"), headers["State"]
        phone = self.phones[user]
        fire = "deskphone_off_hook" if state == "INUSE" else "deskphone_on_hook"
        getattr(phone, fire)()
        await database.execute(_UPDATE, (phone.state, phone.do_not_disturb, user))
        variable = f"DEVICE_STATE(Custom:unique_account_{number_of(int(user[1:]))})"
        action = f"Action: Setvar\r\nActionID: 2\r\nVariable: {variable}\r\nValue: {state}\r\n\r\n"
        for writer in self.writers:
            writer.write(action.encode())

    async def _choice(
        self, headers: dict[str, str], database: psycopg.AsyncConnection, writer: asyncio.StreamWriter
    ) -> None:
        user = headers["Account"]
        phone = self.phones[user]
        phone.do_not_disturb = not phone.do_not_disturb
        await database.execute(_UPDATE, (phone.state, phone.do_not_disturb, user))
        entry = f"Family: plain\r\nKey: {user}\r\nVal: {phone.do_not_disturb}"
        answer = f"Channel: {headers['Channel']}\r\nVariable: ANSWER\r\nValue: on"
        writer.write(f"Action: DBPut\r\nActionID: 3\r\n{entry}\r\n\r\n".encode())
        writer.write(f"Action: Setvar\r\nActionID: 4\r\n{answer}\r\n\r\n".encode())


async def main(url: str, commits: str, users: int, ports: Sequence[int]) -> None:
    """Serve until killed."""
    plain = Plain(users)
    async with asyncio.TaskGroup() as tasks:
        for port in ports:
            database = await psycopg.AsyncConnection.connect(url, autocommit=True)
            await database.execute(f"SET synchronous_commit = {commits}")
            tasks.create_task(plain.serve(port, database))
        for _ in ports:
            await plain.ready.acquire()
        print("ready", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), list(map(int, sys.argv[4:]))))
