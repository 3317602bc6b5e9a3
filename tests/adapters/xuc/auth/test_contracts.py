"""The attempts at one process keep the contract of their port."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from unique_account.adapters.xuc.auth.failure_counts import LocalLoginAttempts
from unique_account.ports.login_attempts import LoginAttempts
from unique_account.testing.contracts import LoginAttemptsContract


class TestAtOneProcess(LoginAttemptsContract):
    """S1: failed log-ins in memory."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[LoginAttempts]:
        yield LocalLoginAttempts(time.monotonic)
