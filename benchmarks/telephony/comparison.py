"""Rounds of calls through every design, in a network without a way out; as root, where the lab is."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Final

from attrs import frozen

from benchmarks.open_channels import open_channels
from benchmarks.report import Aim, Comparison, Row, Table
from benchmarks.telephony.calls import Made, make, phone
from benchmarks.telephony.designs import (
    AGI,
    ARI,
    ARI_APPLICATION,
    ARI_USER,
    BROWSER,
    DESKPHONE,
    FAST_AGI,
    NUMBERS,
    STATIC,
    endpoints,
    extensions,
    files,
    install,
    write_script,
)
from lab.asterisk import Node, node
from lab.network import own_network
from lab.ports import port
from lab.processes import running
from lab.programs import require
from lab.waiting import until

ROUNDS: Final = 15
CALLS: Final = 40
SLOWLY: Final = ("-r", "10")
"""So slowly that no call waits for another."""
FULL_ROUNDS: Final = 5
FULL_CALLS: Final = 400
FULL: Final = ("-r", "2000", "-l", "15")
"""As fast as they go, fifteen at a time: a user may have twenty."""
CROWD: Final = 1000
"""How many other channels are open when it is asked what a crowd costs."""
FEW: Final = {AGI: 60}
"""How many calls instead, of a design of which so many would take too long."""


@frozen
class Bench:
    """A node with every design, and the server that each asks; the node's own process where it asks none."""

    pbx: Node
    folder: Path
    servers: Mapping[str, int]

    async def make(self, design: str, calls: int, *limits: str) -> Made:
        """Make calls through a design."""
        return await make(self.pbx, self.servers.get(design, 0), self.folder, NUMBERS[design], calls, *limits)


@asynccontextmanager
async def bench(folder: Path) -> AsyncIterator[Bench]:
    """A bench on which every design has been called once."""
    sip, agi, password = port(), port(), secrets.token_hex(8)
    script = write_script(folder)
    async with AsyncExitStack() as stack:
        more = files(password)
        pbx = await stack.enter_async_context(node(endpoints(sip), extensions(agi, script), more_files=more))
        await install(pbx.ami)
        # Told of every step of a call, this process would take the calls' processor time.
        await pbx.ami.act("Events", ("EventMask", "off"))
        await stack.enter_async_context(phone(sip, folder))
        program = (sys.executable, "-m", "benchmarks.telephony.servers")
        ari = (*program, "ari", str(pbx.ports.http), ARI_USER, password, ARI_APPLICATION)
        fast = await stack.enter_async_context(running(*program, "fast_agi", str(agi), log=folder / "agi"))
        far = await stack.enter_async_context(running(*ari, log=folder / "ari"))

        async def listens() -> bool:
            return ARI_APPLICATION in await pbx.cli("ari show apps")

        await until(listens, "the ARI server")
        made = Bench(pbx, folder, {FAST_AGI: fast.pid, ARI: far.pid})
        for design in NUMBERS:
            await made.make(design, 3, *SLOWLY)
        yield made


Rounds = dict[str, list[Made]]
"""The calls of each design, round by round."""


async def measure() -> tuple[Rounds, Rounds, Rounds]:
    """Rounds of calls that come slowly, of calls as fast as they go, and of slow ones in a crowd."""
    with TemporaryDirectory() as folder:
        async with bench(Path(folder)) as at:
            slow = await _rounds(at, ROUNDS, dict.fromkeys(NUMBERS, CALLS), SLOWLY)
            full = await _rounds(at, FULL_ROUNDS, {**dict.fromkeys(NUMBERS, FULL_CALLS), **FEW}, FULL)
            await open_channels(at.pbx, CROWD)
            crowded = await _rounds(at, FULL_ROUNDS, dict.fromkeys((STATIC, DESKPHONE), CALLS), SLOWLY)
            return slow, full, crowded


async def _rounds(at: Bench, rounds: int, calls: Mapping[str, int], limits: Sequence[str]) -> Rounds:
    made: Rounds = {design: [] for design in calls}
    for _ in range(rounds):
        for design in calls:
            made[design].append(await at.make(design, calls[design], *limits))
    return made


def compare() -> Comparison:
    """Compare what calls cost through each design."""
    require()
    with own_network():
        slow, full, crowded = asyncio.run(measure())
    slowly = [_slowly(design, slow) for design in NUMBERS]
    in_a_crowd = [_slowly(design, crowded) for design in crowded]
    fast = [_fast(design, full) for design in NUMBERS]
    aims = [
        Aim(f"{design}: delay and processor time, times those of {STATIC}", worse, at_most=1.08)
        for design in (DESKPHONE, BROWSER)
        for worse in [max(_delay_over(slow, design), _processor_over(slow, design))]
    ]
    tables = [
        Table("One call after the other", slowly),
        Table("Fifteen at a time", fast),
        Table(f"One call after the other, beside {CROWD:,} open channels", in_a_crowd),
    ]
    return Comparison(tables, aims)


def _slowly(design: str, made: Mapping[str, Sequence[Made]]) -> Row:
    delays = [delay for one in made[design] for delay in one.delays]
    return {
        "decided by": design,
        "delay p50, ms": median(delays) * 1000,
        "p99, ms": quantiles(delays, n=100)[98] * 1000,
        "times static": _delay_over(made, design),
        "Asterisk's processor time per call, ms": median(one.processor for one in made[design])
        / CALLS
        * 1000,
        "times static's": _processor_over(made, design),
        "the server's, ms": median(one.server for one in made[design]) / CALLS * 1000,
    }


def _fast(design: str, made: Mapping[str, Sequence[Made]]) -> Row:
    calls = FEW.get(design, FULL_CALLS)
    rates = [calls / one.seconds for one in made[design]]
    static = [FULL_CALLS / one.seconds for one in made[STATIC]]
    ratios = [rate / other for rate, other in zip(rates, static, strict=True)]
    return {"decided by": design, "calls per second": median(rates), "times static": median(ratios)}


def _delay_over(made: Mapping[str, Sequence[Made]], design: str) -> float:
    pairs = zip(made[design], made[STATIC], strict=True)
    return median(median(one.delays) / median(other.delays) for one, other in pairs)


def _processor_over(made: Mapping[str, Sequence[Made]], design: str) -> float:
    pairs = zip(made[design], made[STATIC], strict=True)
    return median(one.processor / other.processor for one, other in pairs)
