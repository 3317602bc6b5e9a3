"""Reading a little at a time: a connection that pours costs others no more than one that trickles."""

from __future__ import annotations

import asyncio
from typing import Final

PIECE: Final = 4096
"""How many bytes are read from a connection before others are looked at."""


class SmallReads(asyncio.BufferedProtocol):
    """A protocol whose transport reads at most a piece at once, where asyncio's would read 256 KiB."""

    _piece = bytearray()

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the next bytes go."""
        self._piece = bytearray(PIECE)
        return self._piece

    def buffer_updated(self, nbytes: int) -> None:
        """Take them."""
        data, self._piece = bytes(self._piece[:nbytes]), bytearray()
        self.data_received(data)

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        raise NotImplementedError
