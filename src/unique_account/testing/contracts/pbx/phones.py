"""What the contract makes phones and callers do at a PBX."""

from __future__ import annotations

from typing import Protocol

from unique_account.core.forwarding import Destination
from unique_account.core.presence import Presence


class Phones(Protocol):
    """The phones and callers around the PBX under test: SIP phones at a real one.

    A call is named by what `call` returned. What is asked for happens soon, not at once.
    """

    async def register(self, interface: str) -> None:
        """A phone registers its contact."""
        ...

    async def unregister(self, interface: str) -> None:
        """A phone's contact goes, as when it is switched off in good order."""
        ...

    async def call(self, number: str) -> str:
        """Somebody outside dials a number; returns a name for the call, ringing or not."""
        ...

    async def ringing(self, call: str) -> str | None:
        """The interface that rings for a call now; None: none does."""
        ...

    async def pick_up(self, interface: str) -> None:
        """The phone that rings is picked up."""
        ...

    async def reject(self, interface: str) -> None:
        """The phone that rings says that it is busy."""
        ...

    async def hang_up(self, call: str) -> None:
        """The caller hangs up."""
        ...

    async def talks(self, call: str) -> bool:
        """Whether a call is answered, and not over, as its caller knows."""
        ...

    async def destination(self, call: str) -> Destination | None:
        """Where a call went instead of a device, as its caller knows: a mailbox, or a refusal's cause."""
        ...

    async def hint(self, number: str) -> Presence | None:
        """What a phone that watches a number shows; None where there is no hint."""
        ...

    async def lose_node(self) -> None:
        """The node stops in good order, and keeps its plans; returns once it is down."""
        ...

    async def restore_node(self) -> None:
        """The node starts again."""
        ...

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        ...
