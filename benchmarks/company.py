"""A whole company: how long it takes to start with its users, to add them, and to store what they do.

``python -m benchmarks.company WHAT USERS`` makes one measurement, in a process of its own. As a comparison it
runs by name only: it needs the lab, root, and a machine to itself.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.open_channels import WAITING, open_channels
from benchmarks.report import Aim, Comparison, Row, Table
from lab.asterisk import node
from lab.config import Endpoint
from lab.network import own_network
from lab.programs import require
from unique_account import Device, DeviceSelected, LoggedIn, User
from unique_account.adapters.asterisk import AsteriskPbx, ManagerLogin, render
from unique_account.adapters.memory import MemoryAccounts, MemoryObserver
from unique_account.adapters.sqlite import SqliteAccounts
from unique_account.bootstrap import bootstrap
from unique_account.core.events import Event
from unique_account.service.service import Service
from unique_account.service.worker_pool import for_each

Figures = Mapping[str, float]

EXTENSIONS: Final = f"""
#include unique_account.conf
[default]
include = unique-account-numbers-default
include = unique-account-hints
{WAITING}"""


def users(number: int) -> list[User]:
    """So many users."""
    return [
        User(id=f"u{n}", extension=f"{10000 + n}", deskphone=f"PJSIP/u{n}", webrtc=f"PJSIP/u{n}_w")
        for n in range(number)
    ]


async def started(number: int) -> Figures:
    """A service on ports in memory starts."""
    accounts = MemoryAccounts()
    await accounts.add(users(number))
    start = time.perf_counter()
    async with bootstrap(accounts=accounts, observer=MemoryObserver()):
        seconds = time.perf_counter() - start
        return {"s": seconds, "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


async def started_on_asterisk(number: int, *, channels: int = 0) -> Figures:
    """A service starts on a real node that has no plan yet, and again on one that has them all."""
    company = users(number)
    endpoints = [Endpoint(name="alice", password="")]
    async with node(endpoints, EXTENSIONS, more_files={"unique_account.conf": render(company)}) as pbx:
        accounts = MemoryAccounts()
        await accounts.add(company)
        await open_channels(pbx, channels)
        found = {}
        for name in ("s", "s, plans there"):
            login = ManagerLogin(username=pbx.user, secret=pbx.secret, port=pbx.ports.ami)
            observer = MemoryObserver()
            start = time.perf_counter()
            async with bootstrap(accounts=accounts, pbxs=(AsteriskPbx(login, observer),), observer=observer):
                found[name] = time.perf_counter() - start
            assert observer.failures == [], observer.failures[:3]
            await asyncio.sleep(number / 1000)  # for the watchdog, which puts the hints back
        return found


async def started_beside_channels(number: int) -> Figures:
    """The same on a node that has as many open channels as users."""
    return await started_on_asterisk(number, channels=number)


async def added(number: int) -> Figures:
    """Users are added to a running service with a store on disk."""

    async def add(service: Service) -> None:
        await for_each(users(number), service.add)

    return await _with_sqlite([], add)


async def logged_in(number: int) -> Figures:
    """Every user logs in at once, each login on disk when it is acknowledged."""
    return await _with_sqlite(users(number), lambda service: _all(service, LoggedIn("tab", "connection")))


async def selected(number: int) -> Figures:
    """Every user selects a device at once."""

    async def select(service: Service) -> None:
        await _all(service, DeviceSelected(Device.DESKPHONE))

    return await _with_sqlite(users(number), select, LoggedIn("tab", "connection"))


async def _with_sqlite(
    company: Sequence[User], do: Callable[[Service], Awaitable[None]], before: Event | None = None
) -> Figures:
    with TemporaryDirectory(dir=Path.cwd()) as folder:
        accounts = SqliteAccounts(Path(folder, "accounts.sqlite"))
        await accounts.add(company)
        async with bootstrap(accounts=accounts, observer=MemoryObserver()) as service:
            if before is not None:
                await _all(service, before)
            start = time.perf_counter()
            await do(service)
            seconds = time.perf_counter() - start
        await accounts.aclose()
        return {"s": seconds}


async def _all(service: Service, event: Event) -> None:
    await asyncio.gather(*(service.handle(user, event) for user in service.users))


MEASUREMENTS: Final[Mapping[str, tuple[Callable[[int], Awaitable[Figures]], tuple[int, ...]]]] = {
    "start, ports in memory": (started, (1_000, 10_000, 100_000)),
    "start, real Asterisk": (started_on_asterisk, (200, 2_000, 10_000)),
    "start, real Asterisk with as many channels": (started_beside_channels, (200, 2_000)),
    "add, store on SQLite": (added, (500, 5_000, 50_000)),
    "log in, store on SQLite": (logged_in, (500, 5_000, 10_000)),
    "select, store on SQLite": (selected, (500, 5_000, 10_000)),
}


def _in_a_process(what: str, number: int) -> Figures:
    command = [sys.executable, "-m", "benchmarks.company", what, str(number)]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    measured: Figures = json.loads(done.stdout.splitlines()[-1])
    return measured


def compare() -> Comparison:
    """Measure each for three sizes; as root, where the lab is."""
    require()
    found = {
        (what, number): _in_a_process(what, number)
        for what, (_, numbers) in MEASUREMENTS.items()
        for number in numbers
    }
    rows: list[Row] = [
        {
            "what": what,
            "users": number,
            "s": each["s"],
            "users a second": round(number / each["s"]),
            "s, plans there": each.get("s, plans there", "-"),
            "MB": each.get("MB", "-"),
        }
        for (what, number), each in found.items()
    ]
    memory, asterisk = found["start, ports in memory", 100_000], "start, real Asterisk"
    beside = "start, real Asterisk with as many channels"
    slower = found[beside, 2_000]["s"] / found[asterisk, 2_000]["s"]
    logins, selections = found["log in, store on SQLite", 10_000], found["select, store on SQLite", 10_000]
    aims = [
        Aim("s to start with 100,000 accounts, ports in memory", memory["s"], at_most=10.0),
        Aim("MB of that process", memory["MB"], at_most=400.0),
        Aim("s to start with 2,000 users on a real Asterisk", found[asterisk, 2_000]["s"], at_most=1.0),
        Aim("s to start with 10,000 users on it", found[asterisk, 10_000]["s"], at_most=5.0),
        Aim("2,000 users beside 2,000 channels, times without", slower, at_most=2.0),
        Aim("s to add 50,000 users", found["add, store on SQLite", 50_000]["s"], at_most=10.0),
        Aim("logins stored a second", 10_000 / logins["s"], at_least=5000.0),
        Aim("selections stored a second", 10_000 / selections["s"], at_least=5000.0),
    ]
    return Comparison([Table("A company", rows)], aims)


def main(what: str, number: str) -> None:
    measure, _ = MEASUREMENTS[what]

    async def measured() -> Figures:
        return await measure(int(number))

    if "real Asterisk" in what:
        with own_network():
            found = asyncio.run(measured())
    else:
        found = asyncio.run(measured())
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
