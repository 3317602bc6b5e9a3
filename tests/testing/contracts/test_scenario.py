"""What the tests of all contracts have in common."""

from __future__ import annotations

import asyncio

import pytest

from unique_account.testing.contracts import AccountsContract


def test_a_contract_needs_to_be_told_how_to_open() -> None:
    with pytest.raises(TypeError, match=r"abstract method '?open"):
        AccountsContract()  # type: ignore[abstract] # the point of it


def test_a_scenario_is_a_plain_test_with_the_sentence_it_proves() -> None:
    test = AccountsContract.test_a_user_without_an_account_has_none
    assert test.__doc__ == "None where there is none."
    assert not asyncio.iscoroutinefunction(test)
    assert test.__module__ == "unique_account.testing.contracts.accounts"
