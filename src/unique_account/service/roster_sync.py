"""Makes the accounts agree with a roster: who is new gets one, who changed is changed, who is gone has none.

A roster that cannot be read changes nothing. One user that is refused harms nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable

from attrs import field, frozen

from unique_account.core.errors import UniqueAccountError
from unique_account.core.events import UserChanged
from unique_account.core.user import User
from unique_account.ports.observer import Observer, PortRequest
from unique_account.ports.roster import Roster
from unique_account.service.service import Service
from unique_account.service.worker_pool import for_each


class BrokenRoster(UniqueAccountError):
    """A roster raised an error that a roster may not raise.

    Attributes:
        roster: The name of its class.
        reason: What it raised.
    """

    def __init__(self, roster: str, reason: str) -> None:
        super().__init__(roster, reason)
        self.roster = roster
        self.reason = reason

    def __str__(self) -> str:
        return f"the roster {self.roster} is broken: {self.reason}"


@frozen(weakref_slot=False)
class RosterChanges:
    """What became of users, by their ids.

    Attributes:
        added: Who has an account now.
        changed: Who has other numbers, devices, times or destinations.
        removed: Who has none any more.
        refused: Who could not be added, changed or removed, with the error.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    refused: tuple[tuple[str, Exception], ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        counts = {name: len(getattr(self, name)) for name in ("added", "changed", "removed", "refused")}
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing changed"


class RosterSync:
    """Keeps a service's accounts in step with a roster; several requests at once are handled in turn."""

    def __init__(self, service: Service, roster: Roster, observer: Observer) -> None:
        self._service = service
        self._roster = roster
        self._observer = observer
        self._turn = asyncio.Lock()

    async def agree(self) -> RosterChanges:
        """Read the roster, and do what it takes.

        Raises:
            UniqueAccountError: The roster makes no users; nothing changed, and the observer knows.
            OSError: It cannot be read; nothing changed, and the observer knows.
        """
        async with self._turn:
            try:
                users = await self._read()
            except (UniqueAccountError, OSError) as error:
                self._observer.failed(PortRequest("users", "read"), error)
                raise
            return await self._enrol(users)

    async def _read(self) -> dict[str, User]:
        try:
            users = await self._roster.users()
            return {_user(user).id: user for user in users}
        except (UniqueAccountError, OSError):
            raise
        except Exception as error:  # of a roster of somebody else's, or a fault of ours
            reason = f"{type(error).__name__}: {error}"
            raise BrokenRoster(type(self._roster).__name__, reason) from error

    async def _enrol(self, users: dict[str, User]) -> RosterChanges:
        known = dict.fromkeys(self._service.users)
        gone = [user for user in known if user not in users]
        others = [users[user] for user in known if user in users and self._differs(users[user])]
        new = [user for user in users.values() if user.id not in known]
        removed = [(user, await self._attempt(user, self._service.remove(user))) for user in gone]
        changed = await self._change(others)
        added = await self._add(new)
        return RosterChanges(
            added=_done(added),
            changed=_done(changed),
            removed=_done(removed),
            refused=tuple((user, error) for user, error in (*removed, *changed, *added) if error is not None),
        )

    async def _add(self, users: list[User]) -> list[tuple[str, Exception | None]]:
        done: dict[str, Exception | None] = dict.fromkeys(user.id for user in users)

        async def add(user: User) -> None:
            done[user.id] = await self._attempt(user.id, self._service.add(user))

        await for_each(users, add)
        return list(done.items())

    def _differs(self, user: User) -> bool:
        return self._service.account(user.id).user != user

    async def _change(self, users: list[User]) -> list[tuple[str, Exception | None]]:
        """Change users; one that waits for a number which another of them leaves comes after that one."""
        done: list[tuple[str, Exception | None]] = []
        while users:
            waiting = [user for user in users if self._service.collisions(user)]
            for user in [user for user in users if user not in waiting] or waiting:
                event = UserChanged(user)
                done.append((user.id, await self._attempt(user.id, self._service.handle(user.id, event))))
            users = waiting if len(waiting) < len(users) else []
        return done

    async def _attempt(self, user: str, request: Awaitable[object]) -> Exception | None:
        try:
            await request
        except Exception as error:
            self._observer.failed(PortRequest("users", "enrolment", user=user), error)
            return error
        return None


def _user(named: object) -> User:
    if not isinstance(named, User):
        raise TypeError(f"it names {type(named).__name__}, which is no User")
    return named


def _done(attempts: Iterable[tuple[str, Exception | None]]) -> tuple[str, ...]:
    return tuple(user for user, error in attempts if error is None)
