"""The contract of the SIP credentials can fail: it finds each adapter that breaks a promise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve

from tests.testing.promises import broken_promises, keeps
from unique_account.core.user import User
from unique_account.ports.sip_credentials import SipLine
from unique_account.testing.contracts import (
    SipCredentialsContract,
)


class TableOfPasswords:
    """Passwords by endpoint, in memory; whole, and the source of the broken ones."""

    def __init__(self) -> None:
        self.passwords: dict[str, str] = {}

    async def replace(self, passwords: Mapping[str, str]) -> None:
        self.passwords = dict(passwords)

    async def line(self, user: User) -> SipLine | None:
        name = user.webrtc.removeprefix("PJSIP/")
        password = self.passwords.get(name)
        return None if password is None else self.sip_line(name, password)

    def sip_line(self, name: str, password: str) -> SipLine:
        return SipLine(name=name, password=password, url="wss://pbx.example/ws", domain="pbx.example")


class NamesTheDeskphone(TableOfPasswords):
    def sip_line(self, name: str, password: str) -> SipLine:
        return evolve(super().sip_line(name, password), name=name.removesuffix("_w"))


class HasNoDomain(TableOfPasswords):
    def sip_line(self, name: str, password: str) -> SipLine:
        return evolve(super().sip_line(name, password), domain="")


class NamesAWebPage(TableOfPasswords):
    def sip_line(self, name: str, password: str) -> SipLine:
        return evolve(super().sip_line(name, password), url="https://pbx.example/ws")


class OnePasswordForAll(TableOfPasswords):
    async def line(self, user: User) -> SipLine | None:
        found = next(iter(self.passwords.values()), None)
        return None if found is None else self.sip_line(user.webrtc.removeprefix("PJSIP/"), found)


class NeverForgets(TableOfPasswords):
    async def replace(self, passwords: Mapping[str, str]) -> None:
        self.passwords = {**passwords, **self.passwords}


@pytest.mark.parametrize(
    "adapter", [NamesTheDeskphone, HasNoDomain, NamesAWebPage, OnePasswordForAll, NeverForgets]
)
def test_broken_credentials_are_found_out(adapter: type[TableOfPasswords]) -> None:
    def opened() -> Any:
        table = adapter()
        return table, table

    assert broken_promises(keeps(SipCredentialsContract, opened))


def test_a_whole_one_breaks_no_promise() -> None:
    def opened() -> Any:
        table = TableOfPasswords()
        return table, table

    assert broken_promises(keeps(SipCredentialsContract, opened, within=5)) == []
