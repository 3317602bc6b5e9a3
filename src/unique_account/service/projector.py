"""Passes projections to the ports: those in which two accounts differ, or all of them.

A port that fails harms nobody else: the observer is notified. What a port did not get is owed, and passed
with the user's next change or by a resync; so is what was cancelled on its way. The projector does not
wait for a node that is slow to show the presence of another node's user, and owes it as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from unique_account.core.account import Account
from unique_account.core.errors import UniqueAccountError
from unique_account.core.number import Number
from unique_account.core.presence import Presence, known
from unique_account.core.projections import Projected, projected, same_but_version
from unique_account.core.routing import Plan
from unique_account.core.user import User
from unique_account.ports.bus import Bus
from unique_account.ports.cti import Cti
from unique_account.ports.observer import Observer, PortRequest
from unique_account.ports.pbx import Pbx
from unique_account.service.other_numbers import OtherNumbers

T = TypeVar("T")

SHOWS_WITHIN: Final = 0.2
"""How many seconds a node is waited for that is to show the presence of a user whom it does not carry."""


class NewerPlan(UniqueAccountError):
    """A PBX holds a newer plan than the account's, and calls follow that one.

    Attributes:
        user: Whose plan it is.
        version: Of the plan that was not installed.
    """

    def __init__(self, user: str, version: int) -> None:
        super().__init__(user, version)
        self.user = user
        self.version = version

    def __str__(self) -> str:
        return f"a newer plan of {self.user} than version {self.version} is installed; a resync settles it"


class Projector:
    """Plans go to the user's media server; presence to every node, the UC Assistants and the bus.

    Attributes:
        other_numbers: Shows the presence of numbers that are no user's of this service.
    """

    def __init__(self, pbxs: Mapping[str, Pbx], cti: Cti, bus: Bus, observer: Observer, owner: str) -> None:
        self._pbxs = pbxs
        self._cti = cti
        self._bus = bus
        self._observer = observer
        self._owner = owner
        self._last: dict[str, Projected] = {}
        self._owed: dict[str, Account] = {}
        self._shown: dict[str, str] = {}
        self._slow: set[asyncio.Task[bool]] = set()
        self.other_numbers = OtherNumbers(pbxs, cti, bus, observer, self._shown.__contains__)

    def node(self, user: User) -> Pbx:
        """The PBX node that carries a user's devices.

        Raises:
            ValueError: The user's media server is none of the nodes.
        """
        try:
            return self._pbxs[user.media_server]
        except KeyError:
            nodes = sorted(self._pbxs)
            raise ValueError(f"{user.id}: media server {user.media_server} is not one of {nodes}") from None

    async def watch(self, user: User) -> None:
        """Let the user's node report the user's facts again.

        Raises:
            ValueError: The user's media server is none of the nodes.
        """
        await self.node(user).watch(user)

    async def project(self, before: Account | None, after: Account, *, installed: Plan | None = None) -> None:
        """Pass on the projections in which two accounts differ; all of them if there is none before.

        Args:
            before: The account whose projections the ports have; None: nobody knows what they have.
            after: The account as it is now.
            installed: The plan that the user's node holds, where it was just read.
        """
        user = after.user.id
        owed = self._owed.get(user)
        formers = [account for account in (owed, before) if account is not None]
        self._owed[user] = next(iter(formers), after)  # until every port has its own
        if owed is not None:
            before = None
        was = None if before is None else self._projected(before)
        now = self._projected(after)
        done = await self._leave(formers, after)
        held = installed if was is None else was.plan
        if held is None or not same_but_version(held, now.plan):
            done &= await self._hand(_installing(after), self._install(now))
        if known(after) and (was is None or not known(was.account) or _published(was) != _published(now)):
            done &= await self._publish(after.user, now.numbers, now.presence)
        if before is None or before.forwarding != after.forwarding:
            reported = self._bus.forwarding_changed(user, after.forwarding)
            done &= await self._hand(PortRequest("bus", "forwarding", user=user), reported)
        if before is None or before.selection is not after.selection:
            reported = self._bus.selection_changed(user, after.selection)
            done &= await self._hand(PortRequest("bus", "selection", user=user), reported)
        if was is None or was.view != now.view:
            request = PortRequest("cti", "show", user=user)
            done &= await self._hand(request, self._cti.show(now.view))
        if done:
            del self._owed[user]

    def owe(self, account: Account) -> None:
        """Pass everything on with the user's next change: this account is not what is shown any more."""
        self._owed.setdefault(account.user.id, account)

    def _projected(self, account: Account) -> Projected:
        """An account with its projections; the last ones of each user are kept, to be compared with."""
        user = account.user.id
        last = self._last.get(user)
        if last is None or last.account is not account:
            self._last[user] = last = projected(account, last, owner=self._owner)
        return last

    async def _install(self, now: Projected) -> None:
        due = now.plan
        if not await self.node(now.account.user).install(due):
            self._observer.failed(_installing(now.account), NewerPlan(due.user, due.version))

    async def _publish(self, user: User, numbers: Iterable[Number], shown: Presence) -> bool:
        cti, bus = (PortRequest(*port, user=user.id) for port in (("cti", "publish"), ("bus", "presence")))
        done = True
        for number in numbers:
            self._shown[number] = user.id
            done &= await self._hints(user, number, shown)
            done &= await self._hand(cti, self._cti.publish(number, shown))
            done &= await self._hand(bus, self._bus.presence_changed(number, shown))
        return done

    async def _hints(self, user: User, number: Number, shown: Presence) -> bool:
        hints = [self._hint(user, name, number, shown) for name in self._pbxs]
        return await hints[0] if len(hints) == 1 else all(await asyncio.gather(*hints))

    async def _hint(self, user: User, name: str, number: Number, shown: Presence) -> bool:
        hint = self._hand(PortRequest("pbx", "hint", name, user.id), self._pbxs[name].hint(number, shown))
        return await (hint if name == user.media_server else self._soon(hint))

    async def _soon(self, handing: Coroutine[Any, Any, bool]) -> bool:
        """Pass a projection in a task of its own, and wait for it a little; whether it is done by then."""
        task = asyncio.create_task(handing)
        self._slow.add(task)
        task.add_done_callback(self._slow.discard)
        done, _ = await asyncio.wait((task,), timeout=SHOWS_WITHIN)
        return task.result() if done else False

    async def _leave(self, formers: Sequence[Account], after: Account) -> bool:
        """Take back what the accounts before showed at nodes and for numbers that are the user's no more."""
        if all(former.user is after.user for former in formers):
            return True
        user, done = after.user.id, True
        for node in sorted({former.user.media_server for former in formers} - {after.user.media_server}):
            if node in self._pbxs:
                request = PortRequest("pbx", "forget", node, user)
                done &= await self._hand(request, self._pbxs[node].forget(user))
        return done & await self._withdraw(after.user, _numbers(formers) - set(after.user.numbers))

    async def _withdraw(self, user: User, numbers: Iterable[Number]) -> bool:
        """Publish that numbers exist no more, but not those that are another user's by now."""
        numbers = sorted(number for number in numbers if self._shown.get(number) == user.id)
        done = await self._publish(user, numbers, Presence.UNEXISTING)
        if done:
            for number in numbers:
                del self._shown[number]
        return done

    async def forget(self, account: Account, *, moved: bool = False) -> None:
        """Let every port forget the user of an account that is no more, or that another group has now."""
        user, owed = account.user.id, self._owed.pop(account.user.id, account)
        self._last.pop(user, None)
        numbers = sorted(number for number in _numbers((owed, account)) if self._shown.get(number) == user)
        if not moved:
            await self._withdraw(account.user, numbers)
        await self.unplan(user)
        request = "release" if moved else "forget"
        left = self._cti.release(user) if moved else self._cti.forget(user)
        await self._hand(PortRequest("cti", request, user=user), left)
        if moved:
            for number in numbers:
                del self._shown[number]
            await self.other_numbers.leave(numbers)
        else:
            await self.other_numbers.reveal(numbers)

    async def unplan(self, user: str) -> None:
        """Take away what plans of a user the nodes have, such as a newer one of a former account."""
        for name, pbx in self._pbxs.items():
            await self._hand(PortRequest("pbx", "forget", name, user), pbx.forget(user))

    async def ask(self, request: PortRequest, answer: Awaitable[T]) -> T | None:
        """The port's answer; None if it failed, which the observer then knows."""
        try:
            return await answer
        except Exception as error:
            self._observer.failed(request, error)
            return None

    async def _hand(self, request: PortRequest, answer: Awaitable[object]) -> bool:
        """Whether a port fulfilled a request; if not, the observer knows."""
        try:
            await answer
        except Exception as error:
            self._observer.failed(request, error)
            return False
        return True

    def difference(self, account: Account, held: Plan | None) -> str | None:
        """In which way the plan that a PBX holds is not the one that is due; None if it says the same."""
        due = self._projected(account).plan
        if held is None:
            return f"{due.user}: no plan was installed"
        if held.version > due.version:
            return f"{due.user}: a newer plan was installed, of version {held.version} over {due.version}"
        if same_but_version(held, due):
            return None
        return f"{due.user}: another plan was installed, of version {held.version} instead of {due.version}"


def _published(one: Projected) -> tuple[Presence, tuple[str, ...], str]:
    """What is published of an account; a node that it leaves forgets its hints, so the node counts."""
    return one.presence, one.numbers, one.account.user.media_server


def _numbers(accounts: Iterable[Account]) -> set[Number]:
    return {number for account in accounts for number in account.user.numbers}


def _installing(account: Account) -> PortRequest:
    return PortRequest("pbx", "install", account.user.media_server, account.user.id)
