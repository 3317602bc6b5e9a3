"""What the page on the CTI server's security claims is tried by the tests that it names."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

import pytest

from tests.paths import ROOT
from unique_account.adapters.people_file import passwords
from unique_account.adapters.xuc import XucSettings, hub, login_endpoints, session_checks, tab, websocket
from unique_account.adapters.xuc.auth import throttle, tokens
from unique_account.adapters.xuc.handlers import account, queries
from unique_account.adapters.xuc.transport import (
    client_logs,
    query_budget,
    rate_limit,
    send_queue,
    websocket_closing,
    websocket_protocol,
)
from unique_account.cli import log_repeats
from unique_account.http_server import connection_limit, file_descriptors, protocol
from unique_account.ports import assistant_store, login_attempts

PAGE: Final = "".join(
    (ROOT / "docs" / name).read_text("utf-8") for name in ("security-cti.md", "security-cti-attacks.md")
)
ATTACKERS: Final = ROOT / "tests/e2e/drivers/cti_attackers.py"
HOSTILE: Final = ATTACKERS.read_text("utf-8").partition("ATTACKS: Final")[2]
ATTACKS: Final = re.findall(r'^    "[^"]+": \w+', HOSTILE, re.MULTILINE)
SETTINGS: Final = XucSettings(key="k" * 32)

ELSEWHERE: Final = (
    "adapters/people_file/test_directory.py",
    "e2e/test_assistant.py",
    "e2e/test_attacks.py",
    "assistant/test_static_files.py",
    "cli/test_logs.py",
    "serve/test_lifecycle.py",
    "files/test_watched.py",
    "postgresql/test_assistants.py",
)

BOUNDS: Final = {
    "one at a time, a hundred waiting": (login_endpoints.AT_ONCE, login_endpoints.MOST_WAITING) == (1, 100),
    "of 35 MiB of work at least and 2 GiB at most": (
        (passwords.LEAST_WORK, passwords.MOST_WORK) == (35 * 1024, 2 * 2**20)
    ),
    "10 failures with a login in any 5 minutes": (login_attempts.PER_LOGIN, login_attempts.WINDOW)
    == (10, 300),
    "100 from an address, then four attempts a second": (login_attempts.PER_ADDRESS, throttle.INTERVAL)
    == (100, 0.25),
    "of more than 60 that wait": throttle.LONGEST_DELAY / throttle.INTERVAL == 60,
    "takes up to 15 s": throttle.LONGEST_DELAY == 15,
    "twice 16,384 places, and addresses twice 8,192": (
        (throttle.UNKNOWN_LOGINS, throttle.ADDRESSES) == (16_384, 8192)
    ),
    "5,000 lines of answers at once and 1,000 a second after that; 32 waiting": (
        (query_budget.AT_ONCE, query_budget.PER_SECOND, query_budget.MOST_WAITING) == (5000, 1000, 32)
    ),
    "after each 100 lines": query_budget.BATCH == 100,
    "HMAC-SHA-256, an hour, renewed for 7 days": (
        (SETTINGS.ttl, tokens.RENEWED_FOR) == (timedelta(hours=1), timedelta(days=7))
    ),
    "ends its sessions within 5 s": session_checks.CHECK_EVERY == 5,
    "16 KiB, 100 at once and 20 a second, closed after 5 s above that": (
        (websocket_protocol.LARGEST, rate_limit.AT_ONCE, rate_limit.PER_SECOND, rate_limit.SLOWED_FOR)
        == (16 * 1024, 100, 20, 5)
    ),
    "32 commands waiting, or 16 KiB of them": (
        (websocket.MOST_WAITING, websocket.MOST_CHARACTERS) == (32, 16 * 1024)
    ),
    "counts for ten lines for each tab": account.LINES_PER_TAB == 10,
    "4 KiB, 10 s": (login_endpoints.LARGEST_BODY, login_endpoints.BODY_WITHIN) == (4096, 10),
    "a frame once more for each 4 KiB": websocket_protocol.COUNTS_AGAIN == 4096,
    "a message of at most 64 frames": websocket_protocol.MOST_FRAGMENTS == 64,
    "128 of a user at once and two a second": (
        (rate_limit.ENTRIES_AT_ONCE, rate_limit.ENTRIES_PER_SECOND) == (128, 2)
    ),
    "gone within 0.2 s of the answer": websocket_closing.CUT_OFF_WITHIN == 0.2,
    "20,000, WebSockets among them, or as many as the process may open less 256; 512 that are no": (
        (SETTINGS.sockets, file_descriptors.RESERVED, connection_limit.MOST_STRANGERS) == (20_000, 256, 512)
    ),
    "2,000 from one address": SETTINGS.sockets_per_address == 2000,
    "a head of at most 128 lines; answers that nobody takes for 10 s, or are not done in 30 s": (
        (protocol.MOST_LINES, protocol.TAKEN_WITHIN, protocol.ANSWERED_WITHIN) == (128, 10, 30)
    ),
    "read for 1 s": protocol.LINGERS == 1,
    "512 bytes at a time": protocol.SLICE == 512,
    "5 lines of the same text and 50 warnings of the same line of code in 10 s": (
        (log_repeats.MOST_ALIKE, log_repeats.MOST_OF_PLACE, log_repeats.WINDOW) == (5, 50, 10)
    ),
    "Fifty clients at once in each of 51 ways": len(ATTACKS) == 51,
    "16 WebSockets for each user; 10 s to make a request": (
        (SETTINGS.sockets_per_user, protocol.REQUEST_WITHIN) == (16, 10)
    ),
    "256 frames or a million characters": (send_queue.MOST_FRAMES, send_queue.MOST_CHARACTERS)
    == (256, 1_000_000),
    "cut off 2.2 s later": (tab.CLOSES_WITHIN, websocket_closing.CUT_OFF_WITHIN) == (2, 0.2),
    "a ping every 10 s, 5 s to answer it": (websocket_protocol.PING_EVERY, websocket_protocol.PONG_WITHIN)
    == (10, 5),
    "1,000 watched numbers for each socket, 64 preferences": (
        (queries.MOST_WATCHED, assistant_store.MOST_PREFERENCES) == (1000, 64)
    ),
    "and 256 favourites for each user": assistant_store.MOST_FAVORITES == 256,
    "256 KiB each, 1 MiB at once and 256 KiB a second": (
        (client_logs.LARGEST_LOG, client_logs.AT_ONCE, client_logs.PER_SECOND) == (2**18, 2**20, 2**18)
    ),
    "waits 0.2 s for the directory's": hub.NAMED_WITHIN == 0.2,
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
            *(ROOT / "tests/adapters/xuc").rglob("test_*.py"),
            *(ROOT / "tests/http_server").glob("test_*.py"),
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
