"""What every source of SIP credentials must do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol
from urllib.parse import urlsplit

from unique_account.core.user import User
from unique_account.ports.sip_credentials import SipCredentials, SipLine
from unique_account.testing.contracts.scenario import Contract, scenario

ALICE: Final = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
BOB: Final = User(id="bob", extension="1002", deskphone="PJSIP/bob", webrtc="PJSIP/bob_w")


class Passwords(Protocol):
    """Where the credentials come from, in the hands of the test."""

    async def replace(self, passwords: Mapping[str, str]) -> None:
        """Let these be all passwords, by the endpoint of the WebRTC line, such as ``alice_w``."""
        ...


class SipCredentialsContract(Contract[tuple[SipCredentials, Passwords]]):
    """The contract of `unique_account.ports.sip_credentials.SipCredentials`.

    Credentials open with their source, which has no passwords yet.
    """

    @scenario
    async def test_a_line_says_how_a_browser_registers(
        self, opened: tuple[SipCredentials, Passwords]
    ) -> None:
        """The WebRTC line of a user: its endpoint, its password, a SIP WebSocket and a domain."""
        credentials, passwords = opened
        await passwords.replace({"alice_w": "sesame"})
        line = await self._line(credentials, ALICE, "sesame")
        assert line.name == "alice_w"
        assert urlsplit(line.url).scheme in ("ws", "wss")
        assert line.domain
        assert "sesame" not in repr(line)

    @scenario
    async def test_each_user_has_the_user_s_own_password(
        self, opened: tuple[SipCredentials, Passwords]
    ) -> None:
        """Only the user's own sessions get the credentials of a line."""
        credentials, passwords = opened
        await passwords.replace({"alice_w": "one", "bob_w": "two"})
        await self._line(credentials, ALICE, "one")
        await self._line(credentials, BOB, "two")

    @scenario
    async def test_a_user_without_credentials_has_no_line(
        self, opened: tuple[SipCredentials, Passwords]
    ) -> None:
        """None if the credentials of a line are not known here."""
        credentials, passwords = opened
        assert await credentials.line(ALICE) is None
        await passwords.replace({"alice_w": "one"})
        await self._line(credentials, ALICE, "one")
        assert await credentials.line(BOB) is None

    @scenario
    async def test_a_new_password_replaces_the_old_one(
        self, opened: tuple[SipCredentials, Passwords]
    ) -> None:
        """The line of a user as it is now."""
        credentials, passwords = opened
        await passwords.replace({"alice_w": "one"})
        await self._line(credentials, ALICE, "one")
        await passwords.replace({"alice_w": "another"})
        await self._line(credentials, ALICE, "another")

    async def _line(self, credentials: SipCredentials, user: User, password: str) -> SipLine:
        """The line of a user, once it has this password."""

        async def known() -> bool:
            line = await credentials.line(user)
            return line is not None and line.password == password

        await self.until(known)
        line = await credentials.line(user)
        assert line is not None
        return line
