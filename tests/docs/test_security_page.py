"""What the page on the CTI server's security claims is tried by the tests that it names."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from unique_account.adapters.people import passwords
from unique_account.adapters.xuc import (
    XucSettings,
    asking,
    attempts,
    budget,
    conversation,
    deeds,
    frames,
    logins,
    office,
    outbox,
    pace,
    store,
    tab,
    tokens,
    wire,
)
from unique_account.cli import repeats
from unique_account.transport import descriptors, http, limiter

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "security-cti.md").read_text("utf-8")
HOSTILE: Final = (ROOT / "tests/e2e/hostile.py").read_text("utf-8").partition("ATTACKS: Final")[2]
ATTACKS: Final = re.findall(r'^    "[^"]+": \w+', HOSTILE, re.MULTILINE)
SETTINGS: Final = XucSettings(key="k" * 32)

ELSEWHERE: Final = (
    "adapters/test_people.py",
    "e2e/test_attacks.py",
    "test_assistant.py",
    "test_logs.py",
    "test_serve.py",
    "test_watched_file.py",
)

BOUNDS: Final = {
    "one at a time, a hundred waiting": (logins.AT_ONCE, logins.MOST_WAITING) == (1, 100),
    "of 35 MiB of work at least and 2 GiB at most": (
        (passwords.LEAST_WORK, passwords.MOST_WORK) == (35 * 1024, 2 * 2**20)
    ),
    "10 failures with a login in any 5 minutes": (attempts.PER_LOGIN, attempts.WINDOW) == (10, 300),
    "100 from an address, then four attempts a second": (attempts.PER_ADDRESS, attempts.EVERY) == (100, 0.25),
    "of more than 60 that wait": attempts.LONGEST_DELAY / attempts.EVERY == 60,
    "takes up to 15 s": attempts.LONGEST_DELAY == 15,
    "twice 16,384 places, and addresses twice 8,192": (
        (attempts.UNKNOWN_LOGINS, attempts.ADDRESSES) == (16_384, 8192)
    ),
    "5,000 lines of answers at once and 1,000 a second after that; 32 waiting": (
        (budget.AT_ONCE, budget.PER_SECOND, budget.MOST_WAITING) == (5000, 1000, 32)
    ),
    "after each 100 lines": budget.PART == 100,
    "HMAC-SHA-256, an hour, renewed for 7 days": (
        (SETTINGS.ttl, tokens.RENEWED_FOR) == (timedelta(hours=1), timedelta(days=7))
    ),
    "ends its sessions within 5 s": office.LOOKS_EVERY == 5,
    "16 KiB, 100 at once and 20 a second, closed after 5 s above that": (
        (frames.LARGEST, pace.AT_ONCE, pace.PER_SECOND, pace.SLOWED_FOR) == (16 * 1024, 100, 20, 5)
    ),
    "32 commands waiting, or 16 KiB of them": (
        (conversation.MOST_WAITING, conversation.MOST_CHARACTERS) == (32, 16 * 1024)
    ),
    "counts for ten lines for each tab": deeds.SHOWN == 10,
    "4 KiB, 10 s": (logins.LARGEST_BODY, logins.BODY_WITHIN) == (4096, 10),
    "a frame once more for each 4 KiB": wire.COUNTS_AGAIN == 4096,
    "a message of at most 64 frames": wire.MOST_FRAGMENTS == 64,
    "128 of a user at once and two a second": ((pace.ENTRIES_AT_ONCE, pace.ENTRIES_PER_SECOND) == (128, 2)),
    "gone within 0.2 s of the answer": wire.CUT_OFF_WITHIN == 0.2,
    "20,000, WebSockets among them, or as many as the process may open less 256; 512 that are no": (
        (SETTINGS.sockets, descriptors.RESERVED, limiter.MOST_STRANGERS) == (20_000, 256, 512)
    ),
    "2,000 from one address": SETTINGS.sockets_per_address == 2000,
    "a head of at most 128 lines; answers that nobody takes for 10 s, or are not done in 30 s": (
        (http.MOST_LINES, http.TAKEN_WITHIN, http.ANSWERED_WITHIN) == (128, 10, 30)
    ),
    "read for 1 s": http.LINGERS == 1,
    "512 bytes at a time": http.SLICE == 512,
    "5 lines of the same text and 50 warnings of the same line of code in 10 s": (
        (repeats.MOST_ALIKE, repeats.MOST_OF_PLACE, repeats.WINDOW) == (5, 50, 10)
    ),
    "Fifty clients at once in each of 51 ways": len(ATTACKS) == 51,
    "16 WebSockets for each user; 10 s to make a request": (
        (SETTINGS.sockets_per_user, http.REQUEST_WITHIN) == (16, 10)
    ),
    "256 frames or a million characters": (outbox.MOST_FRAMES, outbox.MOST_CHARACTERS) == (256, 1_000_000),
    "cut off 2.2 s later": (tab.CLOSES_WITHIN, wire.CUT_OFF_WITHIN) == (2, 0.2),
    "a ping every 10 s, 5 s to answer it": (wire.PING_EVERY, wire.PONG_WITHIN) == (10, 5),
    "1,000 watched numbers for each socket, 64 preferences": (
        (asking.MOST_WATCHED, store.MOST_PREFERENCES) == (1000, 64)
    ),
}
"""What the page says, and whether it is so in the code."""


def rows(heading: str) -> list[str]:
    """The rows of the table below a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\|.*\|$", section, re.MULTILINE)[2:]


class TestTheSecurityPage:
    """M4: no claim without a test."""

    @pytest.mark.parametrize("heading", ["What is bounded", "What was tried"])
    def test_every_row_names_tests_that_are_there(self, heading: str) -> None:
        files = [
            *(ROOT / "tests/adapters/xuc").glob("test_*.py"),
            *(ROOT / "tests/transport").glob("test_*.py"),
            *(ROOT / "tests" / name for name in ELSEWHERE),
        ]
        there = {
            name
            for file in files
            for name in re.findall(
                r"^ *(?:async )?(?:def|class) (test_\w+|Test\w+)", file.read_text("utf-8"), re.M
            )
        }
        found = rows(heading)
        assert len(found) > 10
        for row in found:
            named = set(re.findall(r"`(test_\w+|Test\w+)`", row.rsplit("|", 2)[1]))
            assert named, row
            assert named <= there

    @pytest.mark.parametrize("claim", BOUNDS)
    def test_bounds_are_those_of_the_code(self, claim: str) -> None:
        assert claim in PAGE
        assert BOUNDS[claim]
