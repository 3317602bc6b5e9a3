"""One contract class for each port: what every adapter must do, as pytest tests to inherit.

Subclass the contract in a test module and say how the adapter is opened; pytest finds the rest::

    from contextlib import asynccontextmanager
    from unique_account.testing.contracts import AccountsContract

    class TestMyAccounts(AccountsContract):
        @asynccontextmanager
        async def open(self):
            async with MyAccounts.connect(URL) as accounts:
                await accounts.delete_everything()
                yield accounts

Each test opens a new adapter, empty, in an event loop of its own, and proves one sentence of the
port's docstring, which is the test's docstring. Where the world has to do something as well, phones at a
PBX or UC Assistants at a CTI, `open` gives a driver besides: see `Phones` and `Assistants`. Whatever
happens outside the process may take its time, but not longer than `Contract.patience`.
"""

import pytest

# Before the modules are imported, so that a failing assertion shows what it compared.
_PORTS = (
    "accounts",
    "assistant_store",
    "bus",
    "call_log",
    "clock",
    "cti",
    "directory",
    "group_leases",
    "login_attempts",
    "observer",
    "pbx",
    "roster",
    "sip_credentials",
)
pytest.register_assert_rewrite(*(f"{__name__}.{port}" for port in _PORTS))

from unique_account.testing.contracts.accounts import AccountsContract  # noqa: E402
from unique_account.testing.contracts.assistant_store import AssistantStoreContract  # noqa: E402
from unique_account.testing.contracts.bus import BusContract, Listener  # noqa: E402
from unique_account.testing.contracts.call_log import CallLogContract  # noqa: E402
from unique_account.testing.contracts.clock import ClockContract, Passing  # noqa: E402
from unique_account.testing.contracts.cti import Assistants, CtiContract  # noqa: E402
from unique_account.testing.contracts.directory import Company, DirectoryContract, Employee  # noqa: E402
from unique_account.testing.contracts.group_leases import GroupLeasesContract  # noqa: E402
from unique_account.testing.contracts.login_attempts import LoginAttemptsContract  # noqa: E402
from unique_account.testing.contracts.observer import ObserverContract  # noqa: E402
from unique_account.testing.contracts.pbx import PbxContract, Phones  # noqa: E402
from unique_account.testing.contracts.roster import RosterContract, Source  # noqa: E402
from unique_account.testing.contracts.scenario import Contract  # noqa: E402
from unique_account.testing.contracts.sip_credentials import (  # noqa: E402
    Passwords,
    SipCredentialsContract,
)

__all__ = [
    "AccountsContract",
    "AssistantStoreContract",
    "Assistants",
    "BusContract",
    "CallLogContract",
    "ClockContract",
    "Company",
    "Contract",
    "CtiContract",
    "DirectoryContract",
    "Employee",
    "GroupLeasesContract",
    "Listener",
    "LoginAttemptsContract",
    "ObserverContract",
    "Passing",
    "Passwords",
    "PbxContract",
    "Phones",
    "RosterContract",
    "SipCredentialsContract",
    "Source",
]
