"""What a message means: an event of somebody's account, or that it cannot be understood."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from unique_account.core.events import Event


@frozen(weakref_slot=False)
class TranslatedEvent:
    """An event of one user's account, at an instant in UTC.

    Attributes:
        channel: The channel that waits for the result; empty: none.
    """

    user: str
    at: datetime
    event: Event
    channel: str = ""


@frozen(weakref_slot=False)
class Untranslatable:
    """A message that concerns a user, but cannot be understood.

    Attributes:
        message: The name of the AMI event.
        header: The header that is missing or wrong.
        problem: What is wrong with it.
    """

    message: str
    header: str
    problem: str

    def __str__(self) -> str:
        return f"{self.message} is not understood: {self.header} {self.problem}"


Meaning = TranslatedEvent | Untranslatable
