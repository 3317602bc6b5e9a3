"""Numbers of things, in words."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number of things: ``1 user``, ``2 users``."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
