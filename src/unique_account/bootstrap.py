"""Ports in, a running service out.

Adapters are found by name through entry points, ours and those of other packages; each names a class.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import timedelta
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from unique_account.adapters.log_observer import LogObserver
from unique_account.adapters.memory import MemoryAccounts, MemoryBus, MemoryCallLog, MemoryCti, MemoryPbx
from unique_account.adapters.system_clock import SystemClock
from unique_account.core.account import DEFAULT_LEASE
from unique_account.core.errors import UniqueAccountError
from unique_account.core.routing import DEFAULT_OWNER
from unique_account.ports.accounts import Accounts
from unique_account.ports.bus import Bus
from unique_account.ports.call_log import CallLog
from unique_account.ports.clock import Clock
from unique_account.ports.cti import Cti
from unique_account.ports.observer import Observer
from unique_account.ports.pbx import Pbx
from unique_account.service.service import Service

PORTS: Final = ("pbx", "accounts", "bus", "call_log", "cti")
"""Ports whose adapters are found by name: entry points of the group ``unique_account.<port>``."""


class NoSuchAdapter(UniqueAccountError, LookupError):
    """No adapter of this name is installed, or a package that it needs is not.

    Attributes:
        port: The port.
        name: The name that was looked up.
        hint: What to do about it.
    """

    def __init__(self, port: str, name: str, hint: str) -> None:
        super().__init__(port, name, hint)
        self.port = port
        self.name = name
        self.hint = hint

    def __str__(self) -> str:
        return f"no {self.port} adapter named {self.name}: {self.hint}"


def adapters(port: str) -> tuple[str, ...]:
    """The names of the adapters that are installed for a port."""
    return tuple(sorted({entry.name for entry in entry_points(group=f"unique_account.{port}")}))


def find_adapter(port: str, name: str) -> Callable[..., Any]:
    """The class that an adapter's entry point names.

    Raises:
        NoSuchAdapter: There is none, or a package that it needs is missing.
    """
    found = tuple(entry_points(group=f"unique_account.{port}", name=name))
    if not found:
        raise NoSuchAdapter(port, name, f"installed are {', '.join(adapters(port)) or 'none'}")
    try:
        adapter: Callable[..., Any] = found[0].load()
    except ModuleNotFoundError as error:
        raise NoSuchAdapter(port, name, f"{error}{_brought_by(found[0])}") from error
    return adapter


@asynccontextmanager
async def open_adapter(port: str, name: str, place: object, **options: Any) -> AsyncIterator[Any]:
    """An adapter that keeps something at a place, such as a file; closed when the context is left.

    Args:
        port: The port.
        name: The name of the adapter.
        place: The place.
        options: What else the adapter takes.

    Raises:
        NoSuchAdapter: There is none, or a package that it needs is missing.
    """
    adapter = find_adapter(port, name)(place, **options)
    async with aclosing(adapter):
        yield adapter


def _brought_by(entry: EntryPoint) -> str:
    """The pip line that brings what an adapter lacks: the extra of its name, if its package has one."""
    package = entry.dist
    if package is None or entry.name not in (package.metadata.get_all("Provides-Extra") or ()):
        return ""
    return f"; pip install '{package.name}[{entry.name}]' brings it"


@asynccontextmanager
async def bootstrap(
    *,
    accounts: Accounts | None = None,
    clock: Clock | None = None,
    pbxs: tuple[Pbx, ...] = (),
    cti: Cti | None = None,
    bus: Bus | None = None,
    call_log: CallLog | None = None,
    observer: Observer | None = None,
    lease: timedelta = DEFAULT_LEASE,
    owner: str = DEFAULT_OWNER,
    on_difference: Callable[[str], object] | None = None,
) -> AsyncIterator[Service]:
    """Run a service on the given ports, and on the embedded defaults for all others.

    The defaults: everything in memory, with one PBX node named ``default``, and the machine's clock and log.
    The defaults need no extra. A clock that is made here is closed here; what is given stays open.
    """
    async with AsyncExitStack() as made:
        if clock is None:
            clock = await made.enter_async_context(aclosing(SystemClock()))
        service = Service(
            accounts=accounts or MemoryAccounts(),
            pbxs=pbxs or (MemoryPbx(clock),),
            cti=cti or MemoryCti(),
            bus=bus or MemoryBus(),
            call_log=call_log or MemoryCallLog(),
            clock=clock,
            observer=observer or LogObserver(),
            lease=lease,
            owner=owner,
            on_difference=on_difference,
        )
        yield await made.enter_async_context(service)
