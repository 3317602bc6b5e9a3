"""The PBX of the demo: the PBX double of a company in which a number that nobody has leads nowhere."""

from __future__ import annotations

from unique_account.adapters.memory import MemoryPbx
from unique_account.core.number import Number
from unique_account.demo.people import VOICEMAIL, cast
from unique_account.ports.pbx import CommandFailed, Failure

_NUMBERS = frozenset(number for user in cast() for number in user.numbers) | {Number(VOICEMAIL)}


def leads_somewhere(number: str) -> bool:
    """Whether somebody has a number, or it plays a mailbox."""
    return Number(number) in _NUMBERS


class DemoPbx(MemoryPbx):
    """Refuses to dial and to transfer to nowhere, as a real PBX does; the call goes on."""

    async def dial(self, interface: str, number: str, *, answers_itself: bool = False) -> None:
        """Ring a phone and, when it is picked up, dial the number for it (R14)."""
        _require(number)
        await super().dial(interface, number, answers_itself=answers_itself)

    async def transfer(self, call_id: str, number: str) -> None:
        """Send the other party to a number, and let the phone go."""
        _require(number)
        await super().transfer(call_id, number)


def _require(number: str) -> None:
    if not leads_somewhere(number):
        raise CommandFailed(f"nobody has the number {number}", Failure.NO_SUCH_NUMBER)
