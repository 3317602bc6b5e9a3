"""Ports for what the lab starts, each given once in a process."""

from __future__ import annotations

import socket
from itertools import count
from typing import Final

LOOPBACK: Final = "127.0.0.1"
MEDIA_PORTS: Final = 100

# Below the range from which the system takes ports for outgoing connections.
_FIRST: Final = 11000
_LAST: Final = 31000

_blocks = count(_FIRST, MEDIA_PORTS)


def media_ports() -> tuple[int, int]:
    """The first and the last port of a range for RTP, which nobody else in this process is given."""
    first = next(_blocks)
    if first + MEDIA_PORTS > _LAST:
        raise RuntimeError("the lab has no ports left for media")
    return first, first + MEDIA_PORTS - 1


_singles = count(_LAST, 4)


def port() -> int:
    """A port that is free on loopback, for TCP and UDP, with the next ones, which baresip takes too."""
    for number in _singles:
        if number > 32700:
            break
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
