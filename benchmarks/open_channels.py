"""Channels that are open on a node and have nothing to do with what is measured."""

from __future__ import annotations

from typing import Final

from lab.asterisk import Node
from lab.waiting import until

WAITING: Final = """
[waiting]
exten = s,1,Answer()
 same = n,Wait(3600)
"""
"""The context in which they wait."""


async def open_channels(pbx: Node, number: int) -> None:
    """Open so many channels, an even number, on a node whose dialplan has `WAITING`."""
    originate = (
        ("Channel", "Local/s@waiting/n"),
        ("Application", "Wait"),
        ("Data", "3600"),
        ("Async", "true"),
    )
    for _ in range(number // 2):
        await pbx.ami.act("Originate", *originate)

    async def there() -> bool:
        return f"{number} active channels" in await pbx.cli("core show channels count")

    await until(there, f"{number} channels")
