"""Why a decision came out as it did (R17)."""

from __future__ import annotations

from attrs import frozen


@frozen(weakref_slot=False)
class Reason:
    """One step of a decision.

    Attributes:
        rule: The id of the rule that decided, e.g. ``R4``.
        text: What it decided, as a clause that a user understands.
        facts: What it rests on, as ``name=value``.
    """

    rule: str
    text: str
    facts: tuple[str, ...] = ()

    def __str__(self) -> str:
        rests_on = f" ({', '.join(self.facts)})" if self.facts else ""
        return f"{self.rule}: {self.text}{rests_on}"
