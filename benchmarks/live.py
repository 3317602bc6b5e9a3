"""The live Asterisk adapter: events that it keeps up with, and how late a busy-lamp key hears."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from statistics import median, quantiles
from typing import Final

from benchmarks.report import Comparison, Row, Table
from lab.ami import Ami
from lab.asterisk import node
from lab.config import Endpoint
from lab.network import own_network
from lab.parties import Party, party
from lab.programs import require
from lab.watcher import Package, Watcher, watcher
from unique_account import Account, User
from unique_account.adapters.asterisk import AsteriskPbx, ManagerLogin, render
from unique_account.adapters.asterisk.ami import connection
from unique_account.adapters.memory import MemoryAccounts, MemoryObserver
from unique_account.bootstrap import bootstrap
from unique_account.core.errors import Refused
from unique_account.core.events import Event
from unique_account.ports.group_leases import NodeTaken
from unique_account.ports.observer import PortRequest

EVENTS: Final = 20_000
USERS: Final = 200
ROUNDS: Final = 5
CALLS: Final = 60


class Counter:
    """An observer that counts; an event that a user's account did not take is a fault."""

    def __init__(self) -> None:
        self.count = 0
        self.first = asyncio.Event()
        self.all = asyncio.Event()

    def begin(self) -> None:
        """Count from now on."""
        self.count = 0
        self.first.clear()
        self.all.clear()

    async def timed(self) -> float:
        """How many seconds lie between the first one and the last."""
        await self.first.wait()
        start = time.perf_counter()
        await self.all.wait()
        return time.perf_counter() - start

    def applied(self, event: Event, before: Account, after: Account) -> None:
        self._one_more()

    def refused(self, event: Event, account: Account, refusal: Refused) -> None:
        raise AssertionError(refusal)

    def failed(self, request: PortRequest, error: Exception) -> None:
        if not self.all.is_set():  # else the node is gone already
            raise AssertionError(str(request)) from error

    def recovered(self, request: PortRequest) -> None:
        raise AssertionError(str(request))

    def node_taken(self, taken: NodeTaken) -> None:
        raise AssertionError(str(taken))

    async def on_event(self, _: str, __: Event) -> None:
        self._one_more()

    def _one_more(self) -> None:
        self.count += 1
        self.first.set()
        if self.count == EVENTS:
            self.all.set()


def users(known: bool) -> list[User]:
    """Users to whom the flood is about; or, if they are not known to it, to whom it is not."""
    name = "desk" if known else "other"
    return [
        User(id=f"u{n}", extension=str(1000 + n), deskphone=f"PJSIP/{name}{n}", webrtc=f"PJSIP/web{n}")
        for n in range(USERS)
    ]


async def flooded(measure: Callable[[AsteriskPbx, Counter], Awaitable[float]]) -> float:
    """Events per second of a flood."""
    command = (sys.executable, "-m", "benchmarks.flood", str(EVENTS), str(USERS))
    flood = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert flood.stdout is not None
    login = ManagerLogin(username="x", secret="", port=int(await flood.stdout.readline()))
    counter = Counter()
    try:
        return EVENTS / await measure(AsteriskPbx(login, counter), counter)
    finally:
        flood.kill()
        await flood.communicate()


async def received(pbx: AsteriskPbx, counter: Counter) -> float:
    """How many seconds it takes to tell one who only counts."""
    listener = asyncio.create_task(pbx.listen(counter.on_event, lambda: None))
    await asyncio.sleep(0)
    for user in users(known=True):
        await pbx.watch(user)
    counter.begin()
    spent = await counter.timed()
    listener.cancel()
    await asyncio.gather(listener, return_exceptions=True)
    return spent


async def served(pbx: AsteriskPbx, counter: Counter) -> float:
    """How many seconds it takes a service to apply each, and to show each presence as a hint."""
    accounts = MemoryAccounts()
    await accounts.add(users(known=True))
    async with bootstrap(accounts=accounts, pbxs=(pbx,), observer=counter):
        counter.begin()
        return await counter.timed()


def throughput() -> Table:
    """Events per second, in interleaved rounds."""
    connection.PING_EVERY = 1.0  # type: ignore[misc] # the flood begins with the first ping after the begin
    measures = {"told to one who counts": received, "applied by a service, and shown as hints": served}
    found: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(ROUNDS):
        for name, measure in measures.items():
            found[name].append(asyncio.run(flooded(measure)))
    rows: list[Row] = [
        {"what": name, "events/s": round(median(each)), "lowest": round(min(each))}
        for name, each in found.items()
    ]
    return Table(f"Device states of {USERS} users, {EVENTS} in a flood, median of {ROUNDS} rounds", rows)


# -- busy-lamp keys ----------------------------------------------------------------------------------

ALICE: Final = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
EXTENSIONS: Final = """
#include unique_account.conf
[default]
include = unique-account-numbers-default
include = unique-account-hints
exten = 5001,hint,PJSIP/alice&PJSIP/alice_w
"""


async def lamps() -> Table:
    """How long after each other a hint on the device itself and ours are told, from the same device state."""
    endpoints = [Endpoint(name=name, password="") for name in ("alice", "alice_w", "bob", "lamp")]
    async with (
        node(endpoints, EXTENSIONS, more_files={"unique_account.conf": render([ALICE])}) as pbx,
        party(pbx, endpoints[0]) as alice,
        party(pbx, endpoints[2]) as bob,
        watcher(pbx, endpoints[3], "1001", Package.PRESENCE) as ours,
        watcher(pbx, endpoints[3], "5001", Package.PRESENCE) as direct,
    ):
        await alice.register()
        accounts = MemoryAccounts()
        await accounts.add([ALICE])
        adapter = AsteriskPbx(
            ManagerLogin(username=pbx.user, secret=pbx.secret, port=pbx.ports.ami), MemoryObserver()
        )
        delays: dict[str, list[float]] = {"a hint on the devices": [], "a hint of the service": []}
        async with bootstrap(accounts=accounts, pbxs=(adapter,), observer=MemoryObserver()):
            for _ in range(CALLS):
                await _one_call(pbx.ami, alice, bob, (direct, ours), delays)
    rows = [_row(name, each) for name, each in delays.items()]
    return Table(f"From DeviceStateChange to the NOTIFY of a watching phone, {2 * CALLS} changes", rows)


async def _one_call(
    ami: Ami, alice: Party, bob: Party, watchers: tuple[Watcher, Watcher], delays: dict[str, list[float]]
) -> None:
    for state, word in (("RINGING", "Ringing"), ("NOT_INUSE", "Ready")):
        start = time.monotonic()
        if state == "RINGING":
            bob.dial("1001")
        else:
            alice.reject()
        changed = await ami.event("DeviceStateChange", after=start, Device="PJSIP/alice", State=state)
        for lamp, each in zip(watchers, delays.values(), strict=True):
            each.append((await lamp.shows(word, after=start)).at - changed.at)
        await asyncio.sleep(0.05)


def _row(name: str, seconds: list[float]) -> dict[str, str | float]:
    cuts = quantiles(seconds, n=20)
    return {
        "hint": name,
        "p50 in ms": round(median(seconds) * 1000, 2),
        "p95 in ms": round(cuts[18] * 1000, 2),
    }


def compare() -> Comparison:
    """Measure both; as root, where the lab is."""
    require()
    flood = throughput()
    with own_network():
        return Comparison([flood, asyncio.run(lamps())])
