"""What every CTI must do, in three parts: telling, commands and showing."""

from unique_account.testing.contracts.cti.commands import CtiCommandsContract
from unique_account.testing.contracts.cti.fixtures import Assistants
from unique_account.testing.contracts.cti.reports import ReportsContract
from unique_account.testing.contracts.cti.views import ViewsContract


class CtiContract(ReportsContract, CtiCommandsContract, ViewsContract):
    """The contract of `unique_account.ports.cti.Cti`; ``open`` gives a CTI and what drives it."""


__all__ = ["Assistants", "CtiContract"]
