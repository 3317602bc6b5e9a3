"""Which extensions of a dialplan are numbers: letters name a place in it, and never a party."""

from __future__ import annotations

import re
from typing import Final

from unique_account.core.forwarding import digits

_NUMBER: Final = re.compile(r"[0-9*#+]+").fullmatch


def is_number(text: str) -> bool:
    """Whether a text is a number that somebody can dial, separators aside."""
    return _NUMBER(digits(text)) is not None


def number_or_nothing(text: str) -> str:
    """The text if it is a number, else nothing."""
    return text if is_number(text) else ""
