"""A database, nodes, members and users, which live through one run after the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Final

import psycopg

from lab.ports import port
from lab.postgresql import PostgresqlServer, postgresql_server
from lab.processes import own_folder
from lab.waiting import Delays, delays
from tests.cluster.checker.history import FencePassed, Record, Stored, Taken
from tests.cluster.schedules import audit
from tests.cluster.schedules.client import Client
from tests.cluster.schedules.fake_node import FakeNode
from tests.cluster.schedules.faults import FAULTS
from tests.cluster.schedules.members import USER, Member, wired, write_people
from unique_account.adapters.postgresql import PostgresqlAccounts

USERS: Final = {"alice": "1001", "bob": "1002", "carol": "1003", "dave": "1004"}
NODES: Final = ("mds1", "mds2")
MEMBERS: Final = ("one", "two", "three")
PATIENCE: Final = 45.0


class World:
    """What a run happens in.

    Attributes:
        server: The database server.
        url: The database.
        nodes: The nodes by name.
        members: The members of the group.
        clients: The users' tabs.
        tasks: What runs all the time: the tabs, and the supervisor.
        records: What is noted of the run so far.
        story: What was done to it, and when.
        notes: What the database has noted so far, of all runs.
        stored: The versions and takeovers among them, in the order of the commits.
        delays: How late this process wakes.
        fault: The fault that its processes have.
        numbers: The number of each user.
        homes: The node of each user.
    """

    def __init__(self, server: PostgresqlServer, folder: Path, delays: Delays, fault: str) -> None:
        self.server = server
        self.folder = folder
        self.delays = delays
        self.fault = fault
        self.url = server.url("one")
        self.nodes: dict[str, FakeNode] = {}
        self.members: list[Member] = []
        self.clients: list[Client] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.records: list[Record] = []
        self.story: list[tuple[float, str]] = []
        self.notes: list[audit.Note] = []
        self.stored: list[Stored | Taken] = []
        self._epochs: dict[str, list[tuple[float, int]]] = {}
        self._logged: dict[str, int] = {}
        self.numbers = dict(USERS)
        self.homes = {user: NODES[place % len(NODES)] for place, user in enumerate(USERS)}

    def note(self, record: Record) -> None:
        """Take a record down."""
        self.records.append(record)

    def tell(self, what: str) -> None:
        """Take down what is done to it."""
        self.story.append((time.monotonic(), what))

    @property
    def logs(self) -> str:
        """What the members logged since the run began."""
        return "\n".join(f"{one.name}\n{one.log[self._logged[one.name] :]}" for one in self.members)

    def begin(self) -> None:
        """Begin a run: forget what was noted of the one before, but not what must still hold."""
        self.read_notes()
        self.records.clear()
        self.story.clear()
        self._logged = {member.name: len(member.log) for member in self.members}
        for node in self.nodes.values():
            self.note(FencePassed(node=node.name, epoch=node.fence, at=time.monotonic()))
        for client in self.clients:
            client.misled.clear()
            client.go_on()

    @property
    def owner(self) -> Member | None:
        """Who owns the group, as its log says; None: nobody that lives."""
        newest = max(self.members, key=lambda member: member.epoch)
        return newest if newest.lives and newest.epoch else None

    def find(self, port: int) -> tuple[str, int]:
        """The name of the member behind a port from which a node is reached, and its own port."""
        found = [
            (*wire.clients[port][-1], member.name)
            for member in self.members
            for wire in member.nodes.values()
            if port in wire.clients
        ]
        _, client, name = max(found)
        return name, client

    def users_file(self) -> str:
        """The users, as their file says."""
        return "".join(USER.format(user, self.numbers[user], home) for user, home in self.homes.items())

    def step_clock(self, seconds: float) -> None:
        """Set by how many seconds the wall clock of all processes is ahead."""
        written = self.folder / "next step"
        written.write_text(str(seconds), "utf-8")
        written.replace(self.folder / "step")

    async def until(self, true: Callable[[], object], what: str, within: float = PATIENCE) -> None:
        """Wait until something is so.

        Raises:
            TimeoutError: It never is.
        """
        try:
            async with asyncio.timeout(within):
                while not true():
                    for task in self.tasks:
                        if task.done():
                            await task
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise TimeoutError(f"never: {what}") from None

    async def served(self) -> None:
        """Wait until every user is served."""
        await self.until(lambda: all(client.is_in for client in self.clients), "every user is served")

    async def supervise(self) -> None:
        """Start processes again that ended by themselves, as systemd does."""
        while True:
            await asyncio.sleep(0.2)
            for member in self.members:
                if member.is_wanted and not member.lives:
                    await member.start(self.fault)

    def read_notes(self) -> None:
        """Read what the database has noted since the last time."""
        for note in audit.notes(self.url, self.notes[-1].place if self.notes else 0):
            self.notes.append(note)
            if note.user is None:
                self._epochs.setdefault(note.owner, []).append((note.at, note.epoch))
                self.stored.append(Taken(epoch=note.epoch, owner=note.owner, at=note.at))
            else:
                self.stored.append(self._version(note.user, note))

    def _version(self, user: str, note: audit.Note) -> Stored:
        return Stored(
            user=user,
            version=note.version,
            mark=note.mark,
            epoch=self._writer(note),
            claims=note.claims,
        )

    def _writer(self, note: audit.Note) -> int:
        """The epoch of the process that wrote a version: what it owned when it made its connection."""
        found = [
            (since, member.name)
            for member in self.members
            for since, _ in member.database.clients.get(note.port, ())
            if since < note.at
        ]
        since, name = max(found, default=(0.0, ""))  # ports are used again
        return max((epoch for taken, epoch in self._epochs.get(name, []) if taken < since), default=0)


@asynccontextmanager
async def world(seed: int, fault: str = "") -> AsyncIterator[World]:
    """A world in which all members live and all users are served."""
    async with AsyncExitStack() as opened:
        port()  # so that this process has its share before its threads ask for ports
        server = await asyncio.to_thread(opened.enter_context, postgresql_server())
        folder = opened.enter_context(own_folder("schedules"))
        at = World(server, folder, await opened.enter_async_context(delays()), fault)
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE one")
        accounts = PostgresqlAccounts(at.url)  # makes the tables
        await accounts.aclose()
        audit.install(at.url)
        if fault and (statement := FAULTS[fault].statement):
            with psycopg.connect(at.url, autocommit=True) as connection:
                connection.execute(statement.encode())
        await _make_nodes(at, opened, Random(seed))
        await _start_members(at, opened)
        for user in USERS:
            at.clients.append(client := Client(user, at.members, at.note, Random(f"{seed} {user}")))
            at.tasks.append(task := asyncio.create_task(client.live()))
            opened.push_async_callback(_ended, task)
        at.tasks.append(task := asyncio.create_task(at.supervise()))
        opened.push_async_callback(_ended, task)
        await at.served()
        yield at


async def _make_nodes(at: World, opened: AsyncExitStack, random: Random) -> None:
    for name in NODES:
        at.nodes[name] = node = FakeNode(name, at.find, at.note, random)
        for user, home in at.homes.items():
            if home == name:
                node.give(user)
        await node.start()
        opened.push_async_callback(node.stop)


async def _start_members(at: World, opened: AsyncExitStack) -> None:
    write_people(at.folder, USERS)
    ports = {name: node.login.port for name, node in at.nodes.items()}
    at.members = await wired(opened, at.folder, MEMBERS, at.server.port, ports)
    for member in at.members:
        member.configure(at.url, at.server.password, at.users_file())
        await member.start(at.fault)
        opened.push_async_callback(member.kill)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
