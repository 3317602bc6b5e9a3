"""How a broker fails, in our words; no sentence holds a password."""

from __future__ import annotations

from unique_account.core.errors import UniqueAccountError, Unreachable


class UnusableBroker(UniqueAccountError):
    """A broker cannot be used for what was asked.

    Attributes:
        place: Which broker: host, port and virtual host, never the password.
        reason: Why, in the broker's words where it says so.
    """

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(place, reason)
        self.place = place
        self.reason = reason

    def __str__(self) -> str:
        return f"the broker {self.place} cannot be used: {self.reason}"


class BrokerUnreachable(UnusableBroker, Unreachable):
    """There is no connection to a broker, or no longer; everything is announced again once there is."""

    def __str__(self) -> str:
        return f"the broker {self.place} is not reachable: {self.reason}"


class BusFull(UniqueAccountError):
    """A bus keeps no more numbers and users than it may; this one is not announced.

    Attributes:
        key: The number or user.
        most: How many there may be.
    """

    def __init__(self, key: str, most: int) -> None:
        super().__init__(key, most)
        self.key = key
        self.most = most

    def __str__(self) -> str:
        return f"{self.key} is not announced: the bus holds {self.most} numbers and users already"


class InvalidMessage(UniqueAccountError, ValueError):
    """A message on the bus is none that is understood; it is dropped.

    Attributes:
        problem: What is wrong with it; quotes nothing of it.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"a message {self.problem}"
