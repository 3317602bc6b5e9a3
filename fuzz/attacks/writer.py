"""A service on a SQLite file that changes accounts without end and acknowledges each change on its output."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Final

from unique_account.adapters.sqlite import SqliteAccounts
from unique_account.bootstrap import bootstrap
from unique_account.core.events import ForwardingChanged
from unique_account.core.forwarding import Forward, Forwarding
from unique_account.core.user import User
from unique_account.service.service import Service

USERS: Final = tuple(
    User(id=f"user{n}", extension=str(2000 + n), deskphone=f"PJSIP/u{n}", webrtc=f"PJSIP/u{n}_w")
    for n in range(8)
)


def forwarding(change: int) -> Forwarding:
    """What a change sets; its number is the change's."""
    return Forwarding(unconditional=Forward(f"0{change:09}"), do_not_disturb=change % 2 == 0)


def change_of(forwarding: Forwarding) -> int:
    """Which change set this; 0: none did."""
    return int(forwarding.unconditional.destination) if forwarding.unconditional else 0


async def _changes(service: Service, user: User) -> None:
    change = change_of(service.account(user.id).forwarding)
    while True:
        change += 1
        await service.handle(user.id, ForwardingChanged(forwarding(change)))
        os.write(sys.stdout.fileno(), f"{user.id} {change}\n".encode())  # a pipe takes a line whole


async def _main(file: str) -> None:
    async with bootstrap(accounts=SqliteAccounts(file)) as service:
        for user in USERS:
            if user.id not in service.users:
                await service.add(user)
        async with asyncio.TaskGroup() as changing:
            for user in USERS:
                changing.create_task(_changes(service, user))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
