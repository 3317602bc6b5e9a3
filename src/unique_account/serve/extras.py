"""Packages that a configuration needs and the bare install does not bring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from unique_account.core.errors import UniqueAccountError


class MissingExtra(UniqueAccountError):
    """A configuration needs a package that is not installed.

    Attributes:
        package: The package.
    """

    def __init__(self, package: str) -> None:
        super().__init__(package)
        self.package = package

    def __str__(self) -> str:
        return f"serve needs {self.package}: pip install 'unique_account[serve]' brings it"


@contextmanager
def extra() -> Iterator[None]:
    """Import what may be missing.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name)) from error
