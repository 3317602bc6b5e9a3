"""What every call log must do, in three parts: writing, reading, and what holds for any records."""

from unique_account.testing.contracts.call_log.properties import PropertiesContract
from unique_account.testing.contracts.call_log.queries import QueriesContract
from unique_account.testing.contracts.call_log.writes import WritesContract


class CallLogContract(WritesContract, QueriesContract, PropertiesContract):
    """The contract of `unique_account.ports.call_log.CallLog`; ``open`` gives an empty log."""


__all__ = ["CallLogContract"]
