"""What an attack is: a number of attempts, and an account of them that is a sentence of the security page."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from attrs import frozen

Throttle = int
"""How often to try: what the whole attack has, times the scale."""


@frozen(weakref_slot=False, kw_only=True)
class Attack:
    """An attack that is to be in vain.

    Attributes:
        name: Its name on the command line.
        attempts: How often it is tried in a whole run.
        made: Makes it so often; returns what was tried and what came of it, in words. Raises where there is
            harm.
    """

    name: str
    attempts: int
    made: Callable[[Throttle], Coroutine[Any, Any, str]]
