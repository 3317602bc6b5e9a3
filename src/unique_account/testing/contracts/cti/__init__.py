"""What every CTI must do, in three parts: telling, commands and showing."""

from unique_account.testing.contracts.cti.commands import CommandsContract
from unique_account.testing.contracts.cti.listened import Assistants
from unique_account.testing.contracts.cti.showing import ShowingContract
from unique_account.testing.contracts.cti.telling import TellingContract


class CtiContract(TellingContract, CommandsContract, ShowingContract):
    """The contract of `unique_account.ports.cti.Cti`; ``open`` gives a CTI and what drives it."""


__all__ = ["Assistants", "CtiContract"]
