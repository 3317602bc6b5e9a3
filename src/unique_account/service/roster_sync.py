"""Makes the accounts agree with a roster: who is new gets one, who changed is changed, who is gone has none.

A roster that cannot be read changes nothing. One user that is refused harms nobody else.

Where there are several groups of nodes, each one's service has the users of its own nodes. One that goes to
another group's node is let go by the one service, and then taken over by the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Iterable
from enum import Enum, auto

from attrs import evolve, field, frozen

from unique_account.core.errors import UniqueAccountError
from unique_account.core.events import UserChanged
from unique_account.core.user import User
from unique_account.ports.accounts import StaleVersion
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
        left: Who went to another group's node.
        joined: Who came from another group's node.
        awaited: Who is to come from there, and has not been let go yet.
        refused: Who could not be added, changed or removed, with the error.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    awaited: tuple[str, ...] = ()
    refused: tuple[tuple[str, Exception], ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        names = ("added", "changed", "removed", "left", "joined", "awaited", "refused")
        counts = {name: len(getattr(self, name)) for name in names}
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing changed"


class _Came(Enum):
    """How a user came who was not known."""

    NEW = auto()
    OVER = auto()
    LATER = auto()


@frozen(weakref_slot=False)
class _Added:
    """What became of a user who was not known."""

    user: User
    came: _Came = _Came.NEW
    error: Exception | None = None


class RosterSync:
    """Keeps a service's accounts in step with a roster; several requests at once are handled in turn.

    Args:
        service: The service.
        roster: The roster.
        observer: Is notified of what fails.
        elsewhere: The media servers of other groups, whose users the service does not have.

    Attributes:
        awaited: The users who are to come from another group, and have not been let go yet.
    """

    def __init__(
        self, service: Service, roster: Roster, observer: Observer, elsewhere: Collection[str] = ()
    ) -> None:
        self._service = service
        self._roster = roster
        self._observer = observer
        self._elsewhere = frozenset(elsewhere)
        self._turn = asyncio.Lock()
        self.awaited: tuple[User, ...] = ()

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

    async def look_again(self) -> RosterChanges:
        """Take over whom other groups have let go since."""
        async with self._turn:
            return _added(await self._add(list(self.awaited)))

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
        own = {user.id: user for user in users.values() if user.media_server not in self._elsewhere}
        known = dict.fromkeys(self._service.users)
        gone = [user for user in known if user not in users]
        leaving = [users[user] for user in known if user in users and user not in own]
        others = [own[user] for user in known if user in own and self._differs(own[user])]
        new = [user for user in own.values() if user.id not in known]
        removed = [(user, await self._attempt(user, self._service.remove(user))) for user in gone]
        left = [(user.id, await self._attempt(user.id, self._service.moves.let_go(user))) for user in leaving]
        changed = await self._change(others)
        added = _added(await self._add(new))
        refused = ((user, error) for user, error in (*removed, *left, *changed) if error is not None)
        return evolve(
            added,
            changed=_done(changed),
            removed=_done(removed),
            left=_done(left),
            refused=(*refused, *added.refused),
        )

    async def _add(self, users: list[User]) -> list[_Added]:
        done = {user.id: _Added(user) for user in users}

        async def add(user: User) -> None:
            done[user.id] = await self._added(user)

        await for_each(users, add)
        self.awaited = tuple(one.user for one in done.values() if one.came is _Came.LATER)
        return list(done.values())

    async def _added(self, user: User) -> _Added:
        """Add a user, or take the account over that is stored of it."""
        came = _Came.NEW

        async def add() -> None:
            nonlocal came
            try:
                await self._service.add(user)
            except StaleVersion:
                came = _Came.OVER if await self._service.moves.take_over(user.id) else _Came.LATER
                if came is _Came.LATER and not self._elsewhere:
                    raise
                if came is _Came.OVER and self._differs(user):
                    await self._service.handle(user.id, UserChanged(user))

        error = await self._attempt(user.id, add())
        return _Added(user, came, error)

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


def _added(users: Iterable[_Added]) -> RosterChanges:
    came: dict[_Came, list[str]] = {how: [] for how in _Came}
    refused = []
    for one in users:
        if one.error is None:
            came[one.came].append(one.user.id)
        else:
            refused.append((one.user.id, one.error))
    return RosterChanges(
        added=tuple(came[_Came.NEW]),
        joined=tuple(came[_Came.OVER]),
        awaited=tuple(came[_Came.LATER]),
        refused=tuple(refused),
    )
