"""The double against the real thing: the same people, phones and calls come to the same on both.

Cases are drawn by Hypothesis, the same in every run, and played on the in-memory PBX, which takes no time.
Then they are played on a real Asterisk, many at once, where SIP parties are the phones.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache, reduce
from typing import Final

import pytest
from attrs import evolve, frozen
from hypothesis import HealthCheck, Phase, given, settings

from lab.asterisk import Node, node
from lab.config import rtp_conf
from lab.parties import party
from lab.waiting import Delays, delays
from tests.e2e.drivers.asterisk_calls import AccountService, Stage, StageNumbers
from tests.e2e.drivers.simulated_calls import CallOutcome, SimulatedCase, play
from tests.e2e.fixtures.planned_node import install
from tests.e2e.fixtures.service_process import service_process
from tests.e2e.scenes.random_calls import PHONES, Case, cases
from unique_account import Account, User, apply, plan
from unique_account.adapters.asterisk import render
from unique_account.core.events import Event
from unique_account.core.forwarding import Outcome

pytestmark = pytest.mark.e2e

AT_ONCE: Final = 12
CASES: Final = 400
AT_LEAST: Final = 15
RULES: Final = tuple(f"R{number}" for number in range(1, 14))
ABOUT: Final = (*RULES, *Outcome, "answered", "extension", "mailbox", "refusal")
MEDIA: Final = (20000, 21999)
"""Ports for media: enough for all the calls at a time."""
TOLD: Final = ("Event: (Newchannel|Hangup)", "Application: (Answer|TryExec)")
"""What is listened to: all that there is would keep a busy machine busier."""
EARLY: Final = 0.9
LATE: Final = 1.9
"""How much shorter or longer a phone may ring on a busy machine, in seconds; ring times differ by two."""
STILL: Final = 0.3
"""A case proves nothing if the phones woke so many seconds too late meanwhile: a call rings for only one."""
TIMES: Final = 3
"""How often a case is played until it proves something; after that it counts as it came."""


@cache
def drawn(number: int) -> tuple[Case, ...]:
    """So many different cases, the same every time."""
    found: dict[str, Case] = {}

    @settings(
        max_examples=2 * number,
        phases=(Phase.generate,),
        database=None,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def collect(case: Case) -> None:
        found.setdefault(repr(case), case)

    collect()
    return tuple(found.values())[:number]


Laid = tuple[Case, SimulatedCase]
"""A case, and what it came to on the double."""


@frozen(weakref_slot=False)
class Disagreement:
    """A case that came to something else on the real node: in which call, or in none that came to an end.

    Attributes:
        still: For how many seconds the phones stood still meanwhile.
    """

    laid: Laid
    where: str
    double: str
    real: str
    still: float

    def __str__(self) -> str:
        case, _ = self.laid
        reported = f"{self.where}, the phones having stood still for {self.still:.2f} s"
        return f"{reported}:\n  double {self.double}\n  real   {self.real}\n  of {case!r}"


def same(double: CallOutcome, real: CallOutcome) -> bool:
    """Whether a call came to the same on both: but for how long a phone rang, which takes a little longer."""
    timed = zip(double.seconds, real.seconds, strict=False)
    return evolve(real, seconds=double.seconds) == double and all(
        -EARLY < rang - expected < LATE for expected, rang in timed
    )


@asynccontextmanager
async def stages(
    number: int, dialplan: Callable[[str], str] = str
) -> AsyncIterator[tuple[Node, list[Stage]]]:
    """A node with so many stages, whose dialplan is as rendered, or as something makes it."""
    places = [StageNumbers(f"s{number:02}") for number in range(number)]
    files = {
        "unique_account.conf": dialplan(render(user for place in places for user in place.users)),
        "rtp.conf": rtp_conf(MEDIA),
        "voicemail.conf": "[general]\nformat = wav\n" + "".join(place.mailboxes for place in places),
    }
    extensions = "#include unique_account.conf\n" + "".join(place.extensions for place in places)
    endpoints = [endpoint for place in places for endpoint in place.endpoints]
    async with node(endpoints, extensions, more_files=files) as pbx, AsyncExitStack() as stack:
        for reported in TOLD:
            await pbx.ami.act("Filter", ("Operation", "Add"), ("Filter", reported))
        made = []
        for place in places:
            phones = dict(zip((*PHONES, None), place.endpoints, strict=True))
            parties = {
                phone: await stack.enter_async_context(party(pbx, endpoint))
                for phone, endpoint in phones.items()
            }
            made.append(Stage(place, pbx, parties))
        yield pbx, made


class Installing:
    """A carrier without a service: plans are written into AstDB, as the adapter does."""

    def __init__(self, pbx: Node) -> None:
        self._pbx = pbx
        self._accounts: dict[str, Account] = {}

    async def add(self, user: User, events: Sequence[Event]) -> None:
        self._accounts[user.id] = Account(user)
        await self.handle(user.id, events)

    async def handle(self, user: str, events: Sequence[Event]) -> None:
        self._accounts[user] = reduce(apply, events, self._accounts[user])
        await install(self._pbx.ami, plan(self._accounts[user]))


async def compared(stage: Stage, laid: Laid, carrier: AccountService, watched: Delays) -> list[Disagreement]:
    """Play a case that is laid on a stage; what comes to something else there."""
    case, double = laid
    began = time.monotonic()
    try:
        real = await stage.play(case, carrier)
    except (TimeoutError, AssertionError) as error:
        expected = "; then ".join(map(str, double.outcomes))
        return [Disagreement(laid, "some call", expected, str(error), watched.worst(began))]
    pairs = enumerate(zip(double.outcomes, real, strict=True), 1)
    return [
        Disagreement(laid, f"call {number}", str(expected), str(came), watched.worst(began))
        for number, (expected, came) in pairs
        if not same(expected, came)
    ]


async def disagreements(
    on: Iterable[Stage], played: Iterable[Laid], carrier: AccountService
) -> list[Disagreement]:
    """Play cases on all stages at once; what comes to something else there."""
    left = list(played)[::-1]
    found: list[Disagreement] = []

    async def work(stage: Stage) -> None:
        while left:
            laid = left.pop()
            await stage.lay(laid[0], carrier)
            found.extend(await compared(stage, laid, carrier, watched))

    async with delays() as watched:
        await asyncio.gather(*map(work, on))
    return found


async def disagreements_of_the_dead(
    pbx: Node, on: Sequence[Stage], played: Sequence[Laid]
) -> list[Disagreement]:
    """The same with a service that is killed as soon as the plans are there."""
    found: list[Disagreement] = []
    async with delays() as watched:
        for first in range(0, len(played), len(on)):
            some = list(zip(on, played[first : first + len(on)], strict=False))
            async with service_process(pbx) as service:
                await asyncio.gather(*(stage.lay(case, service) for stage, (case, _) in some))
                await service.kill()
                parts = await asyncio.gather(
                    *(compared(stage, laid, service, watched) for stage, laid in some)
                )
            found.extend(one for part in parts for one in part)
    return found


async def proven(
    play: Callable[[Sequence[Laid]], Awaitable[list[Disagreement]]], played: Sequence[Laid]
) -> list[Disagreement]:
    """Play cases, and again those that disagreed while the machine stalled; the lasting disagreements."""
    found: list[Disagreement] = []
    for _ in range(TIMES):
        came = await play(played)
        unproven = [one for one in came if one.still > STILL]
        found += [one for one in came if one not in unproven]
        played = list({id(one.laid): one.laid for one in unproven}.values())
        for one in unproven:
            print(f"Disagreement in {one.where} while the phones stood still for {one.still:.2f} s")
    return found + unproven


def left_alone(case: Case) -> Case:
    """The case without what somebody does to an account meanwhile, as nobody can with the service dead."""
    return evolve(case, attempts=tuple(evolve(one, before=(), meanwhile=()) for one in case.attempts))


async def both(found: Iterable[Case]) -> list[Laid]:
    return [(case, await play(case)) for case in found]


class TestDouble:
    """R1 to R13, R16: the in-memory PBX and a real Asterisk ring the same phones, and calls end alike."""

    def test_calls_come_to_the_same(self, capsys: pytest.CaptureFixture[str]) -> None:
        async def compare() -> None:
            every = drawn(CASES)
            dead = await both(map(left_alone, every[: CASES // 3]))
            alive = await both(every[CASES // 3 :])
            with capsys.disabled():
                _distributed("service running", alive)
                _distributed("service killed", dead)
                about = _distributed("all", alive + dead)
            assert not {what: about[what] for what in ABOUT if about[what] < AT_LEAST}
            async with stages(AT_ONCE) as (pbx, on):
                async with service_process(pbx) as service:
                    found = await proven(lambda some: disagreements(on, some, service), alive)
                found += await proven(lambda some: disagreements_of_the_dead(pbx, on, some), dead)
                assert not found, "\n\n".join(map(str, found[:10]))

        asyncio.run(compare())


def _distributed(which: str, played: Sequence[Laid]) -> Counter[str]:
    about = Counter(str(what) for _, double in played for what in double.about)
    print(f"\n{which}: {len(played)} cases,", ", ".join(f"{what} {about[what]}" for what in sorted(about)))
    return about


FAULTS: Final = (
    ("R4", "${ISNULL(${contacts})}?next:", "${ISNULL(${contacts})}?unavailable:"),
    ("do_not_disturb", "]?gated)", "]?ring)"),
    ("limit", "$[${calls} >= ", "$[${calls} > "),
    ("R11", "},${CUT(ARG3,!,6)})", "},1${CUT(ARG3,!,6)})"),
    ("R11", "* 1000 -", "* 3000 -"),
    ("busy", '"BUSY"]?busy)', '"BUSY"]?no_answer)'),
    ("congestion", '"CONGESTION"]?congestion)', '"CONGESTION"]?busy)'),
    ("R12", "(destination))=20,${CUT(ARG3,!,13)})", "(destination))=20,${CUT(ARG3,!,12)})"),
    ("R13", "$[${forwards} > ", "$[${forwards} >= "),
)
"""What a wrong dialplan would be about, a line that is right, and a wrong one in its place."""


class TestComparison:
    """R4, R8, R9, R11 to R13: a dialplan that is wrong in one of them is found out."""

    @pytest.mark.parametrize(("about", "right", "wrong"), FAULTS, ids=[fault[0] for fault in FAULTS])
    def test_finds_a_planted_fault(self, about: str, right: str, wrong: str) -> None:
        def plant(dialplan: str) -> str:
            assert dialplan.count(right) > 0
            return dialplan.replace(right, wrong)

        async def compare() -> None:
            played = [one for one in await both(drawn(CASES)) if about in one[1].about]
            async with stages(AT_ONCE, plant) as (pbx, on):
                assert await disagreements(on, played[:AT_ONCE], Installing(pbx))

        asyncio.run(compare())
