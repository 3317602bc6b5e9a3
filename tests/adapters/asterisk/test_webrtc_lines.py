"""How browsers register: each user at the user's own node, with the password that was rendered there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from unique_account.adapters.asterisk import NodeCredentials, RenderedCredentials
from unique_account.adapters.memory import MemoryObserver
from unique_account.core.user import User
from unique_account.ports.observer import PortRequest
from unique_account.ports.sip_credentials import SipCredentials, SipLine
from unique_account.testing.contracts import Passwords, SipCredentialsContract

SECRETS = "[{0}_w-auth](+)\npassword = {1}\n"
USERS = {
    "alice": "default",
    "bob": "mds1",
    "carol": "mds2",
    "dave": "mds1",
}


def user(name: str) -> User:
    interface = f"PJSIP/{name}"
    return User(
        id=name, extension="1001", deskphone=interface, webrtc=f"{interface}_w", media_server=USERS[name]
    )


def rendered(folder: Path, observer: MemoryObserver | None = None) -> RenderedCredentials:
    """The lines of two nodes, of which each has one line with a password."""
    (folder / "main").write_text(SECRETS.format("alice", "one"), "utf-8")
    (folder / "mds1").write_text(SECRETS.format("bob", "two"), "utf-8")
    nodes = {
        "default": NodeCredentials(passwords=folder / "main", url="wss://pbx.example/ws"),
        "mds1": NodeCredentials(
            passwords=folder / "mds1", url="wss://pbx.example/mds1", domain="mds1.example"
        ),
    }
    return RenderedCredentials(nodes, observer)


def line(lines: RenderedCredentials, name: str) -> SipLine | None:
    return asyncio.run(lines.line(user(name)))


class RenderedPasswords:
    """A file of secrets, written as a whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def replace(self, passwords: Mapping[str, str]) -> None:
        new = self._path.with_suffix(".new")
        new.write_text("".join(f"[{name}-auth](+)\npassword = {one}\n" for name, one in passwords.items()))
        new.replace(self._path)


class TestRenderedCredentialsContract(SipCredentialsContract):
    """The passwords of one node."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[SipCredentials, Passwords]]:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "secrets"
            path.touch()
            node = NodeCredentials(passwords=path, url="wss://pbx.example/ws")
            yield RenderedCredentials({"default": node}), RenderedPasswords(path)


class TestLines:
    """A4: each media server has a way of its own, and the passwords of its own phones."""

    def test_each_user_registers_at_the_users_node(self, tmp_path: Path) -> None:
        lines = rendered(tmp_path)
        assert line(lines, "alice") == SipLine(
            name="alice_w", password="one", url="wss://pbx.example/ws", domain="pbx.example"
        )
        assert line(lines, "bob") == SipLine(
            name="bob_w", password="two", url="wss://pbx.example/mds1", domain="mds1.example", proxy="mds1"
        )

    def test_who_has_no_password_at_the_users_node_has_no_line(self, tmp_path: Path) -> None:
        lines = rendered(tmp_path)
        assert line(lines, "carol") is None
        assert line(lines, "dave") is None

    def test_a_password_that_was_rendered_since_counts(self, tmp_path: Path) -> None:
        lines = rendered(tmp_path)
        path = tmp_path / "mds1"
        path.write_text(SECRETS.format("dave", "three"), "utf-8")
        os.utime(path, (1, 1))
        found = line(lines, "dave")
        assert found is not None
        assert found.password == "three"
        assert line(lines, "bob") is None

    @pytest.mark.parametrize("content", [None, "[alice]\n", b"\xff"])
    def test_while_the_file_cannot_be_used_the_last_passwords_hold(
        self, tmp_path: Path, content: str | bytes | None
    ) -> None:
        observer = MemoryObserver()
        lines, path = rendered(tmp_path, observer), tmp_path / "mds1"
        before = line(lines, "bob")
        path.unlink()
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        assert [line(lines, "bob") for _ in range(2)] == [before] * 2
        assert [str(request) for request, _ in observer.failures] == ["lines mds1: read"]
        path.write_text(SECRETS.format("bob", "four"), "utf-8")
        found = line(lines, "bob")
        assert found is not None
        assert found.password == "four"
        assert observer.recoveries == [PortRequest("lines", "read", "mds1")]

    def test_a_file_of_something_else_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "main").write_text("[alice]\n", "utf-8")
        with pytest.raises(ValueError, match="line 1"):
            RenderedCredentials({"default": NodeCredentials(passwords=tmp_path / "main", url="wss://x/ws")})
