"""A laptop's network: a namespace with two ways to this one, Wi-Fi and cable, of which one is up at a time.

What runs in it reaches `lab.network.ADDRESS`, whichever way is up. When the way changes, the laptop has
another address, and what was connected by the old one is cut off without a word.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from attrs import frozen

from lab.network import entered, ip
from lab.processes import own_folder, running
from lab.waiting import until

WAYS: Final = {"wifi": "192.0.2", "cable": "203.0.113"}
"""The networks of the ways, of ranges that are reserved for documentation."""


@frozen
class LaptopNetwork:
    """The namespace of a laptop.

    Attributes:
        pid: A process that runs in it.
    """

    pid: int

    def use(self, way: str) -> None:
        """Take the other way down, and then this one up."""
        for other in WAYS.keys() - {way}:
            self._ip(f"link set {other} down")
        self._ip(f"link set {way} up")
        self._ip(f"route replace default via {WAYS[way]}.1")

    def unplug(self) -> None:
        """Take both ways down."""
        for way in WAYS:
            self._ip(f"link set {way} down")

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Start processes in this namespace for a while."""
        with entered(self._namespace):
            yield

    def address(self, way: str) -> str:
        """The laptop's address on a way."""
        return f"{WAYS[way]}.2"

    def connect(self) -> None:
        """Lay both ways, and take the Wi-Fi up."""
        self._ip("link set lo up")
        for way, network in WAYS.items():
            ip(f"link add {way}0 type veth peer name {way}")
            ip(f"link set {way} netns {self.pid}")
            ip(f"address add {network}.1/24 dev {way}0")
            ip(f"link set {way}0 up")
            self._ip(f"address add {network}.2/24 dev {way}")
        self.use("wifi")

    @property
    def _namespace(self) -> Path:
        return Path(f"/proc/{self.pid}/ns/net")

    def _ip(self, command: str) -> None:
        with self.inside():
            ip(command)


@asynccontextmanager
async def laptop_network() -> AsyncIterator[LaptopNetwork]:
    """A laptop that is connected by Wi-Fi; its namespace goes with the context."""
    ours = os.readlink("/proc/thread-self/ns/net")
    with own_folder("laptop") as folder:
        async with running("unshare", "--net", "sleep", "infinity", log=folder / "log") as process:

            async def moved() -> bool:
                return os.readlink(f"/proc/{process.pid}/ns/net") != ours

            await until(moved, "the namespace of the laptop")
            network = LaptopNetwork(process.pid)
            network.connect()
            try:
                yield network
            finally:
                for way in WAYS:
                    ip(f"link del {way}0")
