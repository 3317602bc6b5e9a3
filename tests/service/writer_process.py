"""A process that changes accounts in a store which others write too, and says what was acknowledged.

Its arguments are the store's address, its own number and for how many seconds it writes. It prints one line
of JSON for each acknowledged change: the user, the version of the account after it, whether it wrote that
version, when it was asked for and acknowledged by the machine's clock, and the change.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Iterable
from typing import Any, Final

from unique_account.adapters.memory import (
    MemoryBus,
    MemoryCallLog,
    MemoryCti,
    MemoryObserver,
    MemoryPbx,
    SettableClock,
)
from unique_account.adapters.sqlite import SqliteAccounts
from unique_account.core.events import (
    DeviceToggled,
    DoNotDisturbSet,
    Event,
    ForwardingDialled,
    ForwardSet,
    LoggedIn,
    LoggedOut,
)
from unique_account.core.forwarding_changes import FORWARDS, Setting
from unique_account.core.user import User
from unique_account.ports.accounts import Accounts, StaleVersion
from unique_account.service.service import Service

USERS: Final = tuple(
    User(id=name, extension=f"10{number:02}", deskphone=f"PJSIP/{name}", webrtc=f"PJSIP/{name}_w")
    for number, name in enumerate(("alice", "bob", "carol"))
)


THINKS: Final = 0.01
"""For how many seconds a user thinks at most before the next change."""


def change_of(number: int, chance: random.Random) -> tuple[str, list[Any]]:
    """Any change that a user can make, as what a line of the output says of it."""
    kinds: list[tuple[str, list[Any]]] = [
        ("silent", [chance.choice((True, False))]),
        (
            "forward",
            [chance.choice(FORWARDS), chance.choice((True, False)), str(chance.randrange(2000, 2005))],
        ),
        ("dialled", [chance.choice(FORWARDS), str(chance.randrange(3000, 9999))]),
        ("dialled", [Setting.DO_NOT_DISTURB, ""]),
        ("toggled", []),
        ("in", [f"tab-{number}-{chance.randrange(3)}", f"c{time.monotonic_ns()}"]),
        ("out", [f"tab-{chance.randrange(2)}-{chance.randrange(3)}"]),
    ]
    return chance.choice(kinds)


def event_of(kind: str, said: list[Any]) -> Event:
    """The event that a line of the output tells of."""
    match kind:
        case "silent":
            return DoNotDisturbSet(*said)
        case "forward":
            return ForwardSet(Setting(said[0]), *said[1:])
        case "dialled":
            return ForwardingDialled(Setting(said[0]), said[1])
        case "toggled":
            return DeviceToggled()
        case "in":
            return LoggedIn(*said)
        case _:
            return LoggedOut(*said)


class Counted:
    """A store of accounts that keeps in mind which versions were written.

    Attributes:
        written: By user, the version that was written last by this process.
    """

    def __init__(self, store: Accounts) -> None:
        self._store = store
        self.written: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def save(self, user: User, kept: Any, expected: int) -> None:
        await self._store.save(user, kept, expected)
        self.written[user.id] = kept.version


def store_at(address: str) -> Any:
    if not address.startswith("postgresql:"):
        return SqliteAccounts(address)
    from unique_account.adapters.postgresql import PostgresqlAccounts

    return PostgresqlAccounts(address)


async def write(address: str, number: int, seconds: float) -> None:
    clock, store = SettableClock(), Counted(store_at(address))
    service = Service(
        accounts=store,
        pbxs=(MemoryPbx(clock),),
        cti=MemoryCti(),
        bus=MemoryBus(),
        call_log=MemoryCallLog(),
        clock=clock,
        observer=MemoryObserver(),
    )
    async with service:
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        chances = [random.Random(f"{number}{user.id}") for user in USERS]
        writers = (
            _write(service, store, user, number, seconds, chance)
            for user, chance in zip(USERS, chances, strict=True)
        )
        await asyncio.gather(*writers)
    await store.aclose()


async def _write(
    service: Service, store: Counted, user: User, number: int, seconds: float, chance: random.Random
) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await asyncio.sleep(chance.random() * THINKS)  # so that the other process writes in between
        kind, said = change_of(number, chance)
        before, asked = store.written.get(user.id), time.monotonic()
        try:
            after = await service.handle(user.id, event_of(kind, said))
        except StaleVersion:  # not acknowledged
            continue
        except Exception as error:
            print(json.dumps([user.id, "refused", str(error)]), flush=True)
            continue
        wrote = store.written.get(user.id) != before
        print(json.dumps([user.id, after.version, wrote, asked, time.monotonic(), kind, said]), flush=True)


def lines(outputs: Iterable[str]) -> list[list[Any]]:
    """What all processes said, refusals left out."""
    said = [json.loads(line) for output in outputs for line in output.splitlines() if line != "ready"]
    return [line for line in said if line[1] != "refused"]


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
