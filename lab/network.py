"""A network of one's own: loopback, one more address, and no way out.

ICE never offers a loopback address, so a WebRTC call with nothing but loopback has no media. The second
address is on a pair of virtual cables that lead nowhere: what is sent to it stays in this machine.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lab.programs import program

ADDRESS: Final = "198.51.100.1"
"""The address beside loopback, of a range that is reserved for documentation."""

_CLONE_NEWNET: Final = 0x40000000
_NAMESPACE: Final = "/proc/thread-self/ns/net"
_COMMANDS: Final = (
    "link set lo up",
    "link add lab0 type veth peer name lab1",
    f"address add {ADDRESS}/24 dev lab0",
    "link set lab0 up",
    "link set lab1 up",
)


@contextmanager
def own_network() -> Iterator[None]:
    """Move this thread, and whatever it starts from now on, into a new network; back at the end.

    Raises:
        OSError: The process may not do so, since it is not root's.
        RuntimeError: The process has other threads, which would stay outside.
    """
    if threading.active_count() > 1:
        raise RuntimeError("a process with several threads cannot move into a network of its own")
    with open(_NAMESPACE, "rb") as before:
        _call("unshare", _CLONE_NEWNET)
        try:
            for command in _COMMANDS:
                ip(command)
            yield
        finally:
            _call("setns", before.fileno(), _CLONE_NEWNET)


@contextmanager
def entered(namespace: Path) -> Iterator[None]:
    """Move this thread, and whatever it starts meanwhile, into a network; back at the end."""
    with open(_NAMESPACE, "rb") as before, namespace.open("rb") as there:
        _call("setns", there.fileno(), _CLONE_NEWNET)
        try:
            yield
        finally:
            _call("setns", before.fileno(), _CLONE_NEWNET)


@contextmanager
def nothing_but_loopback() -> Iterator[None]:
    """Take the address beside loopback away, and with it all media of browsers; it is back at the end."""
    ip(f"address del {ADDRESS}/24 dev lab0")
    try:
        yield
    finally:
        ip(f"address add {ADDRESS}/24 dev lab0")


def ip(command: str) -> None:
    """Run a command of ``ip`` in the network of this thread."""
    subprocess.run([program("ip"), *command.split()], check=True)


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}; a network of its own needs root")
