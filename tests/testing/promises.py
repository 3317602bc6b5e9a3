"""Which promises of its contract an adapter breaks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from hypothesis import is_hypothesis_test

from unique_account.testing.contracts import Contract


def broken_promises(contract: Contract[Any]) -> list[str]:
    """The tests of a contract that an adapter does not pass."""
    found = []
    for name in dir(contract):
        test = getattr(contract, name)
        needs_more = is_hypothesis_test(test) or name == "test_without_a_rule_voicemail_or_a_refusal"
        if not name.startswith("test_") or needs_more:
            continue
        try:
            test()
        except (Exception, pytest.fail.Exception):
            found.append(name)
    return found


def keeps(contract: Any, opened: Any, within: float = 0.05) -> Contract[Any]:
    """The contract on what is opened by calling this, with so much patience."""

    class Kept(contract):  # type: ignore[misc] # a contract given as an argument
        patience = within

        def open(self) -> AbstractAsyncContextManager[Any]:
            return asynccontextmanager(self._opened)()

        async def _opened(self) -> AsyncIterator[Any]:
            yield opened()

    return Kept()
