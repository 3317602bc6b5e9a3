"""Ports for what the lab starts; one is given again only when all others had their turn."""

from __future__ import annotations

import socket
from itertools import cycle, islice
from typing import Final

LOOPBACK: Final = "127.0.0.1"
MEDIA_PORTS: Final = 100

# Below the range from which the system takes ports for outgoing connections.
_FIRST: Final = 11000
_LAST: Final = 31000

_blocks = cycle(range(_FIRST, _LAST, MEDIA_PORTS))


def media_ports() -> tuple[int, int]:
    """The first and the last port of a range for RTP, which nobody else is given for the next 199 times."""
    first = next(_blocks)
    return first, first + MEDIA_PORTS - 1


_NUMBERS: Final = range(_LAST, 32700, 4)
_singles = cycle(_NUMBERS)


def port() -> int:
    """A port that is free on loopback, for TCP and UDP, with the next ones, which baresip takes too."""
    for number in islice(_singles, len(_NUMBERS)):
        if all(_free(number + offset) for offset in (0, 1)):
            return number
    raise RuntimeError("the lab has no ports left")


def _free(number: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((LOOPBACK, number))
            except OSError:
                return False
    return True
