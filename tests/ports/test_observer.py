"""What observers receive: a request to a port, as a value and as text."""

from __future__ import annotations

import pytest

from unique_account.ports.observer import PortRequest


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (PortRequest("pbx", "install", "mds1", "alice"), "pbx mds1: install for alice"),
        (PortRequest("pbx", "connection", "mds1"), "pbx mds1: connection"),
        (PortRequest("accounts", "save", user="alice"), "accounts: save for alice"),
        (PortRequest("users", "read"), "users: read"),
    ],
)
def test_a_request_is_one_phrase(request_: PortRequest, text: str) -> None:
    assert str(request_) == text


def test_equal_requests_are_one_key() -> None:
    assert {PortRequest("users", "read"): 1}[PortRequest("users", "read")] == 1
