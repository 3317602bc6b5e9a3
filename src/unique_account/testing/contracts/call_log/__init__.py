"""What every call log must do, in two parts: writing and reading."""

from unique_account.testing.contracts.call_log.reading import ReadingContract
from unique_account.testing.contracts.call_log.writing import WritingContract


class CallLogContract(WritingContract, ReadingContract):
    """The contract of `unique_account.ports.call_log.CallLog`; ``open`` gives an empty log."""


__all__ = ["CallLogContract"]
