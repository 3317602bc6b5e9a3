"""What every CTI must do, in three parts: reports, commands and views."""

from unique_account.testing.contracts.cti.commands import CtiCommandsContract
from unique_account.testing.contracts.cti.fixtures import Assistants
from unique_account.testing.contracts.cti.reports import ReportsContract
from unique_account.testing.contracts.cti.views import ViewsContract


class CtiContract(ReportsContract, CtiCommandsContract, ViewsContract):
    """The contract of `unique_account.ports.cti.Cti`; ``open`` gives a CTI and a driver of its assistants."""


__all__ = ["Assistants", "CtiContract"]
