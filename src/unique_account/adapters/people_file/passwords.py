"""Password hashes: how they are made and checked, their least cost, and what an unknown login costs."""

from __future__ import annotations

from base64 import b64encode
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from itertools import accumulate
from secrets import token_bytes
from typing import Final

try:
    from argon2 import PasswordHasher, extract_parameters
    from argon2.exceptions import InvalidHashError, VerificationError
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        "a directory of people needs argon2-cffi: pip install 'unique_account[assistant]' brings it",
        name="argon2",
    ) from missing

LONGEST_PASSWORD: Final = 1024

LEAST_MEMORY: Final = 7 * 1024
"""How many KiB a hash takes at least."""

LEAST_WORK: Final = 35 * 1024
"""How many KiB it goes through at least, in all its passes: the least that OWASP recommends."""


MOST_MEMORY: Final = 256 * 1024
"""How many KiB a hash may take at most, since anybody who knows a login can have it checked."""

MOST_WORK: Final = 8 * MOST_MEMORY
"""How many KiB it may go through at most."""

_HASHER: Final = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)


def hash_password(password: str) -> str:
    """The hash of a password, as it stands in the file.

    Raises:
        ValueError: The password is empty, or longer than 1024 characters.
    """
    if not 0 < len(password) <= LONGEST_PASSWORD:
        raise ValueError(f"a password has 1 to {LONGEST_PASSWORD} characters")
    return _HASHER.hash(password)


def matches(hashed: str, password: str) -> bool:
    """Whether a hash is that of a password."""
    try:
        _HASHER.verify(hashed, password)
    except (VerificationError, UnicodeEncodeError):
        return False
    return len(password) <= LONGEST_PASSWORD


def problem(hashed: str) -> str | None:
    """What is wrong with a hash; None: nothing is."""
    try:
        parameters = extract_parameters(hashed)
    except InvalidHashError:
        return "is not an argon2 hash"
    memory, passes = parameters.memory_cost, parameters.time_cost
    if memory < LEAST_MEMORY or memory * passes < LEAST_WORK:
        return f"takes {memory} KiB {passes} times, which is too cheap to guess; make it again"
    if memory > MOST_MEMORY or memory * passes > MOST_WORK:
        return f"takes {memory} KiB {passes} times, which keeps everybody else waiting; make it again"
    return None


class DecoyHashes:
    """Hashes that no password has, for logins that nobody has: as costly as those of people.

    Which one a login gets is drawn by its name and a secret, so the same each time. Each cost comes as often
    as among people. So how long a check takes says nothing about whether somebody has the login.

    Args:
        hashes: Those of people. The secret is the least of them, so that it outlives a restart.
    """

    def __init__(self, hashes: Iterable[str]) -> None:
        known = list(hashes) or [hash_password("nobody")]
        self._key = blake2b(min(known).encode()).digest()
        costs = sorted(Counter(map(_cost, known)).items())
        self._decoys = [_decoy(cost) for cost, _ in costs]
        self._ends = list(accumulate(times for _, times in costs))

    def of(self, login: str) -> str:
        """The hash that a login is checked against which nobody has."""
        digest = blake2b(login.encode("utf-8", "surrogatepass"), key=self._key, digest_size=8).digest()
        return self._decoys[bisect_right(self._ends, int.from_bytes(digest) * self._ends[-1] >> 64)]


def _cost(hashed: str) -> str:
    """A hash without its salt and its digest."""
    return hashed.rsplit("$", 2)[0]


def _decoy(cost: str) -> str:
    salt, digest = (b64encode(token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    return f"{cost}${salt}${digest}"
