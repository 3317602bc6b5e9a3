"""The double against the real thing: the same people, phones and calls come to the same on both.

Cases are drawn by Hypothesis, the same in every run, and played on the in-memory PBX, which takes no time.
Then they are played on a real Asterisk, many at once, where SIP parties are the phones.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import pytest
from attrs import evolve, frozen
from hypothesis import HealthCheck, Phase, given, settings

from lab.asterisk import Node, node
from lab.parties import party
from tests.e2e.cases import PHONES, Case, cases
from tests.e2e.planned import install
from tests.e2e.played import Came, Played, play
from tests.e2e.stages import Place, Stage
from unique_account import Account, plan
from unique_account.adapters.asterisk import render
from unique_account.core.forwarding import Outcome

pytestmark = pytest.mark.e2e

AT_ONCE: Final = 12
CASES: Final = 400
AT_LEAST: Final = 15
RULES: Final = tuple(f"R{number}" for number in range(1, 14))
ABOUT: Final = (*RULES, *Outcome, "answered", "extension", "mailbox", "refusal")
TOLD: Final = ("Event: (Newchannel|Hangup)", "Application: (Answer|TryExec)")
"""What is listened to: all that there is would keep a busy machine busier."""
SLACK: Final = 0.9
"""How much longer or shorter a phone may ring on a busy machine, in seconds; ring times differ by two."""


def drawn(number: int) -> list[Case]:
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
    return list(found.values())[:number]


@frozen(weakref_slot=False)
class Disagreement:
    """A call that came to something else on the real node."""

    case: Case
    number: int
    double: Came
    real: Came | str

    def __str__(self) -> str:
        return f"call {self.number + 1}:\n  double {self.double}\n  real   {self.real}\n  of {self.case!r}"


def same(double: Came, real: Came) -> bool:
    """Whether a call came to the same on both: but for how long a phone rang, which takes a little longer."""
    timed = zip(double.seconds, real.seconds, strict=False)
    return evolve(real, seconds=double.seconds) == double and all(
        abs(rang - expected) < SLACK for expected, rang in timed
    )


@asynccontextmanager
async def stages(
    number: int, dialplan: Callable[[str], str] = str
) -> AsyncIterator[tuple[Node, list[Stage]]]:
    """A node with so many stages, whose dialplan is as rendered, or as something makes it."""
    places = [Place(f"s{number:02}") for number in range(number)]
    files = {
        "unique_account.conf": dialplan(render(user for place in places for user in place.users)),
        "voicemail.conf": "[general]\nformat = wav\n" + "".join(place.mailboxes for place in places),
    }
    extensions = "#include unique_account.conf\n" + "".join(place.extensions for place in places)
    endpoints = [endpoint for place in places for endpoint in place.endpoints]
    async with node(endpoints, extensions, more_files=files) as pbx, AsyncExitStack() as stack:
        for told in TOLD:
            await pbx.ami.act("Filter", ("Operation", "Add"), ("Filter", told))
        made = []
        for place in places:
            phones = dict(zip((*PHONES, None), place.endpoints, strict=True))
            parties = {
                phone: await stack.enter_async_context(party(pbx, endpoint))
                for phone, endpoint in phones.items()
            }
            made.append(Stage(place, pbx.ami, parties))
        yield pbx, made


async def disagreements(
    pbx: Node, on: Iterable[Stage], played: Iterable[tuple[Case, Played]]
) -> list[Disagreement]:
    """Play cases on the real node, on all stages at once; those that come to something else there."""
    left, found = list(played)[::-1], []

    async def carry(account: Account) -> None:
        await install(pbx.ami, plan(account))

    async def work(stage: Stage) -> None:
        while left:
            case, double = left.pop()
            try:
                await stage.set(case, carry)
                real = await stage.play(case, carry)
            except (TimeoutError, AssertionError) as error:
                found.append(Disagreement(case, 0, double.came[0], f"nothing: {error}"))
                continue
            found.extend(
                Disagreement(case, number, *both)
                for number, both in enumerate(zip(double.came, real, strict=True))
                if not same(*both)
            )

    await asyncio.gather(*map(work, on))
    return found


class TestDouble:
    """R1 to R13: the in-memory PBX and a real Asterisk ring the same phones, and calls end alike."""

    def test_calls_come_to_the_same(self) -> None:
        async def compare() -> None:
            all_cases = drawn(CASES)
            played = [(case, await play(case)) for case in all_cases]
            about = Counter(what for _, double in played for what in double.about)
            print(f"{len(played)} cases, about", dict(sorted((str(k), v) for k, v in about.items())))
            assert not {what: about[what] for what in ABOUT if about[what] < AT_LEAST}
            async with stages(AT_ONCE) as (pbx, on):
                found = await disagreements(pbx, on, played)
            assert not found, "\n\n".join(map(str, found[:10]))

        asyncio.run(compare())
