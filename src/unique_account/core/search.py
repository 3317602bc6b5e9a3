"""Finding calls and colleagues by number or name, the same everywhere: both sides are folded and compared.

Folding leaves letters, digits and what else is dialled, without case or accents, so ``zoe`` finds *Zoé* and
``01 23`` finds ``0123``.
"""

from __future__ import annotations

from typing import Final
from unicodedata import normalize

from unique_account.core.history import CallRecord

_DIALLED: Final = "+*#"


def folded(text: str) -> str:
    """What is compared of a text: its letters, digits, ``+``, ``*`` and ``#``, without case or accents."""
    without_case = normalize("NFKD", text).upper().casefold()  # two small letters may share a capital
    return "".join(each for each in without_case if each.isalnum() or each in _DIALLED)


def searchable(*texts: str) -> str:
    """Texts such as a number and a name as they are searched: each folded, and none runs into the next."""
    return " ".join(map(folded, texts))


def searched(record: CallRecord) -> str:
    """What of a record is searched: the number and the name of the other party."""
    return searchable(record.peer, record.peer_name)


def matches(record: CallRecord, text: str) -> bool:
    """Whether a record is of a party whose number or name holds a text; an empty text is in all."""
    return folded(text) in searched(record)
