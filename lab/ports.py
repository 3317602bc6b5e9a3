"""Ports for what the lab starts; one is given again only when all others had their turn.

Each process that starts something has a share of its network's ports to itself, so that several can run side
by side. In a network of one's own nobody else wants any.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from functools import cache
from itertools import cycle, islice
from typing import Final

LOOPBACK: Final = "127.0.0.1"
MEDIA_PORTS: Final = 100

# Below the range from which the system takes ports for outgoing connections.
_MEDIA: Final = range(11000, 27000, MEDIA_PORTS)
_SINGLES: Final = range(27000, 32700, 4)
_SHARES: Final = 4


def media_ports() -> tuple[int, int]:
    """The first and the last port of a range for RTP, which nobody else is given for the next 39 times."""
    first = next(_ours(_MEDIA))
    return first, first + MEDIA_PORTS - 1


def port() -> int:
    """A port that is free on loopback, for TCP and UDP, with the next ones, which baresip takes too."""
    for number in islice(_ours(_SINGLES), len(_SINGLES) // _SHARES):
        if all(_free(number + offset) for offset in (0, 1)):
            return number
    raise RuntimeError("the lab has no ports left")


@cache
def _ours(numbers: range) -> Iterator[int]:
    """Our share of some numbers, over and over."""
    share, _ = _share()
    return cycle(numbers[share::_SHARES])


@cache
def _share() -> tuple[int, socket.socket]:
    """Which share is ours, and the socket that holds it until this process ends.

    Its name is in no file system but in the network that the process is in.
    """
    for number in range(_SHARES):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0unique-account-lab-{number}")
        except OSError:
            claim.close()
        else:
            return number, claim
    raise RuntimeError(f"{_SHARES} processes have all ports of the lab among them; wait until one has ended")


def _free(number: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((LOOPBACK, number))
            except OSError:
                return False
    return True
