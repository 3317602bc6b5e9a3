"""What is counted of addresses."""

from __future__ import annotations

import pytest

from unique_account.http_server.networks import network


class TestNetwork:
    """S5: who has many addresses of IPv6 counts once."""

    @pytest.mark.parametrize(
        ("address", "counted"),
        [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::/64"),
            ("fe80::1%eth0", "fe80::/64"),
            ("", ""),
            ("unix:", ""),
            ("192.0.2.1:80", ""),
            ("x" * 10_000, ""),
        ],
    )
    def test_what_is_counted_of_an_address(self, address: str, counted: str) -> None:
        assert network(address) == counted
