"""How long an event that seems to be cut may keep those behind it: Asterisk writes an event at once."""

from __future__ import annotations

import asyncio
from typing import Final

from unique_account.adapters.asterisk.ami.codec import Decoder

REST_WITHIN: Final = 1.0
"""How many seconds the rest of such an event may take, however much comes behind it."""


class PendingEvent:
    """The rest of an event that a decoder waits for, and until when.

    Args:
        decoder: The decoder of the stream.
    """

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._cut: bytes | None = None
        self._due = 0.0

    @property
    def due(self) -> float | None:
        """The instant, by the loop's clock, at which it is given up; None while no event is cut."""
        cut = self._decoder.cut
        if cut is not self._cut:
            self._cut, self._due = cut, asyncio.get_running_loop().time() + REST_WITHIN
        return None if cut is None else self._due
