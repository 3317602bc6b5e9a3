"""What a configuration for ``serve`` keeps in PostgreSQL is there again at the next start."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lab.postgresql import PostgresqlServer
from unique_account.adapters.postgresql import UnusableDatabase
from unique_account.core.events import DeviceSelected, LoggedIn
from unique_account.core.machine import Device
from unique_account.serve.config import Config, read_config
from unique_account.serve.wiring import running

USERS = """
[[users]]
id = "alice"
extension = "1001"
deskphone = "PJSIP/alice"
webrtc = "PJSIP/alice_w"
"""
CONFIG = """
users.file = "users.toml"
monitor.port = 0
[accounts.postgresql]
url = "{url}"
password.file = "database.secret"
[[nodes]]
kind = "memory"
"""


@pytest.fixture
def config(server: PostgresqlServer, url: str, tmp_path: Path) -> Config:
    """A configuration whose database has a password beside it."""
    (tmp_path / "users.toml").write_text(USERS, "utf-8")
    (tmp_path / "database.secret").write_text(f"{server.password}\n", "utf-8")
    bare = url.replace(f":{server.password}@", "@")
    (tmp_path / "unique_account.toml").write_text(CONFIG.format(url=bare), "utf-8")
    return read_config(tmp_path / "unique_account.toml")


class TestRestart:
    """S2: the selection survives a restart."""

    def test_the_selection_is_there_again(self, config: Config) -> None:
        async def first() -> None:
            async with running(config) as at:
                await at.enrolment.agree()
                await at.service.handle("alice", LoggedIn("tab-1"))
                await at.service.handle("alice", DeviceSelected(Device.DESKPHONE))

        async def second() -> Device | None:
            async with running(config) as at:
                return at.service.account("alice").selection

        asyncio.run(first())
        assert asyncio.run(second()) is Device.DESKPHONE


class TestSecrets:
    """A password is in no text that anybody sees."""

    def test_it_is_not_in_the_configuration(self, config: Config, server: PostgresqlServer) -> None:
        assert server.password not in repr(config)

    def test_a_wrong_one_is_refused_and_not_shown(self, config: Config, tmp_path: Path) -> None:
        (tmp_path / "database.secret").write_text("w@rong/for:all\n", "utf-8")

        async def start() -> None:
            async with running(config):
                raise AssertionError("it started")

        with pytest.raises(UnusableDatabase, match="password authentication failed") as refused:
            asyncio.run(start())
        assert "w@rong" not in str(refused.value)
        assert "w%40rong" not in str(refused.value)
