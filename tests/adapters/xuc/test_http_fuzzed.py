"""The requests about tokens, fuzzed by schemathesis on a real server, as OpenAPI describes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok

from tests.adapters.xuc.assistants import installation
from tests.adapters.xuc.schema import OPENAPI
from tests.event_loop import in_loop

EXAMPLES = 60
"""How many requests of each kind are made."""

OPERATIONS = {
    found.ok().label: found.ok()
    for found in schemathesis.openapi.from_dict(OPENAPI).get_all_operations()
    if isinstance(found, Ok)
}


def requests(operation: str) -> st.SearchStrategy[Case[Any]]:
    """Requests as the document allows them, and others."""
    made = OPERATIONS[operation]
    return st.sampled_from(GenerationMode).flatmap(lambda mode: made.as_strategy(generation_mode=mode))


class TestRequests:
    """S1, M4: any request, allowed or not, is answered as documented, and never by a server's error."""

    def test_are_all_fuzzed(self) -> None:
        assert len(OPERATIONS) == len(OPENAPI["paths"])

    @pytest.mark.parametrize("operation", OPERATIONS)
    @in_loop
    async def test_are_answered_as_documented(self, operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        async with installation() as at:
            loop, url = asyncio.get_running_loop(), (await at.browser.url("")).partition("/xuc")[0]

            def token() -> str:
                return asyncio.run_coroutine_threadsafe(at.browser.log_in("alice"), loop).result()

            await asyncio.to_thread(fuzz, operation, url, token)
            assert at.observer.failures == []
            await at.browser.tab("bob")


def fuzz(operation: str, url: str, token: Callable[[], str]) -> None:
    """Make many requests; some of them have a good token."""

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(requests(operation), st.booleans())
    def request(case: Case[Any], logged_in: bool) -> None:
        if logged_in and operation != "POST /xuc/api/2.0/auth/login":
            case.headers["Authorization"] = f"Bearer {token()}"
        case.call_and_validate(base_url=url)

    request()
