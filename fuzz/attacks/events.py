"""Random events of several users through one service: whatever happens, every port shows what it should."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from attrs import evolve

from fuzz.attacks.attack import Attack
from fuzz.target import require
from unique_account.adapters.memory import (
    MemoryAccounts,
    MemoryBus,
    MemoryCti,
    MemoryObserver,
    MemoryPbx,
    SettableClock,
)
from unique_account.bootstrap import bootstrap
from unique_account.core.account import Account, Call, CallStatus, Direction, LineStatus
from unique_account.core.errors import Refused
from unique_account.core.events import (
    CallChanged,
    CallEnded,
    ContactsChanged,
    DeviceSelected,
    DeviceToggled,
    Event,
    FactsReplaced,
    ForwardingChanged,
    ForwardingDialled,
    LeaseExpired,
    LineChanged,
    LoggedIn,
    LoggedOut,
    MessagesChanged,
    SessionLost,
    UserChanged,
)
from unique_account.core.forwarding import Forward, Forwarding
from unique_account.core.forwarding_changes import Setting
from unique_account.core.machine import Device, State
from unique_account.core.presence import known, presence
from unique_account.core.routing import DEFAULT_OWNER, plan
from unique_account.core.user import User
from unique_account.core.view import view
from unique_account.service.service import Service

NOON: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
EVERY: Final = 50
"""After how many events the plans of all users are read back."""

_NUMBERS: Final = ("", "2000", "1001", "*98", "0612345678", "h", "x" * 41, "1,2", "\u0663", "3000\n")
_SESSIONS: Final = ("tab-1", "tab-2", "laptop")
_CONNECTIONS: Final = ("", "first", "second")


def users() -> list[User]:
    """Three users on one node."""
    return [
        User(
            id=f"user{n}",
            extension=str(1001 + n),
            deskphone=f"PJSIP/u{n}",
            webrtc=f"PJSIP/u{n}_w",
            mailbox=f"{1001 + n}@default" if n else None,
        )
        for n in range(3)
    ]


class Chance:
    """Makes random events of a user."""

    def __init__(self, seed: int) -> None:
        self._random = random = Random(seed)
        self._choose = random.choice

    def event(self, account: Account) -> Event:
        """Any event."""
        return self._choose(_MADE)(self, account)

    def user(self, users: list[User]) -> str:
        """Whose the next one is."""
        return self._choose(users).id

    def _instant(self) -> datetime:
        return NOON + timedelta(seconds=self._random.randint(0, 240) / 2)

    def _forward(self) -> Forward | None:
        if self._random.random() < 0.4:
            return None
        return Forward(self._choose(_NUMBERS), enabled=self._random.random() < 0.7)

    def _logged_in(self, _: Account) -> Event:
        return LoggedIn(self._choose(_SESSIONS), self._choose(_CONNECTIONS))

    def _logged_out(self, _: Account) -> Event:
        return LoggedOut(self._choose(_SESSIONS))

    def _lost(self, _: Account) -> Event:
        return SessionLost(self._choose(_SESSIONS), self._instant(), self._choose(_CONNECTIONS))

    def _expired(self, _: Account) -> Event:
        return LeaseExpired(self._instant())

    def _selected(self, _: Account) -> Event:
        return DeviceToggled() if self._random.random() < 0.3 else DeviceSelected(self._choose(list(Device)))

    def _line(self, _: Account) -> Event:
        return LineChanged(self._choose(list(Device)), self._choose(list(LineStatus)))

    def _contacts(self, _: Account) -> Event:
        return ContactsChanged(self._choose(list(Device)), self._random.random() < 0.5)

    def _call(self, _: Account) -> Event:
        return CallChanged(self._made_call())

    def _made_call(self) -> Call:
        status, started = self._choose(list(CallStatus)), self._instant()
        up = status in (CallStatus.TALKING, CallStatus.HELD)
        direction = {CallStatus.DIALLING: Direction.OUTGOING, CallStatus.RINGING: Direction.INCOMING}.get(
            status, Direction.INCOMING
        )
        return Call(
            id=f"1.{self._random.randint(1, 30)}",
            device=self._choose(list(Device)),
            direction=direction,
            status=status,
            started=started,
            answered=started if up else None,
            peer=self._choose(_NUMBERS),
        )

    def _ended(self, _: Account) -> Event:
        return CallEnded(f"1.{self._random.randint(1, 30)}", self._instant())

    def _node(self, account: Account) -> Event:
        facts = (LineChanged(Device.DESKPHONE, LineStatus.IN_USE), CallChanged(self._made_call()))
        return FactsReplaced(account.user.media_server, facts[: self._random.randint(0, 2)])

    def _forwarding(self, _: Account) -> Event:
        on = self._random.random() < 0.5
        return ForwardingChanged(
            Forwarding(do_not_disturb=on, unconditional=self._forward(), busy=self._forward())
        )

    def _dialled(self, _: Account) -> Event:
        return ForwardingDialled(self._choose(list(Setting)), self._choose(_NUMBERS))

    def _messages(self, _: Account) -> Event:
        return MessagesChanged(self._random.randint(0, 2), self._random.randint(0, 2))

    def _changed(self, account: Account) -> Event:
        return UserChanged(evolve(account.user, ring_seconds=self._choose((5, 30, 45))))


_MADE: Final[tuple[Callable[[Chance, Account], Event], ...]] = (
    Chance._logged_in, Chance._logged_out, Chance._lost, Chance._expired, Chance._selected, Chance._line,
    Chance._contacts, Chance._call, Chance._ended, Chance._node, Chance._forwarding, Chance._dialled,
    Chance._messages, Chance._changed,
)  # fmt: skip


class Walk:
    """A service, its ports, and what has to hold after every event."""

    def __init__(self) -> None:
        clock = SettableClock(NOON)
        self.accounts, self.cti, self.bus = MemoryAccounts(), MemoryCti(), MemoryBus()
        self.pbx, self.observer = MemoryPbx(clock), MemoryObserver()
        self.ports: dict[str, Any] = {
            "accounts": self.accounts,
            "pbxs": (self.pbx,),
            "cti": self.cti,
            "bus": self.bus,
            "clock": clock,
            "observer": self.observer,
        }

    async def check(self, service: Service, user: str, before: dict[str, Account]) -> None:
        """The ports show a user's account, which is sound, and other users' accounts are what they were."""
        account = service.account(user)
        require(await self.accounts.load(user) == (account.user, account.kept), "an account is not stored")
        require(self.cti.shown[user] == view(account), "an account is not shown")
        require(self.bus.forwardings[user] == account.forwarding, "a forward is not announced")
        require(
            (account.state is State.LOGGED_OUT) == (not account.kept.sessions), "a state without its sessions"
        )
        if known(account):
            shown = (self.pbx.hints, self.cti.presences, self.bus.presences)
            require(
                {each[account.user.extension] for each in shown} == {presence(account)}, "a wrong presence"
            )
        others = [other for other in before if other != user]
        require(
            all(service.account(other) is before[other] for other in others), "something happened to another"
        )

    async def check_plans(self, service: Service) -> None:
        """The node follows every account, and no port has failed."""
        installed = await self.pbx.installed(DEFAULT_OWNER)
        for account in map(service.account, service.users):
            held = installed[account.user.id]  # of an older version where that said the same
            require(evolve(held, version=account.version) == plan(account), "a plan is not installed")
        require(not self.observer.failures, f"a failure: {self.observer.failures[:1]}")
        self.observer.applications.clear()
        self.observer.refusals.clear()


async def events(attempts: int) -> str:
    """Let so many events happen."""
    walk, chance, refused = Walk(), Chance(1), 0
    async with bootstrap(**walk.ports) as service:
        everybody = users()
        for user in everybody:
            await service.add(user)
        for number in range(attempts):
            before = {known: service.account(known) for known in service.users}
            whose = chance.user(everybody)
            refused += 1
            with suppress(Refused):
                await service.handle(whose, chance.event(before[whose]))
                refused -= 1
            await walk.check(service, whose, before)
            if number % EVERY == 0:
                await walk.check_plans(service)
        await walk.check_plans(service)
    return (
        f"{attempts:,} random events of three users, {refused:,} of them refused: after each, what is "
        "stored, shown and announced is what the account came to, and the other accounts are what they were; "
        f"after every {EVERY}, what is installed, too"
    )


ATTACK: Final = Attack(name="events", attempts=288_232, made=events)
