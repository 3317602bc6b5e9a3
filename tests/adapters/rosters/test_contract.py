"""Every roster of ours keeps the contract of the port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.adapters.rosters.confd_server import Confd, running
from unique_account.adapters.memory import MemoryRoster
from unique_account.adapters.rosters.confd import ConfdRoster
from unique_account.adapters.rosters.users_file import FileRoster
from unique_account.core.user import User
from unique_account.ports.roster import Roster
from unique_account.testing.contracts import RosterContract, Source

USER = '[[users]]\nid = "{id}"\nextension = "{extension}"\ndeskphone = "{deskphone}"\nwebrtc = "{webrtc}"\n'


class _Memory:
    def __init__(self, roster: MemoryRoster) -> None:
        self._roster = roster

    async def write(self, users: Sequence[User]) -> None:
        self._roster.broken, self._roster.named = None, tuple(users)

    async def spoil(self) -> None:
        self._roster.broken = OSError("gone")


class _File:
    def __init__(self, path: Path) -> None:
        self._path = path

    async def write(self, users: Sequence[User]) -> None:
        fields = ("id", "extension", "deskphone", "webrtc")
        tables = (USER.format(**{name: getattr(user, name) for name in fields}) for user in users)
        self._path.write_text("".join(tables) or "users = []", "utf-8")

    async def spoil(self) -> None:
        self._path.write_text("[[users]]\n", "utf-8")


class _Confd:
    def __init__(self, at: Confd) -> None:
        self._at = at

    async def write(self, users: Sequence[User]) -> None:
        self._at.statuses.clear()
        self._at.lines.clear()
        for number, user in enumerate(users, 1):
            self._at.user(number, user.id)
            self._at.resources[f"/1.1/extensions/{30 + number}"]["exten"] = user.extension
            self._at.resources[f"/1.1/users/{20 + number}"]["ring_seconds"] = user.ring_seconds

    async def spoil(self) -> None:
        self._at.statuses["/1.1/endpoints/sip"] = 500


class TestMemoryRoster(RosterContract):
    """A5: a roster within the process."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Roster, Source]]:
        roster = MemoryRoster()
        yield roster, _Memory(roster)


class TestFileRoster(RosterContract):
    """A5: a roster in a TOML file."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Roster, Source]]:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "users.toml"
            source = _File(path)
            await source.write([])
            yield FileRoster(path), source


class TestConfdRoster(RosterContract):
    """A5: a roster of XiVO's, on a server of ours."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Roster, Source]]:
        with running() as at:
            yield ConfdRoster(at.url), _Confd(at)
