"""Messages that are dropped: counted, and logged by their reason, but not each one."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Final

LOGGER: Final = logging.getLogger("unique_account.rabbitmq")


class DroppedMessages:
    """Counts messages by the reason why they were dropped.

    The first one of a reason is logged, and then every time that its number has doubled, so that a broken
    sender fills no log.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def drop(self, source: str, reason: object) -> None:
        """Count a message that is dropped.

        Args:
            source: Where it came from, such as the name of an exchange.
            reason: Why, as a phrase that goes on from the word "message".
        """
        self.counts[sentence := f"{source}: {reason}"] += 1
        if (count := self.counts[sentence]) & (count - 1) == 0:
            LOGGER.warning("dropped, %d so far: %s", count, sentence)
