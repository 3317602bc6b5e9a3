"""The plans that the in-memory PBX carries out, as the JSON that any PBX could hold."""

from __future__ import annotations

from collections.abc import Mapping

from unique_account.core.routing import Plan
from unique_account.documents import from_json, to_json


class MemoryPlans:
    """The last plan of each user.

    Attributes:
        texts: Each plan as JSON, by user.
        versions: The version of each plan, by user.
    """

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self._users: dict[str, str] = {}

    def install(self, plan: Plan) -> bool:
        """Keep a plan, unless a newer one of its user is there."""
        if self.versions.get(plan.user, plan.version) > plan.version:
            return False
        self.texts[plan.user], self.versions[plan.user] = to_json(plan), plan.version
        self._users = {number: user for number, user in self._users.items() if user != plan.user}
        self._users.update(dict.fromkeys(plan.numbers, plan.user))
        return True

    def installed(self, owner: str) -> Mapping[str, Plan]:
        """The plans that this owner installed, by user."""
        plans = {user: from_json(Plan, text) for user, text in self.texts.items()}
        return {user: plan for user, plan in plans.items() if plan.owner == owner}

    def forget(self, user: str) -> list[str]:
        """Keep a user's plan no more; gives the numbers that it was for."""
        self.texts.pop(user, None)
        self.versions.pop(user, None)
        numbers = [number for number, planned in self._users.items() if planned == user]
        for number in numbers:
            del self._users[number]
        return numbers

    def of_number(self, number: str) -> Plan | None:
        """The plan that calls to a number follow."""
        user = self._users.get(number)
        return from_json(Plan, self.texts[user]) if user else None
