"""Settings that are refused, and secrets that are not shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from unique_account.adapters.xuc import XucSettings

KEY = "k" * 32


class TestSettings:
    """S7: what cannot be is refused by name."""

    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"key": "short"}, "key: has 5 characters; 32 or more"),
            ({"ttl": timedelta(seconds=1)}, "ttl: is 1 s; 60 or more"),
            ({"sockets": 0}, "sockets: is 0; 1 or more"),
            ({"ringing_tabs": 0}, "ringing_tabs: is 0; 1 or more"),
            ({"time_zone": "Nowhere/Land"}, "time_zone: 'Nowhere/Land' is not known here"),
            ({"time_zone": "../etc"}, "time_zone: '../etc' is not known here"),
        ],
    )
    def test_a_wrong_one_is_named(self, wrong: dict[str, Any], sentence: str) -> None:
        with pytest.raises(ValueError, match=sentence.partition(";")[0]):
            XucSettings(**{"key": KEY, **wrong})

    def test_the_key_is_not_shown(self) -> None:
        assert KEY not in repr(XucSettings(key=KEY))
