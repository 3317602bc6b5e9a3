"""The plans that the in-memory PBX carries out."""

from __future__ import annotations

from collections.abc import Mapping

from unique_account.core.number import Number
from unique_account.core.routing import Plan


class MemoryPlans:
    """The last plan of each user.

    Attributes:
        by_user: The plans, by user.
        versions: The version of each plan, by user.
    """

    def __init__(self) -> None:
        self.by_user: dict[str, Plan] = {}
        self.versions: dict[str, int] = {}
        self._users: dict[str, str] = {}

    def install(self, plan: Plan) -> bool:
        """Keep a plan, unless a newer one of its user is there."""
        if self.versions.get(plan.user, plan.version) > plan.version:
            return False
        self._release(plan.user)
        self.by_user[plan.user], self.versions[plan.user] = plan, plan.version
        self._users.update(dict.fromkeys(plan.numbers, plan.user))
        return True

    def installed(self, owner: str) -> Mapping[str, Plan]:
        """The plans that this owner installed, by user."""
        return {user: plan for user, plan in self.by_user.items() if plan.owner == owner}

    def forget(self, user: str) -> list[Number]:
        """Forget a user's plan; returns the numbers that it was for."""
        numbers = self._release(user)
        self.by_user.pop(user, None)
        self.versions.pop(user, None)
        return numbers

    def _release(self, user: str) -> list[Number]:
        """Let calls follow a user's plan no longer; returns the numbers that did."""
        plan = self.by_user.get(user)
        numbers = [number for number in plan.numbers if self._users.get(number) == user] if plan else []
        for number in numbers:
            del self._users[number]
        return numbers

    def of_number(self, number: str) -> Plan | None:
        """The plan that calls to a number follow."""
        user = self._users.get(number)
        return self.by_user[user] if user else None
